"""f0ci moves automation recipes from dev to production with nothing to operate.

From Python, `f0ci.run` runs a recipe; see `docs/running.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from f0ci.core.errors import F0ciError
    from f0ci.recipes.records import RunRecord, StepRecord
    from f0ci.runner.context import Context
    from f0ci.runner.options import RunOptions

__all__ = ["Context", "F0ciError", "RunOptions", "RunRecord", "StepRecord", "__version__", "run"]
__version__ = "0.1.0"

_HOMES = {
    "Context": "f0ci.runner.context",
    "F0ciError": "f0ci.core.errors",
    "RunOptions": "f0ci.runner.options",
    "RunRecord": "f0ci.recipes.records",
    "StepRecord": "f0ci.recipes.records",
}


def run(
    recipe: str | Path,
    *,
    environment: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    context: Context | None = None,
    root: str | Path | None = None,
    options: RunOptions | None = None,
    on_event: Callable[[Any], None] | None = None,
    journal: str | Path | Literal[False] | None = None,
) -> RunRecord:
    """Run a recipe until it is over or waits, recorded so that it can go on later.

    Args:
        recipe: file of the recipe, relative to the root or to one of its folders of recipes.
        environment: any name of an environment; None where the recipe needs no configuration.
        parameters: values by name, as `params` offers them.
        context: values to start with, and to read afterwards; None starts with none.
        root: the repository; by default the one around the working folder.
        options: how the run differs from what the recipe says; with `RunOptions(run=ID)`, starting it twice is the same
            as once.
        on_event: told of what happens while it happens, from any thread, one event at a time.
        journal: file of the journal; by default `.f0ci/runs/journal.sqlite` of the repository, False records nothing.

    Returns:
        The record, whatever the outcome: failed steps raise nothing.

    Raises:
        f0ci.core.errors.F0ciError: the recipe cannot be read, its parameters do not fit, another run is active in this
            process, or the journal cannot be written; message and hint say what to do.
    """
    from pathlib import Path as FilePath

    from f0ci.commands.running import recipe_path
    from f0ci.commands.running import run as run_it
    from f0ci.source.project import find_root

    base = FilePath.cwd() if root is None else FilePath(root).resolve()
    home = find_root(base) if root is None else base
    return run_it(
        home,
        recipe_path(home, base, FilePath(recipe)),
        environment,
        parameters,
        context=context,
        options=options,
        on_event=on_event,
        journal=FilePath(journal) if isinstance(journal, str) else journal,
    )


def __getattr__(name: str) -> Any:
    # imported when asked for: `f0ci --version` needs none of them
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
