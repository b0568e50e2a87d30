"""`f0ci generate`."""

from __future__ import annotations

import shutil
import sys
from itertools import groupby
from pathlib import Path

import click

from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.cli.width import print_line
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("systems", nargs=-1, metavar="SYSTEM...")
@click.option(
    "--check", "is_check", is_flag=True, help="Write nothing; exit 1 with a diff where a file is not current."
)
@click.option("--overwrite", is_flag=True, help="Also replace a file that was edited by hand.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the files instead of writing them.")
@click.option("--set-up", "tells_set_up", is_flag=True, help="Only list what has to be made once outside the files.")
@click.option("--guarantees", "tells_guarantees", is_flag=True, help="Show who keeps which promise on which system.")
@format_option("text", "json")
@click.pass_context
def generate(
    ctx: click.Context,
    systems: tuple[str, ...],
    is_check: bool,
    overwrite: bool,
    to_stdout: bool,
    tells_set_up: bool,
    tells_guarantees: bool,
    output_format: str,
) -> int:
    """Write the pipeline of each CI SYSTEM (github, gitlab, jenkins, azure) from the workflow.

    Without a SYSTEM, --check and --set-up are about those whose pipeline was generated here before.

    \b
    Example:
      f0ci generate github gitlab
      f0ci generate github --check
      f0ci generate --check
      f0ci generate --guarantees
    """
    if tells_guarantees:
        return _show_guarantees(systems, output_format)
    if not systems and (is_check or tells_set_up):
        systems = _systems_here(root_of(ctx))
    if not systems:
        raise UsageError("no CI system was named", "f0ci generate github, gitlab, jenkins or azure")
    if output_format != "text" and not tells_set_up:
        raise UsageError("--format is about --guarantees and --set-up", "leave it out")
    from f0ci.commands.generating import generate as run
    from f0ci.commands.generating import write_files
    from f0ci.pipelines.currency import State

    root = root_of(ctx)
    made = run(root, systems)
    for place, name in made.unbound:
        say(f"{place}: warning: nothing says what {name!r} runs; its job stops there with exit 3")
    if tells_set_up:
        if output_format == "json":
            print_json({"version": 1, "set_up": made.set_up})
        else:
            _show_set_up(made.set_up)
        return ExitCode.DONE
    if to_stdout:
        for text in made.files.values():
            click.echo(text, nl=False)
        return ExitCode.DONE
    if is_check:
        for state in made.states:
            click.echo(f"{state.path}: {'current' if not state.reason else state.reason}")
            if not state.is_fresh:
                click.echo(state.diff, nl=False)
        fresh = all(state.is_fresh for state in made.states)
        if not fresh:
            say(f"regenerate with: f0ci generate {' '.join(systems)}")
        return ExitCode.DONE if fresh else ExitCode.FINDINGS
    edited = [state for state in made.states if state.state is State.EDITED]
    if edited and not overwrite:
        for state in edited:
            click.echo(f"{state.path}: {state.reason}")
            click.echo(state.diff, nl=False)
        say("nothing was written; move the edit into the workflow, or pass --overwrite")
        return ExitCode.FINDINGS
    changed = write_files(root, made)
    for state in made.states:
        click.echo(f"{'wrote' if state.path in changed else 'current'} {state.path}")
    if changed:
        click.echo("to be made once, outside these files:")
        _show_set_up(made.set_up)
    return ExitCode.DONE


def _systems_here(root: Path) -> tuple[str, ...]:
    from f0ci.commands.generating import systems_in

    found = systems_in(root)
    if not found:
        hint = "name a system: f0ci generate github, gitlab, jenkins or azure"
        raise UsageError("no pipeline was generated here, so there is none to look at", hint)
    return found


def _show_set_up(set_up: dict[str, tuple[str, ...]]) -> None:
    for system, lines in set_up.items():
        if lines:
            click.echo(f"  {system or 'everywhere'}:")
        for line in lines:
            print_line(f"    {line}")


def _show_guarantees(systems: tuple[str, ...], output_format: str) -> int:
    from f0ci.commands.generating import guarantees
    from f0ci.pipelines.guarantees import KEEPERS, PROMISES

    found = guarantees(systems)
    if output_format == "json":
        print_json({"version": 1, "promises": dict(PROMISES), "guarantees": [one.to_json() for one in found]})
        return ExitCode.DONE
    # a heading a promise, and lines no wider than the terminal: as one table this is three terminals wide
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
    systems_width = max(len(one.system) for one in found)
    keepers_width = max(len(KEEPERS[one.by]) for one in found)
    indent = " " * (systems_width + keepers_width + 6)
    for promise, group in groupby(found, key=lambda one: one.promise):
        click.echo(click.style(PROMISES[promise], bold=True))
        for one in group:
            head = f"  {one.system:<{systems_width}}  {KEEPERS[one.by]:<{keepers_width}}  "
            click.echo(click.wrap_text(one.why, max(width, len(indent) + 30), head, indent))
    return ExitCode.DONE
