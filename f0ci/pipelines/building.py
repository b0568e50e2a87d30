"""From a workflow to a pipeline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter

from f0ci.core.canonical import digest
from f0ci.core.errors import InputError
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.source.yaml import Path
from f0ci.workflows.model import Binding, Stage, Workflow

# names that every CI system takes as they are; anything else would have to be rewritten, and then two could clash
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,99}\Z")
_RESERVED = ("validate", "release", "continue", "rollback")
_MAX_JOBS = 200
_SECTION = {"uses": "uses", "test": "tests", "detector": "detectors"}


def build(workflow: Workflow) -> Pipeline:
    """Return the pipeline of a workflow.

    Raises:
        InputError: a name cannot be used in a pipeline, stages wait for each other or for one that does not exist, or
            there are too many stages for one.
    """
    _check_names(workflow)
    stages = {stage.name: stage for stage in workflow.stages}
    release_needs = ["validate", *(_id(stage) for stage in workflow.stages if _precedes(stage, stages))]
    jobs = [Job("validate", "validate", Kind.VALIDATE, When.CHANGE)]
    jobs += [_task(stage) for stage in workflow.stages if _precedes(stage, stages)]
    jobs.append(
        Job("release", "create the release", Kind.RELEASE, When.DEFAULT_BRANCH, tuple(release_needs), pushes=True)
    )
    jobs += [_after_release(stage, workflow) for stage in workflow.stages if not _precedes(stage, stages)]
    jobs.append(
        Job("continue", "take waiting promotions further", Kind.CONTINUE, When.SCHEDULE, pushes=True, minutes=60)
    )
    jobs.append(Job("rollback", "roll back", Kind.ROLLBACK, When.BY_HAND, pushes=True, minutes=30))
    if len(jobs) > _MAX_JOBS:
        raise InputError(
            f"{len(jobs)} jobs; a pipeline takes at most {_MAX_JOBS}",
            "split the workflow",
            place=str(workflow.document.location(("spec", "pipeline_stages"))),
        )
    _check_graph(jobs, workflow)
    promoted = [stage.environment for stage in workflow.stages if stage.environment]
    return Pipeline(
        name=workflow.name,
        workflow=workflow.document.path,
        source=digest(workflow.document.data),
        install=str(workflow.settings.get("install", "")),
        environments=tuple(dict.fromkeys(promoted)),
        approvals=tuple(
            environment.name
            for environment in workflow.environments
            if environment.name in promoted and any(gate.kind == "approval" for gate in environment.gates)
        ),
        jobs=tuple(jobs),
    )


def unbound(workflow: Workflow) -> Iterator[Binding]:
    """Yield every name that a stage uses and nothing stands behind."""
    for stage in workflow.stages:
        for binding in (stage.uses, *stage.tests):
            if binding is not None and binding.run is None:
                yield binding


def _precedes(stage: Stage, stages: dict[str, Stage]) -> bool:
    """Tell whether a stage neither promotes nor waits for a promotion, so that it comes before the release."""
    seen: set[str] = set()
    waiting = [stage]
    while waiting:
        current = waiting.pop()
        if current.environment is not None:
            return False
        for name in current.requires:
            if name in stages and name not in seen:
                seen.add(name)
                waiting.append(stages[name])
    return True


def _task(stage: Stage, *, after: tuple[str, ...] = ("validate",), when: When = When.CHANGE) -> Job:
    bindings = [binding for binding in (stage.uses, *stage.tests) if binding is not None]
    return Job(
        _id(stage),
        stage.name,
        Kind.TASK,
        when,
        tuple(dict.fromkeys((*after, *map(_slug, stage.requires)))),
        minutes=60,
        commands=tuple(_command(binding) for binding in bindings),
    )


def _after_release(stage: Stage, workflow: Workflow) -> Job:
    if stage.environment is None:
        return _task(stage, after=("release",), when=When.DEFAULT_BRANCH)
    environment = workflow.environment(stage.environment)
    name = environment.name if environment else stage.environment
    return Job(
        _id(stage),
        f"promote to {name}",
        Kind.PROMOTE,
        When.DEFAULT_BRANCH,
        tuple(dict.fromkeys(("release", *map(_slug, stage.requires)))),
        environment=name,
        pushes=True,
        minutes=60,
    )


def _command(binding: Binding) -> Command:
    section = _SECTION[binding.kind]
    return Command(binding.name, binding.run, f"spec.bindings.{section}: {{{binding.name}: {{run: ...}}}}")


def _id(stage: Stage) -> str:
    return _slug(stage.name)


def _slug(name: str) -> str:
    return f"stage-{name}" if name in _RESERVED else name


def _check_names(workflow: Workflow) -> None:
    places: list[tuple[str, str, Path]] = [("stage", stage.name, (*stage.at, "name")) for stage in workflow.stages]
    places += [("environment", environment.name, environment.at) for environment in workflow.environments]
    for noun, name, at in places:
        if not _NAME.match(name):
            raise InputError(
                f"the {noun} name {name!r} cannot be used in a pipeline",
                "use a letter, then letters, digits, '-' and '_', at most 100 of them",
                place=str(workflow.document.location(at)),
            )
    for stage in workflow.stages:
        for binding in (stage.uses, *stage.tests):
            if binding is not None and binding.run is not None and "${{" in binding.run:
                raise InputError(
                    f"the command of {binding.name!r} holds '${{{{', which a CI system would replace",
                    "read what you need from environment variables",
                    place=str(workflow.document.location(binding.at)),
                )


def _check_graph(jobs: Sequence[Job], workflow: Workflow) -> None:
    place = str(workflow.document.location(("spec", "pipeline_stages")))
    ids = [job.id for job in jobs]
    for job in jobs:
        if ids.count(job.id) > 1:
            raise InputError(f"two stages are called {job.id!r} in a pipeline", "rename one of them", place=place)
        for name in job.needs:
            if name not in ids:
                raise InputError(
                    f"the stage {job.id!r} requires {name!r}, which does not exist", "see `f0ci validate`", place=place
                )
    try:
        TopologicalSorter({job.id: job.needs for job in jobs}).prepare()
    except CycleError as error:
        cycle = " requires ".join(reversed(error.args[1]))
        raise InputError(f"stages wait for each other: {cycle}", "take one `requires` away", place=place) from error
