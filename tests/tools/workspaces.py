"""Work trees whose generated pipelines are checked, and running the checkers."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from f0ci.commands.generating import generate, write_files
from f0ci.commands.scaffolding import scaffold

ROOT = Path(__file__).parents[2]
NAMES = ("scaffold", "own", "seed", "shop")


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
    else:
        shutil.copytree(ROOT / "tests/cases/pipelines/shop/input", folder, dirs_exist_ok=True)
    made = generate(folder, [system])
    write_files(folder, made)
    assert all(state.is_fresh for state in generate(folder, [system]).states)
    (text,) = made.files.values()
    return text
