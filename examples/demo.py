"""The whole line in a temporary repository: check, render, generate, run, promote, approve, roll back, verify.

Every command is printed before its real output. Nothing outside the temporary folder is touched, and nothing is asked
of the network. A command that does not end as expected ends the demo with exit 1.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAMES = ("alice", "bob")
COLOUR = sys.stdout.isatty() and "NO_COLOR" not in os.environ
MISTAKES = """\
metadata:
  name: mistakes
  version: "1.0"
steps:
  - name: extract
    type: shell
    run: echo extracting "$BATCH"
    env:
      BATCH: "#{config.processing.batch_sise}"
  - name: load
    type: shell
    depends_on: [extrct]
    run: echo loading
  - name: report
    type: sub_recipe
    recipe_path: recipes/sumary.yaml
    depends_on: [load]
    parameters: {title: Nightly}
"""


class Demo:
    """A temporary repository, and two people who work on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.work = folder / "greetings"
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            "HOME": str(folder / "home"),
            "LANG": "C.UTF-8",
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        (folder / "home").mkdir()

    def quietly(self, *command: str, cwd: Path | None = None) -> str:
        """Run a command that is no part of the story and return what it prints."""
        done = subprocess.run(
            command, cwd=cwd or self.work, env=self.environ, capture_output=True, text=True, check=False
        )
        if done.returncode:
            sys.exit(f"the demo cannot be set up: {shlex.join(command)}\n{done.stderr}")
        return done.stdout.strip()

    def show(self, *command: str, expect: int = 0, only: int | None = None) -> str:
        """Print a command, run it, print what it says, and insist on its exit code."""
        print(paint(f"$ {shlex.join(command)}", "1"), flush=True)
        done = subprocess.run(
            command,
            cwd=self.work,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = done.stdout.rstrip().splitlines()
        for line in lines[:only]:
            print(f"  {line}")
        if only is not None and len(lines) > only:
            print(paint(f"  ... {len(lines) - only} more lines", "2"))
        if done.returncode or expect:
            print(paint(f"  [exit {done.returncode}]", "33"))
        print(flush=True)
        if done.returncode != expect:
            sys.exit(f"expected exit {expect}, got {done.returncode}")
        return done.stdout

    def act_as(self, name: str) -> None:
        """Commit and sign as somebody from now on."""
        self.quietly("git", "config", "user.name", name.title())
        self.quietly("git", "config", "user.email", f"{name}@example.com")
        self.quietly("git", "config", "gpg.format", "ssh")
        self.quietly("git", "config", "user.signingkey", str(self.folder / f"{name}.pub"))
        tell(f"from here on this is {name}")

    def commit(self, message: str) -> None:
        """Commit and push everything."""
        self.quietly("git", "add", "-A")
        self.quietly("git", "commit", "-q", "-m", message)
        self.quietly("git", "push", "-q", "origin", "HEAD:main")


def main() -> None:
    """Walk the line."""
    check_tools()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="f0ci-demo-") as temporary:
        demo = Demo(Path(temporary))
        set_up(demo)
        write_and_check(demo)
        render_and_draw(demo)
        generate(demo)
        run(demo)
        promote(demo)
        roll_back(demo)
        look_back(demo)
    print(f"done in {time.monotonic() - started:.0f} s; nothing is left behind")


