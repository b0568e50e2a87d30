"""Noticing that a ledger lost events: its environment's branch holds commits of promotions that it does not know."""

from __future__ import annotations

from collections.abc import Iterable

from f0ci.core.errors import CannotWork
from f0ci.promotion.drifting import foreign_commits
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState

_PROMOTION = "F0-Promotion"


def require_whole(site: Site, ledgers: Ledgers, environments: Iterable[str]) -> None:
    """Check that the ledgers that a promotion rests on know every promotion that changed their branches.

    Without this, who cuts a ledger off would be judged as if nothing had ever been there: by the policy of the default
    branch, or without a failure that keeps a release out.

    Args:
        site: the repository.
        ledgers: what the ledgers say.
        environments: whose ledgers are looked at; others than those that were read are passed over.

    Raises:
        CannotWork: a branch holds a commit of a promotion that its ledger does not know.
    """
    for name in environments:
        state, branch = ledgers.environments.get(name), ledgers.branches.get(name)
        if state is None or branch is None or (state.current is not None and branch == state.current.commit):
            continue
        for commit in foreign_commits(site, state.current, branch):
            named = next((value for key, value in commit.trailers if key == _PROMOTION), None)
            if named is not None and not _is_known(state, named, commit.oid):
                raise CannotWork(
                    f"{name!r} holds commit {commit.oid[:10]} of {named!r}, of which its ledger knows nothing: "
                    "events were cut off, or somebody made the commit by hand",
                    "see `f0ci audit verify`; push the ledger again from a clone that has it "
                    f"(branch {site.names.ledger(name).removeprefix('refs/heads/')}), or, where the ledger is whole, "
                    f"f0ci promote {name} --repair --reason ...",
                )


def _is_known(state: EnvironmentState, promotion: str, commit: str) -> bool:
    found = state.find(promotion)
    return found is not None and any(event.data.get("commit") == commit for event in found.events)
