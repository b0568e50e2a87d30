"""Reading and appending to ledgers: branches whose files are events and whose tip is their lock."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from f0ci.core.clock import Clock
from f0ci.core.errors import CannotWork
from f0ci.promotion.events import ENVIRONMENT_EVENTS, WORKFLOW_EVENTS, Draft, Event, parse_event
from f0ci.promotion.folding import fold_environment, fold_on, fold_workflow
from f0ci.promotion.memory import Memory, Remembered
from f0ci.promotion.names import Names
from f0ci.promotion.state import EnvironmentState, WorkflowState

if TYPE_CHECKING:
    from f0ci.git.refs import RefStore
    from f0ci.git.repository import Repository

# how long a command tries again when others write at the same moment
RACE_DEADLINE_SECONDS = 60.0
# the refs in which promotions live
EVERYTHING = ("refs/heads/env/*", "refs/heads/f0ci/ledger/*", "refs/tags/f0ci/*")


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
            WORKFLOW_EVENTS: self.workflow.tip,
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
        guarded: the workflow's ledger, which tells of quarantines, must still be what was read.
        again: once it is written, the decision is made again on what is there then.
    """

    environment: str
    drafts: tuple[Draft, ...] = ()
    workflow: tuple[Draft, ...] = ()
    branch: BranchChange | None = None
    guarded: bool = False
    again: bool = False

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is to be written."""
        return not (self.drafts or self.workflow or self.branch)


@dataclass(slots=True)
class LedgerStore:
    """The ledgers of one repository and its remote.

    Attributes:
        repository: where objects are made.
        refs: where refs are read and pushed.
        names: ref names.
        clock: time of new events.
        known: environments of the workflow, always part of what is read.
        memory: what the clone remembers of them, or None to read everything.
    """

    repository: Repository
    refs: RefStore
    names: Names
    clock: Clock
    known: tuple[str, ...] = ()
    memory: Memory | None = None
    _known: dict[str, Remembered] = field(default_factory=dict, repr=False)
    _events: dict[tuple[str, str, str], Event] = field(default_factory=dict, repr=False)
    _default: str | None = field(default=None, repr=False)

    def fetch(self) -> None:
        """Ask the remote for every ledger, environment and release.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        self._default = None
        self.refs.refresh(EVERYTHING)

    def default_tip(self) -> str | None:
        """Return the newest commit of the remote's default branch, or of the repository's own; None without one.

        The remote is asked, because what a clone remembers of it may be old.
        """
        if self.refs.remote is None:
            branch = self.repository.default_branch(None)
            return self.repository.commit_of(branch) if branch else None
        if self._default is None:
            if self.refs.head is None:
                self.refs.refresh([])
            self._default = self.refs.read(f"refs/heads/{self.refs.head}") if self.refs.head else None
        return self._default

    def read(self) -> Ledgers:
        """Return what every ledger says, as last fetched.

        Raises:
            InputError: a ledger holds something that is not an event, or an event that cannot be.
        """
        environments = {}
        for name in self.environment_names():
            ledger = self.names.ledger(name)
            tip = self.refs.read(ledger)
            environments[name] = self.state_at(name, tip, ledger)
        branches = {name: self.refs.read(self.names.environment(name)) for name in environments}
        return Ledgers(environments, self.read_workflow(), branches)

    def read_workflow(self) -> WorkflowState:
        """Return what the ledger says that concerns every environment, as last fetched.

        Raises:
            InputError: it holds something that is not an event, or an event that cannot be.
        """
        ledger = self.names.workflow_ledger
        tip = self.refs.read(ledger)
        return fold_workflow(self.events_at(tip, ledger), tip, ledger=ledger)

    def environment_names(self) -> tuple[str, ...]:
        """Return the environments of the workflow, then those that only ledgers know."""
        found = self.names.ledger_environments(self.refs.list("refs/heads/f0ci/ledger/"))
        return (*self.known, *sorted(set(found) - set(self.known)))

    def state_at(self, environment: str, tip: str | None, ledger: str) -> EnvironmentState:
        """Return what an environment's ledger amounts to at a commit; of what is remembered, only the rest is read.

        Raises:
            InputError: the ledger holds something that is not an event, or an event that cannot be.
        """
        if tip is None:
            return EnvironmentState(environment)

        def read_all(at: str) -> EnvironmentState:
            return fold_environment(environment, self.events_at(at, ledger), at, ledger=ledger)

        known = self._known.get(ledger)
        if known is None and self.memory is not None:
            known = self.memory.recall(ledger, environment, tip, self.events_in, read_all)
        added = self._added(known.state.tip, tip, ledger) if known else None
        if known is None or added is None:
            known, state = None, read_all(tip)
        elif known.state.tip == tip:
            state = known.state
        else:
            state = fold_on(known.state, added, tip, ledger=ledger)
        if self.memory is not None and (known is None or known.state.tip != tip):
            self.memory.remember(ledger, state, known)
        self._known[ledger] = Remembered(state, known.made if known else tip)
        return state

    def _added(self, old: str | None, new: str, ledger: str) -> tuple[Event, ...] | None:
        """Return the events that a ledger has at one commit and not at an earlier one; None where more differs."""
        if old == new:
            return ()
        if old is None or self.repository.commit_of(old) is None:
            return None
        answer = self.repository.run("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
        words = answer.out.split(b"\0")
        paths = []
        for head, path in zip(words[::2], words[1::2], strict=False):
            if not head.startswith(b":000000 100644 ") or not head.endswith(b" A") or b"\n" in path:
                return None
            paths.append(path.decode("utf-8", "surrogateescape"))
        return tuple(sorted(self.events_in(new, paths, ledger), key=lambda event: event.position))

    def events_in(self, tip: str, paths: Iterable[str], ledger: str = "") -> tuple[Event, ...]:
        """Return the events in some files of a ledger at a commit, in the order of the files.

        Raises:
            InputError: a file is not an event.
        """
        wanted = list(paths)
        content = self.repository.read_files(tip, wanted)
        return tuple(parse_event(path, content[path], ledger=ledger) for path in wanted)

    def standing_events(self, tip: str | None, ledger: str = "") -> tuple[Event, ...]:
        """Return the events of an environment's ledger that are about no promotion, in order; no others are read.

        Raises:
            InputError: a file is not an event.
        """
        if tip is None:
            return ()
        paths = [one.path for one in self.repository.list_files(tip) if f"/{ENVIRONMENT_EVENTS}/" in one.path]
        return tuple(sorted(self.events_in(tip, paths, ledger), key=lambda event: event.position))

    def events_at(self, tip: str | None, ledger: str = "") -> tuple[Event, ...]:
        """Return a ledger's events at a commit, in order of position.

        Raises:
            InputError: a file is not an event.
        """
        if tip is None:
            return ()
        entries = self.repository.list_files(tip)
        keys = {entry: (entry.path, entry.oid, entry.mode) for entry in entries}
        missing = [entry for entry in entries if keys[entry] not in self._events]
        content = self.repository.read_blobs(entry.oid for entry in missing if entry.is_file) if missing else {}
        for entry in missing:
            raw = content.get(entry.oid, b"")
            self._events[keys[entry]] = parse_event(entry.path, raw, ledger=ledger, mode=entry.mode)
        return tuple(sorted((self._events[key] for key in keys.values()), key=lambda event: event.position))

    def transact(self, decide: Callable[[Ledgers], Change | None]) -> Ledgers:
        """Decide on what the ledgers say and write it; where somebody was first, read again and decide again.

        Where a server cannot change several refs together, a change is written part by part, and the decision is made
        again after each: it finds what was written, and asks for the rest only.

        Args:
            decide: returns what to write, or None where nothing is to be done.

        Returns:
            The ledgers after the change.

        Raises:
            CannotWork: others kept being first until the deadline.
        """
        from f0ci.promotion.writing import Written, write

        deadline = time.monotonic() + RACE_DEADLINE_SECONDS
        attempt = 0
        while True:
            ledgers = self.read()
            change = decide(ledgers)
            if change is None or change.is_empty:
                return ledgers
            written = write(self, ledgers, change)
            if written is Written.ALL and not change.again:
                return self.read()
            if time.monotonic() > deadline:
                raise CannotWork(
                    f"others kept writing to {change.environment!r} for {RACE_DEADLINE_SECONDS:.0f} seconds",
                    "run the command again",
                )
            if written is Written.NOTHING:
                attempt += 1
                time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))  # noqa: S311 - spreads writers, no secret
                self.fetch()


