"""`f0ci analysis`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from f0ci.cli.durations import SOME_TIME
from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.cli.width import print_table
from f0ci.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from f0ci.analysis.replaying import Rates


class Moment(click.ParamType[datetime]):
    """A moment such as 2026-11-21T09:30:00Z, a day, or a span of time before now."""

    name = "moment"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that a text names."""
        from f0ci.core.clock import SystemClock
        from f0ci.core.duration import parse_duration

        if isinstance(value, datetime):
            return value
        text = str(value)
        now = SystemClock().now()
        if text == "now":
            return now
        try:
            return now - parse_duration(text)
        except ValueError:
            pass
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self.fail(
                f"{text!r} is no moment; write 2026-11-21T09:30:00Z, 2026-11-21, 7d (before now) or now", param, ctx
            )
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@click.group()
def analysis() -> None:
    """Try conditions on what was measured before.

    \b
    Example:
      f0ci analysis replay workflow.yaml --from 7d --to now
    """


@analysis.command(short_help="Judge recorded history by the conditions.")
@click.argument("workflow")
@click.option("--from", "start", type=Moment(), required=True, help="The first moment, or how long ago it was.")
@click.option("--to", "end", type=Moment(), default="now", show_default=True, help="The last moment.")
@click.option("--environment", help="Only this environment.")
@click.option("--window", type=SOME_TIME, help="How long each window is; by default what the stage watches.")
@click.option("--every", type=SOME_TIME, help="Time between looks, for metrics without an interval.")
@click.option("--data", type=click.Path(), help="A CSV file that answers instead of the metrics' providers.")
@click.option("--promotions", is_flag=True, help="Replay what was promoted, not one window after the other.")
@click.option("--inject", "injections", multiple=True, help="A regression to put in: metric=5%, metric=*2.")
@click.option("--after", type=SOME_TIME, help="How long after a window's beginning it begins; by default a third.")
@click.option("--seed", type=int, default=1, show_default=True, help="Where chance begins.")
@click.option("--plot", type=click.Path(path_type=Path), help="Write a drawing (SVG) to this file.")
@format_option("text", "json")
@click.pass_context
def replay(ctx: click.Context, /, plot: Path | None, output_format: str, **asked: Any) -> int:
    """Judge recorded history by a workflow's conditions, as if each window were a promotion.

    Says how often what was healthy would have been rolled back, how soon regressions that are put in would have been
    found, and how often there would have been no verdict.

    \b
    Example:
      f0ci analysis replay workflow.yaml --from 30d --inject error_rate=5% --plot replay.svg
      f0ci analysis replay workflow.yaml --from 2026-11-01 --to 2026-11-21 --data history.csv
    """
    from f0ci.commands.drawing import drawing
    from f0ci.commands.replaying import ReplayRequest, replay_gates
    from f0ci.core.duration import format_duration
    from f0ci.core.files import write_atomically

    if plot is not None and plot.suffix.lower() != ".svg":
        raise UsageError(f"a drawing is an SVG file, and {str(plot)!r} is called otherwise", "name it replay.svg")
    replayed = replay_gates(root_of(ctx), ReplayRequest(**asked))
    if plot is not None:
        write_atomically(plot, drawing(replayed).encode())
        say(f"wrote {plot}")
    if output_format == "json":
        print_json({"version": 1, "environments": [one.to_json() for one in replayed]})
        return ExitCode.DONE
    rows = []
    for one in replayed:
        length = format_duration(one.window)
        rows.append((one.environment, f"healthy, {length} each", *_row(one.healthy), "-", "-"))
        if one.bad is not None:
            rows.append((one.environment, "known to be bad", *_row(one.bad), "-", "-"))
        for name, found in one.injected.items():
            rows.append((one.environment, name, *_row(found), _seconds(found.delay(0.5)), _seconds(found.delay(0.95))))
    headings = ("environment", "what", "windows", "rolled back", "at most", "undecided", "delay, median", "delay, 95 %")
    print_table(headings, rows)
    for one in replayed:
        for span in one.spans:
            if span.outcome == "failed" or (span.outcome == "undecided" and not one.healthy.failed):
                when = f"{span.outcome} at {span.at:%Y-%m-%dT%H:%M:%SZ}"
                say(f"{one.environment}, {span.span.name}: {when}: {span.reasons[0]}")
    return ExitCode.DONE


def _row(found: Rates) -> tuple[str, str, str, str]:
    if not found.count:
        return "0", "-", "-", "-"
    share = f"{found.failed} ({found.failed / found.count:.1%})"
    return str(found.count), share, f"{found.highest:.1%}", f"{found.undecided} ({found.undecided / found.count:.1%})"


def _seconds(value: float | None) -> str:
    from f0ci.core.duration import format_duration

    return "-" if value is None else format_duration(timedelta(seconds=value))
