"""From an exception to a message and an exit code; nothing else catches what cannot be continued."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from f0ci import __version__
from f0ci.core.errors import ExitCode, F0ciError


def run(argv: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
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
        return int(ExitCode.INTERRUPTED)
    except F0ciError as error:
        show_error(error)
        return int(error.exit_code)
    except BrokenPipeError:
        # the reader left; nobody is there to be told
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.DONE)
    except Exception as error:  # noqa: BLE001 - the boundary: everything else is a defect
        return _report_defect(error, argv)
    return int(result) if isinstance(result, int) else int(ExitCode.DONE)


def show_error(error: F0ciError) -> None:
    """Print an expected error to stderr: place, message, then what to do next."""
    place = f"{error.place}: " if error.place else ""
    click.echo(f"{place}{click.style('error', fg='red', bold=True)}: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint', fg='cyan')}: {error.hint}", err=True)


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
    handle, name = tempfile.mkstemp(prefix="f0ci-defect-", suffix=".log")
    os.close(handle)
    Path(name).write_text(text, encoding="utf-8")
    click.echo(
        f"{click.style('defect', fg='red', bold=True)}: {redactor.text(f'{type(error).__name__}: {error}')}", err=True
    )
    click.echo(f"  this is a bug in f0ci {__version__}; please report it with the file {name}", err=True)
    return int(ExitCode.DEFECT)
