"""`f0ci render` and `f0ci diff`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import format_option, print_json, root_of, say, wants_colour
from f0ci.cli.width import terminal_width
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("environment", required=False)
@click.option("--all", "is_all", is_flag=True, help="Every environment, each into a folder of its name below --output.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the files below this folder.")
@click.option("--check", "is_check", is_flag=True, help="Exit 1 where the folder of --output differs.")
@click.option("--overwrite", is_flag=True, help="Also replace files below --output that f0ci did not write.")
@click.option("--fresh", is_flag=True, help="Render everything again, also what cannot have changed.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value; may be repeated.")
@click.option("--origin", metavar="KEY", help="Show where a value was written, and what it overrode.")
@click.option("--file", "path", metavar="PATH", help="Print this file alone.")
@format_option("text", "json")
@click.pass_context
def render(
    ctx: click.Context,
    environment: str | None,
    is_all: bool,
    output: Path | None,
    is_check: bool,
    overwrite: bool,
    fresh: bool,
    sets: tuple[str, ...],
    origin: str | None,
    path: str | None,
    output_format: str,
) -> int:
    """Render what ENVIRONMENT gets from the work tree: configuration, recipes, templates.

    An overlay follows after a slash: prod/eu is environments/prod/eu/config.* over environments/prod/config.*.

    \b
    Example:
      f0ci render staging
      f0ci render prod/eu --output build/prod-eu
      f0ci render --all --output build --check
      f0ci render prod --origin processing.batch_size
    """
    if (environment is None) is not is_all:
        raise UsageError("name one environment, or all", "f0ci render staging, or f0ci render --all --output build")
    if output is not None:
        base: Path = ctx.find_root().obj
        return _place(root_of(ctx), environment, base / output, output, sets, is_check, overwrite, fresh, output_format)
    if environment is None or is_check:
        example = f"f0ci render {environment or '--all'} {'--check ' if is_check else ''}--output build"
        raise UsageError(f"{'--check' if is_check else '--all'} needs --output", example)
    return _show(root_of(ctx), environment, sets, origin, path, output_format)


def _place(
    root: Path,
    environment: str | None,
    folder: Path,
    shown: Path,
    sets: tuple[str, ...],
    is_check: bool,
    overwrite: bool,
    fresh: bool,
    output_format: str,
) -> ExitCode:
    """Write into folders, or compare with them."""
    from f0ci.commands.rendering_many import check_in, environment_names, render_into

    names = [environment] if environment is not None else list(environment_names(root))
    folders = {name: folder if environment is not None else folder / name for name in names}
    prefixes = {name: "" if environment is not None else f"{name}/" for name in names}
    if is_check:
        found = check_in(root, folders, sets)
        different = [f"{prefixes[name]}{path}" for name, paths in found.items() for path in paths]
        if output_format == "json":
            print_json({"version": 1, "output": str(shown), "differs": different})
        else:
            for path in different:
                click.echo(f"differs: {path}")
            if different:
                say(f"render again with: f0ci render {environment or '--all'} --output {shown}")
        return ExitCode.FINDINGS if different else ExitCode.DONE
    placings = render_into(root, folders, folder, sets, overwrite=overwrite, fresh=fresh)
    if output_format == "json":
        environments = {
            name: {
                "files": one.files,
                "written": list(one.written.written),
                "removed": list(one.written.removed),
                "kept": list(one.written.kept),
            }
            for name, one in placings.items()
        }
        print_json({"version": 1, "output": str(shown), "environments": environments})
        return ExitCode.DONE
    for name, one in placings.items():
        counts = f"{len(one.written.written)} written, {len(one.written.removed)} removed"
        click.echo(f"{one.files} files below {shown if environment else shown / name}: {counts}")
        for path in one.written.kept:
            click.echo(f"  kept, because it was edited: {path}")
    return ExitCode.DONE


def _show(
    root: Path, environment: str, sets: tuple[str, ...], origin: str | None, path: str | None, output_format: str
) -> ExitCode:
    """Print what an environment gets, or where a value of it comes from."""
    from f0ci.commands.rendering import render_environment
    from f0ci.commands.suspecting import suspicions
    from f0ci.render.provenance import explain_origin

    rendered = render_environment(root, environment, sets)
    for line in suspicions(root, rendered.environment):
        say(line)
    if origin is not None:
        for line in explain_origin(rendered.environment, origin):
            click.echo(line)
    elif path is not None:
        if path not in rendered.files:
            from f0ci.core.suggestions import did_you_mean

            raise UsageError(
                f"{path!r} is not part of {environment!r}", did_you_mean(path, rendered.files, noun="it has")
            )
        click.echo(rendered.files[path].decode("utf-8", "replace"), nl=False)
    elif output_format == "json":
        print_json(
            {
                **rendered.provenance,
                "content": {name: raw.decode("utf-8", "replace") for name, raw in rendered.files.items()},
            }
        )
    else:
        for name, raw in rendered.files.items():
            click.echo(click.style(f"--- {name} (from {rendered.sources[name]})", bold=True))
            click.echo(raw.decode("utf-8", "replace"), nl=False)
    return ExitCode.DONE


@click.command()
@click.argument("one")
@click.argument("other", required=False)
@click.option("--from", "base", metavar="RELEASE", help="Compare this release ...")
@click.option("--to", "target", metavar="RELEASE", help="... with this one, both rendered for ONE.")
@click.option("--exit-code", is_flag=True, help="Exit 1 where there is a difference.")
@format_option("text", "json")
@click.pass_context
def diff(
    ctx: click.Context,
    one: str,
    other: str | None,
    base: str | None,
    target: str | None,
    exit_code: bool,
    output_format: str,
) -> int:
    """Compare environments ONE and OTHER, or what ONE holds with release OTHER.

    \b
    Example:
      f0ci diff staging prod
      f0ci diff prod latest
      f0ci diff prod --from fd2e56eae87b --to 7065fcd7c7df
    """
    from f0ci.commands.rendering import compare_environments, compare_with_release
    from f0ci.render.difference import to_json, to_text

    root = root_of(ctx)
    if base is not None or target is not None:
        if base is None or target is None or other is not None:
            raise UsageError(
                "--from and --to go together, with one environment", f"f0ci diff {one} --from RELEASE --to RELEASE"
            )
        difference = compare_with_release(root, one, target, base)
    elif other is None:
        raise UsageError("nothing to compare with", f"name another environment, or a release: f0ci diff {one} latest")
    elif _is_environment(root, other):
        difference = compare_environments(root, one, other)
    else:
        difference = compare_with_release(root, one, other)
    if output_format == "json":
        print_json({"version": 1, **to_json(difference)})
    else:
        click.echo(to_text(difference, wants_colour(), terminal_width()).rstrip())
    return ExitCode.FINDINGS if exit_code and not difference.is_empty else ExitCode.DONE


def _is_environment(root: Path, name: str) -> bool:
    """Tell whether a name is an environment rather than a release: `latest`, or the hex digits of a digest."""
    from f0ci.commands.rendering import find_environment
    from f0ci.source.project import load_project
    from f0ci.source.tree import DirectoryTree

    is_digest = len(name) >= 4 and all(char in "0123456789abcdef" for char in name.lower())
    if name != "latest" and not is_digest:
        return True
    tree = DirectoryTree(root)
    try:
        find_environment(tree, load_project(tree), name)
    except UsageError:
        return False
    return True
