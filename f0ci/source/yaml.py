"""YAML as PyYAML's safe loader reads it, straight from libyaml's events.

The values are those of `yaml.safe_load`, but for three decisions: timestamps stay text (JSON has no dates), a key
keeps the text it was written with (`on:` is the key "on"), and what would be silently lost or would exhaust the
machine (duplicate keys, alias bombs, extreme depth) is a problem. The builder keeps its own stack, so depth costs
neither Python's nor C's.
"""

from __future__ import annotations

from typing import Any

from f0ci.core.diagnostics import Span
from f0ci.source.native_yaml import yaml_reader
from f0ci.source.reading import MAX_DEPTH, Path, Positions, Reading, ReadingProblem, byte_span, find_not_utf8
from f0ci.source.scalars import YAML, YAML_1_1_ONLY, Unfit, construct, plain_value

MAX_EXPANDED_NODES = 500_000
# libyaml compares each with all before it
_MOST_HANDLES = 1_000
_HANDLE = b"\n%TAG"
_MERGE = object()
# libyaml 0.2.6 and newer
_TOO_DEEP_FOR_LIBYAML = "exceeded maximum nesting depth"
_NO_KEY = object()


class _Frame:
    __slots__ = (
        "anchor",
        "flow",
        "is_map",
        "key",
        "key_span",
        "key_spans",
        "merges",
        "path",
        "size",
        "start",
        "value",
    )

    def __init__(self, *, is_map: bool, path: Path, anchor: str | None, start: Any, flow: bool) -> None:
        self.is_map = is_map
        self.value: Any = {} if is_map else []
        self.path = path
        self.anchor = anchor
        self.start = start
        self.flow = flow
        self.key: Any = _NO_KEY
        self.key_span: Span | None = None
        self.key_spans: dict[object, Span] = {}
        self.merges: list[Any] = []
        self.size = 1


def read_yaml(raw: bytes, *, positions: bool = False) -> Reading:
    """Read one YAML document.

    Args:
        raw: the file's bytes, UTF-8 (a byte-order mark is allowed).
        positions: also record where every key and value stands; else that is done where it will be asked for anyway.

    Returns:
        The data with every problem found; never raises for what the text says.
    """
    reading = Reading(positions=Positions() if positions else None)
    bad = find_not_utf8(raw)
    if bad is not None:
        reading.problems.append(bad)
        reading.broken = True
        return reading
    if raw.count(_HANDLE) > _MOST_HANDLES:
        message = f"more than {_MOST_HANDLES:,} '%TAG' directives"
        span = byte_span(raw, raw.index(_HANDLE) + 1)
        reading.problems.append(ReadingProblem("syntax", message, span, "remove them; recipes may not use tags"))
        reading.broken = True
        return reading
    if _read_ordinary(raw, reading):
        return reading
    if reading.positions is None and not (b": &" in raw or b"- &" in raw):
        # what is unusual for another reason than anchors is nearly always a finding, whose place is asked for next
        reading.positions = Positions()
    read_exactly(raw, reading)
    return reading


def read_exactly(raw: bytes, reading: Reading) -> None:
    """Read whatever stands there, usual or not.

    Args:
        raw: the file's bytes, UTF-8.
        reading: takes what is found; has positions where they are to be found as well.
    """
    import yaml
    from yaml._yaml import CParser

    try:
        try:
            _build(CParser(raw), reading)
        except yaml.MarkedYAMLError as error:
            if error.problem != _TOO_DEEP_FOR_LIBYAML or error.problem_mark is None:
                raise
            # its scanner runs ahead of the events and gives up before the level that is one too many is seen; the
            # text up to there has that level as well
            reading.problems.clear()
            _build(CParser(raw.decode()[: error.problem_mark.index].encode()), reading)
    except yaml.MarkedYAMLError as error:
        from f0ci.source.yaml_faults import explained

        reading.problems.append(explained(raw, error))
        reading.broken = True
    except yaml.YAMLError as error:
        text = str(error).splitlines()[0] if str(error) else "unreadable"
        span = byte_span(raw, getattr(error, "position", 0))
        hint = "save the file as UTF-8" if b"\0" in raw[:4] else "remove it, or write its escape in double quotes"
        reading.problems.append(ReadingProblem("syntax", f"not valid YAML: {text}", span, hint))
        reading.broken = True
    if reading.broken:
        reading.data = None


