"""Workspaces held in memory, and the environment configurations that several tests start from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from f0ci.environments.loading import load_environment
from f0ci.environments.model import Environment
from f0ci.source.project import load_project
from f0ci.source.tree import MemoryTree

DEV: dict[str, Any] = {
    "environment": {
        "name": "development",
        "type": "dev",
        "debug_enabled": True,
        "performance_monitoring": False,
        "error_notifications": False,
    },
    "processing": {"parallel_workers": 2, "batch_size": 100},
    "output": {"base_directory": "out/dev", "formats": ["json", "console"], "compression": False},
}
PROD: dict[str, Any] = {
    "environment": {
        "name": "production",
        "type": "prod",
        "debug_enabled": False,
        "performance_monitoring": True,
        "error_notifications": True,
    },
    "processing": {"parallel_workers": 8, "batch_size": 1000},
    "output": {"base_directory": "/var/out", "formats": ["json", "csv"], "compression": True},
}


def workspace(files: Mapping[str, Any]) -> MemoryTree:
    """Return a tree; text is written as it is, anything else as JSON."""
    return MemoryTree(
        {path: (data if isinstance(data, str) else json.dumps(data, indent=2)).encode() for path, data in files.items()}
    )


def load(files: Mapping[str, Any], name: str, sets: Sequence[str] = ()) -> Environment:
    """Return an environment of a workspace."""
    tree = workspace(files)
    return load_environment(tree, load_project(tree), name, sets)
