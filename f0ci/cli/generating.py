"""`f0ci generate`."""

from __future__ import annotations

import click

from f0ci.cli.output import root_of, say
from f0ci.core.errors import ExitCode


@click.command()
@click.argument("systems", nargs=-1, required=True, metavar="SYSTEM...")
@click.option(
    "--check", "is_check", is_flag=True, help="Write nothing; exit 1 with a diff where a file is not current."
)
@click.option("--overwrite", is_flag=True, help="Also replace a file that was edited by hand.")
@click.option("--stdout", "to_stdout", is_flag=True, help="Print the files instead of writing them.")
@click.pass_context
def generate(ctx: click.Context, systems: tuple[str, ...], is_check: bool, overwrite: bool, to_stdout: bool) -> int:
    """Write the pipeline of each CI SYSTEM (github, gitlab, jenkins, azure) from the workflow.

    \b
    Example:
      f0ci generate github gitlab
      f0ci generate github --check
    """
    from f0ci.commands.generating import generate as run
    from f0ci.commands.generating import write_files
    from f0ci.pipelines.currency import State

    root = root_of(ctx)
    made = run(root, systems)
    for place, name in made.unbound:
        say(f"{place}: warning: nothing says what {name!r} runs; its job stops there with exit 3")
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
        for line in made.set_up:
            click.echo(f"  {line}")
    return ExitCode.DONE
