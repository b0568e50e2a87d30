"""Starting the git executable: its environment, its input, and what it answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass

if TYPE_CHECKING:
    import subprocess

TOKEN_VARIABLE = "F0CI_GIT_TOKEN"  # noqa: S105 - the name of a variable, not its value
# what Git hands to hooks, and what would point our commands at another repository or index
_FOREIGN = frozenset(
    {
        "GIT_ALTERNATE_OBJECT_DIRECTORIES",
        "GIT_COMMON_DIR",
        "GIT_CONFIG",
        "GIT_DIR",
        "GIT_GLOB_PATHSPECS",
        "GIT_GRAFT_FILE",
        "GIT_ICASE_PATHSPECS",
        "GIT_IMPLICIT_WORK_TREE",
        "GIT_INDEX_FILE",
        "GIT_INTERNAL_SUPER_PREFIX",
        "GIT_LITERAL_PATHSPECS",
        "GIT_NAMESPACE",
        "GIT_NOGLOB_PATHSPECS",
        "GIT_OBJECT_DIRECTORY",
        "GIT_PREFIX",
        "GIT_QUARANTINE_PATH",
        "GIT_REPLACE_REF_BASE",
        "GIT_SHALLOW_FILE",
        "GIT_WORK_TREE",
    }
)
_FIXED = {
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "GIT_TERMINAL_PROMPT": "0",
    # reading the state of the work tree must not rewrite the user's index
    "GIT_OPTIONAL_LOCKS": "0",
    # history is what the commits say; a path that cannot exist is the one Git passes over in silence
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_GRAFT_FILE": os.devnull + "/none",
}
# names another git than the one on the path
_EXECUTABLE = "F0CI_GIT"
# how long a git that is told to end may take
_LAST_SECONDS = 2.0
_OLDEST = "Git 2.30"
_WRONG_USAGE = 129
# what Git adds behind the reason, or instead of one
_SAYS_LITTLE = re.compile(
    r"(?:fatal: )?(?:the remote end hung up unexpectedly|could not read from remote repository)"
    r"|hint: |warning: |please make sure you have the correct access|and the repository exists"
    r"|error: failed to push some refs|everything up-to-date|send-pack: unexpected disconnect",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Completed:
    """What a git process left behind.

    Attributes:
        code: exit status; negative is the signal that ended it.
        out: standard output.
        err: standard error, without its last line break.
    """

    code: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        """Return standard output as text, without its last line break."""
        return self.out.decode("utf-8", "surrogateescape").removesuffix("\n")


def run_git(
    arguments: Sequence[str],
    *,
    folder: Path,
    content: bytes | None = None,
    env: Mapping[str, str] | None = None,
    timeout: float | None = None,
) -> Completed:
    """Run git in a folder and wait for it.

    Args:
        arguments: what follows `git`.
        folder: where it runs.
        content: standard input; nothing when None.
        env: additions to the environment; `F0CI_GIT_TOKEN` is passed on only where it is named here.
        timeout: seconds after which the process is killed; it then ends with a negative code.

    Raises:
        GitError: there is no git executable.
    """
    import subprocess

    stdin = subprocess.DEVNULL if content is None else subprocess.PIPE
    process = _popen(arguments, folder, {**_FIXED, **(env or {})}, stdin=stdin, stderr=subprocess.PIPE)
    return _communicate(process, content, timeout)


class Begun:
    """A git that works while its caller does something else.

    Args:
        arguments: what follows `git`.
        folder: where it runs.
        env: additions to the environment.
        timeout: seconds after which it is killed.

    Raises:
        GitError: there is no git executable.
    """

    def __init__(
        self, arguments: Sequence[str], *, folder: Path, env: Mapping[str, str] | None = None, timeout: float
    ) -> None:
        import subprocess
        import threading

        nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
        self._process = _popen(arguments, folder, {**_FIXED, **(env or {})}, stdin=nothing, stderr=pipe)
        self._answers: list[Completed] = []
        # what it says must be read, or it stops saying it
        self._reader = threading.Thread(target=self._read, args=(timeout,), daemon=True)
        self._reader.start()

    def answer(self) -> Completed:
        """Wait for it and return what it left behind."""
        self._reader.join()
        return self._answers[0]

    def end(self) -> None:
        """End it where nobody needs its answer any more."""
        if self._reader.is_alive():
            _end(self._process)
            # what git started may still hold its output open
            self._reader.join(_LAST_SECONDS)

    def _read(self, timeout: float) -> None:
        self._answers.append(_communicate(self._process, None, timeout))


def start_git(arguments: Sequence[str], *, folder: Path) -> subprocess.Popen[bytes]:
    """Start git in a folder, to be asked through its standard input; what it says on standard error is dropped.

    Args:
        arguments: what follows `git`.
        folder: where it runs.

    Raises:
        GitError: there is no git executable.
    """
    import subprocess

    return _popen(arguments, folder, _FIXED, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)


def git_version() -> tuple[int, ...]:
    """Return the version of the git executable, as (2, 39, 5).

    Raises:
        GitError: there is no git executable.
    """
    words = run_git(["version"], folder=Path("/")).text.split()
    digits = [part for part in words[2].split(".") if part.isdigit()] if len(words) > 2 else []
    return tuple(int(part) for part in digits)


def git_says(err: str) -> str:
    """Return the line of Git's standard error that says why it failed, without its full stop; pure."""
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    telling = [line for line in lines if not _SAYS_LITTLE.match(line)]
    for prefix in ("fatal: ", "error: ", ""):
        for line in telling:
            if line.startswith(prefix):
                return line.removeprefix(prefix).rstrip(".")
    return lines[0].removeprefix("fatal: ").rstrip(".") if lines else "it gave no reason"


