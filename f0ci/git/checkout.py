"""Where a checkout begins, told without asking git."""

from __future__ import annotations

from pathlib import Path


def checkout_of(folder: Path) -> Path | None:
    """Return the nearest folder from one up that holds `.git`, a folder or a work tree's file; None where none does."""
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), None)
