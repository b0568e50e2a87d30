"""From an exception to a message and an exit code; nothing else catches what cannot be continued."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from f0ci import __version__
from f0ci.core.errors import CannotWork, ExitCode, F0ciError, UsageError

# what a machine lacks is no defect of f0ci, wherever it shows
_NO_SPACE = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS})
_NO_FOLDER = "No usable temporary directory"

# commands that record each step before the next, and go on from there
_IN_STEPS = frozenset({"promote", "rollback", "abort", "resume"})


def run(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code; no process that it started is left."""
    try:
        return _run(argv)
    finally:
        git = sys.modules.get("f0ci.git.reading")
        if git is not None:
            git.close_all()


def _run(argv: Sequence[str]) -> int:
    from f0ci.cli.application import application

    try:
        result = application.main(args=list(argv), prog_name="f0ci", standalone_mode=False)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except click.ClickException as error:
        error.show()
        return int(ExitCode.USAGE)
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        if _IN_STEPS.intersection(argv):
            click.echo(
                f"  {click.style('hint', fg='cyan')}: `f0ci status` says where it is; run it again to go on", err=True
            )
        return int(ExitCode.INTERRUPTED)
    except F0ciError as error:
        show_error(error)
        return int(error.exit_code)
    except UnicodeEncodeError as error:
        odd = next((text for text in argv if not _is_text(text)), None)
        if odd is None:
            return _report_defect(error, argv)
        show_error(UsageError(f"the argument {odd!r} is not UTF-8", "write it in UTF-8; rename the file if it is one"))
        return int(ExitCode.USAGE)
    except OSError as error:
        if error.errno not in _NO_SPACE and _NO_FOLDER not in str(error):
            return _report_defect(error, argv)
        place = f"{error.filename}: " if error.filename else ""
        show_error(CannotWork(f"{place}{error.strerror}", "free space on the disk, or check its quota and its rights"))
        return int(ExitCode.CANNOT_WORK)
    except Exception as error:  # noqa: BLE001 - the boundary: everything else is a defect
        return _report_defect(error, argv)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def show_error(error: F0ciError) -> None:
    """Print an expected error to stderr: place, message, then what to do next."""
    from f0ci.cli.width import print_line

    place = f"{error.place}: " if error.place else ""
    print_line(f"{place}{click.style('error', fg='red', bold=True)}: {_masked(error.message)}", err=True)
    if error.hint:
        print_line(f"  {click.style('hint', fg='cyan')}: {_masked(error.hint)}", err=True)


def _masked(text: str) -> str:
    """Return a message without the secrets that this process was given: it may quote what somebody wrote out."""
    given = [value for name, value in os.environ.items() if name.startswith("F0CI_SECRET_")]
    if not given:
        return text
    from f0ci.core.redaction import Redactor

    return Redactor(given).text(text)


def _report_defect(error: Exception, argv: Sequence[str]) -> int:
    import platform
    import tempfile
    import traceback

    from f0ci.core.processes import is_withheld
    from f0ci.core.redaction import Redactor

    secrets = (value for name, value in os.environ.items() if is_withheld(name))
    redactor = Redactor(secrets)
    text = redactor.text(
        f"f0ci {__version__}\npython {platform.python_version()} on {platform.platform()}\n"
        f"command: f0ci {' '.join(argv)}\n\n{''.join(traceback.format_exception(error))}"
    )
    click.echo(
        f"{click.style('defect', fg='red', bold=True)}: {redactor.text(f'{type(error).__name__}: {error}')}", err=True
    )
    try:
        handle, name = tempfile.mkstemp(prefix="f0ci-defect-", suffix=".log")
        os.close(handle)
        Path(name).write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as failure:
        more = f"please report it; no file of what happened could be written: {failure.strerror}"
    else:
        more = f"please report it with the file {name}"
    click.echo(f"  this is a bug in f0ci {__version__}; {more}", err=True)
    return int(ExitCode.DEFECT)


def _is_text(argument: str) -> bool:
    """Tell whether an argument is UTF-8; other bytes arrive as halves of characters."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True
