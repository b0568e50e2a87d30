"""From a workspace and an environment to the tree of files that the environment should hold.

Rendering is a function of its arguments: no clock, no environment variable, no network, no order that a run could
change. The same commit gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.core.canonical import pretty_json
from f0ci.core.errors import InputError, UsageError
from f0ci.environments.model import Environment
from f0ci.environments.resolving import with_release
from f0ci.expressions.errors import ExpressionError
from f0ci.recipes.model import Recipe
from f0ci.render.compiling import CompiledRecipe, Memo, compile_recipe
from f0ci.render.layout import (
    CONFIG_FILE,
    OWN_TEMPLATES,
    RELEASE_FILE,
    RELEASES_FOLDER,
    TRAFFIC_FILE,
    RenderedFile,
    collect,
    recipe_output,
)
from f0ci.render.recipes import find_recipes
from f0ci.render.settled import Calls, calls_of, is_called, settled_in
from f0ci.render.writing import check, write
from f0ci.source.document import read_document
from f0ci.source.project import Project
from f0ci.source.tree import Tree
from f0ci.workflows.model import WorkflowEnvironment
from f0ci.workflows.rollouts import traffic_document

if TYPE_CHECKING:
    from f0ci.render.templates import Templates

__all__ = ["ReleaseInfo", "RenderedTree", "check", "open_source", "render", "render_source", "write"]


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
    """

    files: Mapping[str, bytes]
    sources: Mapping[str, str]
    environment: Environment

    @property
    def provenance(self) -> dict[str, Any]:
        """Return where every file and every configuration value comes from, as JSON data."""
        from f0ci.render.provenance import provenance_of

        return {
            "version": 1,
            **self.environment.spoken,
            "config": provenance_of(self.environment),
            "files": dict(self.sources),
        }


@dataclass(frozen=True, slots=True)
class Source:
    """What all environments of one workspace are rendered from: recipes and templates, each compiled once.

    Attributes:
        tree: the workspace: a folder, or what a commit holds. It must not change meanwhile.
        project: its settings.
        recipes: the recipes that are rendered, by file.
        calls: which parameters recipes give to those that they call.
        compiled: recipes that were compiled, by file, the names that were known, and whether parameters are given.
        outputs: where the recipes go.
        templates: files of templates.
        jinja: the templates' engine, once it was needed.
    """

    tree: Tree
    project: Project
    recipes: Mapping[str, Recipe]
    templates: tuple[str, ...]
    calls: Calls
    outputs: frozenset[str]
    compiled: dict[tuple[str, frozenset[str], bool], CompiledRecipe] = field(default_factory=dict, repr=False)
    jinja: list[Templates] = field(default_factory=list, repr=False)

    def recipe(self, path: str, names: frozenset[str], *, is_given: bool = False) -> CompiledRecipe:
        """Return a recipe that can be rendered in every scope that has these names.

        Args:
            path: its file.
            names: the names.
            is_given: its parameters will be given.

        Raises:
            InputError: an expression in it cannot be read.
        """
        key = (path, names, is_given)
        if key not in self.compiled:
            recipe = self.recipes[path]
            settled = None if is_given else settled_in(recipe, self.calls, names)
            self.compiled[key] = compile_recipe(self.tree, recipe, names, self.recipes, self.outputs, settled)
        return self.compiled[key]

    def engine(self) -> Templates:
        """Return what renders the templates."""
        from f0ci.render.templates import Templates

        if not self.jinja:
            self.jinja.append(Templates(self.tree, self.project.templates, self.templates))
        return self.jinja[0]


def open_source(tree: Tree, project: Project, roots: Sequence[str] | None = None) -> Source:
    """Find out what a workspace is rendered from.

    Args:
        tree: the workspace.
        project: its settings.
        roots: files of recipes; None renders every recipe of the project.

    Raises:
        InputError: a recipe cannot be read, or one that it calls is missing.
    """
    templates = tuple(path for path in tree.files(project.templates) if path.endswith(".j2"))
    recipes = find_recipes(tree, project, roots)
    outputs = frozenset(map(recipe_output, recipes))
    return Source(tree, project, recipes, templates, calls_of(recipes.values()), outputs)


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
        workflow_environment: what the workflow says of the environment; templates see its deploy parameters, and its
            deploy recipe is rendered with them.
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
    source = open_source(tree, project, roots)
    fixed = dict.fromkeys(roots or (), parameters) if parameters is not None else {}
    return render_source(source, environment, workflow_environment, release, fixed=fixed, rollout=rollout)


def render_source(
    source: Source,
    environment: Environment,
    workflow_environment: WorkflowEnvironment | None = None,
    release: ReleaseInfo | None = None,
    *,
    fixed: Mapping[str, Mapping[str, Any]] | None = None,
    rollout: Mapping[str, Any] | None = None,
) -> RenderedTree:
    """Render what was opened for one environment of several.

    Args:
        source: recipes and templates.
        environment: its layered configuration.
        workflow_environment: what the workflow says of the environment.
        release: what is rendered.
        fixed: parameters by file of a recipe that is rendered with them; templates see them all.
        rollout: content of `traffic.json`; by default all traffic goes to the release.

    Raises:
        InputError: a recipe or template cannot be rendered, or two files want one place.
    """
    rendering = Rendering(source, environment, workflow_environment, release, fixed or {}, rollout)
    files = collect([*rendering.own(), *rendering.recipes(source.recipes), *rendering.templates(source.templates)])
    return rendering.tree(files)


