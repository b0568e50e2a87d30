"""What the benchmark of `f0ci validate` relies on: planted faults are found, all of them and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks.hostile_files import hostile_files
from benchmarks.hostile_folders import hostile_folders
from benchmarks.measuring import run as measure
from benchmarks.recipe_sets import Fault, RecipeSet, make_set
from f0ci.commands.validating import validate
from tests.conftest import write_files

HOSTILE = dict(hostile_files())
FOLDERS = {name: (files, options) for name, files, options in hostile_folders() if name not in HOSTILE}
# whatever is in them is right
HARMLESS = {"60,000 steps", "20,000 steps that read the first", "20,000 anchors"}


@pytest.fixture(scope="module")
def recipes() -> RecipeSet:
    """Forty recipes, every second with a fault, each kind of fault once."""
    return make_set(40, faulty=0.5)


def run(folder: Path, *arguments: str) -> tuple[int, bytes]:
    """Run the command in a process of its own, which may fork."""
    command = [sys.executable, "-m", "f0ci", "validate", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    assert done.stderr == b""
    return done.returncode, done.stdout


def test_every_fault_is_found_and_nothing_else(recipes: RecipeSet, tmp_path: Path) -> None:
    recipes.write(tmp_path)
    found = validate(tmp_path).diagnostics

    assert [Fault(d.location.path, d.location.span.line, d.rule) for d in found] == list(recipes.faults)
    assert len({fault.rule for fault in recipes.faults}) == 20


def test_a_set_without_faults_is_clean(tmp_path: Path) -> None:
    make_set(60, seed=3, faulty=0).write(tmp_path)

    assert validate(tmp_path).diagnostics == ()


def test_the_same_seed_makes_the_same_bytes() -> None:
    assert make_set(12).files == make_set(12).files
    assert make_set(12).files != make_set(12, seed=22).files


@pytest.mark.parametrize("output", ["text", "json"])
def test_any_number_of_jobs_says_the_same(recipes: RecipeSet, tmp_path: Path, output: str) -> None:
    recipes.write(tmp_path)
    # what a comment silences, and one that silences nothing, cross the processes too
    for path in recipes.recipes[3:5]:
        file = tmp_path / path
        file.write_bytes(b"# f0ci: ignore[unknown-key] known\n" + file.read_bytes())

    answers = {run(tmp_path, "--jobs", str(jobs), "--format", output) for jobs in (1, 3)}

    assert len(answers) == 1
    assert {code for code, _ in answers} == {1}


def test_a_process_with_threads_is_not_forked(recipes: RecipeSet, tmp_path: Path) -> None:
    """The same comes out, from this process alone."""
    recipes.write(tmp_path)
    done = threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    try:
        found = validate(tmp_path, jobs=4).diagnostics
    finally:
        done.set()
        thread.join()

    assert len(found) == len(recipes.faults)


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="no workers without fork")
def test_a_worker_that_dies_costs_one_finding(recipes: RecipeSet, tmp_path: Path) -> None:
    """The file on which it died is reported, every other file is checked, by processes started instead."""
    recipes.write(tmp_path)
    clean = [path for path in recipes.recipes if path not in {fault.path for fault in recipes.faults}][:3]
    program = f"""
import os, signal, sys
from f0ci.lint import workspace
read = workspace.parse_document
def parse_document(path, raw):
    if path in {clean!r}:
        os.kill(os.getpid(), signal.SIGSEGV)
    return read(path, raw)
workspace.parse_document = parse_document
from f0ci.cli import main
main(["validate", "--jobs", "2", "--select", "reading"])
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    reported = [line for line in done.stdout.splitlines() if "internal-error" in line]

    assert done.returncode == 1
    assert [line.split(":")[0] for line in reported] == clean
    assert all("SIGSEGV" in line for line in reported)
    assert "duplicate-key" in done.stdout


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_end_with_an_answer(name: str, tmp_path: Path) -> None:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "hostile.yaml").write_bytes(HOSTILE[name])
    found = validate(tmp_path).diagnostics

    assert {d.location.path for d in found} == (set() if name in HARMLESS else {"recipes/hostile.yaml"})
    assert "internal-error" not in {d.rule for d in found}


@pytest.mark.parametrize("name", FOLDERS)
def test_hostile_folders_end_with_an_answer(name: str, tmp_path: Path) -> None:
    """Nothing is killed, no rule fails, and who is at fault is told by an exit code."""
    files, options = FOLDERS[name]
    write_files(tmp_path, files)

    command = [sys.executable, "-m", "f0ci", "validate", "--no-cache", *options]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)

    assert done.returncode in {0, 1, 3}
    assert b"internal-error" not in done.stdout
    assert b"Traceback" not in done.stderr


def test_what_the_measuring_process_takes_is_not_counted_to_what_it_measures(tmp_path: Path) -> None:
    ballast = bytearray(150_000_000)

    small = measure([sys.executable, "-S", "-c", ""], tmp_path)
    large = measure([sys.executable, "-S", "-c", "x = bytearray(60_000_000); raise SystemExit(3)"], tmp_path)

    assert (small.code, large.code, len(ballast)) == (0, 3, 150_000_000)
    assert small.memory < 40
    assert 60 < large.memory < 120


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    assert measure(["sleep", "600"], tmp_path, seconds=0.05).code == -9


def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        measure(["no-such-program"], tmp_path)
