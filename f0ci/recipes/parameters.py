"""From what a caller gives to what a recipe's expressions see as `params`."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.errors import InputError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.core.values import dataclass
from f0ci.expressions.parsing import ExpressionError, Reference, parse, references, texts
from f0ci.recipes.model import Parameter, Recipe
from f0ci.source.reading import Path
from f0ci.source.schema import check_against, type_name
from f0ci.source.yaml import read_yaml

# declared type -> types of JSON
_TYPES: dict[str, tuple[str, ...]] = {
    "string": ("string",),
    "str": ("string",),
    "text": ("string",),
    "integer": ("integer",),
    "int": ("integer",),
    "number": ("number",),
    "float": ("number",),
    "boolean": ("boolean",),
    "bool": ("boolean",),
    "object": ("object",),
    "dict": ("object",),
    "mapping": ("object",),
    "array": ("array",),
    "list": ("array",),
    "null": ("null",),
}
# types of JSON -> the types of Python that readers make of them
_PLAINLY: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
# declared type -> the types of Python, where it is one type of JSON
_OF_DECLARED = {name: _PLAINLY[kinds[0]] for name, kinds in _TYPES.items()}
# keywords of `validation` that JSON Schema knows; they may be written with underscores
_KEYWORDS = frozenset(
    {
        "enum",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "maxItems",
        "maxLength",
        "maximum",
        "minItems",
        "minLength",
        "minimum",
        "multipleOf",
        "pattern",
        "uniqueItems",
    }
)


class UnfitParameters(InputError):
    """What a caller gives does not fit what a recipe declares."""


@dataclass(frozen=True, slots=True)
class ParameterProblem:
    """What is wrong with a parameter that a caller gives or leaves out.

    Attributes:
        kind: `unknown`, `missing`, `type` or `validation`; `unusable` where the validation itself is at fault.
        name: the parameter.
        message: what is wrong; never the value, which may be a secret.
        hint: what would be right.
    """

    kind: str
    name: str
    message: str
    hint: str | None = None


def bind_parameters(recipe: Recipe, given: Mapping[str, Any], scope: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters of a recipe: what is given, the defaults of the others, null where there is no default.

    Args:
        recipe: the recipe that is called.
        given: values by name, evaluated.
        scope: what `#{...}` in a default may ask for: `config`, `environment`, `overlay`, `release`.

    Raises:
        UnfitParameters: a required parameter is missing or null, a name is unknown, a value has the wrong type or is
            refused by `validation`.
        InputError: a `validation` cannot be used, or a default asks for what does not exist.
    """
    for problem in check_parameters(recipe, given):
        declared = recipe.parameter(problem.name)
        place = str(recipe.document.location(declared.at)) if declared else recipe.path
        fault = InputError if problem.kind == "unusable" else UnfitParameters
        raise fault(problem.message, problem.hint, place=place)
    bound: dict[str, Any] = {}
    for parameter in recipe.parameters:
        if parameter.name not in bound and parameter.name not in given:
            bound[parameter.name] = default_of(recipe, parameter, scope or {})
    ordered = {parameter.name: None for parameter in recipe.parameters}
    return ordered | bound | dict(given)


def is_asking(default: Any) -> bool:
    """Tell whether a default asks for anything: `{{ ... }}` in it is meant for somebody else, as in configurations."""
    return any("#{" in text for _, text in texts(default))


def asked_by(recipe: Recipe, parameter: Parameter) -> Iterator[Reference]:
    """Yield every name that a parameter's default asks for.

    Raises:
        InputError: an expression cannot be read; carries its place.
    """
    for at, text in texts(parameter.default):
        if "#{" in text:
            try:
                yield from references(parse(text))
            except ExpressionError as error:
                raise _blame(recipe, parameter, at, error) from error


def default_of(recipe: Recipe, parameter: Parameter, scope: Mapping[str, Any]) -> Any:
    """Return a parameter's default with its expressions replaced; a copy.

    Raises:
        InputError: it asks for what does not exist, or is not what the parameter takes; carries its place.
    """
    if not is_asking(parameter.default):
        return copy.deepcopy(parameter.default)
    value = _answered(recipe, parameter, parameter.default, scope, ())
    for problem in _judged(parameter, value):
        place = str(recipe.document.location((*parameter.at, "default")))
        raise InputError(problem.message, problem.hint, place=place)
    return value


