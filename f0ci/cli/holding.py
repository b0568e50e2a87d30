"""`f0ci hold`, `f0ci unhold` and `f0ci quarantine`."""

from __future__ import annotations

import click

from f0ci.cli.output import root_of
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("environment")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--for", "lasts", metavar="DURATION", help="How long, such as 4h or 2d; until it is lifted by default.")
@click.pass_context
def hold(ctx: click.Context, environment: str, reason: str, lasts: str | None) -> int:
    """Suspend promotions into ENVIRONMENT; rollbacks stay possible.

    \b
    Example:
      f0ci hold prod --reason "incident 4711"
      f0ci hold prod --reason "database upgrade" --for 4h
    """
    from f0ci.commands.holding import hold_environment
    from f0ci.core.duration import parse_duration

    try:
        span = parse_duration(lasts) if lasts else None
    except ValueError as error:
        raise UsageError(str(error), "write --for 4h or --for 2d") from error
    name = hold_environment(root_of(ctx), environment, reason, lasts=span)
    click.echo(f"{name} is held{f' for {lasts}' if lasts else ''}: {reason}")
    return ExitCode.DONE


@click.command()
@click.argument("environment")
@click.option("--reason", default="", help="Why, for the record.")
@click.pass_context
def unhold(ctx: click.Context, environment: str, reason: str) -> int:
    """Let promotions into ENVIRONMENT go on; only for people in the approvers file.

    \b
    Example:
      f0ci unhold prod --reason "fixed by release 3fa94c1be2d0"
    """
    from f0ci.commands.holding import unhold_environment

    click.echo(f"{unhold_environment(root_of(ctx), environment, reason)} is no longer held")
    return ExitCode.DONE


@click.command()
@click.argument("release")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--lift", is_flag=True, help="Let the release in again; only for people in the approvers file.")
@click.pass_context
def quarantine(ctx: click.Context, release: str, reason: str, lift: bool) -> int:
    """Keep RELEASE out of every environment.

    \b
    Example:
      f0ci quarantine 3fa94c1be2d0 --reason "loses orders"
    """
    from f0ci.commands.holding import quarantine_release

    found = quarantine_release(root_of(ctx), release, reason, lift=lift)
    click.echo(f"release {found.id} is {'no longer ' if lift else ''}quarantined")
    return ExitCode.DONE
