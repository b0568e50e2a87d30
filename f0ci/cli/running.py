"""`f0ci run`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from f0ci.cli.durations import DURATION
from f0ci.cli.output import colour, format_option, print_json, root_of, say
from f0ci.cli.progress import progress
from f0ci.cli.recording import journal_option
from f0ci.core.errors import ExitCode, UsageError
from f0ci.core.outcome import Outcome

if TYPE_CHECKING:
    from datetime import timedelta

    from f0ci.recipes.records import RunRecord
    from f0ci.runner.options import RunOptions

_EXIT = {
    Outcome.SKIPPED: ExitCode.DONE,
    Outcome.PASSED: ExitCode.DONE,
    Outcome.WAITING: ExitCode.WAITING,
    Outcome.INCONCLUSIVE: ExitCode.WAITING,
    Outcome.ERRORED: ExitCode.FINDINGS,
    Outcome.FAILED: ExitCode.FINDINGS,
}


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path), required=False)
@click.option("--recipe", "recipe_option", type=click.Path(path_type=Path), help="The same as RECIPE.")
@click.option("-e", "--environment", help="Whose configuration `config` is.")
@click.option("--release", help="Which release it is for: `release` in expressions, records and spans.")
@click.option("-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@click.option("--params", "more", multiple=True, metavar="NAME=VALUE,...", help="Several parameters.")
@click.option("--resume", "resumed", metavar="RUN", help="Take a run further instead of starting one.")
@click.option("--run-id", metavar="ID", help="The run's id; starting it twice is the same as once.")
@click.option("--from", "start_from", metavar="STEP", help="Begin with this step; with --resume, run it again.")
@click.option("--only", metavar="STEPS", help="Only these steps, separated by commas.")
@click.option("--skip", metavar="STEPS", help="Without these steps, separated by commas.")
@click.option("--continue-on-error", is_flag=True, help="Run what does not depend on a failed step.")
@click.option("--step-timeout", type=DURATION, metavar="DURATION", help="For steps that name no time of their own.")
@click.option("--max-retries", type=int, help="Tries after the first, for steps that name none.")
@click.option("--retry-delay", type=DURATION, metavar="DURATION", help="Between tries, for steps that name none.")
@click.option("--parallel", type=int, default=4, show_default=True, help="Steps that run at the same time at most.")
@click.option("--isolation", type=click.Choice(["process", "thread"]), help="For steps that name none.")
@click.option(
    "--wait", "patience", type=DURATION, metavar="DURATION", help="Stay with a run that waits, at most so long: 30m."
)
@click.option("--queue", metavar="NAME", help="Hand it to the workers of this queue (needs --engine and --release).")
@click.option("--priority", type=click.IntRange(0), default=0, help="In the queue; smaller ones first.")
@click.option("--detach", is_flag=True, help="Hand it over and do not look on.")
@click.option("--here", is_flag=True, help="Run it here, although f0ci.yaml names a queue.")
@click.option("--dry-run", is_flag=True, help="Show what would run.")
@click.option("--events", type=click.Path(path_type=Path, dir_okay=False), help="Add events to this JSONL file.")
@click.option("--otel", is_flag=True, help="Send OpenTelemetry spans (needs f0ci[otel]).")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.option("--debug", is_flag=True, help="Plain progress, and what every step printed.")
@journal_option
@format_option("text", "json")
@click.pass_context
def run(
    ctx: click.Context, /, recipe: Path | None, recipe_option: Path | None, output_format: str, **given: Any
) -> int:
    """Run RECIPE here, or take a run further; exit 1 where a step failed, 5 where the run waits.

    Everything is recorded as it happens: a run that was killed goes on with --resume, after the last recorded step.

    \b
    Example:
      f0ci run recipes/greet_everybody.yaml -e dev -p name=Ada
      f0ci run --resume 20261121T093000Z-1f2e3d4c
    """
    if recipe is not None and recipe_option is not None:
        raise UsageError("the recipe is given twice", "name it once")
    recipe = recipe or recipe_option
    if (recipe is None) == (given["resumed"] is None):
        raise UsageError("a run needs a recipe, or --resume RUN", "see `f0ci run --help`")
    texts = parameters_of((*given["parameters"], *_several(given["more"])))
    root = root_of(ctx)
    if recipe is None:
        return _resume(root, texts, given, output_format)
    from f0ci.commands.running import plan_run, read_parameters, recipe_path
    from f0ci.commands.running import run as run_it

    path = recipe_path(root, ctx.find_root().obj, recipe)
    options = _options(given)
    values = read_parameters(root, path, texts)
    told = {"f0ci.environment": given["environment"], "f0ci.release": given["release"], "f0ci.run": options.run}
    if given["dry_run"]:
        plan = plan_run(root, path, given["environment"], values, options)
        if output_format == "json":
            print_json(plan.to_json())
        else:
            _print_plan(plan.steps)
        return ExitCode.DONE
    if given["here"] and given["queue"]:
        raise UsageError("--here and --queue contradict each other", "leave one of them out")
    with _interruptible(), _listening(path, given, told) as tell:
        record = run_it(
            root,
            path,
            given["environment"],
            values,
            options=options,
            on_event=tell,
            journal=given["journal"],
            queue=False if given["here"] else given["queue"],
            priority=given["priority"],
            attend=not given["detach"],
        )
        if given["detach"]:
            return _handed_over(record, output_format)
        record = _stay(root, record, given, tell)
    return report(record, output_format)


def _handed_over(record: RunRecord, output_format: str) -> int:
    from f0ci.recipes.records import to_json

    if output_format == "json":
        print_json(to_json(record))
    else:
        click.echo(f"run {record.run} is handed over")
        say(f"look on with `f0ci run --resume {record.run}`, or `f0ci runs show {record.run}`")
    return ExitCode.DONE


def _resume(root: Path, texts: dict[str, str], given: dict[str, Any], output_format: str) -> int:
    from f0ci.commands.running import resume
    from f0ci.commands.runs import known_run

    for name in ("environment", "release", "run_id", "only", "skip", "dry_run", "queue", "priority", "detach", "here"):
        if given[name]:
            option = "--" + name.replace("_", "-")
            raise UsageError(f"a run that goes on keeps its own {option}", f"leave {option} out")
    row = known_run(root, given["resumed"], journal=given["journal"])
    told = {"f0ci.environment": row.environment, "f0ci.release": row.release, "f0ci.run": row.run}
    with _interruptible(), _listening(row.recipe, given, told) as tell:
        record = resume(
            root,
            row.run,
            parameters=texts,
            start_from=given["start_from"],
            on_event=tell,
            journal=given["journal"],
        )
        record = _stay(root, record, given, tell)
    return report(record, output_format)


def _options(given: dict[str, Any]) -> RunOptions:
    from f0ci.runner.options import RunOptions

    return RunOptions(
        only=_names(given["only"]),
        skip=_names(given["skip"]),
        continue_on_error=given["continue_on_error"],
        step_timeout=_seconds(given["step_timeout"]),
        max_retries=given["max_retries"],
        retry_delay=_seconds(given["retry_delay"]),
        parallel=given["parallel"],
        run=_own_id(given) if given["run_id"] is None else given["run_id"],
        release=given["release"],
        start_from=given["start_from"],
        isolation=given["isolation"],
    )


def _own_id(given: dict[str, Any]) -> str | None:
    """Return an id where a trace has to name the run before it is made."""
    if not given["otel"]:
        return None
    from f0ci.core.clock import SystemClock
    from f0ci.runner.executing import new_id

    return new_id(SystemClock().now())


def _seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Say how a run goes on that somebody interrupts."""
    try:
        yield
    except KeyboardInterrupt as stop:
        record = getattr(stop, "record", None)
        if record is not None:
            say(f"what was running is ended; go on with `f0ci run --resume {record.run}`")
        raise


