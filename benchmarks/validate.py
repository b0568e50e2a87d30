"""How fast `f0ci validate` is, beside other validators and beside the floor; writes `results/validate.md`.

    .venv/bin/python benchmarks/validate.py [--files 100 1000 10000] [--rounds 5]

A figure counts only where the same run finds every planted fault at its line, nothing else, and byte for byte the same
with one process and with two, with a cache and without; otherwise the benchmark stops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from operator import attrgetter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.hostile_folders import hostile_folders  # noqa: E402 - found only from the root
from benchmarks.measuring import Program, Runs, environment, in_turns, run  # noqa: E402
from benchmarks.peers import Peer, npm_peers, prove_reference, reference  # noqa: E402
from benchmarks.recipe_sets import Fault  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "validate.md"
BIN = Path(sys.executable).parent
F0CI = str(BIN / "f0ci")
SCHEMA = str(ROOT / "schemas" / "recipe.schema.json")
_SMALL = b"metadata: {name: small}\nsteps:\n  - name: load\n    run: echo loading\n"
_ONE, _TWO, _DEFAULT, _FLOOR, _R = "f0ci, 1 job", "f0ci, 2 jobs", "f0ci", "floor", "check-jsonschema"
_STAT, _HASH = "f0ci again, nothing changed", "f0ci again, nothing changed, every file touched"
_ONE_CHANGED, _FEW_CHANGED = "f0ci again, one file changed", "f0ci again, 1 % changed, every file touched"
_MOST_SECONDS, _MOST_MEMORY = 2.0, 200.0
# other programs and the heat of the machine slow one run by half, and nothing makes one faster
_AGAIN = " What took longer is measured twice more, and the least counts."
_CLOCK_BARS = {100: 0.18, 1_000: 0.095, 10_000: 0.070}


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that shall hold: a ratio that is at most so much."""

    what: str
    value: float
    most: float

    @property
    def line(self) -> str:
        """The bar as a row of a table."""
        state = "met" if self.value <= self.most else "**missed**"
        return f"| {self.what} | {self.value:.3f} | {self.most:g} | {state} |"


@dataclass(frozen=True, slots=True)
class Recipes:
    """A written set of recipes.

    Attributes:
        folder: where it is.
        files: paths of the recipes.
        size: their bytes.
        faults: what was planted.
    """

    folder: Path
    files: list[str]
    size: int
    faults: list[Fault]

    @property
    def megabytes(self) -> float:
        """Millions of bytes."""
        return self.size / 1e6

    def copied(self, name: str) -> Recipes:
        """Return a copy beside it."""
        folder = self.folder.with_name(f"{self.folder.name}-{name}")
        shutil.copytree(self.folder, folder)
        return Recipes(folder, self.files, self.size, self.faults)

    def touch(self) -> None:
        """Give every file new times, so that only its bytes tell that it is unchanged."""
        for path in self.files:
            os.utime(self.folder / path)

    def change(self, count: int) -> None:
        """Change a comment in some files that have no fault, back and forth."""
        faulty = {fault.path for fault in self.faults}
        clean = [path for path in self.files if path not in faulty]
        for path in clean[:: max(1, len(clean) // count)][:count]:
            file = self.folder / path
            raw = file.read_bytes()
            file.write_bytes(raw.removesuffix(b"# changed\n") if raw.endswith(b"# changed\n") else raw + b"# changed\n")


@dataclass(slots=True)
class Findings:
    """What the page will say."""

    bars: list[Bar] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    cost_per_megabyte: dict[int, float] = field(default_factory=dict)


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 1_000, 10_000])
    parser.add_argument("--rounds", type=int, default=5, help="at 10,000 files, 3 at most")
    parser.add_argument("--peers", type=Path, default=ROOT / ".build" / "peers", help="where npm puts other programs")
    parser.add_argument("--page", type=Path, default=PAGE, help="where the page is written")
    options = parser.parse_args()
    prove_reference()
    peers = tuple(npm_peers(options.peers.resolve(), SCHEMA))
    page = Findings(lines=heading(options.rounds, peers))
    with tempfile.TemporaryDirectory(prefix="f0ci-benchmark-") as name:
        base = Path(name)
        for count in options.files:
            rounds = options.rounds if count < 10_000 else min(options.rounds, 3)
            measure_set(base, count, rounds, peers, page)
        if 1_000 in options.files:
            measure_faulty(base, options.rounds, page)
        measure_start(base, options.rounds, page)
        page.lines += hostile(base)
    costs = page.cost_per_megabyte
    if {1_000, 10_000} <= costs.keys():
        page.bars.append(Bar("CPU per MB with 1 job, 10,000 / 1,000 files", costs[10_000] / costs[1_000], 1.0))
    page.lines += ["", "## Bars", "", "Ratios of medians; R is check-jsonschema.", ""]
    page.lines += ["| what | measured | at most | |", "|---|--:|--:|---|", *(bar.line for bar in page.bars)]
    page.lines += [
        "",
        "A missed bar stays open here until it is met; no rule is left out for speed. On a machine that others use,"
        " clock times rise with their load, most for what uses several cores: the CPU columns are the steadier ones.",
        "",
    ]
    text = "\n".join(page.lines)
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(text, encoding="utf-8")
    print(text)  # noqa: T201 - a program's output


