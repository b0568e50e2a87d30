"""`f0ci hold`, `f0ci unhold` and `f0ci quarantine`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.core.clock import format_time
from f0ci.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from f0ci.commands.holding import Told


@click.command()
@click.argument("environment")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--for", "lasts", metavar="DURATION", help="How long, such as 4h or 2d; until it is lifted by default.")
@format_option("text", "json")
@click.pass_context
def hold(ctx: click.Context, environment: str, reason: str, lasts: str | None, output_format: str) -> int:
    """Suspend promotions into ENVIRONMENT; rollbacks stay possible.

    Everybody may, but a hold that would end sooner than the one that stands is for people in the approvers file.

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
    told = hold_environment(root_of(ctx), environment, reason, lasts=span)
    _tell(
        told, "environment", "held", f"{told.what} is held{f' for {lasts}' if lasts else ''}: {reason}", output_format
    )
    return ExitCode.DONE


@click.command()
@click.argument("environment")
@click.option("--reason", default="", help="Why, for the record.")
@format_option("text", "json")
@click.pass_context
def unhold(ctx: click.Context, environment: str, reason: str, output_format: str) -> int:
    """Let promotions into ENVIRONMENT go on.

    Only for people in the approvers file; where they have keys there, it is signed.

    \b
    Example:
      f0ci unhold prod --reason "fixed by release 3fa94c1be2d0"
    """
    from f0ci.commands.holding import unhold_environment

    told = unhold_environment(root_of(ctx), environment, reason)
    _tell(told, "environment", "held", f"{told.what} is no longer held", output_format)
    return ExitCode.DONE


@click.command()
@click.argument("release")
@click.option("--reason", required=True, help="Why, for the record.")
@click.option("--lift", is_flag=True, help="Let the release in again; only for people in the approvers file.")
@format_option("text", "json")
@click.pass_context
def quarantine(ctx: click.Context, release: str, reason: str, lift: bool, output_format: str) -> int:
    """Keep RELEASE out of every environment.

    Everybody may; lifting it is for people in the approvers files of all environments, and signed where they have keys.

    \b
    Example:
      f0ci quarantine 3fa94c1be2d0 --reason "loses orders"
      f0ci quarantine 3fa94c1be2d0 --lift --reason "it was the database"
    """
    from f0ci.commands.holding import quarantine_release

    told = quarantine_release(root_of(ctx), release, reason, lift=lift)
    text = f"release {told.what[:12]} is {'no longer ' if lift else ''}quarantined"
    _tell(told, "release", "quarantined", text, output_format)
    return ExitCode.DONE


def _tell(told: Told, noun: str, state: str, text: str, output_format: str) -> None:
    from f0ci.promotion.rights import UNSIGNED

    if told.signed is False:
        say(UNSIGNED)
    if output_format == "text":
        click.echo(text)
        return
    data: dict[str, Any] = {
        "version": 1,
        noun: told.what,
        state: told.stands,
        "reason": told.reason,
        "by": told.by,
        "signed": told.signed,
    }
    if told.stands and noun == "environment":
        data["expires"] = format_time(told.expires) if told.expires else None
    print_json(data)
