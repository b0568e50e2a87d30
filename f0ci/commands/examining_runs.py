"""Whether runs can be recorded and carried on where the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from f0ci.commands.engines import Place, open_place, place_of
from f0ci.core.counting import counted
from f0ci.core.errors import F0ciError
from f0ci.core.outcome import Outcome
from f0ci.promotion.health import Check
from f0ci.runner.address import Address

# seconds that a database may take to answer
_PATIENCE = 5.0


def examine_runs(root: Path, given: Place | None = None) -> Iterator[Check]:
    """Yield what is so about the place where runs are recorded.

    No journal is made; a database without a layout gets one, as by every other command that is told of it.

    Args:
        root: the work tree.
        given: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.
    """
    try:
        place = place_of(root, given)
        if isinstance(place, Address):
            yield _database(place)
        elif not place.exists():
            yield Check("runs", Outcome.SKIPPED, f"none was recorded yet; they will be in {_shown(root, place)}")
        else:
            open_place(place).close()
            yield Check("runs", Outcome.PASSED, f"recorded in {_shown(root, place)}")
    except F0ciError as error:
        yield Check("runs", Outcome.FAILED, str(error), error.hint)


def _database(place: Address) -> Check:
    """Return whether a database answers, and whether anybody carries on what is handed over.

    Raises:
        CannotWork: it does not answer, or needs what is not installed.
    """
    from f0ci.runner.cluster.extra import require_psycopg

    require_psycopg()
    from f0ci.runner.cluster.fleet import list_workers

    journal: Any
    with open_place(place, patience=_PATIENCE) as journal:
        alive = [one for one in list_workers(journal) if one.alive]
    said = f"recorded in {place}, {counted(len(alive), 'worker')} at work"
    if place.queue is not None and not alive:
        mend = f"f0ci worker --queue {place.queue}"
        return Check("runs", Outcome.WAITING, f"{said}, and new ones are handed to the queue {place.queue!r}", mend)
    return Check("runs", Outcome.PASSED, said)


def _shown(root: Path, place: Path) -> str:
    return str(place.relative_to(root)) if place.is_relative_to(root) else str(place)
