from __future__ import annotations

from dataclasses import replace

import pytest

from f0ci.promotion.events import ENDINGS, STANDING, Draft, Event
from f0ci.promotion.folding import TRANSITIONS, IllegalEvent, advance, fold_environment, fold_workflow
from f0ci.promotion.ledger import number
from tests.unit.promotion.builders import (
    ALICE,
    NOW,
    applied,
    events_of,
    hold,
    newest,
    passing,
    release,
    requested,
    rolled_back,
    sample,
    state_of,
)

BEFORE = {
    *("replanned", "waiting", "approved", "rejected", "revoked", "overridden", "evidence", "intent", "applied"),
    *(ENDINGS - {"succeeded"}),
}
PROMOTION_KINDS = sorted(
    {kind for kinds in TRANSITIONS.values() for kind in kinds} | {"requested", "restored", "succeeded", "deployed"}
)
# written by hand beside the code: what may follow what
ALLOWED: dict[str, set[str]] = {
    "": {"requested"},
    "requested": BEFORE,
    "waiting": BEFORE,
    "deploying": {"intent", "waiting", "deployed", "rolled_back", "failed", "aborted", "errored"},
    "verifying": {
        *("intent", "waiting", "resumed", "applied", "measured", "succeeded"),
        *("rolled_back", "failed", "aborted", "errored"),
    },
    "rolled_back": {"restored", "failed"},
    **{ending: set() for ending in ENDINGS},
}
ROWS = [(state, kind) for state in sorted(ALLOWED) for kind in sorted(PROMOTION_KINDS)]


def in_state(state: str) -> tuple[Draft, ...]:
    """Return the events that bring a promotion with two steps into a state."""
    if state == "":
        return ()
    start = (requested("prod-1", "new", steps=2),)
    second = (*start, applied("prod-1", "new"), Draft("deployed", "prod-1", {"step": 0}))
    return {
        "requested": start,
        "waiting": (*start, sample("waiting")),
        "deploying": (*start, applied("prod-1", "new")),
        "verifying": second,
        "rolled_back": (*second, rolled_back("prod-1", "old")),
        "succeeded": (*second, sample("succeeded")),
    }.get(state, (*start, sample(state)))


def following(state: str, kind: str) -> Draft:
    """Return an event of a kind as it would follow in a state."""
    if kind == "applied" and state == "verifying":
        return applied("prod-1", "new", step=1)
    return sample(kind)


@pytest.mark.parametrize(("state", "kind"), ROWS, ids=[f"{state or 'nothing'}-{kind}" for state, kind in ROWS])
def test_which_event_may_follow_which_state(state: str, kind: str) -> None:
    drafts = in_state(state)
    before = newest(*drafts) if drafts else None
    event = events_of(*drafts, following(state, kind))[-1]
    assert state == (before.state if before else "")

    if kind in ALLOWED[state]:
        assert advance(before, event).events[-1] == event
    else:
        with pytest.raises(IllegalEvent) as caught:
            advance(before, event)
        assert caught.value.hint is not None
        assert "f0ci audit verify" in caught.value.hint


@pytest.mark.parametrize(
    ("drafts", "state"),
    [
        pytest.param((sample("requested"),), "requested", id="requested"),
        pytest.param((sample("requested"), sample("waiting")), "waiting", id="waiting"),
        pytest.param((sample("requested"), sample("waiting"), sample("approved")), "waiting", id="approved stays"),
        pytest.param(
            (sample("requested"), sample("waiting"), sample("replanned")), "requested", id="replanned is new again"
        ),
        pytest.param((sample("requested"), sample("intent")), "requested", id="announced is not done"),
        pytest.param((sample("requested"), sample("applied")), "deploying", id="applied"),
        pytest.param((*in_state("deploying"), sample("waiting")), "deploying", id="a deployment that waits"),
        pytest.param((*in_state("verifying"), sample("waiting")), "verifying", id="a verification that waits"),
        pytest.param((*in_state("verifying"), applied("prod-1", "new", 1)), "deploying", id="the second step"),
        pytest.param((*in_state("rolled_back"), sample("restored")), "rolled_back", id="restored stays rolled back"),
        pytest.param((*in_state("rolled_back"), sample("failed")), "failed", id="not even restored"),
    ],
)
def test_where_events_lead(drafts: tuple[Draft, ...], state: str) -> None:
    assert newest(*drafts).state == state


