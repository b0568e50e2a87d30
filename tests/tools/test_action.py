"""The Action's script, run as GitHub runs it: everything through the environment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from f0ci import __version__
from f0ci.commands.scaffolding import scaffold
from tests.conftest import git

ROOT = Path(__file__).parents[2]


class Runner:
    """A step of a job: a workspace, and the files through which a step speaks."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "workspace"
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.output = folder / "output"
        self.summary = folder / "summary"
        self.path = folder / "path"
        self.environ: dict[str, str] = {}
        scaffold(self.workspace)

    def run(self, **inputs: str) -> subprocess.CompletedProcess[str]:
        for file in (self.output, self.summary, self.path):
            file.write_text("", encoding="utf-8")
        environ = {
            **os.environ,
            "ACTION_FOLDER": str(ROOT),
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_PATH": str(self.path),
            "GITHUB_ACTOR": "alice",
            # the f0ci that is being tested stands in for a fresh installation of the same files
            "F0CI_ACTION_VENV": str(Path(sys.executable).parents[1]),
            "INPUT_COMMAND": "validate",
            **{f"INPUT_{name.upper()}": value for name, value in inputs.items()},
            **self.environ,
        }
        return subprocess.run(
            ["bash", str(ROOT / "action/run.sh")],
            cwd=self.workspace,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text(encoding="utf-8").splitlines())


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    if not (Path(sys.executable).parent / "f0ci").exists():
        pytest.skip("f0ci is not installed beside this Python")
    return Runner(tmp_path)


def test_findings_become_annotations_and_fail_the_step(runner: Runner) -> None:
    (runner.workspace / "recipes/bad.yaml").write_text(
        "metadata: {name: bad, version: '1'}\nsteps:\n  - {name: a, type: shell, run: 'true', depends_on: [b]}\n",
        encoding="utf-8",
    )

    done = runner.run()

    assert done.returncode == 1
    assert "file=recipes/bad.yaml,line=3,col=54" in done.stdout
    assert (runner.outputs["result"], runner.outputs["findings"], runner.outputs["sarif"]) == ("1", "1", "")
    assert "f0ci validate: exit 1" in runner.summary.read_text(encoding="utf-8")


def test_clean_recipes_pass(runner: Runner) -> None:
    assert runner.run().returncode == 0
    assert Path(runner.outputs["report"]).is_file()


