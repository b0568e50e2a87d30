"""How fast `f0ci validate` is, beside check-jsonschema and beside the floor; writes `results/validate.md`.

    .venv/bin/python benchmarks/validate.py [--files 100 1000 10000] [--rounds 5]

A figure counts only where the same run finds every planted fault at its line, nothing else, and the same with one
process and with two; otherwise the benchmark stops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.hostile_files import hostile_files  # noqa: E402 - found only from the root
from benchmarks.measuring import Runs, environment, in_turns, run  # noqa: E402
from benchmarks.recipe_sets import Fault  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "validate.md"
BIN = Path(sys.executable).parent
SCHEMA = str(ROOT / "schemas" / "recipe.schema.json")
_SMALL = b"metadata: {name: small}\nsteps:\n  - name: load\n    run: echo loading\n"
_ONE, _DEFAULT, _REFERENCE, _FLOOR = "f0ci, 1 job", "f0ci", "check-jsonschema", "floor"
_TWO = "f0ci, 2 jobs"
_MOST_SECONDS, _MOST_MEMORY = 2.0, 200.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that shall hold: a ratio that is at most so much."""

    what: str
    value: float
    most: float

    @property
    def line(self) -> str:
        """The bar as a row of a table."""
        return (
            f"| {self.what} | {self.value:.3f} | {self.most:g} | {'met' if self.value <= self.most else '**missed**'} |"
        )


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    prove_reference()
    bars: list[Bar] = []
    lines = heading(options.rounds)
    with tempfile.TemporaryDirectory(prefix="f0ci-benchmark-") as name:
        base = Path(name)
        for count in options.files:
            rounds = options.rounds if count < 10_000 else min(options.rounds, 3)
            lines += measured(base / str(count), count, rounds, bars)
        lines += started(base, options.rounds, bars)
        lines += hostile(base)
    lines += ["", "## Bars", "", "Ratios of medians; R is check-jsonschema.", ""]
    lines += ["| what | measured | at most | |", "|---|--:|--:|---|", *(bar.line for bar in bars)]
    lines += [
        "",
        "A missed bar stays open here until it is met; no rule is left out for speed. On a machine that others use,"
        " clock times rise with their load, most for what uses several cores: the CPU columns are the steadier ones.",
        "",
    ]
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))  # noqa: T201 - a program's output


