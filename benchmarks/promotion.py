"""How promotion behaves with a long past, many writers at once, and many files; writes `results/promotion.md`.

    .venv/bin/python benchmarks/promotion.py [--promotions 10000] [--writers 32] [--files 10000] [--rounds 5]

A figure counts only where what it measures came out right: the audit finds nothing, every accepted event is in the
ledger once, the environment holds a planned tree, the rollback restored the exact tree; otherwise the benchmark stops.
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
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.measuring import Program, environment, in_turns, run  # noqa: E402 - found only from the root
from benchmarks.past import make_past  # noqa: E402
from f0ci.commands.scaffolding import scaffold  # noqa: E402

PAGE = ROOT / "benchmarks" / "results" / "promotion.md"
F0CI = str(Path(sys.executable).parent / "f0ci")
_LOOK_SECONDS, _VERIFY_SECONDS, _ROLLBACK_SECONDS = 0.3, 60.0, 1.0
# a plain commit and push is some 25 ms of git; a rollback makes three pushes, two of them for what came of it
_ROLLBACK_RATIO, _WRITERS_RATIO = 30.0, 8.0
_SPECS = tuple(f"+refs/{name}/*:refs/floor/{name}/*" for name in ("heads/env", "heads/f0ci", "tags/f0ci"))
_RECIPE = "metadata: {name: hello}\nsteps:\n  - {idx: 1, name: hello, type: shell, run: echo hello}\n"
_APPROVERS = "  alice:\n    emails: [alice@example.com]\n"
# what a writer does at the least: make an event's commit on the tip, push it, and try again where somebody was first
_APPEND = """
while :; do
  git fetch -q origin +refs/heads/floor:refs/remotes/origin/floor
  blob=$(echo "event of $1" | git hash-object -w --stdin)
  tree=$( (git ls-tree origin/floor; printf '100644 blob %s\\t%s\\n' "$blob" "$1") | git mktree)
  commit=$(git commit-tree "$tree" -p origin/floor -m "event of $1")
  git push -q origin "$commit:refs/heads/floor" 2>/dev/null && exit 0
