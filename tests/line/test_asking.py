"""Why a release is not there yet, what a plan foresees, which release is next, and what going back undoes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import git
from tests.line.conftest import Line

DEV = "    dev:\n      auto_promote: true\n"


def another(line: Line, turn: int) -> str:
    """Make one more release."""
    text = (line.work / "environments/base.yaml").read_text(encoding="utf-8")
    line.commit({"environments/base.yaml": f"{text}# {turn}\n"})
    return line.release()


def unmet(line: Line, *args: str) -> dict[str, Any]:
    return dict(line.done("why", *args, "--format", "json").data)


def test_why_follows_a_release_on_its_way(line: Line) -> None:
    release = line.release()
    before = unmet(line, "prod")
    line.done("promote", "dev")
    line.done("promote", "staging")
    line.f0ci("promote", "prod")

    waiting = unmet(line, "prod", release)
    said = line.done("why", "prod")
    plan = line.done("plan", "prod")
    line.approve_waiting()
    ready = unmet(line, "prod")
    line.done("promote", "prod")

    assert [one["what"] for one in before["conditions"]] == ["request", "order", "approval"]
    assert before["promotion"] is None
    assert [(one["what"], one["who"]) for one in waiting["conditions"]] == [("approval", ["bob"])]
    assert waiting["by_itself"] is False
    assert "next: f0ci approve prod-1" in said.out
    assert "once approval is met" in plan.out
    assert "a rollback would restore nothing" in plan.out
    assert ready["conditions"] == []
    assert unmet(line, "prod")["arrived"] is True
    assert "prod-1 succeeded" in line.done("why", "prod").out
    assert "prod runs it already, since prod-1" in line.done("plan", "prod").out


def test_why_says_what_never_ends_and_what_ends_by_itself(line: Line) -> None:
    freeze = '{name: audit, from: "2020-01-01", to: "2090-01-01"}'
    line.change("workflow.yaml", DEV, f"{DEV}      gates: {{window: {{freeze: [{freeze}]}}}}\n")
    old = line.release()
    frozen = unmet(line, "dev")
    line.done("quarantine", old, "--reason", "loses orders")

    stopped = unmet(line, "dev", old)
    plan = line.done("plan", "dev")

    assert [(one["what"], one["until"]) for one in frozen["conditions"]] == [
        ("request", None),
        ("window", "2090-01-02T00:00:00Z"),
    ]
    assert frozen["earliest"] == "2090-01-02T00:00:00Z"
    assert stopped["conditions"][0]["what"] == "quarantine"
    assert stopped["conditions"][0]["who"] == ["alice", "bob"]
    assert "freeze ahead: audit" in plan.out


def test_whoever_only_looks_need_not_be_known(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    line.release()
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL"):
        monkeypatch.delenv(name, raising=False)
    work = line.clone("ci", "--depth=1")
    git(work, "config", "user.useConfigOnly", "true")
    for name in ("user.name", "user.email"):
        git(work, "config", name, "")

    why, plan, hold = (
        line.f0ci("why", "prod", work=work),
        line.f0ci("plan", "prod", work=work),
        line.f0ci("hold", "prod", "--reason", "who am I", work=work),
    )

    assert (why.code, plan.code, hold.code) == (0, 0, 3)
    assert "waiting approval" in plan.out
    assert "git does not know who you are" in hold.err


def test_the_newest_release_takes_the_place_of_one_that_waits(line: Line) -> None:
    line.change("workflow.yaml", DEV, f"{DEV}      queue: newest\n      gates: {{approval: {{}}}}\n")
    line.release()
    assert line.f0ci("promote", "dev").code == 5
    newer = another(line, 2)

    answer = line.f0ci("promote", "dev", "--format", "json")

    assert (answer.data["promotion"], answer.data["release"][:12]) == ("dev-2", newer)
    assert line.events("dev").count("superseded") == 1
    assert line.f0ci("promote", "dev", "--format", "json").data["promotion"] == "dev-2"
    line.done("audit", "verify")


def test_every_release_comes_in_order(line: Line) -> None:
    line.change("workflow.yaml", DEV, f"{DEV}      queue: in_order\n")
    line.release()
    line.done("promote", "dev")
    second, third, fourth = (another(line, turn) for turn in (2, 3, 4))
    refused = line.f0ci("promote", "dev", "--release", fourth)
    line.done("quarantine", third, "--reason", "loses orders")

    came = [line.done("promote", "dev", "--format", "json").data["release"][:12] for _ in range(3)]

    assert refused.code == 4
    assert f"{second} comes first" in refused.err
    assert came == [second, fourth, fourth]


def test_going_back_says_what_it_undoes_and_minds_what_cannot_be_undone(line: Line) -> None:
    first = line.release()
    line.done("promote", "dev")
    good = line.tree("env/dev")
    line.commit({"migration.sql": "drop"})
    git(line.work, "commit", "-q", "--amend", "-m", "migrate\n\nF0-Irreversible: drops orders.note")
    git(line.work, "push", "-q", "-f", "origin", "HEAD:main")
    for turn in (2, 3):
        another(line, turn)
        line.done("promote", "dev")

    refused = line.f0ci("rollback", "dev", "--reason", "slow", "--to", first)
    near = line.done("rollback", "dev", "--reason", "slow")
    line.act_as("bob")
    line.done("unhold", "dev")
    far = line.f0ci("rollback", "dev", "--reason", "slower")
    accepted = line.done("rollback", "dev", "--reason", "slower", "--accept-irreversible")

    assert refused.code == 4
    assert "would not undo drops orders.note" in refused.err
    assert "undoes dev-3" in near.err
    assert far.code == 4
    assert "undoes dev-2" in accepted.err
    assert line.tree("env/dev") == good
    line.done("audit", "verify")


def test_what_cannot_be_undone_is_not_rolled_back_by_itself(line: Line) -> None:
    line.release()
    line.done("promote", "dev")
    line.change("recipes/deploy.yaml", 'echo "delivered to $TARGET"', "exit 1")
    git(line.work, "commit", "-q", "--amend", "-m", "migrate\n\nF0-Irreversible: drops orders.note")
    git(line.work, "push", "-q", "-f", "origin", "HEAD:main")
    line.release()

    answer = line.f0ci("promote", "dev", "--format", "json")

    assert answer.code == 7
    assert any("would not undo drops orders.note" in reason for reason in answer.data["reasons"])
    assert json.loads(answer.out)["state"] == "failed"
    line.done("audit", "verify")
