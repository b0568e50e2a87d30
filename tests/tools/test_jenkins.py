"""Generated Jenkinsfiles under the Groovy compiler and shellcheck."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from f0ci.pipelines.writers._groovy import quoted
from tests.tools.workspaces import NAMES, check, generated

Tool = Callable[..., str]
HOSTILE = [
    "$(id) ${env.X} $X",
    "'''",
    "a'b\"c\\",
    "\\",
    "\\u0041\\n",
    "\\\\u000a",
    "a\nb\n",
    "''\n'",
    "\t",
    "größe €",
    "\U0001f600",
    "*/ // \u2028 \ufeff",
    "",
    "\n",
]


@pytest.fixture
def groovy(tool: Tool, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the compiler that Jenkins embeds a near relative of; Debian's wrapper needs to be told where Java is."""
    java = Path(tool("java", "default-jre-headless")).resolve()
    if "JAVA_HOME" not in os.environ:
        monkeypatch.setenv("JAVA_HOME", str(java.parents[1]))
    return tool("groovy", "groovy")


def scripts_of(text: str) -> list[str]:
    found = re.findall(r"script: '''(.*?)(?<!\\)'''", text, re.DOTALL)
    return [re.sub(r"\\(['\\])", r"\1", script) for script in found]


@pytest.mark.parametrize("name", NAMES)
def test_shell_scripts_are_clean(name: str, tool: Tool, tmp_path: Path) -> None:
    scripts = scripts_of(generated(name, "jenkins", tmp_path))

    assert scripts
    for script in scripts:
        check(tool("shellcheck"), "-e", "SC2154", "-", content=script)


def test_groovy_compiles_every_file(groovy: str, tmp_path: Path) -> None:
    files = []
    for name in NAMES:
        (tmp_path / name).mkdir()
        files.append(tmp_path / f"{name}.groovy")
        files[-1].write_text(generated(name, "jenkins", tmp_path / name), encoding="utf-8")
    compile_all = (
        "args.each { new org.codehaus.groovy.control.CompilationUnit().with { unit -> unit.addSource(new File(it));"
        " unit.compile(org.codehaus.groovy.control.Phases.CLASS_GENERATION) } }"
    )

    check(groovy, "-e", compile_all, *map(str, files))


def test_groovy_reads_what_was_written(groovy: str, tmp_path: Path) -> None:
    program = tmp_path / "strings.groovy"
    listed = ",\n".join(map(quoted, HOSTILE))
    program.write_text(f"println groovy.json.JsonOutput.toJson([\n{listed}\n])\n", encoding="utf-8")

    done = subprocess.run([groovy, str(program)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == HOSTILE
