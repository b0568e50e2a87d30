"""Whoever types what README.md and the pages of `docs/` say gets what they say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from f0ci.cli.application import application
from tests.conftest import SshIdentity, git

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# `f0ci status prod` in a text, or a line of a block that begins with it
_FENCED = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_QUOTED = re.compile(r"`(f0ci [^`]*)`")
_LINE = re.compile(r"^(?:\$ |- run: |  script: )?(f0ci .*)$", re.MULTILINE)


def first_steps() -> list[str]:
    """Return the commands of the README's block that begins with `f0ci init`, without their comments."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (block,) = [block for block in _FENCED.findall(text) if block.startswith("f0ci init")]
    return [line.partition("   #")[0].strip() for line in block.splitlines() if not line.lstrip().startswith("#")]


def test_the_first_steps_of_the_readme_work_as_they_stand(
    tmp_path: Path, ssh_identity: Callable[[str], SshIdentity]
) -> None:
    """In an empty folder with a remote, by somebody who has a signing key; the last but one waits, as it says."""
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "remote.git")
    work = tmp_path / "work"
    git(tmp_path, "clone", "-q", str(tmp_path / "remote.git"), str(work))
    git(work, "checkout", "-q", "-b", "main")
    for key, value in (("user.name", "Alice"), ("user.email", "alice@example.com"), ("push.autoSetupRemote", "true")):
        git(work, "config", key, value)
    ssh_identity("alice").sign_with(work)
    bob = ssh_identity("bob")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"

    for command in first_steps():
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=work,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        waits = command == "f0ci promote prod"
        assert done.returncode == (5 if waits else 0), f"{command}\n{done.stdout}{done.stderr}"
        if command == "f0ci init":
            approvers = work / ".f0ci/approvers.yaml"
            listed = f"  bob:\n    emails: [bob@example.com]\n    keys: ['{bob.key}']\ngroups:\n"
            text = approvers.read_text(encoding="utf-8").replace("groups:\n", listed)
            approvers.write_text(text.replace("[alice]", "[alice, bob]"), encoding="utf-8")
        if waits:
            assert "next: f0ci approve prod-1" in done.stdout
    assert git(work, "status", "--porcelain") == ""


def told() -> list[tuple[str, str]]:
    """Return every call that a page tells of, with the page."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for block in _FENCED.findall(text) for line in _LINE.findall(block)]
        calls = [*_QUOTED.findall(_FENCED.sub("", text)), *(line.partition("   #")[0] for line in lines)]
        found += [(page.name, " ".join(call.split())) for call in calls]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(("page", "call"), told(), ids=str)
def test_every_command_and_option_that_a_page_tells_of_exists(page: str, call: str) -> None:
    words = re.sub(r"[|<>&;,].*", "", call).replace("[", " ").replace("]", " ")
    name, *rest = shlex.split(words, comments=True)[1:] or ["--help"]
    command: click.Command = application
    known = {option for one in application.params for option in one.opts}
    path: list[str] = []
    for word in (name, *rest):
        inner = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if inner is None:
            break
        command, path = inner, [*path, word]
    assert path or name.startswith("-"), f"{page}: there is no `f0ci {name}`"
    known |= {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help", "--version"}
    for word in (name, *rest):
        option = word.partition("=")[0]
        if re.fullmatch(r"--[a-z][a-z-]*|-[a-zA-Z]", option):
            assert option in known, f"{page}: `{call}`: there is no {option}"
