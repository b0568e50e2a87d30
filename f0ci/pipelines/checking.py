"""What a workflow must not say to become a pipeline: names that clash, circles, texts that would not arrive."""

from __future__ import annotations

import re
import unicodedata
from graphlib import CycleError, TopologicalSorter
from typing import Any

from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.source.reading import Path
from f0ci.workflows.model import Binding, Stage, Workflow

# names that every CI system takes as they are; anything else would have to be rewritten, and then two could clash
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,79}\Z")
# systems limit the length of one argument and of one value
_MAX_TEXT = 20_000


def check(workflow: Workflow) -> None:
    """Refuse a workflow of which no pipeline can be made.

    Raises:
        InputError: it has problems, a name clashes or cannot be used, stages require each other in a circle, or a text
            would not reach the command it is meant for as it was written.
    """
    _check_names(workflow, "stage", [(stage.name, (*stage.at, "name")) for stage in workflow.stages])
    _check_names(workflow, "environment", [(one.name, one.at) for one in workflow.environments])
    _check_order(workflow)
    for problem in workflow.problems:
        raise refuse(workflow, problem.at, problem.message, problem.hint)
    _check_text(workflow, "the workflow's path", workflow.document.path, ())
    _check_text(workflow, "the workflow's name", workflow.name, ("metadata", "name"))
    _check_texts(workflow, "install", workflow.settings.get("install"), ("spec", "install"))
    _check_texts(workflow, "pipelines", workflow.settings.get("pipelines"), ("spec", "pipelines"))
    for stage in workflow.stages:
        for binding in bindings(stage):
            _check_text(workflow, f"the name {binding.name[:80]!r}", binding.name, binding.at)
            _check_text(workflow, f"the command of {binding.name[:80]!r}", binding.run or "", binding.at)


def bindings(stage: Stage) -> tuple[Binding, ...]:
    """Return what a stage runs, in order."""
    return tuple(binding for binding in (stage.uses, *stage.tests) if binding is not None)


def _check_names(workflow: Workflow, noun: str, names: list[tuple[str, Path]]) -> None:
    seen: dict[str, str] = {}
    for name, at in names:
        if not _NAME.match(name):
            raise refuse(
                workflow,
                at,
                f"the {noun} name {name!r} cannot be used in a pipeline",
                "use a letter, then letters, digits, '-' and '_', at most 80 of them",
            )
        other = seen.get(name.lower())
        if other is not None:
            both = repr(name) if other == name else f"{name!r} and {other!r}, which CI systems do not tell apart"
            raise refuse(workflow, at, f"two {noun}s are called {both} in a pipeline", "give one of them another name")
        seen[name.lower()] = name


def _check_order(workflow: Workflow) -> None:
    stages = {stage.name: stage for stage in workflow.stages}
    for stage in workflow.stages:
        for name in stage.requires:
            if name not in stages:
                hint = did_you_mean(name, stages, noun="there are")
                message = f"the stage {stage.name!r} requires {name!r}, which does not exist"
                raise refuse(workflow, (*stage.at, "requires"), message, hint)
    try:
        TopologicalSorter({name: stage.requires for name, stage in stages.items()}).prepare()
    except CycleError as error:
        # graphlib lists a circle against the direction of reading
        circle = list(reversed(error.args[1]))
        at = (*stages[circle[0]].at, "requires")
        message = f"stages wait for each other: {' requires '.join(circle)}"
        raise refuse(workflow, at, message, "take one `requires` away") from error


def _check_texts(workflow: Workflow, what: str, value: Any, at: Path) -> None:
    if isinstance(value, str):
        _check_text(workflow, f"the text of {what!r}", value, at)
    elif isinstance(value, dict):
        for name, below in value.items():
            _check_text(workflow, f"a key of {what!r}", str(name), at)
            _check_texts(workflow, str(name), below, (*at, name))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            _check_texts(workflow, what, below, (*at, index))


def _check_text(workflow: Workflow, what: str, text: str, at: Path) -> None:
    """Refuse a text that would not reach the command it is meant for as it was written."""
    if "${{" in text:
        raise refuse(
            workflow,
            at,
            f"{what} holds '${{{{', which a CI system would replace",
            "read what you need from environment variables",
        )
    if len(text) > _MAX_TEXT:
        raise refuse(workflow, at, f"{what} has {len(text):,} characters", "move it into a script and call that")
    bad = next((char for char in text if unicodedata.category(char) in {"Cc", "Cs"} and char not in "\t\n"), None)
    if bad is not None:
        raise refuse(workflow, at, f"{what} holds the character {bad!r}", "remove it")


def refuse(workflow: Workflow, at: Path, message: str, hint: str | None) -> InputError:
    """Return the error that names a place of the workflow."""
    return InputError(message, hint, place=str(workflow.document.location(at)))
