"""`f0ci validate` and `f0ci explain`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from f0ci.cli.output import format_option, print_table, root_of, say, wants_colour
from f0ci.core.errors import ExitCode, UsageError
from f0ci.lint.reporters import base as reporters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f0ci.commands.validating import Validation

# more than a large file is made of
_OBJECTS = 300_000
_STDIN = Path("-")
_FORMATS = ("text", *(name for name in reporters.names() if name != "text"))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True))
@format_option(*_FORMATS)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report to FILE instead of stdout.",
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
@click.option("--statistics", is_flag=True, help="Count the findings of each rule, after the report.")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Report only what is not in this baseline.",
)
@click.option(
    "--write-baseline",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write what is found into a baseline, and report nothing.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that share the files.  [default: the cores, where there is enough to do]",
)
@click.option(
    "--stdin-filename",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file that the text on stdin stands for, where PATHS is '-'.",
)
@click.pass_context
def validate(
    ctx: click.Context,
    paths: tuple[Path, ...],
    output_format: str,
    output: Path | None,
    fail_on: str,
    strict: bool,
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    statistics: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    stdin_filename: Path | None,
    jobs: int | None,
) -> int:
    """Find what breaks deployments in recipes, environments and the workflow; PATHS restrict the report.

    PATHS are files, folders, glob patterns, or '-' for a text on stdin.

    \b
    Example:
      f0ci validate
      f0ci validate recipes/deploy.yaml --format github
      f0ci validate --format sarif --output f0ci.sarif
      f0ci validate - --stdin-filename recipes/deploy.yaml < draft.yaml
    """
    # reading files makes many objects and next to no circles of garbage, and this process is over soon
    gc.set_threshold(_OBJECTS)
    ctx.call_on_close(gc.freeze)
    from f0ci.commands.validating import validate as run
    from f0ci.core.diagnostics import Severity

    if baseline is not None and write_baseline is not None:
        raise UsageError("a baseline is read or written, not both", "leave out --baseline to write it anew")
    base: Path = ctx.find_root().obj
    root = root_of(ctx)
    edited = _edited(base, paths, stdin_filename)
    named = [*(base / path for path in paths if path != _STDIN), *edited]
    result = run(root, named, strict=strict, select=select, ignore=ignore, edited=edited, jobs=jobs)
    if write_baseline is not None:
        from f0ci.core.files import write_atomically

        write_atomically(base / write_baseline, result.as_baseline().encode())
        say(f"{_count(len(result.diagnostics), 'finding')} are known now, in {str(write_baseline)!r}")
        return ExitCode.DONE
    if baseline is not None:
        result = result.against(base / baseline)
        _tell_baseline(result, baseline)
    colour = output is None and wants_colour()
    report = reporters.load(output_format)
    text = report(result.diagnostics, result.sources, result.summary, colour=colour)
    if output is not None:
        from f0ci.core.files import write_atomically

        write_atomically(base / output, text.encode("utf-8", "backslashreplace"))
        say(f"{_count(len(result.diagnostics), 'finding')} written to {str(output)!r}")
    elif text:
        click.echo(text.rstrip("\n"))
    if statistics:
        _print_statistics(result, to_stderr=output is not None or output_format != "text")
    return result.exit_code(Severity.parse(fail_on))


def _edited(base: Path, paths: tuple[Path, ...], name: Path | None) -> Mapping[Path, bytes]:
    """Return the text on stdin, by the file that it stands for.

    Raises:
        UsageError: a text without a name, or a name without a text.
    """
    if (_STDIN in paths) != (name is not None):
        raise UsageError("'-' and --stdin-filename go together", "f0ci validate - --stdin-filename recipes/name.yaml")
    return {} if name is None else {base / name: sys.stdin.buffer.read()}


def _tell_baseline(result: Validation, baseline: Path) -> None:
    if result.known:
        say(f"{_count(result.known, 'finding')} known from {str(baseline)!r} left out")
    if result.gone:
        say(f"{_count(result.gone, 'finding')} of {str(baseline)!r} no longer there; write it anew to forget them")


def _print_statistics(result: Validation, *, to_stderr: bool) -> None:
    """Print how many findings each rule has, most first: where another program reads stdout, on stderr."""
    from collections import Counter

    counts = Counter((one.rule, str(one.severity)) for one in result.diagnostics)
    rows = [(str(number), severity, rule) for (rule, severity), number in counts.items()]
    rows.sort(key=lambda row: (-int(row[0]), row[2], row[1]))
    if not rows:
        return
    if not to_stderr:
        click.echo()
        print_table(("count", "severity", "rule"), rows)
        return
    for number, severity, rule in rows:
        say(f"{number} {severity} {rule}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


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
    print_table(("rule", "group", "severity"), [(one.name, one.group, str(one.severity)) for one in all_rules()])
    return ExitCode.DONE
