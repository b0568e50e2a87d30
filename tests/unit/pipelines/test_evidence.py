"""Who approved, as a CI system says: from the job's variables, or from answers as the published APIs describe them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import responses

from f0ci.core.errors import UsageError
from f0ci.core.plugins import load, names
from f0ci.pipelines.evidence.base import Assertion

GITHUB = {
    "GITHUB_REPOSITORY": "shop/shop",
    "GITHUB_RUN_ID": "30433642",
    "GITHUB_JOB": "to_prod",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_API_URL": "https://api.github.com",
    "F0CI_GIT_TOKEN": "a-token",
}
HISTORY = "https://api.github.com/repos/shop/shop/actions/runs/30433642/approvals"
GITLAB = {"CI_JOB_URL": "https://gitlab.com/shop/-/jobs/7", "CI_JOB_NAME": "to_prod", "GITLAB_USER_LOGIN": "alice"}
JENKINS = {"BUILD_URL": "https://ci.example.com/job/shop/7/", "STAGE_NAME": "to_prod"}
AZURE = {
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/shop/",
    "SYSTEM_TEAMPROJECT": "the shop",
    "BUILD_BUILDID": "7",
    "SYSTEM_STAGENAME": "to_prod",
    "F0CI_GIT_TOKEN": "a-token",
}
PROJECT = "https://dev.azure.com/shop/the%20shop"


def read(system: str, environ: dict[str, str]) -> list[tuple[str | None, str]]:
    found: tuple[Assertion, ...] = load("f0ci.pipelines.evidence", system, noun="CI system").read("prod", environ)
    assert all(one.kind == system and one.url.startswith("https://") for one in found)
    return [(one.reviewer, one.how) for one in found]


def review(login: str, environment: str = "prod", state: str = "approved") -> dict[str, Any]:
    """Return an entry as `environment-approvals` of GitHub's API description has it."""
    return {
        "state": state,
        "comment": "Ship it!",
        "environments": [{"id": 161088068, "node_id": "MDExO", "name": environment}],
        "user": {"login": login, "id": 1, "type": "User"},
    }


@pytest.mark.parametrize(
    ("history", "found"),
    [
        ([review("alice")], [("alice", "the run's review history")]),
        ([review("alice", "Prod"), review("bob", "staging")], [("alice", "the run's review history")]),
        ([review("alice"), review("alice")], [("alice", "the run's review history")]),
        ([], []),
        ([review("alice", state="rejected"), review("bob", "staging")], []),
    ],
)
@responses.activate
def test_github_is_asked_for_the_review_history_of_the_run(history: Any, found: list[tuple[str, str]]) -> None:
    asked = responses.get(HISTORY, json=history)

    assert read("github", GITHUB) == found
    assert asked.calls[0].request.headers["Authorization"] == "Bearer a-token"


@responses.activate
def test_reviews_of_several_attempts_name_nobody() -> None:
    responses.get(HISTORY, json=[review("alice"), review("bob")])

    ((reviewer, how),) = read("github", GITHUB)
    assert reviewer is None
    assert "alice, bob" in how


@pytest.mark.parametrize(
    ("system", "url", "environ"), [("github", HISTORY, GITHUB), ("azure", f"{PROJECT}/_apis", AZURE)]
)
@responses.activate
def test_a_question_that_nobody_answers_names_nobody_and_says_why(
    system: str, url: str, environ: dict[str, str]
) -> None:
    responses.get(re.compile(re.escape(url)), status=403, json={"message": "Resource not accessible by integration"})

    ((reviewer, how),) = read(system, environ)
    assert reviewer is None
    assert "could not be read" in how
    assert "403" in how
    assert "a-token" not in how


def test_gitlab_names_who_started_a_manual_job() -> None:
    assert read("gitlab", {**GITLAB, "CI_JOB_MANUAL": "true"}) == [
        ("alice", "started the manual job (GITLAB_USER_LOGIN)")
    ]
    assert read("gitlab", GITLAB) == []


def test_jenkins_names_who_answered() -> None:
    assert read("jenkins", {**JENKINS, "F0CI_REVIEWER": "alice"})[0][0] == "alice"
    assert read("jenkins", JENKINS) == []


@responses.activate
def test_azure_names_who_gave_the_approvals_of_the_stage() -> None:
    responses.get(
        f"{PROJECT}/_apis/build/builds/7/timeline",
        json={
            "records": [
                {"id": "s1", "type": "Stage", "identifier": "to_prod", "name": "promote to prod"},
                {"id": "s2", "type": "Stage", "identifier": "to_staging", "name": "promote to staging"},
                {"id": "c1", "parentId": "s1", "type": "Checkpoint"},
                {"id": "c2", "parentId": "s2", "type": "Checkpoint"},
                {"id": "a1", "parentId": "c1", "type": "Checkpoint.Approval"},
                {"id": "a2", "parentId": "c2", "type": "Checkpoint.Approval"},
                {"id": "j1", "parentId": "s1", "type": "Job"},
            ]
        },
    )
    alice = {"displayName": "Alice", "uniqueName": "alice@example.com"}
    steps = [
        {"status": "approved", "actualApprover": alice},
        {"status": "approved", "actualApprover": {"displayName": "Bob", "uniqueName": "bob@example.com"}},
        {"status": "skipped", "assignedApprover": {"uniqueName": "carol@example.com"}},
    ]
    responses.get(f"{PROJECT}/_apis/pipelines/approvals/a1", json={"id": "a1", "status": "approved", "steps": steps})

    assert [who for who, _ in read("azure", AZURE)] == ["alice@example.com", "bob@example.com"]


@responses.activate
def test_azure_without_an_approval_check_asked_nobody() -> None:
    records = [{"id": "s1", "type": "Stage", "identifier": "to_prod"}, {"id": "j1", "parentId": "s1", "type": "Job"}]
    responses.get(f"{PROJECT}/_apis/build/builds/7/timeline", json={"records": records})

    assert read("azure", AZURE) == []


@pytest.mark.parametrize("system", names("f0ci.pipelines.evidence"))
def test_outside_of_a_job_nobody_is_asked(system: str) -> None:
    with pytest.raises(UsageError, match="is not set"):
        read(system, {})
