"""`f0ci render` and `f0ci diff`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.cli.output import format_option, print_json, root_of, wants_colour
from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("environment")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the files below this folder.")
@click.option("--check", "is_check", is_flag=True, help="Exit 1 where the folder of --output differs.")
@click.option("--overwrite", is_flag=True, help="Also replace files below --output that f0ci did not write.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value; may be repeated.")
@click.option("--origin", metavar="KEY", help="Show where a value was written, and what it overrode.")
@click.option("--file", "path", metavar="PATH", help="Print this file alone.")
@format_option("text", "json")
@click.pass_context
def render(
    ctx: click.Context,
    environment: str,
    output: Path | None,
    is_check: bool,
    overwrite: bool,
    sets: tuple[str, ...],
    origin: str | None,
    path: str | None,
    output_format: str,
) -> int:
    """Render what ENVIRONMENT gets from the work tree: configuration, recipes, templates.

    \b
    Example:
      f0ci render staging
      f0ci render prod --output build/prod
      f0ci render prod --origin processing.batch_size
    """
    from f0ci.commands.rendering import render_environment
    from f0ci.render.provenance import explain_origin
    from f0ci.render.rendering import check, write

    rendered = render_environment(root_of(ctx), environment, sets)
    base: Path = ctx.find_root().obj
    if origin is not None:
        for line in explain_origin(rendered.environment, origin):
            click.echo(line)
    elif is_check:
        if output is None:
            raise UsageError(
                "--check needs --output", f"f0ci render {environment} --check --output build/{environment}"
            )
        different = check(rendered, base / output)
        for name in different:
            click.echo(f"differs: {name}")
        return ExitCode.FINDINGS if different else ExitCode.DONE
    elif output is not None:
        written = write(rendered, base / output, overwrite=overwrite)
        counts = f"{len(written.written)} written, {len(written.removed)} removed"
        click.echo(f"{len(rendered.files)} files below {output}: {counts}")
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
        raise UsageError("nothing to compare with", f"f0ci diff {one} prod, or f0ci diff {one} latest")
    elif _is_environment(root, other):
        difference = compare_environments(root, one, other)
    else:
        difference = compare_with_release(root, one, other)
    if output_format == "json":
        print_json({"version": 1, **to_json(difference)})
    else:
        click.echo(to_text(difference, wants_colour()).rstrip())
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
