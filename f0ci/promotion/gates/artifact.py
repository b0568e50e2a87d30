"""The gate `artifact`: the configuration names what it runs by digest, so that no tag can move underneath.

Settings:
    values: names of configuration values of the environment, such as `service.image`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from f0ci.core.outcome import Outcome
from f0ci.promotion.gates.base import GateAnswer, GateQuestion, Scene

KIND = "artifact"
USES_AUTHORS = False
# looking again gives the same facts, so that nobody has to believe a record of them
REPEATABLE = True
_DIGEST = re.compile(r"(?:^|@)sha256:[0-9a-f]{64}\Z")


def observe(scene: Scene) -> Mapping[str, Any]:
    """Find out what the release's configuration names: `values`, by name, None where there is none."""
    values = scene.configuration()
    return {"values": {name: _value(values, name) for name in map(str, scene.settings.get("values") or ())}}


def evaluate(question: GateQuestion) -> GateAnswer:
    """Answer whether every value names a SHA-256 digest.

    no value is named                      errored: nothing was looked at
    all name one                           passed
    any is missing, or names none          refused: a release does not change any more
    """
    if not question.settings.get("values"):
        return GateAnswer(KIND, Outcome.ERRORED, "the gate names no 'values'")
    if not question.facts:
        return GateAnswer(KIND, Outcome.WAITING, "the configuration was not looked at yet")
    found: Mapping[str, str | None] = question.facts["values"]
    missing = sorted(name for name, value in found.items() if value is None)
    loose = sorted(f"{name} ({value})" for name, value in found.items() if value and not _DIGEST.search(value))
    if not missing and not loose:
        return GateAnswer(KIND, Outcome.PASSED, f"{', '.join(sorted(found))} named by digest")
    said = [f"there is no value {', '.join(missing)}"] if missing else []
    said += [f"no sha256 digest in {', '.join(loose)}"] if loose else []
    return GateAnswer(KIND, Outcome.FAILED, f"{'; '.join(said)}: pin it as name@sha256:... and make a new release")


def _value(values: Any, name: str) -> str | None:
    for key in name.split("."):
        if not isinstance(values, Mapping) or key not in values:
            return None
        values = values[key]
    return str(values)
