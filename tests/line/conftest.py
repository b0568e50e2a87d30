"""A scaffolded repository with a bare remote and two people who can sign: alice writes, bob approves."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from f0ci.cli.boundary import run
from f0ci.commands.scaffolding import scaffold
from tests.conftest import SshIdentity, commit_files, git

PEOPLE = ("alice", "bob")
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

    def tip(self, ref: str) -> str:
        return git(self.bare, "rev-parse", ref)

    def tree(self, ref: str) -> str:
        return git(self.bare, "rev-parse", f"{ref}^{{tree}}")

    def events(self, environment: str) -> list[str]:
        """Return the kinds of an environment's events, in order."""
        files = git(self.bare, "ls-tree", "-r", "--name-only", f"f0ci/ledger/{environment}").splitlines()
        found = [json.loads(git(self.bare, "show", f"f0ci/ledger/{environment}:{path}")) for path in files]
        return [event["kind"] for event in sorted(found, key=lambda event: event["position"])]


@pytest.fixture
def line(
    make_remote_repository: Callable[..., Any],
    ssh_identity: Callable[[str], SshIdentity],
    capsys: pytest.CaptureFixture[str],
) -> Line:
    remote = make_remote_repository("project")
    people = {name: ssh_identity(name) for name in PEOPLE}
    scaffold(remote.work)
    approvers = "version: 1\npeople:\n" + "".join(
        f"  {name}:\n    emails: [{name}@example.com]\n    keys: ['{people[name].key}']\n" for name in PEOPLE
    )
    line = Line(remote.work, remote.bare, capsys, people)
    line.act_as("alice")
    line.commit({".f0ci/approvers.yaml": approvers + "groups:\n  release-managers: [alice, bob]\n"})
    return line
