"""How often analysis is wrong and how soon it is right, beside fixed windows; writes `results/analysis.md`.

    .venv/bin/python benchmarks/analysis.py [--runs 5000] [--jumps 500] [--peeks 10000]

All of it is simulated with fixed seeds, so a run on any machine gives the same figures.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from pathlib import Path

import numpy as np
from scipy.stats import beta

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import releases  # noqa: E402 - found only from the root
from f0ci.analysis.comparing import exceedance  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "analysis.md"
SIZES = (20, 50, 100, 200, 500, 1000, 5000)
LENGTHS = (1, 5, 10, 30, 60)
SECONDS = 600


def highest(hits: int, runs: int) -> float:
    """Return the upper 99 % confidence limit of a share (Clopper and Pearson, by scipy)."""
    return 1.0 if hits == runs else float(beta.ppf(0.99, hits + 1, runs - hits))


def main() -> None:
    """Simulate, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=5000)
    parser.add_argument("--jumps", type=int, default=500)
    parser.add_argument("--peeks", type=int, default=10_000, help="runs of the comparison of latencies")
    options = parser.parse_args()
    parts = [
        "# Analysis\n",
        f"Written by `benchmarks/analysis.py --runs {options.runs} --jumps {options.jumps} --peeks {options.peeks}`; "
        "seeds are fixed.\n",
        healthy_page(options.runs),
        peeking_page(options.runs, options.peeks),
        canary_page(),
        jump_page(options.jumps),
    ]
    text = "\n".join(parts)
    PAGE.write_text(text, encoding="utf-8")
    sys.stdout.write(text)


def healthy_page(runs: int) -> str:
    """Return how often healthy releases are rolled back."""
    rows = []
    for size in SIZES:
        ours = releases.false_rollbacks(np.random.default_rng(size), releases.by_evidence(0.01, 0.01), runs, size)
        fixed = releases.false_rollbacks(np.random.default_rng(size), releases.by_windows(0.01, 1, 0), runs, size)
        rows.append(f"| {size} | {ours / runs:.2%} | {highest(ours, runs):.2%} | {fixed / runs:.1%} |")
    return (
        "## A healthy release is kept\n\n"
        f"A service with 99.5 % success behind 'at least 99 %', looked at in 10 windows, {runs} runs a row, alpha 1 %. "
        "Bar: an upper 99 % confidence limit of at most 1 %.\n\n"
        "| requests a window | rolled back | at most (99 %) | fixed threshold, no failure tolerated |\n"
        "|---|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def peeking_page(runs: int, peeks: int) -> str:
    """Return how often something is called where nothing is wrong, looking after every point."""
    alpha, few = 0.05, max(200, runs // 3)
    once, peeking = releases.peeking_with_fixed_test(np.random.default_rng(4), few // 4, 0.02, 60)
    rows = [
        (
            "a proportion exactly at its bound",
            releases.peeking_at_proportion(np.random.default_rng(1), few, 0.02, alpha, 500),
            few,
        ),
        ("two equal proportions", releases.peeking_at_ratio(np.random.default_rng(2), few, 0.02, alpha, 20), few),
        (
            "two equal distributions of latencies",
            releases.peeking_at_values(np.random.default_rng(2026), peeks, alpha, 60),
            peeks,
        ),
    ]
    lines = [
        f"| {what} | {count} | {called / count:.1%} | {highest(called, count):.1%} | 5 % |"
        for what, called, count in rows
    ]
    fixed = few // 4
    for what, called in (("looked at once", once), ("after every point", peeking)):
        share, most = called / fixed, highest(called, fixed)
        lines.append(f"| Mann-Whitney at 2 %, {what} | {fixed} | {share:.1%} | {most:.1%} | 2 % |")
    return (
        "## Looking costs nothing\n\nNothing is wrong, and somebody looks after every point.\n\n"
        "| what | runs | false alarms | at most (99 %) | stated |\n|---|---|---|---|---|\n" + "\n".join(lines) + "\n"
    )


def canary_page() -> str:
    """Return what is said of a canary some of whose points are a hundred times the baseline."""
    rows = []
    for high in range(4, 9):
        odds = []
        for seed in range(200):
            rng = random.Random(seed)  # noqa: S311 - reproducible
            base = [rng.lognormvariate(0, 0.1) for _ in range(10)]
            new = [rng.lognormvariate(0, 0.1) * (100 if at < high else 1) for at in range(10)]
            odds.append(math.exp(exceedance(new, base)))
        verdict = "failed" if min(odds) >= 20 else "not passed" if min(odds) > 2 else "**passed**"
        rows.append(f"| {high} of 10 | {min(odds):.3g}:1 | {verdict} |")
    return (
        "## A canary with points at 100 times the baseline\n\n"
        "200 draws a row; alpha 5 % fails at 20:1, and what is above 2:1 does not pass. The published rule of Kayenta "
        "passes 4 to 7 of 10.\n\n| points | least evidence | verdict |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    )


def jump_page(runs: int) -> str:
    """Return how soon a jump from 0.5 % to 5 % errors is called."""
    rows = []
    for before in (0, 300):
        rng = np.random.default_rng(10 + before)
        healthy = [releases.draw(rng, 100, 0.005, SECONDS) for _ in range(runs)]
        bad = [
            [*releases.draw(rng, 100, 0.005, before), *releases.draw(rng, 100, 0.05, SECONDS - before)]
            for _ in range(runs)
        ]
        ours = releases.detection(releases.by_evidence(0.01, 0.01), healthy, bad, before)
        rows.append(f"| {before} s | evidence, alpha 1 % | {_row(ours)} |")
        for length in LENGTHS:
            limit = releases.failing_windows(healthy, 0.01, length, 0.01)
            fixed = releases.detection(releases.by_windows(0.01, length, limit), healthy, bad, before, limit)
            rows.append(f"| {before} s | windows of {length} s, {limit} may fail | {_row(fixed)} |")
    return (
        "## A jump from 0.5 % to 5 % errors at 100 requests a second\n\n"
        f"Bound 1 %, {SECONDS} s, looked at every second, {runs} runs a row. "
        "Fixed windows tolerate as many failing ones as keep their false rollbacks at 1 % at most. "
        "Bar: a median of at most 10 s, and neither the median nor the 95th percentile above any of theirs.\n\n"
        "| healthy before | rule | delay, median | 95th percentile | false rollbacks |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _row(found: releases.Detection) -> str:
    return f"{found.median:g} s | {found.late:g} s | {found.false_alarms:.2%}"


if __name__ == "__main__":
    main()
