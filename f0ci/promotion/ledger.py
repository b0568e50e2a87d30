"""Reading and appending to ledgers: branches whose files are events and whose tip is their lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from f0ci.core.clock import Clock
from f0ci.core.errors import CannotWork, GitError
from f0ci.promotion.events import STANDING, WORKFLOW_EVENTS, Draft, Event, parse_event
from f0ci.promotion.names import Names
from f0ci.promotion.state import EnvironmentState, WorkflowState, fold_environment, fold_workflow

if TYPE_CHECKING:
    from f0ci.git.refs import RefStore, RefUpdate
    from f0ci.git.repository import Repository

# how long a command tries again when others write at the same moment
RACE_DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Ledgers:
    """What every ledger said at known commits.

    Attributes:
        environments: state by environment name.
        workflow: what concerns all environments.
        branches: tip of each environment's branch, None where there is none yet.
    """

    environments: Mapping[str, EnvironmentState]
    workflow: WorkflowState
    branches: Mapping[str, str | None]

    def tips(self) -> dict[str, str | None]:
        """Return the commit of every ledger that was read, for the record of a decision."""
        return {
            **{name: state.tip for name, state in sorted(self.environments.items())},
            "_workflow": self.workflow.tip,
        }


@dataclass(frozen=True, slots=True)
class BranchChange:
    """A commit to put on an environment's branch.

    Attributes:
        environment: whose branch.
        old: the tip it was made on, None where there was no branch.
        new: the commit.
    """

    environment: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """What one decision wants written, all of it or nothing.

    Attributes:
        environment: whose ledger gets the events.
        drafts: events for the environment's ledger, in order.
        workflow: events for the workflow's ledger, in order.
        branch: the change of the environment's branch, or None.
    """

    environment: str
    drafts: tuple[Draft, ...] = ()
    workflow: tuple[Draft, ...] = ()
    branch: BranchChange | None = None


@dataclass(slots=True)
class LedgerStore:
    """The ledgers of one repository and its remote.

    Attributes:
        repository: where objects are made.
        refs: where refs are read and pushed.
        names: ref names.
        clock: time of new events.
        known: environments of the workflow, always part of what is read.
    """

    repository: Repository
    refs: RefStore
    names: Names
    clock: Clock
    known: tuple[str, ...] = ()
    _blobs: dict[tuple[str, str], Event] = field(default_factory=dict, repr=False)
    _default: str | None = field(default=None, repr=False)

    def fetch(self) -> None:
        """Ask the remote for every ledger, environment and release.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        self._default = None
        self.refs.fetch(["refs/heads/env/*", "refs/heads/f0ci/ledger/*", "refs/tags/f0ci/*"])

    def default_tip(self) -> str | None:
        """Return the newest commit of the remote's default branch, or of the repository's own; None without one.

        The remote is asked, because what a clone remembers of it may be old.
        """
        if self.refs.remote is None:
            branch = self.repository.default_branch(None)
            return self.repository.commit_of(branch) if branch else None
        if self._default is None:
            name = self.refs.default_branch_name()
            if name is None:
                return None
            self.refs.fetch([f"refs/heads/{name}"])
            self._default = self.refs.read(f"refs/heads/{name}")
        return self._default

    def read(self) -> Ledgers:
        """Return what every ledger says, as last fetched.

        Raises:
            InputError: a ledger holds something that is not an event, or an event that cannot be.
        """
        environments = {}
        for name in self.environment_names():
            tip = self.refs.read(self.names.ledger(name))
            environments[name] = fold_environment(name, self.events_at(tip), tip)
        tip = self.refs.read(self.names.workflow_ledger)
        branches = {name: self.refs.read(self.names.environment(name)) for name in environments}
        return Ledgers(environments, fold_workflow(self.events_at(tip), tip), branches)

    def environment_names(self) -> tuple[str, ...]:
        """Return the environments of the workflow, then those that only ledgers know."""
        start = "refs/heads/f0ci/ledger/" + (f"{self.names.prefix}." if self.names.prefix else "")
        found = {ref.removeprefix(start) for ref in self.refs.list(start)}
        others = sorted(name for name in found - set(self.known) if not name.startswith("_") and "." not in name)
        return (*self.known, *others)

    def events_at(self, tip: str | None) -> tuple[Event, ...]:
        """Return a ledger's events at a commit, in order of position."""
        if tip is None:
            return ()
        entries = self.repository.list_files(tip)
        missing = [entry.oid for entry in entries if (entry.path, entry.oid) not in self._blobs]
        content = self.repository.read_blobs(missing) if missing else {}
        for entry in entries:
            if (entry.path, entry.oid) not in self._blobs:
                self._blobs[entry.path, entry.oid] = parse_event(entry.path, content[entry.oid])
        return tuple(
            sorted((self._blobs[entry.path, entry.oid] for entry in entries), key=lambda event: event.position)
        )

    def write(self, ledgers: Ledgers, change: Change) -> bool:
        """Write a change if every ledger and branch is still what it was read as.

        Returns:
            False where somebody else was first: read again and decide again.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        from f0ci.git.refs import AtomicUnsupported, PushOutcome

        updates = self._updates(ledgers, change)
        try:
            return self.refs.push(updates, atomic=len(updates) > 1) is PushOutcome.APPLIED
        except AtomicUnsupported:
            return self._write_in_order(ledgers, change)

    def transact(self, decide: Callable[[Ledgers], Change | None]) -> tuple[Ledgers, Change | None]:
        """Decide on what the ledgers say and write it; where somebody was first, read again and decide again.

        Args:
            decide: returns what to write, or None where nothing is to be done; called once per attempt.

        Returns:
            The ledgers after the change, and what was written.

        Raises:
            CannotWork: others kept being first until the deadline.
        """
        deadline = time.monotonic() + RACE_DEADLINE_SECONDS
        attempt = 0
        while True:
            ledgers = self.read()
            change = decide(ledgers)
            if change is None or not (change.drafts or change.workflow or change.branch):
                return ledgers, None
            if self.write(ledgers, change):
                return self.read(), change
            if time.monotonic() > deadline:
                raise CannotWork(
                    f"others kept writing to {change.environment!r} for {RACE_DEADLINE_SECONDS:.0f} seconds",
                    "run the command again",
                )
            attempt += 1
            time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - spreads writers, no secret
            self.fetch()

    def _updates(self, ledgers: Ledgers, change: Change) -> list[RefUpdate]:
        from f0ci.git.refs import RefUpdate

        updates = []
        if change.branch is not None:
            ref = self.names.environment(change.branch.environment)
            updates.append(RefUpdate(ref, change.branch.old, change.branch.new))
        if change.drafts:
            state = ledgers.environments[change.environment]
            tip = self._append(state.tip, state.events, change.environment, change.drafts)
            updates.append(RefUpdate(self.names.ledger(change.environment), state.tip, tip))
        if change.workflow:
            workflow = ledgers.workflow
            tip = self._append(workflow.tip, workflow.events, WORKFLOW_EVENTS, change.workflow)
            updates.append(RefUpdate(self.names.workflow_ledger, workflow.tip, tip))
        return updates

    def _append(self, tip: str | None, events: Sequence[Event], environment: str, drafts: Iterable[Draft]) -> str:
        now = self.clock.now()
        actor = str(self.repository.identity())
        added = number(events, environment, drafts, now, actor)
        base = self.repository.tree_of(tip) if tip else None
        tree = self.repository.write_tree({event.path: event.to_bytes() for event in added}, base)
        subject = ", ".join(f"{event.promotion} {event.kind}" for event in added)
        trailers = "".join(f"F0-Promotion: {name}\n" for name in dict.fromkeys(event.promotion for event in added))
        return self.repository.commit(tree, [tip] if tip else [], f"{subject}\n\n{trailers}")

    def _write_in_order(self, ledgers: Ledgers, change: Change) -> bool:
        """Without atomic pushes: an intent that names the exact commit, then the branch, then the events."""
        from f0ci.git.refs import PushOutcome, RefUpdate

        main = next((draft for draft in change.drafts if draft.kind in {"applied", "rolled_back"}), None)
        if change.branch is not None and main is not None:
            intent = Draft("intent", main.promotion, dict(main.data))
            if not self.write(ledgers, Change(change.environment, (intent,))):
                return False
        if change.branch is not None:
            ref = self.names.environment(change.branch.environment)
            if (
                self.refs.push([RefUpdate(ref, change.branch.old, change.branch.new)], atomic=False)
                is not PushOutcome.APPLIED
            ):
                return False
        for part in (
            Change(change.environment, change.drafts),
            Change(change.environment, workflow=change.workflow),
        ):
            # the branch has moved already, so the events must follow, whoever else writes meanwhile
            for _ in range(20):
                if not (part.drafts or part.workflow) or self.write(self.read(), part):
                    break
                self.fetch()
            else:
                raise GitError(
                    f"the branch of {change.environment!r} was changed but its ledger could not be written",
                    "run the command again: it finds the intent and records it",
                )
        return True


def number(
    events: Sequence[Event], environment: str, drafts: Iterable[Draft], now: datetime, actor: str
) -> tuple[Event, ...]:
    """Return drafts as events with their place in the ledger; pure."""
    position = len(events)
    added: list[Event] = []
    for draft in drafts:
        earlier = [event for event in (*events, *added) if event.promotion == draft.promotion]
        # standing events are filed by the month they happen in, a promotion's by the month it began
        month = earlier[0].month if earlier and draft.kind not in STANDING else now.strftime("%Y/%m")
        sequence = (earlier[-1].sequence if earlier else 0) + 1
        added.append(
            Event(
                draft.kind,
                draft.promotion,
                sequence,
                position,
                environment,
                now,
                actor,
                dict(draft.data),
                month,
            )
        )
        position += 1
    return tuple(added)
