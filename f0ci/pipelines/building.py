"""From a workflow to a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.canonical import digest
from f0ci.pipelines.checking import bindings, check, refuse
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.secrets import secret_variables
from f0ci.source.project import Project
from f0ci.source.tree import Tree
from f0ci.workflows.model import Binding, Stage, Workflow, WorkflowEnvironment

_OWN_JOBS = frozenset({"validate", "release", "continue", "rollback"})
_OWN_PREFIXES = ("stage-", "before-")
_MAX_JOBS = 200
_SECTION = {"uses": "uses", "test": "tests", "detector": "detectors"}


def build(workflow: Workflow, project: Project | None = None, tree: Tree | None = None) -> Pipeline:
    """Return the pipeline of a workflow.

    A release is made of what was validated and passed every stage that waits for no promotion. The commands of a stage
    that has an environment run before its promotion. A stage without an environment that follows a promotion runs only
    once the release has arrived: a promotion that waits proves nothing.

    Args:
        workflow: the workflow, without problems.
        project: settings of the repository; with them and the tree, jobs get the secrets that deploy recipes read.
        tree: the repository's files.

    Raises:
        InputError: a name or a command cannot be used in a pipeline, stages require each other in a circle, there are
            too many of them, or a configuration or deploy recipe cannot be read.
    """
    check(workflow)
    secrets = secret_variables(workflow, project, tree) if project is not None and tree is not None else {}
    jobs = _Jobs(workflow, secrets).all()
    if len(jobs) > _MAX_JOBS:
        raise refuse(
            workflow, ("spec", "pipeline_stages"), f"{len(jobs)} jobs; a pipeline takes at most {_MAX_JOBS}", "split it"
        )
    promoted = tuple(dict.fromkeys(stage.environment for stage in workflow.stages if stage.environment))
    approvals = {one.name: _approval(one) for one in workflow.environments if one.name in promoted}
    return Pipeline(
        name=workflow.name,
        workflow=workflow.document.path,
        source=_digest(workflow, secrets),
        install=str(workflow.settings.get("install") or ""),
        environments=promoted,
        approvals=tuple(name for name, settings in approvals.items() if settings is not None),
        jobs=jobs,
        secrets=secrets,
        strict=tuple(name for name, settings in approvals.items() if (settings or {}).get("not_author") == "strict"),
    )


def unbound(workflow: Workflow) -> Iterator[Binding]:
    """Yield every name that a stage uses and nothing stands behind."""
    for stage in workflow.stages:
        for binding in bindings(stage):
            if binding.run is None:
                yield binding


class _Jobs:
    """The jobs of one workflow."""

    def __init__(self, workflow: Workflow, secrets: dict[str, tuple[str, ...]]) -> None:
        self.workflow = workflow
        self.secrets = secrets
        self.promoting = {stage.name for stage in workflow.stages if stage.environment is not None}
        self.early = [stage for stage in workflow.stages if _waits_for(stage, workflow).isdisjoint(self.promoting)]

    def all(self) -> tuple[Job, ...]:
        jobs = [Job("validate", "validate", Kind.VALIDATE, When.CHANGE)]
        jobs += [self._task(stage) for stage in self.early if self._has_task(stage)]
        passed = tuple(job.id for job in jobs)
        jobs.append(Job("release", "create the release", Kind.RELEASE, When.DEFAULT_BRANCH, passed, pushes=True))
        for stage in self.workflow.stages:
            if stage not in self.early and self._has_task(stage):
                jobs.append(self._task(stage))
            if stage.environment is not None:
                jobs.append(self._promotion(stage, stage.environment))
        every = tuple(sorted({variable for variables in self.secrets.values() for variable in variables}))
        for job_id, title, kind, when, minutes in (
            ("continue", "take waiting promotions further", Kind.CONTINUE, When.SCHEDULE, 60),
            ("rollback", "roll back", Kind.ROLLBACK, When.BY_HAND, 30),
        ):
            jobs.append(Job(job_id, title, kind, when, pushes=True, minutes=minutes, secrets=every))
        return tuple(jobs)

    def _has_task(self, stage: Stage) -> bool:
        return stage.environment is None or bool(bindings(stage))

    def _task(self, stage: Stage) -> Job:
        promotes = stage.environment is not None
        early = stage in self.early
        return Job(
            f"before-{_id(stage.name)}" if promotes else _id(stage.name),
            f"before {stage.name}" if promotes else stage.name,
            Kind.TASK,
            When.CHANGE if early else When.DEFAULT_BRANCH,
            tuple(dict.fromkeys(("validate" if early else "release", *map(_id, stage.requires)))),
            arrived=tuple(_id(name) for name in stage.requires if name in self.promoting),
            minutes=60,
            commands=tuple(_command(binding) for binding in bindings(stage)),
        )

    def _promotion(self, stage: Stage, environment: str) -> Job:
        known = self.workflow.environment(environment)
        name = known.name if known else environment
        before = (f"before-{_id(stage.name)}",) if bindings(stage) else ()
        return Job(
            _id(stage.name),
            f"promote to {name}",
            Kind.PROMOTE,
            When.DEFAULT_BRANCH,
            tuple(dict.fromkeys(("release", *map(_id, stage.requires), *before))),
            environment=name,
            pushes=True,
            minutes=60,
            secrets=self.secrets.get(name, ()),
        )


def _approval(environment: WorkflowEnvironment) -> Mapping[str, Any] | None:
    """Return the settings of the gate at which people approve, or None."""
    return next((gate.settings for gate in environment.gates if gate.kind == "approval"), None)


def _command(binding: Binding) -> Command:
    section = _SECTION[binding.kind]
    return Command(binding.name, binding.run, f"spec.bindings.{section}: {{{binding.name}: {{run: ...}}}}")


def _id(name: str) -> str:
    """Return a stage's job id; different names have different ids, and none is one of the pipeline's own."""
    return f"stage-{name}" if name.lower() in _OWN_JOBS or name.lower().startswith(_OWN_PREFIXES) else name


def _waits_for(stage: Stage, workflow: Workflow) -> set[str]:
    """Return the names of all stages that a stage requires, directly or through others."""
    stages = {one.name: one for one in workflow.stages}
    seen: set[str] = set()
    waiting = list(stage.requires)
    while waiting:
        name = waiting.pop()
        if name in stages and name not in seen:
            seen.add(name)
            waiting.extend(stages[name].requires)
    return seen


def _digest(workflow: Workflow, secrets: dict[str, tuple[str, ...]]) -> str:
    # the names of secrets lie outside of the workflow; files that hand over none do not depend on them
    named = {name: list(variables) for name, variables in secrets.items() if variables}
    data: Any = workflow.document.data
    try:
        return digest({"workflow": data, "secrets": named} if named else data)
    except (ValueError, TypeError) as error:
        raise refuse(
            workflow, (), f"the workflow holds what JSON has no word for: {error}", "write it as text"
        ) from error
