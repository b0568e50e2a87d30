"""Generated Azure pipelines under the published schema and shellcheck."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import check_jsonschema
import pytest
import yaml

from tests.conftest import missing_real
from tests.tools.workspaces import NAMES, check, generated

Tool = Callable[..., str]


ROOT = Path(__file__).parents[2]


def as_texts(data: Any) -> Any:
    """Return data with every scalar as text: that is how Azure reads it, and what its schema is about."""
    if isinstance(data, dict):
        return {key: as_texts(value) for key, value in data.items()}
    if isinstance(data, list):
        return [as_texts(item) for item in data]
    return str(data).lower() if isinstance(data, bool) else str(data)


def scripts_of(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        yield from (value for key, value in data.items() if key == "bash")
        for value in data.values():
            yield from scripts_of(value)
    elif isinstance(data, list):
        for item in data:
            yield from scripts_of(item)


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schema_holds_and_scripts_are_clean(name: str, tool: Tool, tmp_path: Path) -> None:
    data = yaml.safe_load(generated(name, "azure", tmp_path))
    file = tmp_path / "texts.json"
    file.write_text(json.dumps(as_texts(data)), encoding="utf-8")

    check(
        tool("check-jsonschema"),
        *("--builtin-schema", "vendor.azure-pipelines", "--data-transform", "azure-pipelines"),
        # the schema's patterns escape more than the newest regular expressions allow
        *("--regex-variant", "nonunicode", str(file)),
    )
    scripts = list(scripts_of(data))
    assert scripts
    for text in scripts:
        check(tool("shellcheck"), "-s", "bash", "-e", "SC2154", "-", content=text)


@pytest.mark.parametrize(
    ("name", "broken"), [*((name, "") for name in NAMES), ("scaffold", "lockBehaviour: sequential\n")]
)
def test_the_language_service_of_azure_has_nothing_to_say(name: str, broken: str, tool: Tool, tmp_path: Path) -> None:
    folder = ROOT / "tools/node"
    if not (folder / "node_modules/azure-pipelines-language-service").exists():
        missing_real("azure-pipelines-language-service", "`make tools` installs it")
    generated(name, "azure", tmp_path)
    file = tmp_path / "azure-pipelines.yml"
    file.write_text(file.read_text(encoding="utf-8") + broken, encoding="utf-8")
    schema = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/azure-pipelines.json"

    done = subprocess.run(
        [tool("node", "none; `make tools` installs it"), str(folder / "azure.js"), str(schema), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1 if broken else 0, ""), done.stdout
