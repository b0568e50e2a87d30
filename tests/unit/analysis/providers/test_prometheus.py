from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from f0ci.analysis.judging import Verdict, judge
from f0ci.analysis.measuring import measure as measure_metric
from f0ci.analysis.providers.base import Measurement, Query, nothing
from f0ci.analysis.providers.prometheus import measure
from f0ci.core.errors import ProviderError
from f0ci.workflows.conditions import parse_condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Check
from tests.docs.pages import blocks, workflow
from tests.local_service import Reply, local_service, one_after_another
from tests.unit.analysis.providers.conftest import T0, Prometheus, until

# asked long after, which must make no difference
START, END, NOW = T0 + timedelta(minutes=5), T0 + timedelta(minutes=15), datetime(2024, 6, 1, tzinfo=UTC)
QUERY = Query("prod", "abc123", START, END, NOW, metric="m")
NOWHERE = Path("/nowhere")


def ask(url: str, settings: dict[str, Any], query: Query = QUERY) -> Measurement:
    return measure(replace(query, settings={"url": url, **settings}), NOWHERE)


def requests(code: str = "") -> str:
    return f'sum(increase(http_requests_total{{env="{{{{ environment }}}}"{code}}}[{{{{ window }}}}s]))'


BAD, TOTAL = requests(', code=~"5.."'), requests()
ONE = Measurement(1, 1)
ANSWERS: list[tuple[str, str, dict[str, Any], Measurement]] = [
    ("a number", "prod", {"query": TOTAL}, Measurement(4000, 1)),
    ("a scalar", "prod", {"query": "1.5"}, Measurement(1.5, 1)),
    ("the window's end", "prod", {"query": 'queue{env="prod"}'}, Measurement(60, 1)),
    ("bad of total", "prod", {"bad": BAD, "total": TOTAL}, Measurement(0.01, 4000, "ratio", hits=40)),
    (
        "good of total",
        "prod",
        {"good": requests(', code!~"5.."'), "total": TOTAL},
        Measurement(0.99, 4000, "ratio", hits=3960),
    ),
    ("no traffic", "idle", {"bad": BAD, "total": TOTAL}, Measurement(None, 0, no_traffic=True)),
    ("no total", "qa", {"bad": BAD, "total": TOTAL}, nothing("no series answers 'total'", unmatched=True)),
    (
        "none is not zero",
        "staging",
        {"bad": BAD, "total": TOTAL},
        nothing("no series answers 'bad'; where that means none, end it with 'or vector(0)'", unmatched=True),
    ),
    (
        "none is said to be zero",
        "staging",
        {"bad": f"{BAD} or vector(0)", "total": TOTAL},
        Measurement(0, 400, "ratio", hits=0),
    ),
    ("several counts", "prod", {"bad": "http_requests_total", "total": TOTAL}, Measurement(None, 0, series=4)),
    ("several totals", "prod", {"bad": BAD, "total": "http_requests_total"}, Measurement(None, 0, series=4)),
    ("no series", "prod", {"query": "no_such_metric"}, nothing("no series answers 'query'", unmatched=True)),
    ("several series", "prod", {"query": 'http_requests_total{env="prod"}'}, Measurement(None, 0, series=2)),
    ("NaN", "prod", {"query": "0 / 0"}, Measurement(None, 0, note="it is not a number")),
    ("infinite", "prod", {"query": "1 / 0"}, Measurement(math.inf, 1)),
    ("infinite below", "prod", {"query": "vector(-1) / 0"}, Measurement(-math.inf, 1)),
    (
        "a quantile",
        "prod",
        {
            "query": "histogram_quantile(0.95, sum by (le) "
            '(rate(http_request_duration_seconds_bucket{env="prod"}[{{ window }}s])))',
            "samples": TOTAL,
        },
        Measurement(0.75, 4000),
    ),
    ("part of a sample", "prod", {"query": "1", "samples": "99.9"}, Measurement(1, 99)),
    ("no samples", "prod", {"query": "0 / 0", "samples": "vector(0)"}, Measurement(None, 0, no_traffic=True)),
    (
        "no samples of several series",
        "prod",
        {"query": "http_requests_total", "samples": "vector(0)"},
        Measurement(None, 0, series=4),
    ),
    ("unknown samples", "prod", {"query": "1", "samples": "no_such_metric"}, Measurement(1, 0)),
    ("samples that are NaN", "prod", {"query": "1", "samples": "0 / 0"}, Measurement(1, 0)),
    ("the mean over the window", "prod", {"query": "queue", "step": "1m"}, Measurement(42, 10)),
    ("the highest", "prod", {"query": "queue", "step": "1m", "aggregate": "max"}, Measurement(60, 10)),
    (
        "the lowest after the first step",
        "prod",
        {"query": "queue", "step": "5m", "aggregate": "min"},
        Measurement(40, 2),
    ),
    ("the last", "prod", {"query": "queue", "step": "4m", "aggregate": "last"}, Measurement(52, 2)),
    ("a percentile", "prod", {"query": "queue", "step": "1m", "aggregate": "p90"}, Measurement(56, 10)),
    ("over the window, counted", "prod", {"query": "queue", "step": "5m", "samples": "7"}, Measurement(50, 7)),
    (
        "over the window, partly NaN",
        "prod",
        {"query": "(queue > 58) + 0 or 0 / (queue - queue)", "step": "1m"},
        Measurement(60, 1),
    ),
    (
        "over the window, only NaN",
        "prod",
        {"query": "0 / (queue - queue)", "step": "1m"},
        Measurement(None, 0, note="it is not a number"),
    ),
    (
        "over the window, once infinite",
        "prod",
        {"query": "1 / (queue - 40)", "step": "1m", "aggregate": "min"},
        Measurement(math.inf, 10),
    ),
    (
        "over the window, none",
        "prod",
        {"query": "no_such_metric", "step": "1m"},
        nothing("no series answers 'query'", unmatched=True),
    ),
    (
        "over the window, several",
        "prod",
        {"query": "http_requests_total", "step": "1m"},
        Measurement(None, 0, series=4),
    ),
    (
        "a step too long",
        "prod",
        {"query": "queue", "step": "11m"},
        nothing("the window is shorter than the step of 11m"),
    ),
    ("times", "prod", {"query": "vector({{ end }} - {{ start }} - {{ window }} + 1)"}, ONE),
    ("a time of its own", "prod", {"query": "queue @ {{ start }}"}, Measurement(20, 1)),
    ("the release", "prod", {"query": 'count(http_requests_total{release="#{release}", code="500"})'}, ONE),
    ("calculated", "prod", {"query": "vector({{ window // 2 + (end - end) }})"}, Measurement(300, 1)),
    ("odd name, double quotes", "a\"b\\c`d'e", {"query": 'odd{env="{{ environment }}"}'}, Measurement(3, 1)),
    ("odd name, single quotes", "a\"b\\c`d'e", {"query": "odd{env='{{ environment }}'}"}, Measurement(3, 1)),
    (
        "no name ends its quotes",
        'x"} or queue{env="prod',
        {"query": 'queue{env="{{ environment }}"}'},
        nothing("no series answers 'query'", unmatched=True),
    ),
    (
        "nor backticks",
        "x`} or queue{env=`prod",
        {"query": "queue{env=`{{ environment }}`}"},
        nothing("no series answers 'query'", unmatched=True),
    ),
]


