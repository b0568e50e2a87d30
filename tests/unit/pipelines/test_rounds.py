"""How often work is handed over: as often as a promotion can need that waits for nothing, and never without need."""

from __future__ import annotations

import pytest

from f0ci.pipelines.building import build
from f0ci.pipelines.rounds import MOST_ROUNDS, rounds_of
from tests.unit.pipelines.workflows import read, staged

CHECKED = "- {name: a, environment: dev, validation: {success_criteria: failures < 1}}"
METRIC = "\n  metrics:\n    failures: {METRIC}\n"
FILE = "provider: file, path: m.csv, value: failures"
COMMAND = "provider: command, run: ./count"
HTTP = "provider: prometheus, url: 'http://p', query: up"


@pytest.mark.parametrize(
    ("environment", "metric", "rounds"),
    [
        ("{}", FILE, 0),
        ("{approval_required: true, gates: {window: {days: [mon]}}}", FILE, 0),
        # a way back is one more than the steps
        ("{deploy: recipes/deploy.yaml}", FILE, 2),
        ("{deploy: recipes/deploy.yaml}", HTTP, 2),
        ("{deploy: recipes/deploy.yaml, deployment_strategy: canary}", FILE, 4),
        ("{deploy: recipes/deploy.yaml, gates: {command: {run: ./ask}}}", FILE, 3),
        ("{gates: {command: {run: ./ask}}}", FILE, 1),
        # asked once before the change, and again after it: where nothing is deployed, by a round of its own
        ("{deploy: recipes/deploy.yaml}", COMMAND, 3),
        ("{}", COMMAND, 2),
        ("{}", f"{HTTP}, token_env: TOKEN", 2),
        ("{}", f"{HTTP}, headers_env: {{A: B}}", 2),
        ("{}", f"{FILE}, baseline: {{token_env: TOKEN}}", 2),
        ("{}", "provider: of-somebody-else", 2),
        ("{deploy: recipes/deploy.yaml, deployment_strategy: rolling, batches: 10}", FILE, MOST_ROUNDS),
    ],
)
def test_how_many_rounds_there_are(environment: str, metric: str, rounds: int) -> None:
    workflow = read(staged(CHECKED, f"dev: {environment}") + METRIC.replace("METRIC", metric))

    assert rounds_of(workflow, workflow.environments[0]) == rounds


def test_continuing_takes_two_turns_and_a_way_back_one() -> None:
    environments = "dev: {}\nprod: {deploy: recipes/deploy.yaml, deployment_strategy: canary}"
    stages = "- {name: a, environment: dev}\n- {name: b, environment: prod}"

    jobs = {job.id: job.rounds for job in build(read(staged(stages, environments))).jobs}

    assert jobs == {"validate": 0, "release": 0, "a": 0, "b": 4, "continue": 2, "rollback": 1}
