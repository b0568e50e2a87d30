"""Where runs are recorded and who carries them on: a file and this process, or PostgreSQL and workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.runner.address import Address, read_address
from f0ci.runner.engine import EmbeddedEngine
from f0ci.runner.interface import Engine
from f0ci.runner.journal import Journal, default_path
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree

if TYPE_CHECKING:
    from f0ci.runner.cluster.engine import ClusterEngine

RELEASES = ".f0ci/releases"
Place = Path | Address


def place_of(root: Path, given: Place | None, project: Project | None = None) -> Place:
    """Return where runs of a work tree are recorded: as given, as `f0ci.yaml` says, else its own file.

    Raises:
        InputError: `f0ci.yaml` cannot be read, or its address cannot be used.
    """
    if isinstance(given, Path):
        return given
    project = project or load_project(DirectoryTree(root))
    queue, url = project.engine.get("queue"), project.engine.get("url")
    if given is not None:
        # an address given with its password is no other engine than the one of the settings
        return replace(given, queue=given.queue or queue)
    if url is None:
        return default_path(root)
    return read_address(url, queue, place=_written_at(project, "url"))


def open_place(place: Place, *, patience: float | None = None) -> Journal:
    """Open a journal; a file is made where it does not exist.

    Raises:
        CannotWork: it cannot be used, or needs what is not installed.
    """
    if isinstance(place, Path):
        return Journal(place)
    from f0ci.runner.cluster.extra import require_psycopg

    require_psycopg()
    from f0ci.runner.cluster.journal import PATIENCE, PostgresJournal

    return PostgresJournal(place, patience=PATIENCE if patience is None else patience)


def engine_of(
    journal: Journal,
    run: str,
    *,
    on_event: Callable[[Any], None] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Engine:
    """Return the engine that carries a run on: workers where it was handed to them, else this process."""
    if journal.has_workers:
        from f0ci.runner.cluster.handing import is_handed_over

        if is_handed_over(journal, run):
            return cluster_engine(journal, on_event=on_event)
    return EmbeddedEngine(journal, on_event=on_event, given=parameters)


def cluster_engine(
    journal: Any,
    project: Project | None = None,
    *,
    queue: str | None = None,
    priority: int = 0,
    on_event: Callable[[Any], None] | None = None,
) -> ClusterEngine:
    """Return the engine whose runs workers carry on.

    Raises:
        InputError: a queue in `f0ci.yaml` makes no sense.
    """
    from f0ci.runner.cluster.engine import ClusterEngine
    from f0ci.runner.cluster.queues import DEFAULT

    declared = declared_queues(project or Project())
    return ClusterEngine(journal, queue=queue or DEFAULT, priority=priority, declared=declared, on_event=on_event)


def hand_over_like(journal: Journal, run: str, other: str) -> None:
    """Hand a new run to workers, where another one is theirs."""
    if journal.has_workers:
        from f0ci.runner.cluster.handing import like

        with journal.transaction() as connection:
            like(connection, run, other)


def forget_turns(journal: Journal, runs: Sequence[str]) -> None:
    """Forget what the queues know of runs that are forgotten."""
    if journal.has_workers:
        from f0ci.runner.cluster.handing import forget

        forget(journal, runs)


def declared_queues(project: Project) -> dict[str, Any]:
    """Return the queues that a repository knows, by name.

    Raises:
        InputError: one of them makes no sense.
    """
    from f0ci.runner.cluster.queues import read_queues

    return read_queues(project.engine.get("queues", {}), _written_at(project, "queues"))


def release_files(root: Path, name: str, *, fetch: bool = True) -> tuple[str, Path]:
    """Return the digest of a release, and a folder that holds its files: exact bytes out of Git, checked by digest.

    They are kept in `.f0ci/releases`, which may be removed whenever nothing runs.

    Args:
        root: a clone of the repository.
        name: the digest, the beginning of one, or `latest`.
        fetch: ask the remote for releases; one whose files are here needs no Git at all where the digest is whole.

    Raises:
        UsageError: there is no such release.
        InputError: its tag names other content than it says.
        GitError: Git cannot be asked.
    """
    folder = root / RELEASES
    if len(name) == _WHOLE and (folder / name[:_SHORT]).is_dir():
        return name, folder / name[:_SHORT]
    import os
    import shutil
    import tempfile

    from f0ci.core.clock import SystemClock
    from f0ci.promotion.releases import check_content, release_paths
    from f0ci.promotion.site import open_site

    site = open_site(root, SystemClock(), fetch=fetch)
    release = site.require_release(name)
    target = folder / release.id
    if target.is_dir():
        return release.digest, target
    tree = site.repository.tree(release.commit)
    project = load_project(tree)
    check_content(tree, project, release)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    aside = Path(tempfile.mkdtemp(prefix="being-written-", dir=folder))
    try:
        site.repository.checkout_to(release.commit, aside / "files", release_paths(tree, project))
        # another worker of this clone may be quicker; its files are the same
        if not target.is_dir():
            os.rename(aside / "files", target)  # noqa: PTH104 - Path.rename says the same
    except OSError:
        if not target.is_dir():
            raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return release.digest, target


_WHOLE, _SHORT = 64, 12


def _written_at(project: Project, key: str) -> str | None:
    return None if project.document is None else str(project.document.location(("engine", key)))
