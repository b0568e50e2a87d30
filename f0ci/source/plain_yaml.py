"""The fast way through YAML that uses nothing unusual: data alone, no positions.

Most files have no anchors, aliases, tags, merge keys, duplicate keys or scalars that newer YAML reads otherwise. For
them libyaml's events go straight into dictionaries and lists. At the first unusual thing the whole file is left to
`f0ci.source.yaml`, which is exact and says what is wrong and where; both give the same data. Where the extension in C
was built, it does the same (`f0ci.source.native_yaml`): what is changed here is changed there too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from f0ci.source.reading import Path
from f0ci.source.scalars import UNUSUAL, meaningful_starts, usual_value

# a scalar that may mean more than its text
_SHORT = 24
_LONGEST_WORD = len("false")
_MOST_KNOWN = 8_192


class _Unusual(ValueError):
    """A scalar needs the exact reader."""


class _Known(dict[str, Any]):
    """What plain scalars mean, each worked out once while there is room; long ones are seldom met again."""

    def __missing__(self, text: str) -> Any:
        # what begins with a letter means more than its text only where it is a word such as `false`
        value = text if len(text) > _LONGEST_WORD and text[0].isalpha() else usual_value(text)
        if value is UNUSUAL:
            raise _Unusual
        if len(text) <= _SHORT:
            if len(self) >= _MOST_KNOWN:
                self.clear()
            self[text] = value
        return value


KNOWN = _Known()


def read_plain_yaml(  # noqa: PLR0915 - one loop over the events, hot
    raw: bytes, deepest: int
) -> tuple[Any, tuple[tuple[Path, str], ...]] | None:
    """Return the data of a document and its texts with a brace, or None where it needs the exact reader.

    To note these texts here costs next to nothing, where to go through the data for them takes as long as all that is
    done with them.

    Args:
        raw: the file's bytes, UTF-8.
        deepest: levels of nesting that are allowed.
    """
    import yaml
    from yaml import events as ev
    from yaml._yaml import CParser

    scalar, mapping, sequence = ev.ScalarEvent, ev.MappingStartEvent, ev.SequenceStartEvent
    mapping_end, sequence_end = ev.MappingEndEvent, ev.SequenceEndEvent
    first_letters, known = meaningful_starts(), KNOWN
    # without these characters there are neither anchors nor tags, and asking every event costs time
    is_marked = b"&" in raw or b"!" in raw
    has_braces = b"#{" in raw or b"{{" in raw
    braces: list[tuple[Path, str]] = []
    # the document is the one item of an outermost list
    documents: list[Any] = []
    container: Any = documents
    is_map = False
    key = ""
    outer: list[tuple[Any, bool]] = []
    value: Any
    try:
        get_event: Callable[[], Any] = CParser(raw).get_event
        while True:
            event = get_event()
            kind = type(event)
            if is_map:
                if kind is mapping_end:
                    container, is_map = outer.pop()
                    continue
                if kind is not scalar or (is_marked and (event.anchor is not None or event.tag is not None)):
                    return None
                key = event.value
                if key[:1] in first_letters and event.implicit[0]:
                    known[key]
                if key in container:
                    return None
                event = get_event()
                kind = type(event)
            elif kind is sequence_end:
                container, is_map = outer.pop()
                continue
            if kind is scalar:
                if is_marked and (event.anchor is not None or event.tag is not None):
                    return None
                value = event.value
                if value[:1] in first_letters and event.implicit[0]:
                    value = known[value]
                if is_map:
                    container[key] = value
                else:
                    container.append(value)
                if has_braces and "{" in event.value and ("#{" in event.value or "{{" in event.value):
                    braces.append((_path(outer, container, is_map), event.value))
                continue
            if kind is mapping:
                value = {}
            elif kind is sequence:
                value = []
            elif kind is ev.StreamEndEvent:
                return (documents[0] if documents else None, tuple(braces))
            elif kind is ev.AliasEvent or (kind is ev.DocumentStartEvent and documents):
                return None
            else:
                continue
            if len(outer) >= deepest or (is_marked and (event.anchor is not None or event.tag is not None)):
                return None
            if is_map:
                container[key] = value
            else:
                container.append(value)
            outer.append((container, is_map))
            container, is_map = value, kind is mapping
    except (yaml.YAMLError, ValueError):
        return None


def _path(outer: list[tuple[Any, bool]], container: Any, is_map: bool) -> Path:
    """Return the path of what was added last."""
    if not outer:
        return ()
    path: list[str | int] = []
    # the outermost list holds the document alone
    for index in range(1, len(outer)):
        each, has_keys = outer[index]
        path.append(next(reversed(each)) if has_keys else len(each) - 1)
    path.append(next(reversed(container)) if is_map else len(container) - 1)
    return tuple(path)
