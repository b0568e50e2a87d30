"""Starting the git executable: its environment, its input, and what it answers."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from f0ci.core.errors import GitError

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
_OLDEST = "Git 2.30"
_NOT_FOUND = 127
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
    import tempfile

    git = _git()
    additions = {**_FIXED, **(env or {})}
    command = [*_without(additions), git.GIT_PYTHON_GIT_EXECUTABLE or "git", "-C", str(folder), *arguments]
    options: dict[str, Any] = {
        "env": additions,
        "with_extended_output": True,
        "with_exceptions": False,
        "stdout_as_string": False,
        "strip_newline_in_stdout": False,
        "kill_after_timeout": timeout,
    }
    try:
        if content is None:
            answer = git().execute(command, **options)
        else:
            with tempfile.TemporaryFile() as stream:
                stream.write(content)
                stream.seek(0)
                answer = git().execute(command, istream=cast("Any", stream), **options)
    except (_command_not_found(), PermissionError) as error:
        raise _missing() from error
    code, out, err = cast("tuple[int, bytes, str]", answer)
    if code == _NOT_FOUND and command[0] == "env":
        raise _missing()
    return Completed(code, out, err)


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


def _git() -> Any:
    try:
        from git.cmd import Git
    except ModuleNotFoundError:
        raise
    except ImportError as error:
        # GitPython looks for the executable when it is imported
        raise _missing() from error
    return Git


def _command_not_found() -> type[Exception]:
    from git.exc import GitCommandNotFound

    return cast("type[Exception]", GitCommandNotFound)


def _missing() -> GitError:
    return GitError(
        "git is not installed",
        f"install the package 'git' ({_OLDEST} or newer), or set GIT_PYTHON_GIT_EXECUTABLE to its path",
    )


def _without(additions: Mapping[str, str]) -> list[str]:
    """Return the words before `git` that take variables away: GitPython can only add to the environment."""
    unwanted = sorted(name for name in (*_FOREIGN, TOKEN_VARIABLE) if name in os.environ and name not in additions)
    return ["env", *(word for name in unwanted for word in ("-u", name))] if unwanted else []
