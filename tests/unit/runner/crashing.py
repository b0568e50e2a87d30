"""A process that runs recipes of a repository until it is killed: `python crashing.py ROOT JOURNAL RUN...`."""

from __future__ import annotations

import sys
from pathlib import Path

from f0ci.core.errors import Refused
from f0ci.runner.engine import EmbeddedEngine, Order
from f0ci.runner.frozen import freeze
from f0ci.runner.journal import Journal
from f0ci.runner.options import RunOptions
from f0ci.source.project import Project


def main(root: Path, file: Path, runs: list[str]) -> None:
    """Start or take on each run; one that another process has is left to it."""
    plan = freeze(root, Project(), "recipes/crash.yaml", None)
    with Journal(file) as journal:
        engine = EmbeddedEngine(journal)
        with engine.at_home(root):
            for run in runs:
                try:
                    engine.run(Order(plan, options=RunOptions(run=run)))
                except Refused:
                    continue


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
