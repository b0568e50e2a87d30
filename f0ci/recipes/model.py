"""A recipe as every part of f0ci sees it, whatever its dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum
from typing import Any

from f0ci.core.values import dataclass
from f0ci.source.document import Document
from f0ci.source.reading import Path


class Dialect(StrEnum):
    """The three ways recipes are written."""

    TEST = "test"
    COMPOSITION = "composition"
    TEMPLATE = "template"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A declared parameter of a recipe.

    Attributes:
        name: as expressions use it (`params.<name>`).
        required: True where a caller must give a value (`required: true` and no default).
        default: the value where none is given; None also where there is no default (see `has_default`).
        has_default: True where a default is written.
        type: declared JSON type name, a tuple of several, or None.
        validation: `pattern`, `enum`, `schema`, `error_message`, ... as written.
        description: as written.
        fixed: True where the default is the only value that it takes, as in rendered recipes.
        at: where it is declared.
    """

    name: str
    required: bool = False
    default: Any = None
    has_default: bool = False
    type: str | tuple[str, ...] | None = None
    validation: Mapping[str, Any] = field(default_factory=dict)
    description: str = ""
    fixed: bool = False
    at: Path = ()


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a failed step is tried again.

    Attributes:
        attempts: tries after the first, 0 or more.
        delay: seconds before the second try, 0 or more.
        on_failure: `fail_fast` (default), `continue` or `rollback`.
        fallback: `fallback_action` as written, or None.
        notify: `notify_on_failure`.
    """

    attempts: int = 0
    delay: float = 0.0
    on_failure: str = "fail_fast"
    fallback: Any = None
    notify: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One unit of a recipe.

    Attributes:
        name: unique in the recipe.
        kind: the step type: `python`, `shell`, `sub_recipe`, or a plug-in's name.
        at: where the step stands in the document: `("steps", index)`.
        idx: order among steps that no dependency orders, or None.
        depends_on: names of steps that must end before this one starts.
        condition: expression text that must be true for the step to run, or None.
        parallel_group: steps of one group may run at the same time, or None.
        trigger: `on_error` for a step that runs only after a failure, or None.
        module: dotted path of a python step's module (template dialect: `scriptlet`), or None.
        function: class or function of the module, or None.
        run: command of a shell step, or None.
        recipe_path: file of a sub-recipe, relative to the workspace or to this recipe, or None.
        arguments: `args` of a python step, or `parameters` of a sub-recipe or template step, unevaluated.
        arguments_key: the key they stand under: `args` or `parameters`.
        env: environment variables of the step, unevaluated.
        outputs: names that `steps.<name>.outputs` offers, where declared.
        ctx_has_keys: context keys that must exist after success.
        retry: what happens on failure.
        timeout: seconds after which the step is ended, or None.
        raw: the step as written.
    """

    name: str
    kind: str
    at: Path
    idx: int | float | None = None
    depends_on: tuple[str, ...] = ()
    condition: str | bool | None = None
    parallel_group: str | None = None
    trigger: str | None = None
    module: str | None = None
    function: str | None = None
    run: str | None = None
    recipe_path: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    arguments_key: str = "args"
    env: Mapping[str, Any] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    ctx_has_keys: tuple[str, ...] = ()
    retry: Retry = Retry()
    timeout: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A YAML workflow of steps.

    Attributes:
        path: file, relative to the workspace.
        dialect: how it is written.
        name: `metadata.name`, `name` or `test_meta.test_id`; the file's stem where none is given.
        version: as written, as text, or empty.
        description: as written, or empty.
        parameters: declared parameters in written order (`parameters` and `metadata.template_parameters`).
        steps: in written order.
        timeout: seconds for the whole recipe (`execution.timeout_seconds`), or None.
        document: the positioned document.
    """

    path: str
    dialect: Dialect
    name: str
    version: str
    description: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    timeout: float | None
    document: Document
    _declared: dict[str, Parameter] = field(default_factory=dict, init=False, repr=False, compare=False)
    _named: dict[str, Step] = field(default_factory=dict, init=False, repr=False, compare=False)

    def step(self, name: str) -> Step | None:
        """Return the step of that name, the first of several, or None."""
        if not self._named:
            for step in self.steps:
                self._named.setdefault(step.name, step)
        return self._named.get(name)

    @property
    def declared(self) -> Mapping[str, Parameter]:
        """The declared parameters by name, in written order; of two of one name the first."""
        if not self._declared:
            for parameter in self.parameters:
                self._declared.setdefault(parameter.name, parameter)
        return self._declared

    def parameter(self, name: str) -> Parameter | None:
        """Return the declared parameter of that name, or None."""
        return self.declared.get(name)
