"""A file that was read: its data, and where each part of it stands."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import field
from operator import itemgetter
from typing import Any

from f0ci.core.diagnostics import Diagnostic, Location, Related, Severity, Span
from f0ci.core.errors import InputError
from f0ci.core.values import dataclass
from f0ci.source.json import read_json
from f0ci.source.reading import Path, Positions, Reading, ReadingProblem
from f0ci.source.tree import Tree
from f0ci.source.yaml import read_yaml

MAX_BYTES = 20_000_000
# keys and values of which a file has as many as it likes; more take no less than these bytes each where somebody wrote
# them, while a megabyte of `{a},` or `1,` would be half a million, and each may take a thousand bytes of memory
MANY_VALUES = 100_000
_LEAST_BYTES = 4

# problems that make data useless are errors in any case; these alone leave it usable
_USABLE = {"duplicate-key": Severity.ERROR}


@dataclass(slots=True)
class Document:
    """A positioned document.

    Attributes:
        path: relative to the workspace, with forward slashes.
        raw: the file's bytes.
        data: what it says; None where it is broken.
        broken: True where data must not be used.
        problems: what is wrong with the text itself.
        ambiguous: plain scalars that YAML 1.2 reads otherwise, with their spans.
        braces: texts with the delimiter of an expression and their paths, in written order; None where nobody looked.
    """

    path: str
    raw: bytes
    data: Any
    broken: bool
    problems: tuple[ReadingProblem, ...] = ()
    ambiguous: tuple[tuple[str, Span], ...] = ()
    braces: tuple[tuple[Path, str], ...] | None = None
    _positions: Positions | None = field(default=None, repr=False)
    _doubled: frozenset[Span] | None = field(default=None, repr=False)
    _texts: list[tuple[tuple[int, int], tuple[int, int]]] | None = field(default=None, repr=False)

    def span(self, path: Path, *, key: bool = False) -> Span:
        """Return where a part of the document stands.

        Args:
            path: keys and indexes from the root; where the part is missing, its nearest existing parent answers.
            key: the mapping key rather than its value.
        """
        positions = self._read_positions()
        at: Path = tuple(path)
        while True:
            found = _find(positions, at, key=key)
            if found is not None:
                return found
            if not at:
                return Span()
            # the place of what is missing is the key of the mapping it is missing from
            at, key = at[:-1], len(at) > 1 and isinstance(at[-2], str)

    def location(self, path: Path, *, key: bool = False) -> Location:
        """Return where a part of the document stands, with the file's path."""
        return Location(self.path, self.span(path, key=key))

    def get(self, path: Iterable[str | int], default: Any = None) -> Any:
        """Return the value at a path, or a default where there is none."""
        value = self.data
        for part in path:
            try:
                value = value[part]
            except (KeyError, IndexError, TypeError):
                return default
        return value

    def key_spans(self) -> frozenset[Span]:
        """Return the span of every mapping's key."""
        return frozenset(self._read_positions().keys.values())

    def paths_by_span(self) -> dict[Span, Path]:
        """Return the path of every value, by its span."""
        return {span: path for path, span in self._read_positions().values.items()}

    @property
    def doubled(self) -> frozenset[Span]:
        """The spans of keys that their mappings have twice, both of them."""
        if self._doubled is None:
            twice = [problem for problem in self.problems if problem.rule == "duplicate-key"]
            spans = (span for problem in twice for span in (problem.span, problem.first) if span is not None)
            self._doubled = frozenset(spans)
        return self._doubled

    def inside_value(self, line: int, column: int) -> bool:
        """Tell whether a place lies inside a key or a scalar: what looks like a comment there is text."""
        if self.broken:
            return False
        if self._texts is None:
            positions = self._read_positions()
            scalars = (span for path, span in positions.values.items() if not isinstance(self.get(path), dict | list))
            # keys and scalars never overlap
            self._texts = sorted(
                ((span.line, span.column), (span.end_line, span.end_column))
                for span in (*positions.keys.values(), *scalars)
            )
        place = (line, column)
        before = bisect_right(self._texts, place, key=itemgetter(0))
        return before > 0 and place < self._texts[before - 1][1]

    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return what is wrong with the text itself."""
        return tuple(
            Diagnostic(
                rule=problem.rule,
                severity=_USABLE.get(problem.rule, Severity.ERROR),
                message=problem.message,
                location=Location(self.path, problem.span),
                hint=problem.hint,
                related=(Related(Location(self.path, problem.first), problem.says),) if problem.first else (),
            )
            for problem in self.problems
        )

    def require(self) -> Any:
        """Return the data.

        Raises:
            InputError: the document cannot be used; carries the place of its first problem.
        """
        if self.broken:
            problem = self.problems[0]
            place = f"{self.path}:{problem.span.line}:{problem.span.column}"
            raise InputError(problem.message, problem.hint, place=place)
        return self.data

    def _read_positions(self) -> Positions:
        if self._positions is None:
            self._positions = _read(self.path, self.raw, positions=True).positions or Positions()
        return self._positions


def _find(positions: Positions, path: Path, *, key: bool) -> Span | None:
    table = positions.keys if key else positions.values
    waiting, seen = [path], {path}
    while waiting:
        path = waiting.pop()
        if path in table:
            return table[path]
        for cut in range(len(path) - 1, -1, -1):
            head, tail = path[:cut], path[cut:]
            sources = [positions.aliases[head]] if head in positions.aliases else list(_merged(positions, head))
            if sources:
                # the strongest is looked at first; each place once, because merges may meet again further up
                others = [(*source, *tail) for source in reversed(sources)]
                waiting += [other for other in others if other not in seen]
                seen.update(others)
                break
    return None


def _merged(positions: Positions, path: Path) -> Iterator[Path]:
    for place, count in positions.merges.get(path, ()):
        if count is None:
            yield place
        else:
            yield from ((*place, index) for index in range(count))


def parse_document(path: str, raw: bytes) -> Document:
    """Return a document from a file's bytes; the suffix `.json` means JSON, anything else YAML."""
    if len(raw) > MAX_BYTES:
        problem = ReadingProblem(
            "too-large", f"{len(raw):,} bytes; at most {MAX_BYTES:,} are read", Span(), "split the file"
        )
        return Document(path, raw[:1], None, broken=True, problems=(problem,))
    reading = _read(path, raw, positions=False)
    if reading.data is None and _says_nothing(raw):
        reading.broken = True
        # JSON calls an empty text a mistake
        reading.problems.clear()
        reading.problems.append(
            ReadingProblem("empty", "the file is empty", Span(), "write the document, or remove the file")
        )
    if len(raw) > MANY_VALUES and not reading.broken and _is_dense(reading.data, len(raw)):
        message = f"more than {MANY_VALUES:,} values, and next to nothing else"
        problem = ReadingProblem("too-large", message, Span(), "move the data into a file of its own")
        return Document(path, raw[:1], None, broken=True, problems=(problem,))
    return Document(
        path,
        raw,
        reading.data,
        broken=reading.broken,
        problems=tuple(reading.problems),
        ambiguous=tuple(reading.ambiguous),
        braces=reading.braces,
        _positions=reading.positions,
    )


