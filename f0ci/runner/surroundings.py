"""What a whole process has once (working folder, environment, module path, streams), lent to one run at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

from f0ci.core.errors import CannotWork
from f0ci.runner.modules import importing_from
from f0ci.runner.output import streams_by_thread

_one_at_a_time = threading.Lock()


@contextlib.contextmanager
def surroundings(root: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Give scriptlets what they expect of their process, and everything back at the end.

    They start in the tree's root, as they do under Framework0's own runner, and so do the programs they start; both see
    the environment given here and no other.

    Args:
        root: the tree's root.
        environ: the whole environment of the run.

    Raises:
        CannotWork: another run is active in this process, or the root cannot be entered.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise CannotWork(
            "another run is active in this process",
            "run recipes one after another, or each in a process of its own",
        )
    try:
        with _in_folder(root), _with_environment(environ), importing_from(root), streams_by_thread():
            yield
    finally:
        _one_at_a_time.release()


@contextlib.contextmanager
def _in_folder(root: Path) -> Iterator[None]:
    try:
        before = Path.cwd()
        os.chdir(root)
    except OSError as error:
        raise CannotWork(
            f"cannot enter {str(root)!r}: {error.strerror}", "check the folder and its permissions"
        ) from error
    try:
        yield
    finally:
        os.chdir(before)


@contextlib.contextmanager
def _with_environment(environ: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    _become(environ)
    try:
        yield
    finally:
        _become(before)


def _become(environ: Mapping[str, str]) -> None:
    for name in set(os.environ) - set(environ):
        del os.environ[name]
    os.environ.update(environ)
