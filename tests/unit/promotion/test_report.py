"""What a status says of a promotion: why it is where it is, and what nobody has looked at yet."""

from __future__ import annotations

import pytest

from f0ci.cli.output import once_met
from f0ci.promotion.events import Event
from f0ci.promotion.explaining import Condition
from f0ci.promotion.report import current_reasons
from f0ci.promotion.state import Promotion
from tests.unit.promotion.builders import ALICE, NOW, release

WAITING = "approval: 0 of 1"


def promotion(*events: str, state: str = "waiting", reasons: tuple[str, ...] = (WAITING,)) -> Promotion:
    """Return a promotion with events such as `approved Bob`; whoever is not named is Alice."""
    made = []
    for number, text in enumerate(events, start=1):
        kind, _, who = text.partition(" ")
        actor = f"{who} <{who.lower()}@example.com>" if who else ALICE
        made.append(Event(kind, "prod-1", number, number, "prod", NOW, actor, {}, "2026/11"))
    return Promotion(
        "prod-1", "prod", "promote", release("a"), state, "d", {}, ALICE, NOW, NOW, tuple(made), reasons=reasons
    )


@pytest.mark.parametrize(
    ("events", "told"),
    [
        pytest.param(("requested", "waiting"), "", id="nothing new"),
        pytest.param(("requested", "waiting", "approved Bob", "waiting"), "", id="looked at since"),
        pytest.param(("waiting", "approved Bob"), "Bob approved", id="an approval"),
        pytest.param(("waiting", "evidence"), "Alice handed over evidence", id="evidence of a CI system"),
        pytest.param(
            ("waiting", "approved Bob", "revoked Bob", "approved Bob"),
            "Bob took back what they said, Bob approved",
            id="what came last stands last",
        ),
        pytest.param(("waiting", "overridden Bob", "rejected Carol"), "Bob overrode a gate, Carol rejected", id="both"),
    ],
)
def test_what_was_said_since_the_gates_were_asked_follows_the_reasons(events: tuple[str, ...], told: str) -> None:
    known, *more = current_reasons(promotion(*events))

    assert known == WAITING
    assert more == ([f"{told} since; `f0ci promote prod --continue` takes it from there"] if told else [])


def test_what_a_pause_waited_for_is_gone_once_somebody_resumed_it() -> None:
    resumed = promotion("applied", "waiting", "resumed Bob", state="verifying", reasons=("looks good",))

    assert current_reasons(resumed) == ("Bob resumed since; `f0ci promote prod --continue` takes it from there",)


def test_of_a_promotion_that_ended_only_the_reasons_are_said() -> None:
    assert current_reasons(promotion("waiting", "approved Bob", state="aborted")) == (WAITING,)


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ((), ""),
        (("approval",), ", once approval is met"),
        (("approval", "command"), ", once approval and command are met"),
        (("request", "approval"), ", once somebody requests it and approval is met"),
        (("verifying",), ", once it is taken further"),
    ],
)
def test_what_has_to_be_met_besides_the_time_is_a_sentence(what: tuple[str, ...], text: str) -> None:
    assert once_met([Condition(one, "") for one in what]) == text
