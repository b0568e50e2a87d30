"""The nine rules that hold whatever happens, each as a property of its own name against a model of a few lines.

`test_model.py` plays whole lives of an environment on a real repository; here the decisions themselves are asked, with
whatever people, plans and pasts hypothesis thinks of.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from f0ci.analysis.concluding import conclude
from f0ci.analysis.judging import Judgement, Verdict
from f0ci.core.canonical import canonical_json, digest
from f0ci.core.errors import F0ciError
from f0ci.core.outcome import Outcome
from f0ci.promotion.applying import rollback_target
from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.events import Draft
from f0ci.promotion.evidence import Evidence
from f0ci.promotion.folding import fold_on
from f0ci.promotion.gates import approval, order
from f0ci.promotion.gates.base import GateAnswer, GateQuestion
from f0ci.promotion.ledger import number_in
from f0ci.promotion.policy import policy_commit
from f0ci.promotion.releases import Release
from f0ci.promotion.requesting import next_in_order
from f0ci.promotion.state import EnvironmentState
from f0ci.promotion.statements import Statement, VerifiedStatement
from f0ci.promotion.verifying import settle
from f0ci.workflows.metrics import MetricSpec
from tests.conftest import rounds
from tests.unit.promotion.builders import (
    ALICE,
    NOW,
    applied,
    hex_of,
    hold,
    ledgers_of,
    passing,
    plan_data,
    release,
    requested,
    state_of,
)

FEW = settings(max_examples=rounds(40, 2000), deadline=None)
NAMES = ("alice", "bob", "carol", "dave")
PEOPLE = Approvers(
    {name: Person(name, (f"{name}@example.com",), (f"ssh-ed25519 {name}",), {"github": name}) for name in NAMES},
    {"managers": ("bob", "carol")},
)
WORDS = st.sampled_from(["one", "two", "three"])
# how promotions end, and what an environment is left with by each
ENDINGS = st.sampled_from(["none", "checked", "measured", "failed", "aborted", "refused", "rolled_back one"])
PASTS = st.lists(st.tuples(WORDS, ENDINGS, st.booleans()), max_size=8)
BOUND = plan_data(
    "prod-1", "new", strategy="rolling", deploy={"digest": hex_of("deploy")}, renderer="0.1.0", metrics={}
)


def lived(past: list[tuple[str, str, bool]], environment: str = "prod") -> EnvironmentState:
    """Return the state after promotions of words that ended somehow; the boolean says that it was a rollback."""
    drafts: list[Draft] = []
    for turn, (word, ending, back) in enumerate(past, start=1):
        how = "failed" if back and ending.startswith("rolled_back") else ending
        purpose = "rollback" if back else "promote"
        drafts.extend(passing(f"{environment}-{turn}", word, how, purpose=purpose))
    return state_of(*drafts, environment=environment)


def asked(
    settings: dict[str, Any], plan: str, *statements: VerifiedStatement, now: datetime = NOW, **more: Any
) -> GateQuestion:
    known = {"environments": {}, "authors": (), **more}
    return GateQuestion(
        "prod-1", "prod", release("new"), plan, settings, approvers=PEOPLE, statements=statements, now=now, **known
    )


def said(
    who: str, decision: str, plan: str, expires: datetime | None = None, problem: str | None = None
) -> VerifiedStatement:
    return VerifiedStatement(
        Statement("prod-1", plan, "prod", who, decision, NOW, expires), None if problem else who, problem
    )


@FEW
@given(st.sampled_from(sorted(BOUND)), st.integers() | st.text() | st.lists(st.integers(), max_size=2))
def test_rule_1_a_changed_bound_part_voids_approvals_and_says_so(part: str, value: Any) -> None:
    changed = {**BOUND, part: value}
    assume(canonical_json(changed) != canonical_json(BOUND))
    before, after = digest(BOUND), digest(changed)
    approvals = (said("bob", "approve", before), said("carol", "approve", before))

    assert approval.evaluate(asked({"count": 2}, before, *approvals)).outcome is Outcome.PASSED
    answer = approval.evaluate(asked({"count": 2}, after, *approvals))

    assert answer.outcome is Outcome.WAITING
    assert "2 given for an earlier plan are void" in answer.reason
    # the order in which a plan was written down binds nothing
    assert digest(dict(reversed(BOUND.items()))) == before


@FEW
@given(PASTS, st.sampled_from(["requested", "waiting", "deploying", "verifying"]), st.booleans())
def test_rule_2_the_newest_succeeded_promotion_is_whose_policy_judges(
    past: list[tuple[str, str, bool]], now: str, back: bool
) -> None:
    state = lived(past)
    good = [word for word, ending, was_back in past if ending in {"none", "checked", "measured"} and not was_back]
    expected = (hex_of(f"source of {good[-1]}"), False) if good else ("default", True)
    assert policy_commit(state, "default") == expected
    # one that is under way never judges itself, and a way back takes no policy back
    under_way = lived([*past, ("three", now, back)])
    assert policy_commit(under_way, "default") == expected
    went_back = lived([*past, ("one", "checked", True)])
    assert policy_commit(went_back, "default") == expected


STATEMENTS = st.lists(
    st.tuples(
        st.sampled_from([*NAMES, "mallory"]),
        st.sampled_from(["approve", "reject", "revoke"]),
        st.sampled_from(["this plan", "an earlier plan"]),
        st.sampled_from([None, -1, 0, 1]),
        st.booleans(),
    ),
    max_size=6,
)


@FEW
@given(
    STATEMENTS,
    st.integers(1, 3),
    st.booleans(),
    st.sets(st.sampled_from([*NAMES, "stranger"])),
    st.sampled_from(NAMES),
    st.sampled_from([True, False, "strict"]),
)
def test_rule_3_quorum_groups_and_not_the_author_are_computed(
    told: list[tuple[str, str, str, int | None, bool]],
    count: int,
    managers: bool,
    wrote: set[str],
    requester: str,
    not_author: bool | str,
) -> None:
    plan = digest("this plan")
    statements = [
        said(
            who,
            decision,
            digest(about),
            None if hours is None else NOW + timedelta(hours=hours),
            "forged" if bad else None,
        )
        for who, decision, about, hours, bad in told
    ]
    gate = {"count": count, "not_author": not_author, **({"groups": ["managers"]} if managers else {})}
    authors = tuple(f"{name.title()} <{name}@example.com>" for name in sorted(wrote))

    answer = approval.evaluate(
        asked(gate, plan, *statements, authors=authors, requested_by=f"R <{requester}@example.com>")
    )

    may = {"bob", "carol"} if managers else set(NAMES)
    out = {*wrote, requester} if not_author else set()
    yes: set[str] = set()
    no: set[str] = set()
    for who, decision, about, hours, bad in told:
        if bad or who not in NAMES:
            # a person whom the file does not know may revoke what counts for nothing anyway
            continue
        if decision == "revoke":
            yes.discard(who)
            no.discard(who)
        elif about == "this plan" and who in may:
            if decision == "reject":
                no.add(who)
            elif who not in out and (hours is None or hours > 0):
                yes.add(who)
    if not_author == "strict" and "stranger" in wrote:
        assert answer.outcome is Outcome.FAILED
        assert "stranger" in answer.reason
    elif no:
        assert answer.outcome is Outcome.FAILED
    else:
        assert answer.outcome is (Outcome.PASSED if len(yes) >= count else Outcome.WAITING)
        assert not set(answer.who) & (yes | out)


@FEW
@given(
    st.lists(
        st.tuples(st.sampled_from(["github", "gitlab"]), st.sampled_from([*NAMES, "nobody", None]), st.booleans()),
        max_size=5,
    ),
    st.sets(st.sampled_from(["github", "gitlab"])),
    st.integers(1, 2),
)
def test_rule_4_what_a_platform_asserts_counts_only_where_it_is_listed(
    asserted: list[tuple[str, str | None, bool]], accepted: set[str], count: int
) -> None:
    plan = digest("this plan")
    evidence = tuple(
        Evidence(kind, "https://ci.example.com/1", "job", who, "rule", plan if ours else digest("an earlier plan"))
        for kind, who, ours in asserted
    )
    gate = {"count": count, "accept": sorted(accepted)}

    answer = approval.evaluate(asked(gate, plan, evidence=evidence))

    # the approvers file knows accounts of one platform only
    yes = {who for kind, who, ours in asserted if kind in accepted and kind == "github" and ours and who in NAMES}
    assert answer.outcome is (Outcome.PASSED if len(yes) >= count else Outcome.WAITING)
    assert approval.evaluate(asked({"count": count}, plan, evidence=evidence)).outcome is Outcome.WAITING
    if yes and answer.outcome is Outcome.PASSED:
        assert "(platform)" in answer.reason


@FEW
@given(PASTS, st.sampled_from(["none", "checked", "measured"]))
def test_rule_5_only_the_newest_record_of_an_environment_counts(
    past: list[tuple[str, str, bool]], require: str
) -> None:
    state = lived(past, "staging")
    wanted = "one"

    def question(at_least: str) -> GateAnswer:
        return order.evaluate(
            GateQuestion(
                "prod-1",
                "prod",
                release(wanted),
                "",
                {"upstream": ["staging"]},
                {"staging": state},
                PEOPLE,
                require=at_least,
                now=NOW,
            )
        )

    kinds = ("none", "checked", "measured")
    expected = Outcome.WAITING
    for word, ending, back in reversed(past):
        if ending in {"aborted", "refused"}:
            continue
        if ending not in kinds:
            expected = Outcome.FAILED if word == wanted else Outcome.WAITING
            break
        if word == wanted:
            expected = Outcome.PASSED if kinds.index(ending) >= kinds.index(require) else Outcome.WAITING
            break
        if back:
            break
    assert question(require).outcome is expected


@FEW
@given(
    st.lists(st.tuples(st.sampled_from(list(Verdict)), st.booleans()), min_size=1, max_size=5),
    st.booleans(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(["pause", "fail", "wait"]),
)
def test_rule_6_a_verdict_needs_data(
    seen: list[tuple[Verdict, bool]], expired: bool, complete: bool, hours: int, policy: str
) -> None:
    spec = cast(
        "MetricSpec",
        SimpleNamespace(
            on_insufficient_data=policy, on_no_traffic=policy, on_provider_error=policy, waivers=(), name="m"
        ),
    )
    judgements = [Judgement(verdict, None, 0, str(verdict), "m", dry_run=dry) for verdict, dry in seen]
    concluded = conclude(judgements, {"m": spec}, expired=expired, at=None, complete=complete)
    end = NOW + timedelta(hours=hours)
    settled = settle(concluded.outcome, concluded.reasons, concluded.verification, {"step": 0}, NOW, end)

    deciding = [verdict for verdict, dry in seen if not dry]
    if settled.outcome is Outcome.PASSED:
        assert deciding
        assert set(deciding) == {Verdict.PASSED}
        assert end <= NOW
        assert settled.verification == "measured"
    if deciding and set(deciding) != {Verdict.PASSED}:
        assert settled.outcome not in {Outcome.PASSED, Outcome.SKIPPED}


@FEW
@given(PASTS, WORDS, st.sets(WORDS), st.sampled_from(["none", "checked", "measured"]))
def test_rule_7_a_rollback_goes_to_the_newest_earlier_good_release(
    past: list[tuple[str, str, bool]], bad: str, quarantined: set[str], require: str
) -> None:
    state = lived(past)
    kinds = ("none", "checked", "measured")
    able = [
        (turn, word)
        for turn, (word, ending, _) in enumerate(past, start=1)
        if ending in kinds and kinds.index(ending) >= kinds.index(require) and word != bad and word not in quarantined
    ]

    found = rollback_target(state, ledgers_of(state, *sorted(quarantined)), release(bad), require)

    expected = (f"prod-{able[-1][0]}", release(able[-1][1])) if able else None
    assert ((found.id, found.release) if found else None) == expected


@FEW
@given(st.booleans(), st.booleans(), st.booleans(), st.sampled_from([None, -1, 1]))
def test_rule_7_a_hold_stops_what_was_not_asked_through_it_and_never_a_rollback(
    back: bool, through: bool, earlier: bool, hours: int | None
) -> None:
    ask = requested(
        "prod-1", "new", purpose="rollback" if back else "promote", through_hold="we must" if through else None
    )
    expires = {} if hours is None else {"expires": (NOW + timedelta(hours=hours)).isoformat().replace("+00:00", "Z")}
    stop = hold()
    stop = type(stop)(stop.kind, stop.promotion, {**stop.data, **expires})
    state = state_of(*((stop, ask) if earlier else (ask, stop)))

    assert state.hold is not None
    assert state.newest is not None
    stops = state.hold.stops(state.newest, NOW)

    over = hours is not None and hours <= 0
    assert stops is (not back and not over and not (through and earlier))


@FEW
@given(PASTS, st.sampled_from(["deploying", "verifying", "none", "rolled_back one", "failed"]))
def test_rule_8_no_record_is_made_twice(past: list[tuple[str, str, bool]], ending: str) -> None:
    before = lived(past)
    name = f"prod-{len(past) + 1}"
    drafts = passing(name, "three", ending)
    state = before
    for draft in drafts:
        state = fold_on(state, number_in(state, [draft], NOW, ALICE), None)
        try:
            again = fold_on(state, number_in(state, [draft], NOW, ALICE), None)
        except F0ciError:
            continue
        raise AssertionError(f"{draft.kind} was recorded twice: {again.newest}")


@FEW
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=8, unique=True).map(sorted),
    st.data(),
)
def test_rule_9_an_older_release_is_never_next(numbers: list[int], data: st.DataObject) -> None:
    releases = tuple(
        Release(release(f"r{number}"), hex_of(f"r{number}"), NOW + timedelta(hours=number), ALICE, 1)
        for number in numbers
    )
    running = data.draw(st.sampled_from(numbers))
    quarantined = data.draw(st.sets(st.sampled_from(numbers)))
    refused = data.draw(st.sets(st.sampled_from(numbers)))
    drafts = [
        draft
        for turn, number in enumerate(sorted(refused), start=1)
        for draft in passing(f"prod-{turn}", f"r{number}", "refused")
    ]
    state = state_of(*drafts)

    found = next_in_order(
        releases, release(f"r{running}"), state, ledgers_of(state, *(f"r{one}" for one in sorted(quarantined)))
    )

    able = [number for number in numbers if number > running and number not in quarantined | refused]
    assert (found.digest if found else None) == (release(f"r{able[0]}") if able else None)


@FEW
@given(
    st.lists(st.sampled_from(["none", "failed", "aborted"]), max_size=4), st.sampled_from(["deploying", "verifying"])
)
def test_rule_9_what_was_overtaken_cannot_write_any_more(endings: list[str], late: str) -> None:
    """Whoever read the ledger earlier numbers its event after what it read: the fold of both is refused."""
    overtaken = passing("prod-1", "old", late)
    read = state_of(*overtaken)
    others = [draft for turn, ending in enumerate(endings, start=2) for draft in passing(f"prod-{turn}", "new", ending)]
    ended = (passing("prod-1", "old", "failed")[-1],)
    now = fold_on(read, number_in(read, (*ended, *others), NOW, ALICE), None)

    with pytest.raises(F0ciError):
        fold_on(now, number_in(now, [applied("prod-1", "old", 0)], NOW, ALICE), None)
