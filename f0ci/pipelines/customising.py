"""What a workflow adds to its pipeline: how f0ci is installed, further steps, runners, images, caches, matrices.

It stands in the workflow, not in the generated files, so that it survives their next generation. What is about a job
that does not exist is refused, so that nothing is lost in silence when a stage gets another name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.suggestions import did_you_mean
from f0ci.pipelines.checking import refuse
from f0ci.pipelines.model import Cache, Command, Install, Job, Kind
from f0ci.source.reading import Path
from f0ci.workflows.model import Workflow

SYSTEMS = ("github", "gitlab", "jenkins", "azure")
_ACTION = re.compile(r"(\./\S*|[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@\S+)\Z")
_SHA256 = re.compile(r"[0-9a-f]{64}\Z")


def install_of(workflow: Workflow) -> Install:
    """Return how jobs get f0ci.

    Raises:
        InputError: a wheel has no digest.
    """
    written = workflow.settings.get("install")
    if isinstance(written, Mapping):
        if written.get("wheel"):
            sha256 = str(written.get("sha256") or "")
            if not _SHA256.match(sha256):
                raise refuse(
                    workflow, ("spec", "install"), "a wheel is installed by its SHA-256", "add it: `sha256sum WHEEL`"
                )
            return Install("wheel", str(written["wheel"]), sha256)
        return Install("preinstalled") if written.get("preinstalled") else Install(value=str(written["version"]))
    text = str(written or "")
    if not text:
        return Install()
    return Install("action" if _ACTION.match(text) else "command", text)


def customised(workflow: Workflow, jobs: tuple[Job, ...]) -> tuple[Job, ...]:
    """Return jobs with what `spec.pipelines.jobs` adds to each.

    Raises:
        InputError: a job does not exist, or takes no matrix or cache.
    """
    added = _settings(workflow).get("jobs") or {}
    at: Path = ("spec", "pipelines", "jobs")
    _check_known(workflow, added, jobs, at)
    return tuple(_added(workflow, job, added[job.id], (*at, job.id)) if job.id in added else job for job in jobs)


def options_of(workflow: Workflow, jobs: tuple[Job, ...]) -> dict[str, Mapping[str, Any]]:
    """Return the settings of each CI system.

    Raises:
        InputError: one is about a job that does not exist.
    """
    found = {system: _settings(workflow).get(system) or {} for system in SYSTEMS}
    for system, settings in found.items():
        _check_known(workflow, settings.get("jobs") or {}, jobs, ("spec", "pipelines", system, "jobs"))
    return {system: settings for system, settings in found.items() if settings}


def _added(workflow: Workflow, job: Job, added: Mapping[str, Any], at: Path) -> Job:
    for name in ("matrix", "cache"):
        # what deploys is told by the release alone
        if name in added and job.kind is not Kind.TASK:
            raise refuse(workflow, (*at, name), f"{job.id!r} takes no {name}; only stages that run commands do", None)
    if "wait" in added and job.kind is not Kind.PROMOTE:
        raise refuse(workflow, (*at, "wait"), f"{job.id!r} does not wait; only promotions do", None)
    minutes = int(added.get("minutes", job.minutes))
    if "wait" in added and parse_duration(str(added["wait"])) >= timedelta(minutes=minutes):
        raise refuse(
            workflow,
            (*at, "wait"),
            f"{job.id!r} is ended after {minutes} minutes, before it has waited {added['wait']}",
            "give it more `minutes`",
        )
    cache = added.get("cache")
    return replace(
        job,
        minutes=minutes,
        before=_commands(added.get("before")),
        after=_commands(added.get("after")),
        wait=str(added.get("wait", "")),
        matrix={name: tuple(map(str, values)) for name, values in (added.get("matrix") or {}).items()},
        cache=Cache(tuple(cache["paths"]), tuple(cache["key"])) if cache else None,
    )


def _commands(steps: list[Mapping[str, Any]] | None) -> tuple[Command, ...]:
    return tuple(Command(str(step.get("name") or step["run"].split("\n")[0]), step["run"], "") for step in steps or ())


def _check_known(workflow: Workflow, added: Mapping[str, Any], jobs: tuple[Job, ...], at: Path) -> None:
    known = [job.id for job in jobs]
    for name in added:
        if name not in known:
            hint = did_you_mean(str(name), known, noun="there are")
            raise refuse(workflow, (*at, name), f"there is no job {name!r} in the pipeline", hint)


def _settings(workflow: Workflow) -> Mapping[str, Any]:
    settings = workflow.settings.get("pipelines")
    return settings if isinstance(settings, Mapping) else {}
