"""What a run does, case by case: `tests/cases/running/semantics.yaml`, which docs/running.md shows as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.core.outcome import Outcome, worst
from f0ci.runner.options import RunOptions
from tests.conftest import Golden
from tests.unit.runner.conftest import Workspace, of, outcomes

ROOT = Path(__file__).parents[3]
CASES: list[dict[str, Any]] = yaml.safe_load((ROOT / "tests/cases/running/semantics.yaml").read_text())
BEGIN, END = "<!-- semantics: made of tests/cases/running/semantics.yaml -->\n", "<!-- end of semantics -->\n"


def ends(case: dict[str, Any]) -> list[str]:
    """Return how each step ends, those inside steps as `parent/child`."""
    inside = [
        (f"{name}/{step}", word) for name, words in case.get("inside", {}).items() for step, word in words.items()
    ]
    return [f"{name} {word}" for name, word in (*case["then"].items(), *inside)]


@pytest.mark.parametrize("case", CASES, ids=[case["says"] for case in CASES])
def test_case(zoo: Workspace, case: dict[str, Any]) -> None:
    given = case.get("options", {})
    options: dict[str, Any] = {name: tuple(word) if isinstance(word, list) else word for name, word in given.items()}
    steps = "".join(f"  {line}\n" for line in case["steps"].splitlines())
    for path, text in case.get("files", {}).items():
        zoo.write(path, text)
    record = zoo.run(steps, heading=case.get("heading", "metadata: {name: test}"), options=RunOptions(**options))

    assert outcomes(record) == case["then"]
    wanted = case.get("outcome") or str(worst(Outcome[word.upper()] for word in case["then"].values()))
    # a run of which every step was skipped is skipped; one that failed says so whatever else passed
    assert str(record.outcome) == wanted
    assert [step.name for step in record.steps][: len(case.get("order", []))] == case.get("order", [])
    for name, attempts in case.get("attempts", {}).items():
        assert of(record, name).attempts == attempts
    for name, inside in case.get("inside", {}).items():
        assert {step.name: str(step.outcome) for step in of(record, name).steps} == inside


def test_undoing_happens_in_reverse_order(zoo: Workspace) -> None:
    case = next(case for case in CASES if "the last one first" in case["says"])
    record = zoo.run("".join(f"  {line}\n" for line in case["steps"].splitlines()))

    assert (zoo.root / "undone").read_text() == "b\na\n"
    assert record.message == "step 'c' failed; undone by b.compensate, a.compensate"


def test_the_page_shows_the_cases(golden: Golden) -> None:
    page = ROOT / "docs/running.md"
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    shown, _, after = rest.partition(END)
    rows = [f"| {case['says']} | {', '.join(ends(case))} |" for case in CASES]
    expected = "\n".join(["", "| case | steps end |", "|---|---|", *rows, "", ""])
    if golden.update:
        page.write_text(before + BEGIN + expected + END + after)
        shown = expected

    assert shown == expected
