"""What Git ignores."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.git.checkout import checkout_of

if TYPE_CHECKING:
    import subprocess

_SECONDS = 20


def ignored_below(folder: Path) -> tuple[str, ...]:
    """Return the untracked files and folders that Git ignores, relative to a folder, folders without their content.

    The answer is empty outside of a repository, without a git executable, and in a folder that is itself ignored:
    whoever works there wants it looked at.
    """
    answer = _ask(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory")
    if answer is None or answer.returncode != 0:
        return ()
    paths = [os.fsdecode(raw).rstrip("/") for raw in answer.stdout.split(b"\0") if raw]
    return () if {".", ""} & set(paths) else tuple(paths)


def is_ignored(folder: Path, path: str) -> bool:
    """Tell whether Git ignores a path, which need not exist.

    Outside of a repository, and without a git executable, nothing is ignored.

    Args:
        folder: a folder of the work tree.
        path: the path, from there.
    """
    answer = _ask(folder, "check-ignore", "--quiet", "--", path)
    return answer is not None and answer.returncode == 0


def _ask(folder: Path, *args: str) -> subprocess.CompletedProcess[bytes] | None:
    """Return what git answers in a folder, or None where there is no repository or no answer."""
    if checkout_of(folder) is None:
        return None
    import subprocess

    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # what Git is configured with still counts, and reading must not write the index
    kept = {name: value for name, value in os.environ.items() if name.startswith("GIT_CONFIG")}
    try:
        return subprocess.run(
            ["git", *args],
            cwd=folder,
            env={**environ, **kept, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
