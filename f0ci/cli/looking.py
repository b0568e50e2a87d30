"""`f0ci status`, `f0ci why` and `f0ci history`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f0ci.cli.output import colour, format_option, once_met, print_json, print_ways, root_of
from f0ci.cli.width import print_line, print_table
from f0ci.core.clock import format_time
from f0ci.core.errors import ExitCode
from f0ci.core.escaping import escape_controls

if TYPE_CHECKING:
    from f0ci.promotion.drift.base import Observation, Sync
    from f0ci.promotion.drifting import Observed
    from f0ci.promotion.explaining import Explanation
    from f0ci.promotion.report import PromotionReport

offline_option = click.option("--offline", is_flag=True, help="Do not ask the remote; show what was fetched last.")


@click.command()
@click.argument("environment", required=False)
@click.option("--drift", "wants_drift", is_flag=True, help="Look whether environments hold what they should.")
@offline_option
@format_option("text", "json")
@click.pass_context
def status(ctx: click.Context, environment: str | None, wants_drift: bool, offline: bool, output_format: str) -> int:
    """Show what every environment runs, and what it waits for.

    With --drift, exit 1 where something differs from what the ledger says, 3 where that cannot be told.

    \b
    Example:
      f0ci status
      f0ci status prod --drift
    """
    from f0ci.commands.looking import environment_statuses

    statuses = environment_statuses(root_of(ctx), environment, fetch=not offline)
    observed = _observed(root_of(ctx), environment, fetch=not offline) if wants_drift else {}
    if output_format == "json":
        shown = [one.to_json() for one in statuses]
        for data in shown if wants_drift else ():
            data["drift"] = [found.to_json() for found in observed[data["environment"]].observations]
        print_json({"version": 1, "environments": shown})
        return _drift_code(observed)
    rows = []
    for one in statuses:
        newest = one.newest
        state = f"{newest.promotion} {colour(newest.state)}" if newest else "-"
        flags = [
            text for text, on in (("held", one.hold), ("quarantined", one.quarantined), ("drifted", one.drifted)) if on
        ]
        rows.append(
            (one.environment, one.release[:12] if one.release else "-", one.since or "-", state, ", ".join(flags))
        )
    print_table(("environment", "release", "since", "newest", ""), rows)
    for one in statuses:
        if one.hold:
            print_line(f"{one.environment}: held: {one.hold}")
        if one.newest and one.newest.state not in {"requested", "succeeded"}:
            for reason in one.newest.reasons:
                # a hold that a failure set says the same
                if one.hold is None or not one.hold.startswith(reason):
                    print_line(f"{one.environment}: {_ended(one.newest)}{reason}")
        print_ways(one.ways, f"{one.environment}: ")
        if one.drifted and not wants_drift:
            click.echo(f"{one.environment}: drifted; next: f0ci status {one.environment} --drift")
    for name, environment_observed in observed.items():
        print_observations(name, environment_observed.observations)
    return _drift_code(observed)


def _ended(report: PromotionReport) -> str:
    """Return which promotion a reason is about that keeps nobody any more."""
    over = report.state in {"refused", "aborted", "superseded", "expired", "errored"}
    return f"{report.promotion} {report.state}: " if over else ""


def print_observations(environment: str, observations: Iterable[Observation]) -> None:
    """Print what was found where an environment's state shows, and what would mend it."""
    from f0ci.promotion.drift.base import Sync

    worst = {observation.sync for observation in observations}
    for one in observations:
        print_line(f"{environment}: {one.kind} {one.where}: {colour(str(one.sync))}")
        for detail in one.details:
            print_line(f"  {escape_controls(detail)}")
    if Sync.DRIFTED in worst:
        click.echo(f"  next: f0ci promote {environment} --repair --reason ...")


def _observed(root: Path, environment: str | None, *, fetch: bool) -> Mapping[str, Observed]:
    from f0ci.commands.repairing import observe

    return observe(root, environment, fetch=fetch)


def _drift_code(observed: Mapping[str, Observed]) -> ExitCode:
    return drift_code({one.sync for one in observed.values()})


