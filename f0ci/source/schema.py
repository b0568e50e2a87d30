"""JSON Schema with messages that point at the key at fault.

A few documents are judged plainly, many by `jsonschema_rs`, the fast gate, whose import takes as long as 150 recipes.
`jsonschema` explains what is wrong where that takes more words than the place, and stands in where the gate's wheel is
missing.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any

from f0ci.core.errors import Defect
from f0ci.core.suggestions import did_you_mean, suggestion
from f0ci.core.values import dataclass
from f0ci.source.bounded import fits, matches, with_bounded_patterns

if TYPE_CHECKING:
    from f0ci.source.plainly import Judge
    from f0ci.source.reading import Path

NAMES = (
    "recipe",
    "environment",
    "workflow",
    "project",
    "approvers",
    "event",
    "run-record",
    "errands",
    "answers",
    "validation",
)


@dataclass(frozen=True, slots=True)
class SchemaProblem:
    """Where data does not fit its schema.

    Attributes:
        rule: `unknown-key`, `missing-key`, `wrong-type` or `bad-value`.
        path: the value at fault (for `missing-key`, the mapping that lacks it).
        key: True where the key rather than the value is at fault.
        message: what is wrong, with the value quoted.
        hint: what would be right.
        meant: the one known key that an unknown one is close to, or None.
    """

    rule: str
    path: Path
    key: bool
    message: str
    hint: str | None = None
    meant: str | None = None


# nobody mends as many in one go, and a file made of mistakes must not take minutes; to say which of several
# alternatives was meant, or to ask `jsonschema` at all, takes more than four times as long
_MOST_MISFITS = 12_000
_OF_ALTERNATIVES = 4
_ALTERNATIVES = frozenset({"anyOf", "oneOf", "unevaluatedItems", "unevaluatedProperties"})
_BETWEEN_COLLECTIONS = 2_000
MORE_MISFITS = SchemaProblem(
    "bad-value",
    (),
    False,
    "very many places do not fit: what comes after those that are listed was not looked at",
    "mend what is listed, or leave the file out",
)


def schema_folder() -> FilePath:
    """Return the folder of the published schemas, in the wheel or in a checkout.

    Raises:
        Defect: the installation lacks its schemas.
    """
    package = FilePath(__file__).resolve().parent.parent
    for folder in (package / "schemas", package.parent / "schemas"):
        if folder.is_dir():
            return folder
    raise Defect("this installation of f0ci has no schemas", "reinstall it")


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return a published schema, such as `recipe`."""
    data: dict[str, Any] = json.loads((schema_folder() / f"{name}.schema.json").read_bytes())
    return data


def check_schema(name: str, data: Any) -> tuple[SchemaProblem, ...]:
    """Return every place where data does not fit a published schema, by path."""
    if _fits_surely(name, data):
        return ()
    from f0ci.source.misfits import plain_misfits
    from f0ci.source.plainly import Unsure

    problems: tuple[SchemaProblem, ...] = ()
    is_sure = True
    try:
        problems = as_problems(plain_misfits(_judge(name), data, partial(_explain_part, name)))
    except Unsure:
        is_sure = False
    if is_sure and (problems or _gate(name) is None):
        return problems
    # it takes more words than the place, or the gate has no word for a value
    return as_problems(_explainer(name).iter_errors(data), each=_OF_ALTERNATIVES)


def _explain_part(name: str, schema: Mapping[str, Any], data: Any, path: Path) -> Iterator[Any]:
    """Yield what `jsonschema` says of a part of some data and a part of a schema."""
    for error in _explainer(name).evolve(schema=schema).iter_errors(data):
        error.relative_path.extendleft(reversed(path))
        yield error


# values in mappings and lists that are judged before the gate is fetched: importing it takes longer than these
_left_to_judge = [60_000.0]


def _fits_surely(name: str, data: Any) -> bool:
    """Tell whether data surely fits."""
    if not _gate.cache_info().currsize:
        judge = _judge(name)
        judge.left = _left_to_judge[0]
        verdict = judge.verdict(data)
        _left_to_judge[0] = judge.left
        if verdict is not None:
            return verdict
    gate = _gate(name)
    return gate is not None and fits(gate, data)


