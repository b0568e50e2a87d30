"""Which secrets deploy recipes and metrics read, so that the jobs that run them are given them, and no others."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from typing import Any

from f0ci.analysis.measuring import metric_spec
from f0ci.core.errors import UsageError
from f0ci.core.processes import is_withheld
from f0ci.environments.loading import load_environment
from f0ci.environments.secrets import AGE_IDENTITY, secret_references, variable_of
from f0ci.recipes.composition import load_closure
from f0ci.source.project import Project
from f0ci.source.tree import Tree
from f0ci.workflows.metrics import MetricSpec
from f0ci.workflows.model import Workflow, WorkflowEnvironment

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def secret_variables(workflow: Workflow, project: Project, tree: Tree) -> dict[str, tuple[str, ...]]:
    """Return the variables by which deploy recipes and metrics get their secrets, sorted, by environment.

    Args:
        workflow: the workflow.
        project: settings of the repository.
        tree: its files.

    Raises:
        InputError: a configuration or a deploy recipe cannot be read.
    """
    read = {
        environment.name: _variables(_names(environment, project, tree), project) | _of_metrics(workflow, environment)
        for environment in workflow.environments
    }
    return {
        environment.name: tuple(sorted(read[environment.name]))
        for environment in workflow.environments
        if environment.deploy is not None or read[environment.name]
    }


def _of_metrics(workflow: Workflow, environment: WorkflowEnvironment) -> set[str]:
    """Return the variables that the metrics name which judge an environment."""
    specs = [metric_spec(workflow, check.condition.metric) for check in environment.checks]
    asked = [one for spec in specs if spec is not None for one in (spec, *_watched(spec))]
    found = [
        value
        for spec in asked
        for settings in (spec.settings, spec.baseline if isinstance(spec.baseline, Mapping) else {})
        for name, value in settings.items()
        if name.endswith("_env")
    ]
    names = [str(name) for value in found for name in (value.values() if isinstance(value, Mapping) else (value,))]
    return {name for name in names if _VARIABLE.match(name) and not is_withheld(name)}


def _watched(spec: MetricSpec) -> tuple[MetricSpec, ...]:
    watched = spec.settings.get("specs")
    return tuple(watched.values()) if isinstance(watched, Mapping) else ()


def _names(environment: WorkflowEnvironment, project: Project, tree: Tree) -> set[str]:
    if environment.deploy is None:
        return set()
    read: list[Any] = [dict(environment.deploy.parameters)]
    read += [recipe.document.data for recipe in load_closure(tree, environment.deploy.recipe).values()]
    # an environment without configuration is a finding of `validate`, and names no secret
    with contextlib.suppress(UsageError):
        read.append(dict(load_environment(tree, project, environment.config).config))
    return {reference.name for data in read for reference in secret_references(data)}


def _variables(names: set[str], project: Project) -> set[str]:
    """Return what a job is given for secrets: themselves, where variables are asked, and the key of encrypted ones."""
    providers = {str(settings.get("provider")): settings for settings in project.secrets} or {"environment": {}}
    variables = {variable_of(name) for name in names} if "environment" in providers else set()
    if names and "age" in providers and "identity_file" not in providers["age"]:
        variables.add(AGE_IDENTITY)
    return variables
