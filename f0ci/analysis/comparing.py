"""Evidence that a new release is worse than what it is compared with, valid at any number of looks.

Two proportions: the e-value of universal inference (Wasserman, Ramdas and Balakrishnan, PNAS 117, 2020) for "the new
proportion is at most `factor` times the other, plus `margin`": the probability of what was seen under proportions drawn
from Beta(1/2, 1/2) each, over the largest probability that the hypothesis allows. Under any two proportions for which
it holds, this is at most a product of two martingales, so it reaches `1 / alpha` with a probability of at most `alpha`,
in whatever order observations arrive. The safe tests of Turner, Ly and Gruenwald (2021) rest on the same idea.

Values such as latencies: only their order counts, so a few wild values cannot decide as they could for a mean. Under
"the new values come from the baseline's distribution, or a smaller one" every order of all values is equally likely.
The other side of the bet holds that there is a number (any of the baseline's quantiles, which nobody has to know) that
new values exceed more often than the baseline's: the ratio of the probabilities of the order that was seen, summed over
all places at which that number may lie, is a martingale of the ranks; see Vovk, Gammerman and Shafer, "Algorithmic
Learning in a Random World" (2022), on betting against exchangeability.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import accumulate

from f0ci.analysis.sequential import (
    Counts,
    edge,
    log_likelihood,
    log_marginal,
    total_of,
)

_HALF = 0.5
# stake, share of the new values above the unknown number, share of the baseline's
EXCEEDANCES = (
    (0.2, 0.35, 0.01),
    (0.3, 0.55, 0.01),
    (0.2, 0.75, 0.01),
    (0.1, 0.95, 0.01),
    (0.05, 0.4, 0.1),
    (0.05, 0.7, 0.1),
    (0.05, 0.6, 0.35),
    (0.05, 0.9, 0.5),
)


def evidence_of_ratio(
    new: Sequence[Counts], base: Sequence[Counts], factor: float = 1.0, margin: float = 0.0, *, below: bool = False
) -> list[float]:
    """Return the evidence after each point that the new proportion exceeds `factor` times the other plus `margin`.

    Args:
        new: what was observed of the new release, in order of time.
        base: what was observed of the other over the same points.
        factor: above 0.
        margin: what may be added; negative where something is taken away.
        below: ask for evidence that it lies below instead.

    Returns:
        Natural logarithms, one a point; `log(1 / alpha)` decides. Half of the stake bets from the first point on, the
        other half from later ones, as in `f0ci.analysis.sequential`.
    """
    ends = list(zip(accumulate(new, _sum), accumulate(base, _sum), strict=True))
    found = []
    for number, (now, other) in enumerate(ends, start=1):
        bets = [math.log(_HALF) + ratio_evidence(now, other, factor, margin, below=below)]
        for start in range(2, number + 1):
            before, other_before = ends[start - 2]
            bet = ratio_evidence(_less(now, before), _less(other, other_before), factor, margin, below=below)
            bets.append(math.log(_HALF / (start * (start - 1))) + bet)
        found.append(total_of([*bets, math.log(_HALF / number)]))
    return found


def ratio_evidence(new: Counts, base: Counts, factor: float, margin: float = 0.0, *, below: bool = False) -> float:
    """Return the e-value of two proportions, as a logarithm; see the module."""
    allowed = new.total == 0 or base.total == 0
    if not allowed:
        limit = factor * base.share + margin
        allowed = new.share >= limit if below else new.share <= limit
    best = _best(new) + _best(base)
    if not allowed:
        best = _best_at_edge(new, base, factor, margin, best)
    return log_marginal(new) + log_marginal(base) - best


def _best_at_edge(new: Counts, base: Counts, factor: float, margin: float, otherwise: float) -> float:
    """Return the largest log probability under proportions of which one is exactly the other's bound."""
    if margin == 0:
        # where the derivative is zero: a quadratic equation, of which the smaller root lies between 0 and 1
        middle = (new.hits + base.hits) * (1 + factor) + factor * new.misses + base.misses
        whole = factor * (new.total + base.total)
        root = math.sqrt(max(0.0, middle * middle - 4 * whole * (new.hits + base.hits)))
        share = (middle - root) / (2 * whole)
        return _together(new, base, factor * share, share)
    low, high = max(0.0, -margin / factor), min(1.0, (1 - margin) / factor)
    return _maximum(lambda p: _together(new, base, factor * p + margin, p), low, high) if low <= high else otherwise


