"""Judging a promotion by points, beside the release before, and replaying what was promoted; on a real repository."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from f0ci.core.clock import FixedClock, SystemClock, format_time
from f0ci.promotion.promoting import Request, advance_to_end
from f0ci.promotion.report import PromotionReport
from f0ci.promotion.requesting import promote
from f0ci.promotion.site import open_site
from tests.line.conftest import Line

WORKFLOW = """apiVersion: framework0.io/v1
kind: ProductionWorkflow
spec:
  environments: {prod: {require: measured}}
  pipeline_stages:
    - name: to_prod
      environment: prod
      validation:
        duration: 10m
        success_criteria: [error_rate < 1%, error_rate <= baseline * 2, trial < 1%]
  metrics:
    error_rate: {provider: file, path: m.csv, release: release, bad: bad, total: total, interval: 10s, delay: 5s}
    trial: {provider: file, path: m.csv, bad: bad, total: total, dry_run: true}
"""


def rows(start: datetime, releases: dict[str, int], points: int = 60) -> list[str]:
    """Return points of 200 requests each with a number of errors a release."""
    return [
        f"{format_time(start + timedelta(seconds=10 * (at + 1)))},{release},{bad},200"
        for at in range(points)
        for release, bad in releases.items()
    ]


class Shop:
    """A repository whose promotions are taken further at moments of the test's choice."""

    def __init__(self, line: Line) -> None:
        self.line, self.clock = line, FixedClock(SystemClock().now())
        self.rows = ["time,release,bad,total"]
        line.commit({"workflow.yaml": WORKFLOW, ".gitignore": "m.csv\n"})
        (line.work / "m.csv").write_text(self.rows[0] + "\n")

    def promote(self, change: str, **errors: int) -> tuple[PromotionReport, datetime, str]:
        self.line.commit({"recipes/note.yaml": f"metadata: {{name: {change}}}\nsteps:\n  - {{name: a, run: 'true'}}\n"})
        release = self.line.release()
        site = open_site(self.line.work, self.clock)
        full = next(one.digest for one in site.releases() if one.digest.startswith(release))
        report = promote(site, Request("prod", full))
        deployed = self.clock.moment
        known = {full if name == "new" else name: bad for name, bad in errors.items()}
        self.rows += rows(deployed, known)
        (self.line.work / "m.csv").write_text("\n".join(self.rows) + "\n")
        return report, deployed, full

    def look(self, report: PromotionReport, moment: datetime) -> PromotionReport:
        self.clock.moment = moment
        assert report.promotion is not None
        return advance_to_end(open_site(self.line.work, self.clock), Request("prod"), report.promotion)


@pytest.fixture
def shop(line: Line) -> Shop:
    return Shop(line)


def test_releases_are_judged_by_points_beside_the_one_before(shop: Shop) -> None:
    first, begun, old = shop.promote("first", new=1)
    minute = timedelta(minutes=1)
    early = shop.look(first, begun + 3 * minute)
    last = shop.look(first, begun + 10 * minute)
    done = shop.look(first, begun + 10 * minute + timedelta(seconds=5))

    assert (early.state, last.state, done.state) == ("verifying", "verifying", "succeeded")
    assert done.verification == "measured"
    # what arrives late is waited for, and so is the next point
    assert last.next_check_at == begun + 10 * minute + timedelta(seconds=5)
    assert shop.line.events("prod")[-1] == "succeeded"

    shop.clock.moment = begun + 20 * minute
    second, begun, _ = shop.promote("second", new=9, **{old: 1})
    ended = shop.look(second, begun + timedelta(seconds=65))

    assert ended.state == "rolled_back"
    reason = " ".join(ended.reasons)
    assert "reached at" in reason
    # both the bound and the comparison with the release before were broken, with all that was known after six points
    assert "of 1200 samples" in reason or "(54 of 1200)" in reason

    told = shop.line.done(
        "analysis",
        "replay",
        "workflow.yaml",
        "--promotions",
        "--format",
        "json",
        "--from",
        format_time(begun - 60 * minute),
        "--to",
        format_time(begun + 60 * minute),
    )
    (prod,) = told.data["environments"]
    assert [(one["healthy"], one["outcome"]) for one in prod["windows"]] == [(True, "passed"), (False, "failed")]
    assert (prod["healthy"]["rolled_back"], prod["bad"]["rolled_back"]) == (0, 1)
    shop.line.done("audit", "verify")


def test_what_decides_nothing_is_watched_recorded_and_no_tampering(shop: Shop) -> None:
    shop.line.change("workflow.yaml", "error_rate < 1%, error_rate <= baseline * 2", "error_rate <= baseline * 2")
    first, begun, _ = shop.promote("first", new=1)
    early = shop.look(first, begun + timedelta(minutes=3))
    done = shop.look(first, begun + timedelta(minutes=10, seconds=5))

    assert (early.state, done.state) == ("verifying", "succeeded")
    assert early.reasons == (f"nothing decides; watched until {format_time(begun + timedelta(minutes=10, seconds=5))}",)
    # nothing was there to compare with, so that is what the success does not rest on
    assert done.verification != "measured"
    assert "no other release ran before to compare with" in " ".join(done.reasons)
    assert shop.line.events("prod")[-2:] == ["measured", "succeeded"]
    assert shop.line.records("prod")[-2]["data"]["outcome"] == "skipped"
    shop.line.done("audit", "verify")
