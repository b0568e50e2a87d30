"""Events to a file and to OpenTelemetry."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from f0ci.core.errors import CannotWork
from f0ci.runner.event_log import event_log
from f0ci.runner.telemetry import spans
from tests.local_service import Reply, local_service
from tests.unit.runner.conftest import FAILING, LEGACY, Workspace

STEPS = (
    f"  - {{name: ok, {LEGACY}}}\n"
    "  - {name: call, type: sub_recipe, recipe_path: recipes/inner.yaml}\n"
    f"  - {{name: bad, {FAILING}, error_handling: {{retry_attempts: 1}}}}\n"
    f"  - {{name: never, {LEGACY}}}\n"
)


@pytest.fixture
def told(zoo: Workspace) -> Workspace:
    """Return a repository in which a recipe ran that has something of everything."""
    zoo.write("recipes/inner.yaml", f"metadata: {{}}\nsteps: [{{name: inside, {LEGACY}}}]\n")
    zoo.run(STEPS)
    return zoo


def test_every_event_is_a_line(told: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    with event_log(file, {"run_of": "recipes/test.yaml"}) as tell:
        for event in told.events:
            tell(event)
            # a follower sees each line at once
            assert file.read_text().endswith("\n")

    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["event"], line["step"]) for line in lines] == [
        ("step_started", "ok"),
        ("step_ended", "ok"),
        ("step_started", "call"),
        ("step_started", "call/inside"),
        ("step_ended", "call/inside"),
        ("step_ended", "call"),
        ("step_started", "bad"),
        ("step_retried", "bad"),
        ("step_ended", "bad"),
        ("step_skipped", "never"),
    ]
    assert lines[-2]["outcome"] == "failed"
    assert {line["run_of"] for line in lines} == {"recipes/test.yaml"}
    assert all(datetime.fromisoformat(line["time"]).tzinfo == UTC for line in lines)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotWork, match="cannot write events"), event_log(tmp_path, {}):
        pass


def test_spans_say_step_attempt_environment_and_release(told: Workspace) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    told_of = {"f0ci.environment": "dev", "f0ci.release": "abc", "f0ci.run": None}
    with spans("recipes/test.yaml", told_of, provider) as tell:
        for event in told.events:
            tell(event)

    found = {span.name: span for span in exporter.get_finished_spans()}
    assert set(found) == {"run recipes/test.yaml", "ok", "call", "call/inside", "bad", "bad attempt 1"}
    ids = {span.context.span_id: name for name, span in found.items() if span.context}
    parents = {name: ids[span.parent.span_id] for name, span in found.items() if span.parent}
    assert parents == {
        "ok": "run recipes/test.yaml",
        "call": "run recipes/test.yaml",
        "call/inside": "call",
        "bad": "run recipes/test.yaml",
        "bad attempt 1": "bad",
    }
    bad = found["bad"]
    assert bad.status.status_code is StatusCode.ERROR
    assert bad.attributes is not None
    assert bad.attributes["f0ci.step"] == "bad"
    assert bad.attributes["f0ci.attempt"] == 2
    assert bad.attributes["f0ci.environment"] == "dev"
    assert bad.attributes["f0ci.release"] == "abc"
    assert "f0ci.run" not in bad.attributes


def test_spans_reach_a_collector(told: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    with local_service(lambda _: Reply(b"")) as service:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", service.url)
        with spans("recipes/test.yaml", {}) as tell:
            for event in told.events:
                tell(event)

    assert {asked.path for asked in service.asked} == {"/v1/traces"}
    assert b"call/inside" in b"".join(asked.body for asked in service.asked)