def _answered(recipe: Recipe, parameter: Parameter, value: Any, scope: Mapping[str, Any], at: Path) -> Any:
    from f0ci.expressions.evaluation import evaluate

    if isinstance(value, str) and "#{" in value:
        try:
            return copy.deepcopy(evaluate(value, scope))
        except ExpressionError as error:
            raise _blame(recipe, parameter, at, error) from error
    if isinstance(value, Mapping):
        return {key: _answered(recipe, parameter, item, scope, (*at, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_answered(recipe, parameter, item, scope, (*at, index)) for index, item in enumerate(value)]
    return value


def _blame(recipe: Recipe, parameter: Parameter, at: Path, error: ExpressionError) -> InputError:
    place = str(recipe.document.location((*parameter.at, "default", *at)))
    message = f"the default of parameter {parameter.name!r}: {error.message}"
    return InputError(message, error.hint, place=place)


def check_parameters(
    recipe: Recipe, given: Mapping[str, Any], *, unevaluated: bool = False
) -> tuple[ParameterProblem, ...]:
    """Return what is wrong with the parameters that a caller gives.

    A name that the recipe does not declare is unknown only where the recipe declares any parameter and no expression
    in it uses the name as `params.<name>` or `<name>`: recipes that were written without declarations keep working.

    Args:
        recipe: the recipe that is called.
        given: values by name.
        unevaluated: values that hold expressions are not judged.
    """
    problems: list[ParameterProblem] = []
    declared = recipe.declared
    undeclared = [name for name in given if name not in declared]
    if undeclared and declared:
        used = used_parameters(recipe)
        problems += [
            ParameterProblem(
                "unknown",
                name,
                f"{recipe.path!r} has no parameter {name!r}",
                did_you_mean(name, declared, noun="its parameters"),
            )
            for name in undeclared
            if name not in used
        ]
    for name, parameter in declared.items():
        if name not in given:
            if parameter.required:
                problems.append(
                    ParameterProblem("missing", name, f"{recipe.path!r} needs the parameter {name!r}", _what(parameter))
                )
        else:
            problems += _unless_fit(parameter, given[name], unevaluated=unevaluated)
    return tuple(problems)


def check_given(recipe: Recipe, given: Mapping[str, Any]) -> Iterator[ParameterProblem]:
    """Yield what is wrong with the values that a caller gives, but for those that hold expressions."""
    for name, value in given.items():
        parameter = recipe.declared.get(name)
        if parameter is not None:
            yield from _unless_fit(parameter, value, unevaluated=True)


def _unless_fit(parameter: Parameter, value: Any, *, unevaluated: bool) -> Iterator[ParameterProblem]:
    if not (_plainly_fits(parameter, value) or (unevaluated and next(texts(value), None))):
        yield from _judged(parameter, value)


def check_defaults(recipe: Recipe) -> Iterator[tuple[Parameter, ParameterProblem]]:
    """Yield what is wrong with the defaults that a recipe declares; those that hold expressions are not judged."""
    for parameter in recipe.parameters:
        first = recipe.declared[parameter.name]
        if not parameter.has_default or _plainly_fits(first, parameter.default):
            continue
        if not next(texts(parameter.default), None):
            for problem in _judged(first, parameter.default):
                yield parameter, problem


def used_parameters(recipe: Recipe) -> frozenset[str]:
    """Return the names that a recipe's expressions use as `params.<name>`, and bare names (template dialect)."""
    found: set[str] = set()
    for _, text in texts(recipe.document.data):
        try:
            used = references(parse(text))
        except ExpressionError:
            continue
        for reference in used:
            found.add(str(reference.path[0]) if reference.root == "params" and reference.path else reference.root)
    return frozenset(found)


def read_texts(recipe: Recipe, given: Mapping[str, str]) -> dict[str, Any]:
    """Return values that arrived as text, as on a command line.

    They stay text where the recipe declares text; otherwise they are what YAML reads.

    Raises:
        UsageError: the text of a parameter is not YAML.
    """
    values: dict[str, Any] = {}
    for name, text in given.items():
        parameter = recipe.parameter(name)
        wanted = _wanted(parameter) if parameter else ()
        if not text or wanted == ("string",):
            values[name] = text
            continue
        reading = read_yaml(text.encode())
        if reading.broken:
            raise UsageError(f"parameter {name!r}: {reading.problems[0].message}", "quote the value")
        # `k=1.10` for `type: [string, number]` stays what was typed
        values[name] = text if "string" in wanted and not isinstance(reading.data, dict | list) else reading.data
    return values


def _plainly_fits(parameter: Parameter, value: Any) -> bool:
    """Tell whether a value is of the one type that a parameter asks for, where it asks for nothing else.

    So are most; what is not plain is judged more closely.
    """
    kind = parameter.type
    if value is None or parameter.validation or parameter.fixed:
        return False
    return kind is None or (isinstance(kind, str) and type(value) in _OF_DECLARED.get(kind, ()))


def _judged(parameter: Parameter, value: Any) -> Iterator[ParameterProblem]:
    if value is None:
        if parameter.required:
            yield ParameterProblem(
                "missing", parameter.name, f"the parameter {parameter.name!r} is null", _what(parameter)
            )
            return
        if parameter.default is None:
            return
    if parameter.fixed and value != parameter.default and not is_asking(parameter.default):
        hint = "leave it out; for another value, run the recipe that this one was rendered from"
        yield ParameterProblem("validation", parameter.name, f"the parameter {parameter.name!r} is fixed", hint)
        return
    wanted = _wanted(parameter)
    if wanted and not any(_is_of(kind, value) for kind in wanted):
        message = f"the parameter {parameter.name!r} is {type_name(value)}, not {_spoken(wanted)}"
        yield ParameterProblem("type", parameter.name, message, _what(parameter))
        return
    yield from _validated(parameter, value)


def _is_of(kind: str, value: Any) -> bool:
    """Tell whether a value is of a JSON type, as JSON Schema has it: 1.0 is a whole number too."""
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _PLAINLY[kind]) or (kind == "integer" and isinstance(value, float) and value.is_integer())


_BROKEN = {
    "bad-value": "is not allowed",
    "wrong-type": "is of another type",
    "missing-key": "lacks a key",
    "unknown-key": "has an unknown key",
}


def _validated(parameter: Parameter, value: Any) -> Iterator[ParameterProblem]:
    schema: dict[str, Any] = {}
    for key, rule in parameter.validation.items():
        keyword = re.sub(r"_([a-z])", lambda match: match.group(1).upper(), str(key))
        if keyword in _KEYWORDS:
            schema[keyword] = rule
    if isinstance(parameter.validation.get("schema"), Mapping):
        schema["allOf"] = [parameter.validation["schema"]]
    if not schema:
        return
    try:
        problems = check_against(schema, value)
    except Exception as error:  # noqa: BLE001 - a schema of somebody else may be wrong in any way
        message = f"the validation of parameter {parameter.name!r} cannot be used: {type(error).__name__}"
        yield ParameterProblem("unusable", parameter.name, message, "correct its pattern or schema")
        return
    if problems:
        own = parameter.validation.get("error_message")
        way = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in problems[0].path)
        # what was given may be secret
        reason = f"the value{f' at {way.lstrip(chr(46))!r}' if way else ''} {_BROKEN[problems[0].rule]}"
        yield ParameterProblem(
            "validation",
            parameter.name,
            f"parameter {parameter.name!r}: {own if isinstance(own, str) and own else reason}",
            _allowed(parameter, problems[0].message, problems[0].hint),
        )


def _allowed(parameter: Parameter, message: str, hint: str | None) -> str | None:
    values = parameter.validation.get("enum")
    if isinstance(values, list):
        return "allowed: " + ", ".join(map(str, values))
    pattern = parameter.validation.get("pattern")
    if isinstance(pattern, str):
        return f"it must match {pattern!r}"
    return hint or message


def _wanted(parameter: Parameter) -> tuple[str, ...]:
    names = (parameter.type,) if isinstance(parameter.type, str) else parameter.type or ()
    # a type nobody knows is reported by the linter and judges nothing here
    if not all(name in _TYPES for name in names):
        return ()
    return tuple(dict.fromkeys(kind for name in names for kind in _TYPES[name]))


def _spoken(wanted: tuple[str, ...]) -> str:
    words = {"string": "text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
    words |= {"object": "a mapping", "array": "a list", "null": "null"}
    return " or ".join(words[kind] for kind in wanted)


def _what(parameter: Parameter) -> str | None:
    kind = _spoken(_wanted(parameter)) if _wanted(parameter) else ""
    text = "; ".join(part for part in (parameter.description, kind) if part)
    return f"give a value: {text}" if text else "give a value"
