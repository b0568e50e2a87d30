"""Starting other programs: without this process's credentials, in a group of their own, with bounded output."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path

from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import CannotWork
from f0ci.core.lifeline import Lifeline
from f0ci.core.patterns import pattern
from f0ci.core.redaction import Redactor
from f0ci.core.values import dataclass

# seconds between asking a group of processes to end and ending it
GRACE = 2.0
KEPT_BYTES = 64_000
# becomes the program once it is told to; where nobody is left to tell, it never begins. So there is no moment in which
# a program runs whose group the lifeline does not know
_ON_WORD = ("/bin/sh", "-c", 'read -r word && exec "$@" </dev/null', "sh")
# characters that are dropped at most from the front of cut output, where half of a secret would escape redaction
MARGIN = 4_096

# what lets a program act for the CI job or for the user's Git; a recipe's own secrets have names of their own
_WITHHELD = pattern(
    r"""F0CI_\w*TOKEN | F0CI_SECRET_\w+ | F0CI_(?:\w+_)?ENGINE
      | (?:GITHUB|GH|GHE)(?:_ENTERPRISE)?_TOKEN | GITHUB_PAT | ACTIONS_\w*TOKEN\w*
      | CI_(?:JOB|BUILD|DEPLOY|REGISTRY|DEPENDENCY_PROXY)_(?:TOKEN|PASSWORD|JWT\w*) | CI_REPOSITORY_URL
      | (?:GITLAB|GL|GITEA|FORGEJO|BITBUCKET|CODEBERG)_\w*(?:TOKEN|PASSWORD)
      | SYSTEM_ACCESSTOKEN | AZURE_DEVOPS_EXT_PAT | VSS_NUGET_EXTERNAL_FEED_ENDPOINTS
      | SSH_AUTH_SOCK | SSH_AGENT_PID | SSH_ASKPASS\w*
      | GIT_(?:ASKPASS|SSH|SSH_COMMAND|TOKEN|USERNAME|PASSWORD|CREDENTIALS?)
      | GIT_CONFIG_(?:PARAMETERS|COUNT|KEY_\d+|VALUE_\d+)
      | GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|COMMON_DIR|NAMESPACE|PREFIX)
    """,
    re.VERBOSE | re.IGNORECASE,
)


def is_withheld(name: str) -> bool:
    """Tell whether a variable carries credentials of Git or CI, or ties Git to this process's repository."""
    return _WITHHELD.fullmatch(name) is not None


def reduced_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for a recipe's processes: everything but what `is_withheld` names."""
    return {name: value for name, value in environ.items() if not is_withheld(name)}


class BoundedOutput:
    """The end of what somebody writes, in bounded memory; safe to use from several threads.

    Args:
        kept: bytes (UTF-8) that are kept at most.
    """

    def __init__(self, kept: int = KEPT_BYTES) -> None:
        self._kept = kept
        self._bytes = bytearray()
        self._dropped = 0
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Add some output."""
        with self._lock:
            self._bytes += data
            surplus = len(self._bytes) - self._kept - MARGIN
            # cutting on every small write would copy the whole buffer each time
            if surplus > MARGIN:
                del self._bytes[:surplus]
                self._dropped += surplus

    def text(self, redactor: Redactor) -> str:
        """Return what is kept, redacted, with a word where the beginning is left out."""
        with self._lock:
            text, cut = self._bytes.decode("utf-8", errors="replace"), self._dropped > 0
        text = redactor.text(text)
        return f"[... the beginning is left out]\n{_without_torn_front(text)}" if cut else text


def _without_torn_front(text: str) -> str:
    """Return cut text without its first line, or as much as a secret can be long: it may begin with half of one."""
    end = text.find("\n", 0, MARGIN)
    return text[end + 1 :] if end >= 0 else text[MARGIN:]


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended.

    Attributes:
        code: exit code; the negative number of the signal that ended it, as `subprocess` says it.
        timed_out: True where it was ended because its time was over.
        cancelled: True where it was ended because the work was cancelled.
    """

    code: int
    timed_out: bool = False
    cancelled: bool = False


