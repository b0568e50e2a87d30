"""What was asked of a tree is known, and what was answered is asked again by any number of processes."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from f0ci.core.errors import MissingFile
from f0ci.source import asking, traced
from f0ci.source.asking import ask_again
from f0ci.source.traced import TracedTree, flat, remember
from tests.conftest import write_files

_FILES = {f"{folder}/{number}.yaml": f"a: {number}" for folder in "abc" for number in range(40)}
_QUESTIONS = [*(f"r{path}" for path in _FILES), "rgone.yaml", "ea/1.yaml", "egone.yaml", "f", "sa", "s"]


@pytest.fixture
def few_pay(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let helpers be started for a few files."""
    if not hasattr(os, "fork") or sys.platform == "darwin":
        pytest.skip("this system cannot fork")
    # where tests share the work, a thread waits for messages: it holds nothing that a helper needs
    monkeypatch.setattr(asking, "can_fork", lambda: True)
    monkeypatch.setattr(asking, "_WORTH_A_HELPER", 10)
    monkeypatch.setattr(asking, "_CHUNK", 7)


@pytest.fixture
def helpers(few_pay: None, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the numbers of helpers, as they are started."""
    del few_pay
    found: list[int] = []
    real = asking._start

    def start(started: dict[int, int], *rest: Any) -> None:
        real(started, *rest)
        found.extend(process for process in started.values() if process not in found)

    monkeypatch.setattr(asking, "_start", start)
    return found


def _are_gone(processes: Iterable[int]) -> bool:
    """Tell whether none of some processes is a child of this one any more."""
    for process in processes:
        with pytest.raises(ChildProcessError):
            os.waitpid(process, os.WNOHANG)
    return True


def _asked(root: Path, jobs: int) -> TracedTree:
    tree = TracedTree(root)
    ask_again(tree, _QUESTIONS, jobs)
    return tree


def test_work_that_is_done_once_is_asked_for_by_all_who_need_it(tmp_path: Path) -> None:
    write_files(tmp_path, _FILES)
    tree = TracedTree(tmp_path)
    kept: dict[object, object] = {}

    def inner() -> bytes:
        return tree.read("a/1.yaml")

    def outer() -> bool:
        return tree.exists("a/2.yaml") and bool(remember(tree, kept, "inner", inner))

    first, of_first = tree.asked_by(lambda: remember(tree, kept, "outer", outer))
    second, of_second = tree.asked_by(lambda: remember(tree, kept, "outer", outer))

    assert first == second
    assert of_first == of_second == {frozenset({"ea/2.yaml", "ra/1.yaml"})}
    assert set(flat(tree.asked)) == {"ea/2.yaml", "ra/1.yaml"}


def test_who_catches_the_failure_of_such_work_has_asked(tmp_path: Path) -> None:
    tree = TracedTree(tmp_path)

    def work() -> str:
        try:
            return remember(tree, {}, "gone", lambda: tree.read("gone.yaml")).decode()
        except MissingFile:
            return "none"

    assert tree.asked_by(work) == ("none", frozenset({"rgone.yaml"}))


def test_what_is_asked_again_does_not_count_as_asked(tmp_path: Path) -> None:
    write_files(tmp_path, _FILES)
    tree = _asked(tmp_path, 1)

    assert tree.asked == frozenset()
    assert tree.answers.keys() == set(_QUESTIONS)
    assert tree.answers["egone.yaml"] == ""
    assert tree.answers["rgone.yaml"].startswith(MissingFile.__name__)


@pytest.mark.parametrize("jobs", [2, 3])
def test_any_number_of_processes_learns_the_same(
    jobs: int, helpers: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(traced, "_GRAIN_NS", -(10**10))
    write_files(tmp_path, _FILES)
    alone, shared = _asked(tmp_path, 1), _asked(tmp_path, jobs)

    assert shared.answers == alone.answers
    assert shared.stamps == alone.stamps
    assert shared.stamps.keys() == {f"r{path}" for path in _FILES}
    assert not shared.is_unsteady
    assert len(helpers) == jobs - 1
    assert _are_gone(helpers)


@pytest.mark.usefixtures("few_pay")
def test_what_a_dead_helper_took_is_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, _FILES)
    parent = os.getpid()
    real = TracedTree.ask

    def ask(self: TracedTree, questions: list[str]) -> None:
        real(self, questions)
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    expected = _asked(tmp_path, 1).answers
    monkeypatch.setattr(TracedTree, "ask", ask)

    assert _asked(tmp_path, 3).answers == expected


@pytest.mark.usefixtures("few_pay")
def test_who_asks_hears_of_what_it_asked_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, _FILES)
    tree = TracedTree(tmp_path)
    heard: list[str] = []

    def told(asked: Sequence[str]) -> None:
        assert tree.answers.keys() >= set(asked)
        heard.extend(asked)

    # no process is to be had for a helper
    monkeypatch.setattr(asking, "_start", lambda *_: None)
    ask_again(tree, _QUESTIONS, 2, told)

    assert heard == [question for question in _QUESTIONS if question[0] == "r"]


@pytest.mark.usefixtures("few_pay")
def test_a_file_that_changes_meanwhile_is_noticed_by_whoever_reads_it(tmp_path: Path) -> None:
    write_files(tmp_path, _FILES)
    tree = TracedTree(tmp_path)
    for path in _FILES:
        tree.read(path)
    write_files(tmp_path, dict.fromkeys(_FILES, "changed"))

    ask_again(tree, _QUESTIONS, 2)

    assert tree.is_unsteady


def test_a_stamp_tells_a_later_change_or_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, _FILES)
    (tmp_path / "link.yaml").symlink_to("a/1.yaml")
    tree = TracedTree(tmp_path)

    # it was written a moment ago
    assert tree.stamp("a/1.yaml") == ""
    monkeypatch.setattr(traced, "_GRAIN_NS", -(10**10))
    tree.read("a/1.yaml")
    tree.read("link.yaml")

    assert tree.stamps == {"ra/1.yaml": tree.stamp("a/1.yaml")}
    write_files(tmp_path, {"a/1.yaml": "b: 1"})
    assert tree.stamp("a/1.yaml") not in {"", tree.stamps["ra/1.yaml"]}
    assert tree.stamp("link.yaml") == tree.stamp("gone.yaml") == ""


def test_who_is_interrupted_leaves_no_helper(
    tmp_path: Path, helpers: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, _FILES)
    parent = os.getpid()

    def ask(_self: TracedTree, _questions: list[str]) -> None:
        if os.getpid() == parent:
            raise KeyboardInterrupt
        # a helper that nobody ends goes on for long
        signal.pause()

    monkeypatch.setattr(TracedTree, "ask", ask)

    with pytest.raises(KeyboardInterrupt):
        _asked(tmp_path, 3)
    assert len(helpers) == 2
    assert _are_gone(helpers)
