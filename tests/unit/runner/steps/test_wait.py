"""What lets a wait step go on: pure decisions over what was sent and the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.clock import FixedClock
from f0ci.core.errors import StepError
from f0ci.core.outcome import Outcome
from f0ci.runner.engine import EmbeddedEngine, Order
from f0ci.runner.frozen import freeze
from f0ci.runner.journal import Journal
from f0ci.runner.steps.base import Signal
from f0ci.runner.steps.wait import answer_to, as_written, wait_for_approval, wait_for_event, wait_for_time
from f0ci.source.project import Project
from tests.unit.runner.conftest import Workspace

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
P, F, W, E = Outcome.PASSED, Outcome.FAILED, Outcome.WAITING, Outcome.ERRORED


def sent(*signals: str) -> tuple[Signal, ...]:
    """Return signals such as `approve alice`."""
    return tuple(Signal(text.split()[0], text.partition(" ")[2] or None, None, NOW) for text in signals)


@pytest.mark.parametrize(
    ("rules", "signals", "outcome", "words"),
    [
        (True, sent(), W, "for an approval"),
        (True, sent("approve alice"), P, "approved by alice"),
        (True, sent("approve"), P, "approved by somebody"),
        (True, sent("approve alice", "reject bob"), F, "rejected by bob"),
        ({"count": 2}, sent("approve alice", "approve alice"), W, "1 of 2 so far"),
        ({"count": 2}, sent("approve alice", "approve bob"), P, "approved by alice, bob"),
        ({"count": 2}, sent("approve", "approve"), W, "1 of 2 so far"),
        ({"by": ["alice"]}, sent("approve bob"), W, "for an approval by alice"),
        ({"by": ["alice"]}, sent("reject bob", "approve alice"), P, "approved by alice"),
        ({"by": ["alice"]}, sent("approve"), W, "by alice"),
    ],
)
def test_approvals(rules: Any, signals: tuple[Signal, ...], outcome: Outcome, words: str) -> None:
    result = wait_for_approval(rules, signals)

    assert (result.outcome, words in result.message) == (outcome, True)


@pytest.mark.parametrize(
    ("match", "data", "outcome"),
    [
        (None, {"name": "build.done", "data": None}, P),
        (None, {"name": "build.began", "data": None}, W),
        ({"status": "ok"}, {"name": "build.done", "data": {"status": "ok", "id": 1}}, P),
        ({"status": "ok"}, {"name": "build.done", "data": {"status": "bad"}}, W),
        ({"status": "ok"}, {"name": "build.done", "data": "ok"}, W),
        (None, "build.done", W),
    ],
)
def test_events(match: Any, data: Any, outcome: Outcome) -> None:
    assert wait_for_event("build.done", match, (Signal("event", "ci", data, NOW),)).outcome is outcome


@pytest.mark.parametrize(("seconds", "outcome"), [(-1, P), (0, P), (1, W)])
def test_times(seconds: int, outcome: Outcome) -> None:
    result = wait_for_time(NOW + timedelta(seconds=seconds), NOW, None)

    assert result.outcome is outcome
    assert result.next_check == (NOW + timedelta(seconds=1) if outcome is W else None)


def test_a_time_behind_the_deadline_is_a_mistake() -> None:
    with pytest.raises(StepError, match="waits longer than its timeout"):
        wait_for_time(NOW + timedelta(hours=2), NOW, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("{}", "names 0 things to wait for"),
        ("{for: 5m, approval: true}", "names 2 things to wait for"),
        ("{aproval: true}", "has 'aproval' among its args"),
        ("{for: soon}", "cannot tell its time"),
        ("{until: tomorrow}", "cannot tell its time"),
        ("{approval: {count: 0}}", "needs a count of 1 or more"),
    ],
)
def test_what_makes_no_sense_errors_the_step(zoo: Workspace, args: str, words: str) -> None:
    step = zoo.run(f"  - {{name: one, type: wait, args: {args}}}\n").steps[0]

    assert (step.outcome, words in step.message) == (E, True)


@pytest.mark.parametrize(("args", "outcome"), [("event: never", F), ("event: never, on_timeout: pass", P)])
def test_a_deadline_that_is_over_fails_the_step_or_passes_it(
    zoo: Workspace, tmp_path: Path, args: str, outcome: Outcome
) -> None:
    zoo.write("recipes/r.yaml", f"metadata: {{}}\nsteps: [{{name: one, type: wait, timeout: 1h, args: {{{args}}}}}]\n")
    plan = freeze(zoo.root, Project(), "recipes/r.yaml", None)
    with Journal(tmp_path / "journal.sqlite") as journal:
        early = EmbeddedEngine(journal, clock=FixedClock(NOW)).run(Order(plan))
        late = EmbeddedEngine(journal, clock=FixedClock(NOW + timedelta(hours=1))).resume(early.run)

    assert (early.outcome, early.next_check) == (W, NOW + timedelta(hours=1))
    assert late.outcome is outcome


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (wait_for_approval({"count": 2, "by": ["alice", "bob"]}, ()).message, "--approve"),
        (wait_for_approval(True, ()).message + ": before the weekend", "--approve"),
        (wait_for_event("build.done", None, ()).message, "--event build.done"),
        (wait_for_event("it's done", None, ()).message, """--event 'it'"'"'s done'"""),
        ("until 2026-12-01T08:00:00Z", None),
    ],
)
def test_what_a_step_waits_for_says_how_to_tell_it(message: str, options: str | None) -> None:
    """Where a person can end the waiting, the options of `f0ci runs send` follow from what the step says."""
    assert answer_to(message) == options


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"for": "30m"}, "for 30m"),
        ({"for": 30}, "for 30"),
        ({"until": "2026-12-01T08:00:00Z"}, "until 2026-12-01T08:00:00Z"),
        ({"approval": True}, "approval"),
        ({"approval": {"count": 2, "by": ["alice", "bob"]}}, "approval {count: 2, by: [alice, bob]}"),
        ({"approval": {"by": "#{config.who}"}, "message": "ship it?"}, "approval {by: '#{config.who}'}: ship it?"),
        ({"event": "build.done"}, "event build.done"),
        ({"event": "build.done", "match": {"status": "ok"}}, "event build.done, match {status: ok}"),
        ({"approval": False, "event": "paid"}, "event paid"),
        ({}, ""),
    ],
)
def test_what_a_step_waits_for_is_said_as_it_is_written(args: dict[str, Any], words: str) -> None:
    assert as_written(args) == words
