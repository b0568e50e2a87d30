"""GitLab, Jenkins and Azure: the same promises as on GitHub, each in the words of the system."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from f0ci import __version__
from f0ci.commands.generating import generate
from f0ci.commands.scaffolding import scaffold
from f0ci.core.errors import InputError
from f0ci.pipelines.building import build
from f0ci.pipelines.currency import State, compare
from f0ci.pipelines.model import Install, Pipeline
from f0ci.pipelines.writers import azure, base, gitlab, jenkins
from f0ci.source.document import parse_document
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree, MemoryTree
from f0ci.workflows.reading import read_workflow, workflow_from
from tests.conftest import Golden, git
from tests.unit.pipelines.workflows import SEED, WORKFLOW, pipeline, staged

CASES = Path(__file__).parents[3] / "cases/pipelines"
WRITERS: dict[str, Callable[[Pipeline], dict[str, str]]] = {
    "gitlab": gitlab.write,
    "jenkins": jenkins.write,
    "azure": azure.write,
}
SYSTEMS = pytest.mark.parametrize("system", list(WRITERS))


def text_of(system: str, text: str = WORKFLOW) -> str:
    (written,) = WRITERS[system](pipeline(text)).values()
    return written


def tree_text(system: str, folder: Path) -> str:
    tree = DirectoryTree(folder)
    project = load_project(tree)
    (written,) = WRITERS[system](build(read_workflow(tree, project.workflow), project, tree)).values()
    return written


def read(system: str, text: str = WORKFLOW) -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(text_of(system, text))
    return data


def resolved(text: str) -> dict[str, Any]:
    """Return a GitLab pipeline whose jobs hold what they extend, as GitLab reads it."""
    data: dict[str, Any] = yaml.safe_load(text)

    def whole(job: dict[str, Any]) -> dict[str, Any]:
        extended = job.get("extends", [])
        parts = [whole(data[name]) for name in ([extended] if isinstance(extended, str) else extended)]
        made: dict[str, Any] = {}
        for part in [*parts, job]:
            variables = {**made.get("variables", {}), **part.get("variables", {})}
            made |= part
            made |= {"variables": variables} if variables else {}
        return made

    return {name: whole(job) if isinstance(job, dict) else job for name, job in data.items()}


def jobs_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the jobs of a GitLab pipeline."""
    return {name: job for name, job in data.items() if isinstance(job, dict) and "stage" in job}


