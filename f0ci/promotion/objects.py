"""Objects that another machine made and this one may lack: trees of steps, history that a shallow clone cut off."""

from __future__ import annotations

from f0ci.core.errors import InputError
from f0ci.promotion.names import short
from f0ci.promotion.site import Site
from f0ci.promotion.state import EnvironmentState, Promotion

_IRREVERSIBLE = "f0-irreversible"


def require_tree(site: Site, promotion: Promotion, step: int, tree: str) -> None:
    """See to it that a planned tree is in this repository, by rendering it again where nobody pushed it yet.

    Args:
        site: the repository.
        promotion: whose plan names the tree.
        step: index of the plan's step, -1 for a rollback.
        tree: id of the tree.

    Raises:
        InputError: rendering gives another tree, as a different version of f0ci may.
        GitError: it is the tree of an earlier promotion and cannot be fetched.
    """
    from f0ci.promotion.plan import render_plan

    if site.repository.tree_of(tree) is not None:
        return
    site.refs.complete_history()
    if site.repository.tree_of(tree) is not None:
        return
    if step >= 0 and promotion.purpose == "promote":
        if tree in render_plan(site, promotion.plan):
            return
        raise InputError(
            f"the tree {tree[:10]} that was planned for {promotion.id!r} cannot be made here",
            f"the plan was made by f0ci {promotion.plan.get('renderer')}: use that version, "
            f"or `f0ci rollback {promotion.environment}`",
        )
    raise InputError(
        f"the tree {tree[:10]} that {promotion.environment!r} held is not in this repository",
        f"fetch the history of its branch: `git fetch {site.refs.remote or ''}`".rstrip(),
    )


def is_ancestor(site: Site, ancestor: str, descendant: str) -> bool:
    """Tell whether one commit is reachable from another, or is the same; a shallow clone is completed for it.

    Raises:
        GitError: one of them is not to be had.
    """
    site.refs.complete_history()
    return site.repository.is_ancestor(ancestor, descendant)


def source_commit(site: Site, state: EnvironmentState, release: str) -> str | None:
    """Return the source commit of a release that an environment had: by its tag, else as its plan recorded it."""
    found = site.find_release(release)
    if found is not None:
        return found.commit
    promoted = (item for item in reversed(state.promotions) if item.release == release)
    return next((str(item.plan["source_commit"]) for item in promoted), None)


def irreversible_between(site: Site, old: str, new: str) -> tuple[str, ...]:
    """Return what commits after one source up to another say cannot be undone, oldest first.

    A commit says so with a trailer `F0-Irreversible: what`, such as of a migration that drops a column.

    Args:
        site: the repository.
        old: source commit of what would be restored.
        new: source commit of what would be left.
    """
    if old == new or None in {site.repository.commit_of(old), site.repository.commit_of(new)}:
        return ()
    site.refs.complete_history()
    return tuple(
        f"{value} ({commit.oid[:10]})"
        for commit in reversed(site.repository.log(f"{old}..{new}"))
        for key, value in commit.trailers
        if key.lower() == _IRREVERSIBLE
    )


def require_source(site: Site, state: EnvironmentState, release: str) -> str:
    """Return the source commit of a release that an environment had.

    Raises:
        InputError: neither a tag nor a plan knows it.
    """
    commit = source_commit(site, state, release)
    if commit is None or site.repository.commit_of(commit) is None:
        raise InputError(
            f"the source of release {short(release)} is not in this repository",
            f"push its tag `f0ci/release/{short(release)}` again",
        )
    return commit
