"""When an environment is open: zones, changes to and from summer time, recurrences, and what cannot be read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.clock import format_time, parse_time
from f0ci.workflows.windows import HORIZON, WindowError, parse_calendar

OFFICE = {"days": ["mon", "tue", "wed", "thu"], "from": "09:00", "to": "16:00"}


def calendar(zone: str = "Europe/Berlin", **windows: Any) -> Any:
    return parse_calendar({"timezone": zone, **windows})


@pytest.mark.parametrize(
    ("windows", "moment", "opens"),
    [
        # Berlin is at +01:00 in winter, at +02:00 in summer
        pytest.param({"allow": [OFFICE]}, "2026-11-24T08:00:00Z", None, id="a tuesday at nine"),
        pytest.param({"allow": [OFFICE]}, "2026-11-24T07:59:59Z", "2026-11-24T08:00:00Z", id="a second before"),
        pytest.param({"allow": [OFFICE]}, "2026-11-24T15:00:00Z", "2026-11-25T08:00:00Z", id="the end is excluded"),
        pytest.param({"allow": [OFFICE]}, "2026-11-27T12:00:00Z", "2026-11-30T08:00:00Z", id="friday"),
        pytest.param({"allow": [OFFICE]}, "2026-07-02T07:00:00Z", None, id="nine o'clock in summer"),
        pytest.param({"allow": [OFFICE]}, "2026-03-27T12:00:00Z", "2026-03-30T07:00:00Z", id="over the spring change"),
        pytest.param({"allow": [OFFICE]}, "2026-10-23T12:00:00Z", "2026-10-26T08:00:00Z", id="over the autumn change"),
        pytest.param(
            {"freeze": [{"from": "2026-12-18", "to": "2027-01-04"}]},
            "2026-12-17T23:00:00Z",
            "2027-01-04T23:00:00Z",
            id="days are local, the last one included",
        ),
        pytest.param(
            {"freeze": [{"from": "2026-12-18", "to": "2027-01-04"}]}, "2026-12-17T22:59:59Z", None, id="before"
        ),
        pytest.param(
            {"freeze": [{"recurrence": "FREQ=MONTHLY;BYMONTHDAY=-1", "for": "36h"}]},
            "2026-11-29T23:00:00Z",
            "2026-12-01T11:00:00Z",
            id="the last day of the month and the morning after",
        ),
        pytest.param(
            {"allow": [OFFICE], "freeze": [{"days": ["mon", "tue"], "from": "00:00", "to": "24:00"}]},
            "2026-11-27T12:00:00Z",
            "2026-12-02T08:00:00Z",
            id="a freeze closes what is allowed",
        ),
        pytest.param(
            {"freeze": [{"days": ["fri"], "from": "22:00", "to": "06:00"}]},
            "2026-11-28T04:59:59Z",
            "2026-11-28T05:00:00Z",
            id="over midnight",
        ),
        pytest.param(
            {"freeze": [{"from": "2026-10-25T02:30", "to": "2026-10-25T02:45"}]},
            "2026-10-25T01:15:00Z",
            "2026-10-25T01:45:00Z",
            id="02:30 comes twice: from the first to the second",
        ),
        pytest.param(
            {"allow": [{"from": "2026-03-29T02:30", "to": "2026-03-29T04:00"}]},
            "2026-03-29T00:00:00Z",
            "2026-03-29T01:30:00Z",
            id="02:30 does not come: moved on by the gap",
        ),
        pytest.param(
            {"allow": [{"recurrence": "FREQ=WEEKLY;BYDAY=TU;INTERVAL=2", "since": "2026-11-10", "from": "10:00"}]},
            "2026-11-17T12:00:00Z",
            "2026-11-24T09:00:00Z",
            id="every other week",
        ),
        pytest.param(
            {"freeze": [{"from": "2026-11-01", "to": "2026-11-10"}, {"from": "2026-11-09", "to": "2026-11-20"}]},
            "2026-11-05T00:00:00Z",
            "2026-11-20T23:00:00Z",
            id="freezes that overlap",
        ),
    ],
)
def test_when_it_opens(windows: dict[str, Any], moment: str, opens: str | None) -> None:
    found = calendar(**windows)
    at = parse_time(moment)

    assert (found.closed_by(at) is None) is (opens is None)
    assert format_time(found.opens_at(at)) == (opens or moment)


def test_no_opening_in_sight() -> None:
    found = calendar(allow=[{"from": "2026-01-01", "to": "2026-02-01"}])

    assert found.opens_at(parse_time("2026-05-01T00:00:00Z")) is None


def test_the_freezes_ahead_in_order() -> None:
    found = calendar(
        freeze=[
            {"name": "month end", "recurrence": "FREQ=MONTHLY;BYMONTHDAY=-1"},
            {"name": "year end", "from": "2026-12-18", "to": "2027-01-04"},
        ]
    )
    start = parse_time("2026-11-20T00:00:00Z")

    spans = list(found.frozen(start, start + timedelta(days=60)))

    assert [span.name for span in spans] == ["month end", "year end", "month end"]
    assert found.local(spans[1].start) == "2026-12-18 00:00 CET"


@pytest.mark.parametrize(
    ("settings", "at", "words"),
    [
        ({"timezone": "Mars/Olympus", "allow": [OFFICE]}, ("timezone",), "no time zone"),
        ({"timezone": "../etc/passwd", "allow": [OFFICE]}, ("timezone",), "no time zone"),
        ({}, (), "no window"),
        ({"allow": [{"days": ["mon", "monday", "xday"]}]}, ("allow", 0, "days", 2), "'xday'"),
        ({"allow": [{"days": ["mon"], "from": "9"}]}, ("allow", 0, "from"), "time of day"),
        ({"allow": [{"days": ["mon"], "from": "25:00"}]}, ("allow", 0, "from"), "time of day"),
        ({"freeze": [OFFICE, {"from": "2026-12-18"}]}, ("freeze", 1), "no 'from' and 'to'"),
        ({"freeze": [{"from": "2026-13-18", "to": "2026-12-19"}]}, ("freeze", 0, "from"), "not a date"),
        ({"freeze": [{"from": "2026-12-20", "to": "2026-12-18"}]}, ("freeze", 0, "to"), "before it begins"),
        ({"freeze": [{"from": "2026-12-18T10:00Z", "to": "2026-12-18T12:00"}]}, ("freeze", 0, "from"), "offset"),
        ({"freeze": [{"recurrence": "FREQ=HOURLY"}]}, ("freeze", 0, "recurrence"), "recurs neither"),
        ({"freeze": [{"recurrence": "FREQ=MONTHLY"}]}, ("freeze", 0, "recurrence"), "on which day"),
        ({"freeze": [{"recurrence": "FREQ=DAILY;INTERVAL=3"}]}, ("freeze", 0, "recurrence"), "from when"),
        ({"freeze": [{"recurrence": "FREQ=WEEKLY;BYDAY=XX"}]}, ("freeze", 0, "recurrence"), "not a recurrence"),
        ({"freeze": [{"days": ["mon"], "for": "soon"}]}, ("freeze", 0, "for"), "not a duration"),
        ({"freeze": [{"days": ["mon"], "from": "09:00", "to": "10:00", "for": "1h"}]}, ("freeze", 0, "for"), "'for'"),
    ],
)
def test_what_cannot_be_read(settings: dict[str, Any], at: tuple[Any, ...], words: str) -> None:
    with pytest.raises(WindowError) as caught:
        parse_calendar(settings)

    assert caught.value.at == at
    assert words in caught.value.message
    assert caught.value.hint


@given(
    st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)),  # noqa: DTZ001 - drawn, then in UTC
    st.sampled_from(["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_the_first_opening_is_open_and_nothing_before_it_is(moment: datetime, zone: str) -> None:
    found = calendar(
        zone, allow=[OFFICE, {"days": ["sat"], "from": "23:00", "to": "04:00"}], freeze=[{"days": ["wed"]}]
    )
    at = moment.replace(tzinfo=UTC, microsecond=0)

    opens = found.opens_at(at)

    assert opens is not None
    assert at <= opens < at + HORIZON
    assert found.closed_by(opens) is None
    for part in range(8):
        before = at + (opens - at) * part / 8
        assert before == opens or found.closed_by(before) is not None