def stages_of(data: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the one job of each stage of an Azure pipeline."""
    return {stage["stage"]: stage["jobs"][0] for stage in data["stages"]}


def all_of(data: dict[str, Any], stage: str) -> dict[str, dict[str, Any]]:
    """Return every job of a stage of an Azure pipeline."""
    (jobs,) = (one["jobs"] for one in data["stages"] if one["stage"] == stage)
    return {job.get("job") or job["deployment"]: job for job in jobs}


def steps_of(job: dict[str, Any]) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = job.get("steps") or job["strategy"]["runOnce"]["deploy"]["steps"]
    return steps


def jenkins_scripts(text: str) -> dict[str, list[str]]:
    """Return the shell scripts of a Jenkinsfile by stage, as Groovy reads them."""
    found: dict[str, list[str]] = {}
    for stage, body in re.findall(
        r"^        stage\('([^']*)'\) \{\n(.*?)^        \}\n", text, re.DOTALL | re.MULTILINE
    ):
        scripts = re.findall(r"script: '''((?:[^'\\]|\\.)*)'''", body, re.DOTALL)
        read = (re.sub(r"\\(u([0-9a-f]{4})|.)", _read_escape, script) for script in scripts)
        # Java's strings are made of halves
        found[stage] = [script.encode("utf-16", "surrogatepass").decode("utf-16") for script in read]
    return found


def _read_escape(match: re.Match[str]) -> str:
    return chr(int(match[2], 16)) if match[2] else match[1]


@SYSTEMS
@pytest.mark.parametrize("name", ["seed", "shop"])
def test_the_files_are_as_they_were_read_and_found_good(
    system: str, name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "__version__", "1.2.3")

    text = tree_text(system, SEED.parent if name == "seed" else CASES / name / "input")

    path = {"gitlab": gitlab.PATH.removeprefix("."), "jenkins": jenkins.PATH, "azure": azure.PATH}[system]
    golden.check(f"pipelines/{name}/{path}", text)


def test_the_bytes_depend_on_nothing_but_the_workflow(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]);"
        "from tests.unit.pipelines.writers.test_other_systems import CASES, WRITERS, tree_text;"
        "sys.stdout.buffer.write(''.join(tree_text(name, CASES / 'shop/input') for name in WRITERS).encode())"
    )
    root = str(Path(__file__).parents[4])
    found = {
        subprocess.run(
            [sys.executable, "-c", program, root],
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


@SYSTEMS
def test_a_file_says_where_it_comes_from_and_whether_it_was_edited(system: str) -> None:
    (path,) = WRITERS[system](pipeline())
    text = text_of(system)

    assert f"regenerate with: f0ci generate {system}\n" in text
    for held, state in (
        (text, State.CURRENT),
        (text.replace("60", "61"), State.EDITED),
        (text.replace("f0ci-source: sha256 ", "f0ci-source: sha256 0"), State.STALE),
    ):
        (answer,) = compare({path: text}, MemoryTree({path: held.encode()}))
        assert answer.state is state


@pytest.mark.parametrize("path", ["a\nb.yaml", "a\\u000ab.yaml", "\u2028x.yaml"])
@pytest.mark.parametrize("comment", base.COMMENTS)
def test_no_path_ends_the_comment(path: str, comment: str) -> None:
    made = Pipeline("x", path, "0" * 64, Install(), (), ())

    text = base.header(made, "jenkins", comment)

    assert all(line.startswith(comment) for line in text.splitlines())
    assert len(text.splitlines()) == 3
    assert "\\" not in text


def test_gitlab_jobs_have_a_deadline_a_lock_and_the_token_only_where_they_push() -> None:
    data = read("gitlab")

    for name, job in jobs_of(data).items():
        pushes = name in {"release", "to_dev", "to_prod", "continue", "rollback"}
        assert job["timeout"].endswith(" minutes"), name
        assert (job.get("extends") == ".f0ci-push") is pushes, name
        assert ("resource_group" in job) is pushes, name
    assert "F0CI_PUSH_TOKEN" not in json.dumps({key: value for key, value in data.items() if key != ".f0ci-push"})
    assert data["validate"]["interruptible"] is True
    assert data["default"]["interruptible"] is False


def test_gitlab_asks_before_an_environment_that_waits_for_people() -> None:
    data = read("gitlab")

    assert data["to_prod"]["when"] == "manual"
    assert data["to_prod"]["manual_confirmation"] == "Promote to prod?"
    # with exit codes a manual job blocks; in its rules they would be lost
    assert data["to_prod"]["allow_failure"] == {"exit_codes": [5]}
    assert not any({"when", "allow_failure"} & rule.keys() for rule in data["to_prod"]["rules"])
    assert "when" not in data["to_dev"]
    assert {job["resource_group"] for job in (data["to_prod"], data["to_dev"])} == {"f0ci-prod", "f0ci-dev"}


def test_gitlab_hands_digest_and_arrival_on_by_needs() -> None:
    data = read("gitlab")

    told = {"job": "to_dev", "artifacts": True}
    assert data["release"]["artifacts"]["reports"] == {"dotenv": "f0ci-release.env"}
    assert {"job": "release", "artifacts": True} in data["to_dev"]["needs"]
    assert told in data["load_test"]["needs"]
    assert told in data["to_prod"]["needs"]
    assert data["load_test"]["allow_failure"] == {"exit_codes": [113]}
    assert "allow_failure" not in data["build"]


@pytest.mark.parametrize("word", ["image", "pages", "variables", "true"])
def test_a_gitlab_keyword_is_no_name_of_a_job(word: str) -> None:
    data = read(
        "gitlab",
        staged(f"- {{name: '{word}', tests: [x]}}\n- {{name: other, tests: [x], requires: ['{word}']}}"),
    )

    assert f"stage-{word}" in jobs_of(data)
    assert f"stage-{word}" in data["other"]["needs"]


def test_azure_stages_have_a_deadline_a_condition_that_asks_for_success_and_the_token_only_where_they_push() -> None:
    data = read("azure")

    for stage in data["stages"]:
        assert stage["condition"].startswith(("and(succeeded(), ", "and(and(succeeded(), ")), stage["stage"]
        job = stage["jobs"][0]
        assert job["timeoutInMinutes"] <= 60
        pushes = any("F0CI_GIT_TOKEN" in step.get("env", {}) for step in steps_of(job))
        names = {"release", "to_dev", "plan_to_prod", "to_prod", "continue", "rollback"}
        assert pushes is (stage["stage"] in names)
        assert all(step["bash"].startswith("set -euo pipefail\n") for step in steps_of(job) if "bash" in step)
    stages = stages_of(data)
    assert stages["to_prod"]["environment"] == "prod"
    assert stages["rollback"]["environment"] == "${{ parameters.environment }}"
    assert "deployment" not in stages["load_test"]
    assert data["lockBehavior"] == "sequential"


def test_azure_runs_what_follows_a_promotion_only_when_it_arrived() -> None:
    conditions = {stage["stage"]: stage["condition"] for stage in read("azure")["stages"]}

    assert "dependencies.to_dev.outputs['to_dev.to_dev.promote.arrived']" in conditions["load_test"]
    assert "arrived" not in conditions["to_prod"]


def test_azure_names_are_mapped_and_may_not_clash() -> None:
    data = read("azure", WORKFLOW.replace("load_test", "load-test"))

    assert "load_test" in stages_of(data)
    assert next(stage for stage in data["stages"] if stage["stage"] == "to_prod")["dependsOn"] == [
        "release",
        "load_test",
        "plan_to_prod",
    ]
    with pytest.raises(InputError, match="would both be called 'a_b'"):
        text_of("azure", staged("- {name: a-b, tests: [x]}\n- {name: a_b, tests: [x]}"))


@pytest.mark.parametrize("word", ["$(Build.SourceVersionMessage)", "$(system.accesstoken)", "$( releaseDigest )"])
def test_azure_refuses_what_it_would_replace(word: str) -> None:
    for old in ("make test", "images/build"):
        with pytest.raises(InputError, match="something that Azure Pipelines would replace"):
            text_of("azure", WORKFLOW.replace(old, f'"echo {word}"'))
    assert "echo $(date)" in text_of("azure", WORKFLOW.replace("make test", '"echo $(date)"'))


def test_what_somebody_types_on_azure_is_no_macro() -> None:
    env = steps_of(stages_of(read("azure"))["rollback"])[-1]["env"]

    assert env["REASON"] == "${{ replace(parameters.reason, '$(', '$ (') }}"
    assert env["TARGET"] == "${{ parameters.environment }}"


def test_jenkins_asks_without_an_agent_and_before_the_promotion() -> None:
    text = text_of("jenkins")

    gate = text[text.index("stage('approve to_prod')") : text.index("stage('to_prod')")]
    assert "input {" in gate
    assert "agent" not in gate
    assert "beforeInput true" in gate
    assert "timeout(time: 24, unit: 'HOURS')" in gate
    assert "approve to_dev" not in text
    assert text.count("withCredentials([string(credentialsId: 'f0ci-git-token'") == 6
    assert '"""' not in text
    number = re.search(r"env\.(F0CI_PLAN_\d+) = readFile\('f0ci-plan.txt'\)", text)
    assert number is not None
    assert f'message "Promote to prod? Plan ${{env.{number[1]}}}"' in gate
    assert "submitterParameter 'F0CI_REVIEWER'" in gate
    assert text.count("lock(resource: 'f0ci-prod')") == 1


def test_jenkins_leaves_out_what_follows_a_promotion_that_waits() -> None:
    text = text_of("jenkins")

    number = re.search(r"env\.(F0CI_ARRIVED_\d+) = fileExists", text)
    assert number is not None
    for stage in ("load_test", "approve to_prod", "to_prod"):
        body = text[text.index(f"stage('{stage}')") :]
        assert f"environment name: '{number[1]}', value: 'true'" in body[: body.index("steps {")]


def test_jenkins_stages_come_after_what_they_need() -> None:
    text = text_of("jenkins", staged("- {name: b, requires: [a], tests: [x]}\n- {name: a, tests: [x]}"))

    assert text.index("stage('a')") < text.index("stage('b')") < text.index("stage('release')")


def test_jenkins_makes_one_stage_of_tasks_where_there_would_be_more_than_it_compiles() -> None:
    text = text_of("jenkins", staged("\n".join(f"- {{name: s{number}, tests: [x{number}]}}" for number in range(200))))

    assert "stage('s0 to s59')" in text
    assert text.count("    stage('") == 4 + 4
    # every command stays a step of its own
    assert len(re.findall(r"label: 'x\d+'", text)) == 200
    few = text_of("jenkins", staged("- {name: a, tests: [x]}\n- {name: b, tests: [x]}"))
    assert "stage('a')" in few


def test_jenkins_compiles_no_more_than_it_can() -> None:
    stages = ["- {name: p0, environment: dev}"]
    stages += [f"- {{name: p{number}, environment: dev, requires: [p{number - 1}]}}" for number in range(1, 90)]
    with pytest.raises(InputError, match="94 stages; a Jenkinsfile takes at most 80"):
        text_of("jenkins", staged("\n".join(stages)))


def test_the_release_on_gitlab_waits_for_any_number_of_tasks() -> None:
    data = read("gitlab", staged("\n".join(f"- {{name: s{number}, tests: [x]}}" for number in range(90))))

    assert "needs" not in data["release"]
    assert data["stages"].index("release") == data["stages"].index("build") + 1


@SYSTEMS
def test_secrets_reach_the_jobs_that_deploy(system: str) -> None:
    made = generate(CASES / "shop/input", [system])

    told = "\n".join(line for lines in made.set_up.values() for line in lines)
    assert "F0CI_SECRET_DB_PASSWORD" in told
    (text,) = made.files.values()
    if system == "gitlab":
        jobs = yaml.safe_load(text)
        assert jobs["continue work 1"]["environment"] == {"name": "f0ci-continue", "action": "access"}
        assert jobs["deploy_dev work 1"]["environment"] == {"name": "f0ci-work/dev", "action": "access"}
        assert jobs["deploy_dev 2"]["environment"] == {"name": "f0ci-push", "action": "access"}
    elif system == "azure":
        jobs = all_of(yaml.safe_load(text), "deploy_prod")
        working = {name for name in jobs if "_work_" in name}
        assert {name for name, job in jobs.items() if "F0CI_SECRET_DB_PASSWORD" in json.dumps(job)} == working
        assert {name for name, job in jobs.items() if "AccessToken" not in json.dumps(job)} == working
    else:
        assert "string(credentialsId: 'F0CI_SECRET_DB_PASSWORD', variable: 'F0CI_SECRET_DB_PASSWORD')" in text
        # a block with a secret has no token, and one with the token no secret
        blocks = re.findall(r"withCredentials\(\[(.*?)\]\)", text, re.DOTALL)
        assert not any("F0CI_GIT_TOKEN" in block and "F0CI_SECRET_" in block for block in blocks)


@SYSTEMS
@pytest.mark.parametrize("install", ["./", "framework0/f0ci@" + "a" * 40, ""])
def test_an_action_of_github_becomes_the_package_of_this_version(system: str, install: str) -> None:
    text = text_of(system, WORKFLOW.replace("spec:\n", f"spec:\n  install: '{install}'\n", 1))

    assert f"python -m pip install --quiet --disable-pip-version-check f0ci=={__version__}\n" in text


WORDS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["$(touch pwned)", "`id`", "a'b\"c", "'''", "\\", "\\u0041", "a\\", "$HOME %PATH%", "x\n- y: z"]),
)


