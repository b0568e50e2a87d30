"""From a workspace and an environment to the tree of files that the environment should hold.

Rendering is a function of its arguments: no clock, no environment variable, no network, no order that a run could
change. The same commit gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from f0ci import __version__
from f0ci.core.canonical import pretty_json
from f0ci.core.errors import UsageError
from f0ci.environments.checks import Finding, check_one
from f0ci.environments.model import Environment
from f0ci.environments.resolving import with_release
from f0ci.render.layout import (
    CONFIG_FILE,
    OWN_TEMPLATES,
    RELEASE_FILE,
    RELEASES_FOLDER,
    TRAFFIC_FILE,
    RenderedFile,
    collect,
)
from f0ci.render.recipes import find_recipes, render_recipe
from f0ci.render.writing import check, write
from f0ci.source.project import Project
from f0ci.source.tree import Tree
from f0ci.workflows.model import WorkflowEnvironment
from f0ci.workflows.rollouts import traffic_document

__all__ = ["ReleaseInfo", "RenderedTree", "check", "render", "write"]


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """The release that a tree is rendered for.

    Attributes:
        digest: SHA-256 over its content, 64 hex digits.
    """

    digest: str

    @property
    def id(self) -> str:
        """Return the twelve digits by which people name it."""
        return self.digest[:12]


@dataclass(frozen=True, slots=True)
class RenderedTree:
    """What an environment should hold.

    Attributes:
        files: content by path, sorted by path.
        sources: the file that each was made from, by path.
        environment: what it was rendered for.
        findings: what is suspicious about the environment.
    """

    files: Mapping[str, bytes]
    sources: Mapping[str, str]
    environment: Environment
    findings: tuple[Finding, ...] = field(default=())

    @property
    def provenance(self) -> dict[str, Any]:
        """Return where every file and every configuration value comes from, as JSON data."""
        from f0ci.render.provenance import provenance_of

        return {
            "version": 1,
            "environment": self.environment.name,
            "config": provenance_of(self.environment),
            "files": dict(self.sources),
        }


def render(
    tree: Tree,
    project: Project,
    environment: Environment,
    workflow_environment: WorkflowEnvironment | None = None,
    release: ReleaseInfo | None = None,
    *,
    roots: Sequence[str] | None = None,
    parameters: Mapping[str, Any] | None = None,
    rollout: Mapping[str, Any] | None = None,
) -> RenderedTree:
    """Render a workspace for an environment.

    Args:
        tree: the workspace: a folder, or what a commit holds.
        project: its settings.
        environment: its layered configuration.
        workflow_environment: what the workflow says of the environment; templates see its deploy parameters.
        release: what is rendered; without one, `#{release}` stays as written and templates cannot ask for it.
        roots: files of recipes; None renders every recipe of the project.
        parameters: fixes `params.*` of the roots, and is what templates see as `params`; for recipes only with roots.
        rollout: content of `traffic.json`; by default all traffic goes to the release.

    Raises:
        InputError: a recipe or template cannot be rendered, or two files want one place.
        UsageError: parameters are given without roots.
    """
    if parameters is not None and roots is None:
        raise UsageError("parameters are given, but no recipe that takes them", "name the recipe")
    environment = with_release(environment, release.digest) if release else environment
    traffic = dict(rollout) if rollout is not None else _all_traffic(workflow_environment, release)
    files = collect(
        [
            _json(CONFIG_FILE, environment.config, environment.folder),
            _json(RELEASE_FILE, _describe(environment, workflow_environment, release), environment.folder),
            _json(TRAFFIC_FILE, traffic, environment.folder),
            *_recipes(tree, project, environment, release, roots, parameters),
            *_templates(tree, project, environment, workflow_environment, release, parameters, traffic),
        ]
    )
    return RenderedTree(
        files={path: file.content for path, file in files.items()},
        sources={path: file.source for path, file in files.items()},
        environment=environment,
        findings=check_one(environment),
    )


def _json(path: str, data: Any, source: str) -> RenderedFile:
    return RenderedFile(path, pretty_json(data).encode(), source)


def _describe(
    environment: Environment, workflow_environment: WorkflowEnvironment | None, release: ReleaseInfo | None
) -> dict[str, Any]:
    return {
        "version": 1,
        "digest": release.digest if release else None,
        "id": release.id if release else None,
        "environment": workflow_environment.name if workflow_environment else environment.name,
        "renderer": __version__,
    }


def _all_traffic(workflow_environment: WorkflowEnvironment | None, release: ReleaseInfo | None) -> dict[str, Any]:
    digests = [release.digest] if release else []
    routing = workflow_environment.rollout.routing if workflow_environment else {}
    return traffic_document(dict.fromkeys(digests, 100), digests[0] if digests else None, None, routing)


def _scope(environment: Environment, release: ReleaseInfo | None) -> dict[str, Any]:
    scope: dict[str, Any] = {"config": environment.config, "environment": environment.name}
    return scope | ({"release": release.digest} if release else {})


def _recipes(
    tree: Tree,
    project: Project,
    environment: Environment,
    release: ReleaseInfo | None,
    roots: Sequence[str] | None,
    parameters: Mapping[str, Any] | None,
) -> Iterator[RenderedFile]:
    from f0ci.recipes.composition import bind_parameters

    scope = _scope(environment, release)
    recipes = find_recipes(tree, project, roots)
    for path, recipe in recipes.items():
        fixed = {}
        if parameters is not None and path in (roots or ()):
            fixed = {"params": bind_parameters(recipe, parameters)}
        yield render_recipe(tree, recipe, scope | fixed, recipes)


def _templates(
    tree: Tree,
    project: Project,
    environment: Environment,
    workflow_environment: WorkflowEnvironment | None,
    release: ReleaseInfo | None,
    parameters: Mapping[str, Any] | None,
    traffic: Mapping[str, Any],
) -> Iterator[RenderedFile]:
    paths = [path for path in tree.files(project.templates) if path.endswith(".j2")]
    if not paths:
        return
    from f0ci.expressions.evaluation import resolve_static
    from f0ci.render.templates import render_templates, with_parts

    deploy = workflow_environment.deploy if workflow_environment else None
    params = resolve_static(deploy.parameters, _scope(environment, release)) if deploy else {}
    scope: dict[str, Any] = {
        "config": environment.config,
        "environment": with_parts(environment.name, environment.section),
        "params": {**params, **(parameters or {})},
    }
    if release is not None:
        scope["release"] = with_parts(release.digest, {"digest": release.digest, "id": release.id})
    folder = f"{RELEASES_FOLDER}/{release.id if release else 'unreleased'}"
    prefix = f"{project.templates.strip('/')}/{OWN_TEMPLATES}/"
    own = {path for path in paths if path.startswith(prefix)}
    # what a release renders for itself is kept while the next one comes in, so it may not depend on the rollout
    for file in render_templates(tree, project.templates, paths, scope, own):
        yield replace(file, path=folder + file.path.removeprefix(OWN_TEMPLATES))
    scope["rollout"] = traffic
    yield from render_templates(tree, project.templates, paths, scope, set(paths) - own)
