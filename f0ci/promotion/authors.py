"""Who wrote what a promotion would newly bring into its environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion

if TYPE_CHECKING:
    from f0ci.git.objects import CommitInfo

_CO_AUTHOR = "co-authored-by"


def authors_of(site: Site, promotion: Promotion, state: EnvironmentState) -> tuple[str, ...]:
    """Return the authors, committers and co-authors of what would newly run, sorted.

    What runs is the commit that the ledger recorded when it came in: a tag that somebody moved since says nothing.

    Args:
        site: the repository.
        promotion: the promotion.
        state: its environment.
    """
    # where history is cut off, so are authors
    site.refs.complete_history()
    source = str(promotion.plan["source_commit"])
    running = _recorded_source(state, promotion.plan["base"]["release"])
    commits = _between(site, running, source)
    if not commits and running != source and promotion.purpose == "promote":
        # content that was taken out comes back, from the commit that first had it
        commits = _between(site, _ran_before(site, state, source), source)
    identities: set[str] = set()
    for commit in commits:
        identities.update((str(commit.author), str(commit.committer)))
        identities.update(value for name, value in commit.trailers if name.lower() == _CO_AUTHOR)
    return tuple(sorted(identities))


def _recorded_source(state: EnvironmentState, release: str | None) -> str | None:
    """Return the source commit with which a release last came into an environment, or None."""
    came = (one for one in reversed(state.promotions) if one.release == release and one.applied)
    return next((str(one.plan["source_commit"]) for one in came), None)


def _ran_before(site: Site, state: EnvironmentState, source: str) -> str | None:
    """Return the newest source that ran in an environment and that another one was built on, or None."""
    for promotion in reversed(state.promotions):
        older = str(promotion.plan["source_commit"])
        if promotion.applied and older != source and _is_known(site, older) and not _between(site, source, older):
            return older
    return None


def _between(site: Site, old: str | None, new: str) -> tuple[CommitInfo, ...]:
    """Return the commits that lead to one and not to another; all of them without an old one that is known."""
    graph = next((one for one in site.graphs if one.knows(new, *([old] if old else []))), None)
    if graph is not None:
        return graph.between(old, new)
    known = old is not None and _is_known(site, old)
    return site.repository.log(f"{old}..{new}" if known else new)


def _is_known(site: Site, commit: str) -> bool:
    return site.repository.commit_of(commit) is not None