def scripts_that_hold(system: str, text: str) -> Iterator[str]:
    """Yield the scripts of the stage `build`, without what is written around each command."""
    if system == "gitlab":
        for script in yaml.safe_load(text)["build"]["script"]:
            yield script.removeprefix("(\n").removesuffix("\n)\n")
    elif system == "azure":
        yield from (step["bash"] for step in steps_of(stages_of(yaml.safe_load(text))["build"]) if "bash" in step)
    else:
        yield from (script.removeprefix("#!/usr/bin/env bash\n") for script in jenkins_scripts(text)["build"])


@SYSTEMS
@settings(deadline=None, max_examples=40)
@given(command=WORDS, uses=WORDS)
def test_whatever_people_write_is_refused_or_arrives_unchanged(system: str, command: str, uses: str) -> None:
    spec = yaml.safe_load(WORKFLOW)
    spec["spec"]["bindings"]["tests"]["unit"]["run"] = command
    spec["spec"]["pipeline_stages"][0]["uses"] = uses
    workflow = workflow_from(parse_document("workflow.json", json.dumps(spec).encode()))
    try:
        made = build(workflow)
    except InputError:
        return
    run = workflow.stages[0].tests[0].run
    if run is None:
        return

    (text,) = WRITERS[system](made).values()

    found = list(scripts_that_hold(system, text))
    # what stands before it puts f0ci on the path of a command that names it
    assert any(script.startswith("set -euo pipefail\n") and script.endswith(base.ended(run)) for script in found)


