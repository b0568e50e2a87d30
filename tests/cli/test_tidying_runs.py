"""`f0ci runs prune`, and what a trace of a run is told."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from f0ci.runner.collecting import collector
from f0ci.runner.engine import EmbeddedEngine, Order
from f0ci.runner.frozen import freeze
from f0ci.runner.journal import Journal, default_path
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import PROMOTION
from f0ci.source.project import Project
from tests.cli.conftest import Command
from tests.conftest import write_files
from tests.local_service import Reply, local_service

ASK = "metadata: {name: ask}\nsteps: [{name: ask, type: wait, args: {approval: true}}, {name: after, run: 'true'}]\n"
FAIL = "metadata: {name: fail}\nsteps: [{name: fail, run: 'false'}]\n"
TELL = "metadata: {name: tell}\nsteps: [{name: tell, run: 'echo $R', args: {R: '#{release}'}}]\n"
DAY = 86_400.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with recipes."""
    root = tmp_path / "project"
    files = {"f0ci.yaml": "version: 1\n", "recipes/ask.yaml": ASK, "recipes/tell.yaml": TELL}
    files["recipes/fail.yaml"] = FAIL
    write_files(root, {**files, "environments/dev/config.yaml": "{}\n"})
    return root


def age(root: Path, run: str, days: float) -> None:
    """Make a run as old as that."""
    with Journal(default_path(root)) as journal, journal.transaction() as connection:
        connection.execute("UPDATE runs SET ended = ended - ? WHERE run = ?", (days * DAY, run))


def runs(root: Path, f0ci: Command) -> set[str]:
    return {row["run"] for row in json.loads(f0ci(root, "runs", "--format", "json").out)["runs"]}


def test_a_run_of_a_promotion_is_taken_further_by_that_alone(project: Path, f0ci: Command) -> None:
    plan = freeze(project, Project(), "recipes/tell.yaml", None)
    with Journal(default_path(project)) as journal:
        EmbeddedEngine(journal).start(Order(plan, options=RunOptions(run="left", variables={PROMOTION: "dev-7"})))

    for args in (("--resume", "left"), ("--resume", "left", "--from", "tell")):
        refused = f0ci(project, "run", *args)
        assert refused.code == 4
        assert "deployed for the promotion 'dev-7'" in refused.err
        assert "f0ci promote --continue dev-7" in refused.err
    assert f0ci(project, "runs", "prune", "--older-than", "1d").code == 0
    assert runs(project, f0ci) == {"left"}
    assert f0ci(project, "runs", "prune", "--older-than", "0").code == 0
    assert runs(project, f0ci) == set()


def test_old_runs_are_forgotten_and_only_those_that_are_over(project: Path, f0ci: Command) -> None:
    for run in ("old", "young"):
        assert f0ci(project, "run", "recipes/tell.yaml", "--run-id", run, "--quiet").code == 0
    assert f0ci(project, "run", "recipes/ask.yaml", "--run-id", "waits", "--quiet").code == 5
    age(project, "old", 31)
    age(project, "young", 29)
    age(project, "waits", 100)

    shown = f0ci(project, "runs", "prune", "--older-than", "30d", "--dry-run")
    assert (shown.code, shown.out.split()[0], "1 run would be forgotten" in shown.err) == (0, "old", True)
    assert runs(project, f0ci) == {"old", "young", "waits"}

    done = f0ci(project, "runs", "prune", "--older-than", "30d", "--format", "json")
    assert [row["run"] for row in json.loads(done.out)["runs"]] == ["old"]
    assert runs(project, f0ci) == {"young", "waits"}
    with Journal(default_path(project)) as journal:
        assert {run for (run,) in journal.rows("SELECT run FROM steps")} == {"young", "waits"}
        assert len(journal.rows("SELECT plan FROM plans")) == 2

    assert f0ci(project, "runs", "prune", "--older-than", "0").code == 0
    with Journal(default_path(project)) as journal:
        assert len(journal.rows("SELECT plan FROM plans")) == 1
    f0ci(project, "runs", "send", "waits", "ask", "--approve", "--by", "alice", "--later")
    assert f0ci(project, "run", "--resume", "waits", "--quiet").code == 0


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ("soon", 2, "--older-than is 'soon'"),
        ("99999w", 0, "0 runs forgotten"),
    ],
)
def test_an_age_is_read(project: Path, f0ci: Command, given: str, code: int, words: str) -> None:
    f0ci(project, "run", "recipes/tell.yaml", "--quiet")
    answer = f0ci(project, "runs", "prune", "--older-than", given)
    assert (answer.code, words in answer.err) == (code, True)


