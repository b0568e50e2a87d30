"""What is promised, and who keeps it on which CI system: the platform, f0ci through the ledger, or nobody.

The answers stand in a data file beside each writer, which is read without importing the writer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from f0ci.core.errors import CannotWork

PROMISES: Mapping[str, str] = {
    "order": "an environment takes only what succeeded before it",
    "quorum": "as many people approve as the gate says",
    "not_author": "whoever wrote a change does not approve it",
    "freeze": "nothing goes in while an environment is held",
    "one_at_a_time": "one promotion at a time, and no older one over a newer",
    "bound_to_content": "what was approved is what is carried out",
    "asked": "the platform asks before an environment that waits for people",
    "history": "what happened cannot be rewritten unnoticed",
    "secrets": "an environment's secrets are seen by its own jobs alone",
    "apart": "code of the repository runs where no token is that may push",
}
KEEPERS: Mapping[str, str] = {"platform": "the platform", "f0ci": "f0ci, by the ledger", "nobody": "not enforceable"}
_FOLDER = "f0ci.pipelines.writers"


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Who keeps a promise on a CI system.

    Attributes:
        promise: one of `PROMISES`.
        system: name of the writer.
        by: one of `KEEPERS`.
        why: the reason, in words.
    """

    promise: str
    system: str
    by: str
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return the guarantee as data."""
        return {"promise": self.promise, "system": self.system, "by": self.by, "why": self.why}


def guarantees(systems: Sequence[str]) -> tuple[Guarantee, ...]:
    """Return who keeps each promise on some systems, promise by promise.

    Raises:
        CannotWork: a system does not say.
    """
    told = {system: _told(system) for system in systems}
    return tuple(
        Guarantee(promise, system, answers[promise]["by"], answers[promise]["why"])
        for promise in PROMISES
        for system, answers in told.items()
    )


def _told(system: str) -> Mapping[str, Mapping[str, str]]:
    try:
        text = (resources.files(_FOLDER) / f"{system}.json").read_text(encoding="utf-8")
    except OSError as error:
        raise CannotWork(f"{system!r} does not say what it guarantees", "ask whoever offers that writer") from error
    answers: Mapping[str, Mapping[str, str]] = json.loads(text)
    return answers
