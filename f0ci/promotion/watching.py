"""Staying with a promotion: looking again until it ends or the time for it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.site import Site

_STAYS = frozenset({"requested", "waiting", "deploying", "verifying"})
# a clock of whole seconds says an end up to a second late
_LEAST = timedelta(milliseconds=50)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to stay with a promotion, and how often to look.

    Attributes:
        span: after which the command ends and leaves the promotion where it is.
        every: the longest time between two looks.
        pause: waits for a number of seconds.
        elapsed: seconds by a clock that nobody sets.
    """

    span: timedelta
    every: timedelta = timedelta(seconds=10)
    pause: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = time.monotonic


def watch(site: Site, request: Request, report: PromotionReport, patience: Patience) -> PromotionReport:
    """Take a promotion further as often as it says, until it ends, cannot go on, or patience is over.

    Ending the command at any moment loses nothing: all that was decided lies in Git, and the same command goes on.

    Args:
        site: the repository.
        request: what was asked for.
        report: where the promotion is now.
        patience: how long to stay with it.

    Raises:
        F0ciError: see `f0ci.promotion.promoting.advance_to_end`.
    """
    begun, told = patience.elapsed(), None
    while report.promotion is not None and report.state in _STAYS and report.error is None and not report.left:
        left = patience.span - timedelta(seconds=patience.elapsed() - begun)
        if left <= timedelta():
            break
        if report.reasons != told:
            told = report.reasons
            request.on_stage(f"{report.promotion}: {report.state}: {'; '.join(report.reasons)}")
        patience.pause(min(left, until_next_look(report, site.clock.exact(), patience.every)).total_seconds())
        if site.apart is not None:
            site.apart.forget()
        report = advance_to_end(site, request, report.promotion)
    return report


def until_next_look(report: PromotionReport, now: datetime, every: timedelta) -> timedelta:
    """Return how long to wait before looking again; pure.

    Args:
        report: where the promotion is.
        now: the moment.
        every: the longest time between two looks: what a promotion waits for may come from elsewhere.
    """
    if report.next_check_at is None:
        return every
    return min(every, max(report.next_check_at - now, _LEAST))