def heading(rounds: int) -> list[str]:
    """Return what the page says of what was measured, with what, and on what kind of machine."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("PyYAML", "jsonschema-rs", "check-jsonschema"))
    return [
        "# How fast is `f0ci validate`?",
        "",
        "Written by `.venv/bin/python benchmarks/validate.py`. Whole processes, cold, page cache warm, all rules on,"
        " text output. Programs take turns; figures are medians"
        f" of {rounds} rounds (3 at 10,000 files). f0ci reports lines and columns and follows references between files;"
        " check-jsonschema applies the same schema to the same files, with the C parser (`ruamel.yaml.clib`). The floor"
        " is libyaml parsing the same bytes on all cores, with nothing made of them.",
        "",
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} on {platform.machine()}, Python"
        f" {platform.python_version()}, {versions}. The cores were shared with other work.",
    ]


def prove_reference() -> None:
    """Stop unless check-jsonschema reads YAML with the C parser: without it, it would be three times slower."""
    from ruamel.yaml import YAML

    reader = YAML(typ="safe").Parser
    if reader.__name__ != "CParser":
        raise SystemExit("check-jsonschema has no C parser here: install ruamel.yaml.clib")


def measured(folder: Path, count: int, rounds: int, bars: list[Bar]) -> list[str]:
    """Measure one set of recipes; return its part of the page."""
    recipes, size, faults = written(folder, count)
    check(faults, folder)
    f0ci = str(BIN / "f0ci")
    reference = [str(BIN / "check-jsonschema"), "--schemafile", SCHEMA, *recipes]
    commands = {
        _ONE: [f0ci, "validate", "--jobs", "1"],
        _TWO: [f0ci, "validate", "--jobs", "2"],
        _DEFAULT: [f0ci, "validate"],
        _FLOOR: [sys.executable, str(ROOT / "benchmarks" / "floor.py"), "recipes"],
        _REFERENCE: reference,
    }
    found = in_turns(commands, folder, rounds)
    against = found[_REFERENCE]
    most = {100: 0.18, 1_000: 0.095, 10_000: 0.070}.get(count)
    if most is not None:
        bars.append(Bar(f"{count:,} files, clock / R", found[_DEFAULT].wall / against.wall, most))
    if count == 1_000:
        bars.append(Bar("1,000 files, 1 job, CPU / R", found[_ONE].cpu / against.cpu, 0.15))
    if count == 10_000:
        bars.append(Bar("10,000 files, clock / floor", found[_DEFAULT].wall / found[_FLOOR].wall, 10))
        bars.append(Bar("10,000 files, clock of 2 jobs / 1 job", found[_TWO].wall / found[_ONE].wall, 0.62))
    lines = [
        "",
        f"## {count:,} recipes, {size / 1e6:.1f} MB, {len(faults)} of them with a fault",
        "",
        f"All {len(faults)} faults found at their lines, nothing else reported, the same with 1 and 2 jobs.",
        "",
    ]
    busy = against.wall / against.cpu
    note = f"The clock of check-jsonschema, one process, was {busy:.2f} times its CPU: 1.0 on an idle machine."
    return [*lines, *table(found, against), "", note]


def table(found: dict[str, Runs], against: Runs) -> list[str]:
    """Return the figures of some programs as a table."""
    lines = ["| program | clock, s | / R | CPU, s | / R | peak, MB |", "|---|--:|--:|--:|--:|--:|"]
    for name, runs in found.items():
        clock = f"{runs.wall:.3f} | {runs.wall / against.wall:.3f}"
        lines.append(f"| {name} | {clock} | {runs.cpu:.3f} | {runs.cpu / against.cpu:.3f} | {runs.memory:.0f} |")
    return lines


def written(folder: Path, count: int) -> tuple[list[str], int, list[Fault]]:
    """Write a set of recipes; return their paths, bytes and faults.

    Another process makes them: what this one holds would count as memory of every program that it starts.
    """
    command = [sys.executable, str(ROOT / "benchmarks" / "recipe_sets.py"), str(count), str(folder)]
    done = subprocess.run(command, env=environment(), capture_output=True, check=True)
    summary = json.loads(done.stdout)
    return summary["recipes"], summary["size"], [Fault(*fault) for fault in summary["faults"]]


def check(faults: list[Fault], folder: Path) -> None:
    """Stop unless f0ci finds exactly what was planted, with one process and with two."""
    answers = []
    for jobs in ("1", "2"):
        command = [str(BIN / "f0ci"), "validate", "--format", "json", "--jobs", jobs]
        done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, check=False)
        answers.append(done.stdout)
    if answers[0] != answers[1]:
        raise SystemExit("the findings depend on the number of jobs")
    found = sorted(Fault(one["path"], one["line"], one["rule"]) for one in json.loads(answers[0])["diagnostics"])
    if found != sorted(faults):
        missed, extra = set(faults) - set(found), set(found) - set(faults)
        raise SystemExit(f"findings differ from the planted faults: missed {missed}, not planted {extra}")


def started(base: Path, rounds: int, bars: list[Bar]) -> list[str]:
    """Measure the smallest things: one small file, and the version."""
    folder = base / "small"
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "small.yaml").write_bytes(_SMALL)
    f0ci = str(BIN / "f0ci")
    small = {
        _DEFAULT: [f0ci, "validate"],
        _REFERENCE: [str(BIN / "check-jsonschema"), "--schemafile", SCHEMA, "recipes/small.yaml"],
    }
    version = {"f0ci --version": [f0ci, "--version"], "import click": [sys.executable, "-c", "import click"]}
    found = in_turns(small, folder, rounds * 3)
    bars.append(Bar("one small file, clock / R", found[_DEFAULT].wall / found[_REFERENCE].wall, 0.45))
    begun = in_turns(version, folder, rounds * 3)
    ratio = begun["f0ci --version"].wall / begun["import click"].wall
    bars.append(Bar("`f0ci --version` / `python -c 'import click'`, clock", ratio, 1.5))
    lines = ["", "## One small recipe", "", *table(found, found[_REFERENCE])]
    lines += ["", "## Starting", "", "| program | clock, s | CPU, s |", "|---|--:|--:|"]
    return lines + [f"| `{name}` | {runs.wall:.3f} | {runs.cpu:.3f} |" for name, runs in begun.items()]


def hostile(base: Path) -> list[str]:
    """Measure files that were written to break their reader."""
    limits = f"under {_MOST_SECONDS:g} s of CPU and {_MOST_MEMORY:g} MB"
    lines = ["", "## Hostile files", "", f"Each ends by itself; the bar is {limits}.", ""]
    lines += ["| file | exit code | CPU, s | peak, MB | |", "|---|--:|--:|--:|---|"]
    for number, (name, content) in enumerate(hostile_files()):
        folder = base / f"hostile-{number}"
        (folder / "recipes").mkdir(parents=True)
        (folder / "recipes" / "hostile.yaml").write_bytes(content)
        del content
        cost = run([str(BIN / "f0ci"), "validate"], folder, seconds=60)
        good = cost.code in {0, 1} and cost.cpu < _MOST_SECONDS and cost.memory < _MOST_MEMORY
        state = "met" if good else "**missed**"
        lines.append(f"| {name} | {cost.code} | {cost.cpu:.2f} | {cost.memory:.0f} | {state} |")
    return lines


if __name__ == "__main__":
    main()
