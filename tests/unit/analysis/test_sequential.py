from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate
from scipy.stats import beta, binom

from benchmarks import releases
from f0ci.analysis.replaying import upper_limit
from f0ci.analysis.sequential import (
    _ODDS,
    Counts,
    evidence,
    evidence_below,
    interval,
    log_likelihood,
    log_marginal,
    samples_needed,
)
from tests.conftest import rounds

PUBLISHED = json.loads((Path(__file__).parents[2] / "cases/analysis/confseq.json").read_text(encoding="utf-8"))["rows"]
counts = st.integers(1, 5000).flatmap(lambda total: st.builds(Counts, st.integers(0, total), st.just(total)))


def highest(hits: int, runs: int) -> float:
    """The upper 99 % confidence limit of a share, by an implementation that is not ours."""
    return float(beta.ppf(0.99, hits + 1, runs - hits))


@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: f"{row['hits']} of {row['total']}")
def test_the_mixture_is_that_of_a_published_library(row: dict[str, float]) -> None:
    seen = Counts(int(row["hits"]), int(row["total"]))

    assert log_marginal(seen) - log_likelihood(seen, 0.5) == pytest.approx(row["log_mixture"], abs=1e-9)


@pytest.mark.parametrize(("hits", "total"), [(0, 1), (3, 10), (10, 10), (50, 1000), (999, 1000)])
def test_the_mixture_is_the_integral_that_it_stands_for(hits: int, total: int) -> None:
    found, _ = integrate.quad(
        lambda p: p**hits * (1 - p) ** (total - hits) * beta.pdf(p, 0.5, 0.5), 0, 1, points=[hits / total], limit=500
    )

    assert math.exp(log_marginal(Counts(hits, total))) == pytest.approx(found, rel=1e-3)


@pytest.mark.parametrize("bound", [0.001, 0.01, 0.3])
def test_evidence_is_a_fair_bet_at_the_bound(bound: float) -> None:
    # the mean over everything that could be seen is 1, whatever the number of looks
    total = 40
    chances = binom.pmf(range(total + 1), total, bound)
    mean = sum(c * math.exp(evidence([Counts(k, total)], bound)[0]) for k, c in enumerate(chances))
    two = sum(
        binom.pmf(a, 12, bound) * binom.pmf(b, 9, bound) * math.exp(evidence([Counts(a, 12), Counts(b, 9)], bound)[1])
        for a in range(13)
        for b in range(10)
    )

    assert mean == pytest.approx(1)
    assert two == pytest.approx(1)


def test_evidence_is_no_bet_worth_taking_below_the_bound() -> None:
    chances = binom.pmf(range(41), 40, 0.005)

    assert sum(c * math.exp(evidence([Counts(k, 40)], 0.01)[0]) for k, c in enumerate(chances)) < 1


@given(counts, st.floats(0.001, 0.999))
def test_evidence_for_less_is_evidence_for_more_of_the_opposite(seen: Counts, bound: float) -> None:
    assert evidence_below([seen], bound) == pytest.approx(evidence([seen.turned], 1 - bound))


@given(counts)
def test_the_interval_holds_what_was_seen_and_narrows_with_more_of_it(seen: Counts) -> None:
    low, high = interval(seen, 0.01)
    more_low, more_high = interval(Counts(seen.hits * 10, seen.total * 10), 0.01)

    assert 0 <= low <= seen.share <= high <= 1
    assert more_high - more_low <= high - low + 1e-9
    # it is wider than an interval that may be looked at once
    assert low <= beta.ppf(0.005, seen.hits, seen.misses + 1) + 1e-9 if seen.hits else low == 0


def test_the_interval_covers_at_all_looks_at_once() -> None:
    runs, lost = rounds(400, 5000), 0
    rng = np.random.default_rng(7)
    for _ in range(runs):
        total = hits = 0
        for look in rng.binomial(50, 0.1, 20):
            total, hits = total + 50, hits + int(look)
            low, high = interval(Counts(hits, total), 0.05)
            if not low <= 0.1 <= high:
                lost += 1
                break

    assert highest(lost, runs) <= 0.05