def failed(arguments: Sequence[str], answer: Completed) -> GitError:
    """Return the error for a git command that failed; pure.

    Args:
        arguments: what followed `git`.
        answer: what it left behind.
    """
    from f0ci.core.redaction import Redactor

    words = [word for word, before in zip(arguments, ("", *arguments), strict=False) if "-c" not in {word, before}]
    hint = f"f0ci needs {_OLDEST} or newer; see `git version`" if answer.code == _WRONG_USAGE else None
    return GitError(f"`git {words[0]}` failed: {Redactor().text(git_says(answer.err))}", hint)


def _popen(
    arguments: Sequence[str], folder: Path, additions: Mapping[str, str], *, stdin: int, stderr: int
) -> subprocess.Popen[bytes]:
    import subprocess

    unwanted = {*_FOREIGN, TOKEN_VARIABLE}
    env = {name: value for name, value in os.environ.items() if name not in unwanted}
    command = [os.environ.get(_EXECUTABLE) or "git", "-C", str(folder), *arguments]
    try:
        return subprocess.Popen(command, env={**env, **additions}, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr)
    except (FileNotFoundError, PermissionError) as error:
        raise _missing() from error


def _communicate(process: subprocess.Popen[bytes], content: bytes | None, timeout: float | None) -> Completed:
    import subprocess

    with process:
        try:
            out, err = process.communicate(content, timeout=timeout)
        except subprocess.TimeoutExpired:
            out, err = _end(process), b""
        except BaseException:
            _end(process)
            raise
    return Completed(process.returncode, out, err.decode("utf-8", "surrogateescape").removesuffix("\n"))


def _end(process: subprocess.Popen[bytes]) -> bytes:
    """End git, which ends what it started, such as an ssh that hangs; return nothing."""
    import subprocess

    process.terminate()
    try:
        process.wait(_LAST_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
    return b""


def _missing() -> GitError:
    return GitError(
        "git is not installed",
        f"install the package 'git' ({_OLDEST} or newer), or set F0CI_GIT to its path",
    )
