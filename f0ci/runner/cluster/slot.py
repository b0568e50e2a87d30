"""A process of a worker that carries on one run at a time: scriptlets expect a process of their own.

It reads orders from its standard input, a line of JSON each, and answers on its standard output. When the input ends,
its worker is gone: the run is stopped where it is, with everything it started, and goes on elsewhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from f0ci.core.errors import F0ciError, Refused
from f0ci.core.outcome import Outcome
from f0ci.runner.address import Address
from f0ci.runner.cluster.connection import EngineError
from f0ci.runner.cluster.handing import end_run
from f0ci.runner.cluster.journal import PostgresJournal
from f0ci.runner.engine import EmbeddedEngine
from f0ci.runner.journal import JournalError
from f0ci.runner.recording import LostRun

# what steps of recipes have no business with
_OWN = ("F0CI_ENGINE", "PGPASSWORD")


class _Orders:
    """The orders that come, one at a time."""

    def __init__(self) -> None:
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._busy = threading.Event()
        self._ended = False

    def read(self) -> None:
        """Read until the input ends, then have what is going on stop."""
        for line in sys.stdin:
            self._lines.put(line)
        self._ended = True
        self._lines.put("")
        if self._busy.is_set():
            os.kill(os.getpid(), signal.SIGINT)

    def next(self) -> Mapping[str, Any] | None:
        """Return the next order, or None at the end."""
        self._busy.clear()
        line = self._lines.get()
        self._busy.set()
        if not line or self._ended:
            return None
        order: Mapping[str, Any] = json.loads(line)
        return order


def main() -> None:
    """Carry on runs until there are no more orders."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # nothing that a step prints past its own output may look like an answer
    os.dup2(2, 1)
    orders = _Orders()
    threading.Thread(target=orders.read, daemon=True, name="orders").start()
    first = orders.next()
    if first is None:
        return
    root = Path(first["root"])
    try:
        journal = PostgresJournal(Address(first["url"]), owner=first["owner"], label=first["label"], insist=True)
    except EngineError as error:
        if orders.next() is not None:
            _answer(answers, "stopped", str(error))
        return
    for name in _OWN:
        os.environ.pop(name, None)
    engine = EmbeddedEngine(journal, root=root)
    with journal, engine.at_home(root):
        while (order := orders.next()) is not None:
            _answer(answers, *carry_on(engine, journal, str(order["run"])))


def _answer(answers: IO[str], state: str, message: str) -> None:
    answers.write(json.dumps({"state": state, "message": message}) + "\n")
    answers.flush()


def carry_on(engine: EmbeddedEngine, journal: PostgresJournal, run: str) -> tuple[str, str]:
    """Carry a run on until it is over, waits or is stopped; return its state, and why where it is none of its own.

    | what happens | answer |
    |---|---|
    | it is over, or waits | its state |
    | something was sent to it while it came to wait | it is carried on |
    | somebody else has it, or took it over | `elsewhere` |
    | this process is told to stop, or cannot record | `stopped`: it goes on elsewhere |
    | it cannot be carried on at all | `errored`, which is recorded |
    """
    try:
        while True:
            seen = _sent(journal, run)
            record = engine.resume(run)
            if record.outcome is not Outcome.WAITING or _sent(journal, run) == seen:
                return str(record.outcome), ""
    except KeyboardInterrupt:
        return "stopped", "interrupted"
    except (Refused, LostRun) as error:
        return "elsewhere", str(error)
    except JournalError as error:
        return "stopped", str(error)
    except F0ciError as error:
        words = f"{error}; {error.hint}" if error.hint else str(error)
        end_run(journal, run, words)
        return "errored", words


def _sent(journal: PostgresJournal, run: str) -> int:
    return int(journal.rows("SELECT count(*) FROM signals WHERE run = ?", (run,))[0][0])


if __name__ == "__main__":
    # told to stop before there was a run to stop: nothing to say of it
    with contextlib.suppress(KeyboardInterrupt):
        main()