def _read_ordinary(raw: bytes, reading: Reading) -> bool:
    """Read what uses nothing unusual; tell whether that was all."""
    reader = yaml_reader()
    if reading.positions is None:
        plain = reader.plain(raw, MAX_DEPTH)
        if plain is not None:
            reading.data, reading.braces = plain
        return plain is not None
    placed = reader.placed(raw, MAX_DEPTH) if reader.placed is not None else None
    if placed is not None:
        reading.data, reading.positions.values, reading.positions.keys = placed
    return placed is not None


def _build(parser: Any, reading: Reading) -> None:  # noqa: PLR0915 - one state machine over the event stream, hot
    from yaml import events as ev

    stack: list[_Frame] = []
    anchors: dict[str, tuple[Any, int, Path | None]] = {}
    positions = reading.positions
    expanded = 0
    last_end: Any = None
    documents = 0
    while True:
        event = parser.get_event()
        kind = type(event)
        if kind is ev.ScalarEvent:
            value = _scalar(event, reading)
            size, source = 1, None
            start, end = event.start_mark, event.end_mark
            last_end = end
            if event.anchor:
                is_key = bool(stack) and stack[-1].is_map and stack[-1].key is _NO_KEY
                anchors[event.anchor] = (value, 1, None if is_key else _child_path(stack))
        elif kind is ev.MappingStartEvent or kind is ev.SequenceStartEvent:
            if len(stack) >= MAX_DEPTH:
                _refuse(
                    reading,
                    "too-deep",
                    f"nested deeper than {MAX_DEPTH} levels",
                    event,
                    "flatten the document",
                )
                return
            if stack and stack[-1].is_map and stack[-1].key is _NO_KEY:
                starts = [frame.start.index + 1 for frame in stack if frame.flow and kind is ev.MappingStartEvent]
                is_braced = event.start_mark.index in starts[-1:]
                _refuse(
                    reading,
                    "syntax",
                    "'{{' begins a mapping here, no expression"
                    if is_braced
                    else "a key must be a word, not a list or a mapping",
                    event,
                    "put the whole value in quotes" if is_braced else "quote the text of the key",
                )
                return
            if event.tag and event.tag not in {f"{YAML}map", f"{YAML}seq", "!"}:
                _refuse(
                    reading,
                    "syntax",
                    f"the tag {event.tag!r} is not one that recipes may use",
                    event,
                    "remove the tag",
                )
                return
            stack.append(
                _Frame(
                    is_map=kind is ev.MappingStartEvent,
                    path=_child_path(stack),
                    anchor=event.anchor,
                    start=event.start_mark,
                    flow=bool(event.flow_style),
                )
            )
            if event.anchor:
                anchors[event.anchor] = (_NO_KEY, 0, stack[-1].path)
            continue
        elif kind is ev.MappingEndEvent or kind is ev.SequenceEndEvent:
            frame = stack.pop()
            if frame.merges:
                own, frame.value = frame.value, {}
                # the first of a list wins over the others, an earlier '<<' over a later one
                for merged in reversed(frame.merges):
                    frame.value.update(merged)
                frame.value.update(own)
            value, size, source = frame.value, frame.size, None
            start = frame.start
            end = event.end_mark if frame.flow or last_end is None else last_end
            if frame.flow:
                last_end = end
            if frame.anchor:
                anchors[frame.anchor] = (value, size, frame.path)
        elif kind is ev.AliasEvent:
            if event.anchor not in anchors:
                _refuse(
                    reading,
                    "syntax",
                    f"the alias {'*' + event.anchor!r} has no anchor before it",
                    event,
                    f"write &{event.anchor} at the value it means",
                )
                return
            value, size, source = anchors[event.anchor]
            if value is _NO_KEY:
                _refuse(
                    reading,
                    "alias-cycle",
                    f"the alias {'*' + event.anchor!r} stands inside the value it names",
                    event,
                    "write the value out",
                )
                return
            start, end = event.start_mark, event.end_mark
            last_end = end
            expanded += size
            if expanded > MAX_EXPANDED_NODES:
                _refuse(
                    reading,
                    "alias-bomb",
                    f"aliases expand to more than {MAX_EXPANDED_NODES:,} values",
                    event,
                    "write the values out, or fewer of them",
                )
                return
        elif kind is ev.DocumentStartEvent:
            documents += 1
            if documents > 1:
                _refuse(
                    reading,
                    "several-documents",
                    "a second document starts here; f0ci reads one a file",
                    event,
                    "put it into a file of its own",
                )
                return
            continue
        elif kind is ev.StreamEndEvent:
            break
        else:
            continue

        if not stack:
            reading.data = value
            if positions is not None:
                positions.values[()] = _span(start, end)
                if source is not None:
                    positions.aliases[()] = source
            continue
        frame = stack[-1]
        frame.size += size
        if not frame.is_map:
            path = (*frame.path, len(frame.value))
            frame.value.append(value)
        elif frame.key is _NO_KEY:
            if isinstance(value, dict | list):
                hint = "quote the text of the key"
                _refuse(reading, "syntax", "a key must be a word, not a list or a mapping", event, hint)
                return
            _take_key(frame, event, value, from_alias=kind is ev.AliasEvent)
            continue
        else:
            key, frame.key = frame.key, _NO_KEY
            if key is _MERGE:
                if not _merge(frame, value, source, reading, start, end):
                    return
                continue
            path = (*frame.path, key)
            if key in frame.key_spans:
                reading.problems.append(
                    ReadingProblem(
                        "duplicate-key",
                        f"the key {key!r} is written twice; the last one silently wins",
                        frame.key_span or Span(),
                        "remove one of the two",
                        frame.key_spans[key],
                    )
                )
            if frame.key_span is not None:
                frame.key_spans[key] = frame.key_span
            frame.value[key] = value
            if positions is not None and frame.key_span is not None:
                positions.keys[path] = frame.key_span
        if positions is not None:
            positions.values[path] = _span(start, end)
            if source is not None:
                positions.aliases[path] = source


