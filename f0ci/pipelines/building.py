"""From a workflow to a pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from f0ci.core.canonical import digest
from f0ci.pipelines.checking import bindings, check, refuse
from f0ci.pipelines.customising import customised, install_of, options_of
from f0ci.pipelines.model import Command, Job, Kind, Pipeline, When
from f0ci.pipelines.rounds import rounds_of
from f0ci.pipelines.secrets import secret_variables
from f0ci.source.project import Project
from f0ci.source.tree import Tree
from f0ci.workflows.model import Binding, Stage, Workflow, WorkflowEnvironment

_OWN_JOBS = frozenset({"validate", "findings", "release", "continue", "rollback"})
_OWN_PREFIXES = ("stage-", "before-", "plan-")
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
            a setting is about a job that does not exist, or a configuration or deploy recipe cannot be read.
    """
    check(workflow)
    secrets = secret_variables(workflow, project, tree) if project is not None and tree is not None else {}
    promoted = tuple(dict.fromkeys(stage.environment for stage in workflow.stages if stage.environment))
    approvals = {one.name: _approval(one) for one in workflow.environments if one.name in promoted}
    asked = frozenset(name for name, settings in approvals.items() if settings is not None)
    rounds = {one.name: rounds_of(workflow, one) for one in workflow.environments}
    jobs = customised(workflow, _Jobs(workflow, secrets, asked, rounds).all())
    return Pipeline(
        name=workflow.name,
        workflow=workflow.document.path,
        source=_digest(workflow, secrets),
        install=install_of(workflow),
        environments=promoted,
        approvals=tuple(name for name in approvals if name in asked),
        jobs=jobs,
        secrets=secrets,
        strict=tuple(name for name, settings in approvals.items() if (settings or {}).get("not_author") == "strict"),
        options=options_of(workflow, jobs),
    )


def unbound(workflow: Workflow) -> Iterator[Binding]:
    """Yield every name that a stage uses and nothing stands behind."""
    for stage in workflow.stages:
        for binding in bindings(stage):
            if binding.run is None:
                yield binding


class _Jobs:
    """The jobs of one workflow."""

    def __init__(
        self,
        workflow: Workflow,
        secrets: dict[str, tuple[str, ...]],
        asked: frozenset[str],
        rounds: Mapping[str, int],
    ) -> None:
        self.workflow = workflow
        self.rounds = rounds
        self.asked = asked
        self.secrets = secrets
        self.promoting = {stage.name for stage in workflow.stages if stage.environment is not None}
        self.early = _early(workflow, self.promoting)

    def all(self) -> tuple[Job, ...]:
        jobs = [Job("validate", "validate", Kind.VALIDATE, When.CHANGE)]
        jobs += [self._task(stage) for stage in self.early if self._has_task(stage)]
        passed = tuple(job.id for job in jobs)
        jobs.append(Job("release", "create the release", Kind.RELEASE, When.DEFAULT_BRANCH, passed, pushes=True))
        for stage in self.workflow.stages:
            if stage not in self.early and self._has_task(stage):
                jobs.append(self._task(stage))
            if stage.environment is not None:
                jobs += self._promotion(stage, stage.environment)
        every = tuple(sorted({variable for variables in self.secrets.values() for variable in variables}))
        most = max(self.rounds.values(), default=0)
        deploys = any(one.deploy is not None for one in self.workflow.environments)
        for job_id, title, kind, when, minutes, rounds in (
            ("continue", "take waiting promotions further", Kind.CONTINUE, When.SCHEDULE, 60, min(most, 2)),
            ("rollback", "roll back", Kind.ROLLBACK, When.BY_HAND, 30, int(deploys)),
        ):
            jobs.append(Job(job_id, title, kind, when, pushes=True, minutes=minutes, secrets=every, rounds=rounds))
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

    def _promotion(self, stage: Stage, environment: str) -> list[Job]:
        """Return the promotion; where people are asked, what they are asked about is shown before, without rights."""
        known = self.workflow.environment(environment)
        name = known.name if known else environment
        before = (f"before-{_id(stage.name)}",) if bindings(stage) else ()
        needs = tuple(dict.fromkeys(("release", *map(_id, stage.requires), *before)))
        plan = f"plan-{_id(stage.name)}" if name in self.asked else ""
        shown = [
            Job(job_id, f"plan of {name}", Kind.PLAN, When.DEFAULT_BRANCH, needs, environment=name)
            for job_id in (plan,)
            if job_id
        ]
        promotion = Job(
            _id(stage.name),
            f"promote to {name}",
            Kind.PROMOTE,
            When.DEFAULT_BRANCH,
            (*needs, plan) if plan else needs,
            environment=name,
            pushes=True,
            minutes=60,
            secrets=self.secrets.get(name, ()),
            plan=plan,
            rounds=self.rounds.get(name, 0),
        )
        return [*shown, promotion]


def _approval(environment: WorkflowEnvironment) -> Mapping[str, Any] | None:
    """Return the settings of the gate at which people approve, or None."""
    return next((gate.settings for gate in environment.gates if gate.kind == "approval"), None)


def _command(binding: Binding) -> Command:
    section = _SECTION[binding.kind]
    return Command(binding.name, binding.run, f"spec.bindings.{section}: {{{binding.name}: {{run: ...}}}}")


def _id(name: str) -> str:
    """Return a stage's job id; different names have different ids, and none is one of the pipeline's own."""
    return f"stage-{name}" if name.lower() in _OWN_JOBS or name.lower().startswith(_OWN_PREFIXES) else name


def _early(workflow: Workflow, promoting: set[str]) -> list[Stage]:
    """Return the stages that wait for no promotion, directly or through others."""
    order = TopologicalSorter({stage.name: stage.requires for stage in workflow.stages})
    stages = {stage.name: stage for stage in workflow.stages}
    late: set[str] = set()
    for name in order.static_order():
        if any(required in promoting or required in late for required in stages[name].requires):
            late.add(name)
    return [stage for stage in workflow.stages if stage.name not in late]


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
