"""From the command line: releases go to workers of other clones, and what goes wrong is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.cli.boundary import run
from f0ci.runner.address import Address
from f0ci.runner.cluster import queues
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.journal import default_path
from tests.cli.conftest import Command, commands
from tests.conftest import RemoteRepository, commit_files, git, write_files
from tests.postgres import Server
from tests.unit.runner.cluster.conftest import StartWorker, wait_until

EXAMPLES = Path(__file__).parents[4] / "examples" / "cluster"
GREET = "recipes/greet_everybody.yaml"
ASK = (
    "metadata: {name: ask}\nsteps:\n  - {name: a, run: 'echo one'}\n"
    "  - {name: ask, type: wait, args: {approval: true}}\n"
)


@pytest.fixture
def f0ci(capsys: pytest.CaptureFixture[str]) -> Command:
    """Return a function that runs a command in a folder."""
    return commands(capsys)


@pytest.fixture
def engine(address: Address, monkeypatch: pytest.MonkeyPatch) -> Address:
    """Return the database, which all commands find."""
    monkeypatch.setenv("F0CI_ENGINE", address.url)
    return address


@pytest.mark.usefixtures("engine")
def test_a_release_is_carried_on_in_another_clone(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository], start_worker: StartWorker, tmp_path: Path
) -> None:
    here = make_remote_repository()
    assert f0ci(here.work, "init").code == 0
    commit_files(here.work, {}, "init")
    git(here.work, "push", "-q", "origin", "HEAD")
    there = here.clone(tmp_path / "there")
    start_worker(there)
    assert f0ci(here.work, "release", "create").code == 0
    # neither clone's own files are what runs
    write_files(here.work, {"scriptlets/greetings.py": "broken ="})
    write_files(there, {"scriptlets/greetings.py": "broken ="})

    done = f0ci(here.work, "run", GREET, "-e", "dev", "-p", "name=Ada", "--queue", "default", "--release", "latest")
    assert done.code == 0, done
    assert "passed" in done.out
    assert "> greet_person" in done.err
    (release,) = [path for path in (there / ".f0ci/releases").iterdir() if path.is_dir()]
    assert (release / "scriptlets/greetings.py").read_bytes() != b"broken ="
    assert not (release / ".pre-commit-config.yaml").exists()
    assert git(there, "status", "--porcelain") == " M scriptlets/greetings.py"

    # the record says what it would say here, and the run is known to every clone
    git(here.work, "checkout", "-q", "--", ".")
    plain = f0ci(here.work, "run", GREET, "-e", "dev", "-p", "name=Ada", "--here", "--format", "json", "--release", "x")
    elsewhere, _ = [json.loads(f0ci(there, "runs", "show", run, "--format", "json").out) for run in runs(f0ci, there)]
    assert shape(elsewhere["record"]) == shape(json.loads(plain.out))
    assert elsewhere["release"].startswith(release.name)


def runs(f0ci: Command, folder: Path) -> list[str]:
    """Return the runs of a database, the oldest first."""
    return [row["run"] for row in json.loads(f0ci(folder, "runs", "--format", "json").out)["runs"]][::-1]


def shape(record: dict[str, object]) -> object:
    """Return what two records of the same recipe have in common: all but names and times."""
    steps = record["steps"]
    assert isinstance(steps, list)
    own = {key: value for key, value in record.items() if key in {"recipe", "outcome", "environment", "parameters"}}
    return own | {"steps": [{key: one[key] for key in ("name", "outcome", "attempts", "outputs")} for one in steps]}


@pytest.mark.usefixtures("engine")
def test_runs_here_share_the_database(f0ci: Command, tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/ask.yaml": ASK})
    assert f0ci(tmp_path, "run", "recipes/ask.yaml", "--run-id", "r").code == 5
    assert f0ci(tmp_path, "runs", "--state", "waiting").out.count("recipes/ask.yaml") == 1
    assert f0ci(tmp_path, "context", "set", "r", "a.b", "1").code == 0
    assert f0ci(tmp_path, "runs", "send", "r", "ask", "--approve", "--by", "alice").code == 0
    assert json.loads(f0ci(tmp_path, "context", "get", "r", "a.b").out) == 1
    assert [line.split()[3] for line in f0ci(tmp_path, "context", "history", "r").out.splitlines()[1:]] != []
    again = f0ci(tmp_path, "run", "--resume", "r", "--from", "a")
    assert again.code == 5
    assert f0ci(tmp_path, "runs", "cancel", runs(f0ci, tmp_path)[-1]).code == 0
    assert f0ci(tmp_path, "runs", "prune", "--older-than", "0s").err.startswith("2 runs forgotten")
    assert not default_path(tmp_path).exists()


@pytest.mark.usefixtures("engine")
def test_runs_of_workers_are_sent_to_resumed_and_forgotten(
    f0ci: Command, journal: PostgresJournal, start_worker: StartWorker, tmp_path: Path
) -> None:
    from f0ci.commands.engines import cluster_engine
    from f0ci.runner.frozen import freeze
    from f0ci.runner.interface import Order
    from f0ci.runner.options import RunOptions
    from f0ci.source.project import Project

    write_files(tmp_path, {"recipes/ask.yaml": ASK})
    plan = freeze(tmp_path, Project(), "recipes/ask.yaml", None)
    handing = cluster_engine(journal)
    handing.hand_over(handing.start(Order(plan, options=RunOptions(run="r"))))
    assert f0ci(tmp_path, "runs", "--state", "queued").out.count("recipes/ask.yaml") == 1
    start_worker(tmp_path)

    looked = f0ci(tmp_path, "run", "--resume", "r")
    assert (looked.code, "waiting ask for an approval" in looked.err) == (5, True)
    assert f0ci(tmp_path, "runs", "send", "r", "ask", "--approve", "--by", "alice").code == 0
    again = f0ci(tmp_path, "run", "--resume", "r", "--from", "ask", "--format", "json")
    assert again.code == 5
    record = json.loads(again.out)
    assert [step["outcome"] for step in record["steps"]] == ["passed", "waiting"]
    assert f0ci(tmp_path, "runs", "send", record["run"], "ask", "--reject", "--by", "bob").code == 1

    listed = json.loads(f0ci(tmp_path, "worker", "--list", "--format", "json").out)["workers"]
    assert [(one["alive"], one["queues"], one["slots"]) for one in listed] == [(True, ["default"], 4)]
    assert f0ci(tmp_path, "runs", "prune", "--older-than", "0s").err.startswith("2 runs forgotten")
    for table in ("runs", "steps", "plans", "handed_over", "f0ci_queue.workflow_status"):
        assert journal.rows(f"SELECT * FROM {table}") == [], table  # noqa: S608 - our own tables


@pytest.mark.usefixtures("engine")
def test_handing_over_without_looking_on(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository]
) -> None:
    here = make_remote_repository()
    assert f0ci(here.work, "init").code == 0
    write_files(
        here.work, {"f0ci.yaml": (here.work / "f0ci.yaml").read_text() + "engine: {queues: {night: {per_worker: 1}}}\n"}
    )
    commit_files(here.work, {}, "init")
    assert f0ci(here.work, "release", "create").code == 0
    done = f0ci(here.work, "run", GREET, "-e", "dev", "--queue", "night", "--release", "latest", "--detach")
    assert (done.code, " is handed over" in done.out) == (0, True)
    assert f0ci(here.work, "runs", "--state", "queued").out.count(GREET) == 1


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("args", "code", "words", "hint"),
    [
        (
            ("run", "recipes/ask.yaml", "--queue", "default"),
            2,
            "workers get the files of a run as a release",
            "release",
        ),
        (("run", "recipes/ask.yaml", "--detach"), 2, "--detach is for runs that are handed to a queue", "--queue"),
        (("run", "recipes/ask.yaml", "--here", "--queue", "x"), 2, "contradict each other", "leave one of them out"),
        (("worker", "--queue", "nihgt"), 2, "there is no queue 'nihgt'", "did you mean 'night'"),
        (("worker", "--health", "all"), 2, "'all' is no address for the health endpoint", "0.0.0.0:9808"),
        (("runs", "show", "nothing"), 2, "has no run 'nothing'", None),
        (("runs", "--engine", "nothing"), 2, "'nothing' is no address of an engine", "postgresql://user@host"),
        (("runs", "--engine", "postgresql://h/d", "--journal", "x"), 2, "name two places for runs", "leave one"),
        (("run", "--resume", "r", "--queue", "q"), 2, "a run that goes on keeps its own --queue", "leave --queue out"),
    ],
)
def test_wrong_usage_is_told(
    args: tuple[str, ...], code: int, words: str, hint: str | None, f0ci: Command, tmp_path: Path
) -> None:
    write_files(
        tmp_path, {"recipes/ask.yaml": ASK, "f0ci.yaml": "engine: {queues: {night: {rate: 1/1s, per_worker: 1}}}\n"}
    )
    done = f0ci(tmp_path, *args)
    assert (done.code, words in done.err) == (code, True), done
    assert hint is None or hint in done.err, done
    assert "right-password" not in done.err


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("engine: postgresql://u:planted@h/d\n", "is written with its password"),
        ("engine: mysql://h/d\n", "'mysql://h/d' is no address of an engine"),
        ("engine: {url: postgresql://h/d, queus: {}}\n", "unknown key 'queus'"),
    ],
)
def test_a_wrong_engine_in_the_settings_is_told_with_its_place(
    written: str, words: str, f0ci: Command, tmp_path: Path
) -> None:
    write_files(tmp_path, {"f0ci.yaml": written})
    done = f0ci(tmp_path, "runs")
    assert (done.code, "f0ci.yaml:1" in done.err, words in done.err) == (3, True, True), done
    assert "planted" not in done.err


def test_a_worker_needs_an_engine(f0ci: Command, tmp_path: Path) -> None:
    done = f0ci(tmp_path, "worker")
    assert (done.code, "a worker needs an engine" in done.err, "F0CI_ENGINE" in done.err) == (2, True, True)
    write_files(tmp_path, {"recipes/ask.yaml": ASK})
    done = f0ci(tmp_path, "run", "recipes/ask.yaml", "--queue", "default")
    assert (done.code, "the queue 'default' needs an engine" in done.err) == (2, True)


def test_the_settings_name_the_engine(
    f0ci: Command, address: Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "right-password")
    write_files(tmp_path, {"recipes/ask.yaml": ASK, "f0ci.yaml": f"engine: {address}\n"})
    assert f0ci(tmp_path, "run", "recipes/ask.yaml").code == 5
    assert len(runs(f0ci, tmp_path)) == 1
    assert not default_path(tmp_path).exists()
    # a journal that somebody names counts before it
    assert runs_in(f0ci, tmp_path, "--journal", str(tmp_path / "own.sqlite")) == 3


def runs_in(f0ci: Command, folder: Path, *options: str) -> int:
    """Return the exit code of a list of runs."""
    return f0ci(folder, "runs", *options).code


@pytest.mark.usefixtures("engine")
def test_the_settings_name_the_queue(f0ci: Command, tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/ask.yaml": ASK, "f0ci.yaml": "engine: {queue: default}\n"})
    done = f0ci(tmp_path, "run", "recipes/ask.yaml")
    assert (done.code, "workers get the files of a run as a release" in done.err) == (2, True)
    assert f0ci(tmp_path, "run", "recipes/ask.yaml", "--here").code == 5


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("missing", ["psycopg", "dbos"])
def test_what_is_not_installed_is_named(
    missing: str, f0ci: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    done = f0ci(tmp_path, *(("runs",) if missing == "psycopg" else ("worker",)))
    assert (done.code, "pip install 'f0ci[cluster]'" in done.err) == (3, True), done


def test_queues_of_a_newer_dbos_are_refused(journal: PostgresJournal) -> None:
    with journal.transaction() as connection:
        connection.execute(f"UPDATE {queues.SCHEMA}.dbos_migrations SET version = 9999")  # noqa: S608 - our own
    with pytest.raises(Exception, match="were made by a newer DBOS") as caught:
        queues.migrate(journal)
    assert "pip install -U 'f0ci[cluster]'" in str(getattr(caught.value, "hint", ""))


def test_an_empty_database_gets_its_layout_once(server: Server, tmp_path: Path) -> None:
    server.query("postgres", "DROP DATABASE IF EXISTS empty")
    server.query("postgres", "CREATE DATABASE empty")
    url = server.url("empty")
    program = "import sys; from f0ci.cli import main; sys.exit(main())"
    write_files(tmp_path, {"recipes/one.yaml": "metadata: {name: one}\nsteps:\n  - {name: a, run: 'true'}\n"})
    together = [
        subprocess.Popen(
            [sys.executable, "-c", program, "-C", str(tmp_path), "run", "recipes/one.yaml", "--quiet", "--engine", url]
        )
        for _ in range(3)
    ]
    assert [process.wait(60) for process in together] == [0, 0, 0]
    assert server.query("empty", "SELECT version, (SELECT count(*) FROM f0ci.runs) FROM f0ci.layout") == [(1, 3)]
    assert server.query("empty", "SELECT number FROM f0ci.runs ORDER BY 1") == [(1,), (2,), (3,)]


def test_nothing_of_it_is_imported_otherwise(tmp_path: Path) -> None:
    write_files(tmp_path, {"recipes/one.yaml": "metadata: {name: one}\nsteps:\n  - {name: a, run: 'true'}\n"})
    program = (
        "import sys; from f0ci.cli.boundary import run; code = run(['-C', sys.argv[1], 'run', 'recipes/one.yaml']);"
        "found = {'dbos', 'psycopg', 'sqlalchemy', 'f0ci.runner.cluster'} & set(sys.modules);"
        "sys.exit(f'{code} {found}')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr.splitlines()[-1] == "0 set()"


@pytest.mark.parametrize(
    ("text", "rate"), [("20/1m", (20, 60.0)), ("1 / 2s", (1, 2.0)), ("0/1s", None), ("5", None), ("5/x", None)]
)
def test_rates_are_runs_in_a_time(text: str, rate: tuple[int, float] | None) -> None:
    if rate is None:
        with pytest.raises(Exception, match="is none"):
            queues.read_queues({"q": {"rate": text}})
        return
    found = queues.read_queues({"q": {"rate": text, "everywhere": 2}})
    assert found["q"].rate == rate
    assert found["q"].limits["worker_concurrency"] == 2
    assert found["default"] == queues.Queue()


@pytest.mark.usefixtures("engine")
def test_a_run_that_nobody_takes_says_so(
    journal: PostgresJournal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from f0ci.commands.engines import cluster_engine
    from f0ci.runner.frozen import freeze
    from f0ci.runner.interface import Order
    from f0ci.source.project import Project

    monkeypatch.setattr("f0ci.runner.cluster.following.UNATTENDED", 0.0)
    write_files(tmp_path, {"recipes/ask.yaml": ASK})
    told: list[str] = []
    handing = cluster_engine(journal, on_event=lambda event: told.append(str(event)))
    handing._patience = 0.5
    run_id = handing.start(Order(freeze(tmp_path, Project(), "recipes/ask.yaml", None)))
    handing.resume(run_id)
    wait_until(lambda: told)
    assert "no worker takes runs from 'default' now" in told[0]


def test_the_example_walks_through(address: Address) -> None:
    environ = {**os.environ, "F0CI_ENGINE": address.url, "F0CI": f"{sys.executable} -m f0ci", "NO_COLOR": "1"}
    done = subprocess.run(
        ["sh", str(EXAMPLES / "walk.sh")],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        start_new_session=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    listed = done.stdout.split("--- two workers")[1]
    assert listed.split("--- kill")[0].count(" alive ") == 2
    assert done.stdout.split("--- all runs ended")[1].count(" passed ") == 6


def test_the_manifest_is_what_kubernetes_takes() -> None:
    import kubernetes_validate
    import yaml

    document = yaml.safe_load((EXAMPLES / "worker.yaml").read_text())
    kubernetes_validate.validate(document, "1.31", strict=True)
    command = document["spec"]["template"]["spec"]["containers"][0]["command"]
    assert run([*command[1:4], "--help"]) == 0


@pytest.mark.usefixtures("engine")
def test_doctor_tells_of_the_engine_and_of_its_workers(
    f0ci: Command, make_remote_repository: Callable[..., RemoteRepository], start_worker: StartWorker, tmp_path: Path
) -> None:
    here = make_remote_repository()
    assert f0ci(here.work, "init").code == 0
    commit_files(here.work, {}, "init")
    git(here.work, "push", "-q", "origin", "HEAD")

    assert "ok runs: recorded in postgresql://" in f0ci(here.work, "doctor").out
    assert ", 0 workers at work" in f0ci(here.work, "doctor").out

    start_worker(here.clone(tmp_path / "there"))
    assert ", 1 worker at work" in f0ci(here.work, "doctor").out