def test_what_is_told_to_a_waiting_promotion_keeps_why_it_waits() -> None:
    promotion = newest(sample("requested"), sample("waiting"), sample("approved"))

    assert promotion.reasons == ("approval: 0 of 1",)
    assert promotion.waits_for == ("approval",)


def test_an_announcement_stands_until_it_is_answered() -> None:
    announced = newest(sample("requested"), sample("intent"), sample("intent"))
    answered = newest(sample("requested"), sample("intent"), sample("intent"), sample("applied"))

    assert len(announced.intents) == 2
    assert answered.intents == ()


def with_step(kind: str, step: int) -> Draft:
    draft = sample(kind)
    return Draft(kind, draft.promotion, {**draft.data, "step": step})


@pytest.mark.parametrize(
    ("drafts", "words"),
    [
        pytest.param((sample("requested"), with_step("applied", 1)), "cannot follow 0 steps", id="a step left out"),
        pytest.param(
            (*in_state("verifying"), sample("applied")), "cannot follow 1 step$", id="the same step a second time"
        ),
        pytest.param(
            (*in_state("deploying"), with_step("deployed", 1)), "not the one that was applied last", id="another step"
        ),
        pytest.param(
            (*in_state("verifying"), with_step("measured", 1)), "not the one that was applied last", id="measured too"
        ),
        pytest.param(
            (*in_state("verifying"), sample("measured"), sample("measured")), "was judged before", id="judged twice"
        ),
    ],
)
def test_steps_come_one_after_the_other(drafts: tuple[Draft, ...], words: str) -> None:
    with pytest.raises(IllegalEvent, match=words):
        state_of(*drafts)


def changed(events: tuple[Event, ...], index: int, **fields: object) -> tuple[Event, ...]:
    """Return events of which one differs."""
    return tuple(
        replace(event, **fields) if at == index else event  # type: ignore[arg-type]
        for at, event in enumerate(events)
    )


TWO = events_of(sample("requested"), sample("waiting"), hold())


@pytest.mark.parametrize(
    ("events", "words"),
    [
        pytest.param(changed(TWO, 1, position=7), "position 7 stands where 1 is due", id="a gap"),
        pytest.param(changed(TWO, 1, position=0), "position 0 stands where 1 is due", id="twice"),
        pytest.param(TWO[1:], "position 1 stands where 0 is due", id="the first one is gone"),
        pytest.param(changed(TWO, 1, sequence=5), "event 5 of 'prod-1' stands where 2 is due", id="a sequence gap"),
        pytest.param(changed(TWO, 2, sequence=2), "event 2 of '_environment' stands where 1", id="of a standing event"),
        pytest.param(changed(TWO, 1, environment="dev"), "about 'dev', the ledger about 'prod'", id="elsewhere"),
        pytest.param(changed(TWO, 1, promotion="dev-1", sequence=1), "does not belong", id="another's promotion"),
        pytest.param(changed(TWO, 2, promotion="prod-1", sequence=3), "does not belong", id="a hold in a promotion"),
        pytest.param(changed(TWO, 1, promotion="_environment", sequence=1), "does not belong", id="the contrary"),
        pytest.param(changed(TWO, 2, kind="quarantine"), "does not belong", id="a quarantine in an environment"),
    ],
)
def test_numbers_and_places_are_checked(events: tuple[Event, ...], words: str) -> None:
    with pytest.raises(IllegalEvent, match=words):
        fold_environment("prod", events, None)