def _is_dense(data: Any, size: int) -> bool:
    """Tell whether a text of so many bytes says more than anybody writes in them; what it says again counts once."""
    most = max(MANY_VALUES, size // _LEAST_BYTES)
    count, seen = 0, set()
    waiting = [data] if type(data) in (dict, list) else []
    while waiting and count <= most:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        is_mapping = type(value) is dict
        members = value.values() if is_mapping else value
        count += len(value) * (2 if is_mapping else 1)
        waiting += [member for member in members if type(member) in (dict, list) and member]
    return count > most


def unread_document(path: str, error: InputError) -> Document:
    """Return what stands for a file that the disk does not hand over."""
    hint = error.hint or "give the account that runs f0ci the right to read it"
    problem = ReadingProblem("unreadable", error.message, Span(), hint)
    return Document(path, b"", None, broken=True, problems=(problem,))


def _says_nothing(raw: bytes) -> bool:
    lines = raw.decode("utf-8-sig", "replace").splitlines()
    return all(not line.strip() or line.lstrip().startswith("#") for line in lines)


def read_document(tree: Tree, path: str) -> Document:
    """Read a document from a tree.

    Raises:
        InputError: there is no such file, or it cannot be read.
    """
    return parse_document(path, tree.read(path))


def _read(path: str, raw: bytes, *, positions: bool) -> Reading:
    return (read_json if path.endswith(".json") else read_yaml)(raw, positions=positions)
