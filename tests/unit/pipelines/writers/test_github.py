"""The workflow file: rights, deadlines, locks, and that no word of the user's becomes part of a program."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci.commands.scaffolding import scaffold
from f0ci.core.errors import InputError
from f0ci.pipelines.building import build
from f0ci.pipelines.writers import _github_rounds, base, github
from f0ci.source.document import parse_document
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.reading import read_workflow, workflow_from
from tests.conftest import Golden, git
from tests.unit.pipelines.workflows import SEED, WORKFLOW, pipeline, read, staged

CASES = Path(__file__).parents[3] / "cases/pipelines"
CALLED = ".github/workflows/f0ci-promote.yml"
COMMIT = "5f1d7a84db00d2fce00d2fce5f1d7a84db00d2fc"


def generated(text: str = WORKFLOW) -> dict[str, Any]:
    data = yaml.safe_load(github.write(pipeline(text))[github.PATH])
    # old YAML reads the key `on` as a truth value
    return {"on" if key is True else key: value for key, value in data.items()}


def steps_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in data["jobs"].values() for step in job["steps"]]


def tree_files(folder: Path) -> dict[str, str]:
    tree = DirectoryTree(folder)
    project = load_project(tree)
    return github.write(build(read_workflow(tree, project.workflow), project, tree))


def tree_text(folder: Path) -> str:
    return tree_files(folder)[github.PATH]


@pytest.mark.parametrize("name", ["seed", "shop"])
def test_the_files_are_as_they_were_read_and_found_good(
    name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "__version__", "1.2.3")

    files = tree_files(SEED.parent if name == "seed" else CASES / name / "input")

    # the seed's environments run no recipe, so nothing has to be kept from the token
    assert len(files) == (1 if name == "seed" else 2)
    for path, text in files.items():
        golden.check(f"pipelines/{name}/{path.rpartition('/')[2]}", text)


def test_the_bytes_depend_on_nothing_but_the_workflow(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.unit.pipelines.writers.test_github import CASES, tree_text;"
        "sys.stdout.buffer.write(tree_text(CASES / 'shop/input').encode())"
    )
    root = str(Path(__file__).parents[4])
    found = {
        subprocess.run(
            [sys.executable, "-c", script, root],
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": locale, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for folder, seed, locale, zone in ((tmp_path, "1", "C", "UTC"), (Path(root), "2", "C.UTF-8", "Asia/Tokyo"))
    }

    (text,) = found
    assert text.endswith(b"\n")
    assert b"\r" not in text
    assert not any(line.endswith(b" ") for line in text.splitlines())


def test_every_job_has_a_deadline_a_lock_and_the_least_rights() -> None:
    data = generated()

    assert data["permissions"] == {}
    assert data["defaults"] == {"run": {"shell": "bash"}}
    rights = {
        "findings": {"security-events": "write", "actions": "read"},
        "to_prod": {"contents": "write", "actions": "read"},
        **{name: {"contents": "write"} for name in ("release", "to_dev", "continue", "rollback")},
    }
    for name, job in data["jobs"].items():
        assert job["timeout-minutes"] <= 60, name
        assert job["runs-on"] == "ubuntu-24.04", name
        assert job["permissions"] == rights.get(name, {"contents": "read"}), name
        pushes = "contents" in job["permissions"] and job["permissions"]["contents"] == "write"
        assert job["concurrency"]["cancel-in-progress"] is not pushes, name
        has_token = any("F0CI_GIT_TOKEN" in step.get("env", {}) for step in job["steps"])
        # a plan is read with a token that can do nothing else
        assert has_token is (pushes or name == "plan-to_prod"), name
    checkouts = [step for step in steps_of(data) if "checkout" in step.get("uses", "")]
    assert len(checkouts) == len(data["jobs"]) - 1
    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


def test_every_right_to_write_says_what_for_and_every_pin_which_release_it_is() -> None:
    lines = github.write(pipeline())[github.PATH].splitlines()

    assert all("  # to " in line for line in lines if line.strip().startswith("contents: "))
    pins = [line for line in lines if "uses: actions/" in line]
    assert pins
    assert all(line.count("@") == 1 and "  # v" in line for line in pins)


def test_triggers_are_changes_a_schedule_and_people() -> None:
    triggers = generated()["on"]

    assert list(triggers) == ["push", "pull_request", "schedule", "workflow_dispatch"]
    inputs = triggers["workflow_dispatch"]["inputs"]
    assert inputs["action"]["options"] == ["continue", "rollback"]
    assert inputs["environment"]["options"] == ["dev", "prod"]
    assert {name: spec["type"] for name, spec in inputs.items()} == {
        "action": "choice",
        "environment": "choice",
        "release": "string",
        "reason": "string",
    }


def test_jobs_that_change_an_environment_name_it_and_call_nothing_a_deployment() -> None:
    """GitHub would show a promotion that waits as a successful deployment."""
    jobs = generated()["jobs"]

    named = {name: job["environment"] for name, job in jobs.items() if "environment" in job}
    assert {name: environment["name"] for name, environment in named.items()} == {
        "to_dev": "dev",
        "to_prod": "prod",
        "rollback": "${{ inputs.environment }}",
    }
    assert not any(environment["deployment"] for environment in named.values())
    assert jobs["to_prod"]["concurrency"] == {
        "group": "f0ci-environment-prod",
        "cancel-in-progress": False,
        "queue": "max",
    }
    # a rollback never waits behind a promotion
    assert jobs["rollback"]["concurrency"]["group"] == "f0ci-rollback-${{ inputs.environment }}"


def test_what_a_person_starts_works_on_the_default_branch_and_is_theirs() -> None:
    jobs = generated()["jobs"]

    checkout, *_, work = jobs["rollback"]["steps"]
    assert checkout["with"]["ref"] == "${{ github.event.repository.default_branch }}"
    assert work["env"]["GIT_COMMITTER_NAME"] == "${{ github.actor }}"
    assert "github.ref" not in jobs["rollback"]["if"]
    assert jobs["to_dev"]["steps"][-1]["env"]["GIT_COMMITTER_NAME"] == "github-actions[bot]"


def test_what_follows_a_promotion_runs_only_when_the_release_arrived() -> None:
    jobs = generated()["jobs"]

    assert jobs["load_test"]["if"].endswith(" && needs.to_dev.outputs.arrived == 'true'")
    assert "needs.release.result == 'success'" in jobs["load_test"]["if"]
    assert jobs["to_dev"]["outputs"] == {"arrived": "${{ steps.promote.outputs.arrived }}"}
    assert "outputs" not in jobs["to_prod"]
    assert "arrived" not in jobs["to_prod"]["if"]


def test_secrets_reach_the_jobs_that_run_recipes_by_way_of_an_environment_and_no_other() -> None:
    files = {path: yaml.safe_load(text) for path, text in tree_files(CASES / "shop/input").items()}
    jobs, called = files[github.PATH]["jobs"], files[CALLED]["jobs"]

    given = {
        name: {key for step in job["steps"] for key in step.get("env", {}) if key.startswith("F0CI_SECRET_")}
        for name, job in called.items()
    }
    every = {"F0CI_SECRET_DB_PASSWORD", "F0CI_SECRET_REGISTRY_TOKEN"}
    assert {name for name, secrets in given.items() if secrets} == {name for name in called if name.startswith("work-")}
    assert all(given[name] == every for name in given if name.startswith("work-"))
    assert all(
        called[name]["environment"]["name"] == "${{ inputs.work }}" for name in given if name.startswith("work-")
    )
    work = {name: job["with"].get("work") for name, job in jobs.items() if "uses" in job}
    assert work["deploy_dev"] == "f0ci-work-dev"
    assert work["rollback"] == "f0ci-work-${{ inputs.environment }}"
    assert work["continue"] is None
    assert files[CALLED][True]["workflow_call"]["inputs"]["work"]["default"] == "f0ci-continue"
    assert all(job["secrets"] == "inherit" for name, job in jobs.items() if "uses" in job)


def test_a_job_that_runs_code_of_the_repository_can_write_nothing_and_one_that_writes_runs_none() -> None:
    jobs = yaml.safe_load(tree_files(CASES / "shop/input")[CALLED])["jobs"]

    for name, job in jobs.items():
        runs = [step.get("run", "") for step in job["steps"]]
        pushes = job["permissions"]["contents"] == "write"
        assert pushes is name.startswith("promote-"), name
        assert any("F0CI_GIT_TOKEN" in step.get("env", {}) for step in job["steps"]) is pushes, name
        assert any("f0ci errands" in run for run in runs) is name.startswith("work-"), name
        # every command that promotes leaves what it would have to run, and shows a plan without running anything
        assert all("--apart" in line for run in runs for line in run.splitlines() if "f0ci plan" in line), name
        assert not pushes or any('--apart "$RUNNER_TEMP/f0ci"' in run for run in runs), name
        assert job["timeout-minutes"] == "${{ inputs.minutes }}"
    # what was left goes on by an output, which nobody else writes to
    assert jobs["promote-2"]["steps"][-2]["env"]["ANSWERED"] == "${{ needs.promote-1.outputs.errands }}"
    assert "errands" not in jobs[f"promote-{len(jobs) // 2}"]["outputs"]


@pytest.mark.parametrize(
    ("install", "uses", "command"),
    [
        ("", None, "python -m pip install --quiet --disable-pip-version-check f0ci==1.2.3"),
        ("./", "./", None),
        ("./tools/setup", "$/tools/setup", None),
        (f"framework0/action@{COMMIT}", f"framework0/action@{COMMIT}", None),
        (f"some/mono.repo/path@{COMMIT}", f"some/mono.repo/path@{COMMIT}", None),
        ("pip install git+https://example.com/f0ci@v1", None, "pip install git+https://example.com/f0ci@v1"),
    ],
)
def test_f0ci_is_installed_as_the_workflow_says(
    install: str, uses: str | None, command: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "__version__", "1.2.3")
    text = WORKFLOW.replace("spec:\n", f"spec:\n  install: '{install}'\n") if install else WORKFLOW

    jobs = generated(text)["jobs"]

    for name in ("validate", "release", "to_prod", "rollback"):
        step = next(step for step in jobs[name]["steps"] if step["name"] == "install f0ci")
        assert step.get("uses") == uses
        assert step.get("env", {}).get("COMMAND") == command
    assert all(step["name"] != "install f0ci" for step in jobs["build"]["steps"])


def test_a_task_that_calls_f0ci_finds_it() -> None:
    jobs = generated(WORKFLOW.replace("make test", "f0ci run recipes/smoke.yaml"))["jobs"]

    assert "install f0ci" in [step["name"] for step in jobs["load_test"]["steps"]]


def test_the_environment_of_the_job_that_continues_is_nobody_elses() -> None:
    for name in ("F0ci-continue", "f0ci-work-dev"):
        with pytest.raises(InputError, match=f"'{name}' is taken by jobs of the pipeline itself"):
            generated(
                staged(
                    f"- {{name: a, environment: {name}}}\n- {{name: b, environment: dev}}", f"{name}: {{}}\ndev: {{}}"
                )
            )


@pytest.mark.parametrize("ref", ["v1", "main", COMMIT[:-1], COMMIT.upper()])
def test_an_action_that_can_be_moved_is_refused(ref: str) -> None:
    with pytest.raises(InputError, match="by what can be moved") as caught:
        generated(WORKFLOW.replace("spec:\n", f"spec:\n  install: framework0/action@{ref}\n"))

    assert caught.value.hint is not None
    assert "full commit" in caught.value.hint


def test_a_name_that_nothing_stands_behind_stops_its_job() -> None:
    jobs = yaml.safe_load(github.write(build(read(SEED.read_text(encoding="utf-8"))))[github.PATH])["jobs"]
    step = next(step for step in jobs["build_and_test"]["steps"] if step["name"] == "unit_tests")

    done = subprocess.run(
        ["bash", "-c", step["run"]], env={**os.environ, **step["env"]}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stdout.startswith("::error::workflow.yaml does not say what unit_tests runs; add spec.bindings.tests")


HOSTILE = ["$(touch pwned)", "`id`", "a'b\"c", "--help", "${{ github.token }}", "x\n::set-env name=A::b", "\\"]
WORDS = st.one_of(st.text(max_size=60), st.sampled_from(HOSTILE))


def values(data: dict[str, Any]) -> list[str]:
    """Return everything that steps say beside their programs."""
    return [str(value) for step in steps_of(data) for value in (step["name"], *step.get("env", {}).values())]


def cannot_arrive(word: str) -> bool:
    return "${{" in word or any(unicodedata.category(char) == "Cc" and char not in "\t\n" for char in word)


@settings(deadline=None, max_examples=100)
@given(command=WORDS, test=WORDS, uses=WORDS, name=WORDS)
def test_whatever_people_write_is_refused_or_arrives_unchanged(command: str, test: str, uses: str, name: str) -> None:
    """Programs are the same whatever the workflow says; its words are values beside them."""
    spec = yaml.safe_load(WORKFLOW)
    spec["metadata"]["name"] = name
    spec["spec"]["install"] = command
    spec["spec"]["bindings"]["tests"] = {test: {"run": command}}
    spec["spec"]["pipeline_stages"][0] |= {"uses": uses, "tests": [test]}
    spec["spec"]["pipeline_stages"][2]["tests"] = [test]
    workflow = workflow_from(parse_document("workflow.json", json.dumps(spec).encode()))
    stage = workflow.stages[0]
    said = [workflow.name, command, *(binding.name for binding in (stage.uses, *stage.tests) if binding is not None)]
    if any(map(cannot_arrive, said)):
        with pytest.raises(InputError):
            build(workflow)
        return

    data = yaml.safe_load(github.write(build(workflow))[github.PATH])

    usual = [generated(WORKFLOW), generated(staged("- {name: a, tests: [b]}"))]
    assert {step["run"] for step in steps_of(data) if "run" in step} <= {
        step["run"] for other in usual for step in steps_of(other) if "run" in step
    }
    assert {value for value in values(data) if "${{" in value} <= {value for other in usual for value in values(other)}
    commands = [step["env"]["COMMAND"] for step in data["jobs"]["build"]["steps"] if "COMMAND" in step.get("env", {})]
    assert all(binding.run in commands for binding in stage.tests if binding.run is not None)


class Runner:
    """Runs a job's last step as GitHub's runner does, on a repository of its own."""

    def __init__(self, folder: Path) -> None:
        self.work = folder / "work"
        self.files = {name: folder / name.lower() for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        self.temp = folder / "temp"
        self.temp.mkdir()
        scaffold(self.work)
        git(self.work, "init", "-q")
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", "first")
        files = tree_files(self.work)
        self.jobs = yaml.safe_load(files[github.PATH])["jobs"]
        self.called = yaml.safe_load(files[CALLED])["jobs"]
        self.inputs = yaml.safe_load(files[CALLED])[True]["workflow_call"]["inputs"]

    def run(self, job: str, **values: str) -> subprocess.CompletedProcess[str]:
        made = self.jobs[job]
        return self._by_turns(made["with"], values) if "uses" in made else self._step(made["steps"][-1], values)

    def _by_turns(self, given: dict[str, Any], values: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """Run the jobs of the called workflow as long as one leaves something to the next."""
        defaults = {name: spec.get("default") for name, spec in self.inputs.items()}
        inputs = {f"${{{{ inputs.{name} }}}}": str(value) for name, value in {**defaults, **given}.items()}
        answered: dict[str, str] = {}
        for number in range(1, len(self.called)):
            (step,) = (one for one in self.called[f"promote-{number}"]["steps"] if one.get("id") == "promote")
            known = {name: inputs[value].lower() for name, value in step["env"].items() if value in inputs}
            done = self._step(step, {**known, **values, **answered})
            left = dict(line.split("=", 1) for line in self.said("GITHUB_OUTPUT").splitlines()).get("errands")
            if left is None:
                return done
            (work,) = (one for one in self.called[f"work-{number}"]["steps"] if one["name"] == "work")
            assert self._step(work, {}).returncode == 0
            answered = {"ANSWERED": left}
        raise AssertionError("the last job leaves nothing")

    def _step(self, step: dict[str, Any], values: dict[str, str]) -> subprocess.CompletedProcess[str]:
        env = {name: value for name, value in step.get("env", {}).items() if "${{" not in value}
        for file in self.files.values():
            file.write_text("", encoding="utf-8")
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self.work,
            env={
                **os.environ,
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "RUNNER_TEMP": str(self.temp),
                "GITHUB_REPOSITORY": "shop/shop",
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_SHA": "0" * 40,
                "GITHUB_RUN_ID": "7",
                # nobody answers there
                "GITHUB_API_URL": "http://127.0.0.1:9",
                **{name: str(file) for name, file in self.files.items()},
                **env,
                **values,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def said(self, name: str) -> str:
        return self.files[name].read_text(encoding="utf-8")


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    if not (Path(sys.executable).parent / "f0ci").exists():
        pytest.skip("f0ci is not installed beside this Python")
    return Runner(tmp_path)


def test_the_programs_of_the_jobs_do_what_they_say(runner: Runner) -> None:
    assert runner.run("release").returncode == 0
    digest = runner.said("GITHUB_OUTPUT").strip().removeprefix("digest=")
    assert len(digest) == 64

    assert runner.run("deploy_dev", RELEASE=digest).returncode == 0
    assert "succeeded" in runner.said("GITHUB_STEP_SUMMARY")
    assert runner.run("deploy_staging", RELEASE=digest).returncode == 0
    assert runner.run("plan-deploy_prod", RELEASE=digest).returncode == 0
    plan = runner.said("GITHUB_OUTPUT").strip().removeprefix("digest=")
    assert f"### Plan {plan[:12]}: release {digest[:12]} into prod" in runner.said("GITHUB_STEP_SUMMARY")
    assert runner.run("deploy_prod", RELEASE=digest, PLAN="").returncode == 2
    assert runner.run("deploy_prod", RELEASE=digest, PLAN="0" * 64).returncode == 4
    waiting = runner.run("deploy_prod", RELEASE=digest, PLAN=plan)

    assert waiting.returncode == 0
    assert "::notice::waiting" in waiting.stdout
    assert "0 of 1 approval" in runner.said("GITHUB_STEP_SUMMARY")
    heading, empty, link, *said = runner.said("GITHUB_STEP_SUMMARY").splitlines()
    assert (heading, empty) == (f"### Release {digest[:12]} into prod", "")
    assert link.startswith("of [")
    assert all(line.startswith("    ") for line in said if line)
    assert runner.run("continue").returncode == 0
    assert runner.run("deploy_dev", RELEASE="0" * 64).returncode == 2
    assert git(runner.work, "log", "-1", "--format=%s", "env/dev").startswith("promote dev to ")


def test_a_rollback_that_cannot_be_made_fails_its_job(runner: Runner) -> None:
    person = {"GIT_AUTHOR_NAME": "bob", "GIT_AUTHOR_EMAIL": "b@example.com"}
    person |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in person.items()}

    done = runner.run("rollback", TARGET="dev", RELEASE="", REASON="$(touch pwned)", **person)

    assert done.returncode in {3, 4}
    assert not (runner.work / "pwned").exists()


def test_a_secret_that_does_not_exist_is_not_an_empty_one() -> None:
    script = (
        _github_rounds.only_set(("F0CI_SECRET_A", "F0CI_SECRET_B"))
        + 'echo "${F0CI_SECRET_A-unset} ${F0CI_SECRET_B-unset}"\n'
    )

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={**os.environ, "F0CI_SECRET_A": "", "F0CI_SECRET_B": "b c"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "unset b c\n"