def set_up(demo: Demo) -> None:
    """Make a repository with a bare remote, and two people with signing keys."""
    chapter("a repository with a bare remote, and two people with signing keys of their own")
    demo.work.mkdir()
    demo.quietly("git", "init", "-q", "--bare", "-b", "main", str(demo.folder / "remote.git"))
    demo.quietly("git", "init", "-q", "-b", "main")
    demo.quietly("git", "remote", "add", "origin", str(demo.folder / "remote.git"))
    for name in NAMES:
        demo.quietly("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(demo.folder / name))
    demo.act_as("alice")


def write_and_check(demo: Demo) -> None:
    """Scaffold, validate, and see three mistakes found."""
    chapter("1  scaffold and validate")
    demo.show("f0ci", "init")
    approvers = demo.work / ".f0ci/approvers.yaml"
    key = " ".join((demo.folder / "bob.pub").read_text(encoding="ascii").split()[:2])
    text = approvers.read_text(encoding="utf-8")
    text = text.replace("groups:\n", f"  bob:\n    emails: ['bob@example.com']\n    keys:\n      - {key}\ngroups:\n")
    approvers.write_text(text.replace("[alice]", "[alice, bob]"), encoding="utf-8")
    tell("bob joins .f0ci/approvers.yaml, so that somebody else can approve")
    demo.show("f0ci", "validate")
    demo.commit("first recipes")
    mistakes = demo.work / "recipes/mistakes.yaml"
    mistakes.write_text(MISTAKES, encoding="utf-8")
    tell("a recipe with three mistakes")
    demo.show("f0ci", "validate", "recipes/mistakes.yaml", expect=1)
    mistakes.unlink()


def render_and_draw(demo: Demo) -> None:
    """Show what environments get, and the graph."""
    chapter("2  what an environment gets, and how two differ")
    demo.show("f0ci", "render", "staging", only=24)
    demo.show("f0ci", "diff", "staging", "prod")
    demo.show("f0ci", "graph")


def generate(demo: Demo) -> None:
    """Write a pipeline and notice an edit."""
    chapter("3  the pipeline, generated and checked")
    demo.show("f0ci", "generate", "github")
    demo.show("f0ci", "generate", "github", "--check")
    pipeline = demo.work / ".github/workflows/f0ci.yml"
    original = pipeline.read_text(encoding="utf-8")
    pipeline.write_text(re.sub(r"timeout-minutes: \d+", "timeout-minutes: 300", original, count=1), encoding="utf-8")
    tell("somebody edits the generated file")
    demo.show("f0ci", "generate", "github", "--check", expect=1)
    pipeline.write_text(original, encoding="utf-8")
    demo.commit("generated pipeline")


def run(demo: Demo) -> None:
    """Run a recipe with parallel steps, a sub-recipe and a condition."""
    chapter("4  a recipe with parallel steps, a sub-recipe and a condition")
    demo.show("f0ci", "run", "recipes/greet_everybody.yaml", "--environment", "dev", "--param", "name=Ada", "--quiet")


def promote(demo: Demo) -> None:
    """Bring a release to production, with an approval."""
    chapter("5  a release on its way to production")
    demo.show("f0ci", "release", "create")
    demo.show("f0ci", "promote", "dev")
    demo.show("f0ci", "promote", "staging")
    demo.show("f0ci", "promote", "prod", expect=5)
    demo.act_as("bob")
    demo.show("f0ci", "plan", "prod", only=12)
    demo.show("f0ci", "approve", "prod-1")
    demo.show("f0ci", "promote", "prod")
    demo.act_as("alice")


def roll_back(demo: Demo) -> None:
    """Promote a release that fails on what is measured, and see it rolled back."""
    chapter("6  a release that works everywhere but in production")
    source = demo.work / "scriptlets/greetings.py"
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace("format(name=name)", "format(name=name.encode('ascii').decode())"), encoding="utf-8")
    tell("a change that only fails for names such as Zoë, whom only production knows")
    demo.show("git", "diff", "--unified=0", "--no-color", "scriptlets")
    demo.commit("names are ASCII")
    demo.show("f0ci", "release", "create")
    demo.show("f0ci", "promote", "dev")
    demo.show("f0ci", "promote", "staging")
    demo.show("f0ci", "promote", "prod", expect=5)
    demo.act_as("bob")
    demo.show("f0ci", "approve", "prod-2")
    demo.show("f0ci", "promote", "prod", expect=6)


def look_back(demo: Demo) -> None:
    """Show status, history, and the verification of both."""
    chapter("7  what happened, and that nobody changed the record")
    demo.show("cat", "metrics/requests.csv")
    demo.show("f0ci", "status")
    demo.show("f0ci", "history")
    demo.show("f0ci", "audit", "verify")


def check_tools() -> None:
    """End with a clear message where Git or OpenSSH are missing or too old."""
    if shutil.which("git") is None:
        sys.exit("the demo needs git 2.34 or newer: install the package 'git'")
    if shutil.which("ssh-keygen") is None:
        sys.exit("the demo signs approvals with ssh-keygen: install the package 'openssh-client'")
    said = subprocess.run(["git", "--version"], capture_output=True, text=True, check=True).stdout
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is None or (int(match[1]), int(match[2])) < (2, 34):
        sys.exit(f"the demo needs git 2.34 or newer, which can sign with SSH keys; this is {said.strip()}")


def chapter(title: str) -> None:
    """Print a heading."""
    print(paint(f"== {title} ==", "1;36"), flush=True)
    print()


def tell(text: str) -> None:
    """Print what happens between commands."""
    print(paint(f"# {text}", "2"), flush=True)


def paint(text: str, code: str) -> str:
    """Return text in a terminal's colour, where there is a terminal."""
    return f"\033[{code}m{text}\033[0m" if COLOUR else text


if __name__ == "__main__":
    main()
