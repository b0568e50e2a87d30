"""Running a recipe of a work tree, as a function for people who embed f0ci."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from f0ci.commands.engines import (
    Place,
    cluster_engine,
    engine_of,
    hand_over_like,
    open_place,
    place_of,
    release_files,
)
from f0ci.core.errors import InputError, UsageError
from f0ci.core.outcome import Outcome
from f0ci.recipes.parameters import UnfitParameters
from f0ci.recipes.records import RunRecord
from f0ci.runner.context import Context
from f0ci.runner.engine import EmbeddedEngine, Order
from f0ci.runner.executing import load_checked, run_recipe
from f0ci.runner.frozen import freeze
from f0ci.runner.journal import Journal
from f0ci.runner.options import RunOptions
from f0ci.runner.runs import recalled_changes
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree, resolve_path

if TYPE_CHECKING:
    from f0ci.environments.model import Environment
    from f0ci.runner.planning import RunPlan

# seconds between two looks at a run that waits
LOOKING = 0.5


def run(
    root: Path,
    recipe: str,
    environment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    context: Context | None = None,
    options: RunOptions | None = None,
    on_event: Callable[[Any], None] | None = None,
    journal: Place | Literal[False] | None = None,
    queue: str | Literal[False] | None = None,
    priority: int = 0,
    attend: bool = True,
) -> RunRecord:
    """Run a recipe of a work tree until it is over or waits, recorded so that it can go on later.

    Args:
        root: the work tree.
        recipe: file of the recipe, relative to the root.
        environment: any name of an environment; None where the recipe needs no configuration.
        parameters: values by name.
        context: values to start with, and to read afterwards.
        options: how the run differs from what the recipe says; with `options.run`, starting it twice is the same as
            once.
        on_event: is told what happens.
        journal: file of the journal, or address of a database; None is what `f0ci.yaml` says, or the work tree's own
            file; False records nothing.
        queue: a queue of the database: workers carry the run on, with the files of `options.release`; None is what
            `f0ci.yaml` says, False runs it here.
        priority: of the run among those of the queue; smaller ones first.
        attend: False hands the run over and does not look on.

    Raises:
        UsageError: the parameters do not fit the recipe, or the options name an unknown step.
        F0ciError: see `f0ci.runner.executing.run_recipe` and `f0ci.runner.engine.Engine`.
    """
    tree = DirectoryTree(root)
    project = load_project(tree)
    configuration = _environment(tree, project, environment, options)
    if journal is False:
        with _fitting():
            return run_recipe(
                recipe,
                tree_root=root,
                project=project,
                environment=configuration,
                parameters=parameters or {},
                context=context,
                options=options,
                on_event=on_event,
            )
    place = place_of(root, journal, project)
    if queue is None and not isinstance(place, Path):
        queue = place.queue
    if queue:
        return _run_elsewhere(
            root, place, recipe, environment, parameters or {}, context, options, queue, priority, attend, on_event
        )
    if priority or not attend:
        option = "--priority" if attend else "--detach"
        raise UsageError(f"{option} is for runs that are handed to a queue", "name one with --queue")
    # before the journal, so that a recipe that cannot be read leaves nothing behind
    plan = freeze(root, project, recipe, configuration)
    with open_place(place) as opened, _fitting():
        engine = EmbeddedEngine(opened, on_event=on_event)
        return engine.run(Order(plan, parameters or {}, options or RunOptions()), context)


def _run_elsewhere(
    root: Path,
    place: Place,
    recipe: str,
    environment: str | None,
    parameters: Mapping[str, Any],
    context: Context | None,
    options: RunOptions | None,
    queue: str,
    priority: int,
    attend: bool,
    on_event: Callable[[Any], None] | None,
) -> RunRecord:
    if isinstance(place, Path):
        raise UsageError(
            f"the queue {queue!r} needs an engine, and runs are recorded in {str(place)!r}",
            "name one: --engine postgresql://user@host/database, F0CI_ENGINE, or engine in f0ci.yaml",
        )
    options = options or RunOptions()
    if options.release is None:
        raise UsageError(
            "workers get the files of a run as a release, and none is named",
            "make one with `f0ci release create`, and give it: --release ID, or --release latest",
        )
    digest, files = release_files(root, options.release)
    options = replace(options, release=digest)
    tree = DirectoryTree(files)
    project = load_project(tree)
    plan = freeze(files, project, recipe, _environment(tree, project, environment, options))
    order = Order(replace(plan, root=root.resolve()), parameters, options, context.to_dict() if context else {})
    with open_place(place) as opened:
        engine = cluster_engine(
            opened, load_project(DirectoryTree(root)), queue=queue, priority=priority, on_event=on_event
        )
        with _fitting():
            run_id = engine.submit(order)
        record = engine.resume(run_id) if attend else engine.hand_over(run_id)
        if context is not None:
            context.recall(recalled_changes(opened, run_id))
    return record


def resume(
    root: Path,
    run_id: str,
    *,
    parameters: Mapping[str, str] | None = None,
    context: Context | None = None,
    start_from: str | None = None,
    on_event: Callable[[Any], None] | None = None,
    journal: Place | None = None,
) -> RunRecord:
    """Take a run further, from what is recorded of it; one that is over stays as it is.

    Args:
        root: the work tree.
        run_id: the run, or the beginning of its id.
        parameters: sensitive ones again, which the journal does not hold.
        context: takes the run's values.
        start_from: a step that shall run again, and what depends on it, as a new run that keeps the rest; None goes on.
        on_event: is told what happens.
        journal: file of the journal, or a database's address; None is what `f0ci.yaml` says, else the work tree's file.

    Raises:
        UsageError: there is no such run or step.
        Refused: somebody else carries it on.
    """
    with open_journal(root, journal) as opened:
        if start_from is not None:
            before, run_id = run_id, EmbeddedEngine(opened, given=parameters).fork(run_id, start_from)
            hand_over_like(opened, run_id, before)
        engine = engine_of(opened, run_id, on_event=on_event, parameters=parameters)
        if isinstance(engine, EmbeddedEngine):
            return engine.resume(run_id, context)
        record = engine.resume(run_id)
        if context is not None:
            context.recall(recalled_changes(opened, record.run))
        return record


def stay_with(
    root: Path,
    record: RunRecord,
    seconds: float,
    *,
    on_event: Callable[[Any], None] | None = None,
    journal: Place | None = None,
) -> RunRecord:
    """Take a waiting run further as soon as that is possible, for some seconds at most, and return how it stands."""
    deadline = time.monotonic() + seconds
    while record.outcome is Outcome.WAITING:
        seen = _signals(root, record.run, journal)
        due = None if record.next_check is None else record.next_check.timestamp()
        while due is None or time.time() < due:
            left = deadline - time.monotonic()
            if left <= 0:
                return record
            time.sleep(min(LOOKING, left, LOOKING if due is None else max(0.01, due - time.time())))
            if _signals(root, record.run, journal) != seen:
                break
        record = resume(root, record.run, on_event=on_event, journal=journal)
    return record


def open_journal(root: Path, journal: Place | None = None) -> Journal:
    """Open a journal that exists: a file, or a database.

    Raises:
        InputError: there is none.
        JournalError: it cannot be used.
    """
    place = place_of(root, journal)
    if isinstance(place, Path) and not place.exists():
        raise InputError(f"there is no journal {str(place)!r}", "run a recipe first, or name its file with --journal")
    return open_place(place)


def plan_run(
    root: Path,
    recipe: str,
    environment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    options: RunOptions | None = None,
) -> RunPlan:
    """Return what a run would do, running nothing.

    Raises:
        F0ciError: as `run`.
    """
    from f0ci.runner import planning

    tree = DirectoryTree(root)
    project = load_project(tree)
    with _fitting():
        return planning.plan_run(
            recipe,
            tree_root=root,
            project=project,
            environment=_environment(tree, project, environment, options),
            parameters=parameters or {},
            options=options,
        )


def read_parameters(root: Path, recipe: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """Return parameters that somebody typed as values, each of the type that the recipe declares.

    Raises:
        InputError: the recipe cannot be read.
        UsageError: the text of a parameter is not YAML.
    """
    from f0ci.recipes.parameters import read_texts

    if not texts:
        return {}
    tree = DirectoryTree(root)
    return dict(read_texts(load_checked(tree, load_project(tree), recipe), texts))


def recipe_path(root: Path, base: Path, name: Path) -> str:
    """Return a path that somebody typed as the work tree names it.

    Args:
        root: the work tree.
        base: the folder it was typed in.
        name: as typed.

    Raises:
        InputError: it lies outside the work tree.
    """
    given = (base / name).resolve()
    if given.is_relative_to(root) and given.exists():
        return given.relative_to(root).as_posix()
    path = resolve_path(name.as_posix())
    if path is None:
        raise InputError(
            f"{str(name)!r} lies outside the repository {str(root)!r}", "name a recipe inside it, or use -C"
        )
    return path


@contextmanager
def _fitting() -> Iterator[None]:
    """Say of parameters that do not fit that the call is wrong: here nobody else gave them, no file and no workflow."""
    try:
        yield
    except UnfitParameters as error:
        raise UsageError(error.message, error.hint, place=error.place) from error


def _environment(
    tree: DirectoryTree, project: Project, name: str | None, options: RunOptions | None
) -> Environment | None:
    if name is None:
        return None
    from f0ci.environments.loading import load_environment

    return load_environment(tree, project, name, release=None if options is None else options.release)


def _signals(root: Path, run_id: str, journal: Place | None) -> int:
    with open_journal(root, journal) as opened:
        return int(opened.rows("SELECT count(*) FROM signals WHERE run = ?", (run_id,))[0][0])
