from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from f0ci.core.outcome import Outcome
from f0ci.promotion.events import Draft
from f0ci.promotion.rollout import lasting, may_watch_again, overall, resume_answer, title, too_early
from f0ci.promotion.state import Promotion
from f0ci.promotion.verifying import unjudged
from tests.unit.promotion.builders import NOW, applied, hex_of, newest, requested

CHECKS = [{"condition": "error_rate < 1%", "rollback": False}]
MEASURED = Draft("measured", "prod-1", {"step": 0, "outcome": "passed", "judgements": [], "verification": "measured"})


def at_step(*more: Draft, checks: list[Any] = CHECKS, **planned: Any) -> Promotion:
    """Return a promotion whose only step, planned like this, was deployed."""
    step = {"percent": 10, "tree": hex_of("tree 0 of new"), **planned}
    start = requested("prod-1", "new", checks=checks, duration=60.0)
    plan = {**start.data["plan"], "steps": [step, step]}
    start = Draft("requested", "prod-1", {**start.data, "plan": plan})
    return newest(start, applied("prod-1", "new"), Draft("deployed", "prod-1", {"step": 0}), *more)


def resumed(**more: Any) -> Draft:
    return Draft("resumed", "prod-1", {"step": 0, "reason": "", **more})


@pytest.mark.parametrize(
    ("planned", "checks", "seconds", "judged"),
    [
        pytest.param({}, CHECKS, 60, True, id="the stage's duration"),
        pytest.param({"duration": 5.0}, CHECKS, 5, True, id="its own duration"),
        pytest.param({"pause": 300.0}, CHECKS, 300, True, id="a pause is watched to its end"),
        pytest.param({"pause": 3.0}, CHECKS, 60, True, id="a pause never shortens"),
        pytest.param({"pause": "manual"}, CHECKS, 60, True, id="a person is asked after the verdict"),
        pytest.param({"analysis": False}, CHECKS, 0, False, id="without analysis nothing lasts"),
        pytest.param({"analysis": False, "pause": 7.0}, CHECKS, 7, False, id="but its pause"),
        pytest.param({}, [], 0, False, id="without checks there is nothing to watch"),
    ],
)
def test_how_long_a_step_lasts(planned: dict[str, Any], checks: list[Any], seconds: float, judged: bool) -> None:
    last = lasting(at_step(checks=checks, **planned), 0)

    assert (last.start, last.end - last.start) == (NOW, timedelta(seconds=seconds))
    assert (last.watched, last.judged) == (seconds > 0, judged)


def test_a_pause_without_analysis() -> None:
    last = lasting(at_step(analysis=False, pause=7.0), 0)

    assert unjudged(last, NOW, "checked").outcome is Outcome.WAITING
    assert unjudged(last, NOW, "checked").next_check_at == last.end
    assert unjudged(last, last.end, "checked").outcome is Outcome.SKIPPED
    assert unjudged(last, last.end, "checked").verification == "checked"


def test_who_lets_a_rollout_go_on() -> None:
    assert resume_answer(at_step(), 0) == ()
    (said,) = resume_answer(at_step(MEASURED, pause="manual"), 0)
    assert "f0ci resume prod-1" in said
    assert resume_answer(at_step(MEASURED, resumed(), pause="manual"), 0) == ()
    assert resume_answer(at_step(resumed(again=True), MEASURED, pause="manual"), 0) == (said,)


def test_a_step_is_watched_again_only_where_nobody_could_say_what_its_window_held() -> None:
    over = NOW + timedelta(seconds=61)

    assert may_watch_again(at_step(), over)
    assert not may_watch_again(at_step(), NOW + timedelta(seconds=60))
    assert not may_watch_again(at_step(MEASURED), over)
    assert not may_watch_again(at_step(analysis=False), over)


@pytest.mark.parametrize(
    ("promotion", "seconds", "said"),
    [
        pytest.param(at_step(MEASURED), 60, None, id="judged, and over"),
        pytest.param(at_step(), 60, "nothing says that the checks", id="not judged"),
        pytest.param(at_step(analysis=False), 0, None, id="nothing to judge"),
        pytest.param(at_step(analysis=False, pause=3600.0), 60, "lasts until", id="before its pause is over"),
        pytest.param(at_step(analysis=False, pause=3600.0), 3400, None, id="clocks differ"),
        pytest.param(at_step(MEASURED, pause="manual"), 60, "nobody resumed", id="not resumed"),
        pytest.param(at_step(MEASURED, resumed(), pause="manual"), 60, None, id="resumed"),
        pytest.param(
            newest(requested("prod-1", "new"), applied("prod-1", "new")), 0, "not deployed", id="in the middle"
        ),
    ],
)
def test_when_a_step_is_done_with(promotion: Promotion, seconds: float, said: str | None) -> None:
    found = too_early(promotion, NOW + timedelta(seconds=seconds))

    assert found is None if said is None else said in str(found)


@pytest.mark.parametrize(
    ("said", "last", "expected"),
    [
        ([], "checked", "checked"),
        (["measured"], "checked", "measured"),
        (["measured", "measured"], "none", "measured"),
        (["measured", "checked"], "none", "checked"),
        (["none", "measured"], "checked", "none"),
    ],
)
def test_a_success_is_as_good_as_its_weakest_verdict(said: list[str], last: str, expected: str) -> None:
    assert overall([{"verification": one} for one in said], last) == expected


def test_titles() -> None:
    assert [title(step) for step in ({"percent": 10}, {"percent": 100, "phase": "retire"})] == ["10%", "retire"]
