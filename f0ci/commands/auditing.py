"""Verifying the history, as a function for people who embed f0ci."""

from __future__ import annotations

from pathlib import Path

from f0ci.core.clock import SystemClock
from f0ci.promotion.audit.history import AuditReport, verify_history
from f0ci.promotion.site import open_site


def verify_repository(root: Path, *, fetch: bool = True) -> AuditReport:
    """Check every ledger, environment branch, release and approval of a repository.

    Args:
        root: the work tree.
        fetch: also ask the remote; without it the clone is judged as it lies.

    Raises:
        CannotWork: the clone is shallow and the remote may not be asked.
    """
    return verify_history(open_site(root, SystemClock(), fetch=fetch), online=fetch)