def test_findings_are_handed_over_as_a_sarif_file(runner: Runner) -> None:
    assert runner.run(sarif="found.sarif").returncode == 0

    assert (runner.outputs["findings"], runner.outputs["sarif"]) == ("0", "found.sarif")
    assert json.loads((runner.workspace / "found.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_promote_carries_out_only_the_plan_that_is_named(runner: Runner) -> None:
    git(runner.workspace, "init", "-q")
    git(runner.workspace, "add", "-A")
    git(runner.workspace, "commit", "-qm", "first")
    assert runner.run(command="release create").returncode == 0
    assert runner.run(command="plan", environment="dev").returncode == 0
    digest = runner.outputs["digest"]

    assert runner.run(command="promote", environment="dev", digest="0" * 64).returncode == 4
    assert runner.run(command="promote", environment="dev", digest=digest, wait="1s").returncode == 0
    assert (runner.outputs["state"], runner.outputs["digest"]) == ("succeeded", digest)


@pytest.mark.parametrize("value", ["1.0; touch pwned", "--help ", "$(id)"])
def test_a_version_is_nothing_else(runner: Runner, value: str) -> None:
    assert runner.run(version=value).returncode == 2


def test_a_waiting_promotion_is_neutral_and_tells_its_state(runner: Runner) -> None:
    git(runner.workspace, "init", "-q")
    git(runner.workspace, "add", "-A")
    git(runner.workspace, "commit", "-qm", "first")
    assert runner.run(command="release create").returncode == 0
    assert runner.run(command="promote", environment="dev").returncode == 0
    assert runner.outputs["state"] == "succeeded"

    done = runner.run(command="promote", environment="prod")

    assert done.returncode == 0
    assert "::notice::waiting" in done.stdout
    assert runner.outputs["result"] == "5"
    assert runner.outputs["state"] == "waiting"
    assert runner.outputs["promotion"] == "prod-1"
    assert len(runner.outputs["digest"]) == 64
    assert runner.run(command="promote", environment="prod", neutral_waiting="false").returncode == 5


def test_what_runs_code_of_the_repository_can_be_left_to_a_job_without_a_token(runner: Runner) -> None:
    git(runner.workspace, "init", "-q")
    git(runner.workspace, "add", "-A")
    git(runner.workspace, "commit", "-qm", "first")
    assert runner.run(command="release create").returncode == 0
    folder = str(runner.temp / "errands")

    begun = runner.run(command="promote", environment="dev", apart=folder)
    left = runner.outputs["errands"]
    worked = runner.run(command="errands", apart=folder)
    ended = runner.run(command="promote", environment="dev", apart=folder, answered=left)

    assert (begun.returncode, worked.returncode, ended.returncode) == (0, 0, 0), ended.stdout + ended.stderr
    assert len(left) == 64
    assert "1 of 1 errand carried out" in worked.stdout
    assert (runner.outputs["state"], runner.outputs["errands"]) == ("succeeded", "")


def test_later_steps_find_f0ci_and_keep_their_own_python(runner: Runner) -> None:
    assert runner.run(command="install").returncode == 0

    (added,) = runner.path.read_text(encoding="utf-8").splitlines()
    assert [entry.name for entry in Path(added).iterdir()] == ["f0ci"]
    said = subprocess.run([f"{added}/f0ci", "--version"], capture_output=True, text=True, check=True).stdout
    assert said.startswith("f0ci ")


def test_what_a_command_says_cannot_leave_its_block_of_the_summary(runner: Runner) -> None:
    runner.run(command="explain", arguments="dependency-cycle")

    heading, empty, *lines = runner.summary.read_text(encoding="utf-8").splitlines()
    assert (heading, empty) == ("### f0ci explain: exit 0", "")
    assert any("```" in line for line in lines)
    assert all(line.startswith("    ") for line in lines if line)


@pytest.mark.parametrize(
    ("event", "name"), [("workflow_dispatch", "alice"), ("push", "github-actions[bot]"), ("", "github-actions[bot]")]
)
def test_what_a_person_starts_is_theirs_on_record(
    runner: Runner, event: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(runner.workspace, "init", "-q")
    git(runner.workspace, "add", "-A")
    git(runner.workspace, "commit", "-qm", "first")
    monkeypatch.setenv("GITHUB_EVENT_NAME", event)
    monkeypatch.setenv("GITHUB_ACTOR_ID", "7")
    monkeypatch.setenv("F0CI_GIT_TOKEN", "not-a-real-token")

    assert runner.run(command="release create").returncode == 0

    tagger = git(runner.workspace, "for-each-ref", "--format=%(taggername) %(taggeremail)", "refs/tags/f0ci/release")
    assert tagger.startswith(f"{name} <")
    assert tagger.endswith("@users.noreply.github.com>")


@pytest.mark.parametrize("value", ["--help", "$(touch pwned)", "`touch pwned`", "; touch pwned", '" && touch pwned "'])
def test_no_input_is_read_as_a_program_or_an_option(runner: Runner, value: str) -> None:
    done = runner.run(paths=value)

    assert done.returncode == 3
    assert "there is no file or folder" in done.stderr
    assert not (runner.workspace / "pwned").exists()
    assert runner.run(command=value).returncode == 2
    assert not (runner.workspace / "pwned").exists()


def needed(name: str) -> Iterator[Distribution]:
    """Yield an installed package and all that it needs here."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        wanted = waiting.pop()
        if wanted in found:
            continue
        found[wanted] = distribution(wanted)
        requirements = map(Requirement, found[wanted].requires or ())
        waiting += [one.name for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]
    yield from found.values()


def wheel_of(package: Distribution, folder: Path) -> None:
    """Pack an installed package as the wheel that it came from, programs aside."""
    tags = [line[5:] for line in (package.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: ")]
    tag = next(tag for tag in tags if not tag.startswith("py2-"))
    name = f"{package.name.replace('-', '_')}-{package.version}-{tag}.whl"
    inside = [file for file in package.files or () if ".." not in file.parts and file.suffix != ".pyc"]
    with zipfile.ZipFile(folder / name, "w") as wheel:
        for file in inside:
            wheel.write(str(file.locate()), str(file))


def test_f0ci_is_installed_from_wheels_without_a_network_and_once_per_machine(runner: Runner, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for package in needed("f0ci"):
        if package.name != "f0ci":
            wheel_of(package, wheels)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(wheels), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    cache = tmp_path / "tools"
    # nobody answers there
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/", "PIP_FIND_LINKS": "", "PIP_RETRIES": "0"}
    runner.environ = {**nowhere, "F0CI_ACTION_VENV": "", "RUNNER_TOOL_CACHE": str(cache)}

    first = runner.run(wheels=str(wheels), version=__version__)
    assert first.returncode == 0, first.stdout + first.stderr
    (link,) = (entry for entry in (cache / "f0ci").iterdir() if entry.is_symlink())
    assert link.name.startswith(f"{__version__}-py{sys.version_info[0]}.{sys.version_info[1]}-")
    made = link.stat().st_ino

    # the next job of this machine finds it; its wheels need not even be readable by pip
    runner.temp = tmp_path / "next"
    runner.temp.mkdir()
    runner.environ["PIP_NO_INDEX"] = "not a truth value"
    assert runner.run(wheels=str(wheels), version=__version__).returncode == 0
    assert link.stat().st_ino == made
    assert len(list((cache / "f0ci").iterdir())) == 2


def test_an_installation_that_failed_leaves_nothing(runner: Runner, tmp_path: Path) -> None:
    python = tmp_path / "python"
    # the environment is begun, then the disk is full
    python.write_text(f"""#!/bin/sh
[ "$1" != -m ] || {{ mkdir -p "$3/bin" && touch "$3/bin/python"; exit 1; }}
exec {sys.executable} "$@"
""")
    python.chmod(0o755)
    runner.environ = {"F0CI_ACTION_VENV": "", "RUNNER_TOOL_CACHE": str(tmp_path / "tools")}

    done = runner.run(python=str(python))

    assert done.returncode == 3
    assert "::error::f0ci could not be installed" in done.stdout
    assert list((tmp_path / "tools/f0ci").iterdir()) == []
