"""How fast `f0ci render --all` is, beside a plain loop over Jinja2 with the same files; writes `results/render.md`.

    .venv/bin/python benchmarks/render.py [--environments 20] [--recipes 1000] [--keys 2000] [--rounds 5]

A figure counts only where both render recipes that read the same, and where what was rendered incrementally is what
rendering afresh gives; otherwise the benchmark stops.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import environment  # noqa: E402 - found only from the root
from benchmarks.render_sets import TEMPLATES, write_workspace  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "render.md"
_FULL, _ONE, _BASE, _NOTHING, _PLAIN = (
    "f0ci, everything",
    "f0ci, a key of one environment changed",
    "f0ci, a key of the base changed, which all environments share",
    "f0ci, nothing changed",
    "plain loop over Jinja2, everything",
)
_BARS = ((_FULL, _PLAIN, 1.5), (_ONE, _FULL, 0.1), (_BASE, _FULL, 0.1))
_COMPARED = 40


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--environments", type=int, default=20)
    parser.add_argument("--recipes", type=int, default=1_000)
    parser.add_argument("--keys", type=int, default=2_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory(prefix="f0ci-benchmark-") as name:
            one_round(Path(name), options, number, found)
    page = "\n".join(written(options, found))
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page, encoding="utf-8")
    print(page)  # noqa: T201 - a program's output


def one_round(folder: Path, options: argparse.Namespace, number: int, found: dict[str, list[dict[str, float]]]) -> None:
    """Measure everything once, in a folder of its own."""
    workspace, ours, plain = folder / "workspace", folder / "f0ci", folder / "plain"
    write_workspace(workspace, options.environments, options.recipes, options.keys, seed=number)

    def note(what: str, program: str, output: Path) -> None:
        found.setdefault(what, []).append(run(program, workspace, output, folder / "cache"))

    # who begins has the disk to itself, so they take turns
    order = [(_FULL, "f0ci", ours), (_PLAIN, "plain", plain)]
    for what, program, output in order if number % 2 else reversed(order):
        note(what, program, output)
    require_same(ours, plain)
    note(_NOTHING, "f0ci", ours)
    change(workspace / "environments/env-03/config.yaml")
    note(_ONE, "f0ci", ours)
    change(workspace / "environments/base.yaml")
    note(_BASE, "f0ci", ours)
    f0ci = str(Path(sys.executable).parent / "f0ci")
    check = [f0ci, "-C", str(workspace), "render", "--all", "-o", str(ours), "--check"]
    if subprocess.run(check, check=False, stdout=subprocess.DEVNULL).returncode:
        raise SystemExit("what was rendered incrementally is not what rendering everything gives")


def run(program: str, workspace: Path, output: Path, cache: Path) -> dict[str, float]:
    """Render in a process of its own and return its seconds, by the clock and of CPU."""
    command = [sys.executable, str(ROOT / "benchmarks" / "render_once.py"), program, str(workspace), str(output)]
    environ = {**environment(), "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(command, env=environ, capture_output=True, check=True, timeout=600)
    seconds: dict[str, float] = json.loads(done.stdout)
    return seconds


def change(path: Path) -> None:
    """Give one key of a configuration another value."""
    text = path.read_text(encoding="utf-8")
    changed = re.sub(r"^(  key_\d+: )(?:value-)?(\d+)$", r"\g<1>value-\g<2>7", text, count=1, flags=re.MULTILINE)
    if changed == text:
        raise SystemExit(f"{path.name} has no key to change")
    path.write_text(changed, encoding="utf-8")


def require_same(ours: Path, plain: Path) -> None:
    """Stop unless recipes and templates that both rendered read the same."""
    files = sorted(path for path in plain.rglob("*.yaml"))
    if not files:
        raise SystemExit("the plain loop rendered nothing")
    for path in files[:: max(1, len(files) // _COMPARED)]:
        other = ours / path.relative_to(plain)
        one, two = (yaml.safe_load(file.read_bytes()) for file in (path, other))
        # the plain loop writes every expression as text, f0ci a number as a number
        if _as_text(one) != _as_text(two):
            raise SystemExit(f"{path.relative_to(plain)} differs")


def _as_text(data: object) -> object:
    if isinstance(data, dict):
        return {key: _as_text(value) for key, value in data.items()}
    return [_as_text(value) for value in data] if isinstance(data, list) else str(data)


def median(costs: list[dict[str, float]], what: str) -> float:
    """Return the median of one figure."""
    return statistics.median(cost[what] for cost in costs)


def written(options: argparse.Namespace, found: dict[str, list[dict[str, float]]]) -> list[str]:
    """Return the page's lines."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("Jinja2", "PyYAML"))
    plain_cpu, plain_wall = median(found[_PLAIN], "cpu"), median(found[_PLAIN], "wall")
    lines = [
        "# How fast is `f0ci render`?",
        "",
        "Written by `.venv/bin/python benchmarks/render.py`. From files to files:"
        f" {options.environments} environments, {options.recipes:,} recipes, {TEMPLATES} templates,"
        f" {options.keys:,} configuration keys of which each environment overrides a twentieth;"
        f" medians of {options.rounds} rounds. Each figure is a process of its own, without starting Python and"
        " importing. f0ci parses every recipe, resolves and types every expression, reads YAML back, hashes, records"
        " origins and replaces files safely; the plain loop (`benchmarks/plain_jinja.py`) substitutes text. Its"
        " templates are all kept compiled, which Jinja2 does not do by itself beyond 400.",
        "",
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} on {platform.machine()}, Python"
        f" {platform.python_version()}, {versions}.",
        "",
        "| what | CPU, s | / plain | clock, s | / plain |",
        "|---|--:|--:|--:|--:|",
    ]
    for what, costs in found.items():
        cpu, wall = median(costs, "cpu"), median(costs, "wall")
        lines.append(f"| {what} | {cpu:.3f} | {cpu / plain_cpu:.2f} | {wall:.3f} | {wall / plain_wall:.2f} |")
    lines += ["", "## Bars", "", "Ratios of CPU seconds.", ""]
    lines += ["| what | measured | at most | |", "|---|--:|--:|---|"]
    for what, against, most in _BARS:
        ratio = median(found[what], "cpu") / median(found[against], "cpu")
        state = "met" if ratio <= most else "**missed**"
        lines.append(f"| {what} / {against} | {ratio:.3f} | {most:g} | {state} |")
    lines += [
        "",
        "A missed bar stays open here until it is met. `kustomize build` layers Kubernetes objects and has no"
        " counterpart for values inside recipes, so it is not measured.",
        "",
    ]
    return lines


if __name__ == "__main__":
    main()
