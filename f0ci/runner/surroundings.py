"""What a whole process has once (working folder, environment, module path, streams), lent to one run at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from f0ci.core.errors import CannotWork
from f0ci.core.processes import reduced_environment
from f0ci.runner.modules import importing_from
from f0ci.runner.output import streams_by_thread

_one_at_a_time = threading.Lock()


class Surroundings:
    """What scriptlets expect of their process, given back at the end.

    They start in the tree's root, as they do under Framework0's own runner, and so do the programs they start; both see
    the environment of their run and no other. Several runs of one tree may follow each other in the same surroundings:
    what one imported, or changed in the process, the next finds.

    Attributes:
        root: the tree's root.
        outside: the process's environment as it was before.
        reduced: the same without credentials of Git and CI.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.outside: Mapping[str, str] = {}
        self.reduced: Mapping[str, str] = {}
        self._now: Mapping[str, str] = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Take the process.

        Raises:
            CannotWork: another run is active in this process, or the root cannot be entered.
        """
        if not _one_at_a_time.acquire(blocking=False):
            raise CannotWork(
                "another run is active in this process, whose working folder, environment and modules are its own",
                "run recipes one after another, or each in a process of its own",
            )
        with contextlib.ExitStack() as stack:
            stack.callback(_one_at_a_time.release)
            stack.enter_context(_in_folder(self.root))
            self.outside = self._now = dict(os.environ)
            self.reduced = reduced_environment(self.outside)
            stack.callback(_become, self.outside)
            stack.enter_context(importing_from(self.root))
            stack.enter_context(streams_by_thread())
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def take_on(self, environ: Mapping[str, str]) -> None:
        """Have steps see this environment and no other."""
        # asking the process for all of its variables costs more than a small step
        for name in self._now.keys() - environ.keys():
            os.environ.pop(name, None)
        for name, value in environ.items():
            if self._now.get(name) != value:
                os.environ[name] = value
        self._now = dict(environ)


@contextlib.contextmanager
def surroundings(root: Path, environ: Mapping[str, str]) -> Iterator[None]:
    """Give scriptlets what they expect of their process, and everything back at the end.

    Args:
        root: the tree's root.
        environ: the whole environment of the run.

    Raises:
        CannotWork: another run is active in this process, or the root cannot be entered.
    """
    with Surroundings(root) as own:
        own.take_on(environ)
        yield


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


def _become(environ: Mapping[str, str]) -> None:
    """Make the process's environment this one, whatever steps made of it."""
    now = dict(os.environ)
    for name in now.keys() - environ.keys():
        del os.environ[name]
    for name, value in environ.items():
        if now.get(name) != value:
            os.environ[name] = value
