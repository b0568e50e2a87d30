"""`f0ci rollback`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.apart import apart_options, desk_of, print_left
from f0ci.cli.output import format_option, root_of, say
from f0ci.cli.promoting import print_report, tell


@click.command()
@click.argument("environment")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--to", help="Another release that was good here; needs the environment's approvals.")
@click.option(
    "--accept-irreversible",
    is_flag=True,
    help="Go back although commits say, by an F0-Irreversible trailer, that they cannot be undone.",
)
@apart_options
@format_option("text", "json")
@click.pass_context
def rollback(
    ctx: click.Context,
    /,
    environment: str,
    reason: str,
    to: str | None,
    accept_irreversible: bool,
    apart: Path | None,
    answered: str | None,
    output_format: str,
) -> int:
    """Restore the exact tree of the newest earlier good release of ENVIRONMENT.

    \b
    Example:
      f0ci rollback prod --reason "orders are lost"
    """
    from f0ci.commands.promoting import rollback_environment

    desk = desk_of(apart, answered)
    report = rollback_environment(
        root_of(ctx),
        environment,
        reason,
        to,
        accept_irreversible=accept_irreversible,
        apart=desk,
        on_stage=say,
        on_event=tell,
    )
    print_report(report, output_format)
    if output_format == "text":
        print_left(desk, f"f0ci rollback {environment} --reason ...")
    return report.exit_code
