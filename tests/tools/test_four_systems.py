"""One scenario, four systems: each generated pipeline, run by an executor of its system, leaves the same ledgers.

The jobs of the pipelines run for real, in a repository with a bare remote: validate, release, dev, staging, the plan,
the answer of a person, production; then a release that fails in production and is rolled back. What is a machine's own
affair (where f0ci is installed, where the API is) is a program in front of f0ci on the PATH.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.commands.generating import generate, write_files
from f0ci.commands.scaffolding import scaffold
from tests.conftest import git, missing_real
from tests.line.conftest import BAD_GREETING

# read before the variables of f0ci are taken away from each test
HARNESS = os.environ.get("F0CI_HARNESS", "")
ROOT = Path(__file__).parents[2]
NODE = ROOT / "tools/node/node_modules"
SHIMS = Path(__file__).parent / "shims"
APPROVERS = """\
version: 1
people:
  alice: {emails: [alice@example.com]}
  bob:
    emails: [bob@example.com]
    accounts: {github: bob, gitlab: bob, jenkins: bob, azure: bob@example.com}
groups:
  release-managers: [alice, bob]
"""
MACHINE = """\
#!/bin/sh
# some executors copy the files and leave out .git, where the real system clones
[ -e .git ] || {{ git init -q . && git remote add origin {remote} && git fetch -q --tags origin main &&
  git reset -q FETCH_HEAD; }} >&2 || exit 3
export GITHUB_API_URL={api} SYSTEM_STAGENAME=deploy_prod
exec {program} "$@"
"""
# a step of the deploy recipe: nothing that it descends from was given the token
GUARD = """\
steps:
  - name: guard
    idx: 0
    type: shell
    run: |
      pid=$$
      while [ "$pid" -gt 1 ]; do
        if tr '\\0' '\\n' < "/proc/$pid/environ" | grep -q '^F0CI_GIT_TOKEN='; then exit 1; fi
        pid=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status")
      done
"""
# who, when, and what is made of it: commits and tips, and the id of a recipe's run
TIMELY = {"actor", "time", "decided_at", "asked_at", "start", "end", "commit", "parent", "ledgers", "run"}
DATE = {"GIT_AUTHOR_DATE": "2026-01-05T08:00:00Z", "GIT_COMMITTER_DATE": "2026-01-05T08:00:00Z"}
REASON = 'by hand: it\'s "slow"; touch pwned'
Tool = Callable[..., str]


class Api(BaseHTTPRequestHandler):
    """Answers as the published APIs say: bob reviewed the run, and gave the approval of the stage."""

    def do_GET(self) -> None:
        bob = {"status": "approved", "actualApprover": {"displayName": "Bob", "uniqueName": "bob@example.com"}}
        answers: dict[str, Any] = {
            r".*/actions/runs/[^/]+/approvals": [
                {"state": "approved", "comment": "", "environments": [{"name": "prod"}], "user": {"login": "bob"}}
            ],
            r".*/builds/7/timeline": {
                "records": [
                    {"id": "s", "type": "Stage", "identifier": "deploy_prod"},
                    {"id": "c", "type": "Checkpoint", "parentId": "s"},
                    {"id": "a", "type": "Checkpoint.Approval", "parentId": "c"},
                ]
            },
            r".*/approvals/a": {"id": "a", "status": "approved", "steps": [bob]},
        }
        path = self.path.partition("?")[0]
        body = json.dumps(next(answer for pattern, answer in answers.items() if re.fullmatch(pattern, path))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def api() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Shop:
    """The repository, and a machine that runs its pipelines."""

    folder: Path
    api: str
    tool: Tool
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.work, self.bare, self.bin = (self.folder / name for name in ("project", "project.git", "bin"))
        self.marks = self.folder / "marks"
        scaffold(self.work)
        # the same text for every system, so that the releases are the same
        marks = '"$(dirname "$(command -v f0ci)")/../marks"'
        steps = ", ".join(f"{when}: [{{run: 'echo {when} >> {marks}'}}]" for when in ("before", "after"))
        added = f"  pipelines: {{jenkins: {{worker: another}}, jobs: {{deploy_dev: {{{steps}}}}}}}\n"
        for path, old, new in (
            ("workflow.yaml", "spec:\n", f"spec:\n  install: {{preinstalled: true}}\n{added}"),
            ("workflow.yaml", "managers]", "managers], accept: [github, gitlab, jenkins, azure]"),
            ("recipes/deploy.yaml", "steps:\n", GUARD),
        ):
            self.replace(path, old, new)
        (self.work / ".f0ci").mkdir(exist_ok=True)
        (self.work / ".f0ci/approvers.yaml").write_text(APPROVERS, encoding="utf-8")
        write_files(self.work, generate(self.work, ["github", "gitlab", "jenkins", "azure"]))
        git(self.folder, "init", "-q", "--bare", str(self.bare))
        git(self.work, "init", "-q")
        git(self.work, "remote", "add", "origin", str(self.bare))
        self.push("first")
        git(self.work, "remote", "set-head", "origin", "main")
        self.bin.mkdir()
        program = self.bin / "f0ci"
        installed = Path(sys.executable).parent / "f0ci"
        program.write_text(MACHINE.format(remote=self.bare, api=self.api, program=installed), encoding="utf-8")
        program.chmod(0o755)
        self.environ = {
            **os.environ,
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def replace(self, path: str, old: str, new: str) -> None:
        file = self.work / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new, 1), encoding="utf-8")

    def push(self, message: str) -> None:
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", message, env=DATE)
        git(self.work, "push", "-q", "-u", "origin", "HEAD:main")

    def run(
        self, *command: str, cwd: Path | None = None, environ: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=cwd or self.work,
            env={**self.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def ledger(self, environment: str) -> list[dict[str, Any]]:
        """Return an environment's events in order, without who, when, and what follows from when."""
        ref = f"f0ci/ledger/{environment}"
        files = git(self.bare, "ls-tree", "-r", "--name-only", ref).splitlines()
        events = [json.loads(git(self.bare, "show", f"{ref}:{path}")) for path in files]
        return [timeless(event) for event in sorted(events, key=lambda event: event["position"])]


