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
    newest, tip, head = newest_content(site), site.store.default_tip() or "", site.repository.commit_of("HEAD")
    if newest is not None and newest != chosen.digest and site.find_release(newest) is None:
        # where something else is checked out, a release would be made of that
        which = "" if head == tip else f" --commit {tip[:10]}"
        return (
            f"note: what the default branch holds ({tip[:10]}) is no release yet, this is about {chosen.id}; "
            f"make one with `f0ci release create{which}`"
        )
    latest = site.require_release("latest") if settled else chosen
    stopped = latest.digest != chosen.digest and site.store.read_workflow().quarantine_of(latest.digest) is not None
    if latest.digest != chosen.digest and not stopped:
        return (
            f"note: release {latest.id} was made later, but the default branch does not hold what it holds, so this "
            f"is about {chosen.id}; push its commit {latest.commit[:10]}, or name it with --release {latest.id}"
        )
    if head is None or head in {chosen.commit, tip} or content_at(site, head) == chosen.digest:
        return None
    # a clone that is cut off is not completed for a note
    if tip and site.repository.is_ancestor(head, tip):
        return (
            f"note: what is checked out ({head[:10]}) is older than the default branch, this is about {chosen.id}; "
            "another release is named with --release"
        )
    return (
        f"note: what is checked out ({head[:10]}) is not on the default branch, this is about {short(chosen.digest)}; "
        "push it, then `f0ci release create`"
    )
