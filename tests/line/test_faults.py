"""The remote vanishes, answers get lost, disks fill, clocks jump: run again, the same end state, each event once."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.commands.promoting import promote_environment
from f0ci.core.clock import SystemClock
from f0ci.core.errors import F0ciError
from f0ci.git.process import Completed
from f0ci.git.refs import RefStore
from tests.conftest import git, missing_real, rounds
from tests.line.conftest import Line, Stage
from tests.line.test_crash import BACK, GOOD, Scenario, state_of, two_good, without_intents

Played = Callable[[str, Callable[[Line], None]], Stage]
LOST = "fatal: the remote end hung up unexpectedly"


@pytest.fixture
def fresh(stage: Played, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[Scenario], Line]:
    """Return a function that makes another copy of a scenario's line."""
    made: list[Path] = []

    def copy(scenario: Scenario) -> Line:
        made.append(tmp_path / f"copy-{len(made)}")
        made[-1].mkdir()
        return stage(scenario.stage, scenario.play).copy_to(made[-1], capsys)

    return copy


def undisturbed(line: Line, scenario: Scenario) -> dict[str, Any]:
    """Return what a scenario's command leaves behind where nothing comes between."""
    assert line.f0ci(*scenario.command).code == scenario.codes[0]
    return state_of(line, scenario.environment)


