"""How long `f0ci generate` takes for a large workflow, by CI system.

`python benchmarks/generate.py` measures 500 stages in 20 environments and writes `results/generate.md`; with STAGES and
ENVIRONMENTS it prints. The floor is what Python itself needs to start and to import a YAML library.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from benchmarks.measuring import Runs, run

SYSTEMS = ("github", "gitlab", "jenkins", "azure")
ROUNDS = 5
RECIPE = "metadata: {name: deploy, version: '1'}\nsteps:\n  - {name: deploy, idx: 1, type: shell, run: ./deploy}\n"
# seconds of CPU, per system
LIMIT = 2.0


def workflow(stages: int, environments: int) -> str:
    """Return a workflow: environments one after the other, the last quarter asks people, tasks follow each promotion.

    Args:
        stages: how many there are, promotions among them.
        environments: how many there are.
    """
    names = [f"env{number}" for number in range(environments)]
    asks = environments - environments // 4
    lines = ["apiVersion: framework0.io/v1", "kind: ProductionWorkflow", "metadata: {name: large}", "spec:"]
    lines += ["  environments:"]
    # what a promotion runs makes its jobs take turns
    lines += [
        f"    {name}: {{approval_required: {str(at >= asks).lower()}, deploy: recipes/deploy.yaml}}"
        for at, name in enumerate(names)
    ]
    lines += ["  bindings:", "    tests:", "      check: {run: make check}", "  pipeline_stages:"]
    tasks = stages - environments
    before = [tasks * at // (environments + 1) for at in range(environments + 2)]
    last = ""
    for at in range(environments + 1):
        made = [f"task{number}" for number in range(before[at], before[at + 1])]
        for name in made:
            lines.append(f"    - {{name: {name}, tests: [check]{last and f', requires: [{last}]'}}}")
        if at < environments:
            needed = made[-1:] or ([last] if last else [])
            lines.append(f"    - {{name: to_env{at}, environment: env{at}, requires: [{', '.join(needed)}]}}")
            last = f"to_env{at}"
    return "\n".join(lines) + "\n"


def main(stages: int, environments: int, target: Path | None) -> int:
    """Measure, write a page, and return 1 where a system takes more than it may.

    Args:
        stages: how many the workflow has.
        environments: how many of them promote.
        target: where the page is written, or None to print it.
    """
    runs: dict[str, Runs] = {name: Runs() for name in ("floor", *SYSTEMS)}
    sizes = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "workflow.yaml").write_text(workflow(stages, environments), encoding="utf-8")
        (folder / "recipes").mkdir()
        (folder / "recipes/deploy.yaml").write_text(RECIPE, encoding="utf-8")
        f0ci = str(Path(sys.executable).parent / "f0ci")
        commands: dict[str, tuple[str, ...]] = {system: (f0ci, "generate", system, "--stdout") for system in SYSTEMS}
        commands["floor"] = (sys.executable, "-c", "import yaml, json")
        # programs take turns, so that whatever else the machine does meets all of them
        for _ in range(ROUNDS):
            for program, command in commands.items():
                cost = run(command, folder)
                if cost.code:
                    raise SystemExit(f"{' '.join(command)}: exit {cost.code}")
                runs[program].costs.append(cost)
        for system in SYSTEMS:
            sizes[system] = len(subprocess.run(commands[system], cwd=folder, check=True, capture_output=True).stdout)
    page = "\n".join(_page(stages, environments, runs, sizes)) + "\n"
    if target is None:
        sys.stdout.write(page)
    else:
        target.write_text(page, encoding="utf-8")
    return int(any(runs[system].cpu > LIMIT for system in SYSTEMS))


def _page(stages: int, environments: int, runs: dict[str, Runs], sizes: dict[str, int]) -> Iterator[str]:
    floor = runs["floor"]
    yield "# How fast is `f0ci generate`?"
    yield ""
    yield (
        f"Written by `.venv/bin/python benchmarks/generate.py`. A workflow of {stages} stages, {environments} of them "
        "promotions with a deploy recipe, one after the other, the last quarter asking people. Whole processes, which "
        f"take turns; medians of {ROUNDS} rounds. The floor is Python starting and importing a YAML library."
    )
    yield ""
    yield "| system | clock, s | CPU, s | times the floor (CPU) | peak, MB | file, KiB |"
    yield "|---|--:|--:|--:|--:|--:|"
    for system in SYSTEMS:
        cost = runs[system]
        ratio = cost.cpu / floor.cpu
        yield (
            f"| {system} | {cost.wall:.2f} | {cost.cpu:.2f} | {ratio:.1f} | {cost.memory:.0f} | "
            f"{sizes[system] / 1024:.0f} |"
        )
    yield f"| floor | {floor.wall:.2f} | {floor.cpu:.2f} | 1.0 | {floor.memory:.0f} | |"


if __name__ == "__main__":
    results = Path(__file__).parent / "results/generate.md"
    if len(sys.argv) > 1:
        how_many, promoting = map(int, sys.argv[1:3])
        sys.exit(main(how_many, promoting, None))
    sys.exit(main(500, 20, results))