def timeless(value: Any, key: str = "") -> Any:
    """Return a record without actors and times, and without what the platform says of itself."""
    if key in TIMELY:
        return None
    if key in {"url", "job", "how"} or (key == "kind" and value in {"github", "gitlab", "jenkins", "azure"}):
        return None
    if key == "reviewer":
        return str(value).partition("@")[0]
    if isinstance(value, dict):
        return {name: timeless(below, name) for name, below in value.items()}
    return [timeless(below) for below in value] if isinstance(value, list) else value


def run_github(shop: Shop, *, rolls_back: bool = False) -> subprocess.CompletedProcess[str]:
    act = shop.tool("act", "none; `make tools` installs it")
    # act knows no keys of 2026, asks nobody, and has no other branch than the one it stands on
    copy = shop.folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(shop.work, copy)
    folder = copy / ".github/workflows"
    text = "".join(path.read_text(encoding="utf-8") for path in folder.glob("f0ci*.yml"))
    for path in list(folder.glob("f0ci*.yml")):
        known = re.sub(r"^ +(queue|deployment|ref): .+\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        copied = path.with_name(path.name.replace("f0ci", "act"))
        copied.write_text(known.replace("workflows/f0ci-promote", "workflows/act-promote"), encoding="utf-8")
    stand_ins = [
        argument
        for name, commit in sorted(set(re.findall(r"uses: ([^\s/.]+/[^\s/@]+)\S*@(\S+)", text)))
        if name != "actions/checkout"
        for shim in [name.partition("/")[2]]
        for path in [SHIMS / (shim if (SHIMS / shim).is_dir() else "nothing")]
        for argument in ("--local-repository", f"{name}@{commit}={path}")
    ]
    event = shop.folder / "event.json"
    head = git(shop.work, "rev-parse", "HEAD")
    said: dict[str, Any] = {"ref": "refs/heads/main", "after": head, "repository": {"default_branch": "main"}}
    if rolls_back:
        said["inputs"] = {"action": "rollback", "environment": "dev", "release": "", "reason": REASON}
    event.write_text(json.dumps(said))
    return shop.run(
        *(
            act,
            "workflow_dispatch" if rolls_back else "push",
            "-W",
            str(folder / "act.yml"),
            "-e",
            str(event),
            "-P",
            "ubuntu-24.04=-self-hosted",
            "--no-cache-server",
        ),
        *("--env", f"F0CI_ARTIFACTS={shop.folder / 'artifacts'}"),
        *(*stand_ins, "-s", "GITHUB_TOKEN=a-token", "--actor", "alice"),
        cwd=copy,
    )


def run_gitlab(shop: Shop, *, rolls_back: bool = False) -> subprocess.CompletedProcess[str]:
    program = NODE / ".bin/gitlab-ci-local"
    if not program.exists():
        missing_real("gitlab-ci-local", "`make tools` installs it")
    shop.tool("rsync", "rsync")
    variables = {
        "CI_PROJECT_URL": str(shop.folder / "project"),
        "CI_JOB_URL": "https://gitlab.example.com/jobs/7",
        "CI_JOB_MANUAL": "true",
        "GITLAB_USER_LOGIN": "bob",
        "CI_PIPELINE_SOURCE": "push",
    }
    if rolls_back:
        asked = {"F0CI_ACTION": "rollback", "F0CI_TARGET": "dev", "F0CI_REASON": REASON}
        variables |= {"CI_PIPELINE_SOURCE": "web", **asked}
    # the token has the scopes of the set-up list; a job that sees it outside of them refuses to work
    scopes = dict.fromkeys(("dev", "staging", "prod", "f0ci-push"), "a-token")
    held = shop.folder / "home/.gitlab-ci-local/variables.yml"
    held.parent.mkdir(parents=True, exist_ok=True)
    held.write_text(yaml.safe_dump({"global": {"F0CI_PUSH_TOKEN": {"type": "variable", "values": scopes}}}))
    node = shop.tool("node", "none; `make tools` installs it")
    given = [argument for name, value in variables.items() for argument in ("--variable", f"{name}={value}")]
    manual = () if rolls_back else ("--manual", "deploy_prod")
    return shop.run(
        *(node, str(program), "--force-shell-executor", "--shell-isolation", *manual, *given),
        *("--home", str(shop.folder / "home"), "--ignore-predefined-vars", ",".join(variables)),
    )


def run_jenkins(shop: Shop, *, rolls_back: bool = False) -> subprocess.CompletedProcess[str]:
    answers = shop.folder / "answers.json"
    answers.write_text(json.dumps([{"id": "promote-deploy_prod", "approve": True, "submitter": "bob"}]))
    java = Path(shop.tool("java", "default-jre-headless")).resolve()
    shop.environ.setdefault("JAVA_HOME", str(java.parents[1]))
    asked = {"F0CI_ACTION": "rollback", "F0CI_TARGET": "dev", "F0CI_REASON": REASON} if rolls_back else {}
    given = [argument for name, value in asked.items() for argument in ("--param", f"{name}={value}")]
    return shop.run(
        *(shop.tool("groovy", "groovy"), f"{HARNESS}/JenkinsCheck.groovy", "Jenkinsfile", "--repo", str(shop.work)),
        *("--branch", "main", "--env", "BRANCH_IS_PRIMARY=true", "--answers", str(answers), "--limit", "120"),
        *given,
    )


def run_azure(shop: Shop, *, rolls_back: bool = False) -> subprocess.CompletedProcess[str]:
    variables = {
        "Build.Reason": "Manual" if rolls_back else "IndividualCI",
        "Build.BuildId": "7",
        "Build.RequestedFor": "Bob",
        "Build.RequestedForEmail": "bob@example.com",
        "System.AccessToken": "a-token",
        "System.CollectionUri": f"{shop.api}/shop/",
        "System.TeamProject": "shop",
    }
    given = [argument for name, value in variables.items() for argument in ("--var", f"{name}={value}")]
    asked = {"action": "rollback", "environment": "dev", "reason": REASON} if rolls_back else {}
    given += [argument for name, value in asked.items() for argument in ("--param", f"{name}={value}")]
    return shop.run(
        *(sys.executable, f"{HARNESS}/run_azure.py", "azure-pipelines.yml", *given, "--json"),
        *("--protect", "prod", "--answer", "prod=yes"),
    )


def run_by_hand(shop: Shop) -> subprocess.CompletedProcess[str]:
    """Say on the command line what the jobs say: what the ledgers of the pipelines are compared with."""
    job = {"CI_JOB_URL": "u", "CI_JOB_NAME": "j", "CI_JOB_MANUAL": "true", "GITLAB_USER_LOGIN": "bob"}
    created = shop.run("f0ci", "release", "create", "--format", "json")
    release = str(json.loads(created.stdout)["digest"])
    for environment in ("dev", "staging"):
        assert shop.run("f0ci", "promote", environment, "--release", release).returncode == 0
    plan = json.loads(shop.run("f0ci", "plan", "prod", "--release", release, "--format", "json").stdout)["digest"]
    pinned = ("--release", release, "--digest", plan, "--evidence", "gitlab")
    return shop.run("f0ci", "promote", "prod", *pinned, environ=job)


RUNS: dict[str, Callable[..., subprocess.CompletedProcess[str]]] = {
    "github": run_github,
    "gitlab": run_gitlab,
    "jenkins": run_jenkins,
    "azure": run_azure,
}
# a good release and a bad one by hand, once for all systems that this process looks at
BY_HAND: dict[str, list[dict[str, Any]]] = {}


def ledgers(shop: Shop) -> dict[str, list[dict[str, Any]]]:
    return {name: shop.ledger(name) for name in ("dev", "staging", "prod", "_workflow")}


def bring_a_bad_release(shop: Shop) -> None:
    # what an executor or a recipe left in the work tree stays out
    git(shop.work, "checkout", "-q", ".")
    git(shop.work, "clean", "-qffdx")
    shop.replace("scriptlets/greetings.py", *BAD_GREETING)
    shop.push("second")


@pytest.mark.parametrize("system", RUNS)
def test_a_release_goes_to_production_and_a_bad_one_is_rolled_back(
    system: str, tmp_path: Path, api: str, tool: Tool
) -> None:
    if system in {"jenkins", "azure"} and not HARNESS:
        pytest.skip(f"no public program runs pipelines of {system}; F0CI_HARNESS names the folder of one")
    if not BY_HAND:
        by_hand = Shop(tmp_path / "by-hand", api, tool)
        assert run_by_hand(by_hand).returncode == 0
        bring_a_bad_release(by_hand)
        assert run_by_hand(by_hand).returncode == 6
        assert by_hand.run("f0ci", "rollback", "dev", "--reason", REASON).returncode == 0
        BY_HAND.update(ledgers(by_hand))
    shop = Shop(tmp_path / system, api, tool)

    good = RUNS[system](shop)
    assert good.returncode == 0, good.stdout[-6000:] + good.stderr[-3000:]
    # where the recipe runs, and once the release arrived
    assert shop.marks.read_text(encoding="utf-8").split() == ["before", "after"]
    restored = git(shop.bare, "rev-parse", "env/prod^{tree}")
    bring_a_bad_release(shop)
    bad = RUNS[system](shop)

    # gitlab-ci-local says it and exits 0, for the job was started by hand
    failed = " FAIL  deploy_prod" in bad.stdout if system == "gitlab" else bad.returncode == 1
    assert failed, bad.stdout[-6000:] + bad.stderr[-3000:]
    kinds = [event["kind"] for event in shop.ledger("prod")]
    approved = ["requested", "evidence", "applied", "deployed", "measured", "succeeded"]
    ended = ["requested", "evidence", "applied", "deployed", "measured", "rolled_back", "hold", "restored"]
    assert kinds == ["policy", *approved, *ended], kinds
    assert git(shop.bare, "rev-parse", "env/prod^{tree}") == restored
    said = {event["data"]["reviewer"] for event in shop.ledger("prod") if event["kind"] == "evidence"}
    assert said == {"bob"}
    # what a person starts on the system's page
    by_hand_again = RUNS[system](shop, rolls_back=True)
    assert by_hand_again.returncode == 0, by_hand_again.stdout[-6000:] + by_hand_again.stderr[-3000:]
    request, *_, end = (event for event in shop.ledger("dev") if event["promotion"] == "dev-3")
    assert (request["data"]["reason"], end["kind"]) == (REASON, "succeeded")
    assert not list(shop.folder.rglob("pwned"))
    assert ledgers(shop) == BY_HAND
    assert shop.run("f0ci", "audit", "verify").returncode == 0


def test_gitlab_ci_local_lists_the_jobs(tool: Tool, tmp_path: Path) -> None:
    program = NODE / ".bin/gitlab-ci-local"
    if not program.exists():
        missing_real("gitlab-ci-local", "`make tools` installs it")
    tool("rsync", "rsync")
    shop = Shop(tmp_path, "http://127.0.0.1:9", tool)

    done = shop.run(tool("node", "none"), str(program), "--list-json", "--home", str(tmp_path / "home"))

    assert done.returncode == 0, done.stderr
    listed = {job["name"]: job for job in json.loads(done.stdout)}
    written = yaml.safe_load((shop.work / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    assert set(listed) <= set(written)
    assert {"validate", "release", "deploy_dev", "plan-deploy_prod", "deploy_prod"} <= set(listed)
    assert listed["deploy_prod"]["when"] == "manual"