@SYSTEMS
def test_a_name_that_nothing_stands_behind_stops_its_job(system: str) -> None:
    text = tree_text(system, SEED.parent)
    env = {"NAME": "unit_tests", "STANZA": "spec.bindings.tests: ...", "WORKFLOW": "workflow.yaml"}
    if system == "gitlab":
        job = yaml.safe_load(text)["build_and_test"]
        script, env = "\n".join(job["script"]), job["variables"]
    elif system == "azure":
        step = steps_of(stages_of(yaml.safe_load(text))["build_and_test"])[-1]
        script, env = step["bash"], step["env"]
    else:
        script = jenkins_scripts(text)["build_and_test"][0]

    done = subprocess.run(
        ["bash", "-c", script], env={**os.environ, **env}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stderr.startswith("workflow.yaml does not say what ")
    assert "add spec.bindings." in done.stderr


class Runner:
    """Runs the last script of a job as its system does, on a repository of its own."""

    def __init__(self, system: str, folder: Path) -> None:
        self.system = system
        self.begun = ""
        self.work = folder / "work"
        self.home = folder / "w"
        scaffold(self.work)
        file = self.work / "workflow.yaml"
        file.write_text(
            file.read_text(encoding="utf-8").replace("spec:\n", "spec:\n  install: 'true'\n", 1), encoding="utf-8"
        )
        git(self.work, "init", "-q")
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", "first")
        self.text = tree_text(system, self.work)

    def summary(self, job: str) -> str:
        """Return what the job left to read."""
        file = {"gitlab": self.work / "f0ci-summary.md", "azure": self.home / "f0ci-summary.md"}
        return file.get(self.system, self.work / f"f0ci-{job}.md").read_text(encoding="utf-8")

    def run(self, job: str, release: str = "", plan: str = "") -> subprocess.CompletedProcess[str]:
        """Run a job and, as long as it leaves something to be done, those that do it and go on."""
        shutil.rmtree(self.home, ignore_errors=True)
        answered = ""
        for number in range(1, 9):
            done = self._run(job, number, release, plan, answered)
            if number == 1 and done.returncode == 0 and job.startswith("deploy_"):
                self.begun = self.summary(job)
            answered = self._left(number, done.stdout)
            if not answered:
                return done
            worked = self._run(job, -number, release, plan, answered)
            assert worked.returncode == 0, worked.stdout + worked.stderr
        raise AssertionError("it never ends")

    def _left(self, number: int, out: str) -> str:
        if self.system == "azure":
            return "".join(re.findall(r"variable=errands;isOutput=true\]([0-9a-f]{64})", out))
        told = self.work / {"gitlab": "f0ci-told.env", "jenkins": "f0ci-handed.txt"}[self.system]
        text = told.read_text(encoding="utf-8") if told.exists() else ""
        told.unlink(missing_ok=True)
        return "".join(re.findall(rf"(?:F0CI_ERRANDS_\d+_{number}=|^)([0-9a-f]{{64}})$", text, re.MULTILINE))

    def _run(self, job: str, number: int, release: str, plan: str, answered: str) -> subprocess.CompletedProcess[str]:
        """Run the job that pushes of a number, or, below zero, the one that works."""
        script, env = self._job(job, number)
        env |= {f"F0CI_ERRANDS_{env.get('F0CI_CHAIN', '')}_{abs(number) - (number > 0)}": answered}
        env |= {"F0CI_ANSWERED": answered, "F0CI_LAST": "false", "PIPELINE_WORKSPACE": str(self.home)}
        env |= {"ANSWERED": answered} if number > 0 else {}
        env |= {
            "GITLAB_USER_NAME": "Bob",
            "GITLAB_USER_EMAIL": "bob@example.com",
            "F0CI_DIGEST": release,
            "RELEASE": release,
            "WORKSPACE": str(self.home),
            "AGENT_TEMPDIRECTORY": str(self.home),
            "CI_JOB_URL": "https://gitlab.example.com/jobs/7",
            "CI_JOB_NAME": job,
            "CI_COMMIT_SHA": "c" * 40,
            "CI_PROJECT_URL": "https://gitlab.example.com/shop",
            "BUILD_SOURCEVERSION": "c" * 40,
            "BUILD_URL": "https://ci.example.com/job/7/",
            # nobody answers there
            "SYSTEM_COLLECTIONURI": "http://127.0.0.1:9/shop/",
            "SYSTEM_TEAMPROJECT": "shop",
            "SYSTEM_STAGENAME": job,
            "BUILD_BUILDID": "7",
            "PLAN": plan,
        }
        shown = re.search(r"F0CI_PLAN_\d+", self.text)
        env |= {shown[0]: plan} if shown is not None else {}
        self.home.mkdir(exist_ok=True)
        if self.system == "jenkins" and release:
            (self.work / "f0ci-release.txt").write_text(f"{release}\n", encoding="utf-8")
            env |= {"TARGET": job.removeprefix("plan-").removeprefix("deploy_")}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.work,
            env={**os.environ, "PATH": path, **env},
            capture_output=True,
            text=True,
            check=False,
        )

    def _job(self, job: str, number: int) -> tuple[str, dict[str, str]]:
        if self.system == "gitlab":
            name = job if number == 1 else f"{job} {number}" if number > 0 else f"{job} work {-number}"
            data = resolved(self.text)[name]
            return "\n".join(data["script"]), dict(data.get("variables", {}))
        if self.system == "azure":
            found = list(all_of(yaml.safe_load(self.text), job.replace("-", "_")).values())
            steps = steps_of(found[2 * abs(number) - 2 + (number < 0)])
            script = "\n".join(self._azure_script(step) for step in steps)
            (env,) = [step.get("env", {}) for step in steps if "bash" in step and step["displayName"] != "install f0ci"]
            return script, {key: value for key, value in env.items() if "$" not in value}
        scripts = jenkins_scripts(self.text)[job]
        return scripts[1 if number < 0 else 0], {}

    def _azure_script(self, step: dict[str, Any]) -> str:
        """Return a step of one job as a part of one script; an artifact is a folder."""
        if "bash" in step:
            return "" if step["displayName"] == "install f0ci" else f"(\n{step['bash']})\n"
        kept, place = f"{self.work}.artifacts", "$PIPELINE_WORKSPACE"
        if step.get("download") == "current":
            return f'mkdir -p "{place}"\ncp -R "{kept}/{step["artifact"]}" "{place}/"\n'
        if "publish" in step:
            taken = step["publish"].replace("$(Pipeline.Workspace)", place)
            target = f"{kept}/{step['artifact']}"
            copied = f'  rm -rf "{target}"\n  mkdir -p "{kept}"\n  cp -R "{taken}" "{target}"\n'
            return f'if [ -d "{taken}" ]; then\n{copied}fi\n'
        return ""


