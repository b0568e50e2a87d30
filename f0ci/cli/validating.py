"""`f0ci validate` and `f0ci explain`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import root_of, wants_colour
from f0ci.core.errors import ExitCode


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "output_format",
    type=click.Choice(("text", "json", "github")),
    default="text",
    show_default=True,
    help="How to print findings.",
)
@click.option(
    "--fail-on",
    type=click.Choice(("error", "warning", "note")),
    default="error",
    show_default=True,
    help="Exit 1 where a finding is at least this severe.",
)
@click.option("--strict", is_flag=True, help="Unknown keys are errors.")
@click.option("--select", multiple=True, metavar="RULE", help="Only these rules or groups; may be repeated.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Without these rules or groups; may be repeated.")
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    output_format: str,
    fail_on: str,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
) -> int:
    """Find what breaks deployments in recipes, environments and the workflow; PATHS restrict the report.

    \b
    Example:
      f0ci validate
      f0ci validate recipes/deploy.yaml --format github
    """
    from f0ci.commands.validating import validate as run
    from f0ci.core.diagnostics import Severity
    from f0ci.core.plugins import load

    base: Path = ctx.find_root().obj
    root = root_of(ctx)
    result = run(root, [base / path for path in paths], strict=strict, select=select, ignore=ignore)
    reporter = load("f0ci.lint.reporters", output_format, noun="format")
    text = reporter.report(result.diagnostics, result.sources, result.summary, colour=wants_colour())
    if text:
        click.echo(text.rstrip("\n"))
    return result.exit_code(Severity.parse(fail_on))


@click.command()
@click.argument("rule", required=False)
def explain(rule: str | None) -> int:
    """Show the page of RULE: what it finds, why it matters, bad, good, and how to mend it; without RULE, list all.

    \b
    Example:
      f0ci explain dependency-cycle
    """
    from f0ci.lint.engine import all_rules
    from f0ci.lint.engine import explain as page

    if rule is not None:
        click.echo(page(rule).rstrip())
        return ExitCode.DONE
    from f0ci.cli.output import print_table

    print_table(("rule", "group", "severity"), [(one.name, one.group, str(one.severity)) for one in all_rules()])
    return ExitCode.DONE
