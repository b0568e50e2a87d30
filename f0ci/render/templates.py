"""Templates: Jinja2 in its sandbox, with only what every machine would give it.

A template `templates/<path>.j2` renders to `<path>`. One whose name begins with `_` is there to be included by others.
"""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from jinja2 import FunctionLoader, TemplateError, TemplateNotFound, TemplateSyntaxError, Undefined
from jinja2.utils import missing

from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.expressions.templating import SUFFIX
from f0ci.render.emitting import emit_yaml
from f0ci.render.layout import RenderedFile
from f0ci.render.rereading import check_data_file
from f0ci.render.template_sandbox import MissingError, Sandbox, Text
from f0ci.source.reading import Path
from f0ci.source.schema import type_name
from f0ci.source.tree import Tree

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def with_parts(text: str, parts: Mapping[str, Any]) -> Text:
    """Return a text with parts that templates may ask for."""
    made = Text(text)
    made.parts = parts
    return made


class Templates:
    """The templates of a workspace, each compiled once.

    Args:
        tree: the workspace's files.
        folder: the folder that templates are named from.
        paths: files of templates below it.
    """

    def __init__(self, tree: Tree, folder: str, paths: Iterable[str]) -> None:
        self._tree = tree
        self._prefix = f"{folder.strip('/')}/"
        self._names = {path.removeprefix(self._prefix): path for path in paths}
        self._jinja = _sandbox(tree, self._names)

    def render(self, paths: Iterable[str], scope: Mapping[str, Any]) -> Iterator[RenderedFile]:
        """Render templates; those whose name begins with `_` are passed over.

        Args:
            paths: files of templates.
            scope: values by name.

        Raises:
            InputError: a template is wrong, asks for what does not exist, or renders YAML, JSON or TOML that cannot be
                read; carries the template's path and line.
        """
        for path in paths:
            name = path.removeprefix(self._prefix)
            if is_part(name):
                continue
            output = name.removesuffix(SUFFIX)
            content = _render(self._jinja, name, self._names, scope).encode()
            check_data_file(output, content, path)
            yield RenderedFile(output, content, path)

    def reads(self, path: str) -> frozenset[Path]:
        """Return what a template, with all that it includes, may ask for: `("config", "output")`, `("release",)`, ...

        Raises:
            InputError: it cannot be read.
        """
        from f0ci.render.template_reads import names_read

        return names_read(self._jinja, path.removeprefix(self._prefix), self._names)


def is_part(name: str) -> bool:
    """Tell whether a template is there to be included by others."""
    return PurePosixPath(name).name.startswith("_")


def _render(jinja: Sandbox, name: str, names: Mapping[str, str], scope: Mapping[str, Any]) -> str:
    def place(error: BaseException) -> str:
        return _place(error, names[name], names.values())

    jinja.steps = 0
    try:
        return jinja.get_template(name).render(**scope)
    except TemplateSyntaxError as error:
        at = f"{error.filename or names[name]}:{error.lineno}"
        raise InputError(f"not a valid template: {_sentence(error.message)}", None, place=at) from error
    except TemplateNotFound as error:
        hint = did_you_mean(str(error.name), names, noun="templates")
        raise InputError(f"there is no template {error.name!r}", hint, place=place(error)) from error
    except InputError as error:
        raise InputError(error.message, error.hint, place=error.place or place(error)) from error
    except MissingError as error:
        message, hint = _explain_missing(error.holder, error.name, scope)
        raise InputError(message, hint, place=place(error)) from error
    except TemplateError as error:
        raise InputError(_sentence(error.message), None, place=place(error)) from error
    except Exception as error:  # a template can make Python raise anything
        message = f"cannot be rendered: {_sentence(str(error)) or type(error).__name__}"
        raise InputError(message, "check the types of the values", place=place(error)) from error


def _place(error: BaseException, path: str, paths: Collection[str]) -> str:
    """Return the template and the line that an error came out of, which may be an included one."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [(frame.f_code.co_filename, line) for frame, line in frames if frame.f_code.co_filename in paths]
    return f"{lines[-1][0]}:{lines[-1][1]}" if lines else path


def _explain_missing(holder: Any, name: Any, scope: Mapping[str, Any]) -> tuple[str, str | None]:
    if holder is missing:
        if name == "release":
            return "'release' is not known here", "render for a release"
        return f"the name {name!r} is not defined", did_you_mean(str(name), scope, noun="known names")
    known = holder.parts if isinstance(holder, Text) else holder
    way = next((way for root, value in scope.items() for way in _ways(value, holder, root)), None)
    subject = repr(way) if way else type_name(holder)
    if isinstance(known, Mapping):
        hint = did_you_mean(str(name), map(str, known), noun="its keys") if known else "it is empty"
        return f"{subject} has no key {name!r}", hint
    return f"{subject} is {type_name(holder)}, so it has no {name!r}" if way else f"{subject} has no {name!r}", None


def _ways(value: Any, wanted: Any, way: str) -> Iterator[str]:
    """Yield the names under which a value stands in another."""
    if value is wanted:
        yield way
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _ways(item, wanted, f"{way}.{key}")
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _ways(item, wanted, f"{way}[{index}]")


def _sentence(text: str | None) -> str:
    line = (text or "").strip().split("\n", 1)[0].removesuffix(".")
    return line[:1].lower() + line[1:]


def _sandbox(tree: Tree, names: Mapping[str, str]) -> Sandbox:
    def load(name: str) -> tuple[str, str, None] | None:
        path = names.get(name)
        if path is None:
            return None
        try:
            return tree.read(path).decode("utf-8-sig"), path, None
        except UnicodeDecodeError as error:
            raise InputError("the template is not UTF-8", "save the file as UTF-8", place=path) from error

    filters = {"to_json": _to_json, "tojson": _to_json, "to_yaml": _to_yaml, "to_toml": _to_toml}
    return Sandbox(FunctionLoader(load), filters)


def _to_json(value: Any, indent: int | None = None) -> str:
    text = json.dumps(_known(value), ensure_ascii=False, allow_nan=False, indent=indent, sort_keys=True)
    # YAML, in which JSON is often written, forbids some characters that JSON allows, and takes others for line ends
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _to_yaml(value: Any) -> str:
    return emit_yaml(_plain(_known(value))).removesuffix("\n").removesuffix("\n...")


def _to_toml(value: Any) -> str:
    from f0ci.render.toml import emit_toml

    return emit_toml(_plain(_known(value)))


def _known(value: Any) -> Any:
    # a filter's argument may be missing; asking for its text says so
    return str(value) if isinstance(value, Undefined) else value


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