def number(
    events: Sequence[Event],
    environment: str,
    drafts: Iterable[Draft],
    now: datetime,
    actor: str,
    *,
    seen: Callable[[str], tuple[str, int] | None] | None = None,
) -> tuple[Event, ...]:
    """Return drafts as events with their place in the ledger; pure.

    Args:
        events: what the ledger holds.
        environment: whose ledger it is.
        drafts: what comes after it, in order.
        now: time of the new events.
        actor: who writes them.
        seen: returns the month and the number of events of a promotion; by default it is looked for in the events.
    """
    known: dict[str, tuple[str, int] | None] = {}
    if seen is None:
        for event in events:
            month, _ = known.get(event.promotion) or (event.month, 0)
            known[event.promotion] = (month, event.sequence)
    added: list[Event] = []
    for position, draft in enumerate(drafts, start=len(events)):
        name = draft.promotion
        if seen is not None and name not in known:
            known[name] = seen(name)
        # standing events are filed by the month they happen in, a promotion's by the month it began
        month, count = known.get(name) or (now.strftime("%Y/%m"), 0)
        if name in {ENVIRONMENT_EVENTS, WORKFLOW_EVENTS}:
            month = now.strftime("%Y/%m")
        known[name] = (month, count + 1)
        added.append(Event(draft.kind, name, count + 1, position, environment, now, actor, dict(draft.data), month))
    return tuple(added)


def number_in(state: EnvironmentState, drafts: Iterable[Draft], now: datetime, actor: str) -> tuple[Event, ...]:
    """Return drafts as the next events of an environment; pure."""

    def seen(name: str) -> tuple[str, int] | None:
        if name == ENVIRONMENT_EVENTS:
            return ("", state.standing)
        promotion = state.find(name)
        return (promotion.events[0].month, len(promotion.events)) if promotion else None

    return number(state.events, state.environment, drafts, now, actor, seen=seen)
