"""`f0ci audit verify` and `f0ci audit export`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from f0ci.cli.looking import offline_option
from f0ci.cli.output import format_option, print_json, root_of
from f0ci.cli.width import print_line
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode


@click.group()
def audit() -> None:
    """Verify the history, or print it as evidence.

    \b
    Example:
      f0ci audit verify
    """


@audit.command(short_help="Print evidence for auditors.")
@click.option("--environment", help="Only this environment; all by default.")
@click.option("--from", "start", type=click.DateTime(["%Y-%m-%d"]), help="From this day on (UTC).")
@click.option("--to", "end", type=click.DateTime(["%Y-%m-%d"]), help="Up to this day, included (UTC).")
@offline_option
@format_option("csv", "json")
@click.pass_context
def export(
    ctx: click.Context,
    environment: str | None,
    start: datetime | None,
    end: datetime | None,
    offline: bool,
    output_format: str,
) -> int:
    """Print evidence for auditors: each event with the SOC 2 and ISO 27001 controls that it serves.

    \b
    Example:
      f0ci audit export --environment prod --from 2026-01-01 --to 2026-12-31 > evidence.csv
    """
    from f0ci.commands.auditing import export_evidence
    from f0ci.promotion.audit.exporting import to_csv

    rows = export_evidence(
        root_of(ctx),
        environment,
        start=start.replace(tzinfo=UTC) if start else None,
        end=end.replace(tzinfo=UTC) + timedelta(days=1) if end else None,
        fetch=not offline,
    )
    if output_format == "json":
        print_json({"version": 1, "rows": [row.to_json() for row in rows]})
    else:
        click.echo(to_csv(rows), nl=False)
    return ExitCode.DONE


@audit.command(short_help="Check every ledger and every signature.")
@click.option("--since", multiple=True, metavar="COMMIT", help="Tip of a ledger known from elsewhere; may be repeated.")
@offline_option
@format_option("text", "json")
@click.pass_context
def verify(ctx: click.Context, since: tuple[str, ...], offline: bool, output_format: str) -> int:
    """Check every ledger, environment and approval; exit 1 where something was tampered with.

    What was verified before in this clone, tips given with --since, and what other ledgers, environments and signed
    approvals quote, must all still be there.

    \b
    Example:
      f0ci audit verify --offline
      f0ci audit verify --since 3f1c0a9d4b7e
    """
    from f0ci.commands.auditing import verify_repository

    report = verify_repository(root_of(ctx), fetch=not offline, since=since)
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "findings": [{"kind": one.kind, "place": one.place, "message": one.message} for one in report.findings],
                "events": report.ledgers,
                "commits": report.commits,
                "approvals": report.approvals,
                "anchor": report.anchor,
                "unanchored": report.unanchored,
            }
        )
    else:
        for one in report.findings:
            print_line(f"{click.style('tampering', fg='red')} {one.kind}: {one.place}: {one.message}")
        events = sum(report.ledgers.values())
        click.echo(
            f"{counted(events, 'event')}, {counted(report.commits, 'environment commit')} and "
            f"{counted(report.approvals, 'signature')} checked: "
            + (
                counted(len(report.findings), "finding")
                if report.findings
                else click.style("no tampering found", fg="green")
            )
        )
        for ref, count in report.unanchored.items():
            newest = "event is" if count == 1 else f"{count} events are"
            print_line(f"not detectable: whether {ref} goes on; its newest {newest} quoted nowhere yet")
        print_line(f"anchor: {report.anchor}")
    return ExitCode.FINDINGS if report.findings else ExitCode.DONE