@pytest.mark.parametrize(
    ("environment", "settings", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_what_prometheus_answers(
    prometheus: Prometheus, environment: str, settings: dict[str, Any], answer: Measurement
) -> None:
    measured = ask(prometheus.url, settings, replace(QUERY, environment=environment))

    assert replace(measured, value=None, note="") == replace(answer, value=None, note="")
    assert measured.value == pytest.approx(answer.value)
    assert measured.note == answer.note or not answer.note


REFUSALS: list[tuple[str, dict[str, Any], str, str]] = [
    ("no PromQL", {"query": "sum("}, "Prometheus cannot answer 'query': bad_data: invalid parameter", "itself: sum("),
    ("half a ratio", {"bad": "sum(", "total": TOTAL}, "Prometheus cannot answer 'bad': bad_data", "itself: sum("),
    ("no samples", {"query": "1", "samples": "sum("}, "Prometheus cannot answer 'samples': bad_data", "itself: sum("),
    (
        "not possible",
        {"query": "http_requests_total * on() http_requests_total"},
        "Prometheus cannot answer 'query': execution: found duplicate series",
        "itself",
    ),
    ("a range", {"query": "queue[5m]"}, "'query' yields a matrix, not one number", "max_over_time()"),
    ("an empty range", {"query": "no_such_metric[5m]"}, "'query' yields a matrix, not one number", "max_over_time()"),
    ("a text", {"query": '"a"'}, "'query' yields a string, not one number", "ask for one"),
    ("negative samples", {"query": "1", "samples": "-5"}, "'samples' of metric 'm' is no count", "sum()"),
    ("infinite samples", {"query": "1", "samples": "1 / 0"}, "'samples' of metric 'm' is no count", "sum()"),
    (
        "several samples",
        {"query": "1", "samples": "http_requests_total"},
        "'samples' of metric 'm' is no count",
        "sum()",
    ),
    ("more bad than all", {"bad": "5", "total": "4"}, "'bad' is 5, more than the 4 of 'total'", "the same requests"),
    ("a step of nothing", {"query": "queue", "step": "0s"}, "zero or negative query resolution", "itself"),
    ("too many steps", {"query": "queue", "step": "1ms"}, "exceeded maximum resolution", "itself"),
    ("no step", {"query": "queue", "step": "soon"}, "'step' of metric 'm': 'soon' is not a duration", "30s"),
    ("no aggregate", {"query": "queue", "aggregate": "sum"}, "'sum' is no way to aggregate", "mean"),
    ("unknown placeholder", {"query": "{{ enviroment }}"}, "'query' of metric 'm': ", "'environment'"),
    ("no expression", {"query": "{{ window + }}"}, "'query' of metric 'm': ", ""),
    ("a run's value", {"query": "{{ context.get('x') }}"}, "'query' of metric 'm': ", ""),
    ("nothing to ask", {}, "metric 'm' does not say what to ask", "'query'"),
    ("twice", {"query": "1", "total": "1"}, "metric 'm' does not say what to ask", "'query'"),
    ("half", {"good": "1"}, "metric 'm' does not say what to ask", "'total'"),
]


@pytest.mark.parametrize(
    ("settings", "message", "hint"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_what_is_no_answer(prometheus: Prometheus, settings: dict[str, Any], message: str, hint: str) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(prometheus.url, settings)

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("suffix", ["", "/"])
def test_an_address_may_end_in_a_slash(prometheus: Prometheus, suffix: str) -> None:
    assert ask(prometheus.url + suffix, {"query": "1"}) == ONE


def test_an_address_that_is_not_prometheus_is_said_so(prometheus: Prometheus) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(f"{prometheus.url}/prefix", {"query": "1"})

    assert str(caught.value) == f"{prometheus.url}/prefix/api/v1/query answered 404: 404 page not found"
    assert caught.value.hint == "check the address"


def test_a_moment_before_anything_happened_is_no_error(prometheus: Prometheus) -> None:
    # as it is asked when a promotion is planned, to find what is misspelt
    settings = {"bad": f"{BAD} or vector(0)", "total": TOTAL}

    assert ask(prometheus.url, settings, replace(QUERY, start=END, end=END)) == nothing(
        "no series answers 'total'", unmatched=True
    )


def test_the_present_is_measured_while_it_happens(prometheus: Prometheus) -> None:
    began = datetime.now(UTC)
    total = 'sum(increase(live_requests_total{env="{{ environment }}"}[{{ window }}s]))'
    spec = MetricSpec("m", "prometheus", {"url": prometheus.url, "bad": "vector(0)", "total": total}, "%", 20)
    check = Check(parse_condition("m < 1%"), rollback=False, at=())
    seen: list[Verdict] = []

    def passed() -> bool:
        now = datetime.now(UTC)
        seen.append(
            judge(check, spec, measure_metric(spec, replace(QUERY, start=began, end=now, now=now), NOWHERE)).verdict
        )
        return seen[-1] is Verdict.PASSED

    until(passed, "a measurement that passes")
    assert set(seen) <= {Verdict.INSUFFICIENT_DATA, Verdict.PASSED}

    prometheus.pause_watching.set()
    try:
        until(
            lambda: ask(prometheus.url, {"query": "up"}, replace(QUERY, end=datetime.now(UTC))).value == 0, "a failure"
        )
        now = datetime.now(UTC)
        gone = ask(prometheus.url, {"query": "live_requests_total"}, replace(QUERY, start=began, end=now, now=now))
        assert gone == nothing("no series answers 'query'", unmatched=True)
    finally:
        prometheus.pause_watching.clear()


def vector(*values: Any, **more: Any) -> dict[str, Any]:
    result = [{"metric": {}, "value": [1704068100.123, value]} for value in values]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


# as the documentation of the HTTP API describes answers that no test could make a real one give
SHAPES: list[tuple[str, dict[str, Any], dict[str, Any], Measurement]] = [
    ("infos", vector("1", infos=["PromQL info: metric might not be a counter"]), {}, ONE),
    ("infos among warnings", vector("1", warnings=["PromQL info: metric might not be a counter"]), {}, ONE),
    ("no warnings", vector("1", warnings=[]), {}, ONE),
    (
        "warnings that are allowed",
        vector("1", warnings=["no store matched", "second"]),
        {"allow_warnings": True},
        replace(ONE, note="no store matched; second"),
    ),
    ("infinite", vector("+Inf"), {}, Measurement(math.inf, 1)),
    ("exponent", vector("1e-05"), {}, Measurement(0.00001, 1)),
]
URL = "http://metrics.example.com"


@pytest.mark.parametrize(("body", "settings", "answer"), [row[1:] for row in SHAPES], ids=[row[0] for row in SHAPES])
def test_answers_as_documented(body: dict[str, Any], settings: dict[str, Any], answer: Measurement) -> None:
    with responses.RequestsMock() as mocked:
        mocked.get(f"{URL}/api/v1/query", json=body)

        assert ask(URL, {"query": "x", **settings}) == answer


HISTOGRAM = {"metric": {}, "histogram": [1704068100, {"count": "2", "sum": "3", "buckets": []}]}
FAULTS: list[tuple[str, Any, int, str, str]] = [
    (
        "a warning",
        vector("1", warnings=["store 2 is down"]),
        200,
        "Prometheus warns of its answer to 'query': store 2",
        "allow",
    ),
    (
        "a PromQL warning",
        vector("1", warnings=["PromQL warning: bucket label 'le' is missing"]),
        200,
        "PromQL warning",
        "allow",
    ),
    (
        "an error with status 200",
        {"status": "error", "errorType": "internal", "error": "odd"},
        200,
        "Prometheus cannot answer 'query': internal: odd",
        "in Prometheus itself: x",
    ),
    (
        "its time is over",
        {"status": "error", "errorType": "timeout", "error": "query timed out in expression evaluation"},
        503,
        "timeout: query timed out",
        "itself",
    ),
    (
        "an error that is no text",
        {"status": "error", "error": {"a": 1}},
        422,
        "cannot answer 'query': None: {'a': 1}",
        "",
    ),
    ("another error", {"message": "Forbidden"}, 403, 'answered 403: {"message": "Forbidden"}', "credentials"),
    (
        "a native histogram",
        {"status": "success", "data": {"resultType": "vector", "result": [HISTOGRAM]}},
        200,
        "'query' yields a histogram, not one number",
        "histogram_quantile()",
    ),
    ("another service", {"version": 3}, 200, "what answers 'query' does not speak Prometheus's API", "before /api/v1"),
    ("a list", [], 200, "does not speak Prometheus's API", "before /api/v1"),
    ("null", None, 200, "does not speak Prometheus's API", "before /api/v1"),
    ("no data", {"status": "success", "data": None}, 200, "does not speak Prometheus's API", "before /api/v1"),
    ("no result", {"data": {"resultType": "vector"}}, 200, "does not speak Prometheus's API", "before /api/v1"),
    ("no value", {"data": {"resultType": "vector", "result": [{}]}}, 200, "does not speak", "before /api/v1"),
    ("a word", vector("many"), 200, "does not speak Prometheus's API", "before /api/v1"),
    ("null as a value", vector(None), 200, "does not speak Prometheus's API", "before /api/v1"),
    ("an empty scalar", {"data": {"resultType": "scalar", "result": []}}, 200, "does not speak", "before /api/v1"),
]


@pytest.mark.parametrize(
    ("body", "status", "message", "hint"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_faults_as_documented(body: Any, status: int, message: str, hint: str) -> None:
    with responses.RequestsMock() as mocked:
        mocked.get(f"{URL}/api/v1/query", body=json.dumps(body), status=status)
        with pytest.raises(ProviderError) as caught:
            # too short a time to ask again
            ask(URL, {"query": "x", "timeout": "400ms"})

    assert message in caught.value.message
    assert hint in (caught.value.hint or "")


ASKED: list[tuple[timedelta, dict[str, Any], str, dict[str, str]]] = [
    (timedelta(minutes=10), {}, "/api/v1/query", {"query": "x", "time": "1704068100.500"}),
    # older samples than the window say nothing about it
    (
        timedelta(minutes=2),
        {},
        "/api/v1/query",
        {"query": "x", "time": "1704068100.500", "lookback_delta": "120s"},
    ),
    (timedelta(), {}, "/api/v1/query", {"query": "x", "time": "1704068100.500", "lookback_delta": "1s"}),
    (
        timedelta(minutes=10),
        {"step": "15s"},
        "/api/v1/query_range",
        {
            "query": "x",
            "start": "1704067515.500",
            "end": "1704068100.500",
            "step": "15.000",
            "lookback_delta": "15.000",
        },
    ),
    (
        timedelta(minutes=10),
        {"step": "6m"},
        "/api/v1/query_range",
        {
            "query": "x",
            "start": "1704067860.500",
            "end": "1704068100.500",
            "step": "360.000",
            "lookback_delta": "300.000",
        },
    ),
]


@pytest.mark.parametrize(("window", "settings", "path", "query"), ASKED)
def test_what_is_asked(window: timedelta, settings: dict[str, Any], path: str, query: dict[str, str]) -> None:
    end = END + timedelta(milliseconds=500)
    empty = {"status": "success", "data": {"resultType": "matrix" if settings else "vector", "result": []}}
    with local_service(one_after_another(Reply(empty))) as service:
        measured = ask(
            f"{service.url}/{{{{ environment }}}}",
            {"query": "x", "headers": {"X-Scope-OrgID": "team-{{ environment }}"}, **settings},
            replace(QUERY, start=end - window, end=end),
        )

    assert measured == nothing("no series answers 'query'", unmatched=True)
    (asked,) = service.asked
    assert (asked.path, asked.query) == (f"/prod{path}", query)
    assert asked.headers["x-scope-orgid"] == "team-prod"


def test_what_a_service_says_is_shown_without_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "planted-token")
    error = {"status": "error", "errorType": "bad_data", "error": "no planted-token\x1b[0m here"}
    with local_service(one_after_another(Reply(error, 400))) as service, pytest.raises(ProviderError) as caught:
        ask(service.url, {"query": "x", "token_env": "METRICS_TOKEN"})

    assert caught.value.message == "Prometheus cannot answer 'query': bad_data: no ***?[0m here"
    assert service.asked[0].headers["authorization"] == "Bearer planted-token"


EXAMPLES = [
    spec
    for block in blocks("metrics.md", "yaml")
    for spec in workflow(block).metrics.values()
    if spec.provider == "prometheus"
]


@pytest.mark.parametrize("spec", EXAMPLES, ids=[spec.name for spec in EXAMPLES])
def test_the_examples_of_the_page_are_questions_that_prometheus_understands(
    prometheus: Prometheus, monkeypatch: pytest.MonkeyPatch, spec: MetricSpec
) -> None:
    monkeypatch.setenv("PROMETHEUS_TOKEN", "planted-token")
    here = replace(spec, settings={**spec.settings, "url": prometheus.url})
    measured = measure_metric(here, QUERY, NOWHERE)

    assert measured.error is None
    if spec.name == "error_rate":
        assert measured == Measurement(0.01, 4000, "ratio", hits=40)
