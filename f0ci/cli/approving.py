"""`f0ci approve`, `reject`, `revoke`, `override` and `abort`: what people say about a promotion."""

from __future__ import annotations

from collections.abc import Callable

import click

from f0ci.cli.output import F, format_option, print_json, root_of, say
from f0ci.cli.promoting import print_report, tell
from f0ci.core.errors import ExitCode, UsageError

_digest_option = click.option(
    "--digest", help="Digest, or its beginning, of the plan you looked at; refused where it is another now."
)
_reason_option = click.option("--reason", required=True, help="Why, for the record.")


def _expires_option(default: str) -> Callable[[F], F]:
    text = "How long it counts, or `never`."
    return click.option("--expires", default=default, show_default=True, help=text)


def _statement(*options: Callable[[F], F]) -> Callable[[F], click.Command]:
    """Return what makes a function the command of something that people say about a promotion, with some options."""

    def made(function: F) -> click.Command:
        for option in (click.pass_context, format_option("text", "json"), *reversed(options)):
            function = option(function)
        return click.command()(click.argument("promotion")(function))

    return made


@_statement(
    _digest_option,
    click.option("--reason", default="", help="In your words, for the record."),
    _expires_option("7d"),
)
def approve(ctx: click.Context, **said: str) -> int:
    """Sign an approval of PROMOTION's plan with your Git signing key and record it.

    \b
    Example:
      f0ci plan prod
      f0ci approve prod-3 --digest 4f0c2a9be1d7
    """
    return _decide(ctx, "approve", **said)


@_statement(_digest_option, _reason_option)
def reject(ctx: click.Context, **said: str) -> int:
    """Sign a rejection of PROMOTION's plan; the promotion ends refused.

    \b
    Example:
      f0ci reject prod-3 --reason "month end closes tonight"
    """
    return _decide(ctx, "reject", **said)


@_statement(_reason_option)
def revoke(ctx: click.Context, **said: str) -> int:
    """Take back what you said about PROMOTION, before it changes the environment.

    \b
    Example:
      f0ci revoke prod-3 --reason "looked at the wrong dashboard"
    """
    return _decide(ctx, "revoke", **said)


@_statement(
    click.option("--gate", default="window", show_default=True, help="The gate to pass."),
    _digest_option,
    _reason_option,
    _expires_option("24h"),
)
def override(ctx: click.Context, **said: str) -> int:
    """Let PROMOTION pass a freeze; only for a second person, who signs for it.

    \b
    Example:
      f0ci override prod-3 --reason "fixes incident 4711"
    """
    return _decide(ctx, "override", **said)


@click.command()
@click.argument("promotion")
@click.option("--reason", required=True, help="Why, for the record.")
@format_option("text", "json")
@click.pass_context
def abort(ctx: click.Context, promotion: str, reason: str, output_format: str) -> int:
    """End PROMOTION; what ran before it comes back at once, where it has changed anything.

    The release is not quarantined and may be promoted again; to keep a bad one out, use `f0ci rollback`.

    \b
    Example:
      f0ci abort prod-3 --reason "superseded by the hot fix"
    """
    from f0ci.commands.approving import abort_promotion

    report = abort_promotion(root_of(ctx), promotion, reason, on_event=tell, on_stage=say)
    print_report(report, output_format)
    return report.exit_code if report.error or report.state == "failed" else ExitCode.DONE


def _decide(
    ctx: click.Context,
    decision: str,
    *,
    promotion: str,
    reason: str,
    output_format: str,
    digest: str | None = None,
    expires: str = "never",
    gate: str = "",
) -> int:
    from f0ci.commands.approving import decide_promotion
    from f0ci.core.duration import parse_duration

    try:
        span = None if expires == "never" else parse_duration(expires)
    except ValueError as error:
        raise UsageError(str(error), "write --expires 24h, 7d or never") from error
    statement, environment = decide_promotion(
        root_of(ctx), promotion, decision, digest=digest, reason=reason, expires=span, gate=gate
    )
    if output_format == "json":
        print_json({"version": 1, **statement.to_json()})
    else:
        verb = {"approve": "approved", "reject": "rejected", "revoke": "took back what they said of"}.get(decision)
        what = verb or f"overrode the gate {gate!r} for"
        click.echo(f"{statement.approver} {what} plan {statement.digest[:12]} of {statement.promotion}")
        if decision in {"approve", "override"}:
            click.echo(f"  next: f0ci promote {environment} --continue")
    return ExitCode.DONE
