"""Data as YAML: one spelling for one value, which reads back as the same value.

The layout is written here, the spelling of each scalar is PyYAML's: a repository's recipes say the same few words over
and over, so that each is spelled and read back once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from f0ci.core.errors import Defect

# line breaks to YAML 1.1 but not to people; only double quotes keep them as they are
_OTHER_BREAKS = frozenset("\r\x85\u2028\u2029")
# wider than any line, so that no text is folded
_WIDTH = 1 << 30
# words between single blanks, which PyYAML writes plain unless they mean something else
_ORDINARY = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]*(?: [A-Za-z0-9_./]+)*\Z")
# what YAML 1.2, or Kubernetes' reader between both, takes for a number, a date or a truth: quoted it is a text to all
_NUMBER, _BOOL = "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool"
_OTHERS = re.compile(
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?0[oOxXbB][0-9a-fA-F_]+\Z|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt ].*)?\Z"
)
_LETTER = re.compile(r"[yYnN]\Z")
# PyYAML calls a key simple up to this length; a longer one may stand on a line of its own
_LONGEST_KEY = 100


@dataclass(frozen=True, slots=True)
class Gap:
    """A place in emitted text whose value is not known yet.

    Attributes:
        value: what stands for the value.
        indent: spaces before the line that holds its key or dash.
        in_list: it stands behind a dash.
    """

    value: Any
    indent: str
    in_list: bool


class InOnePieceError(Exception):
    """A document that cannot be written in pieces: a key needs a line of its own, or a text ends in empty lines."""


def emit_yaml(data: Any) -> str:
    """Return data as block YAML in the order of its keys, without anchors, tags or comments.

    Texts of several lines become literal blocks where YAML allows it.

    Raises:
        Defect: the text would not read back as the same data.
    """
    lines: list[str] = []
    try:
        if isinstance(data, dict | list) and data:
            emit_block(data, "", lines)
            text = "".join(lines)
        else:
            text = _dumped(data)
    except InOnePieceError:
        text = _dumped(data)
    require_same(text, data)
    return text


def require_same(text: str, data: Any) -> None:
    """Refuse text that would not read back as the same data.

    Raises:
        Defect: it would not.
    """
    from f0ci.source.yaml import read_yaml

    reading = read_yaml(text.encode())
    if reading.broken or repr(reading.data) != repr(data):
        raise Defect("YAML that was written does not read back as the same data", "report the recipe or configuration")


def emit_block(data: dict[Any, Any] | list[Any], indent: str, out: list[Any]) -> None:
    """Add the lines of a mapping or list that is not empty.

    Args:
        data: what to write; values that are no data of YAML become gaps.
        indent: spaces before each of its lines.
        out: receives pieces of text and gaps, in order.

    Raises:
        InOnePieceError: it cannot be written in pieces.
    """
    if isinstance(data, dict):
        for key, value in data.items():
            out.append(f"{indent}{key_text(key)}:")
            emit_value(value, indent, out, in_list=False)
        return
    for item in data:
        if isinstance(item, dict | list) and item:
            # the first line of what a list holds stands behind its dash
            begin = len(out)
            emit_block(item, f"{indent}  ", out)
            out[begin] = f"{indent}- {out[begin][len(indent) + 2 :]}"
        else:
            out.append(f"{indent}-")
            emit_value(item, indent, out, in_list=True)


def emit_value(value: Any, indent: str, out: list[Any], *, in_list: bool) -> None:
    """Add a value behind its key or dash, with the line's end.

    Args:
        value: what to write.
        indent: spaces before the line that holds the key or dash.
        out: receives pieces of text.
        in_list: it stands behind a dash.
    """
    if isinstance(value, str):
        text = scalar_text(value)
        out.append(text if not indent or "\n" not in text[:-1] else _indented(text, indent))
    elif isinstance(value, dict) and value:
        out.append("\n")
        emit_block(value, f"{indent}  ", out)
    elif isinstance(value, list) and value:
        out.append("\n")
        emit_block(value, f"{indent}  " if in_list else indent, out)
    elif value is None or isinstance(value, bool | int | float | dict | list):
        out.append(_other_text(type(value).__name__, repr(value)))
    else:
        out.append(Gap(value, indent, in_list))


def _indented(text: str, indent: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join([first, *(indent + line if line else line for line in rest)])


@lru_cache(maxsize=65_536)
def scalar_text(text: str) -> str:
    """Return how a text stands behind a key at the left edge, from the space before it to its line's end.

    Raises:
        InOnePieceError: how it stands depends on what follows.
    """
    if _ORDINARY.match(text) is not None and not _means_something(text):
        return f" {text}\n"
    written = _dumped({"k": text})
    if written.endswith("\n...\n"):
        raise InOnePieceError
    require_same(written, {"k": text})
    return written[2:]


def _means_something(text: str) -> bool:
    """Tell whether a plain scalar would be read as something else than this text, as `yes` and `1e3` are."""
    resolvers = _dumper().yaml_implicit_resolvers
    return any(meant.match(text) for first in (text[0], None) for _, meant in resolvers.get(first, ()))


@lru_cache(maxsize=65_536)
def _other_text(kind: str, shown: str) -> str:
    """Return how null, a number, true, false, `{}` or `[]` stands behind a key."""
    if kind == "int":
        return f" {shown}\n"
    words: dict[str, Any] = {"None": None, "True": True, "False": False, "{}": {}, "[]": []}
    value = words[shown] if shown in words else float(shown)
    return _dumped({"k": value})[2:]


@lru_cache(maxsize=16_384)
def key_text(key: Any) -> str:
    """Return how a key stands before its colon.

    Raises:
        InOnePieceError: it needs a line of its own.
    """
    written = _dumped({key: 0})
    if len(written) > _LONGEST_KEY or written.startswith("? "):
        raise InOnePieceError
    return written.removesuffix(": 0\n")


def _dumped(data: Any) -> str:
    import yaml

    text: str = yaml.dump(
        data, Dumper=_dumper(), sort_keys=False, default_flow_style=False, allow_unicode=True, width=_WIDTH
    )
    return text


@cache
def _dumper() -> Any:
    import yaml

    class Dumper(yaml.SafeDumper):
        """The safe dumper, which writes shared values out each time."""

        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is PyYAML's
            return True

    def represent_text(dumper: Any, text: str) -> Any:
        style = '"' if _OTHER_BREAKS & set(text) else "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, represent_text)
    # a copy: PyYAML's own classes share one
    resolvers = dict(yaml.SafeDumper.yaml_implicit_resolvers)
    for letters, meant in (("-+.0123456789", (_NUMBER, _OTHERS)), ("yYnN", (_BOOL, _LETTER))):
        resolvers |= {first: [*resolvers.get(first, ()), meant] for first in letters}
    Dumper.yaml_implicit_resolvers = resolvers
    return Dumper
