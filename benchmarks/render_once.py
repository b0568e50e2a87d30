"""One rendering of all environments of a workspace in this process; prints what it cost, without starting Python.

python benchmarks/render_once.py f0ci|plain WORKSPACE OUTPUT
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Render and print seconds as JSON."""
    program, root, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    work = {"f0ci": _f0ci, "plain": _plain}[program](root, output)
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))  # noqa: T201


def _f0ci(root: Path, output: Path) -> Callable[[], object]:
    from f0ci.commands.rendering_many import environment_names, render_into

    return lambda: render_into(root, {name: output / name for name in environment_names(root)}, output)


def _plain(root: Path, output: Path) -> Callable[[], object]:
    from benchmarks.plain_jinja import render_all

    return lambda: render_all(root, output)


if __name__ == "__main__":
    main()
