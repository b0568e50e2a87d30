"""Mending what `validate` finds, where a finding says how, as a function for people who embed f0ci."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from f0ci.commands.validating import Validation, validate
from f0ci.core.files import write_atomically
from f0ci.lint.fixing import apply_fixes
from f0ci.source.document import parse_document

# after so many fixes of one file what is left is told, and mended by the next call: reading it again ten times would
# take ten times as long
_MANY = 2_000
# a mended text may show what was hidden before; rules whose fixes undo each other would go on for ever
_MOST_ROUNDS = 10


@dataclass(frozen=True, slots=True)
class Change:
    """One file before and after.

    Attributes:
        path: relative to the root, with forward slashes.
        before: its bytes.
        after: its bytes with every fix applied.
        fixes: how many were applied.
    """

    path: str
    before: bytes
    after: bytes
    fixes: int

    def as_diff(self) -> str:
        """Return the change as a unified diff."""
        before, after = (
            text.decode("utf-8", "replace").splitlines(keepends=True) for text in (self.before, self.after)
        )
        if before == after:
            return ""
        lines = (f"--- a/{self.path}\n", f"+++ b/{self.path}\n", *_unified(before, after))
        # a last line without an end would run into the next one
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _unified(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """Yield the hunks of a unified diff of two texts of which one came of the other by mending.

    Mending changes lines and takes lines away. `difflib`, which looks for whatever two texts share, takes the square of
    their length where thousands of lines differ.
    """
    matcher: difflib.SequenceMatcher[str] = difflib.SequenceMatcher()
    # what it would find itself; grouping is all that is asked of it
    matcher.opcodes = list(_steps(before, after))  # type: ignore[attr-defined] # where it keeps them
    for group in matcher.get_grouped_opcodes():
        (_, old, _, new, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        yield f"@@ -{_range(old, old_end)} +{_range(new, new_end)} @@\n"
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                yield from (f" {line}" for line in before[i:i_end])
            else:
                yield from (f"-{line}" for line in before[i:i_end])
                yield from (f"+{line}" for line in after[j:j_end])


def _steps(before: Sequence[str], after: Sequence[str]) -> Iterator[tuple[str, int, int, int, int]]:
    """Yield what makes one text of the other, as `difflib` words it: `equal`, `delete`, `replace` and `insert`."""
    i = j = 0
    while i < len(before) and j < len(after):
        old, new = i, j
        while i < len(before) and j < len(after) and before[i] == after[j]:
            i, j = i + 1, j + 1
        if i > old:
            yield ("equal", old, i, new, j)
            old, new = i, j
        while i < len(before) and j < len(after) and before[i] != after[j]:
            is_gone = len(before) - i > len(after) - j and i + 1 < len(before) and before[i + 1] == after[j]
            i, j = i + 1, j + (not is_gone)
        if i > old:
            yield ("delete" if j == new else "replace", old, i, new, j)
    if i < len(before) or j < len(after):
        tag = "insert" if i == len(before) else "delete" if j == len(after) else "replace"
        yield (tag, i, len(before), j, len(after))


def _range(start: int, end: int) -> str:
    """Return lines as a unified diff names them: the first, counted from one, and how many."""
    size = end - start
    return f"{start + 1}" if size == 1 else f"{start + (size > 0)},{size}"


@dataclass(frozen=True, slots=True)
class Mending:
    """What mending would do, and did once `write` was called.

    Attributes:
        root: the repository's root.
        changes: files that differ, by path.
        left: what validating finds in the mended files.
    """

    root: Path
    changes: tuple[Change, ...]
    left: Validation

    @property
    def fixes(self) -> int:
        """How many findings are mended."""
        return sum(change.fixes for change in self.changes)

    def as_diff(self) -> str:
        """Return all changes as one unified diff; empty where there are none."""
        return "".join(change.as_diff() for change in self.changes)

    def write(self) -> None:
        """Write the mended files, each in one piece, with the permissions they had.

        Raises:
            CannotWork: a file cannot be written.
        """
        for change in self.changes:
            # a link stays one
            path = (self.root / change.path).resolve()
            write_atomically(path, change.after, mode=path.stat().st_mode & 0o7777)


def mend(
    root: Path,
    paths: Sequence[Path] = (),
    *,
    strict: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    edited: Mapping[Path, bytes] | None = None,
    jobs: int | None = 1,
) -> Mending:
    """Return what becomes of a repository's files when every finding that says how is mended; nothing is written.

    Findings that a comment, the settings or `ignore` silence are left alone.

    Args:
        root: the repository's root.
        paths: what to mend, as for `validate`.
        strict: as for `validate`.
        select: names of rules or groups whose findings are mended, in place of those of the settings.
        ignore: names of rules or groups whose findings are left alone.
        edited: texts that stand for files.
        jobs: processes that share the files.

    Raises:
        InputError: as for `validate`.
        UsageError: there is no such rule.
    """
    texts = dict(edited or {})
    # a text may be given under a path that is written otherwise
    given = {path.absolute(): path for path in texts}
    first: dict[str, bytes] = {}
    counts: dict[str, int] = {}
    for left in reversed(range(_MOST_ROUNDS)):
        found = validate(root, paths, strict=strict, select=select, ignore=ignore, edited=texts, jobs=jobs)
        mended = _mended(found)
        if not mended or not left:
            break
        # the next one is as large
        del found
        for path, (before, after, count) in mended.items():
            first.setdefault(path, before)
            counts[path] = counts.get(path, 0) + count
            own = root / path
            texts[given.setdefault(own.absolute(), own)] = after
        if any(count >= _MANY for _, _, count in mended.values()):
            found = validate(root, paths, strict=strict, select=select, ignore=ignore, edited=texts, jobs=jobs)
            break
    changes = tuple(
        Change(path, first[path], texts[given[(root / path).absolute()]], counts[path]) for path in sorted(first)
    )
    return Mending(root, tuple(change for change in changes if change.before != change.after), found)


def _mended(found: Validation) -> dict[str, tuple[bytes, bytes, int]]:
    by_path: dict[str, list[int]] = {}
    for index, diagnostic in enumerate(found.diagnostics):
        if diagnostic.fix is not None:
            by_path.setdefault(diagnostic.location.path, []).append(index)
    mended = {}
    for path, indexes in by_path.items():
        before = found.sources(path)
        if before is None:
            continue
        fixes = [fix for index in indexes if (fix := found.diagnostics[index].fix) is not None]
        after = apply_fixes(path, before, fixes)
        # whatever a rule thinks, a text that can be read stays one
        breaks = parse_document(path, after).broken and not parse_document(path, before).broken
        if after != before and not breaks:
            mended[path] = (before, after, len(indexes))
    return mended
