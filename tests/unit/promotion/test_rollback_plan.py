from __future__ import annotations

import pytest

from f0ci.core.errors import CannotWork, UsageError
from f0ci.promotion.applying import also_in, rollback_target, stop_release
from f0ci.promotion.events import Draft
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.rollback_plan import choose_target, release_to_leave
from f0ci.promotion.state import EnvironmentState
from tests.unit.promotion.builders import ledgers_of, newest, passing, release, sample, state_of

Records = tuple[tuple[str, str, str], ...]


def state(records: Records) -> EnvironmentState:
    """Return an environment from records (release, how it ended, purpose)."""
    drafts: list[Draft] = []
    for index, (word, ending, purpose) in enumerate(records, start=1):
        drafts.extend(passing(f"prod-{index}", word, ending, purpose=purpose))
    return state_of(*drafts)


A, B, C = (("a", "checked", "promote"), ("b", "checked", "promote"), ("c", "none", "promote"))


@pytest.mark.parametrize(
    ("records", "bad", "quarantined", "require", "target"),
    [
        pytest.param((), "a", (), "none", None, id="nothing was ever there"),
        pytest.param((A,), "a", (), "none", None, id="only the bad one"),
        pytest.param((A, B), "b", (), "none", "prod-1", id="the one before"),
        pytest.param((A, B, C), "c", (), "none", "prod-2", id="the newest earlier one"),
        pytest.param((A, B, C), "c", ("b",), "none", "prod-1", id="not a quarantined one"),
        pytest.param((A, B, C), "c", ("a", "b"), "none", None, id="all are quarantined"),
        pytest.param((A, C, B), "b", (), "checked", "prod-1", id="of the kind that is required"),
        pytest.param((C, B), "b", (), "measured", None, id="none is of that kind"),
        pytest.param((A, ("x", "failed", "promote"), B), "b", (), "none", "prod-1", id="not a failed one"),
        pytest.param((A, ("x", "rolled_back a", "promote"), B), "b", (), "none", "prod-1", id="not one rolled back"),
        pytest.param((A, ("x", "verifying", "promote")), "x", (), "none", "prod-1", id="while it is watched"),
        pytest.param((A, B, ("a", "checked", "rollback")), "a", ("b",), "none", None, id="never back to the bad one"),
        pytest.param((A, B, A, C), "c", (), "none", "prod-3", id="promoted again, and so the newest"),
    ],
)
def test_what_going_back_means(
    records: Records, bad: str, quarantined: tuple[str, ...], require: str, target: str | None
) -> None:
    here = state(records)

    found = rollback_target(here, ledgers_of(here, *quarantined), release(bad), require)

    assert (found.id if found else None) == target


@pytest.mark.parametrize(
    ("to", "quarantined", "target", "is_default"),
    [
        (None, (), "prod-2", True),
        (release("b"), (), "prod-2", True),
        (release("b")[:12].upper(), (), "prod-2", True),
        (release("a"), (), "prod-1", False),
        (release("a"), ("b",), "prod-1", True),
        (release("b"), ("b",), "prod-2", False),
    ],
)
def test_which_target_needs_no_approval(
    to: str | None, quarantined: tuple[str, ...], target: str, is_default: bool
) -> None:
    here = state((A, B, C))

    found, free = choose_target(here, ledgers_of(here, *quarantined), release("c"), "none", to)

    assert (found.id, free) == (target, is_default)


@pytest.mark.parametrize("to", [release("never"), "zzz", ""])
def test_only_what_succeeded_here_can_be_gone_back_to(to: str) -> None:
    here = state((A, ("never", "failed", "promote"), B))

    with pytest.raises(UsageError) as caught:
        choose_target(here, ledgers_of(here), release("b"), "none", to)

    assert f"these did: {release('b')[:12]}, {release('a')[:12]}" in str(caught.value.hint)


def test_a_beginning_that_fits_several_is_no_name() -> None:
    # the first digits of made-up digests collide sooner or later
    words = [f"r{number}" for number in range(40)]
    first = next(word for word in words if any(release(word)[0] == release(other)[0] != word for other in words))
    here = state(tuple((word, "none", "promote") for word in words))

    with pytest.raises(UsageError, match="several releases"):
        choose_target(here, ledgers_of(here), None, "none", release(first)[0])


