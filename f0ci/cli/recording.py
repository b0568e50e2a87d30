"""`--journal` and `--engine`: where runs are recorded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from f0ci.core.errors import UsageError
from f0ci.runner.address import Address, read_address

_ENGINE = "f0ci.engine"


def _keep_engine(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    ctx.meta[_ENGINE] = (value, ctx.get_parameter_source("engine"))


def _choose(ctx: click.Context, _param: click.Parameter, journal: Path | None) -> Path | Address | None:
    url, engine_source = ctx.meta.get(_ENGINE, (None, None))
    if not url:
        return journal
    if journal is not None:
        typed = ParameterSource.COMMANDLINE
        sources = (ctx.get_parameter_source("journal"), engine_source)
        if sources[0] is sources[1]:
            raise UsageError("--journal and --engine name two places for runs", "leave one of them out")
        if sources[0] is typed:
            return journal
    return read_address(url)


def journal_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command where runs are recorded as `journal`: a file, an address, or None for what `f0ci.yaml` says."""
    engine = click.option(
        "--engine",
        metavar="URL",
        envvar="F0CI_ENGINE",
        is_eager=True,
        expose_value=False,
        callback=_keep_engine,
        help="A PostgreSQL database instead: postgresql://user@host/database (needs f0ci[cluster]).",
    )
    journal = click.option(
        "--journal",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="F0CI_JOURNAL",
        callback=_choose,
        help="The journal of runs, instead of .f0ci/runs/journal.sqlite.",
    )
    return journal(engine(command))
