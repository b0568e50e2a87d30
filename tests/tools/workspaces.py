"""Work trees whose generated pipelines are checked, and running the checkers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

from f0ci.commands.generating import generate, write_files
from f0ci.commands.scaffolding import scaffold
from tests.unit.pipelines.test_customising import ADDED, with_spec

ROOT = Path(__file__).parents[2]
NAMES = ("scaffold", "own", "seed", "shop", "custom", "hostile", "turns")


# whatever a name may look like to some program on its way
HOSTILE = [
    'it\'s "quoted"',
    "$(touch pwned) `id` ${X} $X",
    "'" * 3,
    "line\nbreak: x\n- y",
    "größe € \U0001f600",
    "--help",
    "-rf",
    "x" * 200,
    "#{config.a} {{ b }}",
    "##vso[task.setvariable variable=a]b",
    "::error::x",
    "%PATH% $$",
    "*/ // \\u0041 \\",
    "*anchor &anchor !tag",
    "null",
    "1e3",
]


def hostile() -> str:
    """Return a workflow whose names are hostile where they can be; its stage and environment names cannot be."""
    spec = {
        "environments": {"dev": {}, "prod": {"approval_required": True}},
        "bindings": {"tests": {name: {"run": "make check"} for name in HOSTILE[:-4]}},
        "pipeline_stages": [
            {"name": "build", "uses": HOSTILE[-2], "tests": HOSTILE},
            {"name": "to_dev", "environment": "dev", "requires": ["build"]},
            {"name": "smoke", "requires": ["to_dev"], "tests": HOSTILE},
            {"name": "to_prod", "environment": "prod", "requires": ["smoke"], "tests": HOSTILE},
        ],
    }
    metadata = {"name": HOSTILE[0]}
    data = {"apiVersion": "framework0.io/v1", "kind": "ProductionWorkflow", "metadata": metadata, "spec": spec}
    return json.dumps(data, ensure_ascii=False)


def check(*command: str, content: str | None = None) -> None:
    done = subprocess.run(command, input=content, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


def generated(name: str, system: str, folder: Path) -> str:
    """Return what is generated for a CI system: from the scaffold, from f0ci itself, from the seed document, ..."""
    if name == "scaffold":
        scaffold(folder)
    elif name == "own":
        shutil.copy(ROOT / "workflow.yaml", folder)
        shutil.copy(ROOT / "f0ci.yaml", folder)
        shutil.copytree(ROOT / "recipes", folder / "recipes")
        shutil.copytree(ROOT / "environments", folder / "environments")
    elif name == "seed":
        shutil.copy(ROOT / "tests/projects/production_workflow/workflow.yaml", folder)
    elif name == "custom":
        # checkers know the labels of hosted runners alone
        hosted = ADDED.replace("[self-hosted, linux]", "ubuntu-24.04")
        hosted = hosted.replace("{build: {runner: big}}\n  gitlab", "{build: {runner: ubuntu-22.04}}\n  gitlab")
        (folder / "workflow.yaml").write_text(with_spec(hosted), encoding="utf-8")
    elif name == "hostile":
        (folder / "workflow.yaml").write_text(hostile(), encoding="utf-8")
    else:
        shutil.copytree(ROOT / "tests/cases/pipelines/shop/input", folder, dirs_exist_ok=True)
    if name == "turns":
        # every extension that concerns promotions which hand work over
        steps = "before: [{name: it's, run: echo 'a'}, {run: f0ci --version}], after: [{run: echo b}]"
        jobs = ", ".join(f"{job}: {{{steps}}}" for job in ("deploy_dev", "deploy_prod", "continue", "rollback"))
        with (folder / "workflow.yaml").open("a", encoding="utf-8") as workflow:
            workflow.write(f"  pipelines: {{jenkins: {{worker: untrusted}}, jobs: {{{jobs}}}}}\n")
    made = generate(folder, [system])
    write_files(folder, made)
    assert all(state.is_fresh for state in generate(folder, [system]).states)
    # GitHub has a second file, which the first one calls
    return next(iter(made.files.values()))
