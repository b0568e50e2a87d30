"""Evidence about a proportion that may be looked at any number of times, and the interval that goes with it.

`evidence` is an e-process, a bet against "the proportion never exceeds the bound" that starts with a stake of 1. Where
that is true, it reaches `1 / alpha` with a probability of at most `alpha`, over all looks together, whenever and
however often somebody looks (Ville's inequality), and also where the proportion moves below the bound. The stake is
spread

- over alternatives: each multiplies the odds of the bound by one of `_ODDS` and pays the likelihood ratio, which is the
  mixture method of Robbins; see Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
  confidence sequences", Annals of Statistics 49 (2021), and Waudby-Smith and Ramdas, "Estimating means of bounded
  random variables by betting", JRSS B 86 (2024);
- over the points at which something may begin to go wrong: half of it bets from the first point, half from later ones,
  1 / (s (s - 1)) from point s; see Shin, Ramdas and Rinaldo, "E-detectors" (2022). A jump late in a long window is
  therefore called nearly as soon as one at its beginning.

`interval` inverts the mixture of Beta(1/2, 1/2), so it covers a constant proportion at all looks at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# how many times worse than the bound something may be, as odds; none is known before
_ODDS = (1.15, 1.3, 1.6, 2.0, 2.7, 4.0, 6.0, 10.0, 20.0, 50.0)
_HALF = 0.5
_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of some observations had a property.

    Attributes:
        hits: how many had it, 0 to `total`.
        total: how many there were.
    """

    hits: int
    total: int

    @property
    def misses(self) -> int:
        """How many had it not."""
        return self.total - self.hits

    @property
    def share(self) -> float:
        """The proportion that was seen; NaN of nothing."""
        return self.hits / self.total if self.total else math.nan

    @property
    def turned(self) -> Counts:
        """The same observations, asked for the opposite."""
        return Counts(self.misses, self.total)


def added(points: Sequence[Counts]) -> Counts:
    """Return all observations together."""
    return Counts(sum(point.hits for point in points), sum(point.total for point in points))


def evidence(points: Sequence[Counts], bound: float) -> list[float]:
    """Return the evidence after each point that the proportion exceeds a bound.

    Args:
        points: what was observed, in order of time, each point once.
        bound: the largest proportion that is good, 0 to 1.

    Returns:
        Natural logarithms of the e-process, one a point; `log(1 / alpha)` decides at the level `alpha`.
    """
    if bound >= 1:
        return [0.0] * len(points)
    ratios = [_log_ratio(bound, times) for times in _ODDS]
    wealth = [_NEVER] * len(ratios)
    found = []
    for number, point in enumerate(points, start=1):
        stake = math.log(_HALF / len(ratios) * (1.0 if number == 1 else 1 / (number * (number - 1))))
        wealth = [
            _add(before, stake) + _pay(point, hit, miss) for before, (hit, miss) in zip(wealth, ratios, strict=True)
        ]
        # what has not been betted yet is kept
        found.append(_add(total_of(wealth), math.log(_HALF / number)))
    return found


def evidence_below(points: Sequence[Counts], bound: float) -> list[float]:
    """Return the evidence after each point that the proportion is below a bound; see `evidence`."""
    return evidence([point.turned for point in points], 1 - bound)


def log_marginal(seen: Counts) -> float:
    """Return the log probability of a sequence under a proportion drawn from Beta(1/2, 1/2)."""
    return (
        math.lgamma(seen.hits + _HALF)
        + math.lgamma(seen.misses + _HALF)
        - math.lgamma(seen.total + 1)
        - math.log(math.pi)
    )


def log_likelihood(seen: Counts, share: float) -> float:
    """Return the log probability of a sequence under a known proportion."""
    hits = _times(seen.hits, math.log(share) if share > 0 else _NEVER)
    return hits + _times(seen.misses, math.log1p(-share) if share < 1 else _NEVER)


def interval(seen: Counts, alpha: float) -> tuple[float, float]:
    """Return the confidence sequence's present interval.

    Args:
        seen: everything observed so far.
        alpha: the chance, over all looks together, that the proportion ever lies outside.

    Returns:
        The smallest and the largest proportion that what was seen speaks not clearly against.
    """
    if seen.total <= 0:
        return 0.0, 1.0
    least = log_marginal(seen) + math.log(alpha)

    def outside(share: float) -> bool:
        return log_likelihood(seen, share) <= least

    return edge(outside, 0.0, seen.share), edge(outside, 1.0, seen.share)


def samples_needed(share: float, bound: float, alpha: float) -> int | None:
    """Return about how many observations show that a proportion is above a bound, or below it where it lies below.

    That is the amount from which the expected evidence suffices; None where the two are the same.
    """
    if share == bound or not 0 < bound < 1:
        return None
    least = -math.log(alpha)
    high, low = 1, 0
    while _expected(share, bound, high) < least:
        high, low = high * 2, high
        if high > 10**12:
            return None
    while high - low > max(1, high // 1000):
        middle = (high + low) // 2
        high, low = (middle, low) if _expected(share, bound, middle) >= least else (high, middle)
    return high


def edge(outside: Callable[[float], bool], far: float, near: float) -> float:
    """Return where an interval around `near` ends, towards `far`, by halving."""
    if not outside(far):
        return far
    for _ in range(60):
        middle = (far + near) / 2
        far, near = (middle, near) if outside(middle) else (far, middle)
    return far


def total_of(logs: Sequence[float]) -> float:
    """Return the logarithm of the sum of numbers whose logarithms are given."""
    most = max(logs)
    if math.isinf(most):
        return most
    return most + math.log(math.fsum(math.exp(one - most) for one in logs))


def _expected(share: float, bound: float, total: int) -> float:
    hits = share * total
    if share < bound:
        share, bound, hits = 1 - share, 1 - bound, total - hits
    pays = [hits * hit + (total - hits) * miss for hit, miss in (_log_ratio(bound, times) for times in _ODDS)]
    return total_of(pays) - math.log(2 * len(pays))


def _log_ratio(bound: float, times: float) -> tuple[float, float]:
    """Return what a hit and a miss pay to who bets on `times` the odds of the bound."""
    share = times * bound / (1 - bound + times * bound)
    # a bound of 0 says that there is no hit: one refutes it
    return (math.log(times / (1 - bound + times * bound)) if bound > 0 else math.inf), math.log(
        (1 - share) / (1 - bound)
    )


def _pay(seen: Counts, hit: float, miss: float) -> float:
    return _times(seen.hits, hit) + seen.misses * miss


def _times(count: int, log: float) -> float:
    return count * log if count else 0.0


def _add(one: float, other: float) -> float:
    most, least = max(one, other), min(one, other)
    return most if least == _NEVER or math.isinf(most) else most + math.log1p(math.exp(least - most))
