"""Verifying the history, as a function for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from f0ci.core.clock import SystemClock
from f0ci.promotion.audit.exporting import Row, rows_of
from f0ci.promotion.audit.history import AuditReport, verify_history
from f0ci.promotion.folding import fold_environment
from f0ci.promotion.site import open_site
from f0ci.promotion.state import EnvironmentState


def export_evidence(
    root: Path,
    environment: str | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    fetch: bool = True,
) -> list[Row]:
    """Return the evidence that the ledgers hold, by time.

    Args:
        root: the work tree.
        environment: only of this environment, by any name of it; None for all, and what concerns all.
        start: only what happened then or later.
        end: only what happened before then.
        fetch: also ask the remote.

    Raises:
        InputError: a ledger cannot be read; `audit verify` says what is wrong with it.
        UsageError: there is no such environment.
    """
    site = open_site(root, SystemClock(), fetch=fetch)
    wanted = site.recorded_environment(environment) if environment else None
    rows: list[Row] = []
    for name in site.store.environment_names():
        ref = site.names.ledger(name)
        tip = site.refs.read(ref)
        if wanted in {None, name} and tip is not None:
            state = fold_environment(name, site.store.events_at(tip, ref), tip, ledger=ref)
            rows.extend(rows_of(ref, state, start, end))
    if wanted is None:
        ref = site.names.workflow_ledger
        told = EnvironmentState("_workflow", None, events=site.store.events_at(site.refs.read(ref), ref))
        rows.extend(rows_of(ref, told, start, end))
    return sorted(rows, key=lambda row: row.time)


def verify_repository(root: Path, *, fetch: bool = True, since: Sequence[str] = ()) -> AuditReport:
    """Check every ledger, environment branch, release and approval of a repository.

    Args:
        root: the work tree.
        fetch: also ask the remote; without it the clone is judged as it lies.
        since: ids of ledger tips that are known from elsewhere; each must still be part of its ledger.

    Raises:
        CannotWork: the clone is shallow and the remote may not be asked.
    """
    return verify_history(open_site(root, SystemClock(), fetch=fetch), online=fetch, since=since)
