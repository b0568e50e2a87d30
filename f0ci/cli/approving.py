"""`f0ci approve`, `f0ci reject` and `f0ci abort`."""

from __future__ import annotations

import click

from f0ci.cli.output import format_option, print_json, root_of
from f0ci.cli.promoting import print_report
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("promotion")
@click.option("--digest", help="Beginning of the plan digest you looked at; refused where the plan is another by now.")
@click.option("--reason", default="", help="In your words, for the record.")
@click.option("--expires", default="7d", show_default=True, help="How long it counts, or `never`.")
@format_option("text", "json")
@click.pass_context
def approve(
    ctx: click.Context, promotion: str, digest: str | None, reason: str, expires: str, output_format: str
) -> int:
    """Sign an approval of PROMOTION's plan with your Git signing key and record it.

    \b
    Example:
      f0ci plan prod
      f0ci approve prod-3 --digest 4f0c2a9be1d7
    """
    return _decide(ctx, promotion, "approve", digest, reason, expires, output_format)


@click.command()
@click.argument("promotion")
@click.option("--digest", help="Beginning of the plan digest you looked at.")
@click.option("--reason", required=True, help="Why not, for the record.")
@format_option("text", "json")
@click.pass_context
def reject(ctx: click.Context, promotion: str, digest: str | None, reason: str, output_format: str) -> int:
    """Sign a rejection of PROMOTION's plan; the promotion ends refused.

    \b
    Example:
      f0ci reject prod-3 --reason "month end closes tonight"
    """
    return _decide(ctx, promotion, "reject", digest, reason, "never", output_format)


@click.command()
@click.argument("promotion")
@click.option("--reason", required=True, help="Why, for the record.")
@format_option("text", "json")
@click.pass_context
def abort(ctx: click.Context, promotion: str, reason: str, output_format: str) -> int:
    """End PROMOTION, which waits and has changed nothing yet.

    \b
    Example:
      f0ci abort prod-3 --reason "superseded by the hot fix"
    """
    from f0ci.commands.approving import abort_promotion

    print_report(abort_promotion(root_of(ctx), promotion, reason), output_format)
    return ExitCode.DONE


def _decide(
    ctx: click.Context, promotion: str, decision: str, digest: str | None, reason: str, expires: str, output_format: str
) -> int:
    from f0ci.commands.approving import decide_promotion
    from f0ci.core.duration import parse_duration

    try:
        span = None if expires == "never" else parse_duration(expires)
    except ValueError as error:
        raise UsageError(str(error), "write --expires 24h, 7d or never") from error
    statement, environment = decide_promotion(
        root_of(ctx), promotion, decision, digest=digest, reason=reason, expires=span
    )
    if output_format == "json":
        print_json({"version": 1, **statement.to_json()})
    else:
        verb = "approved" if decision == "approve" else "rejected"
        click.echo(f"{statement.approver} {verb} plan {statement.digest[:12]} of {statement.promotion}")
        if decision == "approve":
            click.echo(f"  next: f0ci promote {environment} --continue")
    return ExitCode.DONE
