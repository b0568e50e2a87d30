"""One engine, measured in a process of its own: `run_engines.py ENGINE FOLDER COUNT` prints JSON.

Each runs one recipe more, before the time begins: what is imported at the first is not part of its rate.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

AFTER = {"a": (), "b": ("a",), "c": ("a",), "d": ("a",), "e": ("b", "c", "d"), "f": ("e",)}
SCRIPTLET = "def step(x):\n    return {'x': x + 1}\n"
ASK = "metadata: {name: ask}\nsteps:\n  - {name: ask, type: wait, args: {approval: true}}\n"


def body(x: int) -> dict[str, int]:
    """Do what every step does: next to nothing."""
    return {"x": x + 1}


def f0ci(folder: Path, count: int) -> dict[str, float]:
    """Run recipes with the embedded engine, as `f0ci run` does."""
    from f0ci.core.outcome import Outcome
    from f0ci.runner.engine import EmbeddedEngine, Order
    from f0ci.runner.frozen import freeze
    from f0ci.runner.journal import Journal
    from f0ci.source.project import Project

    steps = "".join(
        f"  - {{name: {name}, type: python, module: scriptlets.trivial, function: step, args: {{x: 1}},"
        f" depends_on: [{', '.join(after)}]}}\n"
        for name, after in AFTER.items()
    )
    write(folder, {"recipes/six.yaml": f"metadata: {{name: six}}\nsteps:\n{steps}", "scriptlets/trivial.py": SCRIPTLET})
    with Journal(folder / "journal.sqlite") as journal:
        engine = EmbeddedEngine(journal)
        plan = freeze(folder, Project(), "recipes/six.yaml", None)
        with engine.at_home(folder):
            engine.run(Order(plan))
            begun = time.perf_counter()
            for _ in range(count):
                if engine.run(Order(plan)).outcome is not Outcome.PASSED:
                    sys.exit("a recipe did not pass")
            seconds = time.perf_counter() - begun
        full = journal.rows("PRAGMA synchronous")[0][0] == 2
    _prove(folder / "journal.sqlite", "SELECT run, path FROM steps WHERE outcome = 'passed'", count + 1, full=full)
    return {"seconds": seconds}


def floor(folder: Path, count: int) -> dict[str, float]:
    """Run recipes with a pool of threads and a journal, and nothing else."""
    file = folder / "journal.sqlite"
    connection = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    connection.execute("CREATE TABLE runs (run TEXT PRIMARY KEY, state TEXT) WITHOUT ROWID")
    connection.execute("CREATE TABLE steps (run TEXT, path TEXT, outputs TEXT, PRIMARY KEY (run, path)) WITHOUT ROWID")
    with ThreadPoolExecutor(4) as pool:
        _floor_run(connection, pool, "run-first")
        begun = time.perf_counter()
        for number in range(count):
            _floor_run(connection, pool, f"run-{number}")
        seconds = time.perf_counter() - begun
    full = connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    connection.close()
    _prove(file, "SELECT run, path FROM steps", count + 1, full=full)
    return {"seconds": seconds}


def _floor_run(connection: sqlite3.Connection, pool: ThreadPoolExecutor, run: str) -> None:
    connection.execute("INSERT INTO runs VALUES (?, 'running')", (run,))
    over: set[str] = set()
    running: dict[Future[dict[str, int]], str] = {}
    while len(over) < len(AFTER):
        for name, after in AFTER.items():
            if name not in over and name not in running.values() and over.issuperset(after):
                running[pool.submit(body, 1)] = name
        done, _ = wait(running, return_when=FIRST_COMPLETED)
        for future in done:
            name = running.pop(future)
            connection.execute("INSERT INTO steps VALUES (?, ?, ?)", (run, name, json.dumps(future.result())))
            over.add(name)
    connection.execute("UPDATE runs SET state = 'passed' WHERE run = ?", (run,))


def dbos(folder: Path, count: int) -> dict[str, float]:
    """Run recipes as DBOS workflows of six steps, on SQLite with WAL and FULL, which is faster than as shipped."""
    import asyncio

    import sqlalchemy
    from dbos import DBOS, DBOSConfig

    file = folder / "dbos.sqlite"
    engine = sqlalchemy.create_engine(f"sqlite:///{file}", pool_size=4)

    @sqlalchemy.event.listens_for(engine, "connect")
    def tune(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 30000")
        if sqlite3.sqlite_version_info < (3, 42):
            connection.create_function("unixepoch", 1, lambda _: time.time())

    config: DBOSConfig = {
        "name": "bench",
        "system_database_url": f"sqlite:///{file}",
        "system_database_engine": engine,
        "log_level": "ERROR",
        "max_executor_threads": 4,
    }
    DBOS(config=config)

    recipe = dbos_recipe()
    DBOS.launch()

    async def everything() -> None:
        slots = asyncio.Semaphore(4)

        async def one() -> None:
            async with slots:
                await asyncio.to_thread(recipe)

        await asyncio.gather(*(one() for _ in range(count)))

    recipe()
    begun = time.perf_counter()
    asyncio.run(everything())
    seconds = time.perf_counter() - begun
    DBOS.destroy()
    engine.dispose()
    _prove(file, "SELECT workflow_uuid, function_id FROM operation_outputs", count + 1, full=True)
    return {"seconds": seconds}


def dbos_recipe() -> Callable[[], None]:
    """Return the recipe as DBOS's documentation shows it: a workflow of six steps."""
    from dbos import DBOS

    @DBOS.step()
    def step(x: int) -> dict[str, int]:
        return body(x)

    @DBOS.workflow()
    def recipe() -> None:
        for _ in AFTER:
            step(1)

    return recipe


