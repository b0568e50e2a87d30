"""Making and listing releases, as functions for people who embed f0ci."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.diagnostics import Diagnostic, Severity
from f0ci.core.errors import GitError
from f0ci.promotion.approvers import Approvers, read_approvers
from f0ci.promotion.releases import (
    Release,
    create_release,
    list_releases,
    newest_content,
    release_paths,
    release_places,
    require_release,
)
from f0ci.promotion.site import Site, open_site
from f0ci.source.project import load_project


@dataclass(frozen=True, slots=True)
class ReleaseResult:
    """What `release create` did.

    Attributes:
        release: the release, or None where its content has errors.
        created: False where the content was a release already.
        diagnostics: findings in the content.
        left_out: True where the work tree holds changes to release content that no commit has.
        following: the command that brings it into the first environment, or lets it in again; None without one.
        quarantined: why content that was a release already is kept out of every environment, or None.
    """

    release: Release | None
    created: bool
    diagnostics: tuple[Diagnostic, ...]
    left_out: bool
    following: str | None = None
    quarantined: str | None = None


def make_release(
    root: Path,
    commit: str = "HEAD",
    *,
    builder: str | None = None,
    sbom: str | None = None,
    clock: Clock | None = None,
) -> ReleaseResult:
    """Make a release of a commit, unless its content is one already or has errors.

    Args:
        root: the work tree.
        commit: the commit.
        builder: what makes it, such as the address of a CI run.
        sbom: where its bill of materials is.
        clock: the time; the machine's by default.

    Raises:
        GitError: there is no such commit, or the tag cannot be pushed.
        CannotWork: the commit holds no recipes.
    """
    from f0ci.lint.engine import lint
    from f0ci.lint.workspace import load_workspace

    site = open_site(root, clock or SystemClock())
    oid = site.repository.commit_of(commit)
    if oid is None:
        raise GitError(f"there is no commit {commit!r}", "commit your work first: git add -A && git commit")
    tree = site.repository.tree(oid)
    project = load_project(tree)
    diagnostics = lint(load_workspace(tree, project))
    left_out = site.repository.is_dirty(release_places(site.project))
    if any(one.severity is Severity.ERROR for one in diagnostics):
        return ReleaseResult(None, created=False, diagnostics=diagnostics, left_out=left_out)
    release, created = create_release(
        site.repository, site.refs, site.names, oid, project, site.clock.now(), builder=builder, sbom=sbom
    )
    stop = None if created else site.store.read_workflow().quarantine_of(release.digest)
    following = _following(site, release) if stop is None else f"f0ci quarantine {release.id} --lift --reason REASON"
    return ReleaseResult(release, created, diagnostics, left_out, following, stop)


def _following(site: Site, release: Release) -> str | None:
    """Return the command that brings a release into the first environment, or None where every one has another before.

    Without a name, the default branch is meant: a release that is not what it holds has to be named.
    """
    first = next((one.name for one in site.workflow.environments if not one.upstream), None)
    if first is None:
        return None
    named = "" if newest_content(site) == release.digest else f" --release {release.id}"
    return f"f0ci promote {first}{named}"


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """A release with where it is and has been.

    Attributes:
        release: the release.
        in_environments: environments that run it.
        was_in: environments that ran it before.
        quarantined: why it must not be promoted, or None.
        files: paths of its content; empty in a list.
        author: who wrote its source commit, or None in a list.
        signature: who signed that commit, `unknown` where no key in the approvers file did, or None where nobody did.
    """

    release: Release
    in_environments: tuple[str, ...]
    was_in: tuple[str, ...]
    quarantined: str | None
    files: tuple[str, ...] = ()
    author: str | None = None
    signature: str | None = None


def view_releases(root: Path, *, fetch: bool = True) -> tuple[ReleaseView, ...]:
    """Return every release with where it is and has been, newest first."""
    site = open_site(root, SystemClock(), fetch=fetch)
    return tuple(_view(site, release) for release in reversed(list_releases(site.repository, site.refs)))


def view_release(root: Path, name: str, *, fetch: bool = True) -> ReleaseView:
    """Return one release with its files.

    Raises:
        UsageError: there is none of that name.
    """
    from f0ci.git.signed_commits import signer_of

    site = open_site(root, SystemClock(), fetch=fetch)
    release = require_release(list_releases(site.repository, site.refs), name)
    tree = site.repository.tree(release.commit)
    project = load_project(tree)
    listed = tree.exists(project.approvers)
    approvers = read_approvers(project.approvers, tree.read(project.approvers)) if listed else Approvers()
    signed, signer = signer_of(site.repository, release.commit, approvers.keys())
    author = str(site.repository.log(f"{release.commit}^!")[0].author)
    view = _view(site, release, release_paths(tree, project))
    return replace(view, author=author, signature=(signer or "unknown") if signed else None)


def _view(site: Site, release: Release, files: tuple[str, ...] = ()) -> ReleaseView:
    ledgers = site.store.read()
    here, before = [], []
    for name, state in ledgers.environments.items():
        if state.current is not None and state.current.release == release.digest:
            here.append(name)
        elif any(change.release == release.digest for promotion in state.promotions for change in promotion.applied):
            before.append(name)
    return ReleaseView(release, tuple(here), tuple(before), ledgers.workflow.quarantine_of(release.digest), files)
