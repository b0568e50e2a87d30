"""The gate `command`: a command of the policy in force answers; never one that the release brings along.

Settings:
    run: a shell line, or a program and its arguments.
    timeout: how long it may take, `1m` by default.
    again: when to ask again while it says "not yet", `5m` by default.

It runs in a checkout of the commit whose policy is in force, without credentials of Git and CI, and finds what is asked
in `F0CI_PROMOTION`, `F0CI_ENVIRONMENT`, `F0CI_RELEASE` and `F0CI_SOURCE_COMMIT`. Exit code 0 is yes, 1 is no, 75 is not
yet; anything else is no answer. Its answer is part of the record, since nobody can ask for it again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from f0ci.core.clock import format_time
from f0ci.core.duration import parse_duration
from f0ci.core.errors import CannotWork
from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion, Scene

KIND = "command"
USES_AUTHORS = False
REPEATABLE = False
# as sysexits.h calls it: a temporary failure, to be tried later
NOT_YET = 75
_MOST_BYTES = 4_000


def observe(scene: Scene) -> Mapping[str, Any]:
    """Run the command: `code` (None where it could not end), `said` (its last line)."""
    from f0ci.core.processes import BoundedOutput, reduced_environment, run_process
    from f0ci.core.redaction import Redactor

    run = scene.settings.get("run") or "exit 2"
    words = ["/bin/sh", "-c", run] if isinstance(run, str) else [str(word) for word in run]
    timeout = parse_duration(str(scene.settings.get("timeout") or "1m")).total_seconds()
    output = BoundedOutput(_MOST_BYTES)
    environ = reduced_environment(os.environ) | {
        "F0CI_PROMOTION": scene.promotion,
        "F0CI_ENVIRONMENT": scene.environment,
        "F0CI_RELEASE": scene.release,
        "F0CI_SOURCE_COMMIT": scene.source_commit,
    }
    with tempfile.TemporaryDirectory(prefix="f0ci-gate-") as temporary:
        folder = Path(temporary, "policy")
        scene.repository.checkout_to(scene.policy_commit, folder)
        try:
            ended = run_process(words, folder=folder, environ=environ, output=output, timeout=timeout)
        except CannotWork as error:
            return {"code": None, "said": error.message}
    said = output.text(Redactor()).strip().rpartition("\n")[2]
    return {"code": None if ended.timed_out else ended.code, "said": said or ("it took too long" * ended.timed_out)}


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer what the command said.

    not asked yet                 waiting
    exit code 0                   passed
    exit code 1                   refused
    exit code 75                  waiting, to be asked again
    any other end                 errored: nobody can tell, so it waits too
    """
    facts = question.facts
    if not facts:
        return GateAnswer(KIND, Outcome.WAITING, "it is asked when the promotion is taken further")
    code, said = facts.get("code"), str(facts.get("said") or "")
    because = f": {said}" if said else ""
    if code == 0:
        return GateAnswer(KIND, Outcome.PASSED, f"the command agrees{because}")
    if code == 1:
        return GateAnswer(KIND, Outcome.FAILED, f"the command refuses{because}")
    again = question.now + _again(question.settings)
    if code == NOT_YET:
        return GateAnswer(
            KIND, Outcome.WAITING, f"the command says not yet{because}; asked again {format_time(again)}", until=again
        )
    how = "could not end" if code is None else f"ended with exit code {code}"
    return GateAnswer(KIND, Outcome.ERRORED, f"the command {how}, which is no answer{because}", until=again)


def _again(settings: Mapping[str, Any]) -> timedelta:
    return parse_duration(str(settings.get("again") or "5m"))
