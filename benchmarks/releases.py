"""Simulated releases, and the rules that judge them: ours and the ones that other tools have.

Every simulation takes its random numbers from a generator that the caller seeds.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from f0ci.analysis.comparing import EXCEEDANCES, evidence_of_ratio
from f0ci.analysis.sequential import Counts, evidence

Rule = Callable[[Sequence[Counts]], int | None]
# runs whose values are held in memory together
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Detection:
    """How soon a rule called a regression.

    Attributes:
        median: seconds, or infinity where fewer than half were called.
        late: the 95th percentile, likewise.
        false_alarms: share of healthy runs that it called.
        limit: failing windows that the rule tolerates, or None.
    """

    median: float
    late: float
    false_alarms: float
    limit: int | None = None


def draw(rng: np.random.Generator, total: int, share: float, points: int) -> list[Counts]:
    """Return points of so many requests each, with errors at a rate."""
    return [Counts(int(hits), total) for hits in rng.binomial(total, share, points)]


def by_evidence(bound: float, alpha: float) -> Rule:
    """Return our rule: the first point at which the evidence reaches 1 / alpha."""
    needed = -math.log(alpha)
    return lambda points: next((at for at, one in enumerate(evidence(points, bound)) if one >= needed), None)


def by_windows(bound: float, length: int, limit: int) -> Rule:
    """Return the rule of fixed windows: more than `limit` windows of so many points exceed the bound."""

    def judge(points: Sequence[Counts]) -> int | None:
        failing = 0
        for end in range(length, len(points) + 1, length):
            window = points[end - length : end]
            if sum(one.hits for one in window) > bound * sum(one.total for one in window):
                failing += 1
                if failing > limit:
                    return end - 1
        return None

    return judge


def false_rollbacks(rng: np.random.Generator, rule: Rule, runs: int, requests: int, *, windows: int = 10) -> int:
    """Return how many healthy releases (99.5 % success) a rule calls, looking at windows of so many requests."""
    return sum(rule(draw(rng, requests, 0.005, windows)) is not None for _ in range(runs))


def failing_windows(healthy: Sequence[Sequence[Counts]], bound: float, length: int, share: float) -> int:
    """Return the smallest limit with which fixed windows call at most a share of healthy runs."""
    counts = []
    for points in healthy:
        starts = range(0, len(points) - length + 1, length)
        total = sum(one.total for one in points[:length])
        counts.append(sum(sum(one.hits for one in points[at : at + length]) > bound * total for at in starts))
    limit = 0
    while sum(count > limit for count in counts) > share * len(counts):
        limit += 1
    return limit


def detection(
    rule: Rule,
    healthy: Sequence[Sequence[Counts]],
    bad: Sequence[Sequence[Counts]],
    before: int,
    limit: int | None = None,
) -> Detection:
    """Return how soon a rule calls runs that go bad after `before` points of a second each."""
    delays = []
    for points in bad:
        at = rule(points)
        # what is called before anything is wrong is a false alarm, not a detection
        delays.append(math.inf if at is None or at < before else at + 1 - before)
    called = sum(rule(points) is not None for points in healthy)
    ordered = sorted(delays)
    late = ordered[math.ceil(0.95 * len(ordered)) - 1]
    return Detection(statistics.median(ordered), late, called / len(healthy), limit)


def peeking_at_proportion(rng: np.random.Generator, runs: int, bound: float, alpha: float, points: int) -> int:
    """Return how many runs exactly at the bound are called, looking after every single request."""
    rule = by_evidence(bound, alpha)
    return sum(rule(draw(rng, 1, bound, points)) is not None for _ in range(runs))


def peeking_at_ratio(rng: np.random.Generator, runs: int, share: float, alpha: float, points: int) -> int:
    """Return how many equal pairs are called, looking after every point of a hundred requests each."""
    needed = -math.log(alpha)
    called = 0
    for _ in range(runs):
        found = evidence_of_ratio(draw(rng, 100, share, points), draw(rng, 100, share, points))
        called += max(found) >= needed
    return called


def peeking_at_values(rng: np.random.Generator, runs: int, alpha: float, points: int) -> int:
    """Return how many equal pairs of latencies are called, looking after every point from the first on."""
    needed, called = -math.log(alpha), 0
    for begun in range(0, runs, _AT_ONCE):
        values = rng.lognormal(-1, 0.5, (min(_AT_ONCE, runs - begun), 2, points))
        most = np.full(len(values), -math.inf)
        for end in range(1, points + 1):
            most = np.maximum(most, exceedance_of_many(values[:, 0, :end], values[:, 1, :end]))
        called += int((most >= needed).sum())
    return called


def exceedance_of_many(new: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return what `f0ci.analysis.comparing.exceedance` does of each row, for many rows at once.

    Args:
        new: values of the new release, a run a row.
        base: values of the baseline; no two values of a run are equal.
    """
    ours, others = new.shape[1], base.shape[1]
    ordered = np.argsort(-np.concatenate([new, base], axis=1), axis=1)
    our_top = np.zeros((len(new), ours + others + 1))
    np.cumsum(ordered < ours, axis=1, out=our_top[:, 1:])
    tops = np.arange(ours + others + 1)
    other_top = tops - our_top
    ways = gammaln(ours + others + 1) - gammaln(tops + 1) - gammaln(ours + others - tops + 1)
    found = np.full(len(new), -math.inf)
    for weight, above, usual in EXCEEDANCES:
        bets = (
            ways
            + math.log(weight)
            + our_top * math.log(above)
            + (ours - our_top) * math.log1p(-above)
            + other_top * math.log(usual)
            + (others - other_top) * math.log1p(-usual)
        )
        found = np.logaddexp(found, logsumexp(bets, axis=1))
    return found


def peeking_with_fixed_test(rng: np.random.Generator, runs: int, level: float, points: int) -> tuple[int, int]:
    """Return how many equal pairs Mann and Whitney's test calls at the end, and looking from the tenth point on."""
    from scipy.stats import mannwhitneyu

    once = peeking = 0
    for _ in range(runs):
        new, base = rng.lognormal(-1, 0.5, (2, points))
        found = [
            float(mannwhitneyu(new[:n], base[:n], method="asymptotic").pvalue) < level for n in range(10, points + 1)
        ]
        once += found[-1]
        peeking += any(found)
    return once, peeking
