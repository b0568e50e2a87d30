"""What somebody may have meant to promote that is not what a promotion without a name takes: newer, but left behind."""

from __future__ import annotations

from f0ci.promotion.names import short
from f0ci.promotion.releases import Release, content_at, newest_content
from f0ci.promotion.site import Site


def left_behind(site: Site, chosen: Release, *, settled: bool) -> str | None:
    """Return a note where something newer than the chosen release lies at hand, with what brings it in, or None.

    Args:
        site: the repository.
        chosen: the release that is promoted where none is named.
        settled: whether it is there already; only then are all releases looked through for a later one.
    """
    newest = newest_content(site)
    if newest is not None and newest != chosen.digest and site.find_release(newest) is None:
        tip = site.store.default_tip() or ""
        return (
            f"note: what the default branch holds ({tip[:10]}) is no release yet, this is about {chosen.id}; "
            "make one with `f0ci release create`"
        )
    latest = site.require_release("latest") if settled else chosen
    if latest.digest != chosen.digest:
        return (
            f"note: release {latest.id} was made later, but the default branch does not hold what it holds, so this "
            f"is about {chosen.id}; push its commit {latest.commit[:10]}, or name it with --release {latest.id}"
        )
    head = site.repository.commit_of("HEAD")
    if head is None or head in {chosen.commit, site.store.default_tip()} or content_at(site, head) == chosen.digest:
        return None
    return (
        f"note: what is checked out ({head[:10]}) is not on the default branch, this is about {short(chosen.digest)}; "
        "push it, then `f0ci release create`"
    )
