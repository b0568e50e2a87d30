"""Checking that decisions looked at all ledgers shortly before: an old tip knows of no quarantine or failure since."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate

from f0ci.promotion.audit.findings import Tampering
from f0ci.promotion.events import Event
from f0ci.promotion.times import PROMPTLY

# decisions that read every ledger
_READ_ALL = frozenset({"requested", "intent", "applied", "unquarantine"})


@dataclass(frozen=True, slots=True)
class _Told:
    """A ledger as others quote it: by name, with how many events each commit holds, and time as it cannot run back."""

    name: str
    events: Sequence[Event]
    counts: Mapping[str, int]
    sizes: tuple[int, ...]
    times: tuple[datetime, ...]

    def together(self, position: int) -> Sequence[Event]:
        """Return the event at a position and those after it that were written with it."""
        place = bisect_right(self.sizes, position)
        end = self.sizes[place] if place < len(self.sizes) else position + 1
        return self.events[position:end]


def check_fresh(ledgers: Mapping[str, Sequence[Event]], counts: Mapping[str, Mapping[str, int]]) -> Iterator[Tampering]:
    """Yield each decision whose writer had not seen what another ledger held long before.

    A clock that is behind makes an event look older: it is no older than those before it in its ledger, and not older
    than a decision that its own writer had seen.

    Args:
        ledgers: events of each ledger, in order, by ref.
        counts: how many of them each commit of the ledger holds, by ref; empty where the ledger is not sound.
    """
    told = {
        ref: _Told(
            events[0].environment,
            events,
            counts.get(ref, {}),
            tuple(sorted(set(counts.get(ref, {}).values()))),
            tuple(accumulate((event.time for event in events), max)),
        )
        for ref, events in ledgers.items()
        if events
    }
    for ref, own in told.items():
        others = [other for name, other in told.items() if name != ref]
        for event in own.events:
            if event.kind in _READ_ALL and event.data.get("step", 0) >= 0:
                yield from _missed(ref, own, event, others)


def _missed(ref: str, own: _Told, event: Event, others: Sequence[_Told]) -> Iterator[Tampering]:
    quotes = event.data.get("ledgers") or {}
    for other in others:
        tip = quotes.get(other.name)
        seen = 0 if tip is None else other.counts.get(tip)
        if seen is None or seen >= len(other.events) or other.times[seen] + PROMPTLY >= event.time:
            continue
        back = ((one.data.get("ledgers") or {}).get(own.name) for one in other.together(seen))
        if any(own.counts.get(tip, 0) > event.position for tip in back if tip):
            continue
        missed = f"its writer had not seen {other.events[seen].path} of {other.name!r}, or had a clock that was ahead"
        yield Tampering("quote-too-old", f"{ref}:{event.path}", missed)
