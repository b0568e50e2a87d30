"""`f0ci audit verify`."""

from __future__ import annotations

import click

from f0ci.cli.looking import offline_option
from f0ci.cli.output import format_option, print_json, root_of
from f0ci.core.errors import ExitCode


@click.group()
def audit() -> None:
    """Verify the history.

    \b
    Example:
      f0ci audit verify
    """


@audit.command()
@offline_option
@format_option("text", "json")
@click.pass_context
def verify(ctx: click.Context, offline: bool, output_format: str) -> int:
    """Check every ledger, environment and approval; exit 1 where something was tampered with.

    \b
    Example:
      f0ci audit verify --offline
    """
    from f0ci.commands.auditing import verify_repository

    report = verify_repository(root_of(ctx), fetch=not offline)
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
            click.echo(f"{click.style('tampering', fg='red')} {one.kind}: {one.place}: {one.message}")
        events = sum(report.ledgers.values())
        click.echo(
            f"{events} events, {report.commits} environment commits and {report.approvals} signatures checked: "
            + (f"{len(report.findings)} findings" if report.findings else click.style("no tampering found", fg="green"))
        )
        for ref, count in report.unanchored.items():
            newest = "event is" if count == 1 else f"{count} events are"
            click.echo(f"not detectable: whether {ref} goes on; its newest {newest} quoted nowhere yet")
        click.echo(f"anchor: {report.anchor}")
    return ExitCode.FINDINGS if report.findings else ExitCode.DONE
