"""`f0ci run`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from f0ci.cli.output import colour, format_option, print_json, root_of, say
from f0ci.core.errors import ExitCode, UsageError
from f0ci.core.outcome import Outcome

_EXIT = {
    Outcome.SKIPPED: ExitCode.DONE,
    Outcome.PASSED: ExitCode.DONE,
    Outcome.WAITING: ExitCode.WAITING,
    Outcome.INCONCLUSIVE: ExitCode.WAITING,
    Outcome.ERRORED: ExitCode.FINDINGS,
    Outcome.FAILED: ExitCode.FINDINGS,
}


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("-e", "--environment", help="Whose configuration `config` is.")
@click.option(
    "-p", "--param", "--params", "parameters", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated."
)
@click.option("--only", metavar="STEPS", help="Only these steps, separated by commas.")
@click.option("--skip", metavar="STEPS", help="Without these steps, separated by commas.")
@click.option("--continue-on-error", is_flag=True, help="Run what does not depend on a failed step.")
@click.option("--step-timeout", type=float, metavar="SECONDS", help="For steps that name no time of their own.")
@click.option("--max-retries", type=int, help="Tries after the first, for steps that name none.")
@click.option("--retry-delay", type=float, metavar="SECONDS", help="Between tries, for steps that name none.")
@click.option("--dry-run", is_flag=True, help="Show what would run.")
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@format_option("text", "json")
@click.pass_context
def run(
    ctx: click.Context,
    recipe: Path,
    environment: str | None,
    parameters: tuple[str, ...],
    only: str | None,
    skip: str | None,
    continue_on_error: bool,
    step_timeout: float | None,
    max_retries: int | None,
    retry_delay: float | None,
    dry_run: bool,
    quiet: bool,
    output_format: str,
) -> int:
    """Run RECIPE here; exit 1 where a step failed.

    \b
    Example:
      f0ci run recipes/greet_everybody.yaml -e dev -p name=Ada
    """
    from f0ci.commands.running import plan_run, read_parameters, recipe_path
    from f0ci.commands.running import run as run_it
    from f0ci.recipes.records import to_json
    from f0ci.runner.options import RunOptions

    root = root_of(ctx)
    path = recipe_path(root, ctx.find_root().obj, recipe)
    options = RunOptions(
        only=_names(only),
        skip=_names(skip),
        continue_on_error=continue_on_error,
        step_timeout=step_timeout,
        max_retries=max_retries,
        retry_delay=retry_delay,
    )
    given = read_parameters(root, path, dict(_split(text) for text in parameters))
    if dry_run:
        plan = plan_run(root, path, environment, given, options)
        if output_format == "json":
            print_json(plan.to_json())
        else:
            _print_plan(plan.steps)
        return ExitCode.DONE
    record = run_it(root, path, environment, given, options=options, on_event=None if quiet else _progress)
    if output_format == "json":
        print_json(to_json(record))
        return _EXIT[record.outcome]
    click.echo(f"run {record.run}: {record.recipe} {colour(str(record.outcome))} in {record.seconds:.1f} s")
    for name, step in _flat(record.steps):
        detail = f": {step.message}" if step.message else ""
        tries = f", {step.attempts} tries" if step.attempts > 1 else ""
        click.echo(f"  {colour(str(step.outcome)):<7} {name} ({step.seconds:.1f} s{tries}){detail}")
        for line in step.output.splitlines():
            click.echo(f"      | {line}")
    if record.message:
        click.echo(f"  {record.message}")
    return _EXIT[record.outcome]


def describe(event: Any) -> str | None:
    """Return an event of a run in words, or None where it is not worth a line."""
    kind = type(event).__name__
    if kind == "StepStarted":
        return f"> {event.step}"
    if kind == "StepRetried":
        return f"~ {event.step}: try {event.attempt} of {event.attempts} failed: {event.message}"
    if kind == "StepEnded":
        message = f": {event.message}" if event.message and event.outcome is not Outcome.PASSED else ""
        return f"{colour(str(event.outcome))} {event.step} ({event.seconds:.1f} s){message}"
    if kind == "StepSkipped":
        return f"{colour('skipped')} {event.step}: {event.reason}"
    return f"note {event.step}: {event.text}" if kind == "StepNoted" else None


def _print_plan(steps: Any, indent: str = "") -> None:
    for step in steps:
        place = f"{step.stage}." if step.stage else "!"
        word = {True: "runs", False: "does not run", None: "may run"}[step.runs]
        reason = f" ({step.reason})" if step.reason else ""
        action = step.action.splitlines()[0] if step.action else ""
        click.echo(f"{indent}{place} {step.name}: {word}{reason}: {step.kind} {action}".rstrip())
        _print_plan(step.steps, indent + "   ")


def _progress(event: Any) -> None:
    text = describe(event)
    if text:
        say(text)


def _flat(steps: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for step in steps:
        yield f"{prefix}{step.name}", step
        yield from _flat(step.steps, f"{prefix}{step.name}/")


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip()) if text else ()


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{text!r} is not a parameter", "write -p name=value")
    return name.strip(), value
