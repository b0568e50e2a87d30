"""What changes between two rendered trees, in the words of what changed.

Configuration and other JSON of f0ci's own is compared key by key, recipes step by step, everything else line by line.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from f0ci.core.counting import counted
from f0ci.core.escaping import escape_controls
from f0ci.environments.layers import dotted
from f0ci.recipes.reading import looks_like_recipe
from f0ci.render.layout import CONFIG_FILE, RECIPES_FOLDER, RELEASE_FILE, TRAFFIC_FILE
from f0ci.source.document import parse_document
from f0ci.source.reading import Path

# keys by which people tell items of a list apart
_NAMING = ("name", "id", "key")
_BY_KEY = frozenset({CONFIG_FILE, RELEASE_FILE, TRAFFIC_FILE})


class Change(StrEnum):
    """What happened to something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class ValueChange:
    """One value that differs.

    Attributes:
        at: its keys, from the top of the file or, in a recipe, of the step.
        change: what happened to it.
        old: the value before; None where it was added.
        new: the value after; None where it was removed.
        step: name of the recipe's step it belongs to, or None.
    """

    at: Path
    change: Change
    old: Any = None
    new: Any = None
    step: str | None = None


@dataclass(frozen=True, slots=True)
class FileDifference:
    """One file that differs.

    Attributes:
        path: relative to the tree's root.
        change: what happened to it.
        values: what differs in it, where it is compared by key or by step; a step that came, went or moved has an
            empty `at`.
        lines: what differs in it as a unified diff without file names, where it is compared by line.
        is_binary: True where it is no text, so that only its being different can be said.
    """

    path: str
    change: Change
    values: tuple[ValueChange, ...] = ()
    lines: tuple[str, ...] = ()
    is_binary: bool = False


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between two trees.

    Attributes:
        files: every file that differs, by path.
    """

    files: tuple[FileDifference, ...]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing differs."""
        return not self.files

    def count(self, change: Change) -> int:
        """Return how many files came, went or changed."""
        return sum(file.change is change for file in self.files)


def compare(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Difference:
    """Return what changes from one tree of files to another."""
    files = (_compare_file(path, old.get(path), new.get(path)) for path in sorted(old.keys() | new.keys()))
    return Difference(tuple(file for file in files if file is not None))


def _compare_file(path: str, old: bytes | None, new: bytes | None) -> FileDifference | None:
    if old == new:
        return None
    change = Change.ADDED if old is None else Change.REMOVED if new is None else Change.CHANGED
    if path in _BY_KEY:
        before, after = _data(path, old), _data(path, new)
        if before is not None and after is not None:
            return FileDifference(path, change, tuple(_values(before, after)))
    if path.startswith(f"{RECIPES_FOLDER}/"):
        before, after = _data(path, old), _data(path, new)
        # a file that only looks different, or is no recipe, is better compared as text
        if before is not None and after is not None and looks_like_recipe(before | after):
            values = tuple(_recipe(before, after))
            if values:
                return FileDifference(path, change, values)
    try:
        lines = tuple(_diff(_lines(old), _lines(new)))
    except UnicodeDecodeError:
        return FileDifference(path, change, is_binary=True)
    return FileDifference(path, change, lines=lines)


def _lines(content: bytes | None) -> list[str]:
    return _text_lines((content or b"").decode())


def _text_lines(text: str) -> list[str]:
    *lines, rest = text.split("\n")
    return [*lines, rest, "\\ no line end here"] if rest else lines


def _diff(old: Sequence[str], new: Sequence[str]) -> Iterator[str]:
    lines = difflib.unified_diff(old, new, lineterm="")
    # the first two name the files
    yield from list(lines)[2:]


def _data(path: str, content: bytes | None) -> dict[str, Any] | None:
    """Return the mapping that a file holds, empty for a file that is not there, None for anything else."""
    if content is None:
        return {}
    document = parse_document(path, content)
    return document.data if isinstance(document.data, dict) and not document.problems else None


def _values(
    old: Mapping[str, Any], new: Mapping[str, Any], at: Path = (), step: str | None = None
) -> Iterator[ValueChange]:
    for key in [*old, *(key for key in new if key not in old)]:
        here = (*at, key)
        if key not in new:
            yield from _whole(here, Change.REMOVED, old[key], step)
        elif key not in old:
            yield from _whole(here, Change.ADDED, new[key], step)
        elif isinstance(old[key], Mapping) and isinstance(new[key], Mapping):
            yield from _values(old[key], new[key], here, step)
        elif not _same(old[key], new[key]):
            before, after = _by_name(old[key], new[key])
            if before and after:
                yield from _values(before, after, here, step)
            else:
                yield ValueChange(here, Change.CHANGED, old[key], new[key], step)


def _by_name(old: Any, new: Any) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return the items of two lists by what names them, or nothing where nothing does, or their order changed."""
    for key in _NAMING:
        before, after = _named(old, key), _named(new, key)
        kept, moved = [name for name in before if name in after], [name for name in after if name in before]
        if before and after and kept == moved:
            return before, after
    return {}, {}


def _named(items: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(items, list) or not all(
        isinstance(item, Mapping) and isinstance(item.get(key), str) for item in items
    ):
        return {}
    named = {item[key]: _without(item, key) for item in items}
    return named if len(named) == len(items) else {}


def _whole(at: Path, change: Change, value: Any, step: str | None) -> Iterator[ValueChange]:
    """Yield what came or went, a mapping key by key, so that each value stands on a line of its own."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _whole((*at, key), change, item, step)
    else:
        old, new = (None, value) if change is Change.ADDED else (value, None)
        yield ValueChange(at, change, old, new, step)


def _same(old: Any, new: Any) -> bool:
    # 1, 1.0 and true are equal to Python, and not the same to whoever reads the file
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and bool(old == new)


def _recipe(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[ValueChange]:
    yield from _values(_without(old, "steps"), _without(new, "steps"))
    before, after = _steps(old), _steps(new)
    if before is None or after is None:
        if not _same(old.get("steps"), new.get("steps")):
            yield ValueChange(("steps",), Change.CHANGED, old.get("steps"), new.get("steps"))
        return
    for name in [*before, *(name for name in after if name not in before)]:
        if name not in after:
            yield ValueChange((), Change.REMOVED, before[name], None, name)
        elif name not in before:
            yield ValueChange((), Change.ADDED, None, after[name], name)
        else:
            yield from _values(before[name], after[name], (), name)
    kept = [name for name in before if name in after]
    moved = [name for name in after if name in before]
    if kept != moved:
        yield ValueChange(("steps",), Change.CHANGED, kept, moved)


def _steps(recipe: Mapping[str, Any]) -> dict[str, Mapping[str, Any]] | None:
    """Return the steps by name, or None where names do not tell them apart."""
    steps = recipe.get("steps", [])
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) and "name" in step for step in steps):
        return None
    named: dict[str, Mapping[str, Any]] = {str(step["name"]): _without(step, "name") for step in steps}
    return named if len(named) == len(steps) else None