def test_a_promotion_stays_in_the_month_it_began() -> None:
    with pytest.raises(IllegalEvent, match="filed under 2026/11, not under 2026/12"):
        fold_environment("prod", changed(TWO, 1, month="2026/12"), None)


def test_only_what_concerns_all_environments_stands_in_the_workflows_ledger() -> None:
    stray = number((), "_workflow", (sample("hold"),), NOW, ALICE)

    with pytest.raises(IllegalEvent, match="does not belong"):
        fold_workflow(stray, None)


def test_a_quarantine_can_be_lifted_and_set_again() -> None:
    drafts = (sample("quarantine"), sample("unquarantine"), sample("quarantine"))

    states = [fold_workflow(number((), "_workflow", drafts[:count], NOW, ALICE), None) for count in range(4)]

    assert [state.quarantine_of(release("new")) for state in states] == [None, "bad", None, "bad"]


def test_the_illegal_event_is_named_with_its_ledger() -> None:
    events = events_of(sample("requested"), sample("restored"))

    with pytest.raises(IllegalEvent) as caught:
        fold_environment("prod", events, None, ledger="refs/heads/f0ci/ledger/prod")

    assert caught.value.place == "refs/heads/f0ci/ledger/prod:2026/11/prod-1/0002-restored.json"


def test_holds_policy_and_what_runs() -> None:
    state = state_of(
        sample("policy"),
        *passing("prod-1", "old"),
        *passing("prod-2", "new", "rolled_back old"),
        hold("first"),
        Draft("hold", "_environment", {"reason": "second", "promotion": "prod-2"}),
    )

    assert state.policy == sample("policy").data
    assert state.hold is not None
    assert (state.hold.reason, state.hold.promotion, state.hold.owner) == ("second", "prod-2", ALICE)
    assert state.current is not None
    assert (state.current.release, state.current.step) == (release("old"), -1)
    assert state.active is None
    assert state.unfinished is state.newest
    assert state_of(sample("hold"), sample("unhold")).hold is None


def test_a_restored_rollback_is_finished() -> None:
    drafts = (*passing("prod-1", "old"), *passing("prod-2", "new", "rolled_back old"))

    assert state_of(*drafts, Draft("restored", "prod-2", {})).unfinished is None


@pytest.mark.parametrize(
    ("drafts", "stops"),
    [
        pytest.param((sample("requested"), hold()), True, id="set later"),
        pytest.param((hold(), sample("requested")), True, id="there before, and nobody vouched"),
        pytest.param((hold(), requested("prod-1", "new", through_hold="the fix")), False, id="somebody vouched"),
        pytest.param((requested("prod-1", "new", through_hold="the fix"), hold()), True, id="vouched for another hold"),
        pytest.param((requested("prod-1", "new", purpose="rollback"), hold()), False, id="a rollback passes"),
    ],
)
def test_which_promotions_a_hold_stops(drafts: tuple[Draft, ...], stops: bool) -> None:
    state = state_of(*drafts)

    assert state.hold is not None
    assert state.newest is not None
    assert state.hold.stops(state.newest, NOW) is stops


@pytest.mark.parametrize(
    ("require", "found"),
    [("none", ["prod-3", "prod-2", "prod-1"]), ("checked", ["prod-3", "prod-2"]), ("measured", ["prod-3"])],
)
def test_successes_newest_first_and_by_kind(require: str, found: list[str]) -> None:
    state = state_of(
        *passing("prod-1", "a"), *passing("prod-2", "b", "checked"), *passing("prod-3", "c", "measured"),
        *passing("prod-4", "d", "failed"),
    )  # fmt: skip

    assert [promotion.id for promotion in state.succeeded(require)] == found


def test_every_kind_is_told_apart() -> None:
    known = {*PROMOTION_KINDS, *STANDING}

    assert known == {kind for kinds in ALLOWED.values() for kind in kinds} | STANDING
