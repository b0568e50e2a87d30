"""What this clone remembers of ledgers: folded state by the ledger's tip, so that only new events are read.

A tip names one content for ever, so what is remembered under it is what reading it again would give: it saves time and
can change no answer. Rows are added, never changed, so that a reader and a writer do not meet. A file that cannot be
used is thrown away, and an audit never looks here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.core.clock import format_time, parse_time
from f0ci.promotion.events import Event, parse_event
from f0ci.promotion.on_demand import Grown, OnDemand
from f0ci.promotion.state import Answered, Applied, EnvironmentState, Hold, Promotion

if TYPE_CHECKING:
    import sqlite3

# changes whenever folding, or what stands in a row, does
_FORMAT = 2
_BUSY_SECONDS = 1.0
_CHUNK = 64
_TABLES = """
CREATE TABLE IF NOT EXISTS ledger
    (name TEXT, tip TEXT, made TEXT, events INTEGER, size INTEGER, data TEXT, PRIMARY KEY (name, tip)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS promotion
    (name TEXT, made TEXT, place INTEGER, events INTEGER, data TEXT, PRIMARY KEY (name, made, place, events))
    WITHOUT ROWID;
"""
_ROWS = """
SELECT data FROM promotion AS one WHERE name = ? AND made = ? AND place BETWEEN ? AND ? AND events =
    (SELECT max(events) FROM promotion
     WHERE name = one.name AND made = one.made AND place = one.place AND events <= ?) ORDER BY place
"""
# returns the events in some files of a ledger at a commit, in order
ReadFiles = Callable[[str, Iterable[str]], tuple[Event, ...]]
# returns everything that a ledger holds at a commit
ReadAll = Callable[[str], EnvironmentState]


@dataclass(frozen=True, slots=True)
class Remembered:
    """A ledger as it was remembered.

    Attributes:
        state: its state; promotions and events are read when somebody looks at them.
        made: the tip at which its rows were begun.
    """

    state: EnvironmentState
    made: str


class Memory:
    """The file in which a clone remembers ledgers.

    Args:
        folder: Git's own folder, which the clone's work trees share.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "f0ci" / "ledgers.sqlite"
        self._off = False

    def recall(
        self, ledger: str, environment: str, tip: str, read_files: ReadFiles, read_all: ReadAll
    ) -> Remembered | None:
        """Return what is remembered of a ledger at a tip, else at the newest one that is known, or None.

        Args:
            ledger: its ref.
            environment: whose it is.
            tip: the commit that is asked for.
            read_files: reads events from Git.
            read_all: reads the whole ledger from Git, where the file fails while it is used.
        """

        def ask(connection: sqlite3.Connection) -> Remembered | None:
            row = connection.execute(
                "SELECT tip, made, events, size, data FROM ledger WHERE name = ? ORDER BY tip = ? DESC, events DESC",
                (self._name(ledger), tip),
            ).fetchone()
            if row is None:
                return None
            at, made, count, size, text = row
            data = json.loads(text)

            def promotions(start: int, end: int) -> list[Promotion]:
                asked = (self._name(ledger), made, start, end, count)
                rows = self._try(lambda one: one.execute(_ROWS, asked).fetchall())
                if rows is None or len(rows) != end - start + 1:
                    self.forget()
                    return list(read_all(at).promotions[start : end + 1])
                return [promotion_from(json.loads(found), at, read_files) for (found,) in rows]

            last = parse_event(data["last"][0], data["last"][1].encode())
            state = EnvironmentState(
                environment,
                at,
                OnDemand(size, promotions, _CHUNK),
                _hold_from(data["hold"]),
                data["policy"],
                OnDemand(count, lambda start, end: read_all(at).events[start : end + 1], count, last),
                data["standing"],
                _change_from(data["repaired"]) if data["repaired"] else None,
                _answered_from(data["released"]) if data["released"] else None,
            )
            return Remembered(state, made)

        found: Remembered | None = self._try(ask)
        return found

    def remember(self, ledger: str, state: EnvironmentState, known: Remembered | None) -> None:
        """Write down the state of a ledger; where it was known at another tip, only what changed since.

        Args:
            ledger: its ref.
            state: its state.
            known: what was recalled, and the state was folded on from.
        """
        name, count, promotions = self._name(ledger), len(state.events), state.promotions
        made = known.made if known else str(state.tip)
        goes_on = known is not None and isinstance(promotions, Grown)
        changed = promotions.changed if goes_on and isinstance(promotions, Grown) else dict(enumerate(promotions))
        rows = [(name, made, place, count, _dump(promotion_data(one))) for place, one in changed.items()]
        data = {
            "last": (state.events[-1].path, state.events[-1].to_bytes().decode()),
            "hold": _hold_data(state.hold),
            "policy": dict(state.policy) if state.policy is not None else None,
            "standing": state.standing,
            "repaired": _change_data(state.repaired) if state.repaired else None,
            "released": _answered_data(state.released) if state.released else None,
        }

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("BEGIN IMMEDIATE")
            with connection:
                if known is None:
                    connection.execute("DELETE FROM ledger WHERE name = ?", (name,))
                    connection.execute("DELETE FROM promotion WHERE name = ? AND made <> ?", (name, made))
                connection.executemany("INSERT OR REPLACE INTO promotion VALUES (?, ?, ?, ?, ?)", rows)
                row = (name, state.tip, made, count, len(promotions), _dump(data))
                connection.execute("INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?)", row)

        self._try(write)

    def forget(self) -> None:
        """Do without the file from now on, and throw it away: all that is in it can be read from Git again."""
        self._off = True
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            # it cannot be removed here; it is not looked at again either
            return

    def _name(self, ledger: str) -> str:
        return f"{__version__}/{_FORMAT}/{ledger}"

    def _try(self, use: Callable[[sqlite3.Connection], Any]) -> Any:
        """Use the file and return the answer, None where it cannot be used."""
        if self._off:
            return None
        try:
            import sqlite3
        except ImportError:
            self._off = True
            return None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = OFF")
                connection.executescript(_TABLES)
                return use(connection)
        except sqlite3.OperationalError:
            # locked, read-only or no room: it may serve the next command
            self._off = True
        except (sqlite3.Error, OSError, ValueError, LookupError, TypeError):
            self.forget()
        return None


def promotion_data(promotion: Promotion) -> dict[str, Any]:
    """Return a promotion as data, its events by the names of their files."""
    return {
        "id": promotion.id,
        "environment": promotion.environment,
        "purpose": promotion.purpose,
        "release": promotion.release,
        "state": promotion.state,
        "digest": promotion.digest,
        "plan": promotion.plan,
        "requested_by": promotion.requested_by,
        "requested_at": format_time(promotion.requested_at),
        "changed_at": format_time(promotion.changed_at),
        "events": [event.path for event in promotion.events],
        "applied": [_change_data(one) for one in promotion.applied],
        "deployed": {str(step): format_time(time) for step, time in (promotion.deployed or {}).items()},
        "measured": [dict(one) for one in promotion.measured],
        "verification": promotion.verification,
        "reasons": list(promotion.reasons),
        "next_check_at": format_time(promotion.next_check_at) if promotion.next_check_at else None,
        "waits_for": list(promotion.waits_for),
        "through_hold": promotion.through_hold,
        "intents": [dict(one) for one in promotion.intents],
        "restored": promotion.restored,
    }


def promotion_from(data: dict[str, Any], tip: str, read_files: ReadFiles) -> Promotion:
    """Return the promotion that data tells of; its events are read when somebody looks at them."""
    paths = data["events"]
    return Promotion(
        id=data["id"],
        environment=data["environment"],
        purpose=data["purpose"],
        release=data["release"],
        state=data["state"],
        digest=data["digest"],
        plan=data["plan"],
        requested_by=data["requested_by"],
        requested_at=parse_time(data["requested_at"]),
        changed_at=parse_time(data["changed_at"]),
        events=OnDemand(len(paths), lambda start, end: read_files(tip, paths[start : end + 1]), len(paths)),
        applied=tuple(map(_change_from, data["applied"])),
        deployed={int(step): parse_time(time) for step, time in data["deployed"].items()},
        measured=tuple(data["measured"]),
        verification=data["verification"],
        reasons=tuple(data["reasons"]),
        next_check_at=parse_time(data["next_check_at"]) if data["next_check_at"] else None,
        waits_for=tuple(data["waits_for"]),
        through_hold=data["through_hold"],
        intents=tuple(data["intents"]),
        restored=data["restored"],
    )


def _change_data(change: Applied) -> list[Any]:
    return [change.step, change.commit, change.tree, change.release, format_time(change.time)]


def _change_from(data: list[Any]) -> Applied:
    return Applied(data[0], data[1], data[2], data[3], parse_time(data[4]))


def _hold_data(hold: Hold | None) -> dict[str, Any] | None:
    if hold is None:
        return None
    since, expires = format_time(hold.since), format_time(hold.expires) if hold.expires else None
    known = {"owner": hold.owner, "reason": hold.reason, "promotion": hold.promotion, "position": hold.position}
    known["digest"] = hold.digest
    return {**known, "since": since, "expires": expires}


def _hold_from(data: dict[str, Any] | None) -> Hold | None:
    if data is None:
        return None
    expires = parse_time(data["expires"]) if data["expires"] else None
    since = parse_time(data["since"])
    return Hold(data["owner"], data["reason"], since, data["promotion"], data["position"], expires, data["digest"])


def _answered_data(answered: Answered) -> list[Any]:
    expires = format_time(answered.expires) if answered.expires else None
    return [answered.event.path, answered.event.to_bytes().decode(), answered.about, expires]


def _answered_from(data: list[Any]) -> Answered:
    event = parse_event(data[0], data[1].encode())
    return Answered(event, data[2], parse_time(data[3]) if data[3] else None)


def _dump(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))
