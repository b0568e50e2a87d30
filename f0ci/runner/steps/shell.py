"""Step type `shell`: a command for `sh -e`, in a process group of its own.

Values reach the command as environment variables (`env:`, and `args:` under the same names), never by being pasted into
its text. What it writes into the file named by `F0CI_OUTPUT`, one `name=value` a line, are its outputs.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import Finished, is_withheld, run_process
from f0ci.runner.isolation import limited
from f0ci.runner.steps.base import StepCall, StepResult, as_variable

SHELL = ("/bin/sh", "-e", "-c")
MOST_OUTPUT_BYTES = 1_000_000
# an expression of f0ci, told from braces that other programs read, as in docker's --format '{{.State}}'
_EXPRESSION = re.compile(r"(?:#\{|\{\{)\s*((?:params|config|environment|context|steps|release|error)\b[\w.]*)")
# a variable that a command reads: $NAME and ${NAME}; ${NAME:-default} does without
_READ = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def run(call: StepCall) -> StepResult:
    """Run a shell step's command once."""
    command = call.step.run
    if command is None:
        raise StepError("a shell step needs 'run'", "write the command under 'run:'", terminal=True)
    _refuse_expressions(command)
    variables = _variables({**call.arguments, **call.variables})
    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        outputs_file = Path(folder) / "outputs"
        outputs_file.touch()
        finished = run_process(
            limited((*SHELL, command), call.limits),
            folder=call.root,
            environ={**call.environ, **variables, "F0CI_OUTPUT": str(outputs_file)},
            output=call.output,
            timeout=call.timeout,
            cancellation=call.cancellation,
            lifeline=call.lifeline,
        )
        result = conclude(finished, call.timeout, call.cancellation.reason, outputs_of(outputs_file))
    if result.outcome is Outcome.FAILED and result.hint is None:
        return replace(result, hint=_hint_of_missing(command, {**call.environ, **variables}))
    return result


def _hint_of_missing(command: str, seen: Mapping[str, str]) -> str | None:
    """Return what to do where a command that failed reads variables that this process has and the step does not."""
    read = dict.fromkeys(found[1] or found[2] for found in _READ.finditer(command))
    missing = [name for name in read if name in os.environ and name not in seen and not is_withheld(name)]
    if not missing:
        return None
    return f"the step does not see {', '.join(missing)}: write pass_env: [{', '.join(missing)}] under the step"


def conclude(finished: Finished, timeout: float | None, reason: str, outputs: Mapping[str, Any]) -> StepResult:
    """Return what a command's end means.

    | how it ended | outcome |
    |---|---|
    | its time was over | failed: it was ended before it was done |
    | the run was stopped | errored: nobody knows how it would have ended |
    | by itself, 0 | passed |
    | by itself, another code, or by a signal | failed |
    """
    if finished.timed_out:
        return StepResult(
            Outcome.FAILED,
            f"ended after its time of {timeout:g}s",
            "raise the step's 'timeout', or mend the command",
        )
    if finished.cancelled:
        return StepResult(Outcome.ERRORED, reason or "stopped", terminal=True)
    if finished.code == 0:
        return StepResult(Outcome.PASSED, outputs={**outputs, "exit_code": 0})
    message = (
        f"the command ended with {finished.code}"
        if finished.code > 0
        else f"the command was ended by {_signal_name(-finished.code)}"
    )
    return StepResult(Outcome.FAILED, message, outputs={**outputs, "exit_code": finished.code})


def outputs_of(file: Path) -> dict[str, str]:
    """Return the outputs that a command wrote, one `name=value` a line; the last value of a name counts.

    Raises:
        StepError: the file is no such list.
    """
    try:
        if file.stat().st_size > MOST_OUTPUT_BYTES:
            raise StepError(
                f"more than {MOST_OUTPUT_BYTES:,} bytes of outputs",
                "write large results to a file and pass its path on",
            )
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StepError(
            f"cannot read what the command wrote into F0CI_OUTPUT: {error}",
            "write lines of name=value, UTF-8",
        ) from error
    outputs = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = line.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise StepError(
                f"{line[:80]!r} in F0CI_OUTPUT is not name=value",
                'write it with echo "name=value" >> "$F0CI_OUTPUT"',
            )
        outputs[name] = value
    return outputs


def _variables(values: Mapping[str, Any]) -> dict[str, str]:
    for name in values:
        if not _NAME.fullmatch(name):
            raise StepError(
                f"{name!r} cannot be the name of an environment variable",
                "use letters, digits and _",
                terminal=True,
            )
        if name.startswith("F0CI_"):
            raise StepError(
                f"the variable {name!r} is f0ci's own",
                "choose a name that does not begin with F0CI_",
                terminal=True,
            )
    return {name: as_variable(value) for name, value in values.items()}


def _refuse_expressions(command: str) -> None:
    found = _EXPRESSION.search(command)
    if found is not None:
        raise StepError(
            f"a command does not evaluate expressions, and has {found[0]!r}",
            f'name the value under \'env:\' (VALUE: "#{{{found[1]}}}") and write "$VALUE" in the command',
            terminal=True,
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
