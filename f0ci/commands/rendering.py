"""Rendering, comparing and drawing, as functions for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from f0ci.core.clock import SystemClock
from f0ci.core.errors import UsageError
from f0ci.environments.loading import UnknownEnvironment, load_environment
from f0ci.environments.model import Environment
from f0ci.environments.secrets import refuse_unknown_providers
from f0ci.promotion.plan import read_content
from f0ci.promotion.releases import content_digest, release_paths, require_release
from f0ci.promotion.rollout import render_release
from f0ci.promotion.site import Site, open_site
from f0ci.render.difference import Difference, compare
from f0ci.render.rendering import ReleaseInfo, RenderedTree, render
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree, Tree
from f0ci.workflows.model import WorkflowEnvironment


def render_environment(root: Path, environment: str, sets: Sequence[str] = ()) -> RenderedTree:
    """Render what a work tree would bring into an environment.

    Args:
        root: the work tree.
        environment: any name of the environment.
        sets: `a.b=value`, stronger than every file.

    Raises:
        UsageError: there is no such environment.
        InputError: something cannot be rendered.
    """
    tree = DirectoryTree(root)
    project = load_project(tree)
    refuse_unknown_providers(project)
    described, configuration = find_environment(tree, project, environment, sets)
    info = ReleaseInfo(content_digest(tree, release_paths(tree, project)))
    return render(tree, project, configuration, described, info)


def find_environment(
    tree: Tree, project: Project, name: str, sets: Sequence[str] = ()
) -> tuple[WorkflowEnvironment | None, Environment]:
    """Return what the workflow says of an environment, where there is one, and its configuration."""
    described = described_by(tree, project, name)
    if described is None:
        try:
            return None, load_environment(tree, project, name, sets)
        except UnknownEnvironment as error:
            raise UnknownEnvironment(error.name, error.known | _described(tree, project)) from error
    _, slash, overlays = name.partition("/")
    return described, load_environment(tree, project, f"{described.config}{slash}{overlays}", sets)


def _described(tree: Tree, project: Project) -> frozenset[str]:
    from f0ci.workflows.reading import read_workflow

    if not tree.exists(project.workflow):
        return frozenset()
    return frozenset(environment.name for environment in read_workflow(tree, project.workflow).environments)


def described_by(tree: Tree, project: Project, name: str) -> WorkflowEnvironment | None:
    """Return what the workflow says of an environment, or of the one that its overlays lie over; None without one.

    Raises:
        InputError: the workflow cannot be read.
    """
    from f0ci.workflows.reading import read_workflow

    if not tree.exists(project.workflow):
        return None
    return read_workflow(tree, project.workflow).environment(name.partition("/")[0])


def compare_environments(root: Path, one: str, other: str) -> Difference:
    """Return how two environments differ in what a work tree would bring into them.

    Raises:
        F0ciError: as `render_environment`.
    """
    return compare(render_environment(root, one).files, render_environment(root, other).files)


def compare_with_release(root: Path, environment: str, release: str, base: str | None = None) -> Difference:
    """Return how a release differs from what an environment holds, or from another release rendered for it.

    Args:
        root: the work tree.
        environment: any name of the environment.
        release: digest, its beginning, or `latest`.
        base: the release to compare with; None compares with the environment's branch.

    Raises:
        UsageError: there is no such release or environment.
        InputError: a release cannot be rendered.
    """
    site = open_site(root, SystemClock())
    name = site.environment(environment).name
    new = _render_release(site, release, name)
    if base is not None:
        return compare(_render_release(site, base, name), new)
    branch = site.refs.read(site.names.environment(name))
    held: dict[str, bytes] = {}
    if branch is not None:
        entries = site.repository.list_files(branch)
        blobs = site.repository.read_blobs([entry.oid for entry in entries])
        held = {entry.path: blobs[entry.oid] for entry in entries}
    return compare(held, new)


def _render_release(site: Site, name: str, environment: str) -> Mapping[str, bytes]:
    release = require_release(site.releases(), name)
    return render_release(read_content(site, release, environment), release.digest)


def draw(root: Path, recipe: str | None, form: str) -> str:
    """Return a drawing of a recipe's steps, or of the workflow's stages.

    Args:
        root: the work tree.
        recipe: file of a recipe; None draws the workflow.
        form: `text`, `mermaid` or `dot`.

    Raises:
        InputError: the file cannot be read.
        UsageError: there is no workflow to draw.
    """
    from f0ci.recipes.composition import load_closure
    from f0ci.render.graph import graph
    from f0ci.workflows.reading import read_workflow

    tree = DirectoryTree(root)
    if recipe is not None:
        return graph(load_closure(tree, recipe), form)
    project = load_project(tree)
    if not tree.exists(project.workflow):
        raise UsageError(
            f"there is no workflow file {project.workflow!r} to draw", "name a recipe: f0ci graph recipes/deploy.yaml"
        )
    return graph(read_workflow(tree, project.workflow), form)
