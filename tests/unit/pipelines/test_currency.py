"""A file that is not current says why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from f0ci.pipelines.currency import FileState, State, compare
from f0ci.pipelines.writers import base, github
from f0ci.source.tree import MemoryTree
from tests.unit.pipelines.workflows import WORKFLOW, pipeline


def written(text: str = WORKFLOW) -> str:
    return github.write(pipeline(text))[github.PATH]


def state_of(held: str | bytes | None, text: str = WORKFLOW) -> FileState:
    content = held.encode() if isinstance(held, str) else held
    tree = MemoryTree({} if content is None else {github.PATH: content})
    (answer,) = compare(github.write(pipeline(text)), tree)
    return answer


@pytest.fixture
def as_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that makes this f0ci another version."""

    def become(version: str) -> None:
        monkeypatch.setattr(base, "__version__", version)

    return become


def test_the_file_that_was_generated_is_current() -> None:
    answer = state_of(written())

    assert (answer.state, answer.diff, answer.reason, answer.is_fresh) == (State.CURRENT, "", "", True)


def test_line_ends_of_another_system_make_no_difference() -> None:
    assert state_of(written().replace("\n", "\r\n")).state is State.CURRENT


def test_a_file_that_is_not_there_is_missing() -> None:
    assert state_of(None).state is State.MISSING


@pytest.mark.parametrize(
    "edit",
    [
        lambda text: text.replace("timeout-minutes: 60", "timeout-minutes: 6"),
        lambda text: text + "# a comment\n",
        lambda text: text.replace("f0ci-content: ", "f0ci-content:"),
        lambda _text: "",
        lambda _text: "on: push\n",
        lambda _text: b"\xff\xfe",
    ],
)
def test_what_no_f0ci_wrote_was_edited(edit: Callable[[str], str | bytes]) -> None:
    answer = state_of(edit(written()))

    assert answer.state is State.EDITED
    assert answer.diff.startswith(f"--- {github.PATH}\n+++ {github.PATH} (generated)\n@@ ")
    assert not answer.is_fresh


def test_an_edit_shows_though_the_workflow_changed_too() -> None:
    """Regenerating would lose it, so it is what has to be told."""
    edited = written().replace("timeout-minutes: 60", "timeout-minutes: 6")

    assert state_of(edited, WORKFLOW.replace("make test", "make check")).state is State.EDITED


def test_a_file_of_an_earlier_workflow_is_stale() -> None:
    answer = state_of(written(), WORKFLOW.replace("make test", "make check"))

    assert answer.state is State.STALE
    assert "-          COMMAND: make test\n+          COMMAND: make check\n" in answer.diff
    assert not answer.is_fresh


def test_another_version_alone_is_a_note(as_version: Callable[[str], None]) -> None:
    as_version("9.8.7")
    held = written()
    assert "f0ci==9.8.7" in held
    as_version("1.2.3")

    answer = state_of(held)

    assert answer.state is State.OTHER_VERSION
    assert answer.is_fresh
    assert answer.reason


def test_what_another_version_writes_otherwise_is_outdated(
    as_version: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_version("9.8.7")
    monkeypatch.setattr(github, "RUNNER", "ubuntu-26.04")
    held = written()
    monkeypatch.undo()

    answer = state_of(held)

    assert answer.state is State.OUTDATED
    assert "-    runs-on: ubuntu-26.04\n" in answer.diff
    assert not answer.is_fresh
