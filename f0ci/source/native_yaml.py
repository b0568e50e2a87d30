"""Which of two readers goes through ordinary YAML: the extension in C, or the same in Python.

The extension is optional: an installation without a compiler has none, and reads the same at a tenth of the speed.
What it does not read line by line it leaves to the libyaml inside PyYAML's own extension, so both say the same of every
file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import cache
from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path as FilePath
from typing import Any

from f0ci.core.diagnostics import Span
from f0ci.core.errors import UsageError
from f0ci.core.values import dataclass
from f0ci.source.plain_yaml import KNOWN, read_plain_yaml
from f0ci.source.reading import Path
from f0ci.source.scalars import meaningful_starts

VARIABLE = "F0CI_READER"
# with words of no meaning, all scalars are text
_PROBE = "a: {b: 1}\nc:\n- é\n- [x]\n".encode()
_PROBE_ANSWER = (
    {"a": {"b": "1"}, "c": ["é", ["x"]]},
    {
        ("a", "b"): Span(1, 8, 1, 9),
        ("a",): Span(1, 4, 1, 10),
        ("c", 0): Span(3, 3, 3, 4),
        ("c", 1, 0): Span(4, 4, 4, 5),
        ("c", 1): Span(4, 3, 4, 6),
        ("c",): Span(3, 1, 4, 6),
        (): Span(1, 1, 4, 6),
    },
    {("a", "b"): Span(1, 5, 1, 6), ("a",): Span(1, 1, 1, 2), ("c",): Span(2, 1, 2, 2)},
)


@dataclass(frozen=True, slots=True)
class YamlReader:
    """What goes through ordinary YAML, and leaves all else to the exact reader by answering None.

    Attributes:
        plain: gives the data of a file's bytes, and its texts with a brace by path.
        placed: gives data, spans of values and spans of keys; None where the exact reader does that.
        description: which it is and why, for people.
    """

    plain: Callable[[bytes, int], tuple[Any, tuple[tuple[Path, str], ...]] | None]
    placed: Callable[[bytes, int], tuple[Any, dict[Path, Span], dict[Path, Span]] | None] | None
    description: str


@cache
def yaml_reader() -> YamlReader:
    """Return the reader in use: the one in C where it is built and fits, unless F0CI_READER says otherwise.

    Raises:
        UsageError: F0CI_READER asks for the one in C, which cannot be used, or for what there is not.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in {"", "c", "python"}:
        raise UsageError(f"{VARIABLE} is {wanted!r}, and there is no such reader", "set it to c or python, or unset it")
    if wanted == "python":
        return python_reader(f"{VARIABLE} says so")
    try:
        return native_reader()
    except ImportError as error:
        if wanted:
            hint = f"install f0ci from source where there is a C compiler, or unset {VARIABLE}"
            raise UsageError(f"{VARIABLE} asks for the reader in C: {error}", hint) from error
        return python_reader(str(error))


def python_reader(why: str) -> YamlReader:
    """Return the reader in Python.

    Args:
        why: reason for people.
    """
    return YamlReader(read_plain_yaml, None, f"Python ({why})")


def native_reader() -> YamlReader:
    """Return the reader in C.

    Raises:
        ImportError: it was not built, or PyYAML's libyaml is not as it expects.
    """
    try:
        from f0ci.source import _libyaml
    except ImportError as error:
        raise ImportError("the one in C was not built") from error
    connected, version = _libyaml.connect(str(_pyyaml_extension()))
    # a libyaml that was built in another way would show here
    if _libyaml.read(connected, _PROBE, 9, b"", {}, Span) != _PROBE_ANSWER:
        raise ImportError(f"libyaml {version} of PyYAML is not built as the one in C expects")
    starts = "".join(meaningful_starts()).encode()

    def plain(raw: bytes, deepest: int) -> Any:
        return _libyaml.read(connected, raw, deepest, starts, KNOWN, None)

    def placed(raw: bytes, deepest: int) -> Any:
        return _libyaml.read(connected, raw, deepest, starts, KNOWN, Span)

    return YamlReader(plain, placed, f"C (libyaml {version} of PyYAML)")


def _pyyaml_extension() -> FilePath:
    """Return where PyYAML's extension is: of the PyYAML that is imported, or would be; importing it takes time."""
    found = sys.modules.get("yaml") or PathFinder.find_spec("yaml")
    folders = getattr(found, "__path__", None) or getattr(found, "submodule_search_locations", None)
    for folder in folders or ():
        for suffix in EXTENSION_SUFFIXES:
            file = FilePath(folder, f"_yaml{suffix}")
            if file.is_file():
                return file
    raise ImportError("PyYAML was installed without libyaml")
