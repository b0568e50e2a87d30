"""Generated GitHub workflows and the Action, under the real checkers."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.commands.generating import generate, write_files
from f0ci.commands.scaffolding import scaffold
from tests.tools.workspaces import generated as made

ROOT = Path(__file__).parents[2]
SEED = ROOT / "tests/projects/production_workflow"
PATH = ".github/workflows/f0ci.yml"
Tool = Callable[..., str]


def check(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"


@pytest.fixture(params=["scaffold", "own", "seed", "package", "command", "custom", "hostile", "turns"])
def generated(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Return the paths of generated workflows: of the scaffold, of f0ci itself, of the seed document, ..."""
    if request.param in {"custom", "hostile", "turns"}:
        made(request.param, "github", tmp_path)
        return written(tmp_path)
    if request.param == "own":
        source = (ROOT / "workflow.yaml").read_text(encoding="utf-8")
        # deploy recipes and configuration say which secrets the jobs get
        for folder in ("recipes", "environments"):
            shutil.copytree(ROOT / folder, tmp_path / folder)
    elif request.param == "seed":
        source = next(SEED.rglob("*.yaml")).read_text(encoding="utf-8")
    else:
        scaffold(tmp_path)
        source = (tmp_path / "workflow.yaml").read_text(encoding="utf-8")
    if request.param == "command":
        source = source.replace(
            "spec:\n", "spec:\n  install: python -m pip install --no-index --find-links wheels f0ci\n", 1
        )
    if request.param == "package":
        source = source.replace("spec:\n", "spec:\n  install: framework0/f0ci@" + "a" * 40 + "\n", 1)
    (tmp_path / "workflow.yaml").write_text(source, encoding="utf-8")
    write_files(tmp_path, generate(tmp_path, ["github"]))
    return written(tmp_path)


def written(folder: Path) -> list[str]:
    return sorted(map(str, (folder / PATH).parent.iterdir()))


def test_actionlint_has_nothing_to_say(generated: list[str], tool: Tool) -> None:
    check(tool("actionlint"), "-shellcheck", tool("shellcheck"), *generated)


def test_zizmor_has_nothing_to_say_in_its_strictest_persona(generated: list[str], tool: Tool) -> None:
    check(tool("zizmor"), "--offline", "--no-config", "--strict-collection", "--persona=auditor", "-q", *generated)


def test_the_published_schemas_hold(generated: list[str], tool: Tool) -> None:
    for schema in ("vendor.github-workflows", "custom.github-workflows-require-timeout"):
        check(tool("check-jsonschema"), "--builtin-schema", schema, *generated)


def test_the_action_fits_its_schema_and_zizmor(tool: Tool) -> None:
    check(tool("check-jsonschema"), "--builtin-schema", "vendor.github-actions", str(ROOT / "action.yml"))
    check(tool("zizmor"), "--offline", "--no-config", "--persona=auditor", "-q", str(ROOT / "action.yml"))


def test_shell_scripts_are_clean(tool: Tool) -> None:
    check(tool("shellcheck"), "action/run.sh", "tools/system_packages.sh", ".ci/run", cwd=ROOT)
