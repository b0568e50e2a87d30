"""Output that nobody can read changes neither what a command does nor the way it says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_RECIPE = "metadata: {name: a}\nsteps:\n  - {name: a, run: exit 3}\n"
_FAILING = ("run", "recipes/a.yaml", "--journal", "journal.sqlite")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes/a.yaml").write_text(_RECIPE, encoding="utf-8")
    return tmp_path


def _run(folder: Path, shell: str, *args: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    """Run f0ci with streams as a shell connects them; `"$@"` is the command."""
    command = ["bash", "-c", f"set -o pipefail; {shell}", "bash", sys.executable, "-m", "f0ci", *args]
    return subprocess.run(command, cwd=folder, env={**os.environ, **env}, capture_output=True, check=False)


@pytest.mark.parametrize("shell", ['"$@" >&-', '"$@" 2>&-', '"$@" <&-', '"$@" | true'], ids=str)
def test_the_exit_code_is_that_of_the_command(folder: Path, shell: str) -> None:
    answer = _run(folder, shell, *_FAILING)

    assert answer.returncode == 1
    assert b"defect" not in answer.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full disk to try")
def test_a_full_disk_is_said_once(folder: Path) -> None:
    answer = _run(folder, '"$@" > /dev/full', "validate")

    assert answer.returncode == 3
    assert answer.stderr.decode().splitlines() == [
        "error: cannot write the output: No space left on device",
        "  hint: free space on its disk, or send the output elsewhere",
    ]


def test_letters_that_the_terminal_lacks_are_escaped(folder: Path) -> None:
    (folder / "recipes/a.yaml").write_text(_RECIPE.replace("name: a,", "name: Łódź,"), encoding="utf-8")

    answer = _run(folder, '"$@"', "graph", "recipes/a.yaml", PYTHONIOENCODING="latin-1")

    assert answer.returncode == 0
    assert rb"\u0141" in answer.stdout


def test_what_watches_a_command_comes_after_it(folder: Path) -> None:
    """The process ends without taking the interpreter apart, but for what somebody still wants of it."""
    leaving = "import atexit, runpy; atexit.register(print, 'left'); runpy.run_module('f0ci', run_name='__main__')"

    profiled = _run(folder, f'{sys.executable} -m cProfile -m f0ci "${{@:4}}"', "validate", "--no-cache")
    left = subprocess.run([sys.executable, "-c", leaving, "--version"], capture_output=True, text=True, check=False)

    assert profiled.returncode == 0
    assert "1 file checked" in profiled.stdout.decode()
    assert "function calls" in profiled.stdout.decode()
    assert left.stdout.splitlines()[-1] == "left"