def at_each(method: str, happens: Callable[[Any], Any], turn: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Let something happen to one call of a method of refs; return a list that holds an entry for each call.

    Args:
        method: its name.
        happens: gets the call, to be made or not, and returns the answer.
        turn: which call, from 1; 0 for none.
        monkeypatch: puts it back.
    """
    real = getattr(RefStore, method)
    calls: list[int] = []

    def called(*args: Any, **kwargs: Any) -> Any:
        calls.append(len(calls) + 1)
        return happens(lambda: real(*args, **kwargs)) if len(calls) == turn else real(*args, **kwargs)

    monkeypatch.setattr(RefStore, method, called)
    return calls


@pytest.mark.parametrize("atomic", ["true", "false"], ids=["atomic", "one ref at a time"])
@pytest.mark.parametrize("arrived", [True, False], ids=["arrived", "never arrived"])
@pytest.mark.parametrize("scenario", [GOOD, BACK], ids=["succeeding", "going back"])
def test_a_push_whose_answer_is_lost(
    scenario: Scenario, arrived: bool, atomic: str, fresh: Callable[[Scenario], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(push: Callable[[], Completed]) -> Completed:
        if arrived:
            assert push().code == 0
        return Completed(128, b"", LOST)

    def line_of() -> Line:
        line = fresh(scenario)
        git(line.bare, "config", "receive.advertiseAtomic", atomic)
        return line

    line = line_of()
    with monkeypatch.context() as patch:
        pushes = at_each("_send", lose, 0, patch)
        expected = undisturbed(line, scenario)
    # without atomic pushes one is turned down before each that is taken in parts
    turns = range(1 if atomic == "true" else 2, len(pushes) + 1, rounds(1 if scenario is BACK else 4, 1))
    assert len(turns) >= rounds(2, scenario.points)
    for turn in turns:
        line = line_of()
        with monkeypatch.context() as patch:
            calls = at_each("_send", _unless_refused(lose), turn, patch)
            answer = line.f0ci(*scenario.command)
        assert len(calls) >= turn
        if answer.code not in scenario.codes:
            answer = line.f0ci(*scenario.command)
        assert answer.code in scenario.codes, f"push {turn}: {answer}"
        assert without_intents(state_of(line, scenario.environment), scenario.environment) == without_intents(
            expected, scenario.environment
        ), f"push {turn}"
    line.done("audit", "verify")


def _unless_refused(lose: Callable[[Callable[[], Completed]], Completed]) -> Callable[[Callable[[], Completed]], Any]:
    """Return what loses the answer of a push, but passes on a refusal: that one was answered."""

    def happens(push: Callable[[], Completed]) -> Completed:
        answers: list[Completed] = []

        def once() -> Completed:
            answers.append(push())
            return Completed(0, answers[0].out, answers[0].err)

        lost = lose(once)
        return answers[0] if answers and answers[0].code != 0 else lost

    return happens


@pytest.mark.parametrize("scenario", [GOOD, BACK], ids=["succeeding", "going back"])
def test_the_remote_vanishes_at_any_question(
    scenario: Scenario, fresh: Callable[[Scenario], Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("f0ci.git.refs._pause", lambda _: None)
    line = fresh(scenario)
    with monkeypatch.context() as patch:
        questions = at_each("_ask", lambda ask: ask(), 0, patch)
        expected = undisturbed(line, scenario)
    assert len(questions) >= scenario.points
    for turn in range(1, len(questions) + 1, rounds(4, 1)):
        line = fresh(scenario)
        away = line.bare.with_name("away.git")

        def vanish(ask: Callable[[], Completed], line: Line = line, away: Path = away) -> Completed:
            line.bare.rename(away)
            return ask()

        with monkeypatch.context() as patch:
            at_each("_ask", vanish, turn, patch)
            answer = line.f0ci(*scenario.command)
        assert answer.code not in {0, 1}, f"question {turn}: {answer}"
        assert "Traceback" not in answer.err
        assert "origin" in answer.err + answer.out
        away.rename(line.bare)

        answer = line.f0ci(*scenario.command)

        assert answer.code in scenario.codes, f"question {turn}: {answer}"
        assert state_of(line, scenario.environment) == expected, f"question {turn}"
    line.done("audit", "verify")


# a file system of its own, filled but for some pages; then f0ci, room again, and f0ci once more
_FULL = """
set -e
mount -t tmpfs -o size=64m none "$1"
cp -a "$2/." "$1"
set +e
dd if=/dev/zero of="$1/filler" bs=4k 2>/dev/null
truncate -s "-$((4096 * $3))" "$1/filler"
shift 3
"$@"
echo "first: $?"
rm "$FILLED/filler"
"$@"
echo "second: $?"
[ -z "$KEEP" ] || cp -a "$FILLED/." "$KEEP"
"""


def _may_mount(folder: Path) -> None:
    words = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", str(folder)]
    if shutil.which("unshare") is None or subprocess.run(words, capture_output=True, check=False).returncode != 0:
        missing_real("a file system of one's own", "user namespaces, `unshare -rm`")


@pytest.mark.parametrize("where", ["clone", "remote"])
def test_a_full_disk(where: str, fresh: Callable[[Scenario], Line], tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    _may_mount(tmp_path / "mount")
    expected = undisturbed(fresh(BACK), BACK)
    failed = 0
    # each new file takes a page at least, so that it is another one each time which finds no room
    for pages in range(40) if rounds(0, 1) else (0, 3, 8):
        line = fresh(BACK)
        filled = line.bare if where == "remote" else line.work
        mounted, kept = line.work.parent / "full", line.work.parent / "kept"
        mounted.mkdir()
        kept.mkdir()
        work = line.work if where == "remote" else mounted
        if where == "remote":
            git(line.work, "remote", "set-url", "origin", str(mounted))
        command = [sys.executable, "-m", "f0ci", "-C", str(work), *BACK.command]
        answer = subprocess.run(
            ["unshare", "-rm", "sh", "-c", _FULL, "sh", str(mounted), str(filled), str(pages), *command],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "FILLED": str(mounted), "KEEP": str(kept) if where == "remote" else ""},
        )
        said = answer.stdout + answer.stderr
        assert "Traceback" not in said, said
        assert "second: 0" in said, said
        failed += "first: 0" not in said
        if where == "remote":
            shutil.rmtree(line.bare)
            kept.rename(line.bare)
            git(line.work, "remote", "set-url", "origin", str(line.bare))
        git(line.bare, "fsck", "--strict")
        assert state_of(line, "dev") == expected, f"{pages} pages: {said}"
    assert failed >= 2
    line.done("audit", "verify")


class Jumping:
    """A clock that jumps once it was looked at so many times."""

    def __init__(self, turn: int, by: timedelta) -> None:
        self.turn, self.by, self.looked = turn, by, 0

    def now(self) -> datetime:
        self.looked += 1
        return SystemClock().now() + (self.by if self.looked > self.turn else timedelta())

    def exact(self) -> datetime:
        return self.now()


@pytest.mark.parametrize("by", [timedelta(days=-2), timedelta(days=2)], ids=["back", "ahead"])
def test_a_clock_that_jumps(by: timedelta, fresh: Callable[[Scenario], Line]) -> None:
    expected = undisturbed(fresh(GOOD), GOOD)
    calm = Jumping(10**6, by)
    promote_environment(fresh(GOOD).work, "dev", clock=calm)
    for turn in range(0, calm.looked, rounds(7, 1)):
        line = fresh(GOOD)
        try:
            promote_environment(line.work, "dev", clock=Jumping(turn, by))
        except F0ciError as error:
            assert "clock" in error.message  # noqa: PT017 - it may also end well

        # the clock is right again: where it was ahead, that is the time which the ledger has seen
        report = promote_environment(line.work, "dev", clock=Jumping(-1, max(by, timedelta())))

        assert report.state == "succeeded", f"look {turn}: {report}"
        assert state_of(line, "dev") == expected, f"look {turn}"
    line.done("audit", "verify")


def test_what_was_done_is_told_though_the_remote_is_gone(fresh: Callable[[Scenario], Line]) -> None:
    """A command that cannot ask says so at once, and changes nothing here either."""
    line = fresh(Scenario("two-good", two_good, (), "dev", (0,), 0))
    before = git(line.work, "for-each-ref")
    line.bare.rename(line.bare.with_name("away.git"))

    answers = [line.f0ci("status"), line.f0ci("promote", "dev"), line.f0ci("rollback", "dev", "--reason", "slow")]

    assert {answer.code for answer in answers} == {answers[0].code}
    assert answers[0].code != 0
    assert git(line.work, "for-each-ref") == before
