"""A metric that matches nothing is found when a promotion is planned, before anything changes."""

from __future__ import annotations

import pytest

from tests.line.conftest import Line

WORKFLOW = """apiVersion: framework0.io/v1
kind: ProductionWorkflow
spec:
  environments: {prod: {}}
  pipeline_stages:
    - name: to_prod
      environment: prod
      validation: {success_criteria: [error_rate < 1%]}
  metrics:
    error_rate: {provider: command, run: cat seen.json}
"""
SEEN = '{"bad": 0, "total": 100}'
NOTHING = '{"series": 0, "note": "no series of that name"}'
FILE = "provider: file, path: m.csv, environment: env, bad: bad, total: total"
# knows nothing of the last ten minutes
QUIET = (
    "provider: command, by_time: true, run: "
    '\'test $(date -d $F0CI_WINDOW_END +%s) -lt $(( $(date +%s) - 600 )) && echo 0 || echo "{\\"series\\": 0}"\''
)


@pytest.fixture
def shop(line: Line) -> Line:
    """Return a line whose first release is in production, and whose next one waits to be promoted."""
    line.commit({"workflow.yaml": WORKFLOW, ".gitignore": "*.json\n*.csv\n"})
    (line.work / "seen.json").write_text(SEEN, encoding="utf-8")
    (line.work / "nothing.json").write_text(NOTHING, encoding="utf-8")
    line.release()
    line.done("promote", "prod")
    return line


def next_release(line: Line, old: str, new: str) -> None:
    line.change("workflow.yaml", old, new)
    line.release()


@pytest.mark.parametrize("command", ["plan", "promote"])
def test_a_metric_that_matches_nothing_stops_plan_and_promotion(shop: Line, command: str) -> None:
    next_release(shop, "cat seen.json", "cat nothing.json")
    before = shop.events("prod")

    answer = shop.f0ci(command, "prod")

    assert answer.code == 3
    said = "the metric 'error_rate' matches nothing (no series of that name); it asks for run: cat nothing.json"
    assert said in answer.err
    assert "workflow.yaml:8:" in answer.err
    assert "`f0ci metrics check prod` shows what it yields" in answer.err
    assert "on_no_match: wait" in answer.err
    assert shop.events("prod") == before


@pytest.mark.parametrize("setting", ["on_no_match: wait", "dry_run: true"])
def test_what_only_the_new_release_has_is_said_and_waited_for(shop: Line, setting: str) -> None:
    next_release(shop, "cat seen.json", f"cat nothing.json, {setting}")

    planned, answer = shop.done("plan", "prod"), shop.f0ci("promote", "prod")

    assert "note: the metric 'error_rate' matches nothing" in planned.out
    assert "matches nothing" in answer.err
    assert "applied" in shop.events("prod")[-6:]
    # nothing was measured, so nothing that decides has passed
    assert answer.code == (0 if "dry" in setting else 5)


def test_what_matched_an_hour_ago_is_not_misspelt(shop: Line) -> None:
    next_release(shop, "provider: command, run: cat seen.json", QUIET)

    planned = shop.done("plan", "prod")

    assert "matches nothing" not in planned.out


def test_who_only_looks_need_not_be_able_to_measure(shop: Line) -> None:
    next_release(shop, "provider: command, run: cat seen.json", FILE.replace("m.csv", "m.jsonl"))

    planned, promoted = shop.done("plan", "prod", "--format", "json"), shop.f0ci("promote", "prod")

    (remark,) = planned.data["forecast"]["metrics"]
    assert "the metric 'error_rate' cannot be measured: m.jsonl: there is no file 'm.jsonl'" in remark
    assert promoted.code == 3
    assert remark in promoted.err


def test_at_the_first_promotion_nothing_can_match_yet(line: Line) -> None:
    line.commit({"workflow.yaml": WORKFLOW, ".gitignore": "*.json\n"})
    (line.work / "seen.json").write_text(NOTHING, encoding="utf-8")
    line.release()

    answer = line.f0ci("promote", "prod")

    assert answer.code == 5
    assert "matches nothing" in answer.err
    assert "applied" in line.events("prod")


def test_a_file_that_git_ignores_may_not_be_there_yet(shop: Line) -> None:
    next_release(shop, "provider: command, run: cat seen.json", FILE)

    planned, answer = shop.done("plan", "prod"), shop.f0ci("promote", "prod")

    said = "the metric 'error_rate' has nothing to read yet: 'm.csv' is not written yet: git ignores it"
    assert f"note: {said}" in planned.out
    assert said in answer.err
    # nobody wrote it, so nothing was measured, and what is not known never counts as passed
    assert answer.code == 5
    assert "applied" in shop.events("prod")[-6:]


def test_a_file_that_deployments_write_may_have_no_rows_yet(shop: Line) -> None:
    next_release(shop, "provider: command, run: cat seen.json", FILE)
    (shop.work / "m.csv").write_text("env,bad,total\nstaging,0,100\n", encoding="utf-8")

    planned, answer = shop.done("plan", "prod"), shop.f0ci("promote", "prod")

    assert "matches nothing" not in planned.out
    assert answer.code == 5
    assert "applied" in shop.events("prod")[-6:]
