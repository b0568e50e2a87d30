"""What any engine must do; an engine's test module makes one for each test and imports these."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.errors import Refused, UsageError
from f0ci.core.outcome import Outcome
from f0ci.runner.engine import Engine, Order
from f0ci.runner.frozen import freeze
from f0ci.runner.options import RunOptions
from f0ci.source.project import Project
from tests.conftest import write_files
from tests.unit.runner.conftest import outcomes

TALLY = """
import os

def tally(context, params):
    with open("tally.txt", "a") as file:
        file.write(params["name"] + "\\n")
    context.set("tally." + params["name"], True)
    return {"name": params["name"], "key": context.idempotency_key}

def fails(context, params):
    tally(context, params)
    return 1
"""


def step(name: str, *, function: str = "tally", more: str = "") -> str:
    """Return a step that leaves a line in a file each time its body runs."""
    return (
        f"  - {{name: {name}, type: python, module: scriptlets.tally, function: {function}, args: {{name: {name}}}"
        f"{', ' + more if more else ''}}}\n"
    )


@dataclass(frozen=True)
class Bench:
    """An engine and a repository to run in.

    Attributes:
        root: the repository.
        make: returns an engine on the same memory, as another process would have it.
    """

    root: Path
    make: Callable[[], Engine]

    def order(self, steps: str, heading: str = "metadata: {name: test}", **given: Any) -> Order:
        """Return an order of a recipe of these steps."""
        write_files(self.root, {"recipes/test.yaml": f"{heading}\nsteps:\n{steps}", "scriptlets/tally.py": TALLY})
        return Order(freeze(self.root, Project(), "recipes/test.yaml", None), **given)

    @property
    def bodies(self) -> list[str]:
        """Return the bodies that ran, in order."""
        file = self.root / "tally.txt"
        return file.read_text().split() if file.exists() else []


class EngineConformance:
    """Tests that any engine must pass; a subclass gives the fixture `bench`."""

    def test_nothing_happens_before_a_run_is_carried_on(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order(step("a")))

        assert bench.bodies == []
        assert [row.run for row in engine.list()] == [run]
        assert engine.resume(run).outcome is Outcome.PASSED
        assert bench.bodies == ["a"]

    def test_a_run_that_is_over_does_not_happen_again(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order(step("a") + step("b", function="fails")))
        first = engine.resume(run)
        again = bench.make().resume(run)

        assert (first.outcome, again.outcome) == (Outcome.FAILED, Outcome.FAILED)
        assert outcomes(again) == outcomes(first)
        assert bench.bodies == ["a", "b"]

    def test_the_id_makes_starting_twice_the_same_as_once(self, bench: Bench) -> None:
        order = bench.order(step("a"), options=RunOptions(run="nightly-7"))
        runs = [bench.make().start(order), bench.make().start(order)]
        for run in runs:
            bench.make().resume(run)

        assert runs == ["nightly-7", "nightly-7"]
        assert bench.bodies == ["a"]
        assert len(bench.make().list()) == 1

    def test_the_id_of_another_run_is_refused(self, bench: Bench) -> None:
        bench.make().start(bench.order(step("a"), options=RunOptions(run="one")))

        with pytest.raises(UsageError, match="exists, and is not the same"):
            bench.make().start(bench.order(step("b"), options=RunOptions(run="one")))

    def test_an_edited_recipe_changes_no_run(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order(step("a") + "  - {name: ask, type: wait, args: {approval: true}}\n" + step("b")))
        assert engine.resume(run).outcome is Outcome.WAITING
        bench.order(step("other"))
        engine.send(run, "ask", "approve", who="alice")

        assert outcomes(bench.make().resume(run)) == {"a": "passed", "ask": "passed", "b": "passed"}
        assert bench.bodies == ["a", "b"]

    def test_what_is_sent_before_somebody_waits_is_kept(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: ask, type: wait, args: {approval: true}}\n"))
        engine.send(run, "ask", "approve", who="alice")

        assert engine.resume(run).outcome is Outcome.PASSED

    def test_the_same_key_is_sent_once(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: ask, type: wait, args: {approval: {count: 2}}}\n"))

        assert engine.send(run, "ask", "approve", who="alice", key="x")
        assert not engine.send(run, "ask", "approve", who="bob", key="x")
        assert engine.resume(run).outcome is Outcome.WAITING

    def test_steps_beside_a_waiting_one_go_on(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(
            bench.order(
                "  - {name: ask, type: wait, depends_on: [], args: {approval: true}}\n"
                + step("a", more="depends_on: []")
                + step("b", more="depends_on: [ask]")
            )
        )
        record = engine.resume(run)

        assert (record.outcome, record.next_check) == (Outcome.WAITING, None)
        assert bench.bodies == ["a"]

    def test_a_wait_for_a_time_says_when_to_come_back(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: soak, type: wait, args: {for: 1h}}\n"))
        record, again = engine.resume(run), bench.make().resume(run)

        assert record.next_check is not None
        assert 3_590 < (record.next_check - record.started).total_seconds() <= 3_602
        assert again.next_check == record.next_check

    def test_a_rejection_fails_the_run(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: ask, type: wait, args: {approval: true}}\n" + step("a")))
        engine.resume(run)
        engine.send(run, "ask", "reject", who="bob", data="too early")

        assert engine.resume(run).message == "step 'ask' failed"
        assert bench.bodies == []

    def test_what_no_step_would_look_at_is_refused(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: ask, type: wait, args: {approval: true}}\n" + step("a")))
        engine.resume(run)

        with pytest.raises(UsageError, match="has no step 'aks'"):
            engine.send(run, "aks", "approve")
        with pytest.raises(UsageError, match="step 'a' waits for nothing"):
            engine.send(run, "a", "approve")
        with pytest.raises(UsageError, match="'ask' waits for no event"):
            engine.send(run, "ask", "event", data={"name": "x", "data": None})

    def test_a_waiting_run_can_be_cancelled(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(bench.order("  - {name: ask, type: wait, args: {approval: true}}\n"))
        engine.resume(run)

        assert engine.cancel(run, "not wanted").state == "cancelled"
        with pytest.raises(Refused, match="is over"):
            engine.send(run, "ask", "approve")

    def test_steps_are_given_the_same_key_however_often_they_run(self, bench: Bench) -> None:
        engine = bench.make()
        order = bench.order(step("a"), options=RunOptions(run="r-1"))
        record = engine.resume(engine.start(order))

        assert record.steps[0].outputs["key"] == "r-1/a"

    def test_an_unknown_run_is_told_with_those_that_exist(self, bench: Bench) -> None:
        engine = bench.make()
        engine.start(bench.order(step("a"), options=RunOptions(run="nightly-7")))

        with pytest.raises(UsageError) as caught:
            engine.resume("nightly-8")
        assert "nightly-7" in str(caught.value.hint)

    def test_outputs_and_the_context_survive(self, bench: Bench) -> None:
        engine = bench.make()
        run = engine.start(
            bench.order(
                step("a")
                + "  - {name: ask, type: wait, args: {approval: true}}\n"
                + '  - {name: tell, run: printf %s "$NAME$SEEN", args: {NAME: "#{steps.a.outputs.name}",'
                " SEEN: \"#{context.get('tally.a')}\"}}\n".replace("run: printf %s", "run: 'printf %s").replace(
                    '"$NAME$SEEN"', '"$NAME$SEEN"\''
                ),
                values={"start": json.loads("[1]")},
            )
        )
        engine.resume(run)
        engine.send(run, "ask", "approve")
        record = bench.make().resume(run)

        assert [one.output for one in record.steps if one.name == "tell"] == ["atrue"]
