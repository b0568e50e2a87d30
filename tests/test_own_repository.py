"""f0ci is used on itself: its own recipes, environments, workflow, pipeline, wheel and demo."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from f0ci.cli.boundary import run
from f0ci.commands.generating import generate
from f0ci.commands.validating import validate
from f0ci.core.diagnostics import Severity

ROOT = Path(__file__).parents[1]


def test_its_own_files_validate_without_a_finding() -> None:
    result = validate(ROOT)

    assert [str(one.location) for one in result.diagnostics] == []
    assert result.summary.files >= 9
    assert result.exit_code(Severity.NOTE) == 0


def test_its_own_pipeline_is_current() -> None:
    assert [state.reason for state in generate(ROOT, ["github"]).states] == ["", ""]


def test_its_own_recipes_are_planned_for_every_environment(capsys: pytest.CaptureFixture[str]) -> None:
    for environment in ("dev", "staging", "prod"):
        capsys.readouterr()
        code = run(["-C", str(ROOT), "run", "recipes/deliver.yaml", "-e", environment, "--dry-run", "--format", "json"])

        assert code == 0
        steps = json.loads(capsys.readouterr().out)["steps"]
        assert [step["name"] for step in steps] == ["build_wheel", "try_wheel", "deliver_wheel"]


def test_pre_commit_hooks_name_commands_that_exist() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert [hook["id"] for hook in hooks] == ["f0ci-validate", "f0ci-generate-check", "f0ci-render-check"]
    for hook in hooks:
        command = hook["entry"].split()
        assert command[0] == "f0ci"
        assert run([command[1], "--help"]) == 0


def test_the_wheel_carries_schemas_scaffold_and_types(tmp_path: Path) -> None:
    environ = {**os.environ, "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(unpacked)

    schemas = {path.name for path in (unpacked / "f0ci/schemas").iterdir()}
    assert schemas == {path.name for path in (ROOT / "schemas").iterdir()}
    assert (unpacked / "f0ci/py.typed").is_file()
    examples = Path("f0ci/commands/examples")
    carried = {path.relative_to(unpacked) for path in (unpacked / examples).rglob("*") if path.is_file()}
    assert carried == {
        path.relative_to(ROOT) for path in (ROOT / examples).rglob("*") if path.suffix != ".pyc" and path.is_file()
    }
    environ["PYTHONPATH"] = str(unpacked)
    for args in (("init",), ("validate",)):
        folder = tmp_path / "new"
        folder.mkdir(exist_ok=True)
        # -P keeps the checkout's own f0ci out of the way
        said = subprocess.run(
            [sys.executable, "-P", "-m", "f0ci", *args],
            cwd=folder,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert said.returncode == 0, said.stdout + said.stderr
    assert "nothing to report" in said.stdout


def test_the_demo_walks_the_whole_line(tmp_path: Path) -> None:
    environ = {**os.environ, "TMPDIR": str(tmp_path), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/demo.py")],
        env=environ,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\$ f0ci audit verify\n.*no tampering found", done.stdout)
    assert re.findall(r"\[exit (\d)\]", done.stdout) == ["1", "1", "5", "5", "6"]
    assert list(tmp_path.iterdir()) == []


def test_every_command_has_help_with_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    from f0ci.cli.application import SECTIONS

    for _, commands in SECTIONS:
        for name, _, _ in commands:
            capsys.readouterr()
            assert run([name, "--help"]) == 0
            assert f"f0ci {name}" in capsys.readouterr().out.split("Example:")[1], name


def test_docs_name_only_commands_and_files_that_exist() -> None:
    from f0ci.cli.application import SECTIONS

    known = {name for _, commands in SECTIONS for name, _, _ in commands}
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")]
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for command in re.findall(r"(?:`|\$ )f0ci ([a-z]+)", text):
            assert command in known, f"{page.name}: f0ci {command}"
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
