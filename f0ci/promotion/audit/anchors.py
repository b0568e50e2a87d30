"""What a history is measured against from outside: tips given by hand, and the last ones verified in this clone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.names import short
from f0ci.promotion.site import Site

# kept as refs, so that what they name stays in the clone even where the remote forgets it
_KEPT = "refs/f0ci-verified/"


@dataclass(frozen=True, slots=True)
class Anchors:
    """The outside anchors of one verification.

    Attributes:
        site: the repository.
        counts: how many events each commit of each ledger holds, by ref.
    """

    site: Site
    counts: Mapping[str, Mapping[str, int]]

    def check(self, since: Sequence[str]) -> Iterator[tuple[tuple[Tampering, ...], str, int]]:
        """Check that every anchor is still part of its ledger.

        Args:
            since: ids of ledger tips, or beginnings of them, that somebody knows from elsewhere.

        Yields:
            Findings, the ref of a ledger, and how many of its events the anchor proves.
        """
        for said in since:
            yield self._given(said)
        for ref, tip in self._kept().items():
            now = self.site.refs.read(ref)
            if now is None or not holds(self.site, tip, now):
                message = f"this clone verified {ref} at {short(tip)}, which the ledger no longer holds"
                yield (Tampering("history-rewritten", f"{ref}@{short(tip)}", message),), ref, 0
            else:
                yield (), ref, self.counts.get(ref, {}).get(tip, 0)

    def _given(self, said: str) -> tuple[tuple[Tampering, ...], str, int]:
        known = {tip: ref for ref, counts in self.counts.items() for tip in counts}
        found = [tip for tip in known if len(said) >= 7 and tip.startswith(said.lower())]
        if len(found) == 1:
            return (), known[found[0]], self.counts[known[found[0]]][found[0]]
        message = f"no ledger holds the commit {said!r}, which is known from elsewhere"
        return (Tampering("history-rewritten", f"--since {said}", message),), "--since", 0

    def keep(self) -> None:
        """Remember the tips that were verified, for the next time."""
        kept = self._kept()
        lines = []
        for ref in self.counts:
            tip = self.site.refs.read(ref)
            if tip is not None and kept.get(ref) != tip:
                lines.append(f"update {self._ref(ref)} {tip}\n")
        if lines:
            self.site.repository.run("update-ref", "--stdin", input="".join(lines).encode(), check=False)

    def described(self, since: Sequence[str]) -> str:
        """Return what the answer is measured against, for people."""
        parts = ["the tips that other ledgers and signed approvals quote, the environments' branches"]
        if since:
            parts.append(f"the commits given ({', '.join(since)})")
        parts.append("the tips verified before in this clone" if self._kept() else "nothing verified before here")
        return f"{', '.join(parts)}; cutting off events that none of these knows of is not detectable"

    def _kept(self) -> dict[str, str]:
        start = self._ref("")
        listed = self.site.repository.run("for-each-ref", "--format=%(refname) %(objectname)", start).text
        pairs = (line.rsplit(" ", 1) for line in listed.splitlines())
        return {f"refs/{ref.removeprefix(start)}": tip for ref, tip in pairs}

    def _ref(self, ref: str) -> str:
        return f"{_KEPT}{self.site.refs.remote or 'local'}/{ref.removeprefix('refs/')}"


def holds(site: Site, commit: str, tip: str) -> bool:
    """Tell whether a commit is there and part of what leads to a tip."""
    return site.repository.commit_of(commit) is not None and site.repository.is_ancestor(commit, tip)
