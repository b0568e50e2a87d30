"""What Git ignores below a folder."""

from __future__ import annotations

import os
from pathlib import Path

_SECONDS = 20


def ignored_below(folder: Path) -> tuple[str, ...]:
    """Return the untracked files and folders that Git ignores, relative to a folder, folders without their content.

    The answer is empty outside of a repository, without a git executable, and in a folder that is itself ignored:
    whoever works there wants it looked at.
    """
    if not any((parent / ".git").exists() for parent in (folder, *folder.parents)):
        return ()
    import subprocess

    command = ["git", "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # what Git is configured with still counts, and reading must not write the index
    kept = {name: value for name, value in os.environ.items() if name.startswith("GIT_CONFIG")}
    try:
        answer = subprocess.run(
            command,
            cwd=folder,
            env={**environ, **kept, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    if answer.returncode != 0:
        return ()
    paths = [os.fsdecode(raw).rstrip("/") for raw in answer.stdout.split(b"\0") if raw]
    return () if {".", ""} & set(paths) else tuple(paths)
