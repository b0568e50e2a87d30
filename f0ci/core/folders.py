"""Which folders of a repository hold source, the same for a work tree and for a commit."""

from __future__ import annotations

# folders that hold no source of the project, whatever their content
_SKIPPED = frozenset({"node_modules", "__pycache__", "venv", "site-packages"})
_SHOWN = frozenset({".f0ci", ".github"})


def holds_source(name: str) -> bool:
    """Tell whether a folder of this name is looked into: hidden folders and installed packages are not."""
    return name in _SHOWN or not (name.startswith(".") or name in _SKIPPED)