done
"""
_PLAIN = """
commit=$(git commit-tree "$1" -p "$2" -m "back")
git push -q origin "$commit:refs/heads/plain-$3"
"""


@dataclass(frozen=True, slots=True)
class Bar:
    """One thing that shall hold: a figure that is at most so much."""

    what: str
    value: float
    most: float

    @property
    def line(self) -> str:
        """The bar as a row of a table."""
        met = "met" if self.value <= self.most else "**missed**"
        return f"| {self.what} | {self.value:.3f} | {self.most:g} | {met} |"


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--promotions", type=int, default=10_000)
    parser.add_argument("--writers", type=int, default=32)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    bars: list[Bar] = []
    lines = heading(options.rounds)
    with tempfile.TemporaryDirectory(prefix="f0ci-benchmark-") as name:
        os.environ["HOME"] = name
        os.environ["GIT_CONFIG_NOSYSTEM"] = "1"
        Path(name, ".gitconfig").write_text("[user]\n\tname = Alice\n\temail = alice@example.com\n[gc]\n\tauto = 0\n")
        lines += long_past(Path(name, "past"), options.promotions, options.rounds, bars)
        lines += going_back(Path(name, "back"), options.files, min(options.rounds, 3), bars)
        lines += at_once(Path(name, "writers"), options.writers, bars)
    lines += [
        "",
        "## Bars",
        "",
        "| what | measured | at most | |",
        "|---|--:|--:|---|",
        *(bar.line for bar in bars),
        "",
    ]
    PAGE.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))  # noqa: T201 - a program's output


def heading(rounds: int) -> list[str]:
    """Return what the page says of what was measured, with what, and on what kind of machine."""
    version = subprocess.run(["git", "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    return [
        "# How does promotion behave at size?",
        "",
        "Written by `.venv/bin/python benchmarks/promotion.py`. Whole processes, remotes as bare repositories on the"
        f" same disk; programs take turns, figures are medians of {rounds} rounds (3 for"
        " rollbacks). The past is written by `git fast-import` (`benchmarks/past.py`), with signed approvals.",
        "",
        f"{len(os.sched_getaffinity(0))} cores, {platform.system()} on {platform.machine()}, Python"
        f" {platform.python_version()}, Git {version}.",
    ]


def long_past(folder: Path, promotions: int, rounds: int, bars: list[Bar]) -> list[str]:
    """Measure looking at a repository with a long past, and verifying a fresh clone of it."""
    folder.mkdir()
    work = make_past(folder, promotions)
    first = run([F0CI, "status"], work)
    commands = {
        "f0ci status": [F0CI, "status"],
        "f0ci why prod": [F0CI, "why", "prod"],
        "f0ci plan prod": [F0CI, "plan", "prod"],
        "floor: git fetch of the same refs": ["git", "fetch", "-q", "--no-tags", "origin", *_SPECS],
    }
    run(commands["floor: git fetch of the same refs"], work)
    found = in_turns({name: Program(command, work) for name, command in commands.items()}, rounds)
    lines = ["", f"## {promotions:,} promotions", "", "| what | clock, s | CPU, s | peak, MB |", "|---|--:|--:|--:|"]
    lines.append(f"| f0ci status, the first in a clone | {first.wall:.3f} | {first.cpu:.3f} | {first.memory:.0f} |")
    for name, runs in found.items():
        if any(cost.code for cost in runs.costs):
            raise SystemExit(f"{name!r} failed")
        lines.append(f"| {name} | {runs.wall:.3f} | {runs.cpu:.3f} | {runs.memory:.0f} |")
        if not name.startswith("floor"):
            bars.append(Bar(f"`{name}`, {promotions:,} promotions, clock in s", runs.wall, _LOOK_SECONDS))
    clone = folder / "clone"
    git(folder, "clone", "-q", (folder / "project.git").as_uri(), str(clone))
    verified = run([F0CI, "audit", "verify"], clone)
    if verified.code != 0:
        raise SystemExit("the audit of a sound past found something")
    cost = f"{verified.wall:.3f} | {verified.cpu:.3f} | {verified.memory:.0f}"
    lines.append(f"| f0ci audit verify, a fresh clone | {cost} |")
    bars.append(Bar(f"fresh clone verified, {promotions:,} promotions, clock in s", verified.wall, _VERIFY_SECONDS))
    return lines


def going_back(folder: Path, files: int, rounds: int, bars: list[Bar]) -> list[str]:
    """Measure a rollback in a repository of many files, beside a plain commit and push of the same tree."""
    work = project(folder / "made", {"dev": "{}"}, "")
    for index in range(files):
        path = work / "src" / f"{index % 100:02d}" / f"{index}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{index}\n", encoding="utf-8")
    (work / "f0ci.yaml").write_text("version: 1\ncode: [src]\n", encoding="utf-8")
    for turn in ("one", "two"):
        (work / "src" / "turn.txt").write_text(turn, encoding="utf-8")
        commit(work, turn)
        f0ci(work, "release", "create")
        f0ci(work, "promote", "dev")
    good = git(folder / "made" / "project.git", "rev-parse", "env/dev~1^{tree}")
    ours, plain = [], []
    for attempt in range(rounds):
        copy = folder / f"copy-{attempt}"
        shutil.copytree(folder / "made", copy, symlinks=True)
        git(copy / "project", "remote", "set-url", "origin", str(copy / "project.git"))
        back = run([F0CI, "rollback", "dev", "--reason", "orders are lost"], copy / "project")
        if back.code != 0 or git(copy / "project.git", "rev-parse", "env/dev^{tree}") != good:
            raise SystemExit("the rollback did not restore the exact tree")
        tip = git(copy / "project.git", "rev-parse", "env/dev")
        words = ["sh", "-c", _PLAIN, "sh", good, "HEAD", str(attempt)]
        git(copy / "project", "fetch", "-q", "origin", tip)
        plain.append(run(words, copy / "project").wall)
        ours.append(back.wall)
        shutil.rmtree(copy)
    middle, floor = sorted(ours)[len(ours) // 2], sorted(plain)[len(plain) // 2]
    bars.append(Bar(f"rollback, {files:,} files, clock in s", middle, _ROLLBACK_SECONDS))
    bars.append(Bar("the same / plain git commit and push", middle / floor, _ROLLBACK_RATIO))
    lines = ["", f"## A rollback among {files:,} files", "", "| what | clock, s |", "|---|--:|"]
    return [
        *lines,
        f"| f0ci rollback: decision and push | {middle:.3f} |",
        f"| git commit-tree and push | {floor:.3f} |",
    ]


def at_once(folder: Path, writers: int, bars: list[Bar]) -> list[str]:
    """Measure many writers at once, on one environment and on many, beside as many bare appends."""
    people = [f"person{index}" for index in range(writers // 2)]
    gates = f"{{gates: {{approval: {{count: {len(people)}, not_author: false}}}}}}"
    several = {f"e{index:02d}": "{}" for index in range(writers)}
    approvers = "".join(
        f"  {name}:\n    emails: [{name}@example.com]\n    keys: ['{key(folder / 'keys', name)}']\n" for name in people
    )
    work = project(folder / "made", {"dev": gates, **several}, approvers)
    commit(work, "go")
    f0ci(work, "release", "create")
    f0ci(work, "promote", "dev", codes=(5,))
    bare = folder / "made" / "project.git"
    clones = [folder / f"clone-{index}" for index in range(writers)]
    for index, clone in enumerate(clones):
        git(folder, "clone", "-q", str(bare), str(clone))
        name = people[index % len(people)]
        for setting, value in (
            ("user.name", name),
            ("user.email", f"{name}@example.com"),
            ("gpg.format", "ssh"),
            ("user.signingKey", str(folder / "keys" / f"{name}.pub")),
        ):
            git(clone, "config", setting, value)
    git(bare, "update-ref", "refs/heads/floor", git(bare, "commit-tree", "-m", "floor", EMPTY_TREE))
    floor = together([["sh", "-c", _APPEND, "sh", f"writer-{index}"] for index in range(writers)], clones, (0,))
    half = writers // 2
    mixed = [[F0CI, "approve", "dev-1"] if index < half else [F0CI, "promote", "dev"] for index in range(writers)]
    one = together(mixed, clones, (0, 5))
    f0ci(work, "promote", "dev")
    told = events(bare, "dev")
    said = [event["data"]["statement"]["approver"] for event in told if event["kind"] == "approved"]
    if sorted(said) != sorted(people) or [event["kind"] for event in told].count("applied") != 1:
        raise SystemExit("an event was lost, or is there twice")
    planned = next(event["data"]["plan"]["steps"][0]["tree"] for event in told if event["kind"] == "requested")
    if git(bare, "rev-parse", "env/dev^{tree}") != planned:
        raise SystemExit("the environment holds a tree that was not planned")
    many = together([[F0CI, "promote", name] for name in several], clones, (0,))
    for name in several:
        kinds = [event["kind"] for event in events(bare, name)]
        if kinds != ["policy", "requested", "applied", "deployed", "succeeded"]:
            raise SystemExit(f"the ledger of {name!r} is {kinds}")
    f0ci(work, "audit", "verify")
    bars.append(Bar(f"{writers} promoters and approvers, one environment / bare appends", one / floor, _WRITERS_RATIO))
    bars.append(Bar(f"{writers} promoters, as many environments / bare appends", many / floor, _WRITERS_RATIO))
    lines = ["", f"## {writers} writers at once", "", "| what | clock until the last one is done, s |", "|---|--:|"]
    lines.append(f"| {half} approvers and {writers - half} promoters, one environment | {one:.2f} |")
    lines.append(f"| {writers} promoters, each its environment, 4 pushes each | {many:.2f} |")
    return [*lines, f"| {writers} bare git appends to one ref | {floor:.2f} |"]


EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def together(commands: Sequence[Sequence[str]], folders: Sequence[Path], codes: tuple[int, ...]) -> float:
    """Run commands at once, each in its folder; return the seconds until the last one is done."""
    begun = time.perf_counter()
    running = [
        subprocess.Popen(words, cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        for words, folder in zip(commands, folders, strict=True)
    ]
    ended = [process.communicate()[1] for process in running]
    seconds = time.perf_counter() - begun
    for process, said in zip(running, ended, strict=True):
        if process.returncode not in codes:
            raise SystemExit(f"a writer ended with {process.returncode}: {said.decode()}")
    return seconds


def project(folder: Path, environments: dict[str, str], approvers: str) -> Path:
    """Scaffold a project with some environments and no deploy recipe, and a bare remote beside it; return the clone."""
    folder.mkdir(parents=True)
    bare, work = folder / "project.git", folder / "project"
    git(folder, "init", "-q", "--bare", "-b", "main", str(bare))
    git(folder, "init", "-q", "-b", "main", str(work))
    scaffold(work)
    named = "".join(f"    {name}: {text}\n" for name, text in environments.items())
    head = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: sized}\nspec:\n  environments:\n"
    (work / "workflow.yaml").write_text(head + named, encoding="utf-8")
    for name in environments:
        config = work / "environments" / name / "config.yaml"
        if not config.exists():
            config.parent.mkdir(parents=True, exist_ok=True)
            config.write_text(f"environment: {{name: {name}}}\n", encoding="utf-8")
    (work / ".f0ci").mkdir(exist_ok=True)
    (work / ".f0ci" / "approvers.yaml").write_text("version: 1\npeople:\n" + (approvers or _APPROVERS))
    shutil.rmtree(work / "recipes")
    (work / "recipes").mkdir()
    (work / "recipes" / "hello.yaml").write_text(_RECIPE, encoding="utf-8")
    git(work, "remote", "add", "origin", str(bare))
    return work


def commit(work: Path, message: str) -> None:
    """Commit everything, and push it."""
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", message)
    git(work, "push", "-q", "origin", "HEAD:main")


def key(folder: Path, name: str) -> str:
    """Make a signing key; return its public part."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(folder / name)], check=True)
    return (folder / f"{name}.pub").read_text(encoding="ascii").strip()


def events(bare: Path, name: str) -> list[dict[str, Any]]:
    """Return the events of a ledger, in order."""
    ref = f"f0ci/ledger/{name}"
    paths = git(bare, "ls-tree", "-r", "--name-only", ref).splitlines()
    return sorted((json.loads(git(bare, "show", f"{ref}:{path}")) for path in paths), key=lambda one: one["position"])


def f0ci(work: Path, *words: str, codes: tuple[int, ...] = (0,)) -> None:
    """Run f0ci, and stop unless it ends as it should."""
    done = subprocess.run([F0CI, *words], cwd=work, env=environment(), capture_output=True, check=False)
    if done.returncode not in codes:
        said = done.stderr.decode() + done.stdout.decode()
        raise SystemExit(f"f0ci {' '.join(words)} ended with {done.returncode}: {said}")


def git(folder: Path, *words: str) -> str:
    """Run git; return what it prints."""
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


if __name__ == "__main__":
    main()
