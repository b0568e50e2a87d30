"""From a positioned document to a workflow.

Reading is lenient: what does not fit the schema is left at its default, because the schema reports it.
What the schema cannot see (a condition that does not parse, a stage that names no environment) becomes a
problem of the workflow, since leaving it out would remove a check or a gate without a word.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from math import inf
from typing import Any

from f0ci.core.errors import InputError
from f0ci.core.suggestions import MOST_COMPARED, allowance, did_you_mean
from f0ci.source.document import Document, read_document
from f0ci.source.project import load_project
from f0ci.source.reading import Path, mapping_of
from f0ci.source.schema import check_schema
from f0ci.source.tree import Tree, resolve_path
from f0ci.workflows.deriving import (
    config_folders,
    derive_environments,
    text,
    texts,
    unknown_environment,
)
from f0ci.workflows.metrics import metric_from
from f0ci.workflows.model import (
    MANUAL_APPROVAL,
    Binding,
    Stage,
    Workflow,
    WorkflowEnvironment,
    WorkflowProblem,
    meant_environments,
)

KIND = "ProductionWorkflow"


def looks_like_workflow(data: Any) -> bool:
    """Tell whether a document is meant to be a workflow: a mapping with `kind: ProductionWorkflow`."""
    return isinstance(data, Mapping) and data.get("kind") == KIND


def read_workflow(tree: Tree, path: str) -> Workflow:
    """Read the workflow that decisions rest on.

    Raises:
        InputError: there is no such file, it is not a workflow, it does not fit the schema, or a part of it
            cannot be understood; carries the place of the first problem.
    """
    document = read_document(tree, path)
    data = document.require()
    if not looks_like_workflow(data):
        raise InputError(f"{path!r} is not a workflow", f"write 'kind: {KIND}' at its top", place=f"{path}:1:1")
    for misfit in check_schema("workflow", data):
        place = document.location(misfit.path, key=misfit.key)
        raise InputError(misfit.message, misfit.hint, place=str(place))
    workflow = workflow_from(document)
    for problem in workflow.problems:
        raise InputError(problem.message, problem.hint, place=str(document.location(problem.at)))
    return replace(workflow, environments=tuple(_with_file(tree, one) for one in workflow.environments))


def _with_file(tree: Tree, environment: WorkflowEnvironment) -> WorkflowEnvironment:
    """Return an environment whose deploy recipe is a file: its name may lack the suffix and the folder of recipes."""
    deploy = environment.deploy
    if deploy is None or tree.exists(deploy.recipe):
        return environment
    folders = ("", *load_project(tree).recipes)
    places = [path for folder in folders if (path := resolve_path(deploy.recipe, folder)) is not None]
    names = (f"{place}{suffix}" for place in places for suffix in ("", ".yaml", ".yml"))
    found = next((name for name in names if tree.exists(name)), deploy.recipe)
    return replace(environment, deploy=replace(deploy, recipe=found))


def workflow_from(document: Document) -> Workflow:
    """Return the workflow that a document holds; never raises for what the document says."""
    data = mapping_of(document.data)
    spec = mapping_of(data.get("spec"))
    bindings = mapping_of(spec.get("bindings"))
    problems: list[WorkflowProblem] = []
    allowance[0] = MOST_COMPARED
    stages = _stages(spec, bindings, problems)
    environments = derive_environments(spec, stages, problems)
    allowance[0] = inf
    return Workflow(
        name=text(mapping_of(data.get("metadata")).get("name")) or "",
        environments=environments,
        stages=stages,
        metrics={
            str(name): metric_from(str(name), mapping_of(m)) for name, m in mapping_of(spec.get("metrics")).items()
        },
        settings=spec,
        document=document,
        detectors=_detectors(environments, bindings),
        problems=tuple(problems),
    )


def _stages(spec: Mapping[str, Any], bindings: Mapping[str, Any], problems: list[WorkflowProblem]) -> tuple[Stage, ...]:
    written = spec.get("pipeline_stages")
    configs = config_folders(spec)
    meant = meant_environments(configs)
    stages = [
        _stage(raw, ("spec", "pipeline_stages", index), bindings, configs, meant, problems)
        for index, raw in enumerate(written if isinstance(written, list) else [])
        if isinstance(raw, Mapping)
    ]
    names = {MANUAL_APPROVAL, *(stage.name for stage in stages)}
    for stage in stages:
        for name, at in texts(spec["pipeline_stages"][stage.at[-1]].get("requires"), (*stage.at, "requires")):
            if name not in names:
                hint = did_you_mean(name, names, noun="stages")
                problems.append(WorkflowProblem("unknown-stage", at, f"there is no stage {name!r}", hint))
    return tuple(stages)


def _stage(
    raw: Mapping[str, Any],
    at: Path,
    bindings: Mapping[str, Any],
    configs: Mapping[str, str],
    meant: Mapping[str, str],
    problems: list[WorkflowProblem],
) -> Stage:
    environment = text(raw.get("environment"))
    if environment is not None:
        if environment not in meant:
            problems.append(unknown_environment(environment, (*at, "environment"), configs))
        environment = meant.get(environment, environment)
    requires = [name for name, _ in texts(raw.get("requires"), ())]
    uses = text(raw.get("uses"))
    return Stage(
        name=text(raw.get("name")) or f"stage {at[-1]}",
        at=at,
        environment=environment,
        requires=tuple(name for name in requires if name != MANUAL_APPROVAL),
        manual_approval=MANUAL_APPROVAL in requires,
        uses=_binding("uses", uses, bindings, (*at, "uses")) if uses else None,
        tests=tuple(_binding("test", name, bindings, place) for name, place in texts(raw.get("tests"), (*at, "tests"))),
    )


def _binding(kind: str, name: str, bindings: Mapping[str, Any], at: Path) -> Binding:
    section = {"uses": "uses", "test": "tests", "detector": "detectors"}[kind]
    return Binding(kind, name, text(mapping_of(mapping_of(bindings.get(section)).get(name)).get("run")), at)


def _detectors(environments: tuple[WorkflowEnvironment, ...], bindings: Mapping[str, Any]) -> dict[str, Binding]:
    found: dict[str, Binding] = {}
    for environment in environments:
        for check in environment.checks:
            name = check.condition.metric
            if check.condition.is_detector and name not in found:
                found[name] = _binding("detector", name, bindings, check.at)
    return found
