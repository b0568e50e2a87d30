"""What settings say of rules for some paths: `rules.paths` of `f0ci.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.values import dataclass


@dataclass(frozen=True, slots=True)
class PathRules:
    """The rules of the files that a pattern means; what is said of all files comes first.

    Attributes:
        pattern: a path, a folder, or a pattern in which `**` is any number of folders.
        select: names of rules or groups, the only ones that are left there; None for all.
        ignore: names of rules or groups that are left out there.
        severity: what is said instead of a rule's own, by rule.
    """

    pattern: str
    select: frozenset[str] | None = None
    ignore: frozenset[str] = frozenset()
    severity: Mapping[str, Severity] = field(default_factory=dict)

    def matches(self, path: str) -> bool:
        """Tell whether a path is meant."""
        return _compiled(self.pattern).match(path) is not None

    def leaves(self, name: str, group: str) -> bool:
        """Tell whether a rule is still on."""
        names = {name, group}
        return (self.select is None or bool(names & self.select)) and not names & self.ignore


def read_path_rules(settings: Mapping[str, Any]) -> tuple[PathRules, ...]:
    """Return what `rules.paths` of the settings says, in written order."""
    return tuple(
        PathRules(
            pattern,
            frozenset(said["select"]) if "select" in said else None,
            frozenset(said.get("ignore", ())),
            {name: Severity.parse(word) for name, word in said.get("severity", {}).items()},
        )
        for pattern, said in settings.get("paths", {}).items()
    )


def meant_for(rules: Iterable[PathRules], path: str) -> tuple[PathRules, ...]:
    """Return those that mean a path."""
    return tuple(one for one in rules if one.matches(path))


# settings name them, however many; each is asked of every path that has a finding
@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = []
    for part in re.split(r"(/\*\*/|\A\*\*/|/\*\*\Z|\*\*|\*|\?)", pattern.strip("/").removeprefix("./")):
        match part:
            case "/**/":
                parts.append("/(?:[^/]+/)*")
            case "**/":
                parts.append("(?:[^/]+/)*")
            case "/**":
                parts.append("/.+")
            case "**":
                parts.append(".*")
            case "*":
                parts.append("[^/]*")
            case "?":
                parts.append("[^/]")
            case _:
                parts.append(re.escape(part))
    # a folder means everything below it
    return re.compile(f"{''.join(parts)}(?:/.*)?\\Z")
