"""Writing a change: several refs in one push, or part by part where a server cannot do that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from f0ci.core.errors import Defect
from f0ci.promotion.events import WORKFLOW_EVENTS, Draft, Event
from f0ci.promotion.folding import IllegalEvent, fold_on, fold_workflow
from f0ci.promotion.ledger import Change, Ledgers, LedgerStore, number, number_in
from f0ci.promotion.times import event_time

if TYPE_CHECKING:
    from f0ci.git.refs import RefUpdate


class Written(Enum):
    """How much of a change was written."""

    ALL = "all"
    PART = "part"
    NOTHING = "nothing"


def write(store: LedgerStore, ledgers: Ledgers, change: Change) -> Written:
    """Write a change if every ledger and branch is still what it was read as.

    Returns:
        NOTHING where somebody else was first; PART where the server takes one ref at a time. In both cases read again
        and decide again.

    Raises:
        GitError: the remote refuses.
        NetworkError: the remote does not answer.
    """
    from f0ci.git.refs import AtomicUnsupported, RefUpdate

    updates = _updates(store, ledgers, change)
    if len(updates) == 1:
        return _push(store, updates)
    if change.guarded and not change.workflow:
        tip = ledgers.workflow.tip
        updates.append(RefUpdate(store.names.workflow_ledger, tip, tip))
    try:
        return _push(store, updates)
    except AtomicUnsupported:
        return _write_a_part(store, ledgers, change)


def _push(store: LedgerStore, updates: Sequence[RefUpdate]) -> Written:
    from f0ci.git.refs import PushOutcome

    applied = store.refs.push(updates, atomic=len(updates) > 1) is PushOutcome.APPLIED
    return Written.ALL if applied else Written.NOTHING


def _updates(store: LedgerStore, ledgers: Ledgers, change: Change) -> list[RefUpdate]:
    from f0ci.git.refs import RefUpdate

    updates = []
    if change.branch is not None:
        ref = store.names.environment(change.branch.environment)
        updates.append(RefUpdate(ref, change.branch.old, change.branch.new))
    if change.drafts:
        state = ledgers.environments[change.environment]
        now = event_time(store.clock.now(), state.events)
        added = number_in(state, change.drafts, now, str(store.repository.identity()))
        tip = _append(store, state.tip, added, lambda: fold_on(state, added, None))
        updates.append(RefUpdate(store.names.ledger(change.environment), state.tip, tip))
    if change.workflow:
        workflow = ledgers.workflow
        now = event_time(store.clock.now(), workflow.events)
        told = number(workflow.events, WORKFLOW_EVENTS, change.workflow, now, str(store.repository.identity()))
        tip = _append(store, workflow.tip, told, lambda: fold_workflow((*workflow.events, *told), None))
        updates.append(RefUpdate(store.names.workflow_ledger, workflow.tip, tip))
    return updates


def _append(store: LedgerStore, tip: str | None, added: Sequence[Event], check: Callable[[], object]) -> str:
    """Make the commit that adds events to a ledger, and return its id."""
    try:
        # a ledger that says what cannot be would stop everybody
        check()
    except IllegalEvent as error:
        raise Defect(f"an event that cannot be was about to be written: {error}") from error
    tree = store.repository.write_tree({event.path: event.to_bytes() for event in added}, tip)
    subject = ", ".join(f"{event.promotion} {event.kind}" for event in added)
    trailers = "".join(f"F0-Promotion: {name}\n" for name in dict.fromkeys(event.promotion for event in added))
    return store.repository.commit(tree, [tip] if tip else [], f"{subject}\n\n{trailers}")


def _write_a_part(store: LedgerStore, ledgers: Ledgers, change: Change) -> Written:
    """Write what a server without atomic pushes can take first.

    a change of the branch       an intent that names the exact commit, with the events before it; then the branch
    events in both ledgers       those of the workflow's ledger
    """
    branch = change.branch
    if branch is None:
        written = write(store, ledgers, Change(change.environment, workflow=change.workflow))
        return Written.PART if written is Written.ALL else written
    from f0ci.git.refs import RefUpdate

    at = next(index for index, draft in enumerate(change.drafts) if draft.data.get("commit") == branch.new)
    main = change.drafts[at]
    if main.kind == "repair":
        # the commit says itself what it is; whoever finds it without its event repairs once more
        moved = _push(store, [RefUpdate(store.names.environment(branch.environment), branch.old, branch.new)])
        return Written.PART if moved is Written.ALL else Written.NOTHING
    promotion = ledgers.environments[change.environment].find(main.promotion)
    announced = promotion is not None and any(intent["commit"] == branch.new for intent in promotion.intents)
    drafts = (*change.drafts[:at], *(() if announced else (Draft("intent", main.promotion, dict(main.data)),)))
    if drafts and write(store, ledgers, Change(change.environment, drafts)) is Written.NOTHING:
        return Written.NOTHING
    if change.guarded and _workflow_moved(store, ledgers):
        return Written.NOTHING
    ref = store.names.environment(branch.environment)
    moved = _push(store, [RefUpdate(ref, branch.old, branch.new)])
    return Written.PART if moved is Written.ALL else Written.NOTHING


def _workflow_moved(store: LedgerStore, ledgers: Ledgers) -> bool:
    store.refs.fetch([store.names.workflow_ledger])
    return store.refs.read(store.names.workflow_ledger) != ledgers.workflow.tip
