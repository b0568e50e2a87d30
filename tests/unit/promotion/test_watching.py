from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from f0ci.core.clock import FixedClock
from f0ci.promotion import watching
from f0ci.promotion.promoting import Request
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.watching import Patience, until_next_look, watch
from tests.unit.promotion.builders import NOW

EVERY = timedelta(seconds=10)


def report(state: str, seconds: float | None = None, *reasons: str, error: str | None = None) -> PromotionReport:
    again = None if seconds is None else NOW + timedelta(seconds=seconds)
    return PromotionReport("prod-1", "prod", None, state, reasons=reasons, next_check_at=again, error=error)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(None, 10), (3, 3), (30, 10), (0, 0.05), (-60, 0.05)],
)
def test_how_long_until_the_next_look(seconds: float | None, expected: float) -> None:
    assert until_next_look(report("verifying", seconds), NOW, EVERY).total_seconds() == expected


@dataclass
class Play:
    """A promotion that is here, then there, and a clock that goes on while somebody waits."""

    reports: list[PromotionReport]
    waited: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def watch(self, monkeypatch: pytest.MonkeyPatch, span: float) -> PromotionReport:
        first, *later = self.reports
        monkeypatch.setattr(watching, "advance_to_end", lambda *_: later.pop(0))
        site: Any = type("Site", (), {"clock": FixedClock(NOW), "apart": None})
        patience = Patience(timedelta(seconds=span), EVERY, self.waited.append, lambda: sum(self.waited))
        return watch(site, Request("prod", on_stage=self.said.append), first, patience)


def test_it_stays_until_the_promotion_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play(
        [report("waiting", None, "approval: 0 of 1"), report("verifying", 3, "good so far"), report("succeeded")]
    )

    assert play.watch(monkeypatch, 60).state == "succeeded"
    assert play.waited == [10, 3]
    assert play.said == ["prod-1: waiting: approval: 0 of 1", "prod-1: verifying: good so far"]


def test_it_says_the_same_once(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play([report("verifying", None, "good so far"), report("verifying", None, "good so far"), report("failed")])

    assert play.watch(monkeypatch, 60).state == "failed"
    assert play.said == ["prod-1: verifying: good so far"]


def test_patience_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play([report("verifying") for _ in range(9)])

    assert play.watch(monkeypatch, 25).state == "verifying"
    assert play.waited == [10, 10, 5]


@pytest.mark.parametrize("state", ["held", "refused", "rolled_back"])
def test_what_has_ended_is_not_stayed_with(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    play = Play([report(state)])

    assert play.watch(monkeypatch, 60).state == state
    assert play.waited == []


def test_what_cannot_go_on_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    play = Play([report("verifying"), report("deploying", error="the deploy recipe could not run")])

    assert play.watch(monkeypatch, 60).error is not None
