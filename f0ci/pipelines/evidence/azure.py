"""Azure Pipelines: the run's timeline names the approvals of the stage, and each approval who gave it.

Two small questions, `GET {project}/_apis/build/builds/{id}/timeline` and
`GET {project}/_apis/pipelines/approvals/{id}?$expand=steps`, of the REST API 7.1, with the job's access token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from f0ci.core.errors import F0ciError
from f0ci.pipelines.evidence.base import Assertion, api, token, variable

KIND = "azure"
_VERSION = "api-version=7.1"


def read(_environment: str, environ: Mapping[str, str]) -> tuple[Assertion, ...]:
    """Return who approved that this stage runs; nobody where no approval check stood before it.

    Args:
        _environment: the environment; the timeline is asked for the stage of this very job.
        environ: the job's environment variables.

    Raises:
        UsageError: this is no job of Azure Pipelines.
    """
    from f0ci.http.session import get_json

    system = "Azure Pipelines"
    collection = variable(environ, "SYSTEM_COLLECTIONURI", system).rstrip("/")
    project = f"{collection}/{quote(variable(environ, 'SYSTEM_TEAMPROJECT', system), safe='')}"
    build, stage = variable(environ, "BUILD_BUILDID", system), variable(environ, "SYSTEM_STAGENAME", system)
    url = f"{project}/_build/results?buildId={quote(build, safe='')}"
    try:
        with api({"Accept": "application/json"}, token=token(environ)) as session:
            timeline = get_json(session, f"{project}/_apis/build/builds/{quote(build, safe='')}/timeline?{_VERSION}")
            given = [
                get_json(session, f"{project}/_apis/pipelines/approvals/{quote(one, safe='')}?$expand=steps&{_VERSION}")
                for one in _approvals(timeline, stage)
            ]
    except F0ciError as error:
        return (Assertion(KIND, url, stage, None, f"the stage's approvals could not be read: {error}"),)
    reviewers = sorted({name for approval in given for name in _approvers(approval)})
    return tuple(Assertion(KIND, url, stage, reviewer, "the approval check of the stage") for reviewer in reviewers)


def _approvals(timeline: Any, stage: str) -> Iterator[str]:
    """Yield the ids of the approvals that stand, at any depth, below a stage."""
    records = {str(one["id"]): one for one in (timeline or {}).get("records") or []}
    for name, record in records.items():
        if record.get("type") != "Checkpoint.Approval":
            continue
        above = record
        for _ in records:
            if above.get("type") == "Stage":
                break
            above = records.get(str(above.get("parentId")), {})
        if above.get("identifier", above.get("name")) == stage:
            yield name


def _approvers(approval: Any) -> Iterator[str]:
    for step in (approval or {}).get("steps") or []:
        if step.get("status") == "approved":
            who = step.get("actualApprover") or {}
            yield str(who.get("uniqueName") or who.get("displayName") or "")
