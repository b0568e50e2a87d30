"""What `docs/environments.md` shows is what the commands print in the example."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from f0ci.cli.boundary import run
from f0ci.environments.keyed_lists import merge_key_at
from f0ci.source.schema import check_schema
from tests.docs.pages import blocks, workflow_text

PAGE = "environments.md"
EXAMPLE = Path(__file__).parents[2] / "examples" / "environments"


def shown() -> list[tuple[str, str]]:
    """Return every command of the page with what it is said to print."""
    found = []
    for block in blocks(PAGE, "console"):
        for part in block.split("$ ")[1:]:
            command, _, output = part.partition("\n")
            found.append((command, output))
    return found


def test_commands_print_what_the_page_shows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "orders"
    shutil.copytree(EXAMPLE, root)
    for command, output in shown():
        program, *arguments = shlex.split(command)
        assert program == "f0ci"
        capsys.readouterr()
        run(["-C", str(root), *arguments])
        said = capsys.readouterr()
        text = said.out + said.err
        beginning, cut, _ = output.partition("...\n")
        assert text.startswith(beginning) if cut else text == output, f"{command}\n{text}"


def test_blocks_are_valid() -> None:
    (schema,) = blocks(PAGE, "json")
    assert merge_key_at(json.loads(schema), ("backends",)) == "name"
    settings, drift = blocks(PAGE, "yaml")
    assert check_schema("project", yaml.safe_load(settings)) == ()
    workflow = yaml.safe_load(workflow_text("x: 1").replace("  x: 1", "").replace("{prod: {}}", "null"))
    workflow["spec"] = yaml.safe_load(drift)
    assert check_schema("workflow", workflow) == ()
