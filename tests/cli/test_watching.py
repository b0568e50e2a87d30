"""`f0ci validate --watch`: a real process that tells of real changes, and sleeps in between."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import write_files

GOOD = "metadata: {name: good}\nsteps: [{name: a, run: x}]\n"
BAD = "metadata: {name: bad}\nsteps: [{name: a, run: x, colour: red}]\n"
_SECONDS = 30


class Watching:
    """A running `f0ci validate --watch`, and what it says line by line."""

    def __init__(self, root: Path, *options: str) -> None:
        command = [sys.executable, "-m", "f0ci", "-C", str(root), "validate", "--watch", *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def end(self) -> None:
        """End the process, and hear it out."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def until(self, end: str) -> list[str]:
        """Return what it says up to a line with some words."""
        said: list[str] = []
        while not said or end not in said[-1]:
            said.append(self.lines.get(timeout=_SECONDS))
        return said

    def cpu(self) -> float:
        """Return the seconds of processor time that it has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository's folder with one recipe."""
    write_files(tmp_path, {"f0ci.yaml": "version: 1\n", "recipes/a.yaml": GOOD})
    return tmp_path


@pytest.fixture
def watching(root: Path) -> Iterator[Watching]:
    """Start a watch, and end it."""
    running = Watching(root)
    try:
        yield running
    finally:
        running.end()


def test_changes_are_reported_as_they_come(root: Path, watching: Watching) -> None:
    """A change, a new file, a slip in the settings and its correction; Ctrl-C ends it."""
    assert "2 files checked: nothing to report" in watching.until("watching")

    write_files(root, {"recipes/a.yaml": BAD})
    said = watching.until("watching")
    assert "changed: recipes/a.yaml" in said
    assert "recipes/a.yaml:2:27: warning[unknown-key] unknown key 'colour'" in said

    write_files(root, {"recipes/deep/b.yaml": BAD})
    assert "recipes/deep/b.yaml:2:27: warning[unknown-key] unknown key 'colour'" in watching.until("watching")

    write_files(root, {"f0ci.yaml": "version: 2\n"})
    assert any(line.startswith("error: ") for line in watching.until("watching"))

    write_files(root, {"f0ci.yaml": "version: 1\n"})
    assert "3 files checked: 2 warnings" in watching.until("watching")

    watching.process.send_signal(signal.SIGINT)
    assert watching.process.wait(_SECONDS) == 130


def test_what_is_written_elsewhere_changes_nothing(root: Path, watching: Watching) -> None:
    """Hidden folders and files of other kinds wake nobody: the next change is the first that is told."""
    watching.until("watching")
    write_files(root, {".git/index.yaml": "x", "notes.txt": "x", "__pycache__/a.py": "x"})
    write_files(root, {"recipes/a.yaml": BAD})
    said = watching.until("changed")

    assert said[-1].startswith("changed: ")
    assert "notes.txt" not in said[-1]
    assert ".git" not in said[-1]


def test_the_report_itself_is_no_change(root: Path) -> None:
    """A report that is written into the repository does not start the next one."""
    running = Watching(root, "--format", "json", "-o", str(root / "found.json"))
    try:
        running.until("watching")
        write_files(root, {"recipes/a.yaml": BAD})
        running.until("watching")
        write_files(root, {"recipes/a.yaml": GOOD})
        assert running.until("changed")[-1] == "changed: recipes/a.yaml"
    finally:
        running.end()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system does not tell processor times")
def test_waiting_costs_next_to_nothing(root: Path, watching: Watching) -> None:
    """While nothing happens the process sleeps: it uses a small part of the time that passes."""
    watching.until("watching")
    before = watching.cpu()
    # the time that passes is what is measured
    with pytest.raises(subprocess.TimeoutExpired):
        watching.process.wait(1.5)

    assert watching.cpu() - before < 0.3
    assert (root / "recipes/a.yaml").read_text() == GOOD
