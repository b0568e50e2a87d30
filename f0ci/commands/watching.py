"""Waiting for files of a repository to change."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from f0ci.core.errors import CannotWork

# programs write a file in several steps; changes that are closer to each other are one
_TOGETHER_MS = 200
_STEP_MS = 50
_SUFFIXES = (".yaml", ".yml", ".json", ".py")
_OWN_FOLDER = ".f0ci"


class Watch:
    """A repository whose changes are waited for: from the beginning, so that none is lost while files are read.

    The system tells of changes; nothing is asked again and again.

    Args:
        root: the repository's root.
        written: a file that the report itself goes to, or None.

    Raises:
        CannotWork: the package that watches is not installed.
    """

    def __init__(self, root: Path, written: Path | None = None) -> None:
        self.root = root.resolve()
        self.written = None if written is None else written.resolve()
        try:
            from watchfiles._rust_notify import RustNotify
        except ImportError as error:
            hint = "install it with: pip install 'f0ci[watch]'"
            raise CannotWork("--watch needs the package 'watchfiles'", hint) from error
        # paths, debug, polling rather than events, its delay, into folders, passing over what may not be read
        self._notify: Any = RustNotify([str(self.root)], False, False, 0, True, True)

    def __enter__(self) -> Self:
        """Return the watch."""
        self._notify.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self._notify.__exit__(kind, error, trace)

    def wait(self) -> tuple[str, ...]:
        """Wait until something changes that may change a report, and return its paths, relative to the root.

        Raises:
            KeyboardInterrupt: somebody pressed Ctrl-C.
        """
        while True:
            changes = self._notify.watch(_TOGETHER_MS, _STEP_MS, 0, None)
            if changes == "signal":
                raise KeyboardInterrupt
            paths = sorted({path for _, path in changes} if isinstance(changes, set) else ())
            found = tuple(path for one in paths if (path := self._relevant(Path(one))) is not None)
            if found:
                return found

    def _relevant(self, path: Path) -> str | None:
        """Return a path as messages say it, or None where no report depends on it."""
        if not path.is_relative_to(self.root) or path == self.written:
            return None
        inside = path.relative_to(self.root)
        # the approver file lies in a hidden folder, beside much that f0ci writes itself
        is_own = inside.parts[:1] == (_OWN_FOLDER,) and len(inside.parts) == 2 and path.suffix in _SUFFIXES[:2]
        is_hidden = any(part.startswith(".") for part in inside.parts) and not is_own
        # without a suffix it is a folder that came, went or was renamed
        if is_hidden or path.suffix not in {"", *_SUFFIXES} or "__pycache__" in inside.parts:
            return None
        return inside.as_posix()
