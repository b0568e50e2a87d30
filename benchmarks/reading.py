"""How fast f0ci reads YAML, beside other readers and beside the floor; writes `results/reading.md`.

    .venv/bin/python benchmarks/reading.py [--files 300] [--rounds 5]

A figure counts only where every reader gives the same data of every file, and those of f0ci the same positions;
otherwise the benchmark stops.
"""

from __future__ import annotations

import argparse
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402 - after the path, like the rest
from ruamel.yaml import YAML  # noqa: E402
from yaml._yaml import CParser  # noqa: E402

from benchmarks.recipe_sets import make_set  # noqa: E402
from f0ci.source.native_yaml import native_reader, python_reader  # noqa: E402
from f0ci.source.reading import MAX_DEPTH, Positions, Reading  # noqa: E402
from f0ci.source.yaml import read_exactly  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "reading.md"
Read = Callable[[bytes], Any]
_FLOOR = "libyaml alone, nothing made of it"
_C, _C_PLACED = "f0ci, reader in C", "f0ci, reader in C, with positions"
_PYTHON, _PYTHON_PLACED = "f0ci, reader in Python", "f0ci, reader in Python, with positions"
_PYYAML, _RUAMEL = "PyYAML, CSafeLoader", "ruamel.yaml, safe, with its C parser"
_NOTES = "The C parser of ruamel.yaml is what check-jsonschema reads with. PyYAML and ruamel.yaml give no positions."


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    made = make_set(options.files, faulty=0).files
    files = [content for path, content in sorted(made.items()) if path.endswith(".yaml")]
    _prove(files)
    ratios, speeds = _measure(files, options.rounds)
    page = _page(files, options.rounds, ratios, speeds)
    PAGE.write_text(page, encoding="utf-8")
    sys.stdout.write(page)


def readers() -> Mapping[str, Read]:
    """Return what is measured, by name; each takes a file's bytes."""
    native, python = native_reader(), python_reader("a comparison")
    placed, ruamel = native.placed, YAML(typ="safe", pure=False)
    if placed is None:
        sys.exit("the reader in C is not built; install f0ci with a C compiler")
    return {
        _FLOOR: lambda raw: CParser(raw).raw_parse(),
        _C: lambda raw: native.plain(raw, MAX_DEPTH),
        _C_PLACED: lambda raw: placed(raw, MAX_DEPTH),
        _PYTHON: lambda raw: python.plain(raw, MAX_DEPTH),
        _PYTHON_PLACED: _exact,
        _PYYAML: lambda raw: yaml.load(raw, yaml.CSafeLoader),
        _RUAMEL: lambda raw: ruamel.load(raw.decode()),
    }


def _exact(raw: bytes) -> Reading:
    reading = Reading(positions=Positions())
    read_exactly(raw, reading)
    return reading


def _prove(files: list[bytes]) -> None:
    found = readers()
    for raw in files:
        exact = found[_PYTHON_PLACED](raw)
        plain, placed = found[_C](raw), found[_C_PLACED](raw)
        same = [plain[0], placed[0], found[_PYTHON](raw)[0], found[_PYYAML](raw), found[_RUAMEL](raw)]
        if any(data != exact.data for data in same):
            sys.exit("a file is read as something else by another reader; no figure counts")
        if (placed[1], placed[2]) != (exact.positions.values, exact.positions.keys):
            sys.exit("the two readers of f0ci see a value at different places; no figure counts")


def _measure(files: list[bytes], rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """Return the median of the ratios to the floor of the same round, and of the milliseconds a megabyte."""
    found = readers()
    megabytes = sum(map(len, files)) / 1e6
    ratios: dict[str, list[float]] = {name: [] for name in found}
    speeds: dict[str, list[float]] = {name: [] for name in found}
    gc.disable()
    for _ in range(rounds):
        taken = {name: _seconds(read, files) for name, read in found.items()}
        gc.collect()
        for name, seconds in taken.items():
            ratios[name].append(seconds / taken[_FLOOR])
            speeds[name].append(seconds * 1_000 / megabytes)
    medians = {name: statistics.median(values) for name, values in ratios.items()}
    return medians, {name: statistics.median(values) for name, values in speeds.items()}


def _seconds(read: Read, files: list[bytes]) -> float:
    begun = time.process_time()
    for raw in files:
        read(raw)
    return time.process_time() - begun


def _page(files: list[bytes], rounds: int, ratios: Mapping[str, float], speeds: Mapping[str, float]) -> str:
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("PyYAML", "ruamel.yaml", "ruamel.yaml.clib"))
    size = sum(map(len, files)) / 1e6
    bars = (
        ("reader in C / libyaml alone", ratios[_C] / ratios[_FLOOR], 0.75),
        ("reader in C, with positions / libyaml alone", ratios[_C_PLACED] / ratios[_FLOOR], 3.0),
        ("reader in C / reader in Python", ratios[_C] / ratios[_PYTHON], 0.12),
        ("reader in C / CSafeLoader of PyYAML", ratios[_C] / ratios[_PYYAML], 0.05),
        ("reader in Python / CSafeLoader of PyYAML", ratios[_PYTHON] / ratios[_PYYAML], 0.55),
    )
    return "\n".join(
        [
            "# How fast does f0ci read YAML?",
            "",
            f"Written by `.venv/bin/python benchmarks/reading.py`. {len(files)} recipes, {size:.1f} MB, read in one"
            f" process with the garbage collector off; readers take turns; medians of {rounds} rounds; CPU time.",
            _NOTES,
            "",
            f"{platform.system()} on {platform.machine()}, Python {platform.python_version()}, {versions}.",
            "",
            "All readers gave the same data of every file, the two of f0ci the same positions.",
            "",
            "| reader | / libyaml alone | ms a MB |",
            "|---|--:|--:|",
            *(f"| {name} | {ratios[name]:.2f} | {speeds[name]:.1f} |" for name in ratios),
            "",
            "## Bars",
            "",
            "| what | measured | at most | |",
            "|---|--:|--:|---|",
            *(
                f"| {what} | {value:.2f} | {most:g} | {'met' if value <= most else '**missed**'} |"
                for what, value, most in bars
            ),
            "",
        ]
    )


if __name__ == "__main__":
    main()
