from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.stats import binom

from benchmarks import releases
from f0ci.analysis.comparing import (
    evidence_of_exceedance,
    evidence_of_ratio,
    exceedance,
    interval_of_difference,
    ratio_evidence,
)
from f0ci.analysis.sequential import Counts, log_likelihood, log_marginal
from tests.conftest import rounds
from tests.unit.analysis.test_sequential import highest

counts = st.integers(1, 2000).flatmap(lambda total: st.builds(Counts, st.integers(0, total), st.just(total)))


@given(counts, counts, st.sampled_from([0.8, 1.0, 1.2, 3.0]), st.sampled_from([0.0, 0.02]))
def test_the_likeliest_that_is_allowed_is_found(new: Counts, base: Counts, factor: float, margin: float) -> None:
    low, high = max(0.0, -margin / factor), min(1.0, (1 - margin) / factor)

    def at_edge(p: float) -> float:
        return -log_likelihood(new, min(1.0, factor * p + margin)) - log_likelihood(base, p)

    found = ratio_evidence(new, base, factor, margin)
    if new.share > factor * base.share + margin:
        best = -minimize_scalar(at_edge, bounds=(low, high), method="bounded", options={"xatol": 1e-9}).fun
        ours = log_marginal(new) + log_marginal(base) - found
        assert ours >= best - 1e-6
        # and what is allowed is never likelier than what was seen
        assert ours <= log_likelihood(new, new.share) + log_likelihood(base, base.share) + 1e-9
    else:
        assert found <= 0


@pytest.mark.parametrize(
    ("new", "base", "factor"), [(0.1, 0.1, 1.0), (0.3, 0.3, 1.0), (0.12, 0.1, 1.2), (0.05, 0.2, 1.0)]
)
def test_the_bet_on_two_proportions_is_not_worth_taking(new: float, base: float, factor: float) -> None:
    mean = sum(
        binom.pmf(a, 15, new) * binom.pmf(b, 25, base) * math.exp(ratio_evidence(Counts(a, 15), Counts(b, 25), factor))
        for a in range(16)
        for b in range(26)
    )

    assert mean <= 1


def test_two_equal_proportions_are_called_less_often_than_stated() -> None:
    runs = rounds(150, 3000)

    assert highest(releases.peeking_at_ratio(np.random.default_rng(2), runs, 0.1, 0.05, 15), runs) <= 0.05


def test_the_difference_of_two_proportions_is_covered() -> None:
    runs, lost, rng = rounds(100, 2000), 0, np.random.default_rng(5)
    for _ in range(runs):
        for total in (100, 400, 1000):
            new, base = (Counts(int(rng.binomial(total, p)), total) for p in (0.08, 0.05))
            low, high = interval_of_difference(new, base, 0.05)
            if not low <= 0.03 <= high:
                lost += 1
                break

    assert highest(lost, runs) <= 0.05


def test_a_difference_has_edges() -> None:
    assert interval_of_difference(Counts(0, 0), Counts(1, 10), 0.01) == (-1, 1)
    low, high = interval_of_difference(Counts(50, 1000), Counts(45, 9000), 0.01)
    assert 0.015 < low < 0.045 < high < 0.09


def test_a_worse_canary_is_called_and_a_jump_late_in_the_window_is_too() -> None:
    rng = np.random.default_rng(3)
    base = releases.draw(rng, 1000, 0.01, 60)
    new = [*releases.draw(rng, 100, 0.01, 40), *releases.draw(rng, 100, 0.1, 20)]
    found = evidence_of_ratio(new, base, 1.2)
    called = next(at for at, one in enumerate(found) if one >= math.log(100))

    assert 40 <= called < 46


def test_a_better_canary_is_known_to_be_no_worse() -> None:
    new, base = [Counts(5, 5000)], [Counts(500, 50000)]

    assert evidence_of_ratio(new, base, 1.0)[-1] < 0
    assert evidence_of_ratio(new, base, 1.0, 0.01, below=True)[-1] > math.log(100)
    assert evidence_of_ratio(base, new, 1.0, 0.001, below=True)[-1] < 0


def test_of_all_orders_of_ranks_the_bet_is_fair() -> None:
    # three new values and three of the baseline: every order of the six is equally likely where they are alike
    orders = list(permutations(range(6)))
    mean = sum(math.exp(exceedance(order[:3], order[3:])) for order in orders) / len(orders)

    assert mean == pytest.approx(1)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.lists(st.integers(0, 9), min_size=1, max_size=8))
def test_smaller_values_never_speak_against_the_new_release(new: list[int], base: list[int]) -> None:
    usual = exceedance(new, base)

    assert exceedance([one - 1 for one in new], base) <= usual + 1e-9
    # only the order counts
    assert exceedance([math.exp(one) for one in new], [math.exp(one) for one in base]) == pytest.approx(usual)


def test_two_equal_distributions_are_called_less_often_than_stated() -> None:
    runs = rounds(1500, 10_000)

    assert highest(releases.peeking_at_values(np.random.default_rng(3), runs, 0.05, 30), runs) <= 0.05


def test_the_simulation_of_many_runs_judges_as_the_product_does() -> None:
    values = np.random.default_rng(7).lognormal(-1, 0.5, (40, 2, 17))

    assert releases.exceedance_of_many(values[:, 0, :12], values[:, 1]) == pytest.approx(
        [exceedance(new[:12], base) for new, base in values.tolist()]
    )


@pytest.mark.parametrize("high", [4, 5, 6, 7])
@pytest.mark.parametrize("seed", range(20))
def test_a_canary_with_points_at_a_hundred_times_the_baseline(high: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.lognormal(0, 0.1, 10).tolist()
    new = [one * (100 if at < high else 1) for at, one in enumerate(rng.lognormal(0, 0.1, 10).tolist())]
    rng.shuffle(new)
    odds = math.exp(exceedance(new, base))

    assert odds > 2
    assert odds >= 20 or high < 6


def test_more_values_are_judged_sooner_the_worse_they_are() -> None:
    rng = np.random.default_rng(1)
    base = rng.lognormal(0, 0.3, 100).tolist()
    called = []
    for factor in (1.5, 2.0, 4.0):
        new = (rng.lognormal(0, 0.3, 100) * factor).tolist()
        found = evidence_of_exceedance(new, base)
        called.append(next(at for at, one in enumerate(found) if one >= math.log(100)))

    assert called == sorted(called, reverse=True)
    assert called[0] < 40
