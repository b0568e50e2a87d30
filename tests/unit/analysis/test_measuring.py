from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.analysis.measuring import measure, metric_spec
from f0ci.analysis.providers.base import Measurement, Query
from f0ci.source.document import parse_document
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.reading import workflow_from

START = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
QUERY = Query("prod", "", START, START + timedelta(minutes=5), START + timedelta(minutes=5))

ANSWERS: list[tuple[str, MetricSpec, Measurement]] = [
    ("the file", MetricSpec("m", "file", {"path": "m.csv", "value": "v"}, unit="ms"), Measurement(4, 1, unit="ms")),
    (
        "its own unit",
        MetricSpec("m", "file", {"path": "m.csv", "bad": "v", "total": "w"}, unit="%"),
        Measurement(0.5, 8, unit="ratio", hits=4),
    ),
    ("a command", MetricSpec("m", "command", {"run": "echo 2"}), Measurement(2, 1)),
    (
        "its error",
        MetricSpec("m", "file", {"path": "n.csv", "value": "v"}, unit="ms"),
        Measurement(
            None,
            0,
            "ms",
            0,
            "n.csv: there is no file 'n.csv'; "
            "check 'path'; what writes the file anew into each checkout is listed in .gitignore",
        ),
    ),
    (
        "no such provider",
        MetricSpec("m", "fill"),
        Measurement(None, 0, "", 0, "there is no metric provider 'fill'; did you mean 'file'?"),
    ),
    (
        "no provider",
        MetricSpec("m", ""),
        Measurement(
            None,
            0,
            "",
            0,
            "there is no metric provider ''; there are: anomaly, command, file, http-json, prometheus, runs",
        ),
    ),
]


@pytest.mark.parametrize(("spec", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_whatever_happens_is_an_answer(tmp_path: Path, spec: MetricSpec, answer: Measurement) -> None:
    (tmp_path / "m.csv").write_text("v,w\n4,8\n")

    assert measure(spec, QUERY, tmp_path) == answer


def test_a_detector_is_measured_by_the_command_it_is_bound_to() -> None:
    at = ("spec", "pipeline_stages", 0, "monitoring", "rollback_triggers")
    data: dict[str, Any] = {
        "spec": {
            "environments": {"prod": {}},
            "pipeline_stages": [
                {
                    "name": "s",
                    "environment": "prod",
                    "monitoring": {"rollback_triggers": ["bound", "loose", "measured"]},
                }
            ],
            "metrics": {"measured": {"provider": "file", "path": "m.csv", "value": "v"}},
            "bindings": {"detectors": {"bound": {"run": "./detect"}, "measured": {"run": "./other"}}},
        }
    }
    workflow = workflow_from(parse_document("workflow.json", json.dumps(data).encode()))

    assert metric_spec(workflow, "bound") == MetricSpec("bound", "command", {"run": "./detect"}, at=(*at, 0))
    assert metric_spec(workflow, "loose") is None
    assert metric_spec(workflow, "measured") == workflow.metrics["measured"]
    assert metric_spec(workflow, "unheard_of") is None
