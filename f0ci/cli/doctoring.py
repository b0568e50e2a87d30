"""`f0ci doctor`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import format_option, print_json, root_of
from f0ci.cli.recording import journal_option
from f0ci.cli.width import print_line
from f0ci.core.errors import ExitCode

_MARKS = {"passed": ("ok", "green"), "skipped": ("--", "bright_black"), "waiting": ("!!", "yellow")}


@click.command()
@journal_option
@format_option("text", "json")
@click.pass_context
def doctor(ctx: click.Context, journal: Path | None, output_format: str) -> int:
    """Check Git, the remote, branches, keys, clock, versions, runs and pipelines; exit 3 where one cannot work.

    \b
    Example:
      f0ci doctor
    """
    from f0ci.commands.doctoring import examine_repository

    checks = examine_repository(root_of(ctx), journal=journal)
    if output_format == "json":
        print_json({"version": 1, "checks": [check.to_json() for check in checks]})
    else:
        for check in checks:
            mark, colour = _MARKS.get(str(check.outcome), ("XX", "red"))
            print_line(f"{click.style(mark, fg=colour)} {check.name}: {check.message}", hang=3)
            if check.mend:
                print_line(f"   mend: {check.mend}")
    failed = any(str(check.outcome) == "failed" for check in checks)
    return ExitCode.CANNOT_WORK if failed else ExitCode.DONE
