from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from f0ci.analysis.judging import Judgement, Verdict
from f0ci.core.outcome import Outcome
from f0ci.promotion.verifying import Verification, holds_too_little, recorded, settle
from tests.unit.promotion.builders import NOW

END = NOW + timedelta(minutes=10)
RECORD: dict[str, Any] = {"step": 0, "outcome": "passed", "judgements": []}
EARLY, AT_END, LATE = NOW, END, END + timedelta(days=3)


@pytest.mark.parametrize(
    ("outcome", "now", "expected", "again", "is_recorded"),
    [
        pytest.param(Outcome.PASSED, EARLY, Outcome.WAITING, END, False, id="good so far"),
        pytest.param(Outcome.PASSED, END - timedelta(seconds=1), Outcome.WAITING, END, False, id="a second too early"),
        pytest.param(Outcome.PASSED, AT_END, Outcome.PASSED, None, True, id="good to the end"),
        pytest.param(Outcome.PASSED, LATE, Outcome.PASSED, None, True, id="looked at late"),
        pytest.param(Outcome.FAILED, EARLY, Outcome.FAILED, None, True, id="bad is bad at once"),
        pytest.param(Outcome.FAILED, LATE, Outcome.FAILED, None, True, id="and stays so"),
        pytest.param(Outcome.WAITING, EARLY, Outcome.WAITING, END, False, id="too little data yet"),
        pytest.param(
            Outcome.WAITING, LATE, Outcome.WAITING, LATE + timedelta(minutes=1), False, id="data may still arrive"
        ),
        pytest.param(Outcome.INCONCLUSIVE, EARLY, Outcome.INCONCLUSIVE, None, False, id="for a person"),
        pytest.param(Outcome.INCONCLUSIVE, LATE, Outcome.INCONCLUSIVE, None, False, id="still for a person"),
        pytest.param(Outcome.ERRORED, LATE, Outcome.ERRORED, None, False, id="nothing can be measured"),
        pytest.param(Outcome.SKIPPED, EARLY, Outcome.WAITING, END, False, id="dry runs are watched to the end"),
        pytest.param(Outcome.SKIPPED, LATE, Outcome.SKIPPED, None, True, id="nothing decides, and that is recorded"),
    ],
)
def test_what_a_look_means_at_its_moment(
    outcome: Outcome, now: Any, expected: Outcome, again: Any, is_recorded: bool
) -> None:
    found = settle(outcome, ("because",), "measured", RECORD, now, END)

    assert found.outcome is expected
    assert found.next_check_at == again
    assert (found.record is not None) is is_recorded


def test_nothing_but_a_pass_at_the_end_ever_passes() -> None:
    passed = {
        (outcome, now)
        for outcome in Outcome
        for now in (EARLY, AT_END, LATE)
        if settle(outcome, (), "measured", RECORD, now, END).outcome is Outcome.PASSED
    }

    assert passed == {(Outcome.PASSED, AT_END), (Outcome.PASSED, LATE)}


def test_what_it_waits_for_does_not_move_while_it_waits() -> None:
    missing = ("error_rate < 1%: insufficient_data",)
    first = settle(Outcome.WAITING, ("10 of 50 samples",), "none", RECORD, LATE, END, missing)
    later = settle(Outcome.WAITING, ("12 of 50 samples",), "none", RECORD, LATE + timedelta(minutes=7), END, missing)

    assert first.waits_for == later.waits_for == missing
    assert first.next_check_at != later.next_check_at
    assert settle(Outcome.INCONCLUSIVE, (), "none", RECORD, LATE, END, missing).waits_for != missing


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["insufficient_data"], True),
        (["no_traffic", "passed"], True),
        (["provider_error"], False),
        (["insufficient_data", "provider_error"], False),
        (["insufficient_data", "failed"], False),
    ],
)
def test_only_what_holds_too_little_is_watched_on(verdicts: list[str], expected: bool) -> None:
    assert holds_too_little([Judgement(Verdict(verdict), None, 0, "") for verdict in verdicts]) is expected


@pytest.mark.parametrize(
    ("outcome", "expected"), [(str(one), one) for one in (Outcome.PASSED, Outcome.FAILED, Outcome.SKIPPED)]
)
def test_a_recorded_verdict_is_taken_as_it_is(outcome: str, expected: Outcome) -> None:
    record = {**RECORD, "outcome": outcome, "reasons": ["error_rate is 0.75"], "verification": "measured"}

    assert recorded(record) == Verification(expected, ("error_rate is 0.75",), "measured", record)
