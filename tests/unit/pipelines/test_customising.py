"""What a workflow adds to its pipeline: it arrives on every system, and nothing is lost in silence."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest
import yaml

from f0ci.core.errors import InputError
from f0ci.core.plugins import load
from f0ci.source.schema import check_schema
from tests.unit.pipelines.workflows import WORKFLOW, jobs, pipeline

SYSTEMS = ("github", "gitlab", "jenkins", "azure")
ADDED = """\
pipelines:
  jobs:
    build:
      before: [{name: start the database, run: docker compose up -d}]
      after: [{run: "echo built"}]
      minutes: 90
      matrix: {PYTHON: ["3.11", "3.12"]}
      cache: {paths: [.venv, node_modules], key: [requirements.txt]}
    to_prod:
      wait: 30m
      after: [{name: tell everybody, run: ./tell.sh}]
  github:
    runner: [self-hosted, linux]
    python: "3.13"
    code_scanning: false
    pins: {actions/cache: 0123456789012345678901234567890123456789}
    jobs: {build: {runner: big}}
  gitlab: {image: "registry.example.com/python:3.12", runner: docker, jobs: {build: {runner: [docker, big]}}}
  jenkins: {runner: linux, credentials: our-token, submitter: "alice,bob", warnings: true, jobs: {build: {runner: big}}}
  azure: {pool: Ours, jobs: {build: {pool: Big}}}