@contextmanager
def _listening(
    title: str, given: dict[str, Any], told: dict[str, str | None]
) -> Iterator[Callable[[Any], None] | None]:
    """Give a listener for everybody who wants to know: the user, a file, a trace (with what is told of the run)."""
    listeners: list[Callable[[Any], object]] = []
    with ExitStack() as stack:
        if given["events"] is not None:
            from f0ci.runner.event_log import event_log

            listeners.append(stack.enter_context(event_log(given["events"], {"run_of": title})))
        if given["otel"]:
            from f0ci.runner.telemetry import spans

            listeners.append(stack.enter_context(spans(title, told, tell=say)))
        if not given["quiet"]:
            live = False if given["debug"] else None
            listeners.append(stack.enter_context(progress(title, live=live)))

        def tell(event: Any) -> None:
            for listener in listeners:
                listener(event)

        yield tell if listeners else None


def _stay(root: Path, record: RunRecord, given: dict[str, Any], tell: Callable[[Any], None] | None) -> RunRecord:
    if given["patience"] is None or record.outcome is not Outcome.WAITING:
        return record
    from f0ci.commands.running import stay_with

    return stay_with(root, record, given["patience"].total_seconds(), on_event=tell, journal=given["journal"])


def report(record: RunRecord, output_format: str) -> int:
    """Print how a run stands and return the command's exit code."""
    from f0ci.recipes.records import to_json

    if output_format == "json":
        print_json(to_json(record))
        return _EXIT[record.outcome]
    print_record(record)
    if record.outcome is Outcome.WAITING:
        _say_answers(record)
        when = "" if record.next_check is None else f", from {record.next_check:%Y-%m-%dT%H:%M:%SZ} on"
        say(f"go on with `f0ci run --resume {record.run}`{when}")
    return _EXIT[record.outcome]


