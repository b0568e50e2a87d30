"""`f0ci metrics check` and `f0ci analysis replay` from the command line."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from f0ci.core.clock import SystemClock, format_time
from tests.cli.conftest import Command
from tests.conftest import write_files

WORKFLOW = """apiVersion: framework0.io/v1
kind: ProductionWorkflow
spec:
  environments: {staging: {}, prod: {rollback_threshold: 0.95}}
  pipeline_stages:
    - name: to_prod
      environment: prod
      validation: {duration: 10m, success_criteria: [error_rate < 1%, latency_p95 <= baseline * 1.2]}
      monitoring: {rollback_triggers: [error_rate > 2%]}
  metrics:
    error_rate: {provider: file, path: m.csv, bad: bad, total: total, interval: 10s, regression: 1%}
    success_rate: {provider: file, path: m.csv, good: good, total: total, interval: 10s}
    latency_p95: {provider: file, path: m.csv, value: p95, unit: ms, interval: 30s, baseline: before}
"""
DAY = datetime(2026, 11, 1, tzinfo=UTC)


def history(start: datetime, minutes: int, errors: float = 0.005) -> str:
    rng = np.random.default_rng(4)
    rows = ["time,bad,good,total,p95"]
    for at in range(minutes * 6):
        bad = int(rng.binomial(200, errors))
        moment = format_time(start + timedelta(seconds=10 * (at + 1)))
        rows.append(f"{moment},{bad},{200 - bad},200,{rng.lognormal(5, 0.1):.1f}")
    return "\n".join(rows) + "\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    write_files(tmp_path, {"workflow.yaml": WORKFLOW, "m.csv": history(DAY, 90)})
    return tmp_path


def test_replay_says_how_often_gates_are_wrong_and_how_soon_right(shop: Path, f0ci: Command) -> None:
    args = ["--from", "2026-11-01T00:10:00Z", "--to", "2026-11-01T01:30:00Z", "--inject", "error_rate=6%"]
    told = f0ci(
        shop, "analysis", "replay", "workflow.yaml", *args, "--inject", "latency_p95=*3", "--plot", str(shop / "r.svg")
    )
    data = json.loads(f0ci(shop, "analysis", "replay", "workflow.yaml", *args, "--format", "json").out)

    assert told.code == 0
    assert "healthy, 10m each" in told.out
    drawn = ET.parse(shop / "r.svg").getroot()
    assert drawn.tag == "{http://www.w3.org/2000/svg}svg"
    titles = {text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"prod: error_rate", "prod: success_rate", "prod: latency_p95", "error_rate < 1%"} <= titles
    (prod,) = data["environments"]
    assert (prod["healthy"]["windows"], prod["healthy"]["rolled_back"], prod["healthy"]["undecided"]) == (8, 0, 0)
    injected = prod["injected"]["error_rate=6%"]
    assert (injected["rolled_back"], injected["undecided"]) == (8, 0)
    assert 0 < injected["delay_median_seconds"] <= 30
    assert "latency_p95=*3" in told.out


def test_replay_finds_what_was_bad(shop: Path, f0ci: Command) -> None:
    write_files(shop, {"m.csv": history(DAY, 30, errors=0.06)})
    told = f0ci(
        shop, "analysis", "replay", "workflow.yaml", "--from", "2026-11-01T00:10:00Z", "--to", "2026-11-01T00:30:00Z"
    )

    assert "2 (100.0%)" in told.out
    assert "prod, window 1: failed at 2026-11-01T00:10:" in told.err


def test_a_table_answers_instead_of_the_providers(shop: Path, f0ci: Command) -> None:
    table = history(DAY, 60).replace(
        "bad,good,total,p95", "error_rate.bad,success_rate.good,error_rate.total,latency_p95"
    )
    rows = [
        line + ("," + line.split(",")[3] if at else ",success_rate.total") for at, line in enumerate(table.splitlines())
    ]
    write_files(shop, {"other.csv": "\n".join(rows) + "\n", "m.csv": "time\n"})
    args = ["--from", "2026-11-01T00:10:00Z", "--to", "2026-11-01T01:00:00Z", "--data", str(shop / "other.csv")]
    told = f0ci(shop, "analysis", "replay", "workflow.yaml", *args, "--format", "json")

    assert json.loads(told.out)["environments"][0]["healthy"]["rolled_back"] == 0
    assert {one["outcome"] for one in json.loads(told.out)["environments"][0]["windows"]} == {"passed"}


BAD = [
    (["--from", "yesterday-ish"], 2, "is no moment"),
    (["--from", "1h", "--environment", "nowhere"], 2, "there is no environment 'nowhere'"),
    (["--from", "1m"], 2, "no window of 'prod' lies between"),
    (["--from", "1h", "--environment", "staging"], 2, "watches for no time"),
    (["--from", "1h", "--inject", "error_rate"], 2, "is no regression"),
    (["--from", "1h", "--inject", "other=5%"], 2, "no check of 'prod' names the metric 'other'"),
    (["--from", "1h", "--data", "nowhere.csv"], 3, "cannot read 'nowhere.csv'"),
    (["--from", "1h", "--window", "0s"], 2, "is no time at all"),
    (["--from", "1h", "--plot", "replay.png"], 2, "name it replay.svg"),
]


@pytest.mark.parametrize(("args", "code", "message"), BAD, ids=[" ".join(row[0]) for row in BAD])
def test_what_cannot_be_replayed_is_said_so(
    shop: Path, f0ci: Command, args: list[str], code: int, message: str
) -> None:
    told = f0ci(shop, "analysis", "replay", "workflow.yaml", *args)

    assert told.code == code
    assert message in told.err
    assert not told.out


def test_a_history_that_nobody_has_is_an_error(shop: Path, f0ci: Command) -> None:
    (shop / "m.csv").unlink()
    told = f0ci(shop, "analysis", "replay", "workflow.yaml", "--from", "1h")

    assert told.code == 3
    assert "there is no file 'm.csv'" in told.err


def test_check_shows_what_metrics_say_now(shop: Path, f0ci: Command) -> None:
    now = SystemClock().now()
    write_files(shop, {"m.csv": history(now - timedelta(minutes=25), 26)})
    told = f0ci(shop, "metrics", "check", "prod")
    data = json.loads(f0ci(shop, "metrics", "check", "--format", "json").out)["metrics"]

    assert told.code == 0
    assert [one["metric"] for one in data] == ["error_rate", "latency_p95", "latency_p95 (baseline)", "success_rate"]
    assert {one["state"] for one in data} == {"ok"}
    assert data[0]["samples"] > 10_000
    assert "needs about" in data[0]["note"]


def test_check_knows_that_a_first_release_has_nothing_to_be_compared_with(shop: Path, f0ci: Command) -> None:
    text = WORKFLOW.replace(", baseline: before", "")
    write_files(shop, {"workflow.yaml": text, "m.csv": history(SystemClock().now() - timedelta(minutes=12), 12)})
    told = f0ci(shop, "metrics", "check", "prod", "--window", "5m")

    assert told.code == 0
    assert "no other release ran before" in told.out


def test_check_finds_a_misspelt_metric_before_a_promotion(shop: Path, f0ci: Command) -> None:
    text = WORKFLOW.replace("bad: bad", "bad: badd").replace("success_rate: {", "sucess_rate: {")
    write_files(shop, {"workflow.yaml": text, "m.csv": history(SystemClock().now() - timedelta(minutes=12), 12)})
    told = f0ci(shop, "metrics", "check", "prod", "--window", "5m")

    assert told.code == 1
    assert "did you mean 'bad'?" in told.out
    assert "did you mean 'sucess_rate'?" in told.out


def test_check_finds_what_matches_nothing(shop: Path, f0ci: Command) -> None:
    told = f0ci(shop, "metrics", "check", "prod")

    assert told.code == 1
    assert "no data" in told.out


def test_check_of_no_environment(shop: Path, f0ci: Command) -> None:
    assert f0ci(shop, "metrics", "check", "nowhere").code == 2
    assert f0ci(shop, "metrics", "check", "staging").code == 0
