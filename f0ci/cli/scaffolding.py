"""`f0ci init`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.core.errors import ExitCode, UsageError


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.argument("name", required=False)
@click.option("--example", metavar="NAME", help="Write an example instead: haproxy, gateway-api.")
@click.option("--overwrite", is_flag=True, help="Also replace files that exist.")
@click.pass_context
def init(ctx: click.Context, folder: Path | None, name: str | None, example: str | None, overwrite: bool) -> int:
    """Set up a repository in FOLDER (here by default): recipes, environments, workflow, approvers.

    `f0ci init scriptlet NAME` adds a scriptlet, its test and a recipe that uses it.

    \b
    Example:
      git init && f0ci init
      git init && f0ci init --example haproxy
      f0ci init scriptlet load_numbers
    """
    if name is not None:
        return _add_scriptlet(ctx, folder, name)
    if folder == Path("scriptlet"):
        hint = "write `f0ci init scriptlet NAME`; a folder of that name is ./scriptlet"
        raise UsageError("the scriptlet has no name", hint)
    from f0ci.commands.scaffolding import APPROVERS, KEY_COMMANDS, NOBODY, scaffold

    base: Path = ctx.find_root().obj
    made = scaffold(base / folder if folder else base, example=example, overwrite=overwrite)
    for path in made.written:
        click.echo(f"  wrote {path}")
    if made.ignored:
        click.echo(f"  added to .gitignore: {', '.join(made.ignored)}")
    for path in made.kept:
        click.echo(f"  kept  {path}")
    if made.key is None:
        click.echo("Git has no signing key yet, so you cannot approve; these two commands make one:")
        for command in KEY_COMMANDS:
            click.echo(f"  {command}")
    if made.person is None and made.in_git:
        click.echo(f"{APPROVERS} stays as it is, and {made.identity!r} is nobody in it: to approve, add yourself there")
    elif made.person is not None and made.identity == NOBODY:
        unknown = "Git does not know who you are" if made.in_git else "without a repository nobody knows who you are"
        click.echo(f"{unknown}: put your name, address and key in place of 'you' in {APPROVERS}")
    elif made.person is not None and not made.has_key:
        which = "the public key" if made.key is None else made.key
        click.echo(f"to approve, put {which} under people.{made.person}.keys in {APPROVERS}")
    if not made.in_git:
        click.echo("this folder is in no Git repository yet: git init -b main && git add -A && git commit -m 'first'")
    if made.needs_another:
        said = "prod waits until somebody else approved: before the first release, add a second person to"
        click.echo(f"{said} {APPROVERS}")
        click.echo("  (who works alone writes `not_author: false` under gates.approval of prod in workflow.yaml)")
    click.echo("next: f0ci validate")
    return ExitCode.DONE


def _add_scriptlet(ctx: click.Context, kind: Path | None, name: str) -> int:
    from f0ci.cli.output import root_of
    from f0ci.commands.scaffolding import scaffold_scriptlet

    if str(kind) != "scriptlet":
        raise UsageError(f"init knows no {str(kind)!r} to add", "write `f0ci init scriptlet NAME`")
    written = scaffold_scriptlet(root_of(ctx), name)
    for path in written:
        click.echo(f"  wrote {path}")
    click.echo(f"next: f0ci run {written[-1]} -e dev; its test: python -m pytest {written[-2]}")
    return ExitCode.DONE
