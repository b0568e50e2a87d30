"""What a person does next, branch by branch."""

from __future__ import annotations

from datetime import timedelta

import pytest

from f0ci.promotion.events import ENVIRONMENT_EVENTS, Draft
from f0ci.promotion.going_on import ways_on
from tests.unit.promotion.builders import NOW, hold, ledgers_of, passing, release, sample, state_of

A, B = release("a")[:12], release("b")[:12]
UNHOLD = ["f0ci unhold prod --reason REASON"]
CONTINUE = ["f0ci promote prod --continue"]
ASK = [f"f0ci promote prod --release {A}"]
WHY = ["f0ci why prod"]
AGAIN = ["f0ci rollback prod --reason REASON"]
RESTORED = (*passing("prod-1", "a"), *passing("prod-2", "b", "rolled_back a"))


def brief_hold() -> Draft:
    data = {"reason": "upgrade", "promotion": None, "expires": (NOW + timedelta(hours=1)).isoformat()}
    return Draft("hold", ENVIRONMENT_EVENTS, data)


@pytest.mark.parametrize(
    ("drafts", "quarantined", "expected"),
    [
        pytest.param((), (), [], id="nothing happened"),
        pytest.param(passing("prod-1", "a"), (), [], id="all is well"),
        pytest.param((hold(),), (), [UNHOLD], id="held before anything came"),
        pytest.param(passing("prod-1", "a"), ("a",), [], id="what runs is quarantined, and nothing was before"),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b"), hold()),
            ("b",),
            [UNHOLD, AGAIN],
            id="what runs is quarantined",
        ),
        pytest.param((*passing("prod-1", "a"), hold()), (), [UNHOLD], id="held"),
        pytest.param((*passing("prod-1", "a", "refused"), hold()), (), [UNHOLD, ASK], id="refused, and held"),
        pytest.param(passing("prod-1", "a", "refused"), ("a",), [], id="refused for its quarantine"),
        pytest.param(passing("prod-1", "a", "expired"), (), [ASK], id="nobody approved in time"),
        pytest.param(passing("prod-1", "a", "aborted"), (), [], id="somebody ended it"),
        pytest.param((*passing("prod-1", "a"), brief_hold()), (), [UNHOLD], id="held for an hour"),
        pytest.param((*passing("prod-1", "a", "waiting"), hold()), (), [WHY], id="waiting, whatever holds it"),
        pytest.param(passing("prod-1", "a", "deploying"), (), [CONTINUE], id="on its way"),
        pytest.param(passing("prod-1", "a", "verifying"), (), [WHY], id="watched"),
        pytest.param(RESTORED, ("b",), [CONTINUE], id="the deploy recipe of what was restored is still to run"),
        pytest.param(
            (*passing("prod-1", "a", "failed"), hold()),
            ("a",),
            [
                ["f0ci release create", "f0ci promote prod --through-hold REASON"],
                [
                    f"f0ci quarantine {A} --lift --reason REASON",
                    f"f0ci promote prod --release {A} --through-hold REASON",
                ],
            ],
            id="failed, held, quarantined",
        ),
        pytest.param(
            (*RESTORED, Draft("restored", "prod-2", {"outcome": "passed", "reason": "", "run": None}), hold()),
            ("b",),
            [
                ["f0ci release create", "f0ci promote prod --through-hold REASON"],
                [
                    f"f0ci quarantine {B} --lift --reason REASON",
                    f"f0ci promote prod --release {B} --through-hold REASON",
                ],
            ],
            id="rolled back: the same, of the release that was bad",
        ),
        pytest.param(
            (*passing("prod-1", "a", "failed"), hold()),
            (),
            [
                ["f0ci release create", "f0ci promote prod --through-hold REASON"],
                [f"f0ci promote prod --release {A} --through-hold REASON"],
            ],
            id="the quarantine is lifted",
        ),
        pytest.param(
            passing("prod-1", "a", "failed"),
            (),
            [["f0ci release create", "f0ci promote prod"], [f"f0ci promote prod --release {A}"]],
            id="the hold as well",
        ),
        pytest.param(
            (*RESTORED, sample("failed", "prod-2"), hold()), ("b",), [AGAIN], id="what was restored is not deployed"
        ),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "a", "failed", purpose="rollback", base="b"), hold()),
            ("b",),
            [AGAIN],
            id="nor what somebody went back to",
        ),
    ],
)
def test_the_ways_to_go_on(drafts: tuple[Draft, ...], quarantined: tuple[str, ...], expected: list[list[str]]) -> None:
    ways = ways_on(ledgers_of(state_of(*drafts), *quarantined), "prod", NOW)

    assert [list(way.commands) for way in ways] == expected


def test_a_mended_release_comes_through_the_environments_before() -> None:
    gates = [{"kind": "order", "settings": {"upstream": ["dev", "staging"]}}, {"kind": "approval", "settings": {}}]
    ledgers = ledgers_of(state_of(*passing("prod-1", "a", "failed", gates=gates), hold()), "a")

    mended, _ = ways_on(ledgers, "prod", NOW)

    assert mended.when == "with a mended release, once it succeeded in dev and staging"
    assert mended.commands == ("f0ci promote prod --through-hold REASON",)


def test_a_hold_that_is_over_asks_for_nothing() -> None:
    ledgers = ledgers_of(state_of(*passing("prod-1", "a"), brief_hold()))

    assert ways_on(ledgers, "prod", NOW + timedelta(hours=2)) == ()


def test_what_was_called_off_is_not_called_bad() -> None:
    *before, back = RESTORED
    called_off = Draft(back.kind, back.promotion, {**back.data, "aborted": True})
    restored = Draft("restored", "prod-2", {"outcome": "passed", "reason": "", "run": None})

    assert ways_on(ledgers_of(state_of(*before, called_off, restored)), "prod", NOW) == ()
