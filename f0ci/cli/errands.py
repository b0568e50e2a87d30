"""`f0ci errands`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import root_of, say
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.pass_context
def errands(ctx: click.Context, folder: Path) -> int:
    """Carry out what `f0ci promote --apart FOLDER` left to be done, and leave the answers there.

    It runs code of the repository: deploy recipes, commands of gates, metrics. Therefore it refuses to run where a
    token for pushing is. No remote is asked: what it needs came along in the folder.

    \b
    Example:
      f0ci promote staging --apart left
      f0ci errands left
      f0ci promote staging --apart left --answered "$(sha256sum < left/errands.json | cut -c1-64)"
    """
    from f0ci.cli.promoting import tell
    from f0ci.commands.errands import carry_out, token_at_hand

    variable = token_at_hand()
    if variable is not None:
        raise UsageError(
            f"{variable} is set, and what runs here is code of the repository",
            f"run it in a job without a token, or `env -u {variable} f0ci errands {folder}`",
        )
    asked, answered = carry_out(root_of(ctx), folder, on_stage=say, on_event=tell)
    click.echo(f"{answered} of {counted(asked, 'errand')} carried out; answers in {folder}")
    return ExitCode.DONE if answered == asked else ExitCode.CANNOT_WORK
