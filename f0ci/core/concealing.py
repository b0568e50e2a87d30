"""Keeping this process's tokens from whoever may look at it: what it starts runs as the same user."""

from __future__ import annotations

import os
import sys

_PR_SET_DUMPABLE = 4


def conceal_tokens() -> tuple[str, ...]:
    """Take tokens of Git and CI out of what `/proc/PID/environ` shows of this process, and forbid reading its memory.

    The values stay in `os.environ`, from where this process hands them to git. What a parent process shows of itself is
    not changed by that, and root reads any memory. Nothing happens on systems other than Linux.

    Returns:
        The names of the variables.
    """
    if sys.platform != "linux" or not any("TOKEN" in name.upper() for name in os.environ):
        return ()
    import ctypes

    from f0ci.core.processes import is_withheld

    names = tuple(name for name in os.environ if "TOKEN" in name.upper() and is_withheld(name))
    if not names:
        return ()
    libc = ctypes.CDLL(None)
    libc.getenv.restype = ctypes.c_void_p
    for name in names:
        place = libc.getenv(os.fsencode(name))
        if place:
            # the block that the kernel shows lies where the process was given it; the copy in `os.environ` does not
            ctypes.memset(place, ord("*"), len(os.fsencode(os.environ[name])))
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    return names
