"""What a run lends from its process, and gives back: streams, modules, environment."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from f0ci.core.outcome import Outcome
from f0ci.runner.options import RunOptions
from tests.unit.runner.conftest import Workspace, of


def test_tokens_of_git_and_ci_are_out_of_reach(zoo: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "F0CI_GIT_TOKEN", "CI_JOB_TOKEN", "SSH_AUTH_SOCK"):
        monkeypatch.setenv(name, "planted")
    monkeypatch.setenv("DEPLOY_REGION", "eu")

    record = zoo.run(
        '  - {name: shell, run: "env | grep -q planted && exit 1; test $DEPLOY_REGION = eu", pass_env: "*"}\n'
        "  - name: reduced\n"
        '    run: test -z "$DEPLOY_REGION" && test "$F0CI_PROMOTION" = p-1 && test -n "$PATH"\n'
        "  - {name: python, type: python, module: scriptlets.counting, function: Surroundings}\n",
        options=RunOptions(run="run-1", release="abc", idempotency_key="p-1/2", variables={"F0CI_PROMOTION": "p-1"}),
    )

    assert record.outcome is Outcome.PASSED
    inside = of(record, "python").outputs
    assert not {"GITHUB_TOKEN", "F0CI_GIT_TOKEN", "CI_JOB_TOKEN", "SSH_AUTH_SOCK"} & set(inside["names"])
    assert {"F0CI_RUN", "F0CI_RELEASE", "F0CI_PROMOTION", "F0CI_IDEMPOTENCY_KEY"} <= set(inside["names"])
    assert (inside["environment"], inside["folder"]) == ("dev", str(zoo.root))
    assert os.environ["GITHUB_TOKEN"] == "planted"
    assert str(zoo.root) != str(Path.cwd())


def test_programs_learn_where_they_are(zoo: Workspace) -> None:
    record = zoo.run(
        '  - name: tell\n    run: echo "$F0CI_ENVIRONMENT $F0CI_RUN $F0CI_STEP $F0CI_IDEMPOTENCY_KEY $F0CI_RELEASE"\n',
        options=RunOptions(run="run-1", release="abc", idempotency_key="p-1/2"),
    )

    assert of(record, "tell").output == "dev run-1 tell p-1/2/tell abc\n"


def test_programs_and_expressions_learn_of_an_overlay(zoo: Workspace) -> None:
    zoo.write("environments/dev/eu/config.yaml", "size: 9\n")

    record = zoo.run(
        "  - name: tell\n    env: {SAID: '#{environment}/#{overlay}', N: '#{params.n}'}\n"
        '    run: echo "$SAID $F0CI_ENVIRONMENT/$F0CI_OVERLAY $N"\n'
        "  - {name: here, run: echo here, condition: \"environment == 'dev' and overlay == 'eu'\"}\n",
        heading="metadata: {name: r}\nparameters: [{name: n, default: '#{overlay}#{config.size}'}]",
        environment="dev/eu",
    )

    assert of(record, "tell").output == "dev/eu dev/eu eu9\n"
    assert of(record, "here").outcome is Outcome.PASSED
    assert record.environment == "dev/eu"


def test_the_runner_prints_nothing_whoever_prints(zoo: Workspace, capfd: pytest.CaptureFixture[str]) -> None:
    record = zoo.run(
        "  - {name: help, type: python, module: scriptlets.meeting, function: Helping}\n"
        "  - {name: loud, type: python, module: scriptlets.answers, function: Loud, args: {lines: 2}}\n"
    )

    assert of(record, "help").output == "from a thread\n"
    assert of(record, "loud").output == "line 0\nline 1\nto stderr\n"
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err == "from a program\n"


def test_much_output_is_bounded(zoo: Workspace) -> None:
    record = zoo.run(
        "  - {name: loud, type: python, module: scriptlets.answers, function: Loud, args: {lines: 50000}}\n"
    )

    output = of(record, "loud").output
    assert len(output) < 80_000
    assert output.startswith("[... the beginning is left out]\n")
    assert output.endswith("line 49999\nto stderr\n")


def test_runs_of_two_trees_do_not_share_modules(zoo: Workspace, tmp_path: Path) -> None:
    ask = "  - {name: ask, type: python, module: scriptlets.same, function: where}\n"
    zoo.write("scriptlets/same.py", "def where():\n    return {'where': 'zoo'}\n")
    assert of(zoo.run(ask), "ask").outputs == {"where": "zoo"}

    other = Workspace(tmp_path / "other")
    other.write("scriptlets/__init__.py", "")
    other.write("scriptlets/same.py", "def where():\n    return {'where': 'other'}\n")
    assert of(other.run(ask, environment=None), "ask").outputs == {"where": "other"}

    zoo.write("scriptlets/same.py", "def where():\n    return {'where': 'edited'}\n")
    assert of(zoo.run(ask), "ask").outputs == {"where": "edited"}
    assert not [name for name in sys.modules if name.partition(".")[0] == "scriptlets"]
    assert str(zoo.root) not in sys.path
    assert not list(zoo.root.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        ("run: 'test $DEPLOY_REGION = eu'", "the step does not see DEPLOY_REGION: write pass_env: [DEPLOY_REGION]"),
        ("run: 'test ${DEPLOY_REGION} = eu && test $NOWHERE'", "pass_env: [DEPLOY_REGION]"),
        ("run: test $DEPLOY_REGION = us, pass_env: [DEPLOY_REGION]", None),
        ("run: test $DEPLOY_REGION = us, env: {DEPLOY_REGION: eu}", None),
        ("run: test $NOWHERE = x", None),
    ],
)
def test_a_failed_command_that_reads_what_it_does_not_see_says_so(
    zoo: Workspace, monkeypatch: pytest.MonkeyPatch, step: str, hint: str | None
) -> None:
    monkeypatch.setenv("DEPLOY_REGION", "eu")
    record = zoo.run(f"  - {{name: shell, {step}}}\n")

    assert record.outcome is Outcome.FAILED
    assert (hint or "ended with") in record.steps[0].message
    assert ("does not see" in record.steps[0].message) == (hint is not None)
