"""A step in a process of its own: what the process sees, what it may use, and a scriptlet inside one."""

from __future__ import annotations

import fnmatch
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.core.processes import run_process
from f0ci.runner.steps.base import NO_LIMITS, Limits, StepCall, StepResult

if TYPE_CHECKING:
    from f0ci.runner.steps.python import Scriptlet

MOST_ANSWER_BYTES = 64_000_000
# where things are on this machine; none of them lets anybody in
# (compared in upper case; plain names and beginnings, as compiling a pattern of them costs more than a small command)
_PLACES = frozenset(
    """PATH HOME USER LOGNAME SHELL LANG LANGUAGE TZ TERM TMPDIR TEMP TMP HOSTNAME VIRTUAL_ENV CONDA_PREFIX PYTHONPATH
    PYTHONHOME PYTHONUTF8 PYTHONIOENCODING PYTHONUNBUFFERED PYTHONHASHSEED PYTHONWARNINGS PYTHONDONTWRITEBYTECODE
    HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY FTP_PROXY NO_COLOR FORCE_COLOR CI KUBECONFIG DOCKER_HOST DOCKER_CONFIG
    AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION""".split()  # noqa: SIM905 - forty lines of one name each say no more
)
_PLACES_BEGIN = ("LC_", "XDG_", "COVERAGE_", "SSL_CERT_", "REQUESTS_CA_", "CURL_CA_", "F0CI_")
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


def declared_environment(environ: Mapping[str, str], passed: Iterable[str]) -> dict[str, str]:
    """Return what a step's process sees of the run's environment: where things are, and what the step declares.

    Args:
        environ: the run's environment, without credentials of Git and CI.
        passed: names, or patterns such as `AWS_*`; `*` alone passes everything.
    """
    patterns = tuple(passed)
    return {
        name: value
        for name, value in environ.items()
        if name.upper() in _PLACES
        or name.upper().startswith(_PLACES_BEGIN)
        or any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    }


def limits_from(data: Any) -> Limits:
    """Return limits as a recipe writes them: `cpu: 10`, `memory: 512M`, `file_size: 1G`, `open_files: 64`.

    Raises:
        StepError: a name or value makes no sense.
    """
    if data is None:
        return NO_LIMITS
    known = tuple(asdict(Limits()))
    if not isinstance(data, Mapping) or not set(data) <= set(known):
        raise StepError(f"{data!r} are no limits", f"give any of {', '.join(known)}", terminal=True)
    return Limits(**{name: _amount(name, value) for name, value in data.items()})


def _amount(name: str, value: Any) -> int:
    match = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?|(\d+)s", str(value).strip().lower())
    if match is None or (match[2] and name in {"cpu", "open_files"}) or (match[3] and name != "cpu"):
        raise StepError(
            f"the limit {name} is {value!r}", "give a whole number, for bytes with K, M or G", terminal=True
        )
    return int(match[3] or match[1]) * _UNITS[match[2] or ""]


def limited(arguments: tuple[str, ...], limits: Limits) -> tuple[str, ...]:
    """Return a command that takes the limits on itself before it becomes the program."""
    set_limits = [
        f"ulimit -{letter} {amount}"
        for letter, amount in (
            ("t", limits.cpu),
            ("v", limits.memory and -(-limits.memory // 1024)),
            # in blocks of 512 bytes, as POSIX says
            ("f", limits.file_size and -(-limits.file_size // 512)),
            ("n", limits.open_files),
        )
        if amount is not None
    ]
    if not set_limits:
        return arguments
    return ("/bin/sh", "-e", "-c", f'{"; ".join(set_limits)}; exec "$@"', "sh", *arguments)


def run_apart(call: StepCall, scriptlet: Scriptlet) -> StepResult:
    """Run a scriptlet once in a process of its own, which gets the context's values and hands back its changes.

    Raises:
        StepError: the scriptlet could not be called, or its process cannot be started.
    """
    from f0ci.runner.steps.base import as_variable
    from f0ci.runner.steps.shell import conclude

    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        request, answer = Path(folder, "request.json"), Path(folder, "answer.jsonl")
        asked = {
            "scriptlet": asdict(scriptlet),
            "root": str(call.root),
            "values": call.context.to_dict(),
            "step": call.path,
            "idempotency_key": call.context.idempotency_key,
        }
        request.write_text(json.dumps(asked), encoding="utf-8")
        request.chmod(0o600)
        command = (sys.executable, "-P", "-m", "f0ci.runner.child", str(request), str(answer))
        variables = {name: as_variable(value) for name, value in call.variables.items()}
        finished = run_process(
            limited(command, call.limits),
            folder=call.root,
            environ={**call.environ, **variables, "PYTHONUNBUFFERED": "1"},
            output=call.output,
            timeout=call.timeout,
            cancellation=call.cancellation,
            lifeline=call.lifeline,
        )
        result = _take_over(call, answer)
    if result is None or finished.timed_out or finished.cancelled:
        ended = conclude(finished, call.timeout, call.cancellation.reason, {})
        if ended.outcome is Outcome.PASSED:
            return StepResult(Outcome.FAILED, "the scriptlet's process ended without an answer")
        message = ended.message.replace("the command", "the scriptlet's process")
        return StepResult(ended.outcome, message, ended.hint, terminal=ended.terminal)
    return result


def _take_over(call: StepCall, answer: Path) -> StepResult | None:
    """Make the changes of the context that a scriptlet made, and return its result where it came to one."""
    try:
        if answer.stat().st_size > MOST_ANSWER_BYTES:
            raise StepError(
                f"the scriptlet hands back more than {MOST_ANSWER_BYTES:,} bytes",
                "write large results to a file and pass its path on",
                terminal=True,
            )
        lines = answer.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return None
    for line in lines:
        try:
            said = json.loads(line)
        except ValueError:
            # the last line of a process that was ended
            break
        if "set" in said:
            call.context.set(said["set"], said["value"], who=said["who"])
        elif "error" in said:
            raise StepError(said["error"], said["hint"], terminal=said["terminal"])
        else:
            return StepResult(Outcome[said["outcome"]], said["message"], said["hint"], outputs=said["outputs"])
    return None