def drift_code(found: Collection[Sync]) -> ExitCode:
    """Return the exit code that what was found asks for."""
    from f0ci.promotion.drift.base import Sync

    if Sync.DRIFTED in found:
        return ExitCode.FINDINGS
    return ExitCode.CANNOT_WORK if Sync.UNKNOWN in found else ExitCode.DONE


@click.command()
@click.argument("environment")
@click.argument("release", required=False)
@offline_option
@format_option("text", "json")
@click.pass_context
def why(ctx: click.Context, environment: str, release: str | None, offline: bool, output_format: str) -> int:
    """Say why RELEASE (the newest by default) is not in ENVIRONMENT yet, who or what ends that, and the earliest time.

    \b
    Example:
      f0ci why prod
      f0ci why prod 3fa94c1be2d0
    """
    from f0ci.commands.planning import explain_environment

    found = explain_environment(root_of(ctx), environment, release, fetch=not offline)
    if output_format == "json":
        print_json(found.to_json())
        return ExitCode.DONE
    what = f"release {found.release[:12]}"
    if found.arrived:
        print_line(f"{found.environment} runs {what}: {found.promotion} succeeded")
        return ExitCode.DONE
    if not found.conditions:
        go_on = f"f0ci promote {found.environment} --continue"
        click.echo(f"nothing keeps {what} out of {found.environment}; next: {go_on}")
        return ExitCode.DONE
    if found.back_by is not None:
        print_line(f"{found.environment} runs {what}: {found.back_by} went back to it; to promote it would take more:")
    else:
        print_line(f"{what} is not in {found.environment} yet:")
    for one in found.conditions:
        print_line(f"  {click.style(one.what, fg='red' if one.final else 'yellow')}: {one.reason}")
        if one.until:
            click.echo(f"    ends by itself at {format_time(one.until)}")
        if one.who:
            print_line(f"    can be ended by {', '.join(one.who)}")
        if one.command:
            click.echo(f"    next: {one.command}")
    if any(one.final for one in found.conditions):
        click.echo("earliest: never, for this release")
    else:
        missing = [one for one in found.conditions if one.until is None]
        print_line(f"earliest: {format_time(found.earliest)}{once_met(missing)}")
    print_instead(found)
    return ExitCode.DONE


def print_instead(found: Explanation) -> None:
    """Print what could come in where a release is quarantined, so that to promote it is refused."""
    if not found.is_quarantined or found.promotion is not None:
        return
    if found.instead is None:
        print_line("instead: no other release may come in; mend this one, commit, push, and `f0ci release create`")
        return
    other = found.instead[:12]
    click.echo(f"instead: release {other} may come in: f0ci plan {found.environment} --release {other}")


@click.command()
@click.argument("environment", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most this many.")
@click.option("--events", "every", is_flag=True, help="Show every event, also the steps that promotions went through.")
@offline_option
@format_option("text", "json")
@click.pass_context
def history(
    ctx: click.Context, environment: str | None, limit: int, every: bool, offline: bool, output_format: str
) -> int:
    """List what happened, newest first: promotions, approvals, holds, quarantines, repairs.

    \b
    Example:
      f0ci history prod
      f0ci history prod --events --limit 100
    """
    from f0ci.commands.looking import history_of
    from f0ci.promotion.chronicle import newest_first, of_promotion
    from f0ci.promotion.report import report_on

    found = history_of(root_of(ctx), environment, limit=limit, every=every, fetch=not offline)
    if output_format == "json":
        records = [
            {
                **{key: value for key, value in report_on(one).to_json().items() if key != "next"},
                "purpose": one.purpose,
                "requested_by": one.requested_by,
                "changed_at": format_time(one.changed_at),
            }
            for one in found.promotions
        ]
        print_json({"version": 1, "promotions": records, "events": [one.to_json() for one in found.events]})
        return ExitCode.DONE
    happened = found.events if every else newest_first((*map(of_promotion, found.promotions), *found.events), limit)
    print_table(
        ("when", "where", "release", "what", "state", "by", "why"),
        [
            (
                format_time(one.time),
                one.promotion or one.environment or "all",
                one.release[:12] if one.release else "-",
                one.what,
                colour(one.state),
                escape_controls(one.by.partition(" <")[0]),
                escape_controls(one.reason),
            )
            for one in happened
        ],
    )
    return ExitCode.DONE
