from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.workflows.metrics import METRIC_KEYS, MetricSpec, Waiver, metric_from
from f0ci.workflows.units import Quantity
from tests.docs.pages import workflow

SETTINGS = "provider: file, path: m.csv, value: v"
READ: list[tuple[str, str, dict[str, Any]]] = [
    ("nothing said", "", {}),
    (
        "points",
        "interval: 30s, count: 5, delay: 15s",
        {
            "interval": timedelta(seconds=30),
            "count": 5,
            "delay": timedelta(seconds=15),
        },
    ),
    (
        "limits",
        "interval: 1m, failure_limit: 0, consecutive_error_limit: 0",
        {
            "interval": timedelta(minutes=1),
            "failure_limit": 0,
            "consecutive_error_limit": 0,
        },
    ),
    (
        "evidence",
        "judge: sequential, alpha: 0.05, regression: 1%",
        {
            "judge": "sequential",
            "alpha": 0.05,
            "regression": Quantity(1, "%"),
        },
    ),
    ("a share", "regression: 0.02", {"regression": Quantity(0.02)}),
    ("baselines", "baseline: before, dry_run: true", {"baseline": "before", "dry_run": True}),
    ("settings", "baseline: {value: old}", {"baseline": {"value": "old"}}),
    (
        "a waiver",
        "on_no_traffic: pass-with-waiver, waiver: {reason: night, until: 2026-12-31}",
        {
            "on_no_traffic": "pass-with-waiver",
            "waiver": Waiver("night", date(2026, 12, 31)),
        },
    ),
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in READ], ids=[row[0] for row in READ])
def test_what_is_declared(text: str, expected: dict[str, Any]) -> None:
    read = workflow(f"metrics:\n  m: {{{SETTINGS}{', ' + text if text else ''}}}\n").metrics["m"]
    settings = {"path": "m.csv", "value": "v"}

    assert read == MetricSpec("m", "file", settings, at=("spec", "metrics", "m"), **expected)


REFUSED = [
    ("a waiver is missing", "on_no_traffic: pass-with-waiver", "waiver"),
    ("a waiver without an end", "waiver: {reason: night}", "until"),
    ("points without an interval", "failure_limit: 1", "interval"),
    ("a count without an interval", "count: 3", "interval"),
    ("no chance at all", "alpha: 0", "false alarm"),
    ("half of all runs", "alpha: 0.7", "false alarm"),
    ("a regression of time", "regression: 5ms", "5ms"),
    ("an unknown judge", "judge: jury", "jury"),
    ("an unknown baseline", "baseline: yesterday", "yesterday"),
    ("an unknown policy", "on_no_traffic: pass", "pass"),
]


@pytest.mark.parametrize(("text", "word"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused_at_its_place(text: str, word: str) -> None:
    with pytest.raises(InputError) as refused:
        workflow(f"metrics:\n  m: {{{SETTINGS}, {text}}}\n")

    assert word in f"{refused.value} {refused.value.hint}"
    assert str(refused.value.place).startswith("workflow.yaml:")


def test_what_does_not_fit_is_left_at_its_default() -> None:
    odd: dict[str, Any] = {key: ["odd"] for key in METRIC_KEYS}

    assert metric_from("m", odd) == MetricSpec("m", "", at=("spec", "metrics", "m"))


@pytest.mark.parametrize(("moment", "counts"), [("2026-12-31T23:59:59", True), ("2027-01-01T00:00:00", False)])
def test_a_waiver_counts_through_its_last_day(moment: str, counts: bool) -> None:
    assert Waiver("night", date(2026, 12, 31)).counts_at(datetime.fromisoformat(moment).replace(tzinfo=UTC)) is counts
