"""The hooks of `.pre-commit-hooks.yaml`, installed and run by the real pre-commit in a repository that uses them.

pre-commit makes an environment of its own and installs f0ci there from a repository of its files, as it does for
everybody; what f0ci depends on is taken from the environment that runs the tests, so that nothing is downloaded.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import git, write_files

ROOT = Path(__file__).parents[2]
HOOKS = ("f0ci-validate", "f0ci-render-check", "f0ci-generate-check")
RECIPE = "metadata: {name: nightly}\nsteps:\n  - {name: load, run: ./load.sh}\n"
WORKFLOW = """\
apiVersion: framework0.io/v1
kind: ProductionWorkflow
metadata: {name: shop}
spec:
  environments:
    staging: {}
  pipeline_stages:
    - {name: deploy_staging, environment: staging}
"""


@dataclass(frozen=True, slots=True)
class User:
    """A repository that uses the hooks, and what runs them there."""

    root: Path
    environ: dict[str, str]

    def run(self, hook: str) -> subprocess.CompletedProcess[str]:
        """Run one hook on all files."""
        return self.command(sys.executable, "-m", "pre_commit", "run", hook, "--all-files", "--verbose")

    def command(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a program in the repository."""
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environ,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a repository with what f0ci is installed from, and its commit."""
    folder = tmp_path_factory.mktemp("hooks") / "f0ci"
    for name in ("f0ci", "schemas"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".pre-commit-hooks.yaml"):
        shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    _commit(folder)
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    return folder, done.stdout.strip()


def _commit(folder: Path) -> None:
    who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), "add", "-A"], check=True)
    subprocess.run(["git", *who, "-C", str(folder), "commit", "-qm", "f0ci"], check=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which pre-commit keeps its environments, one for all tests here."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def user(tmp_path: Path, hooks: tuple[Path, str], home: Path) -> User:
    """Return a repository in order, with its pipeline and a rendering, that uses every hook."""
    folder, commit = hooks
    root = tmp_path / "shop"
    rendered = {"id": "f0ci-render-check", "args": ["staging", "--output", "rendered"]}
    config = {"repos": [{"repo": str(folder), "rev": commit, "hooks": [{"id": HOOKS[0]}, rendered, {"id": HOOKS[2]}]}]}
    environ = {
        **os.environ,
        "PRE_COMMIT_HOME": str(home),
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PIP_NO_DEPS": "1",
        "PIP_NO_BUILD_ISOLATION": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    user = User(root, environ)
    write_files(
        root,
        {
            "recipes/nightly.yaml": RECIPE,
            "environments/staging/config.yaml": "processing: {batch_size: 10}\n",
            "workflow.yaml": WORKFLOW,
            ".pre-commit-config.yaml": yaml.safe_dump(config),
        },
    )
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    _commit(root)
    for command in (["generate", "github"], ["render", "staging", "--output", "rendered"]):
        done = user.command(sys.executable, "-m", "f0ci", *command)
        assert done.returncode == 0, done.stdout
    _commit(root)
    return user


def test_the_manifest_offers_exactly_these_hooks() -> None:
    """What is documented is there."""
    manifest = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))

    assert sorted(hook["id"] for hook in manifest) == sorted(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_a_repository_in_order_passes(user: User, hook: str) -> None:
    """Installed once, run on all files."""
    done = user.run(hook)

    assert done.returncode == 0, done.stdout
    assert "Passed" in done.stdout


def test_a_fault_stops_the_commit(user: User) -> None:
    """The finding is shown, with its place."""
    user.command(sys.executable, "-m", "pre_commit", "install")
    write_files(user.root, {"recipes/nightly.yaml": RECIPE.replace("run:", "depends_on: [nowhere], run:")})
    git(user.root, "add", "-A")
    before = git(user.root, "rev-parse", "HEAD")
    done = user.command("git", "commit", "-m", "a fault")

    assert done.returncode == 1, done.stdout
    assert "recipes/nightly.yaml:3:31: error[unknown-dependency]" in done.stdout
    assert git(user.root, "rev-parse", "HEAD") == before


def test_a_rendering_that_is_not_up_to_date_fails(user: User) -> None:
    """The environment's configuration changed, the committed rendering did not."""
    write_files(user.root, {"environments/staging/config.yaml": "processing: {batch_size: 99}\n"})
    git(user.root, "add", "-A")
    done = user.run("f0ci-render-check")

    assert done.returncode == 1, done.stdout
    assert "exit code: 1" in done.stdout


def test_a_pipeline_that_is_not_up_to_date_fails(user: User) -> None:
    """The workflow changed, the generated pipeline did not."""
    write_files(user.root, {"workflow.yaml": WORKFLOW.replace("staging: {}", "staging: {auto_promote: true}")})
    git(user.root, "add", "-A")
    done = user.run("f0ci-generate-check")

    assert done.returncode == 1, done.stdout
    assert "exit code: 1" in done.stdout
