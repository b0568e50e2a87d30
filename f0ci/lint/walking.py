"""Going through a file's text, and the texts of its data."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.reading import Path

# a search that begins with one byte takes as long for several words as for one
_PLACE = re.compile(rb"/(?:home/|Users/|(?<=http:/)/)")
# blanks beyond ASCII are no word of these bytes either
_COMMENT = re.compile(rb"#(?:\{(?<= #\{)|[^#\w{]*f0ci:)")


def has_telling_comment(document: Document, workspace: Workspace) -> bool:
    """Tell whether a file may hold a comment for f0ci, or an expression that is one; most hold neither."""
    return workspace.once("comments", document, lambda document: _COMMENT.search(document.raw) is not None)


def names_place(document: Document, workspace: Workspace) -> bool:
    """Tell whether a file may hold an address with `http://` or a path of somebody's home; most hold neither."""
    return workspace.once("places", document, lambda document: _PLACE.search(document.raw) is not None)


def texts_matching(data: Any, wanted: Callable[[str, Any], bool], at: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every text in a document's data that is wanted, with its path, in written order.

    Args:
        data: what a reader made: texts, numbers, dictionaries and lists.
        wanted: asked with a text and the key or index it stands under.
        at: path of the data.
    """
    for key, item in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        kind = type(item)
        if kind is str:
            if wanted(item, key):
                yield (*at, key), item
        elif (kind is dict or kind is list) and item:
            yield from texts_matching(item, wanted, (*at, key))
