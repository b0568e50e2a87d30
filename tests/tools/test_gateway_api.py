"""The example for the Kubernetes Gateway API at every step of a rollout, under the schemas that clusters have."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import missing_real
from tests.unit.render.test_examples import NEW, ROUTINGS, STEPS, rendered

Tool = Callable[..., str]
ROOT = Path(__file__).parents[2]


def checked(files: list[Path], tool: Tool) -> tuple[int, str]:
    """Return what the schema of the Gateway API's own definitions says about routes."""
    folder = ROOT / "tools/node"
    if not (folder / "node_modules/@kubernetes-models/gateway-api").exists():
        missing_real("@kubernetes-models/gateway-api", "`make tools` installs it")
    node = tool("node", "none; `make tools` installs it")
    done = subprocess.run(
        [node, str(folder / "gateway.mjs"), *map(str, files)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_routes_fit_the_published_definitions(tmp_path: Path, tool: Tool) -> None:
    files = []
    for number, (traffic, routing) in enumerate((traffic, routing) for traffic in STEPS for routing in ROUTINGS):
        route = yaml.safe_load(rendered(tmp_path / str(number), "gateway-api", traffic, routing)["httproute.yaml"])
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps(route))
    assert checked(files, tool) == (0, "")

    route["spec"]["rules"][-1]["backendRefs"][0]["weight"] = "ten"
    files[-1].write_text(json.dumps(route))
    code, text = checked(files, tool)
    assert (code, "weight must be integer" in text) == (1, True)


def test_what_runs_fits_the_published_schemas(tmp_path: Path) -> None:
    checker = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    files = rendered(tmp_path, "gateway-api", STEPS[1], {})

    for document in yaml.safe_load_all(files[f"releases/{NEW[:12]}/shop.yaml"]):
        checker.validate(document, "1.31", strict=True)
