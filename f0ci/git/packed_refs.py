"""Adding many refs at once to `packed-refs`, the file in which Git keeps refs that rarely change.

`git fetch` makes a file for each ref that is new, and `git pack-refs` takes each away again: for thousands of releases
that takes longer than all that is read of them. Only what has the form that Git gives the file today is added to, under
Git's own lock; everything else is left to Git.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
_TRAITS = frozenset({b"peeled", b"fully-peeled", b"sorted"})
_ENTRY = re.compile(rb"((?:[0-9a-f]{64}|[0-9a-f]{40}) (\S+)\n(?:\^(?:[0-9a-f]{64}|[0-9a-f]{40})\n)?)")
# narrower than what Git allows: one line that Git cannot read would spoil all refs of the user's clone
_NAME = re.compile(r"refs(?:/[0-9A-Za-z][0-9A-Za-z_+-]*)+")
_ID = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")
_ASIDE = "packed-refs.f0ci-"
# no process takes that long to write a file
_OLD_SECONDS = 3_600
# where it is kept, its id, and what it means in the end
Tag = tuple[str, str, str]


def addable(refs: Mapping[str, tuple[str, str, str | None]]) -> dict[str, Tag]:
    """Return the annotated tags among refs that can be written as they are; pure.

    Args:
        refs: for each, where it is kept, its id, and what it means in the end, None where it is no annotated tag.
    """
    return {
        ref: (kept, oid, meant)
        for ref, (kept, oid, meant) in refs.items()
        if meant is not None and _NAME.fullmatch(kept) and _ID.fullmatch(oid) and _ID.fullmatch(meant)
    }


def with_added(content: bytes, tags: Iterable[Tag]) -> bytes | None:
    """Return the file with more tags, or None where its form is not the one that Git gives it today; pure.

    Args:
        content: what is there, empty where there is no file.
        tags: those to add, which are `addable`.
    """
    head, _, rest = content.partition(b"\n")
    if content:
        name, _, traits = head.partition(b":")
        if name != b"# pack-refs with" or frozenset(traits.split()) != _TRAITS:
            return None
    known = {match[2]: match[1] for match in _ENTRY.finditer(rest)}
    if sum(map(len, known.values())) != len(rest):
        return None
    for kept, oid, meant in tags:
        known[kept.encode("ascii")] = f"{oid} {kept}\n^{meant}\n".encode("ascii")
    return _HEADER + b"".join(known[ref] for ref in sorted(known))


def add_tags(common_dir: Path, tags: Iterable[Tag]) -> bool:
    """Add tags to a repository whose objects are there; return False where that is left to Git, and nothing was done.

    Args:
        common_dir: Git's own folder, which linked work trees share.
        tags: those to add, which are `addable` and new.
    """
    target, lock = common_dir / "packed-refs", common_dir / "packed-refs.lock"
    if (common_dir / "reftable").exists() or target.is_symlink():
        return False
    aside = common_dir / f"{_ASIDE}{os.getpid()}"
    try:
        before = _version(target)
        content = with_added(target.read_bytes() if before else b"", tags)
        if content is None:
            return False
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if before:
            aside.chmod(target.stat().st_mode)
        # held for a moment only: a process that is killed while it holds it keeps everybody out
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            if _version(target) != before:
                return False
            aside.replace(target)
        finally:
            lock.unlink()
    except OSError:
        # somebody packs refs just now, or nobody may write here
        return False
    finally:
        aside.unlink(missing_ok=True)
    _forget_asides(common_dir)
    return True


def _forget_asides(common_dir: Path) -> None:
    """Take away what processes that were killed left."""
    for file in common_dir.glob(f"{_ASIDE}*"):
        with contextlib.suppress(OSError):
            if time.time() - file.stat().st_mtime > _OLD_SECONDS:
                file.unlink()


def _version(file: Path) -> tuple[int, int, int] | None:
    """Return what tells one content of a file from another, None where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
