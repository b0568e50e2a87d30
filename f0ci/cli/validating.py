"""`f0ci validate` and `f0ci explain`."""

from __future__ import annotations

import gc
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from f0ci.cli.output import format_option, print_json, root_of, say, wants_colour
from f0ci.cli.width import print_table, reflow, terminal_width
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode, F0ciError, UsageError
from f0ci.core.values import dataclass
from f0ci.lint.reporters import base as reporters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from f0ci.commands.validating import Validation

_STDIN = Path("-")
# read by systems that know a file by its path in the checkout
_OF_CHECKOUTS = frozenset({"github", "gitlab", "junit", "sarif"})
_FORMATS = ("text", *(name for name in reporters.names() if name != "text"))


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, allow_dash=True, readable=False))
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
@click.option("--select", multiple=True, metavar="RULE", help="Only these rules or groups, by commas or repeated.")
@click.option("--ignore", multiple=True, metavar="RULE", help="Without these rules or groups, alike.")
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
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and report what is left.")
@click.option(
    "--diff",
    is_flag=True,
    help="Show what --fix would change; alone, write nothing and exit 1 where there is something.",
)
@click.option("--watch", is_flag=True, help="Report again whenever a file changes, until Ctrl-C.")
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes that share the files.  [default: the cores, where there is enough to do]",
)
@click.option("--no-cache", is_flag=True, help="Look at every file, and keep nothing for the next run.")
@click.option(
    "--cache-dir",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where to keep what was found.  [default: f0ci in the user's folder for caches]",
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
    fix: bool,
    diff: bool,
    watch: bool,
    no_cache: bool,
    cache_dir: Path | None,
) -> int:
    """Find what breaks deployments in recipes, environments and the workflow; PATHS restrict the report.

    PATHS are files, folders, glob patterns, or '-' for a text on stdin.

    \b
    Example:
      f0ci validate
      f0ci validate recipes/deploy.yaml --format github
      f0ci validate --format sarif --output f0ci.sarif
      f0ci validate - --stdin-filename recipes/deploy.yaml < draft.yaml
      f0ci validate --diff
    """
    # reading files makes many objects and next to no circles of garbage
    if not watch and gc.isenabled():
        gc.disable()
        ctx.call_on_close(_collect_again)
    _check(fix=fix, diff=diff, watch=watch, baseline=baseline, write_baseline=write_baseline, paths=paths)
    base: Path = ctx.find_root().obj
    asked = _Asked(
        base=base,
        root=root_of(ctx),
        paths=paths,
        edited=_edited(base, paths, stdin_filename),
        rules={"strict": strict, "select": _names(select), "ignore": _names(ignore), "jobs": jobs},
        cache=_cache(base, cache_dir, is_off=no_cache),
        baseline=baseline,
        output_format=output_format,
        output=output,
        statistics=statistics,
    )
    if fix or diff:
        return _mend(asked, fail_on, fix=fix, diff=diff)
    if watch:
        _watch(asked)
    result = _validated(asked)
    if write_baseline is not None:
        from f0ci.core.files import write_atomically

        write_atomically(base / write_baseline, result.as_baseline().encode())
        say(f"{counted(len(result.diagnostics), 'finding')} are known now, in {str(write_baseline)!r}")
        return ExitCode.DONE
    return _concluded(_report(asked, result), fail_on)


def _collect_again() -> None:
    """Let garbage be collected again, without looking for it among all that was made meanwhile."""
    # both at once make everything old: a collection of the young would go through it right away, for 5 ms
    gc.freeze()
    gc.unfreeze()
    gc.enable()


def _names(given: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of rules, several of which may stand in one value."""
    return tuple(name for value in given for part in value.split(",") if (name := part.strip()))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the command line asks for.

    Attributes:
        base: folder that paths of the command line start from.
        root: the repository's root.
        paths: as written.
        edited: the text on stdin, by its file.
        rules: what `validate` takes beside paths and texts.
        cache: the folder of what earlier runs found, or None.
        baseline: what is known, or None.
        output_format: name of the reporter.
        output: the report's file; None for stdout.
        statistics: also count by rule.
    """

    base: Path
    root: Path
    paths: tuple[Path, ...]
    edited: Mapping[Path, bytes]
    rules: Mapping[str, Any]
    cache: Path | None
    baseline: Path | None
    output_format: str
    output: Path | None
    statistics: bool

    @property
    def named(self) -> list[Path]:
        return [*(self.base / path for path in self.paths if path != _STDIN), *self.edited]


def _check(
    *,
    fix: bool,
    diff: bool,
    watch: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    paths: tuple[Path, ...],
) -> None:
    """Check that options fit each other.

    Raises:
        UsageError: two of them do not.
    """
    if baseline is not None and write_baseline is not None:
        raise UsageError("a baseline is read or written, not both", "leave out --baseline to write it anew")
    for given, name in ((fix, "--fix"), (diff, "--diff"), (watch, "--watch")):
        if given and write_baseline is not None:
            raise UsageError(f"{name} and --write-baseline do not go together", "write the baseline afterwards")
    if watch and (fix or diff):
        raise UsageError("--watch only reports", "run --fix by itself")
    if _STDIN in paths and (fix or watch):
        name = "--fix" if fix else "--watch"
        raise UsageError(f"{name} needs files, and '-' is a text", "use --diff to see what would change")


def _validated(asked: _Asked) -> Validation:
    from f0ci.commands.validating import validate as run

    result = run(asked.root, asked.named, edited=asked.edited, cache=asked.cache, **asked.rules)
    return _against(result, asked)


def _against(result: Validation, asked: _Asked) -> Validation:
    if asked.baseline is None:
        return result
    result = result.against(asked.base / asked.baseline)
    _tell_baseline(result, asked.baseline)
    return result


def _mend(asked: _Asked, fail_on: str, *, fix: bool, diff: bool) -> int:
    """Mend, or show what mending would do."""
    from f0ci.commands.fixing import mend

    mending = mend(asked.root, asked.named, edited=asked.edited, **asked.rules)
    if diff:
        click.echo(mending.as_diff(), nl=False)
    if not fix:
        say(f"{counted(mending.fixes, 'finding')} can be mended with --fix")
        return ExitCode.FINDINGS if mending.changes else ExitCode.DONE
    mending.write()
    say(f"{counted(mending.fixes, 'finding')} mended in {counted(len(mending.changes), 'file')}")
    return _concluded(_report(asked, _against(mending.left, asked)), fail_on)


def _watch(asked: _Asked) -> NoReturn:
    """Report, again and again, until somebody ends it."""
    from f0ci.commands.watching import Watch

    with Watch(asked.root, None if asked.output is None else asked.base / asked.output) as changes:
        while True:
            try:
                _report(asked, _validated(asked))
            except F0ciError as error:
                # settings that are half written do not end it
                say(f"error: {error.message}")
            say("watching for changes; Ctrl-C ends it")
            say(f"changed: {', '.join(changes.wait())}")


def _report(asked: _Asked, result: Validation) -> Validation:
    """Print or write a report."""
    output, output_format = asked.output, asked.output_format
    colour = output is None and wants_colour()
    report = reporters.load(output_format)
    shown = result
    if output_format in _OF_CHECKOUTS:
        from f0ci.commands.placing import folder_in_checkout, placed_below

        shown = placed_below(result, folder_in_checkout(asked.root))
    text = report(shown.diagnostics, shown.sources, shown.summary, colour=colour)
    if output is not None:
        from f0ci.core.files import write_atomically

        write_atomically(asked.base / output, text.encode("utf-8", "backslashreplace"))
        say(f"{counted(len(result.diagnostics), 'finding')} written to {str(output)!r}")
    elif text:
        click.echo(text.rstrip("\n"))
    if asked.statistics:
        _print_statistics(result, to_stderr=output is not None or output_format != "text")
    return result


def _concluded(result: Validation, fail_on: str) -> int:
    from f0ci.core.diagnostics import Severity

    return result.exit_code(Severity.parse(fail_on))


def _cache(base: Path, chosen: Path | None, *, is_off: bool) -> Path | None:
    from f0ci.lint.cache import default_folder

    if is_off:
        return None
    return default_folder() if chosen is None else base / chosen


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
        say(f"{counted(result.known, 'finding')} known from {str(baseline)!r} left out")
    if result.gone:
        say(f"{counted(result.gone, 'finding')} of {str(baseline)!r} no longer there; write it anew to forget them")


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


@click.command()
@click.argument("rule", required=False)
@format_option("text", "json")
def explain(rule: str | None, output_format: str) -> int:
    """Show the page of RULE: what it finds, why it matters, bad, good, and how to mend it.

    The name of a group lists its rules; without RULE, all are listed.

    \b
    Example:
      f0ci explain dependency-cycle
      f0ci explain graph
    """
    from f0ci.lint import registry
    from f0ci.lint.rules.base import Group

    if rule is not None and rule not in set(map(str, Group)):
        page = registry.explain(rule).rstrip()
        card = registry.rule(rule)
        if output_format == "json":
            print_json({"rule": card.name, "group": card.group, "severity": str(card.severity), "page": page})
        else:
            click.echo(reflow(page, terminal_width()))
        return ExitCode.DONE
    cards = registry.rules_of(rule)
    rows = [(card.name, str(card.group), str(card.severity), registry.headline(card.name)) for card in cards]
    headings = ("rule", "group", "severity", "what it finds")
    if output_format == "json":
        print_json([dict(zip(("rule", "group", "severity", "summary"), row, strict=True)) for row in rows])
    else:
        print_table(headings, rows)
    return ExitCode.DONE
