"""Carrying out, without any token, what promotions left to be done, as a function for people who embed f0ci."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from f0ci.core.clock import Clock, SystemClock
from f0ci.core.errors import F0ciError
from f0ci.promotion.carrying_out import answer
from f0ci.promotion.errands import BUNDLE, HandedOut, read_errands, write_answers
from f0ci.promotion.site import Site, open_site


def carry_out(
    root: Path,
    folder: Path,
    *,
    on_stage: Callable[[str], None] = lambda _text: None,
    on_event: Callable[[Any], None] | None = None,
    clock: Clock | None = None,
) -> tuple[int, int]:
    """Carry out the errands of a folder and leave the answers beside them; no remote is asked.

    One that cannot be carried out has no answer, which keeps back no other; it is asked again.

    Args:
        root: a work tree of the commit that the promotion worked on, with its history.
        folder: where the errands lie.
        on_stage: is told, in words, what happens.
        on_event: is told what deploy recipes do.
        clock: the time; the machine's by default.

    Returns:
        How many errands there were, and how many have an answer.

    Raises:
        InputError: there are no errands, or they are not what `f0ci promote --apart` writes.
    """
    errands = read_errands(folder)
    site = _site(root, folder, errands, clock or SystemClock())
    answers = []
    for errand in errands.errands:
        try:
            answers.append(answer(site, errand, on_stage, on_event))
        except F0ciError as error:
            on_stage(f"error: {error}" + (f"; {error.hint}" if error.hint else ""))
    write_answers(folder, errands, answers)
    return len(errands.errands), len(answers)


def _site(root: Path, folder: Path, errands: HandedOut, clock: Clock) -> Site:
    from f0ci.git.bundles import unpack_refs

    site = open_site(root, clock, fetch=False)
    unpack_refs(site.repository, site.refs, folder / BUNDLE, errands.refs)
    site.refs.head = errands.head
    return site


def token_at_hand() -> str | None:
    """Return the name of the variable that holds a token for pushing, where there is one."""
    from f0ci.git.process import TOKEN_VARIABLE

    return TOKEN_VARIABLE if os.environ.get(TOKEN_VARIABLE) else None