def heading(rounds: int, peers: tuple[Peer, ...]) -> list[str]:
    """Return what the page says of what was measured, with what, and on what kind of machine."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("PyYAML", "jsonschema-rs", "check-jsonschema"))
    names = {peer.name for peer in peers}
    absent = sorted({"ajv-cli", "sourcemeta jsonschema"} - names)
    return [
        "# How fast is `f0ci validate`?",
        "",
        "Written by `.venv/bin/python benchmarks/validate.py`. Whole processes, page cache warm, all rules on, text"
        f" output. Programs take turns; figures are medians of {rounds} rounds (3 at most at 10,000 files). `f0ci`"
        " alone is a first run as installed, which writes its cache. f0ci reports lines and columns and follows"
        " references between files; the others apply the same schema to the same files, without those at which they"
        " would end: check-jsonschema with the C parser (`ruamel.yaml.clib`). The floor is libyaml parsing the same"
        " bytes on all cores, with nothing made of them.",
        "",
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} on {platform.machine()}, Python"
        f" {platform.python_version()}, {versions}." + (f" Not installed: {', '.join(absent)}." if absent else ""),
    ]


def measure_set(base: Path, count: int, rounds: int, peers: tuple[Peer, ...], page: Findings) -> None:
    """Measure one set of recipes."""
    recipes = written(base / str(count), count)
    touched, changed, few = recipes.copied("touched"), recipes.copied("one"), recipes.copied("few")
    caches = base / f"caches-{count}"
    check(recipes, caches)
    for each in (touched, changed, few):
        output(each.folder, "--cache-dir", str(caches / each.folder.name))
    output(recipes.folder, "--cache-dir", str(caches / "warm"))

    def forget() -> None:
        shutil.rmtree(caches / "cold", ignore_errors=True)

    def once_more(which: Recipes, count: int) -> Callable[[], None]:
        def prepare() -> None:
            which.change(count)
            if which is few:
                which.touch()

        return prepare

    cold = ("validate", "--cache-dir", str(caches / "cold"))
    others = {
        peer.name: peer.reading(recipes.files, recipes.faults, recipes.folder) for peer in (*peers, reference(SCHEMA))
    }
    floor = [sys.executable, str(ROOT / "benchmarks" / "floor.py"), "recipes"]

    def again(which: Recipes) -> list[str]:
        return [F0CI, "validate", "--cache-dir", str(caches / which.folder.name)]

    programs = {
        _ONE: Program([F0CI, *cold, "--jobs", "1"], recipes.folder, forget),
        _TWO: Program([F0CI, *cold, "--jobs", "2"], recipes.folder, forget),
        _DEFAULT: Program([F0CI, *cold], recipes.folder, forget),
        _STAT: Program([F0CI, "validate", "--cache-dir", str(caches / "warm")], recipes.folder),
        _HASH: Program(again(touched), touched.folder, touched.touch),
        _ONE_CHANGED: Program(again(changed), changed.folder, once_more(changed, 1)),
        _FEW_CHANGED: Program(again(few), few.folder, once_more(few, max(1, count // 100))),
        _FLOOR: Program(floor, recipes.folder),
        **{name: program for name, (program, _) in others.items()},
    }
    found = in_turns(programs, rounds)
    check_again(changed, few, caches)
    page.cost_per_megabyte[count] = found[_ONE].cpu / recipes.megabytes
    page.bars += set_bars(count, found)
    against = found[_R]
    busy = against.wall / against.cpu
    left_out = ", ".join(f"{number} files to {name}" for name, (_, number) in others.items() if number) or "none"
    page.lines += [
        "",
        f"## {count:,} recipes, {recipes.megabytes:.1f} MB, {len(recipes.faults)} of them with a fault",
        "",
        f"All {len(recipes.faults)} faults found at their lines, nothing else reported, byte for byte the same with 1"
        " and 2 jobs, on a first run, with nothing changed, and after changes.",
        "",
        *table(found, against),
        "",
        f"The clock of check-jsonschema, one process, was {busy:.2f} times its CPU: 1.0 on an idle machine.",
        "",
        "Each of the others named every file that does not fit the schema, and one put behind all, in every run. Not"
        f" given, because they end at it: {left_out}.",
    ]


def set_bars(count: int, found: dict[str, Runs]) -> list[Bar]:
    """Return the bars of one set of recipes."""
    size = f"{count:,} files"
    against, default = found[_R], found[_DEFAULT]
    bars = [Bar(f"{size}, clock / R", default.wall / against.wall, _CLOCK_BARS[count])] if count in _CLOCK_BARS else []
    if count >= 1_000:
        most = 0.75 if count == 1_000 else 0.62
        bars += [
            Bar(f"{size}, 1 job, CPU / R", found[_ONE].cpu / against.cpu, 0.15),
            Bar(f"{size}, clock of 2 jobs / 1 job", found[_TWO].wall / found[_ONE].wall, most),
        ]
    if count >= 10_000:
        bars += [
            Bar(f"{size}, clock / floor", default.wall / found[_FLOOR].wall, 10),
            Bar(f"{size}, nothing changed by stat, clock / first run", found[_STAT].wall / default.wall, 0.08),
            Bar(f"{size}, nothing changed by content, clock / first run", found[_HASH].wall / default.wall, 0.15),
            Bar(f"{size}, 1 % changed, clock / first run", found[_FEW_CHANGED].wall / default.wall, 0.20),
            Bar(f"{size}, peak memory / R", max(found[_ONE].memory, default.memory) / against.memory, 1.0),
        ]
        for name, most in (("ajv-cli", 1.2), ("sourcemeta jsonschema", 1.0)):
            if name in found:
                bars.append(Bar(f"{size}, clock / {name}", default.wall / found[name].wall, most))
    return bars


def measure_faulty(base: Path, rounds: int, page: Findings) -> None:
    """Measure 1,000 recipes of which every second has a fault, beside those of which few have."""
    usual, faulty = written(base / "usual", 1_000), written(base / "faulty", 1_000, 0.5)
    check(faulty, base / "caches-faulty")
    command = [F0CI, "validate", "--no-cache"]
    names = {"20 of 1,000": usual, "500 of 1,000": faulty}
    # two short runs are compared with each other, and no other program evens their noise out
    found = in_turns({name: Program(command, recipes.folder) for name, recipes in names.items()}, rounds * 3)
    costs = [found[name].wall / recipes.megabytes for name, recipes in names.items()]
    page.bars.append(Bar("1,000 files, half of them faulty / 2 % of them, clock per MB", costs[1] / costs[0], 2.0))
    page.lines += ["", "## Many faults", "", "| recipes with a fault | clock, s | CPU, s | MB |", "|---|--:|--:|--:|"]
    page.lines += [
        f"| {name} | {found[name].wall:.3f} | {found[name].cpu:.3f} | {recipes.megabytes:.1f} |"
        for name, recipes in names.items()
    ]


def measure_start(base: Path, rounds: int, page: Findings) -> None:
    """Measure the smallest things: one small file, and the version."""
    folder = base / "small"
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "small.yaml").write_bytes(_SMALL)
    cache = base / "caches-small"
    small = {
        _DEFAULT: Program(
            [F0CI, "validate", "--cache-dir", str(cache / "cold")],
            folder,
            lambda: shutil.rmtree(cache / "cold", ignore_errors=True),
        ),
        _STAT: Program([F0CI, "validate", "--cache-dir", str(cache / "warm")], folder),
        _R: Program(reference(SCHEMA).command(["recipes/small.yaml"]), folder),
    }
    version = {
        "f0ci --version": Program([F0CI, "--version"], folder),
        "import click": Program([sys.executable, "-c", "import click"], folder),
    }
    found = in_turns(small, rounds * 3)
    page.bars.append(Bar("one small file, clock / R", found[_DEFAULT].wall / found[_R].wall, 0.45))
    begun = in_turns(version, rounds * 3)
    ratio = begun["f0ci --version"].wall / begun["import click"].wall
    page.bars.append(Bar("`f0ci --version` / `python -c 'import click'`, clock", ratio, 1.5))
    page.lines += ["", "## One small recipe", "", *table(found, found[_R])]
    page.lines += ["", "## Starting", "", "| program | clock, s | CPU, s |", "|---|--:|--:|"]
    page.lines += [f"| `{name}` | {runs.wall:.3f} | {runs.cpu:.3f} |" for name, runs in begun.items()]


def table(found: dict[str, Runs], against: Runs) -> list[str]:
    """Return the figures of some programs as a table."""
    lines = ["| program | clock, s | / R | CPU, s | / R | peak, MB |", "|---|--:|--:|--:|--:|--:|"]
    for name, runs in found.items():
        clock = f"{runs.wall:.3f} | {runs.wall / against.wall:.3f}"
        lines.append(f"| {name} | {clock} | {runs.cpu:.3f} | {runs.cpu / against.cpu:.3f} | {runs.memory:.0f} |")
    return lines


def written(folder: Path, count: int, faulty: float | None = None) -> Recipes:
    """Write a set of recipes.

    Another process makes them: what this one holds would count as memory of every program that it starts.
    """
    command = [sys.executable, str(ROOT / "benchmarks" / "recipe_sets.py"), str(count), str(folder)]
    command += [] if faulty is None else [str(faulty)]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    summary = json.loads(done.stdout)
    return Recipes(folder, summary["recipes"], summary["size"], [Fault(*fault) for fault in summary["faults"]])


def output(folder: Path, *arguments: str) -> bytes:
    """Return what f0ci reports, as JSON."""
    command = [F0CI, "validate", "--format", "json", *arguments]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False).stdout


def check(recipes: Recipes, caches: Path) -> None:
    """Stop unless f0ci finds exactly what was planted, whatever the number of jobs and whatever is remembered."""
    kept = ("--cache-dir", str(caches / "check"))
    ways = (("--no-cache", "--jobs", "1"), ("--no-cache", "--jobs", "2"), (*kept, "--jobs", "2"), kept)
    answers = [output(recipes.folder, *way) for way in ways]
    if len(set(answers)) != 1:
        raise SystemExit("the findings depend on the number of jobs, or on the cache")
    found = sorted(Fault(one["path"], one["line"], one["rule"]) for one in json.loads(answers[0])["diagnostics"])
    if found != sorted(recipes.faults):
        missed, extra = set(recipes.faults) - set(found), set(found) - set(recipes.faults)
        raise SystemExit(f"findings differ from the planted faults: missed {missed}, not planted {extra}")


def check_again(changed: Recipes, few: Recipes, caches: Path) -> None:
    """Stop unless what is said after changes is what a run that remembers nothing says."""
    for recipes in (changed, few):
        recipes.change(3)
        if output(recipes.folder, "--cache-dir", str(caches / recipes.folder.name)) != output(
            recipes.folder, "--no-cache"
        ):
            raise SystemExit("the findings after changes depend on the cache")


def hostile(base: Path) -> list[str]:
    """Measure files that were written to break their reader."""
    limits = f"under {_MOST_SECONDS:g} s of CPU and {_MOST_MEMORY:g} MB"
    lines = ["", "## Hostile files", "", f"Each ends by itself; the bar is {limits}.{_AGAIN}", ""]
    lines += ["| file | exit code | CPU, s | peak, MB | |", "|---|--:|--:|--:|---|"]
    for number, (name, files, options) in enumerate(hostile_folders()):
        folder = base / f"hostile-{number}"
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        del files, content
        command = [F0CI, "validate", "--no-cache", *options]
        cost = run(command, folder, seconds=60)
        for _ in range(2 * (cost.cpu >= _MOST_SECONDS)):
            cost = min(cost, run(command, folder, seconds=60), key=attrgetter("cpu"))
        good = cost.code in {0, 1, 3} and cost.cpu < _MOST_SECONDS and cost.memory < _MOST_MEMORY
        state = "met" if good else "**missed**"
        lines.append(f"| {name} | {cost.code} | {cost.cpu:.2f} | {cost.memory:.0f} | {state} |")
    return lines


if __name__ == "__main__":
    main()