@SYSTEMS
def test_the_programs_of_the_jobs_do_what_they_say(system: str, tmp_path: Path) -> None:
    if not (Path(sys.executable).parent / "f0ci").exists():
        pytest.skip("f0ci is not installed beside this Python")
    runner = Runner(system, tmp_path)

    made = runner.run("release")
    assert made.returncode == 0, made.stderr
    digests = re.findall(r"[0-9a-f]{64}", made.stdout)
    if system != "azure":
        file = runner.work / {"gitlab": "f0ci-release.env", "jenkins": "f0ci-release.txt"}[system]
        assert file.read_text(encoding="utf-8").removeprefix("F0CI_DIGEST=").strip() in digests
    else:
        assert f"##vso[task.setvariable variable=digest;isOutput=true]{digests[-1]}" in made.stdout
    for name in ("dev", "staging"):
        done = runner.run(f"deploy_{name}", digests[-1])
        assert done.returncode == 0, done.stdout + done.stderr
        assert "succeeded" in done.stdout
        said = runner.summary(f"deploy_{name}")
        assert said.startswith(f"### Release {digests[-1][:12]} into {name}\n")
        # what would happen, and what did
        assert "      strategy rolling" in runner.begun
        assert "succeeded" in said
    shown = runner.run("plan-deploy_prod", digests[-1])
    assert shown.returncode == 0, shown.stderr
    (plan,) = re.findall(r"  digest ([0-9a-f]{64})\n", shown.stdout)
    heading, _, link, _, *lines = runner.summary("plan-deploy_prod").splitlines()
    assert heading == f"### Plan {plan[:12]}: release {digests[-1][:12]} into prod"
    assert re.fullmatch(r"of \S+, in \[this \w+\]\(\S*\)", link)
    assert f"      digest {plan}" in lines
    assert runner.run("deploy_prod", digests[-1], "0" * 64).returncode == 4
    assert runner.run("deploy_prod", digests[-1]).returncode == 2
    waiting = runner.run("deploy_prod", digests[-1], plan)

    # GitLab's own way to be neutral is the exit code
    assert waiting.returncode == (5 if system == "gitlab" else 0)
    assert "waiting; the scheduled run takes it further" in waiting.stdout
    assert "0 of 1 approval" in waiting.stdout
    if system == "azure":
        assert "##vso[task.complete result=SucceededWithIssues;]" in waiting.stdout
    assert runner.run("deploy_dev", "0" * 64).returncode == 2


def test_a_gitlab_file_that_another_one_includes_has_no_say_over_its_jobs() -> None:
    made = pipeline(WORKFLOW + "  pipelines: {gitlab: {file: ci/promotion.yml}}\n")
    ((path, text),) = gitlab.write(made).items()
    data = yaml.safe_load(text)

    assert path == "ci/promotion.yml"
    assert "default" not in data
    assert data[".f0ci-default"]["image"] == "$F0CI_IMAGE"
    assert data["to_dev"]["extends"] == [".f0ci-default", ".f0ci-push"]
    assert data["build"]["extends"] == ".f0ci-default"
    assert "'ci/promotion.yml' in .gitlab-ci.yml" in " ".join(gitlab.set_up(made))


@pytest.mark.parametrize("path", ["../out.yml", "/etc/x.yml", "a/../../b.yml", "-x.yml", "no"])
def test_a_gitlab_file_stays_in_the_repository(path: str) -> None:
    text = WORKFLOW + f"  pipelines: {{gitlab: {{file: '{path}'}}}}\n"

    with pytest.raises(InputError, match=re.escape(f"\"{path}\" is not an allowed value of 'file'")):
        read_workflow(MemoryTree({"workflow.yaml": text.encode()}), "workflow.yaml")
