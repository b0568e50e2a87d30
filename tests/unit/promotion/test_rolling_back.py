from __future__ import annotations

from typing import Any

import pytest

from f0ci.promotion.events import Draft
from f0ci.promotion.rolling_back import RollbackRequest, _done_already
from tests.unit.promotion.builders import applied, passing, release, requested, sample, state_of

GOOD = (*passing("prod-1", "a"), *passing("prod-2", "b"))
BRANCH = applied("prod-3", "a").data["commit"]


def back(ending: str, *, reason: str = "slow", to: str | None = None) -> tuple[Draft, ...]:
    """Return a rollback by hand from b to a."""
    first, *rest = passing("prod-3", "a", ending, purpose="rollback", base="b")
    data: dict[str, Any] = {**first.data, "reason": reason, "to": release(to) if to else None}
    return (Draft(first.kind, first.promotion, data), *rest)


ASKED = RollbackRequest("prod", "slow")
TO_A = RollbackRequest("prod", "slow", release("a")[:12])


@pytest.mark.parametrize(
    ("drafts", "asked", "gone", "found"),
    [
        pytest.param((), ASKED, False, None, id="nothing was ever promoted"),
        pytest.param(GOOD, ASKED, False, None, id="not done yet"),
        pytest.param((*GOOD, requested("prod-3", "c")), ASKED, False, None, id="a promotion under way is aborted"),
        pytest.param((*GOOD, *back("deploying")), ASKED, False, "prod-3", id="killed while deploying"),
        pytest.param((*GOOD, *back("verifying")), ASKED, False, "prod-3", id="killed before the end"),
        pytest.param((*GOOD, *back("waiting", to="a")), ASKED, False, None, id="the short way does not wait for it"),
        pytest.param((*GOOD, *back("waiting", to="a")), TO_A, False, "prod-3", id="waits for approval"),
        pytest.param((*GOOD, *back("checked")), ASKED, False, "prod-3", id="a repeated run"),
        pytest.param((*GOOD, *back("checked")), TO_A, False, "prod-3", id="asked by name"),
        pytest.param((*GOOD, *back("checked", reason="other")), ASKED, False, None, id="another reason: further back"),
        pytest.param((*GOOD, *back("failed")), ASKED, False, None, id="it failed: tried again"),
        pytest.param((*GOOD, *back("checked", reason="other")), ASKED, True, "prod-3", id="somebody else was faster"),
        pytest.param(
            (*GOOD, *passing("prod-3", "c", "rolled_back b")), ASKED, False, "prod-3", id="it is being rolled back"
        ),
        pytest.param(
            (*GOOD, *passing("prod-3", "c", "rolled_back b"), sample("restored", "prod-3")),
            *(ASKED, False, None),
            id="it was rolled back, now further",
        ),
        pytest.param(
            (*GOOD, *passing("prod-3", "c", "rolled_back b")), TO_A, False, None, id="a named release comes first"
        ),
        pytest.param((*GOOD, *passing("prod-3", "c")), ASKED, True, "prod-3", id="a newer release replaced it"),
    ],
)
def test_who_asks_again_goes_back_once(
    drafts: tuple[Draft, ...], asked: RollbackRequest, gone: bool, found: str | None
) -> None:
    done = _done_already(state_of(*drafts), BRANCH, asked, left_is_gone=gone)

    assert (done.id if done else None) == found


def test_a_rollback_that_somebody_overwrote_is_done_again() -> None:
    assert _done_already(state_of(*GOOD, *back("checked")), "0" * 40, ASKED, left_is_gone=False) is None
