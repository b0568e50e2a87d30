"""`f0ci runs prune`, and what a trace of a run is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
TELL = "metadata: {name: tell}\nsteps: [{name: tell, run: 'echo $R', args: {R: '#{release}'}}]\n"
DAY = 86_400.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository with recipes."""
    root = tmp_path / "project"
    files = {"f0ci.yaml": "version: 1\n", "recipes/ask.yaml": ASK, "recipes/tell.yaml": TELL}
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
    assert (shown.code, shown.out.split()[0], "1 runs would be forgotten" in shown.err) == (0, "old", True)
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


def test_expressions_and_records_know_the_release(project: Path, f0ci: Command) -> None:
    answer = f0ci(project, "run", "recipes/tell.yaml", "--release", "rel-9", "--format", "json", "--quiet")
    record = json.loads(answer.out)
    assert (record["release"], record["steps"][0]["output"].strip()) == ("rel-9", "rel-9")


def test_the_states_that_can_be_asked_for_are_those_that_are_recorded() -> None:
    from f0ci.cli.runs import STATES
    from f0ci.runner.runs import OVER

    assert set(STATES) == OVER | {"queued", "running", "waiting", "stopped"}
