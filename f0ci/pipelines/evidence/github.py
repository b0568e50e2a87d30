"""GitHub Actions: the review history of the run says who approved for the environment.

One question, `GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals` of GitHub's REST API, for which the job needs
the permission `actions: read`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from f0ci.core.errors import F0ciError
from f0ci.pipelines.evidence.base import Assertion, api, token, variable

KIND = "github"


def read(environment: str, environ: Mapping[str, str]) -> tuple[Assertion, ...]:
    """Return who approved that this job runs; nobody where the environment asked nobody.

    Args:
        environment: the workflow's name of the environment, which is what GitHub calls it.
        environ: the job's environment variables.

    Raises:
        UsageError: this is no job of GitHub Actions.
    """
    from f0ci.http.session import get_json

    repository = variable(environ, "GITHUB_REPOSITORY", "GitHub Actions")
    run = variable(environ, "GITHUB_RUN_ID", "GitHub Actions")
    address = environ.get("GITHUB_SERVER_URL", "https://github.com")
    service = environ.get("GITHUB_API_URL", "https://api.github.com")
    url, job = f"{address}/{repository}/actions/runs/{run}", environ.get("GITHUB_JOB", "")
    question = f"{service}/repos/{quote(repository)}/actions/runs/{quote(run, safe='')}/approvals"
    headers = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
    try:
        with api(headers, token=token(environ)) as session:
            history = get_json(session, question)
    except F0ciError as error:
        return (Assertion(KIND, url, job, None, f"the run's review history could not be read: {error}"),)
    reviewers = list(_approving(history, environment))
    if not reviewers:
        return ()
    different = sorted(set(reviewers))
    if len(different) > 1:
        # an earlier attempt of the run may have shown another plan
        how = (
            f"the run's review history names several, for attempts that it does not tell apart: {', '.join(different)}"
        )
        return (Assertion(KIND, url, job, None, how),)
    return (Assertion(KIND, url, job, different[0], "the run's review history"),)


def _approving(history: Any, environment: str) -> Iterator[str]:
    for review in history if isinstance(history, list) else []:
        names = {str(one.get("name", "")).lower() for one in review.get("environments") or []}
        if review.get("state") == "approved" and environment.lower() in names:
            yield str((review.get("user") or {}).get("login") or "")