def test_a_trace_names_environment_release_and_run_also_when_the_run_goes_on(
    project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = ("-e", "dev", "--release", "rel-9", "--run-id", "r-1", "--otel", "--quiet")
    with local_service(lambda _: Reply(b"")) as service:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", service.url)
        assert f0ci(project, "run", "recipes/ask.yaml", *given).code == 5
        first = b"".join(asked.body for asked in service.asked)
        service.asked.clear()
        f0ci(project, "runs", "send", "r-1", "ask", "--approve", "--by", "alice", "--later")
        assert f0ci(project, "run", "--resume", "r-1", "--otel", "--quiet").code == 0
        second = b"".join(asked.body for asked in service.asked)

    for sent in (first, second):
        for name, value in (("environment", "dev"), ("release", "rel-9"), ("run", "r-1"), ("recipe", "recipes/ask")):
            assert f"f0ci.{name}".encode() in sent
            assert value.encode() in sent


@pytest.fixture
def closed() -> Iterator[str]:
    """Return the address of a port at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        # taken, and never listened at, so that nobody else can get it meanwhile
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.fixture
def silent() -> Iterator[str]:
    """Return the address of a port that takes connections, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@pytest.fixture
def refusing() -> Iterator[str]:
    """Return the address of a service that takes no spans from us."""
    with local_service(lambda _: Reply(b"who are you", 401)) as service:
        yield service.url


@pytest.mark.parametrize(
    ("where", "recipe", "code", "words"),
    [
        ("closed", "tell", 0, "connection refused"),
        ("closed", "fail", 1, "connection refused"),
        ("closed", "ask", 5, "connection refused"),
        ("silent", "tell", 0, "no answer "),
        ("refusing", "tell", 0, "it answered 401"),
    ],
)
def test_a_collector_that_is_away_costs_one_line_and_no_exit_code(
    project: Path, request: pytest.FixtureRequest, where: str, recipe: str, code: int, words: str
) -> None:
    url: str = request.getfixturevalue(where)
    # as its own process, in which nobody else takes what OpenTelemetry logs
    done = subprocess.run(
        [sys.executable, "-m", "f0ci", "-C", str(project), "run", f"recipes/{recipe}.yaml", "--otel", "--quiet"],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_TIMEOUT": "2"},
        capture_output=True,
        text=True,
        check=False,
        # by itself it would stay for ten seconds at least
        timeout=9,
    )

    first, *others = done.stderr.splitlines()
    assert done.returncode == code
    assert first.startswith(f"the trace did not reach the collector at {url!r}: {words}")
    assert first.endswith("; start one there, or name another: OTEL_EXPORTER_OTLP_ENDPOINT")
    assert [line for line in others if not line.startswith(("tell it with", "go on with"))] == []


def test_an_address_of_a_collector_is_shown_without_its_password(
    project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://me:planted-secret@127.0.0.1:99999")
    answer = f0ci(project, "run", "recipes/tell.yaml", "--otel", "--quiet")
    assert (answer.code, "at 'http://127.0.0.1:99999': that is no address" in answer.err) == (0, True)
    assert "planted-secret" not in answer.out + answer.err


def test_settings_of_opentelemetry_that_make_no_sense_start_nothing(
    project: Path, f0ci: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")
    answer = f0ci(project, "run", "recipes/tell.yaml", "--otel", "--quiet")
    assert (answer.code, answer.out) == (3, "")
    assert "OpenTelemetry cannot send: could not convert string to float: 'soon'" in answer.err
    assert "check the variables that begin with OTEL_" in answer.err


def test_what_arrived_before_the_collector_went_away_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    away = threading.Event()
    told: list[str] = []
    with local_service(lambda _: Reply(b"", 400 if away.is_set() else 200)) as service:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", service.url)
        with collector(told.append) as provider:
            provider.get_tracer("test").start_span("one").end()
            assert provider.force_flush()
            away.set()
            provider.get_tracer("test").start_span("two").end()
    assert len(service.asked) == 2
    assert [text.partition(";")[0] for text in told] == [
        f"part of the trace did not reach the collector at {service.url!r}: it answered 400"
    ]


def test_expressions_and_records_know_the_release(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes/tell.yaml", "--release", "rel-9", "--format", "json", "--quiet")
    record = json.loads(answer.out)
    assert (record["release"], record["steps"][0]["output"].strip()) == ("rel-9", "rel-9")


def test_the_states_that_can_be_asked_for_are_those_that_are_recorded() -> None:
    from f0ci.cli.runs import STATES
    from f0ci.runner.runs import OVER

    assert set(STATES) == OVER | {"queued", "running", "waiting", "stopped"}