def interval_of_difference(new: Counts, base: Counts, alpha: float) -> tuple[float, float]:
    """Return between what the new proportion less the other lies, at all looks together with confidence 1 - alpha."""
    if not new.total or not base.total:
        return -1.0, 1.0
    least = log_marginal(new) + log_marginal(base) + math.log(alpha)
    seen = new.share - base.share

    def outside(difference: float) -> bool:
        low, high = max(0.0, -difference), min(1.0, 1 - difference)
        return _maximum(lambda p: _together(new, base, p + difference, p), low, high) <= least

    return edge(outside, -1.0, seen), edge(outside, 1.0, seen)


def evidence_of_exceedance(new: Sequence[float], base: Sequence[float]) -> list[float]:
    """Return the evidence after each point that the new values exceed the baseline's quantiles too often.

    Args:
        new: values of the new release in order of time, scaled by what the condition allows.
        base: values of the baseline over the same points; either may have more.

    Returns:
        Natural logarithms, one a point of the longer sequence.
    """
    return [exceedance(new[:end], base[:end]) for end in range(1, max(len(new), len(base)) + 1)]


def exceedance(new: Sequence[float], base: Sequence[float]) -> float:
    """Return the logarithm of the e-value that `new` exceeds quantiles of `base` more often than `base` itself."""
    ours, others = len(new), len(base)
    # of equal values the baseline's stands first, which never speaks against the new release
    ordered = sorted([*((value, 1) for value in base), *((value, 0) for value in new)], reverse=True)
    logs = [
        (log, math.log(above), math.log1p(-above), math.log(usual), math.log1p(-usual))
        for log, above, usual in ((math.log(weight), above, usual) for weight, above, usual in EXCEEDANCES)
    ]
    bets: list[float] = []
    our_top = other_top = 0
    for top in range(ours + others + 1):
        if top:
            _, of_base = ordered[top - 1]
            our_top, other_top = our_top + 1 - of_base, other_top + of_base
        ways = _log_choose(ours + others, top)
        bets.extend(
            log
            + ways
            + our_top * above
            + (ours - our_top) * not_above
            + other_top * usual
            + (others - other_top) * not_usual
            for log, above, not_above, usual, not_usual in logs
        )
    return total_of(bets)


def _best(seen: Counts) -> float:
    return log_likelihood(seen, seen.share) if seen.total else 0.0


def _maximum(function: Callable[[float], float], low: float, high: float) -> float:
    """Return the maximum of a concave function between two numbers, by the golden section."""
    golden = (math.sqrt(5) - 1) / 2
    left, right = high - golden * (high - low), low + golden * (high - low)
    at_left, at_right = function(left), function(right)
    most = max(function(low), function(high), at_left, at_right)
    for _ in range(48):
        if at_left >= at_right:
            high, right, at_right = right, left, at_left
            left = high - golden * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + golden * (high - low)
            at_right = function(right)
        most = max(most, at_left, at_right)
    return most


def _together(new: Counts, base: Counts, share: float, other: float) -> float:
    return log_likelihood(new, _share(share)) + log_likelihood(base, _share(other))


def _share(number: float) -> float:
    return min(1.0, max(0.0, number))


def _sum(one: Counts, other: Counts) -> Counts:
    return Counts(one.hits + other.hits, one.total + other.total)


def _less(one: Counts, other: Counts) -> Counts:
    return Counts(one.hits - other.hits, one.total - other.total)


def _log_choose(total: int, chosen: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(chosen + 1) - math.lgamma(total - chosen + 1)
