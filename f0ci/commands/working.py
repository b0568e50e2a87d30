"""Carrying on the runs of queues, as a function for people who embed f0ci."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.commands.engines import Place, declared_queues, open_place, place_of, release_files
from f0ci.core.errors import UsageError
from f0ci.runner.address import Address
from f0ci.source.project import load_project
from f0ci.source.tree import DirectoryTree

if TYPE_CHECKING:
    from f0ci.runner.cluster.fleet import Worker


def work(
    root: Path,
    engine: Place | None = None,
    *,
    queues: Sequence[str] = (),
    slots: int | None = None,
    grace: float = 25.0,
    health: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> bool:
    """Carry on the runs of queues until SIGTERM or SIGINT; return False where the process has to be ended.

    Args:
        root: a clone of the repository, in which releases are found.
        engine: address of the database; None is what `f0ci.yaml` says.
        queues: names of the queues; none takes those of `f0ci.yaml`, `default` among them.
        slots: runs at the same time at most; None is what the queues allow.
        grace: seconds that runs get to end by themselves when it is told to stop.
        health: `PORT` or `HOST:PORT` of the health endpoint, or None.
        tell: told what the worker does.

    Raises:
        UsageError: there is no engine, or no such queue.
        CannotWork: the extra is not installed, or the database cannot be used.
    """
    from f0ci.runner.cluster.extra import require_dbos

    place = _address(root, engine)
    require_dbos()
    from f0ci.runner.cluster.health import read_place
    from f0ci.runner.cluster.worker import Duty, serve

    declared = declared_queues(load_project(DirectoryTree(root)))
    for name in queues:
        if name not in declared:
            from f0ci.core.suggestions import did_you_mean

            near = did_you_mean(name, list(declared), noun="there are")
            raise UsageError(f"there is no queue {name!r}", f"{near}; write others under engine.queues in f0ci.yaml")
    chosen = [declared[name] for name in dict.fromkeys(queues or declared)]
    return serve(
        Duty(
            address=place,
            folder=root.resolve(),
            queues=chosen,
            slots=slots or sum(queue.per_worker for queue in chosen),
            checkout=lambda digest: release_files(root, digest)[1],
            grace=grace,
            health=None if health is None else read_place(health),
            tell=tell,
        )
    )


def known_workers(root: Path, engine: Place | None = None) -> tuple[Worker, ...]:
    """Return the workers of a database, the oldest first; those that are gone, until another takes their runs over."""
    place = _address(root, engine)
    journal: Any
    with open_place(place) as journal:
        from f0ci.runner.cluster.fleet import list_workers

        return list_workers(journal)


def _address(root: Path, engine: Place | None) -> Address:
    place = place_of(root, engine)
    if isinstance(place, Path):
        raise UsageError(
            "a worker needs an engine, and none is named",
            "name one: --engine postgresql://user@host/database, F0CI_ENGINE, or engine in f0ci.yaml",
        )
    return place
