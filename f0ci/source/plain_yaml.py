"""The fast way through YAML that uses nothing unusual: data alone, no positions.

Most files have no anchors, aliases, tags, merge keys, duplicate keys or scalars that newer YAML reads otherwise. For
them libyaml's events go straight into dictionaries and lists. At the first unusual thing the whole file is left to
`f0ci.source.yaml`, which is exact and says what is wrong and where; both give the same data.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_NO_KEY = object()


def read_plain_yaml(  # noqa: PLR0915 - one loop over the event stream, hot
    raw: bytes, resolve: Callable[[str], Any], unusual: object, deepest: int
) -> tuple[Any] | None:
    """Return the data of a document in a tuple of one, or None where it needs the exact reader.

    Args:
        raw: the file's bytes, UTF-8.
        resolve: what a plain scalar means, or `unusual` where people may misread it.
        unusual: the mark that `resolve` returns for such scalars.
        deepest: levels of nesting that are allowed.
    """
    import yaml
    from yaml import events as ev
    from yaml._yaml import CParser

    scalar, mapping, sequence = ev.ScalarEvent, ev.MappingStartEvent, ev.SequenceStartEvent
    endings = (ev.MappingEndEvent, ev.SequenceEndEvent)
    outer: list[tuple[Any, bool, Any]] = []
    container: Any = None
    is_map = False
    key: Any = _NO_KEY
    documents = 0
    root: Any = None
    # without these characters there are neither anchors nor tags, and asking every event costs time
    is_marked = b"&" in raw or b"!" in raw
    try:
        get_event: Callable[[], Any] = CParser(raw).get_event
        while True:
            event = get_event()
            kind = type(event)
            if kind is scalar:
                if is_marked and (event.anchor is not None or event.tag is not None):
                    return None
                value: Any = event.value
                if event.implicit[0]:
                    resolved = resolve(value)
                    if resolved is unusual:
                        return None
                    if is_map and key is _NO_KEY and value == "<<":
                        return None
                else:
                    resolved = value
                if is_map:
                    if key is _NO_KEY:
                        if value in container:
                            return None
                        key = value
                    else:
                        container[key] = resolved
                        key = _NO_KEY
                elif container is None:
                    root = resolved
                else:
                    container.append(resolved)
            elif kind is mapping or kind is sequence:
                if (is_map and key is _NO_KEY) or len(outer) >= deepest:
                    return None
                if is_marked and (event.anchor is not None or event.tag is not None):
                    return None
                outer.append((container, is_map, key))
                is_map = kind is mapping
                container, key = {} if is_map else [], _NO_KEY
            elif kind in endings:
                value = container
                container, is_map, key = outer.pop()
                if is_map:
                    container[key] = value
                    key = _NO_KEY
                elif container is None:
                    root = value
                else:
                    container.append(value)
            elif kind is ev.DocumentStartEvent:
                documents += 1
                if documents > 1:
                    return None
            elif kind is ev.StreamEndEvent:
                return (root,)
            elif kind is ev.AliasEvent:
                return None
    except (yaml.YAMLError, ValueError):
        return None
