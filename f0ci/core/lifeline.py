"""Ending what this process started even where it is killed and can end nothing any more."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections.abc import Iterator

# knows the groups that run, and ends them where the pipe closes before it was told that they are over; nobody but the
# end of the pipe may end it
_WATCH = r"""
trap '' HUP INT QUIT TERM
groups=
while read -r what group; do
  [ "$what" = over ] && exit
  left=
  for one in $groups; do
    [ "$one" = "$group" ] || left="$left $one"
  done
  groups=$left
  [ "$what" = begins ] && groups="$groups $group"
done
for one in $groups; do
  kill -s KILL -- "-$one"
done
"""


class Lifeline:
    """A small process that outlives this one by a moment: it ends the process groups that are left then.

    It ends with `close`. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._closed = False

    def start(self) -> None:
        """Start it, where it is not there: before a group begins, so that no time is lost then."""
        with self._lock:
            if self._process is None and not self._closed:
                # without it a killed process leaves behind what it started, which is no reason to start nothing
                with contextlib.suppress(OSError):
                    self._process = _start()

    @contextlib.contextmanager
    def holding(self, group: int) -> Iterator[None]:
        """Have a process group end with this process for as long as the block runs."""
        self._say("begins", group)
        try:
            yield
        finally:
            self._say("ends", group)

    def close(self) -> None:
        """Hold nothing any more."""
        with self._lock:
            process, self._process, self._closed = self._process, None, True
        if process is not None and process.stdin is not None:
            # in words: a child that a scriptlet forked may keep the pipe open for as long as it likes
            with contextlib.suppress(OSError):
                process.stdin.write(b"over 0\n")
                process.stdin.close()
            process.wait()

    def _say(self, what: str, group: int) -> None:
        with self._lock:
            if self._process is not None and self._process.stdin is not None:
                with contextlib.suppress(OSError):
                    self._process.stdin.write(f"{what} {group}\n".encode())


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        ("/bin/sh", "-c", _WATCH),
        bufsize=0,
        # it holds no folder, and nothing that somebody waits for the end of
        cwd="/",
        env={"PATH": "/usr/bin:/bin"},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
