"""`f0ci graph`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import root_of
from f0ci.cli.width import print_line
from f0ci.core.errors import ExitCode


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "mermaid", "dot")),
    default="text",
    show_default=True,
    help="How to draw.",
)
@click.pass_context
def graph(ctx: click.Context, recipe: Path | None, form: str) -> int:
    """Draw RECIPE's steps with what they wait for; without RECIPE the workflow's stages.

    \b
    Example:
      f0ci graph
      f0ci graph recipes/greet_everybody.yaml --format mermaid
    """
    from f0ci.commands.rendering import draw
    from f0ci.commands.running import recipe_path

    root = root_of(ctx)
    path = recipe_path(root, ctx.find_root().obj, recipe) if recipe is not None else None
    drawn = draw(root, path, form).rstrip()
    # what other programs draw is for them to read
    if form == "text":
        print_line(drawn, hang=5)
    else:
        click.echo(drawn)
    return ExitCode.DONE