EDGES = [
    ("nothing seen", [], 0.01, []),
    ("no traffic", [Counts(0, 0)], 0.01, [0.0]),
    ("a bound of everything", [Counts(5, 5)], 1.0, [0.0]),
    ("one hit where none may be", [Counts(0, 100), Counts(1, 1)], 0.0, [None, math.inf]),
]


@pytest.mark.parametrize(("points", "bound", "expected"), [row[1:] for row in EDGES], ids=[row[0] for row in EDGES])
def test_the_edges(points: list[Counts], bound: float, expected: list[float | None]) -> None:
    found = evidence(points, bound)

    assert len(found) == len(expected)
    assert all(want is None or one == pytest.approx(want) for one, want in zip(found, expected, strict=True))
    assert interval(Counts(0, 0), 0.01) == (0, 1)


def test_a_large_count_loses_no_precision() -> None:
    low, high = interval(Counts(5_000_000, 1_000_000_000), 0.01)

    assert 0.00498 < low < 0.005 < high < 0.00502


@pytest.mark.parametrize(("share", "bound"), [(0.05, 0.01), (0.005, 0.02), (0.005, 0.01), (0.97, 0.99)])
def test_the_samples_that_are_said_to_suffice_do(share: float, bound: float) -> None:
    needed = samples_needed(share, bound, 0.01)
    assert needed is not None
    seen = [Counts(round(share * needed), needed)]

    assert (evidence(seen, bound) if share > bound else evidence_below(seen, bound))[0] >= math.log(100) - 0.5
    assert samples_needed(bound, bound, 0.01) is None


@pytest.mark.parametrize(("hits", "total"), [(0, 5000), (3, 500), (40, 100), (7, 7)])
def test_the_limit_of_a_count_is_that_of_clopper_and_pearson(hits: int, total: int) -> None:
    expected = 1.0 if hits == total else beta.ppf(0.99, hits + 1, total - hits)

    assert upper_limit(hits, total, 0.01) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [20, 50, 100, 200, 500, 1000, 5000])
def test_a_healthy_release_is_rolled_back_in_at_most_one_of_a_hundred_runs(size: int) -> None:
    runs = rounds(5000, 50_000)
    ours = releases.false_rollbacks(np.random.default_rng(size), releases.by_evidence(0.01, 0.01), runs, size)

    assert highest(ours, runs) <= 0.01


def test_fixed_thresholds_roll_healthy_releases_back() -> None:
    # what the figures of the page are compared with
    for size, least in ((20, 0.55), (50, 0.88), (100, 0.5), (200, 0.5)):
        called = releases.false_rollbacks(np.random.default_rng(size), releases.by_windows(0.01, 1, 0), 500, size)
        assert called / 500 > least


def test_looking_after_every_request_lifts_no_false_alarms() -> None:
    runs = rounds(400, 5000)

    assert highest(releases.peeking_at_proportion(np.random.default_rng(1), runs, 0.02, 0.05, 500), runs) <= 0.05


@pytest.mark.parametrize("before", [0, 300])
def test_a_jump_is_called_sooner_than_by_fixed_windows_that_are_as_often_wrong(before: int) -> None:
    rng = np.random.default_rng(10 + before)
    runs = rounds(60, 1000)
    healthy = [releases.draw(rng, 100, 0.005, 600) for _ in range(runs)]
    bad = [[*releases.draw(rng, 100, 0.005, before), *releases.draw(rng, 100, 0.05, 60)] for _ in range(runs)]
    ours = releases.detection(releases.by_evidence(0.01, 0.01), healthy, bad, before)

    assert ours.false_alarms == 0
    assert ours.median <= 10
    for length in (1, 5, 10, 30, 60):
        limit = releases.failing_windows(healthy, 0.01, length, 0.01)
        fixed = releases.detection(releases.by_windows(0.01, length, limit), healthy, bad, before)
        assert fixed.false_alarms <= 0.01
        assert ours.median <= fixed.median
        assert ours.late <= fixed.late


def test_alternatives_are_all_worse_than_the_bound() -> None:
    # else evidence would not shrink where the proportion moves below the bound
    assert min(_ODDS) > 1
