"""Undoing what sub-recipes did."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from f0ci.core.outcome import Outcome
from f0ci.runner.engine import EmbeddedEngine, Order
from f0ci.runner.frozen import freeze
from f0ci.runner.journal import Journal
from f0ci.source.project import Project
from tests.conftest import write_files
from tests.unit.runner.conftest import outcomes

CALL = "{name: call, type: sub_recipe, recipe_path: recipes/inner.yaml, parameters: {n: 7}}"
FAIL = "{name: bad, run: 'false', error_handling: {on_failure: rollback}}"
UNDO_X = "{run: 'echo x$V$N >> undone', args: {V: '#{steps.x.outputs.v}', N: '#{params.n}'}}"
X = "{name: x, run: 'echo v=1 >> $F0CI_OUTPUT', compensate: " + UNDO_X + "}"
Y = "{name: y, run: 'true', compensate: {run: 'echo y >> undone'}}"
INNER = "parameters: [{name: n}]\nsteps:\n"


def steps(*written: str) -> str:
    """Return steps as a recipe lists them."""
    return "".join(f"  - {one}\n" for one in written)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Return a journal."""
    with Journal(tmp_path / "journal.sqlite") as opened:
        yield opened


def engine_for(root: Path, journal: Journal, outer: str, inner: str) -> tuple[EmbeddedEngine, str]:
    """Return an engine and a run of a recipe that calls another, started and not carried on."""
    write_files(
        root, {"recipes/outer.yaml": f"metadata: {{name: outer}}\nsteps:\n{outer}", "recipes/inner.yaml": inner}
    )
    engine = EmbeddedEngine(journal)
    return engine, engine.start(Order(freeze(root, Project(), "recipes/outer.yaml", None)))


def undone(root: Path) -> list[str]:
    """Return what was undone, in that order."""
    file = root / "undone"
    return file.read_text().split() if file.exists() else []


@pytest.mark.parametrize(
    ("outer", "inner", "expected", "ends"),
    [
        pytest.param(
            steps(CALL, FAIL),
            INNER + steps(X, Y),
            ["y", "x17"],
            {"call": "passed", "bad": "failed", "call.compensate": "passed"},
            id="the steps inside, the last one first",
        ),
        pytest.param(
            steps(CALL.replace("}}", "}, compensate: {run: 'echo own >> undone'}}"), FAIL),
            INNER + steps(X, Y),
            ["own"],
            {"call": "passed", "bad": "failed", "call.compensate": "passed"},
            id="its own compensate in their place",
        ),
        pytest.param(
            steps(CALL, FAIL),
            INNER + steps("{name: x, run: 'true'}"),
            [],
            {"call": "passed", "bad": "failed"},
            id="nothing says how",
        ),
        pytest.param(
            steps(CALL.replace("}}", "}, error_handling: {on_failure: rollback}}")),
            INNER + steps(X, "{name: z, run: 'false'}"),
            ["x17"],
            {"call": "failed", "call.compensate": "passed"},
            id="what passed of one that failed",
        ),
        pytest.param(
            steps(CALL.replace("}}", "}, error_handling: {on_failure: rollback}}")),
            INNER + steps(X, FAIL),
            ["x17"],
            {"call": "failed"},
            id="one that undid itself",
        ),
        pytest.param(
            steps(CALL, FAIL),
            INNER + steps(X, Y.replace("echo y >> undone", "false")),
            ["x17"],
            {"call": "passed", "bad": "failed", "call.compensate": "failed"},
            id="one inside that cannot be undone",
        ),
        pytest.param(
            steps("{name: deep, type: sub_recipe, recipe_path: recipes/middle.yaml}", FAIL),
            INNER + steps(X, Y),
            ["y", "m", "x17"],
            {"deep": "passed", "bad": "failed", "deep.compensate": "passed"},
            id="recipes in recipes",
        ),
    ],
)
def test_a_sub_recipe_is_undone_by_what_its_steps_say(
    tmp_path: Path, journal: Journal, outer: str, inner: str, expected: list[str], ends: dict[str, str]
) -> None:
    root = tmp_path / "work"
    middle = steps("{name: m, run: 'true', compensate: {run: 'echo m >> undone'}}")
    calls = steps(CALL.replace("name: call", "name: first").replace("inner", "first"))
    write_files(
        root,
        {
            "recipes/middle.yaml": f"steps:\n{calls}{middle}{steps(CALL.replace('inner', 'last'))}",
            "recipes/first.yaml": INNER + steps(X),
            "recipes/last.yaml": INNER + steps(Y),
        },
    )
    engine, run = engine_for(root, journal, outer, inner)
    record = engine.resume(run)

    assert outcomes(record) == ends
    assert undone(root) == expected
    # what the journal says later is what was said then
    again = engine.resume(run)
    assert outcomes(again) == ends


def test_undoing_a_sub_recipe_goes_on_after_a_wait_inside(tmp_path: Path, journal: Journal) -> None:
    root = tmp_path / "work"
    ask = "{name: w, run: 'true', compensate: {type: wait, args: {approval: true}}}"
    engine, run = engine_for(root, journal, steps(CALL, FAIL), INNER + steps(X, ask, Y))
    assert engine.resume(run).outcome is Outcome.WAITING
    assert undone(root) == ["y"]

    engine.send(run, "call.compensate/w.compensate", "approve", who="alice")
    record = engine.resume(run)
    assert outcomes(record) == {"call": "passed", "bad": "failed", "call.compensate": "passed"}
    assert undone(root) == ["y", "x17"]
    assert [one.name for one in record.steps[2].steps] == ["y.compensate", "w.compensate", "x.compensate"]