def _say_answers(record: RunRecord) -> None:
    """Say how to tell each waiting step what it waits for, where a person can."""
    from f0ci.runner.steps.wait import answer_to

    for name, step in _flat(record.steps):
        answer = answer_to(step.message) if step.outcome is Outcome.WAITING and not step.steps else None
        if answer is not None:
            say(f"tell it with `f0ci runs send {record.run} {name} {answer}`")


def print_record(record: RunRecord) -> None:
    """Print the record of a run to stdout."""
    click.echo(f"run {record.run}: {record.recipe} {colour(str(record.outcome))} in {record.seconds:.1f} s")
    for name, step in _flat(record.steps):
        detail = f": {step.message}" if step.message else ""
        tries = f", {step.attempts} tries" if step.attempts > 1 else ""
        click.echo(f"  {colour(str(step.outcome)):<7} {name} ({step.seconds:.1f} s{tries}){detail}")
        for line in step.output.splitlines():
            click.echo(f"      | {line}")
    if record.message:
        click.echo(f"  {record.message}")


def _print_plan(steps: Any, indent: str = "") -> None:
    for step in steps:
        place = f"{step.stage}." if step.stage else "!"
        word = {True: "runs", False: "does not run", None: "may run"}[step.runs]
        reason = f" ({step.reason})" if step.reason else ""
        action = step.action.splitlines()[0] if step.action else ""
        click.echo(f"{indent}{place} {step.name}: {word}{reason}: {step.kind} {action}".rstrip())
        _print_plan(step.steps, indent + "   ")


def _flat(steps: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for step in steps:
        yield f"{prefix}{step.name}", step
        yield from _flat(step.steps, f"{prefix}{step.name}/")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _several(texts: tuple[str, ...]) -> Iterator[str]:
    """Yield `a=1` and `b=2` of `a=1,b=2`; a comma inside a value stays."""
    for text in texts:
        yield from re.split(r",(?=\s*[\w.-]+\s*=)", text)


def parameters_of(texts: Iterable[str]) -> dict[str, str]:
    """Return parameters that were written as `name=value`.

    Raises:
        UsageError: one of them is not.
    """
    return dict(_split(text) for text in texts)


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{text!r} is not a parameter", "write -p name=value")
    return name.strip(), value
