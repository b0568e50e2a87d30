"""The component for GitLab and the shared step for Jenkins: one command of f0ci, for pipelines that people write."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.commands.scaffolding import scaffold
from tests.conftest import git, missing_real, write_files

ROOT = Path(__file__).parents[2]
NODE = ROOT / "tools/node/node_modules"
# the steps of Jenkins that a shared library calls; its arguments are the library's file and what it is called with
LIBRARY = """
import groovy.json.JsonSlurper
class Stopped extends RuntimeException { Stopped(String said) { super(said) } }
def environ = new HashMap(System.getenv())
def binding = new Binding()
binding.withEnv = { List values, Closure body ->
    values.each { def (name, value) = it.split('=', 2); environ[name] = value.replace('$$', '$') }
    body()
}
binding.string = { Map given -> given }
binding.withCredentials = { List given, Closure body ->
    given.each { environ[it.variable] = 'token-of-' + it.credentialsId }
    body()
}
binding.sh = { Map given ->
    def process = ['bash', '-c', given.script].execute(environ.collect { name, value -> name + '=' + value }, null)
    process.waitForProcessOutput(System.out, System.err)
    process.exitValue()
}
binding.echo = { println 'echo ' + it }
binding.error = { throw new Stopped(it.toString()) }
def step = new GroovyShell(binding).parse(new File(args[0]))
try {
    println 'returned ' + step.call(new JsonSlurper().parseText(args[1]))
} catch (Stopped stopped) {
    println 'stopped ' + stopped.message
}
"""
Tool = Callable[..., str]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    scaffold(folder)
    git(folder, "init", "-q")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "first")
    return folder


def run(workspace: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.run(command, cwd=workspace, env=environ, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "returned 0"),
        ({"command": "release", "arguments": ["create"]}, "returned 0"),
        ({"command": "explain", "arguments": ["$(touch pwned) $HOME '''"]}, "stopped f0ci explain: exit 2"),
        ({"comand": "validate"}, "stopped f0ci takes no 'comand'; it takes command, "),
    ],
)
def test_the_step_runs_a_command(given: dict[str, object], said: str, workspace: Path, tool: Tool) -> None:
    java = Path(tool("java", "default-jre-headless")).resolve()
    program = workspace.parent / "library.groovy"
    program.write_text(LIBRARY, encoding="utf-8")
    os.environ.setdefault("JAVA_HOME", str(java.parents[1]))

    done = run(workspace, tool("groovy", "groovy"), str(program), str(ROOT / "vars/f0ci.groovy"), json.dumps(given))

    assert done.stdout.splitlines()[-1].startswith(said), done.stdout + done.stderr
    assert not (workspace / "pwned").exists()


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({"command": "validate"}, 0),
        ({"command": "render", "arguments": "dev\n--output\n$(touch pwned)"}, 0),
        ({"command": "rm -rf"}, 1),
    ],
)
def test_the_component_runs_a_command(inputs: dict[str, str], code: int, workspace: Path, tool: Tool) -> None:
    program = NODE / ".bin/gitlab-ci-local"
    if not program.exists():
        missing_real("gitlab-ci-local", "`make tools` installs it")
    # which it copies files with
    tool("rsync", "rsync")
    component = (ROOT / "templates/f0ci.yml").read_text(encoding="utf-8")
    # it wants to know where the project lives, and is never asked
    git(workspace, "remote", "add", "origin", "https://gitlab.example.com/shop/shop.git")
    git(workspace, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(workspace, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    include = {"include": [{"local": "f0ci-component.yml", "inputs": inputs}]}
    write_files(workspace, {"f0ci-component.yml": component, ".gitlab-ci.yml": json.dumps(include)})
    git(workspace, "add", "-A")
    git(workspace, "commit", "-qm", "second")

    node = tool("node", "none; `make tools` installs it")
    done = run(workspace, node, str(program), "--force-shell-executor", "--home", str(workspace.parent / "home"))

    assert done.returncode == code, done.stdout + done.stderr
    assert not (workspace / "pwned").is_file()
