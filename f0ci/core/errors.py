"""Exceptions that end a command, each with the exit code a user can rely on.

F0ciError
├── UsageError        2   the call itself is wrong
├── CannotWork        3   configuration, input, Git or the network stop the work
│   ├── InputError        a file that cannot be used; carries its place
│   ├── GitError          Git refused or could not be asked
│   ├── NetworkError      a service did not answer
│   └── ProviderError     a metrics source could not answer
├── Refused           4   a gate, a rejection, a rule says no
├── StepError         1   a recipe's step failed
└── Defect           70   f0ci contradicts itself

Findings are never exceptions: they are diagnostics, collected and reported.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says to its caller; stable across releases."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    CANNOT_WORK = 3
    REFUSED = 4
    WAITING = 5
    ROLLED_BACK = 6
    NEEDS_A_PERSON = 7
    DEFECT = 70
    INTERRUPTED = 130


class F0ciError(Exception):
    """The command cannot continue; the message says what, the hint what to do next.

    Args:
        message: lower case, no full stop, with the value quoted.
        hint: the next action, or None where there is none.
        place: `path`, `path:line` or `path:line:column`, where a file is to blame.
    """

    exit_code = ExitCode.CANNOT_WORK

    def __init__(self, message: str, hint: str | None = None, *, place: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class UsageError(F0ciError):
    """The command line asks for something that does not exist."""

    exit_code = ExitCode.USAGE


class CannotWork(F0ciError):
    """Configuration, input, Git or the network stop the work."""


class InputError(CannotWork):
    """A file cannot be used as it is."""


class MissingFile(InputError):
    """There is no file of that name."""


class OutsideTree(InputError):
    """A path leads out of the repository."""


class GitError(CannotWork):
    """Git refused, or could not be asked."""


class NetworkError(CannotWork):
    """A service did not answer."""


class ProviderError(CannotWork):
    """A metrics source could not answer; never the same as a bad answer."""


class Refused(F0ciError):
    """A gate, a rejection or a rule says no."""

    exit_code = ExitCode.REFUSED


class StepError(F0ciError):
    """A recipe's step failed.

    Args:
        terminal: True where trying again cannot help.
    """

    exit_code = ExitCode.FINDINGS

    def __init__(self, message: str, hint: str | None = None, *, terminal: bool = False) -> None:
        super().__init__(message, hint)
        self.terminal = terminal


class Defect(F0ciError):
    """f0ci contradicts itself; the boundary asks the user to report it."""

    exit_code = ExitCode.DEFECT
