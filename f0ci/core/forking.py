"""Whether this process may be forked, and into how many it pays to be."""

from __future__ import annotations

import os
import sys


def can_fork() -> bool:
    """Tell whether this process may be forked: the system's libraries allow it, and no other thread holds a lock."""
    if not hasattr(os, "fork") or sys.platform == "darwin":
        return False
    try:
        return len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208 - names are enough
    except OSError:
        import threading

        return threading.active_count() == 1


def cores() -> int:
    """Return how many processes can work at the same time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
