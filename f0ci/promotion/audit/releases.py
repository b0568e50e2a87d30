"""Checking that releases hold what their digests say."""

from __future__ import annotations

from collections.abc import Iterator

from f0ci.core.errors import CannotWork
from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.names import RELEASE_TAGS
from f0ci.promotion.releases import check_content
from f0ci.promotion.site import Site
from f0ci.source.project import load_project


def check_releases(site: Site) -> Iterator[Tampering]:
    """Check every release's tag against the content of its commit."""
    known = {RELEASE_TAGS + release.id: release for release in site.releases()}
    for tag in site.refs.list(RELEASE_TAGS):
        release = known.get(tag)
        if release is None:
            yield Tampering("release-forged", tag, "the tag does not record the release that it is named after")
            continue
        try:
            tree = site.repository.tree(release.commit)
            check_content(tree, load_project(tree), release)
        except CannotWork as error:
            yield Tampering("release-forged", tag, error.message)
