from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from f0ci.source.schema import check_schema, load_schema
from f0ci.workflows.rollouts import RolloutStep, traffic_document
from tests.conftest import require_real
from tests.docs.pages import blocks, page, workflow
from tests.traffic.shop import close_site, free_ports

PAGE = "strategies.md"
HEAD = "apiVersion: framework0.io/v1\nkind: ProductionWorkflow\nmetadata: {name: shop}\nspec:\n"


def test_the_example_of_settings_is_a_workflow_and_means_what_the_page_says() -> None:
    (example,) = blocks(PAGE, "yaml")
    read = workflow(HEAD + re.sub("^", "  ", example, flags=re.MULTILINE))
    plans = {
        environment.name: [step.percent for step in environment.rollout.steps] for environment in read.environments
    }

    assert plans == {"prod": [5, 25, 50, 100], "staging": [0, 100], "dev": [25, 50, 75, 100]}
    assert read.environments[0].rollout.steps[1] == RolloutStep(25, manual=True)
    assert dict(read.environments[0].rollout.routing)["sticky"] == "shop_release"
    assert check_schema("workflow", yaml.safe_load(HEAD + re.sub("^", "  ", example, flags=re.MULTILINE))) == ()


def test_the_tree_holds_what_the_page_says() -> None:
    (shown,) = (json.loads(block) for block in blocks(PAGE, "json"))
    new, old = shown["candidate"], shown["stable"]

    made = traffic_document(shown["traffic"], old, new, shown["routing"])

    assert made == shown
    assert list(made) == list(shown)


def test_every_setting_of_a_rollout_is_described() -> None:
    definitions: dict[str, Any] = load_schema("workflow")["$defs"]
    step = definitions["rolloutStep"]["anyOf"][1]["properties"]
    routing = definitions["environment"]["properties"]["routing"]["properties"]
    settings = {"steps", "batches", "scale_down_delay", "routing", *step, *routing}

    assert {name for name in settings if f"`{name}`" not in page(PAGE)} == set()


def test_the_walk_through_goes_as_the_page_says(tmp_path: Path) -> None:
    for program in ("prometheus", "haproxy", "curl"):
        require_real(program, program)
    first, second, third = blocks(PAGE, "bash")
    work = tmp_path / "s"
    work.mkdir()
    log = tmp_path / "log"
    numbers = ("8080", "8404", "9090", "9101", "9102", "9103")
    ports = dict(zip(numbers, map(str, free_ports(len(numbers))), strict=True))
    # three steps of ten seconds suit a reader, not a test; Prometheus takes five until it looks for the first time
    pace = "s/duration: 10s/duration: 2s/; s/delay: 5s/delay: 1s/; s/samples: 20/samples: 5/; s/10, 50, 100/50, 100/"
    # how soon a busy machine answers is not what the walk is about; nothing is above the shop's last bound, 1 s
    quick = f"sed -i '{pace}; s/latency_p95 < 250ms/latency_p95 < 2s/' workflow.yaml\n"
    renumber = "; ".join(f"s/{old}/{new}/" for old, new in ports.items())
    prepared = first.replace("git add", f"{quick}sed -i '{renumber}' *.yml *.yaml environments/live/*\ngit add")
    for old, new in ports.items():
        prepared = prepared.replace(f"127.0.0.1:{old}", f"127.0.0.1:{new}")
    script = f"set -u\n{prepared}\n{second}\n{third.rstrip()} || echo it ended with $?\n"
    # each promotion ends by itself, however long that takes here
    script = script.replace("--wait 2m", "--wait 10m")
    environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "F0CI_PROMOTE_EVERY": "1s"}
    with log.open("wb") as output:
        shell = subprocess.Popen(
            ["bash", "-c", script], cwd=work, env=environ, stdout=output, stderr=output, start_new_session=True
        )
        try:
            shell.wait(timeout=600)
        finally:
            os.killpg(shell.pid, signal.SIGKILL)
            close_site(work / "site")
    said = log.read_text(encoding="utf-8")

    assert "it ended with 6" in said, said
    assert said.count("succeeded (measured)") == 2, said
