from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from f0ci.promotion.rehearsing import Meaning, what_no_match_means
from f0ci.workflows.metrics import MetricSpec, Waiver

NOW = datetime(2026, 11, 21, tzinfo=UTC)
WAIVER = Waiver("no jobs run at weekends", date(2026, 11, 21))
OVER = Waiver("no jobs run at weekends", date(2026, 11, 20))
PASSES = "pass-with-waiver"


@pytest.mark.parametrize(
    ("spec", "running", "meaning"),
    [
        pytest.param(MetricSpec("m", "file"), "abc", Meaning.REFUSED, id="what runs must match"),
        pytest.param(MetricSpec("m", "file"), None, Meaning.SAID, id="nothing ever ran well"),
        pytest.param(MetricSpec("m", "file", on_no_match="wait"), "abc", Meaning.SAID, id="told to wait"),
        pytest.param(MetricSpec("m", "file", dry_run=True), "abc", Meaning.SAID, id="decides nothing"),
        pytest.param(
            MetricSpec("m", "file", on_insufficient_data=PASSES, waiver=WAIVER), "abc", Meaning.SAID, id="waived"
        ),
        pytest.param(
            MetricSpec("m", "file", on_insufficient_data=PASSES, waiver=OVER), "abc", Meaning.REFUSED, id="no longer"
        ),
        pytest.param(
            MetricSpec("m", "file", on_no_traffic=PASSES, waiver=WAIVER), "abc", Meaning.REFUSED, id="another waiver"
        ),
    ],
)
def test_what_it_means_that_nothing_matches(spec: MetricSpec, running: str | None, meaning: Meaning) -> None:
    assert what_no_match_means(spec, running, NOW) is meaning
