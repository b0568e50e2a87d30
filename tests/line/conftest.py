"""A scaffolded repository with a bare remote and two people who can sign: alice writes, bob approves."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from f0ci.cli.boundary import run
from f0ci.commands.scaffolding import scaffold
from tests.conftest import SshIdentity, commit_files, git
from tests.line.forger import Forger

PEOPLE = ("alice", "bob")
# have keys in lines that are played once, and no place in their approvers file
STRANGERS = ("carol", "dave", "erin", "mallory")
# works in dev and staging, where every name is plain ASCII, and fails in production
BAD_GREETING = ("template.format(name=name)", "template.format(name=name.encode('ascii').decode())")


@dataclass
class Answer:
    """What a command said: exit code, stdout and stderr."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass
class Line:
    """The repository, and the commands of the people who work on it."""

    work: Path
    bare: Path
    capsys: pytest.CaptureFixture[str]
    people: dict[str, SshIdentity]

    def act_as(self, name: str) -> None:
        git(self.work, "config", "user.name", name.title())
        git(self.work, "config", "user.email", f"{name}@example.com")
        self.people[name].sign_with(self.work)

    def f0ci(self, *args: str, work: Path | None = None) -> Answer:
        self.capsys.readouterr()
        code = run(["-C", str(work or self.work), *args])
        captured = self.capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    def done(self, *args: str) -> Answer:
        answer = self.f0ci(*args)
        assert answer.code == 0, f"f0ci {' '.join(args)}: {answer.code}\n{answer.out}\n{answer.err}"
        return answer

    def change(self, path: str, old: str, new: str) -> str:
        text = (self.work / path).read_text(encoding="utf-8")
        assert old in text
        return self.commit({path: text.replace(old, new)})

    def commit(self, files: dict[str, str]) -> str:
        oid = commit_files(self.work, files)
        git(self.work, "push", "-q", "origin", "HEAD:main")
        return oid

    def release(self) -> str:
        return str(self.done("release", "create", "--format", "json").data["release"])

    def to_prod(self) -> str:
        """Bring the newest source through all three environments, bob approving; return the release."""
        release = self.release()
        self.done("promote", "dev")
        self.done("promote", "staging")
        assert self.f0ci("promote", "prod").code == 5
        self.approve_waiting()
        return release

    def approve_waiting(self) -> None:
        waiting = self.done("status", "prod", "--format", "json").data["environments"][0]["promotion"]["promotion"]
        self.act_as("bob")
        self.done("approve", waiting)
        self.act_as("alice")

    def clone(self, name: str, *options: str) -> Path:
        """Return a fresh clone of the remote."""
        path = self.work.parent / name
        git(self.bare, "clone", "-q", *options, self.bare.as_uri(), str(path))
        return path

    def tip(self, ref: str) -> str:
        return git(self.bare, "rev-parse", ref)

    def tree(self, ref: str) -> str:
        return git(self.bare, "rev-parse", f"{ref}^{{tree}}")

    def events(self, environment: str) -> list[str]:
        """Return the kinds of an environment's events, in order."""
        return [event["kind"] for event in self.records(environment)]

    def records(self, environment: str) -> list[dict[str, Any]]:
        """Return an environment's events, in order."""
        files = git(self.bare, "ls-tree", "-r", "--name-only", f"f0ci/ledger/{environment}").splitlines()
        found = [json.loads(git(self.bare, "show", f"f0ci/ledger/{environment}:{path}")) for path in files]
        return sorted(found, key=lambda event: int(event["position"]))


def start_line(work: Path, bare: Path, capsys: pytest.CaptureFixture[str], people: dict[str, SshIdentity]) -> Line:
    """Scaffold a repository whose approvers are alice and bob, and act as alice."""
    scaffold(work)
    approvers = "version: 1\npeople:\n" + "".join(
        f"  {name}:\n    emails: [{name}@example.com]\n    keys: ['{people[name].key}']\n" for name in PEOPLE
    )
    line = Line(work, bare, capsys, people)
    line.act_as("alice")
    line.commit({".f0ci/approvers.yaml": approvers + "groups:\n  release-managers: [alice, bob]\n"})
    return line


@pytest.fixture
def line(
    make_remote_repository: Callable[..., Any],
    ssh_identity: Callable[[str], SshIdentity],
    capsys: pytest.CaptureFixture[str],
) -> Line:
    remote = make_remote_repository("project")
    return start_line(remote.work, remote.bare, capsys, {name: ssh_identity(name) for name in PEOPLE})


@dataclass
class Stage:
    """A line that was played up to a point, to be copied.

    Attributes:
        work: its clone.
        bare: its remote.
        people: signing keys, also of strangers.
    """

    work: Path
    bare: Path
    people: dict[str, SshIdentity]

    def copy_to(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> Line:
        """Return a copy that a test may change."""
        work, bare = folder / "project", folder / "project.git"
        shutil.copytree(self.work, work, symlinks=True)
        shutil.copytree(self.bare, bare, symlinks=True)
        git(work, "remote", "set-url", "origin", str(bare))
        return Line(work, bare, capsys, self.people)


@pytest.fixture(scope="session")
def _stages() -> dict[str, Stage]:
    return {}


@pytest.fixture
def stage(
    _stages: dict[str, Stage], tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Callable[[Line], None]], Stage]:
    """Return a function that plays a line up to a point, once in a session: `stage("name", play)`."""

    def played(name: str, play: Callable[[Line], None]) -> Stage:
        if name not in _stages:
            folder = tmp_path_factory.mktemp(name)
            people = {person: _key(folder, person) for person in (*PEOPLE, *STRANGERS)}
            bare, work = folder / "project.git", folder / "project"
            git(folder, "init", "-q", "--bare", str(bare))
            git(folder, "init", "-q", str(work))
            git(work, "remote", "add", "origin", str(bare))
            play(start_line(work, bare, capsys, people))
            _stages[name] = Stage(work, bare, people)
        return _stages[name]

    return played


def _key(folder: Path, name: str) -> SshIdentity:
    private = folder / f"id_{name}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(private)], check=True)
    public = private.with_suffix(".pub")
    kind, data, *_ = public.read_text(encoding="ascii").split(" ")
    return SshIdentity(name, private, public, f"{kind} {data}")


@pytest.fixture
def history(
    stage: Callable[[str, Callable[[Line], None]], Stage], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Line:
    """Return a copy of a line with a past: two releases in production, a rollback, and a promotion that waits."""

    def play(line: Line) -> None:
        line.to_prod()
        line.done("promote", "prod")
        line.change("environments/base.yaml", "the team", "the whole team")
        line.to_prod()
        line.done("promote", "prod")
        line.done("rollback", "prod", "--reason", "orders are lost")
        line.act_as("bob")
        line.done("unhold", "prod", "--reason", "found it")
        line.act_as("alice")
        line.change("environments/base.yaml", "the whole team", "everybody")
        line.release()
        line.done("promote", "dev")
        line.done("promote", "staging")
        assert line.f0ci("promote", "prod").code == 5

    return stage("history", play).copy_to(tmp_path, capsys)


@pytest.fixture
def forger(history: Line) -> Forger:
    """Return somebody who changes that past."""
    return Forger(history.bare, history.work, history.people)