@cache
def _judge(name: str) -> Judge:
    from f0ci.source.plainly import Judge

    return Judge(load_schema(name))


def check_against(schema: dict[str, Any], data: Any, validator: Any = None) -> tuple[SchemaProblem, ...]:
    """Return every place where data does not fit a schema that somebody wrote, by path.

    Patterns are regular expressions of ECMA-262, as JSON Schema has them, and cost time in proportion to the text where
    they look neither ahead nor behind; what ECMA-262 cannot read is read as Python does.

    Raises:
        ValueError: only Python can read a pattern, and it may take for ever.
    """
    explainer = validator or _validator(schema, patterns_are_bounded=True)
    return as_problems(explainer.iter_errors(data), each=_OF_ALTERNATIVES)


def as_problems(errors: Iterable[Any], each: int = 1) -> tuple[SchemaProblem, ...]:
    """Return errors as `jsonschema` words them in people's words, by path; the first ones of very many.

    Args:
        errors: as they are found.
        each: how much finding one costs, of what all of them may cost.
    """
    problems: set[SchemaProblem] = set()
    left = _MOST_MISFITS
    for error in errors:
        if left <= 0:
            problems.add(MORE_MISFITS)
            break
        left -= _OF_ALTERNATIVES if error.validator in _ALTERNATIVES else each
        problems.update(_explain(error))
        if not left % _BETWEEN_COLLECTIONS:
            # validators refer to themselves, and a linter that is short-lived collects nothing else
            gc.collect(0)
    return tuple(sorted(problems, key=lambda problem: (tuple(map(str, problem.path)), problem.rule, problem.message)))


def compile_schemas(names: Iterable[str]) -> None:
    """Compile the gates of some schemas now, so that processes forked from this one share them."""
    for name in names:
        _gate(name)


@cache
def _gate(name: str) -> Any:
    try:
        import jsonschema_rs
    except ImportError:
        return None
    return jsonschema_rs.validator_for(load_schema(name))


@cache
def _explainer(name: str) -> Any:
    return _validator(load_schema(name))


def _validator(schema: dict[str, Any], *, patterns_are_bounded: bool = False) -> Any:
    from jsonschema import validators
    from referencing import Registry

    kind: Any = validators.validator_for(schema)
    if patterns_are_bounded:
        kind = with_bounded_patterns(kind)
    # the default registry would fetch what a reference names from the network
    return kind(schema, registry=Registry())


