"""A quarantine that was lifted by somebody who may not stands for every reader, the choice of where to go back too."""

from __future__ import annotations

import pytest

from f0ci.core.errors import GitError
from tests.line.conftest import Line
from tests.line.forger import Forger
from tests.line.test_asking import DEV, another


def lifted_by(line: Line, who: str, release: str) -> None:
    """Lift the quarantine of a release as an approver does, or as somebody who writes to the ledger past f0ci."""
    if who == "approver":
        line.done("quarantine", release, "--lift", "--reason", "it was the database")
        return
    forger = Forger(line.bare, line.work, line.people)
    _path, event = forger.find("_workflow", "quarantine")
    data = {"release": event["data"]["release"], "reason": "never mind"}
    forger.append("_workflow", "_workflow", "unquarantine", data)


@pytest.mark.parametrize("who", ["approver", "stranger"])
def test_going_back_believes_who_may_have_lifted_a_quarantine(line: Line, who: str) -> None:
    first = line.release()
    line.done("promote", "dev")
    second = another(line, 2)
    line.done("promote", "dev")
    another(line, 3)
    line.done("promote", "dev")
    line.done("quarantine", second, "--reason", "loses orders")
    lifted_by(line, who, second)
    target = second if who == "approver" else first

    back = line.done("rollback", "dev", "--reason", "slow", "--format", "json").data

    assert back["release"][:12] == target[:12]
    found = line.f0ci("audit", "verify", "--format", "json").data["findings"]
    assert {finding["kind"] for finding in found} == (set() if who == "approver" else {"right-not-proven"})


def test_a_release_whose_lifting_nobody_proved_is_passed_over_where_every_release_comes_in_order(line: Line) -> None:
    line.change("workflow.yaml", DEV, f"{DEV}      queue: in_order\n")
    line.release()
    line.done("promote", "dev")
    second, third = another(line, 2), another(line, 3)
    line.done("quarantine", second, "--reason", "loses orders")
    lifted_by(line, "stranger", second)

    assert line.done("promote", "dev", "--format", "json").data["release"][:12] == third[:12]


def test_status_says_of_what_runs_that_nobody_proved_its_lifting(line: Line) -> None:
    running = line.release()
    line.done("promote", "dev")
    line.done("quarantine", running, "--reason", "loses orders")
    lifted_by(line, "stranger", running)

    (told,) = line.done("status", "dev", "--format", "json").data["environments"]

    assert told["quarantined"] == (
        f"Mallory <mallory@example.com> lifted the quarantine of {running[:12]}, but nobody signed it"
    )


def test_a_lifting_that_nobody_can_check_counts_as_none(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    first = line.release()
    line.done("promote", "dev")
    second = another(line, 2)
    line.done("promote", "dev")
    another(line, 3)
    line.done("promote", "dev")
    line.done("quarantine", second, "--reason", "loses orders")
    lifted_by(line, "approver", second)

    def is_missing(*_: object, **__: object) -> None:
        raise GitError("'ssh-keygen' is not installed", "install OpenSSH")

    monkeypatch.setattr("f0ci.git.signatures.verify", is_missing)
    back = line.done("rollback", "dev", "--reason", "slow", "--format", "json").data

    assert back["release"][:12] == first[:12]
