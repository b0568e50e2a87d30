from __future__ import annotations

from datetime import timedelta

import pytest

from f0ci.core.errors import CannotWork
from f0ci.promotion.times import SKEW, decision_time, event_time
from tests.unit.promotion.builders import NOW, events_of, sample

EVENTS = events_of(sample("requested"))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "written"),
    [
        pytest.param(NOW + SECOND, NOW + SECOND, id="time goes on"),
        pytest.param(NOW, NOW, id="the same second"),
        pytest.param(NOW - SECOND, NOW, id="a clock that is a little behind"),
        pytest.param(NOW - SKEW, NOW, id="as far behind as clocks are"),
        pytest.param(NOW - SKEW - SECOND, NOW - SKEW - SECOND, id="a wrong clock stays visible"),
        pytest.param(NOW + timedelta(days=900), NOW + timedelta(days=900), id="a clock ahead cannot be told"),
    ],
)
def test_the_time_of_a_new_event(now: object, written: object) -> None:
    assert event_time(now, EVENTS) == written  # type: ignore[arg-type]
    assert event_time(NOW, ()) == NOW


def test_nothing_is_judged_by_a_clock_that_is_behind() -> None:
    assert decision_time(NOW - SKEW, EVENTS, "prod") == NOW
    assert decision_time(NOW + SECOND, EVENTS, "prod") == NOW + SECOND
    with pytest.raises(CannotWork) as caught:
        decision_time(NOW - timedelta(hours=3), EVENTS, "prod")
    assert "3h before the newest event of 'prod'" in caught.value.message
    assert "f0ci unhold prod" in str(caught.value.hint)
