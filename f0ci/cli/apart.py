"""The options that keep what runs code of the repository away from a token."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from f0ci.cli.output import F, say
from f0ci.core.errors import UsageError

if TYPE_CHECKING:
    from f0ci.promotion.errands import Apart


def apart_options(function: F) -> F:
    """Add `--apart` and `--answered`."""
    answered = click.option(
        "--answered",
        metavar="DIGEST",
        help="With --apart: take the answers to the errands with this SHA-256, left there by `f0ci errands`.",
    )
    apart = click.option(
        "--apart",
        metavar="FOLDER",
        type=click.Path(path_type=Path, file_okay=False),
        help="Leave what runs code of the repository or needs its secrets in FOLDER; `f0ci errands` does it.",
    )
    return apart(answered(function))


def desk_of(folder: Path | None, answered: str | None) -> Apart | None:
    """Return where errands are left and answers taken from, or None where everything is done here.

    Raises:
        UsageError: a digest without a folder.
        InputError: what lies in the folder are not the answers to these errands.
    """
    from f0ci.promotion.errands import ANSWERS, open_errands

    if folder is None:
        if answered is not None:
            raise UsageError("--answered without a folder", "say where the answers are: --apart FOLDER")
        return None
    if answered is None and (folder / ANSWERS).exists():
        say(f"note: the answers in {folder} are dropped and asked for again; --answered takes them")
    return open_errands(folder, answered)


def print_left(desk: Apart | None, again: str) -> None:
    """Print how to go on where something was left to be done; the digest is told here, by whoever asked for it.

    Args:
        desk: where errands are left, or None.
        again: the command that left them, without the options of this module.
    """
    from f0ci.core.canonical import sha256_hex
    from f0ci.promotion.errands import ERRANDS

    if desk is None or not desk.left:
        return
    digest = sha256_hex((desk.folder / ERRANDS).read_bytes())
    click.echo(f"  next: f0ci errands {desk.folder}")
    click.echo(f"  then: {again} --apart {desk.folder} --answered {digest}")
