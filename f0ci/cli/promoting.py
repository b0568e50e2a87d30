"""`f0ci plan` and `f0ci promote`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from f0ci.cli.apart import apart_options, desk_of, print_left
from f0ci.cli.durations import DURATION, SOME_TIME
from f0ci.cli.output import F, colour, format_option, once_met, print_json, print_ways, root_of, say
from f0ci.cli.width import print_line, terminal_width
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from f0ci.promotion.evidence import Evidence


@click.command()
@click.argument("environment")
@click.option("--release", metavar="RELEASE", help="Digest of the release, its beginning, or `latest` (the default).")
@click.option("--apart", is_flag=True, help="Run nothing of the repository: no command of a gate or a metric.")
@format_option("text", "json")
@click.pass_context
def plan(ctx: click.Context, environment: str, release: str | None, apart: bool, output_format: str) -> int:
    """Show what promoting a release into ENVIRONMENT would do, and the digest that approvals bind to.

    \b
    Example:
      f0ci plan prod
    """
    from f0ci.cli.looking import print_instead
    from f0ci.commands.planning import plan_environment
    from f0ci.render.difference import compare, to_json, to_text

    view = plan_environment(root_of(ctx), environment, release, apart=apart)
    difference = compare(view.base, view.files)
    if output_format == "json":
        print_json(
            {
                "version": 1,
                "promotion": view.promotion,
                "digest": view.plan.digest,
                "bound": view.plan.bound,
                "forecast": {
                    "gates": [answer.to_json() for answer in view.verdict.answers],
                    "changed": list(view.changed),
                    "metrics": list(view.remarks),
                    "difference": to_json(difference),
                    **view.forecast.to_json(),
                },
            }
        )
        return ExitCode.DONE
    bound = view.plan.bound
    print_line(
        f"plan {view.plan.digest[:12]} of {view.promotion}: release {bound['release'][:12]} into {bound['environment']}"
    )
    # in full, for whoever pins it: promote --digest DIGEST
    print_line(f"  digest {view.plan.digest}")
    print_line(f"  strategy {bound['strategy']}: " + ", ".join(map(describe_step, bound["steps"])))
    print_line(f"  deploys with {bound['deploy']['recipe']}" if bound["deploy"] else "  deploys by the branch alone")
    for check in bound["checks"]:
        print_line(f"  {'rolls back if' if check['rollback'] else 'succeeds if'} {check['condition']}")
    for remark in view.remarks:
        print_line(f"  note: {remark}")
    refusal = next((one for one in view.forecast.explanation.conditions if one.what == "quarantine"), None)
    if refusal is not None and view.forecast.explanation.promotion is None:
        print_line(f"to promote it is refused: {refusal.reason}")
        click.echo(f"  next: {refusal.command}")
        print_instead(view.forecast.explanation)
    print_line("gates now:")
    for answer in view.verdict.answers:
        print_line(f"  {colour(str(answer.outcome))} {answer.gate}: {answer.reason}")
    if not view.verdict.answers:
        print_line("  none stands before this environment")
    _print_forecast(view.forecast)
    since = f" since release {view.running.id}" if view.running else ""
    print_line(f"release content{since}: {counted(len(view.changed), 'file')} changed")
    for path in view.changed if view.running else ():
        print_line(f"  {path}")
    if view.running and view.changed:
        click.echo(
            f"  see: git diff {view.running.commit[:10]} {bound['source_commit'][:10]} -- {' '.join(view.changed)}"
        )
    if view.changes_policy:
        print_line(
            "  this release changes who may approve or which gates stand; once it succeeds, that judges the next one"
        )
    print_line("what the environment holds:")
    click.echo("  nothing changes" if difference.is_empty else to_text(difference, width=terminal_width()).rstrip())
    return ExitCode.DONE


def evidence_options(function: F) -> F:
    """Add the options with which a CI system tells who approved there."""
    for name, text in (
        ("how", "What the platform did, such as `environment protection rule`."),
        ("reviewer", "Account that approved there, where the platform tells."),
        ("job", "Name of the job there."),
        ("url", "Address of the run there."),
        ("kind", "Platform that says so; counts only where the approval gate lists it under `accept`."),
    ):
        option = click.option(f"--evidence-{name}", envvar=f"F0CI_EVIDENCE_{name.upper()}", metavar="TEXT", help=text)
        function = option(function)
    return function


@click.command()
@click.argument("environment", required=False)
@click.option("--release", metavar="RELEASE", help="Digest of the release, its beginning, or `latest` (the default).")
@click.option(
    "--continue", "go_on", is_flag=True, help="Take waiting promotions further; ENVIRONMENT may be a promotion."
)
@click.option("--through-hold", metavar="REASON", help="Pass a hold; only for people in the approvers file.")
@click.option("--dry-run", is_flag=True, help="Show the plan instead.")
@click.option(
    "--repair", "is_repair", is_flag=True, help="Make ENVIRONMENT what its ledger says, as a recorded change."
)
@click.option("--reason", metavar="TEXT", help="With --repair: why, for the record.")
@click.option(
    "--digest", metavar="DIGEST", help="Only if the plan still is the one with this digest, or its beginning."
)
@click.option(
    "--evidence",
    "system",
    metavar="SYSTEM",
    help="Record who approved this job, as its CI system (github, gitlab, jenkins, azure) says.",
)
@evidence_options
@click.option(
    "--wait", "span", type=DURATION, metavar="DURATION", help="Stay until it ends, at most so long, such as 30m."
)
@click.option(
    "--every",
    type=SOME_TIME,
    metavar="DURATION",
    default="10s",
    show_default=True,
    help="With --wait: the longest time between two looks.",
)
@click.option(
    "--turn",
    type=DURATION,
    metavar="DURATION",
    help="Wait while another release is on its way into ENVIRONMENT, at most so long, such as 20m.",
)
@apart_options
@format_option("text", "json")
@click.pass_context
def promote(
    ctx: click.Context,
    /,
    environment: str | None,
    release: str | None,
    go_on: bool,
    through_hold: str | None,
    dry_run: bool,
    is_repair: bool,
    reason: str | None,
    digest: str | None,
    system: str | None,
    span: timedelta | None,
    every: timedelta,
    turn: timedelta | None,
    apart: Path | None,
    answered: str | None,
    output_format: str,
    **evidence: str | None,
) -> int:
    """Bring a release into ENVIRONMENT, through its gates; the same call takes a waiting promotion further.

    \b
    Example:
      f0ci promote staging
      f0ci promote prod --wait 1h
      f0ci promote prod --digest 3f1c9a7b20de --evidence github
      f0ci promote --continue
      f0ci promote prod --repair --reason "somebody pushed to env/prod"
    """
    from f0ci.commands.promoting import continue_promotions, promote_environment

    root, patience, turns = root_of(ctx), read_patience(span, every), read_patience(turn, every)
    if is_repair or reason is not None:
        if not is_repair or environment is None or release or go_on or through_hold or dry_run:
            hint = "f0ci promote prod --repair --reason TEXT"
            raise UsageError("--repair and --reason go together, with an environment and nothing else", hint)
        return _repair(root, environment, reason or "drift", output_format)
    said, desk = _evidence(evidence), desk_of(apart, answered)
    if dry_run:
        if environment is None:
            raise UsageError("--dry-run needs an environment", "f0ci promote staging --dry-run")
        return int(
            ctx.invoke(
                plan, environment=environment, release=release, apart=apart is not None, output_format=output_format
            )
        )
    if go_on and (digest or system):
        raise UsageError("--digest and --evidence are about one promotion", "name the environment instead")
    if go_on:
        reports = continue_promotions(
            root, environment, evidence=said, patience=patience, apart=desk, on_stage=say, on_event=tell
        )
        if not reports and output_format == "text":
            say("nothing waits")
        if output_format == "json":
            print_json([report.to_json() for report in reports])
        else:
            for report in reports:
                print_report(report, "text")
            print_left(desk, f"f0ci promote {environment} --continue" if environment else "f0ci promote --continue")
        return worst_exit(report.exit_code for report in reports)
    if environment is None:
        raise UsageError("no environment was named", "f0ci promote staging, or f0ci promote --continue")
    records: tuple[Evidence | None, ...] = _asked(system, environment) if system else (said,)
    for record in records:
        # each person is a record of its own; only the last one is worth staying for
        report = promote_environment(
            root,
            environment,
            release,
            through_hold=through_hold,
            evidence=record,
            digest=digest,
            patience=patience if record is records[-1] else None,
            turn=turns,
            apart=desk,
            on_stage=say,
            on_event=tell,
        )
        if report.exit_code is not ExitCode.WAITING or report.left:
            break
    print_report(report, output_format)
    if output_format == "text":
        print_left(desk, f"f0ci promote {environment}" + (f" --release {release}" if release else ""))
    return report.exit_code


def _asked(system: str, environment: str) -> tuple[Evidence | None, ...]:
    """Return what the CI system of this job says, or nothing to record, which is told."""
    import os

    from f0ci.commands.promoting import evidence_from

    found = evidence_from(system, environment, os.environ)
    if not found:
        say(f"{system} asked nobody for {environment!r}; only signed approvals count")
    return found or (None,)


def _print_forecast(forecast: Any) -> None:
    """Print what moves beside the plan."""
    from f0ci.core.clock import format_time
    from f0ci.promotion.forecast import describe_restores

    explained = forecast.explanation
    missing = [one for one in explained.conditions if one.until is None]
    if explained.arrived:
        print_line(f"{explained.environment} runs it already, since {explained.promotion}: to promote it does nothing")
    elif any(one.final for one in missing):
        print_line("earliest: never, as it is now")
    else:
        print_line(f"earliest: {format_time(explained.earliest)}{once_met(missing)}")
    for one in forecast.freezes:
        print_line(f"  freeze ahead: {one.name}, {format_time(one.start)} to {format_time(one.end)}")
    print_line(describe_restores(forecast))


def _evidence(options: Mapping[str, str | None]) -> Evidence | None:
    """Return what the options say that a platform asserts, or None.

    Raises:
        UsageError: they say something, but not on which platform.
    """
    from f0ci.core.redaction import Redactor
    from f0ci.promotion.evidence import Evidence

    # a ledger is for everybody to read
    said = {name.removeprefix("evidence_"): Redactor().text(text) for name, text in options.items() if text}
    if not said:
        return None
    if "kind" not in said:
        raise UsageError("evidence without a platform", "add --evidence-kind github (or gitlab, jenkins, azure)")
    how = said.get("how", "platform approval")
    return Evidence(said["kind"], said.get("url", ""), said.get("job", ""), said.get("reviewer"), how)


def _repair(root: Path, environment: str, reason: str, output_format: str) -> ExitCode:
    from f0ci.cli.looking import drift_code, print_observations
    from f0ci.commands.repairing import repair_environment

    repaired = repair_environment(root, environment, reason, on_stage=say, on_event=tell)
    code = drift_code({repaired.sync}) if repaired.is_deployed else ExitCode.NEEDS_A_PERSON
    if output_format == "json":
        print_json(repaired.to_json())
        return code
    if repaired.commit is not None:
        undone = f"{counted(len(repaired.undone), 'commit')} undone"
        click.echo(f"{repaired.environment}: repaired by {repaired.commit[:10]}, {undone}")
    if repaired.deployed is not None:
        click.echo(f"{repaired.environment}: {repaired.deployed}")
    print_observations(repaired.environment, repaired.after)
    return code


def describe_step(step: Mapping[str, Any]) -> str:
    """Return a step of a plan as people read it: `10% (pause 5m)`."""
    from f0ci.core.duration import format_duration
    from f0ci.promotion.rollout import title

    pause = step.get("pause", 0)
    if not pause:
        return title(step)
    lasts = "until somebody resumes it" if pause == "manual" else format_duration(timedelta(seconds=pause))
    return f"{title(step)} (pause {lasts})"


def read_patience(span: timedelta | None, every: timedelta) -> Any:
    """Return how long `--wait` and `--every` mean, or None where the command shall not stay."""
    from f0ci.promotion.watching import Patience

    return None if span is None else Patience(span, every)


def worst_exit(codes: Iterable[ExitCode]) -> ExitCode:
    """Return the code that most needs attention: what waits must not hide what failed."""
    order = (
        ExitCode.DONE,
        ExitCode.WAITING,
        ExitCode.REFUSED,
        ExitCode.CANNOT_WORK,
        ExitCode.ROLLED_BACK,
        ExitCode.NEEDS_A_PERSON,
    )
    return max(codes, key=order.index, default=ExitCode.DONE)


def print_report(report: Any, output_format: str) -> None:
    """Print where a promotion is."""
    if output_format == "json":
        print_json(report.to_json())
        return
    name = report.promotion or report.environment
    release = f" release {report.release[:12]}" if report.release else ""
    verified = f" ({report.verification})" if report.verification and report.verification != "none" else ""
    print_line(f"{name}:{release} {colour(report.state)}{verified} in {report.environment}")
    for reason in report.reasons:
        print_line(f"  {reason}")
    for answer in report.answers:
        if answer.get("command") and answer["outcome"] == "waiting":
            click.echo(f"  next: {answer['command']}")
    if report.called_off and report.state == "rolled_back":
        print_line(f"  {report.environment} is as it was before; the release may be promoted again")
    if len(report.ways) > 1 and report.release is not None:
        print_line(f"  {report.environment} is held and release {report.release[:12]} quarantined; approvers go on")
    print_ways(report.ways, "  ")
    if report.next_check_at is not None:
        print_line(f"  run again after {report.next_check_at:%Y-%m-%dT%H:%M:%SZ}")


def tell(event: Any) -> None:
    """Tell how a deploy recipe goes, on stderr."""
    from f0ci.cli.progress import describe

    text = describe(event)
    if text:
        say(f"  {text}")
