"""A step type and a scriptlet package of another distribution, really built and installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import write_files
from tests.unit.runner.conftest import PROJECTS

RECIPE = """
metadata: {name: r}
steps:
  - {name: add, type: python, module: acme_scriptlets.numbers, function: Sum, args: {numbers: [1, 2]}, timeout: 30}
  - {name: tell, type: shout, args: {text: "the sum is #{steps.add.outputs.sum}"}, success: {ctx_has_keys: [shouted]}}
"""
F0ci = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which a wheel of the tiny distribution is installed."""
    base = tmp_path_factory.mktemp("plugin")
    shutil.copytree(PROJECTS / "plugin", base / "source")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    built = subprocess.run(
        [sys.executable, "-c", build, str(base)], cwd=base / "source", check=True, capture_output=True, text=True
    )
    wheel = base / built.stdout.split()[-1]
    command = ["pip", "install", "--quiet", "--no-index", "--no-deps", "--target", str(base / "site"), str(wheel)]
    subprocess.run([sys.executable, "-m", *command], check=True, capture_output=True)
    return base / "site"


@pytest.fixture
def f0ci(installed: Path, tmp_path: Path) -> F0ci:
    """Return a function that runs f0ci beside the installed distribution, in a repository with one recipe."""

    def call(recipe: str, *args: str) -> subprocess.CompletedProcess[str]:
        write_files(tmp_path / "work", {"recipes/r.yaml": recipe})
        command = [sys.executable, "-m", "f0ci.cli", *args]
        script = "import sys; from f0ci.cli import main; main(sys.argv[1:])"
        command = [sys.executable, "-c", script, *args]
        environ = {**os.environ, "PYTHONPATH": str(installed)}
        return subprocess.run(
            command, cwd=tmp_path / "work", env=environ, capture_output=True, text=True, check=False, timeout=60
        )

    return call


def test_a_step_type_and_a_scriptlet_package_of_others_are_found(f0ci: F0ci) -> None:
    answer = f0ci(RECIPE, "run", "recipes/r.yaml", "--format", "json", "--quiet")

    assert answer.returncode == 0, answer.stderr
    steps = {step["name"]: step for step in json.loads(answer.stdout)["steps"]}
    assert steps["tell"]["outputs"] == {"text": "THE SUM IS 3"}
    assert f0ci(RECIPE, "validate").returncode == 0


def test_a_step_type_that_cannot_be_imported_is_told(f0ci: F0ci) -> None:
    answer = f0ci("metadata: {}\nsteps: [{name: a, type: shout-broken}]\n", "run", "recipes/r.yaml")

    assert answer.returncode == 1
    assert "step type 'shout-broken' cannot be imported: No module named" in answer.stdout
    assert "reinstall the package that offers it" in answer.stdout


def test_an_unknown_step_type_is_told_with_the_closest(f0ci: F0ci) -> None:
    answer = f0ci("metadata: {}\nsteps: [{name: a, type: shuot}]\n", "run", "recipes/r.yaml")

    assert answer.returncode == 3
    assert "recipes/r.yaml:2:25: error: there is no step type 'shuot'" in answer.stderr
    assert "did you mean 'shout'?" in answer.stderr
