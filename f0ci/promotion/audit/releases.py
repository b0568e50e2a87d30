"""Checking that releases hold what their digests say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from f0ci.core.errors import CannotWork
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.names import RELEASE_TAGS
from f0ci.promotion.releases import Release, check_content
from f0ci.promotion.site import Site
from f0ci.source.project import PROJECT_FILES, Project, load_project

if TYPE_CHECKING:
    from f0ci.git.commit_tree import CommitTree


def check_releases(site: Site) -> Iterator[Tampering]:
    """Check every release's tag against the content of its commit."""
    from f0ci.git.many_trees import read_trees

    known = {RELEASE_TAGS + release.id: release for release in site.releases()}
    projects: dict[tuple[str | None, ...], Project] = {}
    for tag in site.refs.list(RELEASE_TAGS):
        if tag not in known:
            yield Tampering("release-forged", tag, "the tag does not record the release that it is named after")
    at: dict[str, list[tuple[str, Release]]] = {}
    for tag, release in known.items():
        at.setdefault(release.commit, []).append((tag, release))
    for commit, tree in read_trees(site.repository, tuple(at)):
        for tag, release in at.pop(commit):
            yield from _check_release(tag, release, tree, projects)
    for commit, tags in at.items():
        for tag, _ in tags:
            yield Tampering("release-forged", tag, f"its commit {commit[:10]} is not in this repository")


def _check_release(
    tag: str, release: Release, tree: CommitTree, projects: dict[tuple[str | None, ...], Project]
) -> Iterator[Tampering]:
    """Check one release; settings that several have alike are read once."""
    try:
        entries = (tree.entries.get(name) for name in PROJECT_FILES)
        key = tuple(entry.oid if entry else None for entry in entries)
        if key not in projects:
            projects[key] = load_project(tree)
        check_content(tree, projects[key], release)
    except CannotWork as error:
        yield Tampering("release-forged", tag, error.message)
