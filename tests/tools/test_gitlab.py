"""Generated GitLab pipelines under the published schema and shellcheck."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.tools.workspaces import NAMES, check, generated

Tool = Callable[..., str]


@pytest.mark.parametrize("name", NAMES)
def test_the_published_schema_holds_and_scripts_are_clean(name: str, tool: Tool, tmp_path: Path) -> None:
    data = yaml.safe_load(generated(name, "gitlab", tmp_path))

    check(
        tool("check-jsonschema"),
        *("--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci", str(tmp_path / ".gitlab-ci.yml")),
    )
    scripts = [job for job in data.values() if isinstance(job, dict) and {"script", "before_script"} & job.keys()]
    assert scripts
    for job in scripts:
        # a runner joins the parts, in one shell
        text = "\n".join([*job.get("before_script", []), *job.get("script", [])])
        check(tool("shellcheck"), "-s", "bash", "-e", "SC2154", "-", content=text)
