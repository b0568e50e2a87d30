"""How fast runs are, beside their floor, DBOS and Dask; writes `results/run.md`.

    .venv/bin/pip install -e '.[bench]'
    .venv/bin/python benchmarks/run.py [--recipes 1000] [--waiting 10000] [--rounds 3] [--without cluster]

The recipe is six trivial python steps, `a -> (b | c | d) -> e -> f`. Each engine runs in a process of its own, in
turns with the others. A figure counts only where the journal it leaves holds every step of every run exactly once.
The same on PostgreSQL, whose server is started for it: `run_cluster.py`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import Program, environment, in_turns  # noqa: E402 - found only from the root

PAGE = ROOT / "benchmarks" / "results" / "run.md"
BIN = Path(sys.executable).parent
ENGINES = {
    "f0ci": "f0ci, SQLite journal, WAL and FULL",
    "floor": "floor: concurrent.futures and sqlite3, WAL and FULL",
    "dbos": "DBOS on SQLite, WAL and FULL",
    "dask": "Dask, one graph a recipe, in memory",
}
# how many of the recipes the slow ones run: their rate does not depend on it
_SHARE = {"f0ci": 1.0, "floor": 1.0, "dbos": 0.2, "dask": 0.2}
_MOST_MEMORY = 100.0
_LEAST_RATE, _MOST_START, _MOST_LONGER = 0.5, 3.0, 1.5
_LENGTHS = (400, 4_000)
_LEAST_BESIDE_DBOS, _LEAST_WIDER, _MOST_WORKER = 0.9, 1.8, 600.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that shall hold."""

    what: str
    value: float
    limit: str
    met: bool

    @property
    def line(self) -> str:
        """The bar as a row of a table."""
        return f"| {self.what} | {self.value:.2f} | {self.limit} | {'met' if self.met else '**missed**'} |"


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--recipes", type=int, default=1_000)
    parser.add_argument("--waiting", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--without", nargs="*", default=[], choices=["dbos", "dask", "cluster"], help="not these")
    parser.add_argument("--print", action="store_true", help="write no page")
    options = parser.parse_args()
    engines = [name for name in ENGINES if name not in options.without]
    missing = [name for name, module in (("dbos", "dbos"), ("dask", "distributed")) if util.find_spec(module) is None]
    if set(missing) & set(engines):
        sys.exit(f"{', '.join(missing)} not installed: .venv/bin/pip install -e '.[bench]'")
    with tempfile.TemporaryDirectory(prefix="f0ci-benchmark-", dir=_disk()) as name:
        base = Path(name)
        rates, costs = measured(base, engines, options.recipes, options.rounds)
        start = started(base, max(5, options.rounds))
        steps = lengthened(base, options.rounds)
        waiting = waited(base, options.waiting)
    lines = page(rates, costs, start, steps, waiting, options.recipes, options.rounds)
    if "cluster" not in options.without:
        lines += cluster(max(50, options.recipes // 2), options.waiting, options.rounds)
    text = "\n".join(lines)
    if not options.print:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(text, encoding="utf-8")
    print(text)  # noqa: T201 - a program's output


def measured(
    base: Path, engines: Sequence[str], recipes: int, rounds: int
) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Return recipes a second of each engine, round by round, and the processor seconds of one at the least."""
    rates: dict[str, list[float]] = {name: [] for name in engines}
    costs = dict.fromkeys(engines, float("inf"))
    for number in range(rounds):
        for name in engines:
            folder = base / f"{name}-{number}"
            folder.mkdir()
            count = max(1, round(recipes * _SHARE[name]))
            found = _engine(name, folder, count)
            rates[name].append(count / found["seconds"])
            costs[name] = min(costs[name], found["processor"])
    return rates, costs


def started(base: Path, rounds: int) -> dict[str, float]:
    """Return the seconds of `f0ci run` of one small recipe, and of the imports no such command can do without."""
    folder = base / "start"
    (folder / "recipes").mkdir(parents=True)
    # settings of its own, as `f0ci init` writes them: otherwise those of this repository would be read
    (folder / "f0ci.yaml").write_text("version: 1\nrecipes: [recipes]\n")
    (folder / "recipes/small.yaml").write_text("metadata: {name: small}\nsteps:\n  - {name: a, run: 'true'}\n")
    commands = {
        "f0ci run": Program((str(BIN / "f0ci"), "run", "recipes/small.yaml", "--quiet"), folder),
        "imports": Program((sys.executable, "-c", "import click, yaml, sqlite3"), folder),
    }
    in_turns(commands, 1)
    found = in_turns(commands, 4 * rounds)
    if any(cost.code for runs in found.values() for cost in runs.costs):
        sys.exit("a command of the start-up measurement failed")
    return {name: runs.wall for name, runs in found.items()}


def lengthened(base: Path, rounds: int) -> dict[int, float]:
    """Return the processor seconds of a step in recipes of one, some and many steps, less what the command costs."""
    folder = base / "long"
    (folder / "recipes").mkdir(parents=True)
    (folder / "scriptlets").mkdir()
    (folder / "f0ci.yaml").write_text("version: 1\nrecipes: [recipes]\n")
    (folder / "scriptlets" / "__init__.py").touch()
    (folder / "scriptlets" / "nothing.py").write_text("def run(**_):\n    return {}\n")
    commands = {}
    for length in (1, *_LENGTHS):
        steps = "".join(
            f"  - {{name: s{number}, type: python, module: scriptlets.nothing, function: run}}\n"
            for number in range(length)
        )
        (folder / f"recipes/{length}.yaml").write_text(f"metadata: {{name: long}}\nsteps:\n{steps}")
        commands[str(length)] = Program((str(BIN / "f0ci"), "run", f"recipes/{length}.yaml", "--quiet"), folder)
    found = in_turns(commands, rounds)
    if any(cost.code for runs in found.values() for cost in runs.costs):
        sys.exit("a recipe of many steps failed")
    return {length: (found[str(length)].cpu - found["1"].cpu) / (length - 1) for length in _LENGTHS}


def waited(base: Path, count: int) -> dict[str, float]:
    """Return what so many runs that wait for an approval cost, and how fast they go on."""
    folder = base / "waiting"
    folder.mkdir()
    return _engine("waiting", folder, count)


def cluster(recipes: int, waiting: int, rounds: int) -> list[str]:
    """Measure runs on PostgreSQL, and return their part of the page."""
    sleepers = max(40, recipes // 5)
    rates: dict[str, list[float]] = {name: [] for name in ("f0ci", "dbos", "one", "two")}
    for _ in range(rounds):
        for name, found in rates.items():
            count = recipes if name in {"f0ci", "dbos"} else sleepers
            found.append(count / _on_postgres(name, count)["seconds"])
    held = _on_postgres("waiting", waiting)
    rate = {name: statistics.median(found) for name, found in rates.items()}
    beside = statistics.median(ours / theirs for ours, theirs in zip(rates["f0ci"], rates["dbos"], strict=True))
    wider = statistics.median(two / one for two, one in zip(rates["two"], rates["one"], strict=True))
    return [
        "# Runs on PostgreSQL, measured",
        "",
        "`benchmarks/run_cluster.py` says what is measured. The server runs beside it, and keeps what it confirms.",
        "",
        f"## {recipes:,} recipes of six trivial steps, taken from a queue, eight at a time",
        "",
        "| engine | recipes a second, median | fastest round |",
        "|---|--:|--:|",
        f"| one `f0ci worker` | {rate['f0ci']:.0f} | {max(rates['f0ci']):.0f} |",
        f"| DBOS used directly, a workflow of six steps | {rate['dbos']:.0f} | {max(rates['dbos']):.0f} |",
        "",
        f"## {sleepers:,} runs of a step that waits 0.5 s, four at a time and worker",
        "",
        f"One worker {rate['one']:.1f} a second, two workers {rate['two']:.1f};"
        " their slots alone would allow 8 and 16.",
        "",
        f"## {held['count']:,.0f} runs that wait for an approval",
        "",
        f"Handed over and brought to wait in {held['seconds']:.0f} s; the worker and its {held['processes'] - 1:.0f}"
        f" processes then hold {held['memory']:.0f} MB together, and use {100 * held['idle']:.1f} % of a core.",
        "",
        "## Bars",
        "",
        "| what | measured | bar | |",
        "|---|--:|---|---|",
        Bar("rate beside DBOS used directly", beside, "at least 0.9", beside >= _LEAST_BESIDE_DBOS).line,
        Bar("two workers beside one", wider, "at least 1.8", wider >= _LEAST_WIDER).line,
        Bar("MB of a worker with all runs waiting", held["memory"], "under 600", held["memory"] < _MOST_WORKER).line,
        "",
    ]


def _on_postgres(what: str, count: int) -> dict[str, float]:
    return _measured("run_cluster.py", what, str(count))


def _engine(name: str, folder: Path, count: int) -> dict[str, float]:
    return _measured("run_engines.py", name, str(folder), str(count))


def _measured(script: str, name: str, *args: str) -> dict[str, float]:
    answer = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / script), name, *args],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    if answer.returncode:
        sys.exit(f"{name} failed:\n{answer.stdout}{answer.stderr}")
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return found


def page(
    rates: dict[str, list[float]],
    costs: dict[str, float],
    start: dict[str, float],
    steps: dict[int, float],
    waiting: dict[str, float],
    recipes: int,
    rounds: int,
) -> list[str]:
    """Return the page."""
    few, many = _LENGTHS
    middle = {name: statistics.median(found) for name, found in rates.items()}
    versions = [f"{name} {metadata.version(name)}" for name in ("dbos", "distributed") if util.find_spec(name)]
    lines = [
        "# Runs, measured",
        "",
        "Made by `benchmarks/run.py`, which says how. Read the ratios: clock times are those of one machine.",
        "",
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {', '.join(versions) or 'no peers'},"
        f" {os.cpu_count()} cores, {rounds} rounds in turns.",
        "",
        f"## {recipes:,} recipes of six trivial steps",
        "",
        "| engine | recipes a second, median | fastest round | beside the floor | processor, ms a recipe |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, rate in middle.items():
        beside, cost = rate / middle["floor"], 1000 * costs[name]
        lines.append(f"| {ENGINES[name]} | {rate:.0f} | {max(rates[name]):.0f} | {beside:.2f} | {cost:.2f} |")
    ratio = statistics.median(ours / floor for ours, floor in zip(rates["f0ci"], rates["floor"], strict=True))
    lines += [
        "",
        "The floor records the start and the end of each run and each step, every record on the disk before anything"
        " builds on it, and does nothing else: eight writes a recipe. f0ci makes six, as what ends together is"
        " recorded together. DBOS and Dask run a fifth of the recipes; Dask keeps nothing.",
        "",
        "## One small recipe from the command line",
        "",
        f"`f0ci run` {start['f0ci run'] * 1000:.0f} ms, `python -c 'import click, yaml, sqlite3'`"
        f" {start['imports'] * 1000:.0f} ms. The repository has an `f0ci.yaml` as `f0ci init` writes it.",
        "",
        "## One recipe of many steps",
        "",
        "Python steps that do nothing, one after the other; processor time of `f0ci run`, less that of a recipe of one"
        f" step. {', '.join(f'{1000 * cost:.2f} ms each of {length:,}' for length, cost in steps.items())}.",
        "",
        f"## {waiting['count']:,.0f} runs that wait for an approval",
        "",
        f"Started in {waiting['seconds']:.1f} s; the process then holds {waiting['memory']:.0f} MB,"
        f" {waiting['grown']:.1f} MB more than before the first, in {waiting['threads']:.0f} threads."
        f" {waiting['approved']:,.0f} of them"
        f" approved and taken to their end: {waiting['approved'] / waiting['approval_seconds']:.0f} a second.",
        "",
        "## Bars",
        "",
        "| what | measured | bar | |",
        "|---|--:|---|---|",
        Bar("rate beside the floor", ratio, f"at least {_LEAST_RATE:g}", ratio >= _LEAST_RATE).line,
        Bar(
            "`f0ci run` beside the imports",
            start["f0ci run"] / start["imports"],
            f"at most {_MOST_START:g}",
            start["f0ci run"] <= _MOST_START * start["imports"],
        ).line,
        Bar(
            f"a step of {many:,} beside one of {few:,}",
            steps[many] / steps[few],
            f"at most {_MOST_LONGER:g}",
            steps[many] <= _MOST_LONGER * steps[few],
        ).line,
        Bar(
            "MB with all runs waiting",
            waiting["memory"],
            f"under {_MOST_MEMORY:g}",
            waiting["memory"] < _MOST_MEMORY,
        ).line,
        "",
    ]
    return lines


def _disk() -> Path:
    """Return a folder on a real disk: where /tmp lies in memory, nothing is safe on power loss, and all is fast."""
    folder = ROOT / "benchmarks" / ".work"
    folder.mkdir(exist_ok=True)
    return folder


if __name__ == "__main__":
    main()
