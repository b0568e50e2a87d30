"""The plan: what a promotion would do, bound by a digest, and the forecast, which moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.core.canonical import digest, sha256_hex
from f0ci.core.errors import InputError
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.policy import Policy, bound_policy, read_policy
from f0ci.promotion.releases import Release, check_content
from f0ci.promotion.rollout import steps_for, write_step
from f0ci.promotion.site import Site
from f0ci.promotion.strategies.base import TrafficStep
from f0ci.source.project import Project, load_project
from f0ci.source.tree import Tree
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Workflow, WorkflowEnvironment

if TYPE_CHECKING:
    from f0ci.environments.model import Environment


@dataclass(frozen=True, slots=True)
class Content:
    """A release's content as one environment gets it.

    Attributes:
        tree: the release's files.
        project: its settings.
        workflow: its workflow.
        environment: what its workflow says of the environment.
        configuration: its layered configuration.
    """

    tree: Tree
    project: Project
    workflow: Workflow
    environment: WorkflowEnvironment
    configuration: Environment


@dataclass(frozen=True, slots=True)
class BoundPlan:
    """The part of a plan that approvals bind to.

    Attributes:
        bound: plain JSON data.
        digest: SHA-256 of its canonical JSON.
    """

    bound: Mapping[str, Any]
    digest: str


@dataclass(frozen=True, slots=True)
class Plan(BoundPlan):
    """What a promotion does.

    Attributes:
        steps: traffic of each step.
        policy: the policy in force.
        content: what is brought in.
    """

    steps: tuple[TrafficStep, ...]
    policy: Policy
    content: Content


def read_content(site: Site, release: Release, environment: str) -> Content:
    """Read what a release says of an environment from its source commit.

    Raises:
        InputError: the release does not know the environment, cannot be read, or its commit is not what it was made of.
    """
    key = (release.digest, release.commit, environment)
    if key not in site.contents:
        site.contents[key] = _read_content(site, release, environment)
    return site.contents[key]


def _read_content(site: Site, release: Release, environment: str) -> Content:
    from f0ci.environments.loading import load_environment
    from f0ci.workflows.reading import read_workflow

    tree = site.repository.tree(release.commit)
    project = load_project(tree)
    if site.digests.get(release.commit) != release.digest:
        check_content(tree, project, release)
        site.digests[release.commit] = release.digest
    workflow = read_workflow(tree, project.workflow)
    described = workflow.environment(environment)
    if described is None:
        raise InputError(
            f"release {release.id} does not know the environment {environment!r}",
            "promote a newer release",
            place=project.workflow,
        )
    configuration = load_environment(tree, project, described.config)
    return Content(tree, project, workflow, described, configuration)


def render_plan(site: Site, bound: Mapping[str, Any]) -> tuple[str, ...]:
    """Render every step of a recorded plan again and return the ids of the trees.

    Raises:
        F0ciError: the release cannot be read or rendered.
    """
    release = site.require_release(str(bound["release"]))
    content = read_content(site, release, str(bound["environment"]))
    steps = steps_for(content, str(bound["strategy"]), release.digest, bound["base"]["release"])
    return tuple(write_step(site, content, release.digest, step, bound["base"]["tree"]) for step in steps)


def make_plan(
    site: Site,
    ledgers: Ledgers,
    environment: str,
    release: Release,
    promotion: str,
    base: str | None,
    old: str | None,
) -> Plan:
    """Return the plan that brings a release into an environment.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        environment: the workflow's name of it.
        release: what is brought in.
        promotion: id of the promotion, part of what is bound.
        base: the commit of the environment's branch the plan starts from, or None.
        old: digest of the release the environment runs, or None.

    Raises:
        InputError: the release or the policy cannot be used.
    """
    content = read_content(site, release, environment)
    policy = read_policy(site, ledgers.environments[environment], environment)
    described = content.environment
    steps = steps_for(content, described.strategy, release.digest, old)
    held = site.repository.tree_of(base) if base else None
    known = ledgers.environments[environment].find(promotion)
    bound = {
        "version": 1,
        "purpose": "promote",
        "promotion": promotion,
        "environment": environment,
        "release": release.digest,
        "source_commit": release.commit,
        "base": {"tree": held, "release": old},
        "strategy": described.strategy,
        "steps": [step.bound(write_step(site, content, release.digest, step, held)) for step in steps],
        "policy": bound_policy(policy, known.plan["policy"] if known else None),
        "gates": [{"kind": gate.kind, "settings": dict(gate.settings)} for gate in policy.gates],
        "checks": [{"condition": str(check.condition), "rollback": check.rollback} for check in described.checks],
        "duration": described.duration.total_seconds(),
        "metrics": _metrics(content),
        "deploy": _deploy(content),
        "renderer": __version__,
    }
    return Plan(bound, digest(bound), steps, policy, content)


def _metrics(content: Content) -> dict[str, Any]:
    """Return how everything that judges is measured and judged: metrics, what they watch, and commands that detect."""
    from f0ci.analysis.measuring import metric_spec

    workflow = content.workflow
    used = {check.condition.metric for check in content.environment.checks}
    watched = {str(name) for one in used if one in workflow.metrics for name in _watched(workflow.metrics[one])}
    specs = {name: workflow.metrics.get(name) or metric_spec(workflow, name) for name in used | watched}
    return {name: spec.to_json() for name, spec in sorted(specs.items()) if spec is not None}


def _watched(spec: MetricSpec) -> list[Any]:
    watched = spec.settings.get("metrics")
    return watched if isinstance(watched, list) else []


def _deploy(content: Content) -> dict[str, Any] | None:
    deploy = content.environment.deploy
    if deploy is None:
        return None
    return {
        "recipe": deploy.recipe,
        "parameters": dict(deploy.parameters),
        "digest": sha256_hex(content.tree.read(deploy.recipe)),
    }