def _explain(error: Any) -> Iterator[SchemaProblem]:
    path: Path = tuple(error.absolute_path)
    keyword = error.validator
    if keyword in {"anyOf", "oneOf"} and error.context:
        yield from _explain_alternatives(error, path)
    elif keyword in {"if", "then", "else", "allOf", "$ref"} and error.context:
        for inner in error.context:
            yield from _explain(inner)
    elif keyword in {"additionalProperties", "unevaluatedProperties"}:
        known = frozenset(_known_keys(error.schema))
        for name in sorted(set(error.instance) - known, key=str):
            if not any(matches(regex, name) for regex in error.schema.get("patternProperties", {})):
                yield SchemaProblem(
                    "unknown-key",
                    (*path, name),
                    True,
                    f"unknown key {name!r}",
                    *suggestion(str(name), known, noun="known keys"),
                )
    elif keyword == "required":
        for name in error.validator_value:
            if name not in error.instance:
                yield SchemaProblem("missing-key", path, False, f"the key {name!r} is missing", f"add {name!r} here")
    elif keyword == "type":
        wanted = error.validator_value
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        expected = " or ".join(_TYPE_NAMES.get(name, name) for name in names)
        yield SchemaProblem(
            "wrong-type",
            path,
            False,
            f"{_subject(path, error.instance)}, not {expected}",
            _shaped(error.instance, expected),
        )
    elif keyword in {"enum", "const"}:
        allowed = error.validator_value if keyword == "enum" else [error.validator_value]
        hint = did_you_mean(str(error.instance), [str(value) for value in allowed], noun="allowed")
        yield SchemaProblem("bad-value", path, False, _refused(path, error.instance), hint)
    elif keyword == "pattern":
        named = "propertyNames" in error.absolute_schema_path
        path = (*path, error.instance) if named else path
        says = error.schema.get("description")
        message = f"{_show(error.instance)} does not match {error.validator_value!r}"
        if says and not named:
            message = _refused(path, error.instance)
        yield SchemaProblem("bad-value", path, named, message, says)
    elif keyword in {"minItems", "minProperties"} and error.validator_value == 1:
        message = (
            f"{path[-1]!r} holds nothing"
            if path and isinstance(path[-1], str)
            else f"{_show(error.instance)} holds nothing"
        )
        yield SchemaProblem("bad-value", path, False, message, error.schema.get("description"))
    elif keyword == "not":
        message = f"{_show(error.instance)} does not belong here"
        yield SchemaProblem("bad-value", path, False, message, error.schema.get("description"))
    elif keyword == "propertyNames":
        yield SchemaProblem("bad-value", path, False, f"a key is not allowed: {error.message}", None)
    else:
        message = (
            error.message if len(error.message) < 200 else f"{_show(error.instance)} breaks the schema's {keyword!r}"
        )
        yield SchemaProblem(
            "bad-value", path, False, message[:1].lower() + message[1:], error.schema.get("description")
        )


def _explain_alternatives(error: Any, path: Path) -> Iterator[SchemaProblem]:
    from jsonschema.exceptions import best_match

    types = [inner for inner in error.context if inner.validator == "type" and not inner.relative_path]
    if len(types) == len({inner.schema_path[0] for inner in error.context}):
        expected = " or ".join(
            dict.fromkeys(_TYPE_NAMES.get(str(inner.validator_value), str(inner.validator_value)) for inner in types)
        )
        yield SchemaProblem(
            "wrong-type",
            path,
            False,
            f"{_subject(path, error.instance)}, not {expected}",
            _shaped(error.instance, expected),
        )
        return
    deeper = [inner for inner in error.context if inner not in types]
    match = best_match(iter(deeper)) if deeper else None
    if match is not None:
        yield from _explain(match)


def _known_keys(schema: dict[str, Any]) -> set[str]:
    known = set(schema.get("properties", {}))
    for inner in schema.get("allOf", []):
        known |= _known_keys(inner)
    for keyword in ("then", "else"):
        if isinstance(schema.get(keyword), dict):
            known |= _known_keys(schema[keyword])
    return known


_TYPE_NAMES = {
    "object": "a mapping",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


_SHAPES = {"a list": "write each item behind a '-'", "a mapping": "write it as 'key: value'"}


def _shaped(value: Any, expected: str) -> str | None:
    """Return how a value of the expected type is written, where that is easily said."""
    if isinstance(value, str) and (
        (expected == "true or false" and value in {"true", "false"})
        or (expected in {"a number", "a whole number"} and value.isdecimal())
    ):
        return f"write {value} without quotes"
    return _SHAPES.get(expected)


def type_name(value: Any) -> str:
    """Return what people call a value's type: text, a list, a mapping, a number, ..."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for kind, name in (
        (int, "a whole number"),
        (float, "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
    ):
        if isinstance(value, kind):
            return name
    return type(value).__name__


def _subject(path: Path, value: Any) -> str:
    """Return what is of a wrong type: by its key where the value says little in a line."""
    key = path[-1] if path else None
    if isinstance(key, str) and value is None:
        return f"{key!r} is empty"
    if isinstance(key, str) and isinstance(value, dict | list):
        return f"{key!r} is {type_name(value)}"
    return f"{_show(value)} is {type_name(value)}"


def _refused(path: Path, value: Any) -> str:
    key = path[-1] if path else None
    return f"{_show(value)} is not an allowed value" + (f" of {key!r}" if isinstance(key, str) else "")


def _show(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
