"""Commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import Finished
from f0ci.runner.options import RunOptions
from f0ci.runner.steps.shell import conclude, outputs_of
from tests.unit.runner.conftest import Workspace

P, F, E = Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED


@pytest.mark.parametrize(
    ("finished", "outcome", "message"),
    [
        (Finished(0), P, ""),
        (Finished(3), F, "the command ended with 3"),
        (Finished(-9), F, "the command was ended by SIGKILL"),
        (Finished(-99), F, "the command was ended by signal 99"),
        (Finished(-15, timed_out=True), F, "ended after its time of 1.5s"),
        (Finished(0, timed_out=True), F, "ended after its time of 1.5s"),
        (Finished(-15, cancelled=True), E, "interrupted"),
    ],
)
def test_the_end_of_a_command(finished: Finished, outcome: Outcome, message: str) -> None:
    result = conclude(finished, 1.5, "interrupted", {})

    assert (result.outcome, result.message) == (outcome, message)


@pytest.mark.parametrize(
    ("text", "outputs"),
    [
        ("", {}),
        ("a=1\n\n  b = c=d \n", None),
        ("a=1\nb=c=d\na=2\n", {"a": "2", "b": "c=d"}),
        ("empty=\n", {"empty": ""}),
        ("no equals\n", None),
        ("1st=x\n", None),
    ],
)
def test_outputs_are_lines_of_name_and_value(tmp_path: Path, text: str, outputs: dict[str, str] | None) -> None:
    file = tmp_path / "outputs"
    file.write_text(text)

    if outputs is None:
        with pytest.raises(StepError, match="is not name=value"):
            outputs_of(file)
    else:
        assert outputs_of(file) == outputs


def test_values_reach_a_command_as_variables(zoo: Workspace) -> None:
    record = zoo.run(
        """
  - name: deploy
    run: |
      printf '%s\\n' "$TEXT" "$FLAG" "$NOTHING" "$LIST" "$TARGET"
      echo "rows=3" >> "$F0CI_OUTPUT"
    args: {TARGET: "#{params.target}"}
    env:
      TEXT: "$(touch /tmp/injected); `id`"
      FLAG: "#{params.flag}"
      NOTHING: null
      LIST: [1, two]
  - {name: use, run: 'test "$ROWS" = 3', env: {ROWS: "#{steps.deploy.outputs.rows}"}}
""",
        heading="metadata: {name: t}\nparameters: [{name: target, default: 'eu; id'}, {name: flag, default: true}]",
    )

    deploy = record.steps[0]
    assert record.outcome is P
    assert deploy.output == '$(touch /tmp/injected); `id`\ntrue\n\n[1, "two"]\neu; id\n'
    assert deploy.outputs == {"rows": "3", "exit_code": 0}


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ('run: "echo #{params.x}"', "a command does not evaluate expressions"),
        ('run: "echo {{ steps.a.outputs.b }}"', 'VALUE: "#{steps.a.outputs.b}"'),
        ("run: 'true'\n    env: {1ST: x}", "cannot be the name of an environment variable"),
        ("run: 'true'\n    env: {F0CI_RUN: x}", "is f0ci's own"),
        ("type: shell", "needs 'run'"),
        ('run: "echo a\\0b"', "its arguments hold a NUL"),
        ("run: 'true'\n    env: {V: \"a\\0b\"}", "the variable V holds a NUL"),
        ("run: 'true'\n    env: {V: '" + "x" * 200_000 + "'}", "the variable V has 200,000 characters"),
    ],
)
def test_a_command_that_cannot_be_right_is_not_run(zoo: Workspace, step: str, words: str) -> None:
    record = zoo.run(f"  - name: one\n    {step}\n")

    assert record.steps[0].outcome is E
    assert words in record.steps[0].message


@pytest.mark.parametrize(
    ("command", "outcome", "output"),
    [
        ("echo '{{.State}}' '#{' \"${#HOME}\" | wc -w", P, "3\n"),
        ("echo a; false; echo b", F, "a\n"),
        ("exit 4", F, ""),
        ("echo broken >> $F0CI_OUTPUT", F, ""),
        ("cat", P, ""),
    ],
)
def test_commands_run_in_a_strict_shell(zoo: Workspace, command: str, outcome: Outcome, output: str) -> None:
    zoo.write(
        "recipes/commands.yaml", "metadata: {name: c}\nsteps:\n  - name: one\n    run: |\n      " + command + "\n"
    )

    step = zoo.run_file("recipes/commands.yaml").steps[0]

    assert (step.outcome, step.output) == (outcome, output)


@pytest.mark.parametrize(("timeout", "options"), [("timeout: 0.2", RunOptions()), ("", RunOptions(step_timeout=0.2))])
def test_a_command_beyond_its_time_fails(zoo: Workspace, timeout: str, options: RunOptions) -> None:
    record = zoo.run(f"  - name: slow\n    run: sleep 600\n    {timeout}\n", options=options)

    assert record.steps[0].outcome is F
    assert record.steps[0].message.startswith("ended after its time of 0.2s")
