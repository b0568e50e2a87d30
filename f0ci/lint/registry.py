"""The rules that there are, and which of them a run uses."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cache
from types import ModuleType
from typing import Any

from f0ci.core import plugins
from f0ci.core.diagnostics import Severity
from f0ci.core.errors import UsageError
from f0ci.core.patterns import pattern
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.lint.per_path import PathRules, meant_for, read_path_rules
from f0ci.lint.rules.base import Group, Rule

FOLDER = "f0ci.lint.rules"
_HERE = os.path.join(os.path.dirname(__file__), "rules")  # noqa: PTH118, PTH120 - text is what is needed
# a break that is written out is found five times as fast as the beginning of any line
_CARD = pattern(rb'\nRULE = Rule\("([a-z0-9-]+)", Group\.([A-Z]+), Severity\.([A-Z]+)\)\r?\n')
_HOOK = pattern(rb"\ndef (check_\w+)\(")
# what tells that rules did not do their work is said in any case
ALWAYS = frozenset({"internal-error", "unknown-rule"})


@dataclass(frozen=True, slots=True)
class Choice:
    """The rules of one run.

    Attributes:
        active: by name.
        severity: what settings say instead of a rule's own, by rule.
        complete: True where every rule is active: only then is an ignore comment known to be of no use.
        paths: what settings say for some paths.
    """

    active: Mapping[str, Rule]
    severity: Mapping[str, Severity]
    complete: bool
    paths: tuple[PathRules, ...] = ()
    _meant: dict[str, tuple[PathRules, ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def severity_of(self, name: str, path: str, own: Severity | None = None) -> Severity | None:
        """Return how much a rule's findings in a file matter; None where the rule is off there.

        Args:
            name: the rule.
            path: the file.
            own: what the finding itself says, which settings overrule.
        """
        card = self.active.get(name)
        if card is None:
            return None
        severity = self.severity.get(name, card.severity if own is None else own)
        if self.paths and name not in ALWAYS:
            if path not in self._meant:
                self._meant[path] = meant_for(self.paths, path)
            for rules in self._meant[path]:
                if not rules.leaves(name, card.group):
                    return None
                severity = rules.severity.get(name, severity)
        return severity


@cache
def names() -> tuple[str, ...]:
    """Return the names of all rules, sorted, without importing them."""
    return plugins.names(FOLDER)


@cache
def module(name: str) -> ModuleType:
    """Import the file of a rule."""
    return plugins.load(FOLDER, name, noun="rule")


@cache
def all_rules() -> tuple[Rule, ...]:
    """Return every rule, by name."""
    return tuple(rule(name) for name in names())


@cache
def rule(name: str) -> Rule:
    """Return the card of a rule, without importing it where its text tells."""
    outline = _outline(name)
    card: Rule = outline[0] if outline is not None else module(name).RULE
    return card


def offers(name: str, hook: str) -> bool:
    """Tell whether a rule has a function of a name, without importing it where its text tells."""
    outline = _outline(name)
    return hook in outline[1] if outline is not None else hasattr(module(name), hook)


@cache
def _outline(name: str) -> tuple[Rule, frozenset[str]] | None:
    """Return the card of a rule and the functions it has; None where its text does not tell.

    Most runs call a few rules: importing all of them takes longer than they do.
    """
    if name not in plugins.own_names(FOLDER):
        return None
    try:
        with open(f"{_HERE}/{name.replace('-', '_')}.py", "rb", buffering=0) as file:  # noqa: PTH123 - asked for each
            text = file.read()
    except OSError:
        return None
    cards = _CARD.findall(text)
    if len(cards) != 1:
        return None
    written, group, severity = (part.decode() for part in cards[0])
    return Rule(written, Group[group], Severity[severity]), frozenset(map(bytes.decode, _HOOK.findall(text)))


def rules_of(group: str | None = None) -> tuple[Rule, ...]:
    """Return the rules of a group, or all, by name."""
    return tuple(card for card in all_rules() if group in {None, card.group})


def headline(name: str) -> str:
    """Return what a rule finds, in one sentence."""
    import inspect

    return (inspect.getdoc(module(name)) or "").partition("\n\n")[0].replace("\n", " ")


def explain(name: str) -> str:
    """Return the page of a rule, in Markdown.

    Raises:
        UsageError: there is no such rule; the message says the closest, groups among them.
    """
    if name not in names():
        raise UsageError(f"there is no rule {name!r}", did_you_mean(name, {*names(), *map(str, Group)}, noun="rules"))
    import inspect

    card = rule(name)
    return f"# {card.name}\n\n{card.severity}, group {card.group}\n\n{inspect.getdoc(module(name)) or ''}\n"


def choose(settings: Mapping[str, Any], select: Iterable[str] = (), ignore: Iterable[str] = ()) -> Choice:
    """Return the rules that settings and the caller leave standing.

    Args:
        settings: `rules` of `f0ci.yaml`: `select`, `ignore`, `severity`, `paths`; unknown names are a finding, no
            error.
        select: names of rules or groups, in place of those of the settings.
        ignore: names of rules or groups, beside those of the settings.

    Raises:
        UsageError: the caller names a rule that does not exist.
    """
    known = {*names(), *map(str, Group)}
    wanted = tuple(select)
    for name in (*wanted, *ignore):
        if name not in known:
            raise UsageError(f"there is no rule {name!r}", did_you_mean(name, known, noun="rules"))
    chosen = set(wanted or settings.get("select", ()))
    dropped = {*ignore, *settings.get("ignore", ())}
    active = {
        card.name: card
        for card in all_rules()
        if card.name in ALWAYS
        or ((not chosen or {card.name, card.group} & chosen) and not {card.name, card.group} & dropped)
    }
    severity = {name: Severity.parse(word) for name, word in settings.get("severity", {}).items()}
    return Choice(active, severity, len(active) == len(names()), read_path_rules(settings))