class Rendering:
    """One environment being rendered.

    Args:
        source: recipes and templates.
        environment: its layered configuration.
        workflow_environment: what the workflow says of it.
        release: what is rendered.
        fixed: parameters by file of a recipe that is rendered with them.
        rollout: content of `traffic.json`, or None.
    """

    def __init__(
        self,
        source: Source,
        environment: Environment,
        workflow_environment: WorkflowEnvironment | None,
        release: ReleaseInfo | None,
        fixed: Mapping[str, Mapping[str, Any]],
        rollout: Mapping[str, Any] | None,
    ) -> None:
        self.source = source
        self.environment = with_release(environment, release.digest) if release else environment
        self.described = workflow_environment
        self.release = release
        self.fixed = fixed
        self.traffic = dict(rollout) if rollout is not None else _all_traffic(workflow_environment, release)
        self.scope: dict[str, Any] = {"config": self.environment.config, **environment.spoken}
        self.scope |= {"release": release.digest} if release else {}

    def own(self) -> Iterator[RenderedFile]:
        """Yield configuration, release and traffic."""
        folder = self.environment.folder
        yield _json(CONFIG_FILE, self.environment.config, folder)
        yield _json(RELEASE_FILE, _describe(self.environment, self.described, self.release), folder)
        yield _json(TRAFFIC_FILE, self.traffic, folder)

    def recipes(self, paths: Iterable[str]) -> Iterator[RenderedFile]:
        """Yield recipes."""
        names, memo = frozenset(self.scope), Memo()
        deployed = self._deployed()
        for path in paths:
            given = self._given(path, deployed)
            yield self.source.recipe(path, names, is_given=given is not None).render(self.scope, memo, given)

    def _given(self, path: str, deployed: str | None) -> dict[str, Any] | None:
        """Return the parameters that a recipe is rendered with, or None where nobody says them here."""
        from f0ci.recipes.parameters import bind_parameters, check_parameters

        recipe = self.source.recipes[path]
        if path in self.fixed:
            return bind_parameters(recipe, self.fixed[path], self.scope)
        if path != deployed or not recipe.parameters:
            return None
        given = self._deploy_parameters()
        # what does not fit is a finding of `validate`, and refused when the recipe runs
        return None if check_parameters(recipe, given) else bind_parameters(recipe, given, self.scope)

    def _deployed(self) -> str | None:
        """Return the deploy recipe where nothing else in the tree calls it, so that its parameters are known."""
        deploy = self.described.deploy if self.described else None
        if deploy is None or deploy.recipe not in self.source.recipes:
            return None
        return None if is_called(deploy.recipe, self.source.calls) else deploy.recipe

    def _defaults(self) -> dict[str, Any]:
        """Return the defaults of the deploy recipe's parameters, for those that have one."""
        from f0ci.recipes.parameters import default_of

        deploy = self.described.deploy if self.described else None
        if deploy is None or deploy.recipe not in self.source.recipes:
            return {}
        recipe = self.source.recipes[deploy.recipe]
        declared = [each for each in recipe.parameters if each.default is not None]
        return {each.name: default_of(recipe, each, self.scope) for each in reversed(declared)}

    def _deploy_parameters(self) -> dict[str, Any]:
        """Return the parameters that the workflow gives to the deploy recipe."""
        from f0ci.expressions.evaluation import resolve_static

        if self.described is None or self.described.deploy is None:
            return {}
        try:
            found: dict[str, Any] = resolve_static(self.described.deploy.parameters, self.scope)
        except ExpressionError as error:
            name = self.described.name
            message = f"the deploy parameters of environment {name!r}: {error.message}"
            raise InputError(message, error.hint, place=self._place_of(error)) from error
        return found

    def _place_of(self, error: ExpressionError) -> str:
        """Return where the workflow says a deploy parameter that cannot be had."""
        workflow = self.source.project.workflow
        if self.described is None or self.described.deploy is None or not self.source.tree.exists(workflow):
            return workflow
        at = (*self.described.deploy.at, "parameters", *error.at)
        return str(read_document(self.source.tree, workflow).location(at))

    def templates(self, paths: Sequence[str]) -> Iterator[RenderedFile]:
        """Yield templates."""
        if not paths:
            return
        from f0ci.render.templates import with_parts

        params = {**self._defaults(), **self._deploy_parameters()}
        given = {name: value for parameters in self.fixed.values() for name, value in parameters.items()}
        scope: dict[str, Any] = {
            "config": self.environment.config,
            "environment": with_parts(self.environment.base_name, self.environment.section),
            "overlay": self.environment.overlay,
            "params": {**params, **given},
        }
        if self.release is not None:
            parts = {"digest": self.release.digest, "id": self.release.id}
            scope["release"] = with_parts(self.release.digest, parts)
        prefix = f"{self.source.project.templates.strip('/')}/{OWN_TEMPLATES}/"
        folder = f"{RELEASES_FOLDER}/{self.release.id if self.release else 'unreleased'}"
        # what a release renders for itself is kept while the next one comes in, so it may not depend on the rollout
        for file in self.source.engine().render([path for path in paths if path.startswith(prefix)], scope):
            yield replace(file, path=folder + file.path.removeprefix(OWN_TEMPLATES))
        scope["rollout"] = self.traffic
        yield from self.source.engine().render([path for path in paths if not path.startswith(prefix)], scope)

    def tree(self, files: Mapping[str, RenderedFile]) -> RenderedTree:
        """Return files as a tree."""
        return RenderedTree(
            files={path: file.content for path, file in files.items()},
            sources={path: file.source for path, file in files.items()},
            environment=self.environment,
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
