"""`f0ci runs` and `f0ci context`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from f0ci.cli.output import colour, format_option, print_json, root_of, say
from f0ci.cli.recording import journal_option
from f0ci.cli.width import print_table
from f0ci.core.clock import format_time
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode, F0ciError, UsageError

if TYPE_CHECKING:
    from f0ci.runner.history import RunHistory

_WIDTH = 40

# what `f0ci.runner.runs` records; written out here so that `--help` imports nothing
STATES = (
    "queued",
    "running",
    "waiting",
    "stopped",
    "passed",
    "skipped",
    "failed",
    "errored",
    "inconclusive",
    "cancelled",
)


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Only runs in this state.")
@click.option("--recipe", help="Only runs of this file.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="So many at most.")
@journal_option
@format_option("text", "json", "csv")
@click.pass_context
def runs(
    ctx: click.Context, state: str | None, recipe: str | None, limit: int, journal: Path | None, output_format: str
) -> int:
    """List runs, newest first.

    \b
    Example:
      f0ci runs --state waiting
      f0ci runs show 20261121T093000Z-1f2e3d4c
    """
    if ctx.invoked_subcommand is not None:
        return ExitCode.DONE
    from f0ci.commands.runs import known_runs

    found = known_runs(root_of(ctx), journal=journal, state=state, recipe=recipe, limit=limit)
    if output_format == "json":
        print_json({"version": 1, "runs": [row.to_json() for row in found]})
        return ExitCode.DONE
    if not found and output_format == "text":
        say("no runs")
        return ExitCode.DONE
    headings: tuple[str, ...] = ("run", "recipe", "environment", "state", "started", "seconds", "promotion", "message")
    rows: list[tuple[str, ...]] = [
        (
            row.run,
            row.recipe,
            row.environment or "",
            row.state,
            format_time(row.created),
            f"{row.seconds:.1f}",
            row.promotion or "",
            row.message,
        )
        for row in found
    ]
    if output_format == "text":
        # a terminal is narrow: what no run has is left out; the state always stands
        kept = [column for column in range(len(headings)) if any(row[column] for row in rows)]
        headings = tuple(headings[column] for column in kept)
        rows = [tuple(row[column] for column in kept) for row in rows]
    _print_rows(headings, rows, output_format, coloured=headings.index("state"))
    return ExitCode.DONE


@runs.command(short_help="Show how a run went, step by step.")
@click.argument("run")
@journal_option
@format_option("text", "json", "csv")
@click.pass_context
def show(ctx: click.Context, run: str, journal: Path | None, output_format: str) -> int:
    """Show how RUN went, step by step, on a line of time.

    \b
    Example:
      f0ci runs show 20261121T093000Z-1f2e3d4c --format json
    """
    from f0ci.commands.runs import show_run

    history = show_run(root_of(ctx), run, journal=journal)
    if output_format == "json":
        print_json(history.to_json())
    elif output_format == "csv":
        steps = [step.to_json() for step in history.timeline]
        names = ("path", "kind", "outcome", "started", "ended", "seconds", "attempts", "message")
        _print_rows(names, [[step[name] for name in names] for step in steps], "csv")
    else:
        _print_history(history)
    return ExitCode.DONE


@runs.command(short_help="Tell a waiting step what it waits for.")
@click.argument("run")
@click.argument("step")
@click.option("--approve", "kind", flag_value="approve", help="Let it go on.")
@click.option("--reject", "kind", flag_value="reject", help="Let it fail.")
@click.option("--event", metavar="NAME", help="Tell it of an event.")
@click.option("--data", default="null", help="What the event carries, as JSON.")
@click.option("--by", "who", help="Who says so, believed as typed; by default the user of Git.")
@click.option("--reason", help="Why.")
@click.option("--key", help="Makes sending it twice the same as once.")
@click.option("--go-on/--later", default=True, help="Take the run further at once.")
@click.option(
    "-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A sensitive parameter, given again."
)
@journal_option
@format_option("text", "json")
@click.pass_context
def send(ctx: click.Context, /, run: str, step: str, output_format: str, **given: Any) -> int:
    """Tell the STEP of RUN that waits what it waits for, and take the run further.

    \b
    Example:
      f0ci runs send 20261121T093000Z-1f2e3d4c ask-ops --approve --by alice
    """
    from f0ci.cli.running import parameters_of, report
    from f0ci.commands.running import resume
    from f0ci.commands.runs import read_value
    from f0ci.commands.runs import send as send_it

    if (given["kind"] is None) == (given["event"] is None):
        raise UsageError("say what to send", "give one of --approve, --reject and --event NAME")
    root = root_of(ctx)
    texts = parameters_of(given["parameters"])
    event = {"name": given["event"], "data": read_value(given["data"])}
    fresh = send_it(
        root,
        run,
        step,
        given["kind"] or "event",
        who=given["who"] or _user(),
        data=given["reason"] if given["kind"] else event,
        key=given["key"],
        journal=given["journal"],
    )
    if not fresh:
        say(f"{given['key']!r} was sent before")
    if not given["go_on"]:
        return ExitCode.DONE
    try:
        record = resume(root, run, parameters=texts, journal=given["journal"])
    except F0ciError:
        say("it is recorded, so it need not be sent again; taking the run further did not work:")
        raise
    return report(record, output_format)


@runs.command(short_help="Have a run end.")
@click.argument("run")
@click.option("--reason", default="somebody cancelled it", show_default=True, help="Why.")
@journal_option
@click.pass_context
def cancel(ctx: click.Context, run: str, reason: str, journal: Path | None) -> int:
    """Have RUN end: at once where it waits, within seconds where it is carried on.

    \b
    Example:
      f0ci runs cancel 20261121T093000Z-1f2e3d4c --reason "wrong release"
    """
    from f0ci.commands.runs import cancel as cancel_it

    row = cancel_it(root_of(ctx), run, reason, journal=journal)
    words = "is told to end" if row.state == "running" else f"is {row.state}"
    click.echo(f"run {row.run} {words}")
    return ExitCode.DONE


@runs.command(short_help="Forget runs that are over.")
@click.option("--older-than", required=True, metavar="TIME", help="Over for so long, as 30d, 12h or 2w.")
@click.option("--dry-run", is_flag=True, help="Only show which.")
@journal_option
@format_option("text", "json")
@click.pass_context
def prune(ctx: click.Context, /, older_than: str, dry_run: bool, journal: Path | None, output_format: str) -> int:
    """Forget runs that are over, with all that is recorded of them; what waits or can go on stays.

    \b
    Example:
      f0ci runs prune --older-than 30d --dry-run
    """
    from f0ci.commands.runs import prune as prune_them
    from f0ci.core.duration import parse_duration

    try:
        age = parse_duration(older_than)
    except ValueError as error:
        raise UsageError(f"--older-than is {older_than!r}: {error}", "write 30d, 12h or 2w") from error
    found = prune_them(root_of(ctx), age, dry_run=dry_run, journal=journal)
    if output_format == "json":
        print_json({"version": 1, "pruned": not dry_run, "runs": [row.to_json() for row in found]})
        return ExitCode.DONE
    for row in found:
        click.echo(f"{row.run} {row.recipe} {colour(row.state)} {format_time(row.ended or row.created)}")
    say(f"{counted(len(found), 'run')} {'would be ' if dry_run else ''}forgotten")
    return ExitCode.DONE


@click.group()
def context() -> None:
    """Read and change the values that the steps of a run share.

    \b
    Example:
      f0ci context list 20261121T093000Z-1f2e3d4c
    """


@context.command("get")
@click.argument("run")
@click.argument("key")
@journal_option
@click.pass_context
def get_value(ctx: click.Context, run: str, key: str, journal: Path | None) -> int:
    """Print the value of KEY in RUN, as JSON.

    \b
    Example:
      f0ci context get 20261121T093000Z-1f2e3d4c numbers.stats_v1
    """
    from f0ci.commands.runs import get_context

    print_json(get_context(root_of(ctx), run, key, journal=journal))
    return ExitCode.DONE


@context.command("set", short_help="Change a value.")
@click.argument("run")
@click.argument("key")
@click.argument("value")
@click.option("--by", "who", help="Who says so, believed as typed; by default the user of Git.")
@journal_option
@click.pass_context
def set_value(ctx: click.Context, run: str, key: str, value: str, who: str | None, journal: Path | None) -> int:
    """Give KEY in RUN, which must not be over, a VALUE: JSON, or text.

    \b
    Example:
      f0ci context set 20261121T093000Z-1f2e3d4c limits.rows 500
    """
    from f0ci.commands.runs import read_value, set_context

    set_context(root_of(ctx), run, key, read_value(value), who=who or _user(), journal=journal)
    return ExitCode.DONE


@context.command("list")
@click.argument("run")
@journal_option
@format_option("text", "json", "csv")
@click.pass_context
def list_values(ctx: click.Context, run: str, journal: Path | None, output_format: str) -> int:
    """Print every value of RUN.

    \b
    Example:
      f0ci context list 20261121T093000Z-1f2e3d4c --format csv
    """
    from f0ci.commands.runs import get_context

    values = get_context(root_of(ctx), run, journal=journal)
    if output_format == "json":
        print_json(values)
    else:
        _print_rows(("key", "value"), list(values.items()), output_format)
    return ExitCode.DONE


@context.command("history", short_help="Print every change of the values.")
@click.argument("run")
@click.option("--key", help="Only changes of this key.")
@journal_option
@format_option("text", "json", "csv")
@click.pass_context
def show_history(ctx: click.Context, run: str, key: str | None, journal: Path | None, output_format: str) -> int:
    """Print every change of the values of RUN: which step, in which attempt, wrote what.

    \b
    Example:
      f0ci context history 20261121T093000Z-1f2e3d4c
    """
    from f0ci.commands.runs import get_context_history
    from f0ci.core.clock import format_exact
    from f0ci.runner.recalling import moment_of

    changes = [
        {**change.to_json(), "timestamp": format_exact(moment_of(change.time))}
        for change in get_context_history(root_of(ctx), run, journal=journal)
        if key in {None, change.key}
    ]
    if output_format == "json":
        print_json(changes)
        return ExitCode.DONE
    names = ("timestamp", "step", "attempt", "who", "key", "before", "after", "conflict")
    _print_rows(names, [[change[name] for name in names] for change in changes], output_format)
    return ExitCode.DONE


def _print_rows(headings: Any, rows: Any, output_format: str, coloured: int | None = None) -> None:
    from f0ci.runner.history import as_csv
    from f0ci.runner.steps.base import as_variable

    if output_format == "csv":
        click.echo(as_csv(headings, rows), nl=False)
        return
    texts = [[as_variable(value) for value in row] for row in rows]
    for row in texts if coloured is not None else ():
        row[coloured or 0] = colour(row[coloured or 0])
    print_table(headings, texts)


def _print_history(history: RunHistory) -> None:
    row = history.row
    where = f" in {row.environment}" if row.environment else ""
    click.echo(f"run {row.run}: {row.recipe}{where} {colour(row.state)} after {row.seconds:.1f} s")
    if row.message:
        click.echo(f"  {row.message}")
    times = [step for step in history.timeline if step.started is not None]
    begin = min((step.started.timestamp() for step in times if step.started), default=0.0)
    ends = [(step.ended or step.started).timestamp() for step in times if step.started]
    span = max([end - begin for end in ends], default=0.0) or 1.0
    width = max((len(step.path) for step in history.timeline), default=0)
    for step in history.timeline:
        if step.started is None:
            bar, words = " " * _WIDTH, ""
        else:
            first = round((step.started.timestamp() - begin) / span * (_WIDTH - 1))
            last = round(((step.ended or step.started).timestamp() - begin) / span * (_WIDTH - 1))
            bar = " " * first + "#" * (last - first + 1) + " " * (_WIDTH - 1 - last)
            tries = f", {step.attempts} tries" if step.attempts > 1 else ""
            words = f" {step.started.timestamp() - begin:.1f} s +{step.seconds:.1f} s{tries}"
        message = f": {step.message}" if step.message else ""
        click.echo(f"  {step.path:<{width}} |{bar}| {colour(step.outcome)}{words}{message}")
    for attempt in history.attempts:
        click.echo(f"  {attempt['path']}: try {attempt['attempt']} failed: {attempt['message']}")
    for signal in history.signals:
        click.echo(f"  {signal['step']}: {signal['kind']} by {signal['who'] or 'nobody named'}")
    if row.next_check is not None:
        click.echo(f"  `f0ci run --resume {row.run}` gets further from {format_time(row.next_check)} on")


def _user() -> str | None:
    import getpass
    import subprocess

    answer = subprocess.run(["git", "config", "user.name"], capture_output=True, text=True, check=False)
    if answer.returncode == 0 and answer.stdout.strip():
        return answer.stdout.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return None
