"""`f0ci release create`, `list` and `show`."""

from __future__ import annotations

from typing import Any

import click

from f0ci.cli.looking import offline_option
from f0ci.cli.output import format_option, print_json, root_of, say
from f0ci.cli.width import print_line, print_table
from f0ci.core.clock import format_time
from f0ci.core.counting import counted
from f0ci.core.errors import ExitCode


@click.group()
def release() -> None:
    """Make, list and show releases.

    \b
    Example:
      f0ci release create
    """


@release.command(short_help="Make a release of what a commit holds.")
@click.option("--commit", default="HEAD", show_default=True, help="The commit whose content it is.")
@click.option("--builder", envvar="F0CI_BUILDER", help="What makes it, such as the address of a CI run.")
@click.option("--sbom", envvar="F0CI_SBOM", help="Where its bill of materials is; for the record.")
@format_option("text", "json")
@click.pass_context
def create(ctx: click.Context, commit: str, builder: str | None, sbom: str | None, output_format: str) -> int:
    """Make a release of what a commit holds; the same content is the same release.

    \b
    Example:
      f0ci release create
    """
    from f0ci.commands.releasing import make_release

    result = make_release(root_of(ctx), commit, builder=builder or None, sbom=sbom or None)
    if result.left_out:
        say("note: the work tree holds changes that are not committed; they are not part of the release")
    if result.release is None:
        errors = [one for one in result.diagnostics if str(one.severity) == "error"]
        for one in errors:
            say(f"{one.location}: error[{one.rule}] {one.message}")
        say(f"no release: {counted(len(errors), 'error')} in the content; see `f0ci validate`")
        return ExitCode.FINDINGS
    made = result.release
    if output_format == "json":
        print_json({"version": 1, "created": result.created, "quarantined": result.quarantined, **_record(made)})
    else:
        verb = "created" if result.created else "has this content already"
        click.echo(f"release {made.id} {verb} ({made.files} files from commit {made.commit[:10]})")
        if result.quarantined is not None:
            print_line(
                f"  it is quarantined: {result.quarantined}; change what was wrong, commit, and make another, or"
            )
        if result.following is not None:
            click.echo(f"  next: {result.following}")
    return ExitCode.DONE


@release.command(name="list", short_help="List releases, newest first.")
@offline_option
@format_option("text", "json")
@click.pass_context
def list_(ctx: click.Context, offline: bool, output_format: str) -> int:
    """List releases, newest first, with where each is and has been.

    \b
    Example:
      f0ci release list
    """
    from f0ci.commands.releasing import view_releases

    views = view_releases(root_of(ctx), fetch=not offline)
    if output_format == "json":
        print_json({"version": 1, "releases": [_view_record(view) for view in views]})
        return ExitCode.DONE
    print_table(
        ("release", "created", "commit", "runs in", "ran in", ""),
        [
            (
                view.release.id,
                format_time(view.release.created_at),
                view.release.commit[:10],
                ", ".join(view.in_environments) or "-",
                ", ".join(view.was_in) or "-",
                click.style("quarantined", fg="red") if view.quarantined else "",
            )
            for view in views
        ],
    )
    return ExitCode.DONE


@release.command(short_help="Show what a release is and where it runs.")
@click.argument("name", metavar="RELEASE")
@offline_option
@format_option("text", "json")
@click.pass_context
def show(ctx: click.Context, name: str, offline: bool, output_format: str) -> int:
    """Show one release: where it comes from, where it is, what it holds.

    \b
    Example:
      f0ci release show latest
    """
    from f0ci.commands.releasing import view_release

    view = view_release(root_of(ctx), name, fetch=not offline)
    if output_format == "json":
        provenance = {"author": view.author, "signature": view.signature}
        print_json({"version": 1, **_view_record(view), **provenance, "files": list(view.files)})
        return ExitCode.DONE
    found = view.release
    print_line(f"release {found.digest}")
    print_line(f"  created {format_time(found.created_at)} by {found.created_by} from commit {found.commit}")
    signed = f"signed by {view.signature}" if view.signature else "not signed"
    print_line(f"  the commit was written by {view.author} and is {signed}")
    for what, value in (("built by", found.builder), ("bill of materials", found.sbom)):
        if value:
            print_line(f"  {what} {value}")
    here, before = ", ".join(view.in_environments), ", ".join(view.was_in)
    print_line(f"  runs in {here or 'no environment'}; ran in {before or 'no other'}")
    if view.quarantined:
        print_line(f"  quarantined: {view.quarantined}")
    for path in view.files:
        print_line(f"  {path}")
    return ExitCode.DONE


def _record(found: Any) -> dict[str, Any]:
    return {
        "release": found.id,
        "digest": found.digest,
        "commit": found.commit,
        "created_at": format_time(found.created_at),
        "created_by": found.created_by,
        "builder": found.builder,
        "sbom": found.sbom,
    }


def _view_record(view: Any) -> dict[str, Any]:
    return {
        **_record(view.release),
        "environments": list(view.in_environments),
        "earlier": list(view.was_in),
        "quarantined": view.quarantined,
    }