def test_without_an_earlier_success_there_is_no_way_back() -> None:
    here = state((A,))

    with pytest.raises(CannotWork) as caught:
        choose_target(here, ledgers_of(here), release("a"), "none", None)

    hint = "fix it and make a new release: `f0ci release create`, then `f0ci promote prod`"
    assert caught.value.hint == hint


def test_a_success_of_a_lesser_kind_is_named_with_the_way_to_it() -> None:
    here = state((C, ("x", "verifying", "promote")))

    with pytest.raises(CannotWork, match="no earlier success that is 'measured'") as caught:
        choose_target(here, ledgers_of(here), release("x"), "measured", None)

    assert f"f0ci rollback prod --to {release('c')[:12]}" in str(caught.value.hint)
    assert choose_target(here, ledgers_of(here), release("x"), "measured", release("c")[:12])[0].id == "prod-1"


def back(promotion: str, to: str, left: str, ending: str) -> tuple[Draft, ...]:
    """Return a rollback by hand."""
    return passing(promotion, to, ending, purpose="rollback", base=left)


@pytest.mark.parametrize(
    ("drafts", "left"),
    [
        pytest.param((), None, id="nothing runs"),
        pytest.param(passing("prod-1", "a"), "a", id="what runs"),
        pytest.param((*passing("prod-1", "a"), *passing("prod-2", "b", "waiting")), "a", id="not what waits"),
        pytest.param((*passing("prod-1", "a"), *passing("prod-2", "b", "deploying")), "b", id="what is being deployed"),
        pytest.param((*passing("prod-1", "a"), *passing("prod-2", "b", "failed")), "b", id="what failed and stayed"),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b", "rolled_back a")),
            "a",
            id="what was restored",
        ),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b", "rolled_back a"), sample("failed", "prod-2")),
            "b",
            id="not what was restored and could not be deployed",
        ),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b"), *back("prod-3", "a", "b", "failed")),
            "b",
            id="nor by hand",
        ),
        pytest.param(
            (
                *passing("prod-1", "a"),
                *passing("prod-2", "b"),
                *back("prod-3", "a", "b", "failed"),
                *back("prod-4", "a", "a", "failed"),
                *back("prod-5", "a", "a", "failed"),
            ),
            "b",
            id="however often it was tried",
        ),
        pytest.param(
            (
                *passing("prod-1", "a"),
                *passing("prod-2", "b", "rolled_back a"),
                sample("failed", "prod-2"),
                *back("prod-3", "a", "a", "failed"),
            ),
            "b",
            id="nor after it was tried by hand",
        ),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b"), *back("prod-3", "b", "b", "failed")),
            "b",
            id="what runs, where somebody went back to that",
        ),
        pytest.param(
            (*passing("prod-1", "a"), *passing("prod-2", "b"), *back("prod-3", "a", "b", "none")),
            "a",
            id="after a good rollback, what it restored",
        ),
    ],
)
def test_which_release_going_back_leaves(drafts: tuple[Draft, ...], left: str | None) -> None:
    assert release_to_leave(state_of(*drafts)) == (release(left) if left else None)


def test_a_bad_release_is_stopped_once() -> None:
    promotion = newest(*passing("prod-1", "a"), *passing("prod-2", "b", "verifying"))
    here = state_of(*passing("prod-1", "a"), *passing("prod-2", "b", "verifying"))
    elsewhere = state_of(*passing("dev-1", "b"), environment="dev")
    ledgers = Ledgers({"dev": elsewhere, "prod": here}, ledgers_of(here).workflow, {})

    holds, quarantines = stop_release(promotion, release("b"), "it is slow", ledgers)
    again = stop_release(promotion, release("b"), "it is slow", ledgers_of(here, "b"))

    assert holds == (Draft("hold", "_environment", {"reason": "it is slow", "promotion": "prod-2"}),)
    assert quarantines[0].data["also_in"] == also_in(ledgers, release("b"), "prod") == ["dev"]
    assert again == (holds, ())
