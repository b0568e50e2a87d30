"""Many at once: nothing is lost, nothing happens twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SshIdentity, git, rounds
from tests.line.conftest import Line, Stage
from tests.line.processes import run_all
from tests.line.test_crash import two_good

FOUR = ("bob", "carol", "dave", "erin")


def clones(line: Line, count: int) -> list[Path]:
    """Return clones of the remote, one for each who works at once."""
    return [line.clone(f"clone-{number}") for number in range(count)]


def act_as(work: Path, name: str, key: SshIdentity) -> None:
    git(work, "config", "user.name", name.title())
    git(work, "config", "user.email", f"{name}@example.com")
    key.sign_with(work)


def told(line: Line, ledger: str) -> list[dict[str, Any]]:
    """Return a ledger's events in order."""
    ref = f"f0ci/ledger/{ledger}"
    paths = git(line.bare, "ls-tree", "-r", "--name-only", ref).splitlines()
    events = [json.loads(git(line.bare, "show", f"{ref}:{path}")) for path in paths]
    return sorted(events, key=lambda event: int(event["position"]))


def test_many_who_promote_at_once_make_one_promotion(line: Line, tmp_path: Path) -> None:
    line.release()

    ended = run_all([(work, ("promote", "dev")) for work in clones(line, rounds(6, 32))], tmp_path / "said")

    assert {one.code for one in ended} <= {0, 5}, ended
    assert 0 in {one.code for one in ended}
    assert line.events("dev") == ["policy", "requested", "applied", "deployed", "succeeded"]
    assert len(git(line.bare, "log", "--format=%H", "env/dev").splitlines()) == 1
    line.done("audit", "verify")


def test_an_older_release_never_lands_over_a_newer_one_by_finishing_late(line: Line, tmp_path: Path) -> None:
    older = line.release()
    line.change("environments/base.yaml", "the team", "the whole team")
    newer = line.release()
    commands = [("promote", "dev", "--release", release) for release in (older, newer, older, newer)]

    ended = run_all(list(zip(clones(line, 4), commands, strict=True)), tmp_path / "said")

    # refused where the newer one runs already, waiting where the other one is on its way
    assert {one.code for one in ended} <= {0, 4, 5}, ended
    landed = [event["promotion"] for event in told(line, "dev") if event["kind"] == "applied"]
    brought = {
        event["promotion"]: event["data"]["release"][:12] for event in told(line, "dev") if event["kind"] == "requested"
    }
    assert len(landed) == len(set(landed))
    order = [brought[promotion] for promotion in landed]
    assert order in ([older], [newer], [older, newer])
    line.done("audit", "verify")


def four_approvers(line: Line) -> None:
    """Let a release wait for the approval of four people."""
    keys = {name: line.people[name] for name in FOUR}
    people = "".join(
        f"  {name}:\n    emails: [{name}@example.com]\n    keys: ['{key.key}']\n" for name, key in keys.items()
    )
    workflow = (line.work / "workflow.yaml").read_text(encoding="utf-8")
    line.commit(
        {
            ".f0ci/approvers.yaml": f"people:\n{people}groups:\n  release-managers: [{', '.join(FOUR)}]\n",
            "workflow.yaml": workflow.replace("count: 1", "count: 4"),
        }
    )
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    assert line.f0ci("promote", "prod").code == 5


def test_approvals_holds_and_a_quarantine_at_once_are_all_recorded(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = stage("four-approvers", four_approvers).copy_to(tmp_path, capsys)
    line.change("environments/base.yaml", "the team", "the whole team")
    other = line.release()
    works = clones(line, 7)
    commands = [("approve", "prod-1")] * 4 + [("hold", "prod", "--reason", word) for word in ("first", "second")]
    for work, name in zip(works, FOUR, strict=False):
        act_as(work, name, line.people[name])

    ended = run_all(
        list(zip(works, [*commands, ("quarantine", other, "--reason", "slow")], strict=True)), tmp_path / "said"
    )

    assert {one.code for one in ended} == {0}, ended
    events = told(line, "prod")
    approvers = [event["data"]["statement"]["approver"] for event in events if event["kind"] == "approved"]
    assert sorted(approvers) == sorted(FOUR)
    assert {event["data"]["reason"] for event in events if event["kind"] == "hold"} == {"first", "second"}
    assert [event["position"] for event in events] == list(range(len(events)))
    assert [event["kind"] for event in told(line, "_workflow")] == ["quarantine"]
    act_as(line.work, "bob", line.people["bob"])
    assert line.f0ci("promote", "prod").code == 5
    line.done("unhold", "prod", "--reason", "over")
    line.done("promote", "prod", "--continue")
    line.done("audit", "verify")


def test_two_who_roll_back_at_once_go_back_once(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    line = stage("two-good", two_good).copy_to(tmp_path, capsys)
    before = git(line.bare, "log", "--format=%T", "env/dev").splitlines()
    commands = [("rollback", "dev", "--reason", word) for word in ("it is slow", "orders are lost")]

    ended = run_all(list(zip(clones(line, 2), commands, strict=True)), tmp_path / "said")

    assert [one.code for one in ended] == [0, 0], ended
    assert git(line.bare, "log", "--format=%T", "env/dev").splitlines() == [before[1], *before]
    assert line.events("dev").count("hold") == 1
    assert [event["kind"] for event in told(line, "_workflow")] == ["quarantine"]
    line.done("audit", "verify")


def test_whoever_ends_a_promotion_while_another_applies_it_is_told_the_truth(line: Line, tmp_path: Path) -> None:
    line.to_prod()
    commands = [("promote", "prod"), ("abort", "prod-1", "--reason", "not today")]

    promoted, aborted = run_all(list(zip(clones(line, 2), commands, strict=True)), tmp_path / "said")

    kinds = line.events("prod")
    if aborted.code == 0:
        assert promoted.code == 4, promoted
        assert kinds == ["policy", "requested", "waiting", "approved", "aborted"]
    else:
        assert aborted.code == 4, aborted
        assert "has ended already: succeeded" in aborted.text
        assert "applied" in kinds
        assert "aborted" not in kinds
