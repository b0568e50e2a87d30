"""Running a recipe: recipe, environment and parameters -> resolved step graph -> execution -> run record."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

from f0ci.core.cancellation import Cancellation
from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import InputError
from f0ci.core.processes import reduced_environment
from f0ci.core.redaction import Redactor
from f0ci.environments.model import Environment
from f0ci.recipes.composition import bind_parameters, load_closure
from f0ci.recipes.graph import order
from f0ci.recipes.model import Recipe
from f0ci.recipes.records import RunRecord
from f0ci.runner.context import Context
from f0ci.runner.events import Listener
from f0ci.runner.options import RunOptions, check_options
from f0ci.runner.running import run_steps
from f0ci.runner.scheduling import INTERRUPTED
from f0ci.runner.secret_values import DEFAULT_PROVIDERS, SecretValues, hide_sensitive
from f0ci.runner.session import Session
from f0ci.runner.stepping import check_kinds
from f0ci.runner.steps.base import as_json
from f0ci.runner.surroundings import surroundings
from f0ci.source.project import Project
from f0ci.source.tree import DirectoryTree, Tree, resolve_path

__all__ = ["RunInterrupted", "RunOptions", "environ_of_run", "load_checked", "run_recipe"]


class RunInterrupted(KeyboardInterrupt):
    """Somebody pressed Ctrl-C; every process of the run is ended.

    Args:
        record: what happened until then.
    """

    def __init__(self, record: RunRecord) -> None:
        super().__init__("interrupted")
        self.record = record


def run_recipe(
    recipe_path: str,
    *,
    tree_root: Path,
    project: Project,
    environment: Environment | None,
    parameters: Mapping[str, Any],
    context: Context | None = None,
    options: RunOptions | None = None,
    on_event: Listener | None = None,
    redactor: Redactor | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], object] | None = None,
) -> RunRecord:
    """Run a recipe to its end.

    Scriptlets run in this process, one run at a time: meanwhile its working folder is the tree's root, its environment
    lacks the credentials of Git and CI, and its standard output and error are collected by step.

    Args:
        recipe_path: file of the recipe, relative to the tree or to one of the project's folders of recipes.
        tree_root: folder that holds recipes and scriptlets.
        project: settings of the repository.
        environment: where it runs; None where the recipe needs no configuration.
        parameters: values by name, as `params` offers them.
        context: values to start with, and to read afterwards; None starts with none.
        options: how the run differs from what the recipe says.
        on_event: told of what happens while it happens, from any thread, one event at a time.
        redactor: keeps secrets out of events and the record; values of sensitive parameters are added to it.
        clock: the time for the record.
        sleep: waits between tries, given seconds; by default the wait ends early when the run is stopped.

    Returns:
        The record, whatever the outcome.

    Raises:
        UsageError: the options name an unknown step.
        InputError: the recipe cannot be read, or its parameters do not fit.
        CannotWork: the tree cannot be entered, or another run is active in this process.
        RunInterrupted: Ctrl-C; carries the record.
    """
    tree = DirectoryTree(tree_root)
    recipe = load_checked(tree, project, recipe_path)
    params = bind_parameters(recipe, parameters)
    options = options or RunOptions()
    check_options(options, recipe)
    clock, redactor = clock or SystemClock(), redactor or Redactor()
    given = SecretValues(
        dict(os.environ),
        tree.root,
        None if environment is None else environment.base_name,
        project.secrets or DEFAULT_PROVIDERS,
    )
    given.hide_given(redactor)
    hide_sensitive(recipe, params, redactor)
    started, begin = clock.now(), time.monotonic()
    options = replace(options, run=options.run or f"{started:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}")
    session = Session(
        root=tree.root,
        tree=tree,
        environment=environment,
        options=options,
        context=context or Context(),
        redactor=redactor,
        environ=environ_of_run(os.environ, environment, options),
        secrets=given,
        clock=clock,
        sleep=sleep,
        listener=on_event,
    )
    cancellation = Cancellation()
    with surroundings(session.root, session.environ), closing(session):
        ending = run_steps(session, recipe, params, cancellation, timeout=recipe.timeout)
    record = RunRecord(
        run=str(options.run),
        recipe=recipe.path,
        outcome=ending.outcome,
        started=started,
        ended=clock.now(),
        seconds=time.monotonic() - begin,
        message=redactor.text(ending.message),
        environment=None if environment is None else environment.name,
        release=options.release,
        parameters=as_json(redactor.data(params)),
        steps=ending.records,
    )
    if cancellation.reason == INTERRUPTED:
        raise RunInterrupted(record)
    return record


def environ_of_run(environ: Mapping[str, str], environment: Environment | None, options: RunOptions) -> dict[str, str]:
    """Return the environment of a run's processes: reduced, and with what tells them where they are."""
    told: dict[str, str | None] = {
        **options.variables,
        "F0CI_ENVIRONMENT": None if environment is None else environment.name,
        "F0CI_RELEASE": options.release,
        "F0CI_RUN": options.run,
        "F0CI_IDEMPOTENCY_KEY": options.idempotency_key,
    }
    own = {name: value for name, value in reduced_environment(environ).items() if name not in told}
    return own | {name: value for name, value in told.items() if value is not None}


def load_checked(tree: Tree, project: Project, recipe_path: str) -> Recipe:
    """Return a recipe that can be started: it and every recipe it calls by a fixed path can be read and ordered.

    Args:
        tree: the files.
        project: its folders of recipes are searched where the path itself is no file.
        recipe_path: the recipe's file, with or without its suffix.

    Raises:
        InputError: one of the recipes cannot be read or ordered.
    """
    file = _find(tree, project, recipe_path)
    closure = load_closure(tree, file)
    for recipe in closure.values():
        check_kinds(recipe)
        order(recipe)
    return closure[file]


def _find(tree: Tree, project: Project, recipe_path: str) -> str:
    here = resolve_path(recipe_path)
    if here is None:
        raise InputError(
            f"the path {recipe_path!r} leaves the repository", "write it relative to the repository's root"
        )
    places = [here, *(path for folder in project.recipes if (path := resolve_path(recipe_path, folder)) is not None)]
    names = (f"{place}{suffix}" for place in places for suffix in ("", ".yaml", ".yml"))
    return next((name for name in names if tree.exists(name)), here)
