"""Reading what a template rendered: a `.yaml`, `.json` or `.toml` file that no program could read is refused here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from f0ci.core.errors import InputError
from f0ci.source.json import read_json


def check_data_file(path: str, content: bytes, template: str) -> None:
    """Refuse a rendered file whose name promises YAML, JSON or TOML and whose content is not.

    YAML may hold several documents, and tags of other programs.

    Args:
        path: where the file goes; its suffix decides.
        content: its bytes.
        template: the template's file, for the message.

    Raises:
        InputError: the content cannot be read, or writes a key twice; says the rendered line.
    """
    if path.endswith(".json"):
        problems = [(problem.message, problem.span.line) for problem in read_json(content).problems]
    elif path.endswith(".toml"):
        problems = list(_toml_problems(content))
    elif path.endswith((".yaml", ".yml")):
        problems = list(_yaml_problems(content))
    else:
        return
    if not problems:
        return
    message, line = problems[0]
    lines = content.decode().splitlines()
    shown = f": {lines[line - 1].strip()[:80]!r}" if 0 < line <= len(lines) else ""
    raise InputError(f"renders {path!r} wrongly: {message}", f"see its line {line}{shown}", place=template)


def _toml_problems(content: bytes) -> Iterator[tuple[str, int]]:
    import tomllib

    try:
        tomllib.loads(content.decode())
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        text = str(error).partition(" (at ")[0]
        yield f"not valid TOML: {text[:1].lower()}{text[1:]}", int(found[1]) if found else 1


def _yaml_problems(content: bytes) -> Iterator[tuple[str, int]]:
    import yaml

    try:
        for document in yaml.compose_all(content, Loader=yaml.CSafeLoader):
            yield from _duplicates(document)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        yield f"not valid YAML: {error.problem or error.context}", mark.line + 1 if mark else 1
    except (yaml.YAMLError, RecursionError) as error:
        yield f"not valid YAML: {str(error).splitlines()[0] if str(error) else type(error).__name__}", 1


def _duplicates(document: Any) -> Iterator[tuple[str, int]]:
    import yaml

    waiting, seen = [document], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            waiting.extend(node.value)
        elif isinstance(node, yaml.MappingNode):
            keys: set[str] = set()
            for key, value in node.value:
                waiting.append(value)
                if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                    if key.value in keys:
                        yield f"the key {key.value!r} is written twice", key.start_mark.line + 1
                    keys.add(key.value)
