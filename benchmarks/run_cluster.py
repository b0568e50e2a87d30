"""Runs on PostgreSQL, measured: `run_cluster.py WHAT COUNT` starts a server of its own and prints JSON.

| WHAT | measured |
|---|---|
| `dbos` | recipes a second as DBOS workflows of six steps, taken from a queue by one process |
| `f0ci` | the same recipes, taken from a queue by one `f0ci worker` |
| `one`, `two` | runs of a step that waits 0.5 s, with one worker of four slots, or two |
| `waiting` | memory of a worker once so many runs wait for an approval |

The server keeps what it confirms (`fsync`). A figure counts only where every step is recorded exactly once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.run_engines import AFTER, ASK, SCRIPTLET, dbos_recipe, write
from tests.postgres import Server

# runs at the same time: of recipes, for both engines, and of steps that wait
RECIPES, SLEEPERS = 8, 4
# seconds between two looks at the queue, for both
POLLING = 0.05
SECONDS = 0.5
SLEEP = f"  - {{name: a, type: python, module: scriptlets.sleeping, function: sleep, args: {{seconds: {SECONDS}}}}}\n"
SLEEPING = "import time\n\ndef sleep(seconds):\n    time.sleep(seconds)\n"


def dbos(server: Server, count: int) -> dict[str, float]:
    """Run recipes with DBOS as its documentation shows it: a workflow of six steps, and a queue."""
    from dbos import DBOS

    database = server.new_database()
    DBOS(
        config={
            "name": "bench",
            "system_database_url": server.url(database),
            "log_level": "ERROR",
            "application_version": "1",
            "max_executor_threads": 2 * RECIPES,
        }
    )

    recipe = dbos_recipe()
    DBOS.launch()
    queue = DBOS.register_queue("recipes", worker_concurrency=RECIPES, polling_interval_sec=POLLING)
    queue.enqueue(recipe).get_result()
    begun = time.perf_counter()
    handles = [queue.enqueue(recipe) for _ in range(count)]
    for handle in handles:
        handle.get_result(polling_interval_sec=0.05)
    seconds = time.perf_counter() - begun
    DBOS.destroy()
    steps = server.query(
        database, "SELECT count(*), count(DISTINCT (workflow_uuid, function_id)) FROM dbos.operation_outputs"
    )
    if steps != [((count + 1) * len(AFTER),) * 2]:
        sys.exit(f"{steps} records of {count} recipes")
    return {"seconds": seconds}


def f0ci(server: Server, count: int) -> dict[str, float]:
    """Run recipes with one worker."""
    steps = "".join(
        f"  - {{name: {name}, type: python, module: scriptlets.trivial, function: step, args: {{x: 1}},"
        f" depends_on: [{', '.join(after)}]}}\n"
        for name, after in AFTER.items()
    )
    return _with_workers(server, (1, RECIPES), count, {"scriptlets/trivial.py": SCRIPTLET}, steps, len(AFTER))


def one(server: Server, count: int) -> dict[str, float]:
    """Run steps that wait with one worker."""
    return _with_workers(server, (1, SLEEPERS), count, {"scriptlets/sleeping.py": SLEEPING}, SLEEP, 1)


def two(server: Server, count: int) -> dict[str, float]:
    """Run steps that wait with two workers."""
    return _with_workers(server, (2, SLEEPERS), count, {"scriptlets/sleeping.py": SLEEPING}, SLEEP, 1)


def _with_workers(
    server: Server, fleet: tuple[int, int], count: int, files: dict[str, str], steps: str, each: int
) -> dict[str, float]:
    database, (workers, slots) = server.new_database(), fleet
    warm = 4 * slots * workers
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, {**files, "recipes/one.yaml": f"metadata: {{name: one}}\nsteps:\n{steps}"})
        write(root, {"f0ci.yaml": f"engine: {{queues: {{default: {{per_worker: {slots}}}}}}}\n"})
        started = [_worker(server.url(database), root) for _ in range(workers)]
        try:
            # every process is there, and has imported what it needs
            _hand_over(server.url(database), root, warm, "recipes/one.yaml", "ended")
            begun = time.perf_counter()
            _hand_over(server.url(database), root, count, "recipes/one.yaml", "ended")
            seconds = time.perf_counter() - begun
        finally:
            for process in started:
                process.send_signal(signal.SIGTERM)
            for process in started:
                process.wait(60)
    total = (count + warm) * each
    found = server.query(database, "SELECT count(*) FROM f0ci.steps WHERE outcome = 'passed'")
    if found != [(total,)]:
        sys.exit(f"{found} records of {total} steps")
    return {"seconds": seconds}


def waiting(server: Server, count: int) -> dict[str, float]:
    """Have runs wait for an approval, and tell what the worker and its processes hold then."""
    database = server.new_database()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write(root, {"recipes/ask.yaml": ASK})
        process = _worker(server.url(database), root)
        try:
            begun = time.perf_counter()
            _hand_over(server.url(database), root, count, "recipes/ask.yaml", "waiting")
            seconds = time.perf_counter() - begun
            pids = [process.pid, *_children(process.pid)]
            memory = sum(_resident(pid) for pid in pids)
            spent = _processor(process.pid)
            time.sleep(5)
            idle = (_processor(process.pid) - spent) / 5
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
    return {"seconds": seconds, "memory": memory, "processes": float(len(pids)), "count": float(count), "idle": idle}


def _worker(url: str, root: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "f0ci", "-C", str(root), "worker"],
        env={**os.environ, "F0CI_ENGINE": url},
        stderr=subprocess.PIPE,
        text=True,
    )
    if process.stderr is None or "takes runs" not in process.stderr.readline():
        sys.exit("a worker did not start")
    return process


def _hand_over(url: str, root: Path, count: int, recipe: str, state: str) -> None:
    """Hand runs over, and wait until all are over, or wait."""
    from f0ci.runner.address import read_address
    from f0ci.runner.cluster.engine import ClusterEngine
    from f0ci.runner.cluster.journal import PostgresJournal
    from f0ci.runner.frozen import freeze
    from f0ci.runner.interface import Order
    from f0ci.source.project import Project

    condition = "ended IS NULL" if state == "ended" else f"state <> '{state}'"
    with PostgresJournal(read_address(url)) as journal:
        engine, plan = ClusterEngine(journal), freeze(root, Project(), recipe, None)
        for _ in range(count):
            engine.submit(Order(plan))
        while journal.rows(f"SELECT count(*) FROM runs WHERE {condition}")[0][0]:  # noqa: S608 - ours
            time.sleep(0.05)


def _children(pid: int) -> list[int]:
    files = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for file in files for child in file.read_text(encoding="ascii").split()]


def _resident(pid: int) -> float:
    """Return megabytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _processor(pid: int) -> float:
    """Return seconds of processor time that a process spent."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    work: dict[str, Any] = {"dbos": dbos, "f0ci": f0ci, "one": one, "two": two, "waiting": waiting}
    made = Server.make(fast=False)
    try:
        found = work[sys.argv[1]](made, int(sys.argv[2]))
    finally:
        made.remove()
    print(json.dumps(found | {"processor": time.process_time() / int(sys.argv[2])}))  # noqa: T201 - the result
