from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from f0ci.analysis.judging import Verdict, judge
from f0ci.analysis.measuring import PROVIDERS, measure
from f0ci.analysis.placeholders import fill
from f0ci.analysis.providers.base import Measurement, Query
from f0ci.core import plugins
from f0ci.source.project import Project
from f0ci.source.schema import load_schema
from f0ci.source.tree import MemoryTree
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.units import UNITS
from tests.docs.pages import blocks, page, workflow, workflow_text
from tests.local_service import Reply, local_service, one_after_another

PAGE = "metrics.md"
EXAMPLES = blocks(PAGE, "yaml")
START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
QUERY = Query("prod", "abc123", START, START + timedelta(minutes=10), START + timedelta(minutes=10), baseline="def456")


def metric(name: str) -> MetricSpec:
    return next(read.metrics[name] for read in map(workflow, EXAMPLES) if name in read.metrics)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_workflows(example: str) -> None:
    from f0ci.lint.engine import lint
    from f0ci.lint.workspace import load_workspace

    read = workflow(example)
    tree = MemoryTree({"workflow.yaml": workflow_text(example).encode(), "environments/prod/config.json": b"{}"})
    found = lint(load_workspace(tree, Project()))

    assert read.metrics
    assert {spec.provider for spec in read.metrics.values()} <= set(plugins.names(PROVIDERS))
    assert not [str(one) for one in found if "metric" in one.rule or one.rule in {"bad-condition", "unit-mismatch"}]


def test_the_first_example_is_judged_as_the_page_says(tmp_path: Path) -> None:
    read = workflow(EXAMPLES[0])
    prod = read.environment("prod")
    (table,) = blocks(PAGE, "csv")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics/latency.csv").write_text(table)

    assert prod is not None
    assert (prod.strategy, prod.duration) == ("canary", timedelta(minutes=10))
    assert [(str(check.condition), check.rollback) for check in prod.checks] == [
        ("error_rate < 1%", False),
        ("latency_p95 <= 800ms", False),
        ("error_rate > 5%", True),
    ]
    measured = measure(read.metrics["latency_p95"], QUERY, tmp_path)
    assert measured == Measurement(420, 2, "ms")
    assert judge(prod.checks[1], read.metrics["latency_p95"], measured).verdict is Verdict.PASSED


def test_the_answer_of_the_page_is_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_STATS_KEY", "planted")
    spec = metric("failed_payments")
    (body,) = blocks(PAGE, "json")
    with local_service(one_after_another(Reply(json.loads(body)))) as service:
        url = str(spec.settings["url"]).replace("https://shop.example.com", service.url)
        measured = measure(replace(spec, settings={**spec.settings, "url": url}), QUERY, Path("/nowhere"))

    assert measured == Measurement(0.005, 400, "ratio", hits=2)
    assert service.asked[0].query == {"env": "prod", "from": "2026-11-21T09:00:00Z", "to": "2026-11-21T09:10:00Z"}


def test_every_setting_is_described() -> None:
    definitions: dict[str, Any] = load_schema("workflow")["$defs"]
    kinds = (
        "metric",
        "fileMetric",
        "commandMetric",
        "prometheusMetric",
        "httpJsonMetric",
        "runsMetric",
        "anomalyMetric",
    )
    settings = {key for kind in kinds for key in definitions[kind]["properties"]}

    assert {key for key in settings if f"`{key}`" not in page(PAGE)} == set()


def test_every_provider_verdict_unit_and_placeholder_is_named() -> None:
    words = [*(f"provider: {name}" for name in plugins.names(PROVIDERS)), *(f"`{verdict}`" for verdict in Verdict)]

    assert [word for word in [*words, *(f"`{unit}`" for unit in UNITS)] if word not in page(PAGE)] == []
    for row in page(PAGE).splitlines():
        if row.startswith("| `{{"):
            for placeholder in row.split("|")[1].replace("`", "").split(","):
                assert fill(placeholder.strip(), QUERY, str, "query") not in {"", placeholder}


@pytest.mark.parametrize("example", EXAMPLES)
def test_addresses_are_of_nobody(example: str) -> None:
    for spec in workflow(example).metrics.values():
        url = spec.settings.get("url")
        if url is not None:
            host = urlsplit(fill(str(url), QUERY, str, "url")).hostname or ""
            assert host.endswith((".example.com", ".internal"))
