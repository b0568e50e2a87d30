"""The list of rules in `docs/validate.md` is the list of rules that there are."""

from __future__ import annotations

from pathlib import Path

from f0ci.lint import registry
from f0ci.lint.rules.base import Group
from tests.conftest import Golden

PAGE = Path(__file__).parents[3] / "docs/validate.md"
START = "<!-- rules: written by tests/unit/lint/test_index.py --update-golden -->\n"
END = "<!-- end of rules -->\n"


def index() -> str:
    """Return every rule with its first sentence, by group."""
    parts = []
    for group in Group:
        rows = [
            f"| `{card.name}` | {card.severity} | {sentence(card.name)} |\n"
            for card in registry.all_rules()
            if card.group is group
        ]
        parts.append(f"\n### {group}\n\n| rule | severity | what it finds |\n|---|---|---|\n{''.join(rows)}")
    return "".join(parts)


def sentence(name: str) -> str:
    """Return the sentence that a rule's page begins with."""
    return registry.headline(name).replace("|", "\\|")


def test_the_page_lists_every_rule(golden: Golden) -> None:
    """A rule that is added, renamed or given another severity is written into the page with --update-golden."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(START)
    _, _, tail = rest.partition(END)

    golden.check("../../docs/validate.md", f"{head}{START}{index()}\n{END}{tail}")
    assert {card.group for card in registry.all_rules()} == set(Group)
