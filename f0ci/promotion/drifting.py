"""Drift: what environments hold, beside what their ledgers say they should."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from f0ci.core.counting import counted
from f0ci.core.plugins import load
from f0ci.promotion.applying import landed
from f0ci.promotion.drift.base import Expected, Observation, Sync
from f0ci.promotion.ledger import Ledgers
from f0ci.promotion.objects import require_tree
from f0ci.promotion.site import Site
from f0ci.promotion.state import Applied, EnvironmentState, Promotion

if TYPE_CHECKING:
    from f0ci.git.repository import CommitInfo

BRANCH = "branch"
# files that are named one by one
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything that was looked at in one environment.

    Attributes:
        expected: what it should be; None where nothing was ever brought into it.
        observations: what was found, the branch first.
    """

    expected: Expected | None
    observations: tuple[Observation, ...]

    @property
    def sync(self) -> Sync:
        """Return the worst of what was found."""
        found = {observation.sync for observation in self.observations}
        return next((sync for sync in (Sync.DRIFTED, Sync.UNKNOWN) if sync in found), Sync.IN_SYNC)


def observe_environment(site: Site, ledgers: Ledgers, environment: str) -> Observed:
    """Look at an environment's branch, and at every place that the workflow names under `drift`.

    Raises:
        InputError: what the environment should hold is not in this repository and cannot be rendered again.
        UsageError: the workflow names an observer that does not exist.
    """
    state, current = ledgers.environments[environment], ledgers.environments[environment].current
    branch = observe_branch(site, ledgers, environment)
    if current is None:
        return Observed(None, (branch,))
    expected = expected_of(site, state, current)
    found = [branch]
    for settings in observers(site, environment):
        observer = load("f0ci.promotion.drift", str(settings["kind"]), noun="drift observer")
        found.append(observer.observe(expected, settings, site.root))
    return Observed(expected, tuple(found))


def observers(site: Site, environment: str) -> tuple[Mapping[str, Any], ...]:
    """Return the settings of the observers that the workflow names for an environment."""
    described = site.workflow.environment(environment)
    return tuple(described.settings.get("drift", ())) if described is not None else ()


def expected_of(site: Site, state: EnvironmentState, current: Applied) -> Expected:
    """Return what an environment should hold.

    Raises:
        InputError: it is not in this repository and cannot be rendered again.
    """
    promotion = promotion_of(state, current)
    require_tree(site, promotion, current.step, current.tree)
    return Expected(state.environment, current.release, files_of(site, current.tree))


def promotion_of(state: EnvironmentState, current: Applied) -> Promotion:
    """Return the newest promotion that brought the release that an environment runs."""
    found = (one for one in reversed(state.promotions) if any(made.tree == current.tree for made in one.applied))
    return next(found)


def files_of(site: Site, tree: str) -> dict[str, bytes]:
    """Return the content of a tree or commit, by path."""
    entries = [entry for entry in site.repository.list_files(tree) if entry.is_file]
    blobs = site.repository.read_blobs([entry.oid for entry in entries])
    return {entry.path: blobs[entry.oid] for entry in entries}


def observe_branch(site: Site, ledgers: Ledgers, environment: str) -> Observation:
    """Compare an environment's branch with the newest change that its ledger knows."""
    state, branch = ledgers.environments[environment], ledgers.branches[environment]
    current = state.current
    where = site.names.environment(environment).removeprefix("refs/heads/")
    # what a killed promotion announced is its own doing, not somebody else's
    ours = state.active is not None and landed(site, state.active, branch) is not None
    if ours or branch == (current.commit if current else None):
        return Observation(BRANCH, where, Sync.IN_SYNC)
    details = tuple(_branch_details(site, current, branch))
    return Observation(BRANCH, where, Sync.DRIFTED, details)


def drift_note(site: Site, ledgers: Ledgers, environment: str) -> str | None:
    """Return what somebody has to know who promotes over a change that no promotion made, or None without one."""
    found = observe_branch(site, ledgers, environment)
    if found.sync is not Sync.DRIFTED:
        return None
    if ledgers.environments[environment].current is None:
        return f"{found.where} holds something that no promotion brought: a promotion replaces that"
    more = f" and {len(found.details) - 1} more" if len(found.details) > 1 else ""
    return (
        f"{found.where} was changed by somebody else ({found.details[0]}{more}): a promotion replaces that, and "
        f"`f0ci audit verify` keeps naming it; `f0ci promote {environment} --repair --reason REASON` first puts it on "
        "record"
    )


def _branch_details(site: Site, current: Applied | None, branch: str | None) -> Iterator[str]:
    if branch is None:
        yield "the branch was deleted"
        return
    if current is None:
        yield "the branch holds something, and nothing was ever promoted into it"
        return
    if site.repository.commit_of(current.commit) is None:
        yield f"the branch was rewritten: {current.commit[:10]} is gone"
        return
    edits = foreign_commits(site, current, branch)
    yield from (
        f"commit {one.oid[:10]} by {one.committer}: {one.message.splitlines()[0] if one.message else ''}"
        for one in edits
    )
    if not site.repository.is_ancestor(current.commit, branch):
        yield f"the branch no longer holds {current.commit[:10]}"
    before = {entry.path: entry.oid for entry in site.repository.list_files(current.commit)}
    after = {entry.path: entry.oid for entry in site.repository.list_files(branch)}
    changed = [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]
    for path in changed[:_SHOWN]:
        word = "missing" if path not in after else "extra" if path not in before else "differs"
        yield f"{word}: {path}"
    if len(changed) > _SHOWN:
        yield f"and {counted(len(changed) - _SHOWN, 'more file')}"


def foreign_commits(site: Site, current: Applied | None, branch: str | None) -> tuple[CommitInfo, ...]:
    """Return the commits of a branch that came after, or beside, what the ledger knows, newest first."""
    if branch is None:
        return ()
    known = current is not None and site.repository.commit_of(current.commit) is not None
    return site.repository.log(f"{branch} ^{current.commit}" if known and current else branch)