def _take_key(frame: _Frame, event: Any, value: Any, *, from_alias: bool) -> None:
    span = _span(event.start_mark, event.end_mark)
    if from_alias:
        frame.key = value if isinstance(value, str) else str(value)
    elif event.value == "<<" and event.implicit[0]:
        frame.key = _MERGE
    else:
        frame.key = event.value
    frame.key_span = span


def _merge(frame: _Frame, value: Any, source: Path | None, reading: Reading, start: Any, end: Any) -> bool:
    mappings = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in mappings):
        reading.problems.append(
            ReadingProblem("syntax", "'<<' merges mappings only", _span(start, end), "name an anchor of a mapping")
        )
        reading.broken = True
        return False
    key_span = frame.key_span or Span()
    if frame.merges:
        reading.problems.append(
            ReadingProblem(
                "duplicate-key",
                "the key '<<' is written twice; which of the two wins differs between versions of PyYAML",
                key_span,
                "merge both with one list, the stronger first: '<<: [*one, *other]'",
                frame.key_spans[_MERGE],
            )
        )
    frame.key_spans.setdefault(_MERGE, key_span)
    frame.merges += mappings
    if reading.positions is not None:
        place = (*frame.path, "<<") if source is None else source
        sources = (place, len(mappings) if isinstance(value, list) else None)
        reading.positions.values.setdefault((*frame.path, "<<"), _span(start, end))
        reading.positions.merges.setdefault(frame.path, []).append(sources)
    return True


def _child_path(stack: list[_Frame]) -> Path:
    if not stack:
        return ()
    frame = stack[-1]
    if frame.is_map:
        return (*frame.path, frame.key if isinstance(frame.key, str) else "<<")
    return (*frame.path, len(frame.value))


def _span(start: Any, end: Any) -> Span:
    return Span(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _refuse(reading: Reading, rule: str, message: str, event: Any, hint: str) -> None:
    reading.problems.append(ReadingProblem(rule, message, _span(event.start_mark, event.end_mark), hint))
    reading.broken = True


def _scalar(event: Any, reading: Reading) -> Any:
    text: str = event.value
    tag = event.tag if event.tag != "!" else None
    if not tag and not event.implicit[0]:
        return text
    try:
        value = construct(tag, text) if tag else plain_value(text)
    except Unfit as error:
        import yaml

        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=event.start_mark) from error
    if not tag and not isinstance(value, str) and YAML_1_1_ONLY.match(text):
        reading.ambiguous.append((text, _span(event.start_mark, event.end_mark)))
    return value