"""


def with_spec(text: str) -> str:
    return WORKFLOW.replace("spec:\n", "spec:\n" + textwrap.indent(text, "  "), 1)


def written(system: str, text: str = ADDED) -> str:
    (found,) = load("f0ci.pipelines.writers", system, noun="CI system").write(pipeline(with_spec(text))).values()
    return str(found)


def data_of(system: str, text: str = ADDED) -> Any:
    return yaml.safe_load(written(system, text))


def test_the_schema_takes_it() -> None:
    assert not list(check_schema("workflow", yaml.safe_load(with_spec(ADDED))))


def test_jobs_carry_what_is_added_to_them() -> None:
    made = jobs(with_spec(ADDED))

    assert [command.title for command in made["build"].before] == ["start the database"]
    assert [command.title for command in made["build"].after] == ["echo built"]
    assert made["build"].minutes == 90
    assert made["build"].matrix == {"PYTHON": ("3.11", "3.12")}
    assert made["release"].minutes == 15


def test_github() -> None:
    made = data_of("github")["jobs"]

    build, steps = made["build"], made["build"]["steps"]
    assert (build["runs-on"], made["validate"]["runs-on"]) == ("big", ["self-hosted", "linux"])
    assert build["strategy"] == {"fail-fast": False, "matrix": {"PYTHON": ["3.11", "3.12"]}}
    assert build["env"] == {"PYTHON": "${{ matrix.PYTHON }}"}
    assert "strategy.job-index" in build["concurrency"]["group"]
    assert [step["name"] for step in steps][1:3] == ["bring the cache", "start the database"]
    assert steps[1]["uses"] == "actions/cache@0123456789012345678901234567890123456789"
    assert "hashFiles('requirements.txt')" in steps[1]["with"]["key"]
    assert steps[-1]["env"] == {"COMMAND": "echo built"}
    assert made["validate"]["steps"][1]["with"] == {"python-version": "3.13"}
    assert "findings" not in made
    last = made["to_prod"]["steps"][-1]
    assert last["if"] == "steps.promote.outputs.arrived == 'true'"
    assert "F0CI_GIT_TOKEN" not in last["env"]


def test_gitlab() -> None:
    made = data_of("gitlab")

    assert made["variables"]["F0CI_IMAGE"] == "registry.example.com/python:3.12"
    assert (made["default"]["tags"], made["build"]["tags"]) == (["docker"], ["docker", "big"])
    assert made["build"]["parallel"] == {"matrix": [{"PYTHON": ["3.11", "3.12"]}]}
    assert made["build"]["cache"]["key"] == {"files": ["requirements.txt"], "prefix": "build"}
    assert "docker compose up -d" in made["build"]["script"][0]
    assert "unset F0CI_GIT_TOKEN F0CI_PUSH_TOKEN" in made["to_prod"]["script"][-1]
    assert "./tell.sh" in made["to_prod"]["script"][-1]
    assert 'exit "$code"\n' in made["to_prod"]["script"][-2]


def test_jenkins() -> None:
    made = written("jenkins")

    assert "credentialsId: 'our-token'" in made
    assert "f0ci-git-token" not in made
    assert "agent { label 'big' }" in made
    assert "submitter 'alice,bob'" in made
    assert "recordIssues tools: [sarif(" in made
    build = made[made.index("stage('build')") : made.index("stage('release')")]
    assert "name 'PYTHON'\n" in build
    assert "values '3.11', '3.12'\n" in build
    assert "stage('build leg')" in build
    assert build.count("when {") == 1
    assert "[ -e f0ci-arrived.txt ] || exit 0\n./tell.sh" in made


def test_azure() -> None:
    made = {stage["stage"]: stage["jobs"][0] for stage in data_of("azure")["stages"]}

    assert data_of("azure")["pool"] == {"name": "Ours"}
    assert made["build"]["pool"] == {"name": "Big"}
    assert made["build"]["strategy"]["matrix"] == {"leg_1": {"PYTHON": "3.11"}, "leg_2": {"PYTHON": "3.12"}}
    assert [step.get("task") for step in made["build"]["steps"]][1:3] == ["Cache@2", "Cache@2"]
    last = made["to_prod"]["strategy"]["runOnce"]["deploy"]["steps"][-1]
    assert last["condition"] == "and(succeeded(), eq(variables['promote.arrived'], 'true'))"
    assert "env" not in last


@pytest.mark.parametrize(
    ("added", "said", "line"),
    [
        ("pipelines: {jobs: {bild: {minutes: 9}}}", "there is no job 'bild' in the pipeline", 5),
        ("pipelines: {github: {jobs: {to_pord: {runner: x}}}}", "there is no job 'to_pord'", 5),
        ("pipelines: {jobs: {to_prod: {matrix: {A: ['1']}}}}", "'to_prod' takes no matrix", 5),
        ("pipelines: {jobs: {release: {cache: {paths: [a], key: [b]}}}}", "'release' takes no cache", 5),
        ("pipelines: {jobs: {build: {before: [{run: 'echo ${{ github.token }}'}]}}}", "would replace", 5),
        ("pipelines: {jobs: {build: {wait: 5m}}}", "'build' does not wait", 5),
        ("pipelines: {jobs: {to_prod: {wait: 60m}}}", "ended after 60 minutes, before it has waited 60m", 5),
        ("install: {wheel: wheels/f0ci.whl}", "a wheel is installed by its SHA-256", 5),
    ],
)
def test_what_cannot_be_done_is_refused_at_its_place(added: str, said: str, line: int) -> None:
    with pytest.raises(InputError, match=said) as refused:
        pipeline(with_spec(added + "\n"))

    assert str(refused.value.place).startswith(f"workflow.yaml:{line}:")


def test_a_cache_on_github_needs_a_commit_of_the_action() -> None:
    with pytest.raises(InputError, match="no commit of the action 'actions/cache' is known"):
        written("github", "pipelines: {jobs: {build: {cache: {paths: [a], key: [b]}}}}\n")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_promotion_holds_its_runner_where_the_workflow_says_so(system: str) -> None:
    made = written(system)

    assert made.count("--wait 30m") == 1
    assert f'f0ci promote "$TARGET" --release "$RELEASE" --digest "$PLAN" --evidence {system} --wait 30m' in made


PIP = "python -m pip install --quiet --disable-pip-version-check"


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize(
    ("install", "found"),
    [
        ("{version: 9.8.7}", f"{PIP} f0ci==9.8.7\n"),
        ("make f0ci", "make f0ci\n"),
        ("{preinstalled: true}", "f0ci --version\n"),
        (
            "{wheel: 'wheels/f0ci it.whl', sha256: " + "a" * 64 + "}",
            f"{'a' * 64} 'wheels/f0ci it.whl' | sha256sum --check --quiet\n{PIP} 'wheels/f0ci it.whl'",
        ),
        (
            "{wheel: 'https://example.com/f0ci.whl', sha256: " + "a" * 64 + "}",
            f"{PIP} 'https://example.com/f0ci.whl#sha256={'a' * 64}'",
        ),
    ],
)
def test_f0ci_comes_as_the_workflow_says(system: str, install: str, found: str) -> None:
    if system == "jenkins":
        texts = written(system, f"install: {install}\n").replace("\\'", "'")
    else:
        texts = "\n".join(strings(data_of(system, f"install: {install}\n")))

    assert found.rstrip("\n") in texts
    assert ("venv --clear" in texts) is (system != "github" and "preinstalled" not in install)


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for below in value.values() for text in strings(below)]
    if isinstance(value, list):
        return [text for below in value for text in strings(below)]
    return [str(value)]
