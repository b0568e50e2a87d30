"""`f0ci resume`."""

from __future__ import annotations

import click

from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.core.errors import ExitCode


@click.command()
@click.argument("promotion")
@click.option("--reason", default="", help="Why, for the record.")
@format_option("text", "json")
@click.pass_context
def resume(ctx: click.Context, promotion: str, reason: str, output_format: str) -> int:
    """Let PROMOTION go on where it needs a person: after a pause, or to watch a step again that could not be judged.

    Only for people in the approvers file; where they have keys there, it is signed.

    \b
    Example:
      f0ci resume prod-3 --reason "looked at the canary, all is well"
    """
    from f0ci.commands.resuming import resume_promotion

    report = resume_promotion(root_of(ctx), promotion, reason, on_stage=say)
    if output_format == "json":
        print_json(report.to_json())
    else:
        click.echo(f"{report.promotion} goes on")
        click.echo(f"  next: f0ci promote {report.environment} --continue")
    return ExitCode.DONE
