"""The refs in which promotions live; see "What lies in Git" in docs/architecture.md."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from f0ci.core.errors import InputError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
_PLAN_DIGEST = re.compile(r"[0-9a-f]{12,64}\Z")
_LEDGERS = "refs/heads/f0ci/ledger/"
WORKFLOW_LEDGER = "_workflow"
RELEASE_TAGS = "refs/tags/f0ci/release/"
SHORT = 12


@dataclass(frozen=True, slots=True)
class Names:
    """Ref names of one workflow; a second workflow in a repository has a prefix of its own.

    Attributes:
        prefix: `branch_prefix` of `f0ci.yaml`, or empty.
    """

    prefix: str = ""

    def environment(self, name: str) -> str:
        """Return the branch that holds what an environment should be."""
        return f"refs/heads/env/{self._full(name)}"

    def ledger(self, name: str) -> str:
        """Return the branch that holds an environment's events."""
        return f"{_LEDGERS}{self._full(name)}"

    @property
    def workflow_ledger(self) -> str:
        """Return the branch that holds the events that concern all environments."""
        return f"{_LEDGERS}{self._before}{WORKFLOW_LEDGER}"

    def ledger_environments(self, refs: Iterable[str]) -> tuple[str, ...]:
        """Return the environments of this workflow whose ledgers are among some refs, sorted.

        Another workflow's have another prefix, and what cannot be an environment's name is somebody else's branch.
        """
        start = f"{_LEDGERS}{self._before}"
        names = (ref.removeprefix(start) for ref in refs if ref.startswith(start))
        return tuple(sorted(name for name in names if _NAME.match(name)))

    def release_tag(self, digest: str) -> str:
        """Return the tag that keeps a release's source commit."""
        return RELEASE_TAGS + digest[:SHORT]

    @property
    def _before(self) -> str:
        return f"{self.prefix}." if self.prefix else ""

    def _full(self, name: str) -> str:
        if not _NAME.match(name):
            raise InputError(
                f"the environment name {name!r} cannot be a branch",
                "use letters, digits, '-' and '_', at most 100 of them",
            )
        return f"{self._before}{name}"


def short(digest: str) -> str:
    """Return the twelve digits by which people name a digest."""
    return digest[:SHORT]


def read_plan_digest(text: str | None, environment: str) -> str | None:
    """Return the beginning of a plan's digest as people give it, or None where they give none.

    Args:
        text: what they gave.
        environment: where the plan leads, for the message.

    Raises:
        UsageError: it is too short to name one plan, or no digest.
    """
    if text is None or _PLAN_DIGEST.match(text.lower()):
        return text.lower() if text is not None else None
    raise UsageError(f"{text!r} is no digest of a plan", f"take it from `f0ci plan {environment}`; 12 digits or more")
