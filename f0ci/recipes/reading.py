"""From a positioned document to a recipe: the three dialects become one model.

Reading is lenient: what does not fit is left at its default, because the schema already reports it at its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from math import isfinite
from pathlib import PurePosixPath
from typing import Any

from f0ci.core.duration import parse_duration
from f0ci.core.errors import InputError
from f0ci.recipes.model import Dialect, Parameter, Recipe, Retry, Step
from f0ci.source.document import Document, read_document
from f0ci.source.reading import Path, mapping_of
from f0ci.source.tree import Tree

_NO_RETRY = Retry()
# a frozen class sets each field by a call: many thousand steps are made in an open one with the same fields, and are
# steps from then on
_OpenStep: Any = type("_OpenStep", (), {"__slots__": Step.__slots__})


def looks_like_recipe(data: Any) -> bool:
    """Tell whether a document is meant to be a recipe: a mapping with `steps`, or with `test_meta`."""
    return isinstance(data, Mapping) and data.get("kind") is None and ("test_meta" in data or "steps" in data)


def dialect_of(data: Mapping[str, Any]) -> Dialect:
    """Return the dialect that a recipe's top-level keys tell."""
    if "test_meta" in data:
        return Dialect.TEST
    # a template may carry `metadata` too, for usage examples: its name stands at the top
    if "name" in data or isinstance(data.get("parameters"), Mapping):
        return Dialect.COMPOSITION if "name" in mapping_of(data.get("metadata")) else Dialect.TEMPLATE
    if "metadata" in data or isinstance(data.get("parameters"), list):
        return Dialect.COMPOSITION
    return Dialect.TEMPLATE


def read_recipe(tree: Tree, path: str) -> Recipe:
    """Read a recipe from a tree.

    Raises:
        InputError: there is no such file, it cannot be read, or it is not a recipe.
    """
    document = read_document(tree, path)
    data = document.require()
    if not looks_like_recipe(data):
        hint = "a recipe is a mapping with a list of 'steps'"
        raise InputError(f"{path!r} is not a recipe", hint, place=f"{path}:1:1")
    return recipe_from(document)


def recipe_from(document: Document) -> Recipe:
    """Return the recipe that a document holds; the document must look like one."""
    return Recipe(**heading_from(document), steps=steps_from(document))


def heading_from(document: Document) -> dict[str, Any]:
    """Return every field of the recipe that a document holds, but for its steps; the document must look like one."""
    data: Mapping[str, Any] = document.data
    dialect = dialect_of(data)
    heading = mapping_of(data.get({Dialect.TEST: "test_meta", Dialect.COMPOSITION: "metadata"}.get(dialect, ""), data))
    name = heading.get("name") or heading.get("test_id") or PurePosixPath(document.path).stem
    return {
        "path": document.path,
        "dialect": dialect,
        "name": str(name),
        "version": str(heading.get("version", "")),
        "description": str(heading.get("description", "")),
        "parameters": _parameters(data),
        "timeout": _seconds(mapping_of(data.get("execution")).get("timeout_seconds")),
        "document": document,
    }


def steps_from(document: Document) -> tuple[Step, ...]:
    """Return the steps of the recipe that a document holds."""
    steps, dialect = document.data.get("steps"), dialect_of(document.data)
    return tuple(
        step_from(item, ("steps", index), dialect)
        for index, item in enumerate(steps if isinstance(steps, list) else [])
        if isinstance(item, dict)
    )


def _parameters(data: Mapping[str, Any]) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    sources: tuple[tuple[Any, Path], ...] = (
        (data.get("parameters"), ("parameters",)),
        (mapping_of(data.get("metadata")).get("template_parameters"), ("metadata", "template_parameters")),
    )
    for declared, at in sources:
        if isinstance(declared, Mapping):
            found.extend(_parameter(str(name), mapping_of(spec), (*at, name)) for name, spec in declared.items())
        elif isinstance(declared, list):
            found.extend(
                _parameter(str(spec["name"]), spec, (*at, index))
                for index, spec in enumerate(declared)
                if isinstance(spec, Mapping) and "name" in spec
            )
    return tuple(found)


