"""What `f0ci doctor` says of the place where runs are recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from f0ci.commands.scaffolding import scaffold
from tests.cli.conftest import Command
from tests.conftest import git


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Return a repository that nothing ran in yet."""
    folder = tmp_path / "shop"
    scaffold(folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def said_of_runs(f0ci: Command, folder: Path, *args: str) -> str:
    """Return the lines about runs."""
    lines = f0ci(folder, "doctor", *args).out.splitlines()
    at = next(number for number, line in enumerate(lines) if line[3:].startswith("runs:"))
    return "\n".join(lines[at : at + (2 if "mend:" in lines[at + 1] else 1)])


def test_the_journal_is_looked_at_where_there_is_one(shop: Path, f0ci: Command) -> None:
    assert said_of_runs(f0ci, shop) == "-- runs: none was recorded yet; they will be in .f0ci/runs/journal.sqlite"
    assert not (shop / ".f0ci/runs").exists()

    assert f0ci(shop, "run", "recipes/greet_everybody.yaml", "-e", "dev").code == 0
    assert said_of_runs(f0ci, shop) == "ok runs: recorded in .f0ci/runs/journal.sqlite"

    (shop / ".f0ci/runs/journal.sqlite").write_bytes(b"no database at all" * 100)
    assert said_of_runs(f0ci, shop).startswith("XX runs: the journal")
    assert f0ci(shop, "doctor").code == 3


def test_an_engine_that_does_not_answer_is_named_without_its_password(shop: Path, f0ci: Command) -> None:
    said = said_of_runs(f0ci, shop, "--engine", "postgresql://ada:hunter22@127.0.0.1:1/runs")

    assert said.startswith("XX runs: the engine 'postgresql://ada@127.0.0.1:1/runs' cannot be used")
    assert "hunter22" not in said


def test_an_engine_of_the_settings_that_holds_a_password_is_refused(shop: Path, f0ci: Command) -> None:
    with (shop / "f0ci.yaml").open("a", encoding="utf-8") as stream:
        stream.write("engine: {url: 'postgresql://ada:hunter22@127.0.0.1:1/runs'}\n")

    said = said_of_runs(f0ci, shop)
    assert "is written with its password" in said
    assert "hunter22" not in said
