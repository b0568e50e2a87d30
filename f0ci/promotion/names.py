"""The refs in which promotions live; see "What lies in Git" in docs/architecture.md."""

from __future__ import annotations

import re
from dataclasses import dataclass

from f0ci.core.errors import InputError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}\Z")
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
        return f"refs/heads/f0ci/ledger/{self._full(name)}"

    @property
    def workflow_ledger(self) -> str:
        """Return the branch that holds the events that concern all environments."""
        return f"refs/heads/f0ci/ledger/{self.prefix + '.' if self.prefix else ''}{WORKFLOW_LEDGER}"

    def release_tag(self, digest: str) -> str:
        """Return the tag that keeps a release's source commit."""
        return RELEASE_TAGS + digest[:SHORT]

    def _full(self, name: str) -> str:
        if not _NAME.match(name):
            raise InputError(
                f"the environment name {name!r} cannot be a branch",
                "use letters, digits, '-' and '_', at most 100 of them",
            )
        return f"{self.prefix}.{name}" if self.prefix else name


def short(digest: str) -> str:
    """Return the twelve digits by which people name a digest."""
    return digest[:SHORT]