class _Group:
    """A process that leads a group, and every descendant that did not leave it."""

    def __init__(self, process: subprocess.Popen[bytes], grace: float) -> None:
        self._process = process
        self._grace = grace
        self._killer: threading.Timer | None = None
        self._lock = threading.Lock()
        self._over = False
        self.timed_out = False
        self.cancelled = False

    def time_is_over(self) -> None:
        self.timed_out = self._end()

    def cancel(self) -> None:
        self.cancelled = self._end()

    def _end(self) -> bool:
        """Ask the group to end, and end it after the grace; tell whether this was the first request."""
        with self._lock:
            if self._over or self._killer is not None:
                return False
            self._killer = threading.Timer(self._grace, self._signal, (signal.SIGKILL,))
            self._killer.daemon = True
            self._killer.start()
        self._signal(signal.SIGTERM)
        return True

    def close(self) -> None:
        """End whatever is left of the group at once."""
        with self._lock:
            self._over = True
            if self._killer is not None:
                self._killer.cancel()
        self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        # a group of which nobody is left, or (macOS) only the dead, cannot be signalled
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


def run_process(
    arguments: Sequence[str],
    *,
    folder: Path,
    environ: Mapping[str, str],
    output: BoundedOutput,
    timeout: float | None = None,
    cancellation: Cancellation | None = None,
    grace: float = GRACE,
    lifeline: Lifeline | None = None,
) -> Finished:
    """Run a program in a process group of its own until it ends, its time is over, or the work is cancelled.

    Nothing of the group outlives the call, but for what moved into a session of its own (`setsid`).

    Args:
        arguments: the program and its arguments.
        folder: where it starts.
        environ: its whole environment.
        output: receives standard output and standard error.
        timeout: seconds it may take, or None.
        cancellation: ends it when cancelled.
        grace: seconds between the request to end (SIGTERM) and the end (SIGKILL).
        lifeline: ends it where this process is killed, or None.

    Raises:
        CannotWork: the program cannot be started.
    """
    program = list(arguments)
    if lifeline is not None:
        lifeline.start()
        # what is not there shall be told by its own name
        if shutil.which(program[0], path=os.pathsep.join(os.get_exec_path(environ))) is not None:
            program = [*_ON_WORD, *program]
    reading, writing = os.pipe()
    reader = threading.Thread(target=_read, args=(reading, output), name="f0ci-output", daemon=True)
    reader.start()
    try:
        process = subprocess.Popen(
            program,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE if program[0] is _ON_WORD[0] else subprocess.DEVNULL,
            stdout=writing,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        hint = "check that the program is installed and on PATH"
        if error.errno == errno.E2BIG:
            name, size = max(((name, len(value)) for name, value in environ.items()), key=itemgetter(1))
            hint = f"the variable {name} has {size:,} characters; write such a value to a file, and pass its path"
        raise CannotWork(f"cannot start {arguments[0]!r}: {error.strerror or error}", hint) from error
    except ValueError as error:
        nul = next((name for name, value in environ.items() if "\0" in value), None)
        what = "its arguments hold" if nul is None else f"the variable {nul} holds"
        raise CannotWork(
            f"cannot start {arguments[0]!r}: {what} a NUL", "take it out, no program is given one"
        ) from error
    finally:
        os.close(writing)
    group = _Group(process, grace)
    with contextlib.nullcontext() if lifeline is None else lifeline.holding(process.pid):
        try:
            _give_word(process)
            with _timer(timeout, group), (cancellation or Cancellation()).calling(group.cancel):
                code = process.wait()
        finally:
            group.close()
            process.wait()
            # a descendant that left the group may hold the pipe open for as long as it likes
            reader.join(timeout=1.0)
    return Finished(code, timed_out=group.timed_out, cancelled=group.cancelled)


def _give_word(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        with contextlib.suppress(OSError), process.stdin as word:
            word.write(b"go\n")


@contextlib.contextmanager
def _timer(timeout: float | None, group: _Group) -> Iterator[None]:
    if timeout is None:
        yield
        return
    timer = threading.Timer(timeout, group.time_is_over)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _read(pipe: int, output: BoundedOutput) -> None:
    with open(pipe, "rb", buffering=0) as stream:
        while data := stream.read(65_536):
            output.write(data)
