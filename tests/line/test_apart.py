"""Promotions whose foreign work is done where no token is: what goes out, what may come back, and what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from f0ci.commands.promoting import promote_environment
from f0ci.git.reading import close_all
from f0ci.promotion.watching import Patience
from tests.conftest import git
from tests.line.conftest import BAD_GREETING, Answer, Line

ERRANDS, ANSWERS, BUNDLE = "errands.json", "answers.json", "objects.bundle"


class Pair:
    """Somebody who may push, and a clone of theirs that knows no remote."""

    def __init__(self, line: Line, folder: Path) -> None:
        self.line, self.folder, self.clone = line, folder / "errands", folder / "clone"

    def promote(self, *what: str) -> Answer:
        """Promote, taking answers where there are some."""
        answered = ("--answered", self.digest) if (self.folder / ERRANDS).exists() else ()
        return self.line.f0ci(*what, "--apart", str(self.folder), *answered)

    @property
    def digest(self) -> str:
        return hashlib.sha256((self.folder / ERRANDS).read_bytes()).hexdigest()

    @property
    def kinds(self) -> list[str]:
        path = self.folder / ERRANDS
        return [one["kind"] for one in json.loads(path.read_bytes())["errands"]] if path.exists() else []

    def work(self) -> Answer:
        shutil.rmtree(self.clone, ignore_errors=True)
        git(self.folder.parent, "clone", "-q", str(self.line.bare), str(self.clone))
        git(self.clone, "remote", "set-url", "origin", "/nowhere/at/all.git")
        return self.line.f0ci("errands", str(self.folder), work=self.clone)

    def to_end(self, *what: str) -> tuple[Answer, list[list[str]]]:
        """Promote and work by turns; return what was said at last, and what was left each time."""
        left: list[list[str]] = []
        for _ in range(9):
            answer = self.promote(*what)
            if not self.kinds:
                return answer, left
            left.append(self.kinds)
            worked = self.work()
            assert worked.code == 0, worked.err
        raise AssertionError("it never ends")


@pytest.fixture
def pair(line: Line, tmp_path: Path) -> Pair:
    return Pair(line, tmp_path)


def test_a_promotion_and_its_way_back_by_turns_end_as_they_do_in_one_process(pair: Pair) -> None:
    line = pair.line
    release = line.release()
    for name in ("dev", "staging"):
        answer, left = pair.to_end("promote", name, "--release", release)
        assert (answer.code, left) == (0, [["deploy"]]), answer.err
    assert line.events("staging") == ["policy", "requested", "applied", "deployed", "measured", "succeeded"]
    good = line.tree("env/staging")
    # nothing of it ran here
    assert not (line.work / "deployed").exists()
    line.change("scriptlets/greetings.py", *BAD_GREETING)
    line.change("environments/staging/config.yaml", "Edsger", "Zoë")
    bad = line.release()
    assert pair.to_end("promote", "dev", "--release", bad)[0].code == 0

    answer, left = pair.to_end("promote", "staging", "--release", bad)

    # what the recipe measured where it ran is judged here, and the way back is one more turn
    assert left == [["deploy"], ["deploy"]]
    assert "error_rate is 33" in answer.out, answer.out
    assert line.events("staging")[-6:] == ["applied", "deployed", "measured", "rolled_back", "hold", "restored"]
    assert line.tree("env/staging") == good
    again, more = pair.to_end("rollback", "dev", "--reason", "by hand")
    assert (again.code, more) == (0, [["deploy"]]), again.err
    line.done("audit", "verify")


def test_a_way_back_that_is_not_done_yet_is_no_success(pair: Pair) -> None:
    line = pair.line
    first = line.release()
    pair.to_end("promote", "dev", "--release", first)
    line.change("recipes/deploy.yaml", 'echo "delivered', 'false; echo "delivered')
    pair.promote("promote", "dev", "--release", line.release())
    assert pair.work().code == 0

    answer = pair.promote("promote", "dev", "--continue")

    assert (answer.code, pair.kinds) == (6, ["deploy"])
    assert "f0ci errands" in answer.out
    assert pair.work().code == 0
    assert pair.promote("promote", "--continue").code == 6
    assert line.events("dev")[-1] == "restored"


Change = Callable[[Path, dict[str, Any]], None]


def _answer(**changes: Any) -> Change:
    def change(folder: Path, data: dict[str, Any]) -> None:
        data["answers"][0].update(changes)
        (folder / ANSWERS).write_text(json.dumps(data))

    return change


def _written(text: str) -> Change:
    def change(folder: Path, _data: dict[str, Any]) -> None:
        (folder / ANSWERS).write_text(text)

    return change


def _twice(folder: Path, data: dict[str, Any]) -> None:
    (folder / ANSWERS).write_text(json.dumps({**data, "answers": data["answers"] * 2}))


def _to_others(folder: Path, data: dict[str, Any]) -> None:
    (folder / ANSWERS).write_text(json.dumps({**data, "errands": "0" * 64}))


def _other_errands(folder: Path, _data: dict[str, Any]) -> None:
    text = (folder / ERRANDS).read_text()
    (folder / ERRANDS).write_text(text.replace('"step": 0', '"step": 1'))


def _without_errands(folder: Path, _data: dict[str, Any]) -> None:
    (folder / ERRANDS).unlink()


def _link(folder: Path, _data: dict[str, Any]) -> None:
    (folder / ANSWERS).rename(folder / "elsewhere.json")
    (folder / ANSWERS).symlink_to(folder / "elsewhere.json")


def _endless(folder: Path, _data: dict[str, Any]) -> None:
    (folder / ANSWERS).write_bytes(b" " * 17_000_000)


FORGED: dict[str, tuple[Change, str]] = {
    "an answer that nobody asked for": (_answer(errand="0" * 64), "nobody asked for the answer"),
    "an answer that is there twice": (_twice, "or it is there twice"),
    "an answer of another kind": (_answer(kind="measure"), "answers.json"),
    "an outcome that does not exist": (_answer(outcome="splendid"), "answers.json"),
    "more than an answer": (_answer(also="this"), "answers.json"),
    "answers to other errands": (_to_others, "the answers are to the errands 000000000000"),
    "other errands": (_other_errands, "these are not the errands"),
    "no errands": (_without_errands, "cannot be read"),
    "no JSON": (_written("{"), "not valid JSON"),
    "something else": (_written("[]"), "answers.json"),
    "a link": (_link, "cannot be read"),
    "an endless file": (_endless, "16,000,000 bytes"),
}


def test_what_was_not_asked_for_is_refused_whole(pair: Pair, tmp_path: Path) -> None:
    line = pair.line
    release = line.release()
    pair.promote("promote", "dev", "--release", release)
    digest = pair.digest
    assert pair.work().code == 0
    shutil.copytree(pair.folder, tmp_path / "kept")
    before = line.events("dev")

    for what, (change, message) in FORGED.items():
        shutil.rmtree(pair.folder, ignore_errors=True)
        shutil.copytree(tmp_path / "kept", pair.folder)
        change(pair.folder, json.loads((pair.folder / ANSWERS).read_bytes()))
        answer = line.f0ci("promote", "dev", "--release", release, "--apart", str(pair.folder), "--answered", digest)
        assert answer.code == 3, what
        assert message in answer.err, what
        assert line.events("dev") == before, what

    # answers that did not come are asked for again, and what was answered once is no answer to that
    shutil.rmtree(pair.folder)
    shutil.copytree(tmp_path / "kept", pair.folder)
    (pair.folder / ANSWERS).unlink()
    again = pair.promote("promote", "dev", "--release", release)
    assert (again.code, pair.kinds) == (5, ["deploy"])
    assert pair.digest != digest
    shutil.copy(tmp_path / "kept" / ANSWERS, pair.folder)
    replayed = pair.promote("promote", "dev", "--release", release)
    assert replayed.code == 3
    assert f"the answers are to the errands {digest[:12]}" in replayed.err
    assert line.events("dev") == before
    assert line.f0ci("promote", "dev", "--apart", str(pair.folder), "--answered", "abc").code == 2
    assert line.f0ci("promote", "dev", "--answered", digest).code == 2


def test_work_is_done_only_for_what_the_ledgers_ask_and_never_beside_a_token(
    pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = pair.line
    release = line.release()
    pair.promote("promote", "dev", "--release", release)
    shutil.copytree(pair.folder, tmp_path / "kept")
    monkeypatch.setenv("F0CI_GIT_TOKEN", "a-token")
    refused = pair.work()
    monkeypatch.delenv("F0CI_GIT_TOKEN")
    assert (refused.code, (pair.folder / ANSWERS).exists()) == (2, False)
    assert "F0CI_GIT_TOKEN is set" in refused.err

    # objects that do not belong to it
    (pair.folder / BUNDLE).write_bytes(b"# v2 git bundle\n")
    assert "not those that belong" in pair.work().err
    # a clone that does not have what they build on
    shutil.copy(tmp_path / "kept" / BUNDLE, pair.folder)
    git(tmp_path, "init", "-q", "-b", "main", "empty")
    git(tmp_path / "empty", "commit", "-q", "--allow-empty", "-m", "other")
    shutil.copy(line.work / "workflow.yaml", tmp_path / "empty")
    lacking = line.f0ci("errands", str(pair.folder), work=tmp_path / "empty")
    assert lacking.code == 3
    assert "which is not among the objects" in lacking.err
    assert "with its history" in lacking.err
    # errands of another promotion than the ledgers know of
    data = json.loads((pair.folder / ERRANDS).read_bytes())
    for key, value in (("step", 7), ("commit", "0" * 40), ("tree", "0" * 40), ("digest", "0" * 64)):
        forged = json.loads(json.dumps(data))
        forged["errands"][0]["about"][key] = value
        (pair.folder / ERRANDS).write_text(json.dumps(forged))
        answer = pair.work()
        assert answer.code == 3, key
        assert "the ledgers do not ask for this errand" in answer.err
        assert json.loads((pair.folder / ANSWERS).read_bytes())["answers"] == []
    assert "errands.json" in line.f0ci("errands", str(tmp_path / "nothing")).err


def test_a_command_of_a_gate_answers_where_no_token_is_and_its_answer_is_on_record(pair: Pair) -> None:
    line = pair.line
    line.change("workflow.yaml", "    dev:\n", "    dev:\n      gates: {command: {run: ./allow.sh}}\n")
    path = line.work / "allow.sh"
    path.write_text('#!/bin/sh\necho "seen $F0CI_ENVIRONMENT"\n')
    path.chmod(0o755)
    git(line.work, "add", "-A")
    git(line.work, "commit", "-qm", "a gate")
    git(line.work, "push", "-q", "origin", "HEAD:main")
    release = line.release()
    shown = line.done("plan", "dev", "--release", release, "--apart")
    assert "it is asked when the promotion is taken further" in shown.out

    answer, left = pair.to_end("promote", "dev", "--release", release)

    assert (answer.code, left) == (0, [["ask"], ["deploy"]]), answer.err
    (applied,) = [event for event in line.records("dev") if event["kind"] == "applied"]
    assert applied["data"]["facts"]["command"] == {"code": 0, "said": "seen dev"}
    line.done("audit", "verify")


def test_metrics_that_run_commands_are_asked_where_no_token_is(pair: Pair) -> None:
    line = pair.line
    metrics = "  metrics:\n    failures: {provider: command, run: 'echo 0'}\n"
    line.change("workflow.yaml", "  metrics:\n", metrics)
    line.change("workflow.yaml", "success_criteria: error_rate < 1%", "success_criteria: failures < 1")
    release = line.release()
    pair.to_end("promote", "dev", "--release", release)
    shown = line.done("plan", "staging", "--release", release, "--apart")
    assert "its metrics run commands or need secrets" in shown.out

    answer, left = pair.to_end("promote", "staging", "--release", release)

    # before the release is even asked for they are asked once; after the change, where it was deployed
    assert (answer.code, left) == (0, [["rehearse"], ["deploy"]]), answer.err
    assert line.events("staging")[-2:] == ["measured", "succeeded"]
    # a metric that cannot be measured keeps the change out, as it does in one process
    line.change("workflow.yaml", "run: 'echo 0'", "run: 'exit 3'")
    broken = line.release()
    pair.to_end("promote", "dev", "--release", broken)
    refused, left = pair.to_end("promote", "staging", "--release", broken)
    assert (refused.code, left) == (3, [["rehearse"]])
    assert "'failures' cannot be measured" in refused.err
    assert line.events("staging")[-1] == "succeeded"


def test_a_release_waits_for_its_turn_while_another_is_on_its_way(pair: Pair) -> None:
    line = pair.line
    first = line.release()
    pair.promote("promote", "dev", "--release", first)
    line.commit({"scriptlets/more.py": "X = 1\n"})
    second = line.release()
    waited: list[float] = []

    def pause(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 2:
            assert pair.to_end("promote", "--continue")[0].code == 0

    turn = Patience(timedelta(minutes=20), timedelta(seconds=7), pause, lambda: sum(waited))
    report = promote_environment(line.work, "dev", second, turn=turn)

    assert report.state == "succeeded"
    assert report.release is not None
    assert report.release.startswith(second)
    assert waited == [7, 7]
    # nobody is waited for beyond that
    line.commit({"scriptlets/more.py": "X = 2\n"})
    pair.promote("promote", "dev", "--release", line.release())
    line.commit({"scriptlets/more.py": "X = 3\n"})
    short = Patience(timedelta(seconds=10), timedelta(seconds=7), waited.append, lambda: sum(waited[2:]))
    busy = promote_environment(line.work, "dev", line.release(), turn=short)
    assert (busy.state, waited[2:]) == ("deploying", [7, 3])
    assert "is still active in dev" in busy.reasons[0]
    close_all()
