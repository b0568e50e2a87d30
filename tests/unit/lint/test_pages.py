"""Every rule has a page, and the examples on it do what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import f0ci
from f0ci.lint import registry
from tests.unit.lint.running import examine_files, examples

HEADINGS = ["What it does", "Why it matters", "Bad", "Good", "Fix", "References"]
# what these are about cannot be written into a page
WITHOUT_BAD_EXAMPLE = {"internal-error", "too-large", "unreadable"}


def sections(name: str) -> dict[str, str]:
    page = registry.explain(name)
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


@pytest.mark.parametrize("name", registry.names())
def test_page_has_the_fixed_headings(name: str) -> None:
    """A reader finds the same sections on every page, each with something in it."""
    page = sections(name)

    assert list(page) == ["", *HEADINGS]
    assert all(text.strip() for text in page.values())


@pytest.mark.parametrize("name", registry.names())
def test_file_is_called_like_its_rule(name: str) -> None:
    """The name in `RULE` and the name of the file line up."""
    assert registry.rule(name).name == name


@pytest.mark.parametrize("name", [name for name in registry.names() if name not in WITHOUT_BAD_EXAMPLE])
def test_bad_example_breaks_the_rule(name: str) -> None:
    """Each block under Bad yields the rule, and nothing that speaks of a bug."""
    blocks = examples(sections(name)["Bad"])

    assert blocks
    for files, named in blocks:
        found = {diagnostic.rule for diagnostic in examine_files(files, named).diagnostics}
        assert name in found
        assert "internal-error" not in found


@pytest.mark.parametrize("name", registry.names())
def test_good_example_is_silent(name: str) -> None:
    """No rule at all has anything to say about a block under Good."""
    blocks = examples(sections(name)["Good"])

    assert blocks
    for files, named in blocks:
        report = examine_files(files, named)
        assert report.diagnostics == ()
        assert report.summary.files == len(
            [path for path in files if not path.endswith((".py", ".schema.json", ".j2"))]
        )


def test_every_name_that_readers_give_has_a_page() -> None:
    """What reading, schemas and the workflow's reader call a problem is a rule."""
    package = Path(f0ci.__file__).parent
    sources = [*package.glob("source/*.py"), *package.glob("workflows/*.py")]
    called = {
        name
        for source in sources
        for name in re.findall(
            r'(?:ReadingProblem|SchemaProblem|WorkflowProblem|_refuse)\(\s*(?:reading,\s*)?"([a-z0-9-]+)"',
            source.read_text(),
        )
    }

    assert {"syntax", "alias-bomb", "unknown-key", "bad-condition"} <= called
    assert called <= set(registry.names())
