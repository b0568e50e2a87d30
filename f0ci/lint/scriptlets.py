"""The scriptlets that python steps name, as far as the tree certainly tells."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from f0ci.core.values import dataclass
from f0ci.lint.code import Code, Missing, Module
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Dialect, Recipe, Step
from f0ci.source.reading import Path

# where the runner looks for a template's scriptlet that is not below the root
_FALLBACK = "scriptlets"


@dataclass(frozen=True, slots=True)
class Scriptlet:
    """What a step names, where the tree tells.

    Attributes:
        step: the step.
        module: what its module is.
        module_at: where the module is written.
        function: name of the class or function, or None.
    """

    step: Step
    module: Module | Missing
    module_at: Path
    function: str | None


def code_of(workspace: Workspace) -> Code:
    """Return the Python modules of a workspace."""
    return workspace.shared("code", Code)


def scriptlets_of(recipe: Recipe, workspace: Workspace) -> tuple[Scriptlet, ...]:
    """Return what the python steps of a recipe name, but for what only a run can tell."""
    return workspace.once("scriptlets", recipe, lambda recipe: tuple(_scriptlets(recipe, code_of(workspace))))


def _scriptlets(recipe: Recipe, code: Code) -> Iterator[Scriptlet]:
    open_roots: dict[str, bool] = {}
    for step in recipe.steps:
        if step.kind != "python" or step.module is None or _is_dynamic(step.module):
            continue
        top = step.module.partition(".")[0]
        if top not in open_roots:
            open_roots[top] = _is_open(top, recipe, code)
        if open_roots[top]:
            continue
        module = _find(step.module, recipe.dialect, code)
        if module is not None:
            key = "module" if step.raw.get("module") else "scriptlet"
            function = step.function if step.function and not _is_dynamic(step.function) else None
            yield Scriptlet(step, module, (*step.at, key), function)


def _is_open(top: str, recipe: Recipe, code: Code) -> bool:
    """Tell whether the tree says nothing for certain of any module whose name begins with a word."""
    if code.find(top) is None and (recipe.dialect is not Dialect.TEMPLATE or code.find(_FALLBACK) is None):
        return True
    # a folder above the recipe, but for the root, holds the package: its recipes may be run from there
    return code.has_home(posixpath.dirname(recipe.path), top)


def _find(name: str, dialect: Dialect, code: Code) -> Module | Missing | None:
    found = code.find(name)
    if dialect is not Dialect.TEMPLATE or isinstance(found, Module) or name.startswith(f"{_FALLBACK}."):
        return found
    top, _, rest = name.partition(".")
    if found is None and (code.is_taken(top) or code.holds("", top)):
        return None
    second = code.find(f"{_FALLBACK}.{name}")
    if found is not None:
        # the root has the package; what else may hold it counts only where it is known
        return second if second is not None or code.holds("", _FALLBACK) else found
    if isinstance(second, Missing) and not (rest and isinstance(code.find(f"{_FALLBACK}.{top}"), Module)):
        # nothing in the repository is called so: the module may be installed
        return None
    return second


def _is_dynamic(text: str) -> bool:
    return "{" in text and ("#{" in text or "{{" in text)
