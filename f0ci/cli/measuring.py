"""`f0ci metrics`."""

from __future__ import annotations

from datetime import timedelta

import click

from f0ci.cli.durations import SOME_TIME
from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.cli.width import print_table
from f0ci.core.errors import ExitCode


@click.group()
def metrics() -> None:
    """Look at the metrics that decide about promotions.

    \b
    Example:
      f0ci metrics check prod
    """


@metrics.command(short_help="Ask every metric now.")
@click.argument("environment", required=False)
@click.option("--window", type=SOME_TIME, help="How far to look back; by default what the stage watches, or 5m.")
@format_option("text", "json")
@click.pass_context
def check(ctx: click.Context, environment: str | None, window: timedelta | None, output_format: str) -> int:
    """Ask every metric now, so that a misspelt one is found before a promotion.

    Exits with 1 where a metric cannot be measured, matches nothing, or matches several series.

    \b
    Example:
      f0ci metrics check
      f0ci metrics check prod --window 1h --format json
    """
    from f0ci.commands.measuring import check_metrics, shown_value
    from f0ci.core.duration import format_duration

    answers = check_metrics(root_of(ctx), environment, window)
    if output_format == "json":
        print_json({"version": 1, "metrics": [one.to_json() for one in answers]})
    elif not answers:
        say("no environment has checks")
    else:
        print_table(
            ("environment", "metric", "state", "value", "samples", "series", "window", ""),
            [
                (
                    one.environment,
                    one.metric,
                    click.style(one.state, fg="green" if one.is_sound else "red"),
                    shown_value(one.measurement),
                    str(one.measurement.samples) if one.measurement else "-",
                    str(one.measurement.series) if one.measurement else "-",
                    format_duration(one.window),
                    one.note,
                )
                for one in answers
            ],
        )
    return ExitCode.DONE if all(one.is_sound for one in answers) else ExitCode.FINDINGS
