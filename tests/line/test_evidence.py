"""The plan that was shown is the plan that is carried out; what a CI system says of its approval is on record."""

from __future__ import annotations

import json

import pytest

from tests.conftest import git
from tests.line.conftest import Line

JOB = {"CI_JOB_URL": "https://gitlab.example.com/shop/-/jobs/7", "CI_JOB_NAME": "to_prod", "CI_JOB_MANUAL": "true"}


@pytest.fixture
def ready(line: Line) -> str:
    """Bring a release to where production is next, with a gate that accepts GitLab's word, and return its plan."""
    approvers = (line.work / ".f0ci/approvers.yaml").read_text(encoding="utf-8")
    line.commit({".f0ci/approvers.yaml": approvers.replace("  bob:\n", "  bob:\n    accounts: {gitlab: bob-lab}\n")})
    line.change("workflow.yaml", "groups: [release-managers]", "groups: [release-managers], accept: [gitlab]")
    line.release()
    line.done("promote", "dev")
    line.done("promote", "staging")
    return str(line.done("plan", "prod", "--format", "json").data["digest"])


def recorded(line: Line) -> list[dict[str, object]]:
    files = git(line.bare, "ls-tree", "-r", "--name-only", "f0ci/ledger/prod").splitlines()
    paths = [path for path in files if path.endswith("-evidence.json")]
    return [json.loads(git(line.bare, "show", f"f0ci/ledger/prod:{path}"))["data"] for path in paths]


def set_job(monkeypatch: pytest.MonkeyPatch, who: str) -> None:
    for name, value in {**JOB, "GITLAB_USER_LOGIN": who}.items():
        monkeypatch.setenv(name, value)


def test_an_accepted_word_of_the_platform_approves_the_plan_that_was_shown(
    line: Line, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_job(monkeypatch, "bob-lab")

    answer = line.done("promote", "prod", "--digest", ready, "--evidence", "gitlab", "--format", "json")

    assert (answer.data["state"], answer.data["digest"]) == ("succeeded", ready)
    assert recorded(line) == [
        {
            "kind": "gitlab",
            "url": JOB["CI_JOB_URL"],
            "job": "to_prod",
            "reviewer": "bob-lab",
            "how": "started the manual job (GITLAB_USER_LOGIN)",
            "digest": ready,
        }
    ]
    assert line.f0ci("audit", "verify").code == 0


def test_the_word_about_a_stranger_is_on_record_once_and_does_not_count(
    line: Line, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_job(monkeypatch, "mallory")

    for _ in range(2):
        answer = line.f0ci("promote", "prod", "--digest", ready[:12], "--evidence", "gitlab")
        assert answer.code == 5
        assert "gitlab says that mallory approved, whom nobody in the approvers" in answer.out
    assert [one["reviewer"] for one in recorded(line)] == ["mallory"]


def test_who_takes_back_what_they_said_takes_back_what_the_platform_says_of_them(
    line: Line, ready: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert line.f0ci("promote", "prod", "--digest", ready).code == 5
    line.done("hold", "prod", "--reason", "looking")
    set_job(monkeypatch, "bob-lab")
    answer = line.f0ci("promote", "prod", "--evidence", "gitlab")
    assert "approval" not in answer.out
    line.act_as("bob")

    line.done("revoke", "prod-1", "--reason", "wrong dashboard")

    line.act_as("alice")
    again = line.f0ci("promote", "prod", "--evidence", "gitlab")
    assert again.code == 5
    assert "approval: 0 of 1 approval of plan" in again.out
    line.act_as("bob")
    assert line.f0ci("revoke", "prod-1", "--reason", "twice").code == 4


def test_another_plan_than_the_one_that_was_shown_is_refused(line: Line, ready: str) -> None:
    refused = line.f0ci("promote", "prod", "--digest", "0" * 64)
    assert refused.code == 4
    assert f"no longer {'0' * 12}, which was shown, but {ready[:12]}" in refused.err
    assert line.f0ci("promote", "prod").code == 5

    assert line.f0ci("promote", "prod", "--digest", "0" * 64).code == 4
    assert line.f0ci("promote", "prod", "--digest", ready).code == 5
    assert line.f0ci("promote", "prod", "--digest", "").code == 2
    assert line.f0ci("promote", "--continue", "--digest", ready).code == 2


def test_an_empty_variable_is_no_digest_to_approve(line: Line, ready: str) -> None:
    assert line.f0ci("promote", "prod").code == 5
    line.act_as("bob")

    for digest in ("", ready[:4], "latest"):
        answer = line.f0ci("approve", "prod-1", "--digest", digest)
        assert (answer.code, "is no digest of a plan" in answer.err) == (2, True)
    assert line.f0ci("approve", "prod-1", "--digest", "0" * 64).code == 4
    line.done("approve", "prod-1", "--digest", ready.upper())
