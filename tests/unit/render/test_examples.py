"""What the shipped examples render at each step of a rollout, held against what has to read it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from f0ci.commands.scaffolding import example_names, scaffold
from f0ci.core.errors import UsageError
from f0ci.environments.loading import load_environment
from f0ci.lint.engine import lint
from f0ci.lint.workspace import load_workspace
from f0ci.render.rendering import ReleaseInfo, render
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.reading import read_workflow
from f0ci.workflows.rollouts import traffic_document
from tests.conftest import require_real

NEW, OLD = "1" * 64, "2" * 64
HEADER = {"header": {"name": "X-Canary", "value": "always"}}
ROUTINGS: list[dict[str, Any]] = [{}, HEADER, {"sticky": "shop_release"}, {**HEADER, "sticky": "shop_release"}]
STEPS = [{NEW: 0, OLD: 100}, {NEW: 10, OLD: 90}, {NEW: 100, OLD: 0}, {NEW: 100}]


def rendered(folder: Path, example: str, traffic: Mapping[str, int], routing: Mapping[str, Any]) -> Mapping[str, bytes]:
    scaffold(folder, example=example)
    tree = DirectoryTree(folder)
    project = load_project(tree)
    environment = read_workflow(tree, project.workflow).environment("live")
    assert environment is not None
    rollout = traffic_document(traffic, OLD, NEW if len(traffic) > 1 else None, routing)
    configuration = load_environment(tree, project, environment.config)
    return render(tree, project, configuration, environment, ReleaseInfo(NEW), rollout=rollout).files


@pytest.mark.parametrize("example", example_names())
def test_an_example_validates(tmp_path: Path, example: str) -> None:
    scaffold(tmp_path, example=example)
    tree = DirectoryTree(tmp_path)

    assert [str(one) for one in lint(load_workspace(tree, load_project(tree)))] == []


def test_an_unknown_example_is_told_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no example 'nginx'") as caught:
        scaffold(tmp_path, example="nginx")

    assert "haproxy" in str(caught.value.hint)


@pytest.mark.parametrize("traffic", STEPS, ids=[f"{step[NEW]} of {len(step)}" for step in STEPS])
@pytest.mark.parametrize("routing", ROUTINGS, ids=["by weight", "by header", "sticky", "both"])
def test_haproxy_takes_every_configuration(tmp_path: Path, traffic: dict[str, int], routing: dict[str, Any]) -> None:
    haproxy = require_real("haproxy", "haproxy")
    files = rendered(tmp_path, "haproxy", traffic, routing)
    (tmp_path / "haproxy.cfg").write_bytes(files["haproxy.cfg"])
    done = subprocess.run(
        [haproxy, "-c", "-C", str(tmp_path), "-f", "haproxy.cfg"], capture_output=True, text=True, check=False
    )
    text = files["haproxy.cfg"].decode()
    front = text.partition("frontend shop")[2].partition("\nbackend")[0]

    assert (done.returncode, "WARNING" in done.stderr) == (0, False), done.stderr
    assert set(re.findall(r"^backend (\w+)", text, re.MULTILINE)) == set(traffic)
    assert f"default_backend {OLD if OLD in traffic else NEW}" in front
    assert ("rand(100) lt" in front) is (len(traffic) > 1)
    assert ("X-Canary" in front) is ("header" in routing and len(traffic) > 1)
    # nobody stays where no traffic belongs any longer
    kept = {digest for digest, percent in traffic.items() if percent} if "sticky" in routing else set()
    assert set(re.findall(r"use_backend (\w+) if \{ req.cook", front)) == kept
    assert f"releases/{NEW[:12]}/shop.json" in files


@pytest.mark.parametrize("traffic", STEPS, ids=[f"{step[NEW]} of {len(step)}" for step in STEPS])
@pytest.mark.parametrize("routing", ROUTINGS, ids=["by weight", "by header", "sticky", "both"])
def test_an_http_route_has_the_weights(tmp_path: Path, traffic: dict[str, int], routing: dict[str, Any]) -> None:
    files = rendered(tmp_path, "gateway-api", traffic, routing)
    route = yaml.safe_load(files["httproute.yaml"])
    *chosen, rest = route["spec"]["rules"]

    assert (route["apiVersion"], route["kind"]) == ("gateway.networking.k8s.io/v1", "HTTPRoute")
    assert {ref["name"]: ref["weight"] for ref in rest["backendRefs"]} == {
        f"shop-{digest[:12]}": percent for digest, percent in traffic.items()
    }
    assert ("sessionPersistence" in rest) is ("sticky" in routing)
    by_header = [rule["backendRefs"][0]["name"] for rule in chosen]
    assert by_header == ([f"shop-{NEW[:12]}"] if "header" in routing and len(traffic) > 1 else [])
    deployment, service = yaml.safe_load_all(files[f"releases/{NEW[:12]}/shop.yaml"])
    assert deployment["metadata"]["name"] == service["metadata"]["name"] == f"shop-{NEW[:12]}"
    assert deployment["spec"]["template"]["metadata"]["labels"] == deployment["spec"]["selector"]["matchLabels"]
