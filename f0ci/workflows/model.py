"""The ProductionWorkflow document: environments, stages, gates, metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from typing import Any

from f0ci.core.values import dataclass
from f0ci.source.document import Document
from f0ci.source.project import ENVIRONMENT_ALIASES
from f0ci.source.reading import Path
from f0ci.workflows.conditions import Condition
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.rollouts import Rollout, percents_of

MANUAL_APPROVAL = "manual_approval"


@dataclass(frozen=True, slots=True)
class GateSpec:
    """A gate as the workflow declares it: the plug-in's kind and its settings.

    Attributes:
        kind: name of the gate plug-in, such as `approval` or `order`.
        settings: plain JSON data, handed to the plug-in.
        at: where it is declared.
    """

    kind: str
    settings: Mapping[str, Any]
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that judges an environment after a change.

    Attributes:
        condition: the parsed condition.
        rollback: True for a rollback trigger (holds = bad), False for a success criterion (holds = good).
        at: where it is written.
    """

    condition: Condition
    rollback: bool
    at: Path


@dataclass(frozen=True, slots=True)
class Deploy:
    """The recipe that makes an environment run what its branch holds."""

    recipe: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    at: Path = ()


@dataclass(frozen=True, slots=True)
class WorkflowEnvironment:
    """What the workflow says of one environment.

    Attributes:
        name: as the workflow writes it.
        config: the configuration folder's name it means (`config:`; the same name by default).
        upstream: workflow names of the environments that must hold the release first.
        gates: every gate that stands before it, in evaluation order.
        rollout: how a change goes in: strategy, steps, pauses, routing.
        deploy: the deploy recipe, or None.
        checks: success criteria and rollback triggers.
        duration: how long checks watch after a change.
        require: what a success must be to count upstream and as rollback target: `none`, `checked`, ...
        auto_promote: True where the pipeline promotes without being asked.
        settings: the environment's mapping as written.
        at: where it is declared.
    """

    name: str
    config: str
    upstream: tuple[str, ...] = ()
    gates: tuple[GateSpec, ...] = ()
    rollout: Rollout = field(default_factory=Rollout)
    deploy: Deploy | None = None
    checks: tuple[Check, ...] = ()
    duration: timedelta = timedelta()
    require: str = "none"
    auto_promote: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    at: Path = ()

    @property
    def strategy(self) -> str:
        """Return `rolling`, `canary`, `blue_green`, or a plug-in's name."""
        return self.rollout.strategy

    @property
    def steps(self) -> tuple[int, ...]:
        """Return the percent of traffic at each step, rising, the last 100."""
        return percents_of(self.rollout.steps)


@dataclass(frozen=True, slots=True)
class Binding:
    """What a name used by a stage (`uses`, a test, a detector) stands for.

    Attributes:
        kind: `uses`, `test` or `detector`.
        name: as the stage writes it.
        run: the command to run, or None where the workflow does not say.
        at: where the stage uses the name.
    """

    kind: str
    name: str
    run: str | None
    at: Path


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the pipeline, as written.

    Attributes:
        name: unique in the workflow.
        at: where it stands: `("spec", "pipeline_stages", index)`.
        environment: workflow name of the environment it promotes into, or None.
        requires: names of stages that must have succeeded (without `manual_approval`).
        manual_approval: True where `requires` lists it.
        uses: what builds, or None.
        tests: what is run.
    """

    name: str
    at: Path
    environment: str | None = None
    requires: tuple[str, ...] = ()
    manual_approval: bool = False
    uses: Binding | None = None
    tests: tuple[Binding, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkflowProblem:
    """Something in a workflow that reading had to leave out, though it fits the schema.

    Attributes:
        rule: `bad-condition`, `bad-duration`, `bad-steps`, `bad-window`, `unknown-environment` or `unknown-stage`.
        at: where it stands.
        message: what is wrong, with the value quoted.
        hint: what would be right, or None.
        offset: where in the text at `at`, in code points from 0, or None.
    """

    rule: str
    at: Path
    message: str
    hint: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Workflow:
    """A ProductionWorkflow.

    Attributes:
        name: `metadata.name`.
        environments: in written order.
        stages: in written order.
        metrics: by name.
        settings: `spec` as written, for writers and later parts.
        document: the positioned document.
        detectors: what the bare names in checks stand for, by name.
        problems: what had to be left out; a workflow with any must not decide anything.
    """

    name: str
    environments: tuple[WorkflowEnvironment, ...]
    stages: tuple[Stage, ...]
    metrics: Mapping[str, MetricSpec]
    settings: Mapping[str, Any]
    document: Document
    detectors: Mapping[str, Binding] = field(default_factory=dict)
    problems: tuple[WorkflowProblem, ...] = ()

    def environment(self, name: str) -> WorkflowEnvironment | None:
        """Return the environment that a workflow, folder or alias name means, or None."""
        meant = meant_environment(name, {e.name: e.config for e in self.environments})
        return next((e for e in self.environments if e.name == meant), None)


def meant_environment(name: str, configs: Mapping[str, str]) -> str | None:
    """Return the workflow name of the environment that a name means, or None.

    Args:
        name: a workflow name, a configuration folder's name, or another word for one (`prod`, `production`).
        configs: configuration folder of each environment, by workflow name.
    """
    return name if name in configs else meant_environments(configs).get(name)


def meant_environments(configs: Mapping[str, str]) -> dict[str, str]:
    """Return the workflow name of the environment that each name means, by name.

    Args:
        configs: configuration folder of each environment, by workflow name.
    """
    found: dict[str, str] = {}
    for own, config in configs.items():
        found.setdefault(own, own)
        found.setdefault(config, own)
    places = {name: place for place, name in enumerate(configs)}
    for group in ENVIRONMENT_ALIASES:
        known = [found[word] for word in group if word in found]
        if known:
            first = min(known, key=places.__getitem__)
            found |= {word: first for word in group if word not in found}
    return found | {name: name for name in configs}
