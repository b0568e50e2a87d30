"""The state machine against a simple reference model: whatever people do in whatever order, the rules hold.

Real decisions on a real repository: requests, approvals, holds, quarantines, freezes, failures, rollbacks and a clock
that moves. Each rule is an invariant of its own name.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from f0ci.core.clock import FixedClock
from f0ci.core.errors import F0ciError
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository
from f0ci.promotion.applying import rollback_target
from f0ci.promotion.events import WORKFLOW_EVENTS, Draft
from f0ci.promotion.folding import IllegalEvent, advance, fold_environment
from f0ci.promotion.ledger import Change, Ledgers, LedgerStore, number_in
from f0ci.promotion.names import Names
from f0ci.promotion.state import EnvironmentState, Promotion
from tests.conftest import git, rounds
from tests.unit.promotion.builders import NOW, applied, hex_of, hold, release, requested, rolled_back

WORDS = ("one", "two", "three")
FINAL = {"succeeded", "failed", "refused", "aborted", "rolled_back"}


@dataclass
class Record:
    """What the model knows of one promotion."""

    word: str
    state: str = "requested"
    verification: str | None = None
    rollback: bool = False


@dataclass
class Model:
    """What the model knows: a list and three sets, nothing clever."""

    promotions: list[Record] = field(default_factory=list)
    runs: str | None = None
    held: bool = False
    quarantined: set[str] = field(default_factory=set)
    events: int = 0

    def good(self, leave: str | None) -> str | None:
        """Return the newest success that is neither left nor quarantined."""
        for one in reversed(self.promotions):
            if one.state == "succeeded" and one.word != leave and one.word not in self.quarantined:
                return one.word
        return None


class PromotionMachine(RuleBasedStateMachine):
    """People, a clock, and one environment."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="f0ci-model-"))
        self.model = Model()
        self.clock = FixedClock(NOW)
        self.seen: list[bytes] = []

    @initialize()
    def begin(self) -> None:
        git(self.folder, "init", "-q")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "first")
        self.repository = Repository.open(self.folder)

    def teardown(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def store(self) -> LedgerStore:
        refs = RefStore(self.repository, None)
        return LedgerStore(self.repository, refs, Names(), self.clock, ("prod",))

    @property
    def ledgers(self) -> Ledgers:
        return self.store.read()

    @property
    def state(self) -> EnvironmentState:
        return self.ledgers.environments["prod"]

    @property
    def active(self) -> Record | None:
        newest = self.model.promotions[-1] if self.model.promotions else None
        return newest if newest is not None and newest.state not in FINAL else None

    def write(self, *drafts: Draft, workflow: tuple[Draft, ...] = ()) -> None:
        self.store.transact(lambda _: Change("prod", drafts, workflow))
        self.model.events += len(drafts)

    @property
    def newest(self) -> Promotion:
        found = self.state.newest
        assert found is not None
        return found

    @rule(by=st.integers(-120, 3600))
    def time_passes(self, by: int) -> None:
        self.clock.moment += timedelta(seconds=by)

    @precondition(lambda self: self.active is None)
    @rule(word=st.sampled_from(WORDS))
    def request(self, word: str) -> None:
        name = f"prod-{len(self.model.promotions) + 1}"
        self.write(requested(name, word, base=self.model.runs))
        self.model.promotions.append(Record(word))

    @precondition(lambda self: self.active is not None)
    @rule(word=st.sampled_from(WORDS))
    def request_while_another_is_active(self, word: str) -> None:
        state = self.state
        drafts = [requested(f"prod-{len(self.model.promotions) + 1}", word)]
        added = number_in(state, drafts, NOW, "Alice <alice@example.com>")
        try:
            fold_environment("prod", (*state.events, *added), None)
        except IllegalEvent as error:
            assert "has not ended yet" in str(error)  # noqa: PT017 - the only way it may end
        else:
            raise AssertionError("two promotions were active at once")

    @precondition(lambda self: self.active is not None and self.active.state == "requested")
    @rule(ending=st.sampled_from(["refused", "aborted"]))
    def end_before_the_change(self, ending: str) -> None:
        self.write(Draft(ending, self.newest.id, {"reasons": ["because"]}))
        self.model.promotions[-1].state = ending

    @precondition(lambda self: self.active is not None and self.active.state == "requested")
    @rule()
    def change(self) -> None:
        record = self.model.promotions[-1]
        stopped = not record.rollback and (self.model.held or record.word in self.model.quarantined)
        state, promotion = self.state, self.newest
        hold_stops = state.hold is not None and state.hold.stops(promotion, self.clock.now())
        stop = self.ledgers.workflow.quarantine_of(promotion.release) is not None and promotion.purpose == "promote"
        assert (hold_stops or stop) is stopped
        if not stopped:
            self.write(applied(promotion.id, record.word))
            record.state, self.model.runs = "deploying", record.word

    @precondition(lambda self: self.active is not None and self.active.state == "deploying")
    @rule()
    def deploy(self) -> None:
        self.write(Draft("deployed", self.newest.id, {"step": 0, "outcome": "passed"}))
        self.model.promotions[-1].state = "verifying"

    @precondition(lambda self: self.active is not None and self.active.state == "verifying")
    @rule(kind=st.sampled_from(["none", "checked", "measured"]))
    def succeed(self, kind: str) -> None:
        self.write(Draft("succeeded", self.newest.id, {"verification": kind}))
        self.model.promotions[-1].state, self.model.promotions[-1].verification = "succeeded", kind

    @precondition(lambda self: self.active is not None and self.active.state in {"deploying", "verifying"})
    @rule()
    def fail(self) -> None:
        record, promotion = self.model.promotions[-1], self.newest
        target = rollback_target(self.state, self.ledgers, promotion.release, "none")
        expected = self.model.good(record.word)
        assert (target.release if target else None) == (release(expected) if expected else None)
        bad = {"release": promotion.release, "reason": "bad"}
        quarantine = () if record.word in self.model.quarantined else (Draft("quarantine", WORKFLOW_EVENTS, bad),)
        if target is None or record.rollback:
            self.write(Draft("failed", promotion.id, {"reasons": ["bad"]}), hold(), workflow=quarantine)
            record.state = "failed"
        else:
            self.write(rolled_back(promotion.id, expected or ""), hold(), workflow=quarantine)
            self.write(Draft("restored", promotion.id, {"outcome": "passed"}))
            record.state, self.model.runs = "rolled_back", expected
        self.model.held = True
        self.model.quarantined.add(record.word)

    @precondition(lambda self: self.active is None and self.model.good(self.model.runs) is not None)
    @rule()
    def go_back(self) -> None:
        target = rollback_target(self.state, self.ledgers, release(self.model.runs or ""), "none")
        expected = self.model.good(self.model.runs)
        assert target is not None
        assert target.release == release(expected or "")
        name = f"prod-{len(self.model.promotions) + 1}"
        self.write(requested(name, expected or "", purpose="rollback", base=self.model.runs), hold())
        self.model.promotions.append(Record(expected or "", rollback=True))
        self.model.held = True

    @rule()
    def hold_it(self) -> None:
        self.write(hold())
        self.model.held = True

    @precondition(lambda self: self.model.held)
    @rule()
    def lift(self) -> None:
        self.write(Draft("unhold", "_environment", {"reason": "over"}))
        self.model.held = False

    @rule(word=st.sampled_from(WORDS), lifted=st.booleans())
    def quarantine(self, word: str, lifted: bool) -> None:
        kind = "unquarantine" if lifted else "quarantine"
        self.write(workflow=(Draft(kind, WORKFLOW_EVENTS, {"release": release(word), "reason": "said so"}),))
        (self.model.quarantined.discard if lifted else self.model.quarantined.add)(word)

    @rule(kind=st.sampled_from(["succeeded", "deployed", "applied", "restored", "measured", "approved"]))
    def out_of_turn(self, kind: str) -> None:
        """An event that cannot follow is never taken."""
        newest = self.state.newest
        if newest is None or newest.state not in FINAL:
            return
        data: dict[str, Any] = {"step": 0, "commit": hex_of("x"), "tree": hex_of("y"), "verification": "none"}
        events = number_in(self.state, [Draft(kind, newest.id, data)], NOW, "Alice <alice@example.com>")
        try:
            advance(newest, events[0])
        except F0ciError:
            return
        assert kind == "restored" and newest.state == "rolled_back"  # noqa: PT018 - one fact

    @invariant()
    def the_state_is_what_the_model_says(self) -> None:
        if not hasattr(self, "repository"):
            return
        state = self.state
        told = [(one.state, one.verification) for one in state.promotions]
        assert told == [(one.state, one.verification) for one in self.model.promotions]
        assert (state.current.release if state.current else None) == (
            release(self.model.runs) if self.model.runs else None
        )
        assert (state.hold is not None) is self.model.held

    @invariant()
    def no_event_is_lost_changed_or_doubled(self) -> None:
        if not hasattr(self, "repository"):
            return
        now = [event.to_bytes() for event in self.state.events]
        assert now[: len(self.seen)] == self.seen
        assert len(now) == self.model.events
        self.seen = now

    @invariant()
    def at_most_one_promotion_is_active(self) -> None:
        if hasattr(self, "repository"):
            assert sum(one.is_active for one in self.state.promotions) <= 1

    @invariant()
    def what_is_quarantined_is_quarantined_everywhere(self) -> None:
        if hasattr(self, "repository"):
            workflow = self.ledgers.workflow
            assert {word for word in WORDS if workflow.quarantine_of(release(word))} == self.model.quarantined

    @invariant()
    def a_rollback_is_never_rolled_back(self) -> None:
        if hasattr(self, "repository"):
            assert not any(one.purpose == "rollback" and one.state == "rolled_back" for one in self.state.promotions)


TestPromotionMachine = PromotionMachine.TestCase
TestPromotionMachine.settings = settings(
    max_examples=rounds(4, 200),
    stateful_step_count=rounds(20, 60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
