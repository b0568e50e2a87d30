"""Run records and their JSON form."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.core.outcome import Outcome
from f0ci.recipes.records import RunRecord, StepRecord, from_json, to_json

_START = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)
_MAPPINGS = st.dictionaries(st.text(max_size=4), _JSON, max_size=3)
_TIMES = st.none() | st.integers(0, 10**8).map(lambda seconds: _START + timedelta(seconds=seconds))
_SECONDS = st.integers(0, 10**9).map(lambda number: number / 1000)
_STEPS = st.recursive(
    st.just(()),
    lambda inner: st.lists(
        st.builds(
            StepRecord,
            name=st.text(min_size=1, max_size=5),
            outcome=st.sampled_from(Outcome),
            attempts=st.integers(0, 5),
            started=_TIMES,
            ended=_TIMES,
            seconds=_SECONDS,
            message=st.text(max_size=5),
            outputs=_MAPPINGS,
            output=st.text(max_size=5),
            steps=inner,
        ),
        max_size=2,
    ).map(tuple),
    max_leaves=3,
)


def _record(**fields: Any) -> RunRecord:
    return replace(RunRecord("r1", "recipes/r.yaml", Outcome.PASSED, _START), **fields)


@settings(deadline=None)
@given(
    st.builds(
        RunRecord,
        run=st.text(min_size=1, max_size=5),
        recipe=st.text(min_size=1, max_size=5),
        outcome=st.sampled_from(Outcome),
        started=_TIMES.filter(lambda moment: moment is not None),
        ended=_TIMES,
        seconds=_SECONDS,
        message=st.text(max_size=5),
        environment=st.none() | st.text(max_size=5),
        release=st.none() | st.text(max_size=5),
        parameters=_MAPPINGS,
        steps=_STEPS,
    )
)
def test_a_record_survives_its_json_form(record: RunRecord) -> None:
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


def test_the_json_form() -> None:
    step = StepRecord("load", Outcome.FAILED, 2, _START, _START + timedelta(seconds=1), 1.23456, "no file", {"n": 1})
    data = to_json(_record(outcome=Outcome.FAILED, steps=(step,), environment="dev"))

    assert data["outcome"] == "failed"
    assert (data["started"], data["ended"], data["environment"]) == ("2026-11-21T09:30:00Z", None, "dev")
    assert data["steps"][0] == {
        "name": "load",
        "outcome": "failed",
        "attempts": 2,
        "started": "2026-11-21T09:30:00Z",
        "ended": "2026-11-21T09:30:01Z",
        "seconds": 1.235,
        "message": "no file",
        "outputs": {"n": 1},
        "steps": [],
        "output": "",
    }


def test_a_step_is_found_by_its_name() -> None:
    step = StepRecord("load", Outcome.PASSED)
    record = _record(steps=(step,))

    assert (record.step("load"), record.step("other")) == (step, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "not a run record: version: 2 is not an allowed value"),
        ({"outcome": "ok"}, 'not a run record: outcome: "ok" is not an allowed value'),
        ({"started": "yesterday"}, "not a run record: started: "),
        ({"started": "2026-13-41T09:30:00Z"}, "not a run record: "),
        ({"extra": 1}, "not a run record: extra: unknown key 'extra'"),
        ({"steps": [{}]}, "not a run record: steps.0: the key 'attempts' is missing"),
        ({"seconds": -1}, "not a run record: seconds: "),
    ],
)
def test_what_is_no_record_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        from_json(to_json(_record()) | change, place="run.json")

    assert caught.value.message.startswith(message)
    assert caught.value.place == "run.json"


@pytest.mark.parametrize("data", [None, [], "text", {}])
def test_other_data_are_refused(data: Any) -> None:
    with pytest.raises(InputError, match="not a run record: "):
        from_json(data)
