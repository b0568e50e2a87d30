"""A repository's own JSON Schema for its configuration: `schemas/config.schema.json`, or what `$schema` names.

It judges the merged configuration with its expressions resolved, and blames the file that wrote the value.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

from f0ci.core.errors import InputError
from f0ci.environments.checks import Finding
from f0ci.environments.model import Environment, Layer
from f0ci.source.document import read_document
from f0ci.source.project import Project
from f0ci.source.schema import check_against
from f0ci.source.tree import Tree, resolve_path

_OPENING = "#{"


def read_config_schema(tree: Tree, project: Project) -> tuple[str, dict[str, Any]] | None:
    """Return the configuration's schema that a repository keeps, with its file, or None.

    Raises:
        InputError: it cannot be read, or is no JSON Schema.
    """
    path = project.config_schema
    return (path, _read(tree, path)) if tree.exists(path) else None


def named_schemas(tree: Tree, layers: Sequence[Layer]) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return the schemas that layers name under `$schema` by a path of this repository, each once.

    Addresses are left to editors.

    Raises:
        InputError: there is no such file, or it is no JSON Schema.
    """
    found: dict[str, dict[str, Any]] = {}
    for layer in layers:
        if layer.document is None:
            continue
        named = layer.document.data.get("$schema")
        if not isinstance(named, str) or "://" in named or posixpath.basename(named) == "environment.schema.json":
            continue
        path = resolve_path(named, posixpath.dirname(layer.document.path))
        if path is None or not tree.exists(path):
            place = str(layer.document.location(("$schema",)))
            raise InputError(f"there is no schema {named!r}", "write its path from this file", place=place)
        found.setdefault(path, _read(tree, path))
    return tuple(found.items())


def _read(tree: Tree, path: str) -> dict[str, Any]:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for

    document = read_document(tree, path)
    schema = document.require()
    try:
        validator_for(schema).check_schema(schema)
    except SchemaError as error:
        place = str(document.location(tuple(error.absolute_path)))
        raise InputError(f"not a JSON Schema: {error.message}", "see json-schema.org", place=place) from error
    if not isinstance(schema, dict):
        raise InputError("not a JSON Schema: no mapping", "write an object", place=path)
    return schema


def misfits(environment: Environment) -> tuple[Finding, ...]:
    """Return every value of a configuration that does not fit the repository's own schemas.

    Values that only a release can complete are not judged.
    """
    return tuple(_misfits(environment))


def _misfits(environment: Environment) -> Iterator[Finding]:
    for file, schema in environment.schemas:
        try:
            problems = check_against(schema, dict(environment.config))
        except Exception as error:
            raise InputError(f"the schema cannot be applied: {error}", "check what it refers to", place=file) from error
        for problem in problems:
            value: Any = environment.config
            for part in problem.path:
                value = value[part]
            if isinstance(value, str) and _OPENING in value:
                continue
            name = ".".join(map(str, problem.path))
            message = f"{name}: {problem.message}" if name else problem.message
            written = environment.written_at(problem.path)
            path, at = (written[0].path, written[1]) if written else (None, problem.path)
            yield Finding(environment.name, path, at, message, problem.hint or f"see {file}")


def refuse_misfits(environment: Environment) -> None:
    """Refuse a configuration that does not fit the repository's own schemas.

    Raises:
        InputError: it does not; says the first misfit at the place where its value was written.
    """
    found = misfits(environment)
    if found:
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        first = found[0]
        files = {layer.document.path: layer.document for layer in environment.layers if layer.document}
        place = str(files[first.path].location(first.at)) if first.path in files else "--set"
        what = "configuration value " if first.at else "configuration: "
        raise InputError(f"{what}{first.message}{more}", first.hint, place=place)
