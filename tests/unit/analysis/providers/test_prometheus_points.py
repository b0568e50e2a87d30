"""Points from a real Prometheus, whose past is known to the second."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.judging import Verdict, judge
from f0ci.analysis.measuring import measure_points
from f0ci.analysis.observing import observe
from f0ci.analysis.providers.base import Measurement, Query
from f0ci.commands.replaying import ReplayRequest, replay_gates
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from tests.unit.analysis.providers.conftest import T0, Prometheus
from tests.unit.analysis.providers.test_prometheus import BAD, TOTAL

START, NOW = T0 + timedelta(minutes=5), datetime(2024, 6, 1, tzinfo=UTC)
QUERY = Query("prod", "abc123", START, START + timedelta(minutes=4), NOW)
MINUTE = timedelta(minutes=1)


def metric(prometheus: Prometheus, **settings: Any) -> MetricSpec:
    return MetricSpec("m", "prometheus", {"url": prometheus.url, **settings}, interval=MINUTE)


def measured(spec: MetricSpec, query: Query = QUERY) -> list[Measurement]:
    return [point.measurement for point in measure_points(spec, query, Path("/nowhere"))]


LATE = "histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[{{ window }}s])))"
ROWS: list[tuple[str, dict[str, Any], str, list[Measurement]]] = [
    ("counts", {"bad": BAD, "total": TOTAL}, "prod", [Measurement(0.01, 400, "ratio", hits=4)] * 4),
    ("a gauge", {"query": "max(queue)"}, "prod", [Measurement(24 + 4 * at, 1) for at in range(4)]),
    ("a histogram", {"query": LATE, "samples": TOTAL}, "prod", [Measurement(0.75, 400)] * 4),
    ("a scalar", {"query": "1.5"}, "prod", [Measurement(1.5, 1)] * 4),
    ("moments of each", {"query": "vector({{ end }} - {{ start }})"}, "prod", [Measurement(60, 1)] * 4),
    (
        "steps of each",
        {"query": "max(queue)", "step": "30s", "aggregate": "min"},
        "prod",
        [Measurement(22 + 4 * at, 2) for at in range(4)],
    ),
    ("idle", {"bad": BAD, "total": TOTAL}, "idle", [Measurement(None, 0, no_traffic=True)] * 4),
]


@pytest.mark.parametrize(
    ("settings", "environment", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_what_points_are(
    prometheus: Prometheus, settings: dict[str, Any], environment: str, expected: list[Measurement]
) -> None:
    found = measured(metric(prometheus, **settings), replace(QUERY, environment=environment))

    assert [(one.hits, one.samples, one.no_traffic) for one in found] == [
        (one.hits, one.samples, one.no_traffic) for one in expected
    ]
    assert [one.value for one in found] == [pytest.approx(one.value) if one.value else one.value for one in expected]


def test_several_series_are_no_number_at_any_point(prometheus: Prometheus) -> None:
    assert {one.series for one in measured(metric(prometheus, query="http_requests_total"))} == {4}


def test_before_anything_happened_there_is_nothing(prometheus: Prometheus) -> None:
    early = replace(QUERY, start=T0 - timedelta(minutes=2), end=T0 + timedelta(minutes=2))

    assert [one.series for one in measured(metric(prometheus, query="max(queue)"), early)] == [0, 1, 1, 1]


def test_an_error_is_that_of_every_point(prometheus: Prometheus) -> None:
    found = measured(metric(prometheus, query="sum("))

    assert len(found) == 4
    assert all(one.error and "cannot answer 'query'" in one.error for one in found)


def test_a_window_is_judged_point_by_point(prometheus: Prometheus) -> None:
    spec = replace(metric(prometheus, bad=BAD, total=TOTAL), alpha=0.01)
    long = replace(QUERY, end=START + timedelta(minutes=20))
    bad = judge(Check(parse_condition("m < 0.1%"), rollback=False, at=()), spec, observe(spec, long, Path("/nowhere")))
    good = judge(Check(parse_condition("m < 2%"), rollback=False, at=()), spec, observe(spec, long, Path("/nowhere")))

    assert bad.verdict is Verdict.FAILED
    assert bad.decided_at is not None
    assert START < bad.decided_at < START + timedelta(minutes=10)
    assert good.verdict is Verdict.PASSED
    assert good.samples == 8000


WORKFLOW = """apiVersion: framework0.io/v1
kind: ProductionWorkflow
spec:
  environments: {prod: {}}
  pipeline_stages:
    - name: to_prod
      environment: prod
      validation: {duration: 5m, success_criteria: [error_rate < BOUND, "latency_p95 <= baseline * 1.2"]}
  metrics:
    error_rate: {provider: prometheus, url: URL, bad: 'BAD', total: 'TOTAL', interval: 30s}
    latency_p95: {provider: prometheus, url: URL, query: 'LATE', unit: s, interval: 1m}
"""


@pytest.mark.parametrize(("bound", "rolled_back"), [("5%", 0), ("0.1%", 4)])
def test_history_is_replayed_over_a_range(tmp_path: Path, prometheus: Prometheus, bound: str, rolled_back: int) -> None:
    text = WORKFLOW.replace("BOUND", bound).replace("URL", prometheus.url)
    for name, query in (("BAD", BAD), ("TOTAL", TOTAL), ("LATE", LATE)):
        text = text.replace(f"'{name}'", "'" + query.replace("'", "''") + "'")
    (tmp_path / "workflow.yaml").write_text(text)
    start, end = START, START + timedelta(minutes=20)
    request = ReplayRequest("workflow.yaml", start, end, injections=("error_rate=20%", "latency_p95=*10"))
    (prod,) = replay_gates(tmp_path, request)

    assert (prod.healthy.count, prod.healthy.failed, prod.healthy.undecided) == (4, rolled_back, 0)
    found = prod.injected["error_rate=20%"]
    assert found.failed == found.count == 4 - rolled_back
    assert (found.delay(0.95) or 0) <= 60