def dask(_folder: Path, count: int) -> dict[str, float]:
    """Run recipes as graphs on a cluster of Dask in this process; nothing is recorded."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=1, threads_per_worker=4, processes=False, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        begun = time.perf_counter()
        for number in range(-1, count):
            if number == 0:
                begun = time.perf_counter()
            graph = {(name, number): (_after, 1, [(other, number) for other in after]) for name, after in AFTER.items()}
            if client.get(graph, ("f", number)) != {"x": 2}:
                sys.exit("a recipe did not pass")
        seconds = time.perf_counter() - begun
    return {"seconds": seconds}


def _after(x: int, _before: Any) -> dict[str, int]:
    return body(x)


def waiting(folder: Path, count: int) -> dict[str, float]:
    """Start runs that wait for an approval, then approve some and take them to their end."""
    from f0ci.core.outcome import Outcome
    from f0ci.runner.engine import EmbeddedEngine, Order
    from f0ci.runner.frozen import freeze
    from f0ci.runner.journal import Journal
    from f0ci.source.project import Project

    write(folder, {"recipes/ask.yaml": ASK})
    with Journal(folder / "journal.sqlite") as journal:
        engine = EmbeddedEngine(journal)
        plan = freeze(folder, Project(), "recipes/ask.yaml", None)
        before = _memory()
        with engine.at_home(folder):
            begun = time.perf_counter()
            runs = [engine.run(Order(plan)).run for _ in range(count)]
            seconds = time.perf_counter() - begun
            if len(engine.list(state="waiting", limit=count + 1)) != count:
                sys.exit("a run does not wait")
            found = {"memory": _memory(), "grown": _memory() - before, "threads": float(threading.active_count())}
            approved = runs[:: max(1, count // 500)]
            begun = time.perf_counter()
            for run in approved:
                engine.send(run, "ask", "approve", who="alice")
                if engine.resume(run).outcome is not Outcome.PASSED:
                    sys.exit("an approved run did not pass")
            approval = time.perf_counter() - begun
    return found | {"count": count, "seconds": seconds, "approved": len(approved), "approval_seconds": approval}


def _memory() -> float:
    """Return the most memory that this process ever held, in megabytes."""
    # not `getrusage`, which counts what the process that started this one took
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def _prove(file: Path, query: str, count: int, *, full: bool) -> None:
    connection = sqlite3.connect(file)
    rows = connection.execute(query).fetchall()
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    if len(rows) != len(set(rows)) or len(rows) != count * len(AFTER):
        sys.exit(f"{len(rows)} records of {count * len(AFTER)} steps")
    if mode != "wal" or not full:
        sys.exit(f"the journal is not as safe as the others: {mode}")


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    engines: dict[str, Callable[[Path, int], dict[str, float]]] = {
        "f0ci": f0ci,
        "floor": floor,
        "dbos": dbos,
        "dask": dask,
        "waiting": waiting,
    }
    name, count = sys.argv[1], int(sys.argv[3])
    found = engines[name](Path(sys.argv[2]), count)
    # imports and what proves the journal included: the same for all
    print(json.dumps(found | {"processor": time.process_time() / count}))  # noqa: T201 - the result
