from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.analysis.judging import Verdict, judge
from f0ci.analysis.measuring import measure, metric_spec
from f0ci.analysis.providers.anomaly import compare
from f0ci.analysis.providers.base import Query
from f0ci.workflows.model import Workflow
from tests.docs.pages import workflow

END = datetime(2026, 11, 21, 12, 10, tzinfo=UTC)
QUERY = Query("prod", "abc", END - timedelta(minutes=10), END, END)
TEXT = """
pipeline_stages:
  - {name: to_prod, environment: prod, monitoring: {rollback_triggers: [exercise7_anomaly_detected]}}
metrics:
  exercise7_anomaly_detected: {provider: anomaly, metrics: [requests], DETECTOR}
  requests: {provider: file, path: m.csv, value: requests}
"""


def described(detector: str = "seasons: 5") -> Workflow:
    return workflow(TEXT.replace("DETECTOR", detector))


def history(folder: Path, now: float, days: int = 5, daily: float = 400.0) -> None:
    """Write a metric that follows the time of day, with noise; its last ten minutes are multiplied by `now`."""
    rng = np.random.default_rng(1)
    rows = ["time,requests"]
    for back in range(days, -1, -1):
        for minute in range(11):
            moment = END - timedelta(days=back, minutes=10 - minute)
            usual = 1000 + daily * math.sin(moment.hour / 24 * math.tau) + 10 * minute
            rows.append(f"{moment.isoformat()},{(usual + rng.normal(0, 15)) * (now if back == 0 else 1):.1f}")
        other = END - timedelta(days=back, hours=6)
        rows.append(f"{other.isoformat()},5")
    (folder / "m.csv").write_text("\n".join(rows) + "\n")


ROWS = [
    ("usual", "seasons: 5", 1.0, Verdict.PASSED, "is not detected"),
    ("a drop", "seasons: 5", 0.5, Verdict.FAILED, "10 of 10 points are unusual"),
    ("a rise", "seasons: 5", 2.0, Verdict.FAILED, "requests"),
    ("a rise, and only drops count", "seasons: 5, direction: down", 2.0, Verdict.PASSED, "is not detected"),
    ("a drop, and only rises count", "seasons: 5, direction: up", 0.5, Verdict.PASSED, "is not detected"),
    ("much is tolerated", "seasons: 5, tolerance: 1000", 0.5, Verdict.PASSED, "is not detected"),
    ("too short a history", "season: 1w, seasons: 5", 1.0, Verdict.INSUFFICIENT_DATA, "fewer than 3 seasons"),
]


@pytest.mark.parametrize(("detector", "now", "verdict", "reason"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS])
def test_the_detector_of_the_seed_documents(
    tmp_path: Path, detector: str, now: float, verdict: Verdict, reason: str
) -> None:
    history(tmp_path, now)
    read = described(detector)
    prod = read.environment("prod")
    assert prod is not None
    (check,) = prod.checks
    spec = metric_spec(read, check.condition.metric)
    assert spec is not None

    judgement = judge(check, spec, measure(spec, QUERY, tmp_path))

    assert judgement.verdict is verdict, judgement.reason
    assert reason in judgement.reason


def test_one_strange_day_does_not_hide_the_next() -> None:
    # a mean and a standard deviation would take the outlier for usual
    usual = [[100.0 + at, 101.0 + at, 99.0 + at, 100.5 + at, 9000.0] for at in range(10)]

    assert compare([200.0 + at for at in range(10)], usual, 6, "both").beyond == 10
    assert compare([100.0 + at for at in range(10)], usual, 6, "both").beyond == 0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"metrics": ["nowhere"]}, "'nowhere', which is not declared"),
        ({"metrics": []}, "which is not declared"),
        ({"metrics": ["requests"], "season": "0s"}, "'season' of detector"),
        ({"metrics": ["requests"], "season": "often"}, "'often' is not a duration"),
    ],
)
def test_what_is_no_detector(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    read = described()
    spec = replace(read.metrics["exercise7_anomaly_detected"], settings=settings)
    asked = metric_spec(replace(read, metrics={**read.metrics, spec.name: spec}), spec.name)
    assert asked is not None

    assert message in str(measure(asked, QUERY, tmp_path).error)


def test_a_history_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    spec = metric_spec(described(), "exercise7_anomaly_detected")
    assert spec is not None

    assert "there is no file 'm.csv'" in str(measure(spec, QUERY, tmp_path).error)


values = st.floats(-1e6, 1e6)


@given(st.lists(values, min_size=1, max_size=5), st.lists(values, min_size=3, max_size=7))
def test_the_least_of_a_history_is_no_rise(now: list[float], before: list[float]) -> None:
    found = compare(now, [before] * len(now), 6, "up")

    assert found.known == len(now)
    assert 0 <= found.beyond <= len(now)
    assert compare([min(before)], [before], 6, "up").beyond == 0