def _without(data: Mapping[str, Any], left_out: str) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key != left_out}


def to_json(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON data."""
    return {
        "version": 1,
        "files": [
            {
                "path": file.path,
                "change": str(file.change),
                "binary": file.is_binary,
                "values": [
                    {
                        "step": value.step,
                        "key": dotted(value.at) or None,
                        "change": str(value.change),
                        "old": value.old,
                        "new": value.new,
                    }
                    for value in file.values
                ],
                "diff": list(file.lines),
            }
            for file in difference.files
        ],
        "summary": {str(change): difference.count(change) for change in Change},
    }


_SIGNS = {Change.ADDED: "+", Change.REMOVED: "-", Change.CHANGED: "~"}
# ANSI colours
_COLOURS = {"+": "32", "-": "31", "~": "33", "@": "36"}


def to_text(difference: Difference, colour: bool = False, width: int | None = None) -> str:
    """Return a difference for people: `+` came, `-` went, `~` changed; ends with a line that counts.

    Args:
        difference: what to show.
        colour: write ANSI colours, for a terminal.
        width: columns beyond which the old value and the new one get a line each, or None for one line always.
    """
    if difference.is_empty:
        return "nothing changes\n"
    lines = [line for file in difference.files for line in _file_lines(file, width)]
    counts = ", ".join(f"{difference.count(change)} {change}" for change in Change if difference.count(change))
    lines += [("", ""), ("", f"{counted(len(difference.files), 'file')}: {counts}")]
    # what is compared may hold codes that would steer the terminal
    shown = ((sign, escape_controls(line, keep="\t")) for sign, line in lines)
    return "".join(_coloured(sign, line) if colour else f"{line}\n" for sign, line in shown)


def _file_lines(file: FileDifference, width: int | None) -> Iterator[tuple[str, str]]:
    """Yield the lines that tell of one file, each with the sign that gives it its colour."""
    sign = _SIGNS[file.change]
    yield sign, f"{sign} {file.path}{' (binary)' if file.is_binary else ''}"
    yield from ((line[:1], f"    {line}") for line in file.lines)
    step: str | None = None
    for value in file.values:
        sign = _SIGNS[value.change]
        if value.step is None:
            yield from _indented("  ", sign, value, width)
        elif not value.at:
            yield sign, f"  {sign} step {value.step!r}"
            content = value.new if value.change is Change.ADDED else value.old
            for leaf in _whole((), value.change, content, None):
                yield from _indented("    ", sign, leaf, width)
        else:
            if value.step != step:
                yield _SIGNS[Change.CHANGED], f"  ~ step {value.step!r}"
            yield from _indented("    ", sign, value, width)
        step = value.step


def _indented(indent: str, sign: str, value: ValueChange, width: int | None) -> Iterator[tuple[str, str]]:
    """Yield the lines that tell of one value; a text of several lines, such as a command, is shown line by line."""
    texts = [text if isinstance(text, str) else "" for text in (value.old, value.new)]
    others = [text for text in (value.old, value.new) if not isinstance(text, str) and text is not None]
    if others or not any("\n" in text.rstrip("\n") for text in texts):
        line = f"{indent}{_value_line(value)}"
        if width is None or len(line) <= width or value.change is not Change.CHANGED:
            yield sign, line
            return
        old, new = _show(value.old), _show(value.new)
        yield sign, line.removesuffix(f" {old} -> {new}")
        yield "-", f"{indent}    - {old}"
        yield "+", f"{indent}    + {new}"
        return
    yield sign, f"{indent}{_SIGNS[value.change]} {dotted(value.at)}:"
    if value.change is Change.CHANGED:
        lines = _diff(*map(_text_lines, texts))
    else:
        lines = (f"{sign} {line}" for text in texts if text for line in text.removesuffix("\n").split("\n"))
    yield from ((line[:1], f"{indent}    {line}".rstrip()) for line in lines)


def _value_line(value: ValueChange) -> str:
    name = dotted(value.at)
    if value.at == ("steps",) and value.change is Change.CHANGED:
        name = "order of steps"
    if value.change is Change.CHANGED:
        return f"~ {name}: {_show(value.old)} -> {_show(value.new)}"
    return f"{_SIGNS[value.change]} {name}: {_show(value.new if value.change is Change.ADDED else value.old)}"


def _show(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def _coloured(sign: str, line: str) -> str:
    code = _COLOURS.get(sign)
    return f"\x1b[{code}m{line}\x1b[0m\n" if code else f"{line}\n"