def _parameter(name: str, spec: Mapping[str, Any], at: Path) -> Parameter:
    kind = spec.get("type")
    return Parameter(
        name=name,
        required=spec.get("required") is True and "default" not in spec,
        default=spec.get("default"),
        has_default="default" in spec,
        type=tuple(map(str, kind)) if isinstance(kind, list) else (str(kind) if kind is not None else None),
        validation=mapping_of(spec.get("validation")),
        description=str(spec.get("description", "")),
        fixed=spec.get("fixed") is True,
        at=at,
    )


# nobody changes what a step says
_NOTHING: Mapping[str, Any] = {}


def step_from(data: Mapping[str, Any], at: Path, dialect: Dialect) -> Step:
    """Return the step that a mapping of a recipe describes."""
    get = data.get
    key = "parameters" if "parameters" in data and "args" not in data else "args"
    retry, success, outputs = get("error_handling"), get("success"), get("outputs")
    condition, kind = get("condition"), get("type")
    if kind is None:
        is_shell = ("run" in data or "command" in data) and "module" not in data
        kind = "sub_recipe" if "recipe_path" in data else "shell" if is_shell else "python"
    name, idx, arguments, env = get("name"), get("idx"), get(key), get("env")
    run, function, recipe_path = get("run") or get("command"), get("function"), get("recipe_path")
    module = get("module") or (get("scriptlet") if dialect is Dialect.TEMPLATE else None)
    # many thousand steps are read in one run: what most do not have is not looked at, and fields are set one by one,
    # because a call with twenty names costs more than all else here
    step = _OpenStep()
    step.name = name if type(name) is str else str(name) if "name" in data else f"step {at[-1]}"
    step.kind = kind if type(kind) is str else str(kind)
    step.at = at
    step.idx = idx if idx is not None and _number(idx) is not None else None
    step.depends_on = _names(data["depends_on"]) if "depends_on" in data else ()
    step.condition = condition if condition is not None and isinstance(condition, str | bool) else None
    step.parallel_group = _text(data["parallel_group"]) if "parallel_group" in data else None
    step.trigger = _text(data["trigger"]) if "trigger" in data else None
    step.module = module if module and isinstance(module, str) else None
    step.function = function if function and isinstance(function, str) else None
    step.run = run if run and isinstance(run, str) else None
    step.recipe_path = recipe_path if recipe_path and isinstance(recipe_path, str) else None
    step.arguments = arguments if isinstance(arguments, dict) else _NOTHING
    step.arguments_key = key
    step.env = env if isinstance(env, dict) else _NOTHING
    step.outputs = tuple(map(_output, outputs)) if outputs and isinstance(outputs, list) else ()
    step.ctx_has_keys = _names(success.get("ctx_has_keys")) if success and isinstance(success, dict) else ()
    step.retry = _retry(retry) if retry and isinstance(retry, dict) else _NO_RETRY
    step.timeout = (
        _seconds(get("timeout", get("timeout_seconds"))) if "timeout" in data or "timeout_seconds" in data else None
    )
    step.raw = data
    step.__class__ = Step
    found: Step = step
    return found


def _output(item: Any) -> str:
    return item if type(item) is str else str(item.get("name") if isinstance(item, Mapping) else item)


def _retry(data: Mapping[str, Any]) -> Retry:
    attempts, on_failure = data.get("retry_attempts"), data.get("on_failure")
    if len(data) == 2 and type(attempts) is int and type(on_failure) is str:
        # the same few stand all over a repository
        return _usual_retry(attempts, on_failure)
    return Retry(
        attempts=_count(data.get("retry_attempts", data.get("max_retries"))),
        delay=_seconds(data.get("retry_delay")) or 0.0,
        on_failure=str(data.get("on_failure", "fail_fast")),
        fallback=data.get("fallback_action"),
        notify=data.get("notify_on_failure") is True,
    )


@lru_cache(maxsize=256)
def _usual_retry(attempts: int, on_failure: str) -> Retry:
    return Retry(attempts=_count(attempts), on_failure=on_failure)


def _names(value: Any) -> tuple[str, ...]:
    if type(value) is list:
        return (value[0],) if len(value) == 1 and type(value[0]) is str else tuple(map(str, value))
    return (value,) if isinstance(value, str) else ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: Any) -> float | None:
    if value is None:
        return None
    kind = type(value)
    if kind is not int and kind is not float:
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def _count(value: Any) -> int:
    return max(0, int(_number(value) or 0))


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, str):
        try:
            return parse_duration(value).total_seconds()
        except ValueError:
            return None
    number = _number(value)
    return number if number is not None and number > 0 else None
