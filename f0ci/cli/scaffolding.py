"""`f0ci init`."""

from __future__ import annotations

from pathlib import Path

import click

from f0ci.core.errors import ExitCode


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--example", metavar="NAME", help="Write an example instead: haproxy, gateway-api.")
@click.option("--overwrite", is_flag=True, help="Also replace files that exist.")
@click.pass_context
def init(ctx: click.Context, folder: Path | None, example: str | None, overwrite: bool) -> int:
    """Set up a repository in FOLDER (here by default): recipes, environments, workflow, approvers.

    \b
    Example:
      git init && f0ci init
      git init && f0ci init --example haproxy
    """
    from f0ci.commands.scaffolding import KEY_COMMANDS, scaffold

    base: Path = ctx.find_root().obj
    made = scaffold(base / folder if folder else base, example=example, overwrite=overwrite)
    for path in made.written:
        click.echo(f"  wrote {path}")
    for path in made.kept:
        click.echo(f"  kept  {path}")
    if made.key is None:
        click.echo("Git has no signing key yet, so you cannot approve; these two commands make one:")
        for command in KEY_COMMANDS:
            click.echo(f"  {command}")
        click.echo(f"then put the public key under people.{made.person}.keys in .f0ci/approvers.yaml")
    if not made.in_git:
        click.echo("this folder is in no Git repository yet: git init && git add -A && git commit -m 'first recipes'")
    click.echo("next: f0ci validate")
    return ExitCode.DONE
