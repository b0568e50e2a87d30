"""The processes of a worker in which runs are carried on, each kept for the next run of the same files."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from f0ci.runner.address import Address

# processes that may end under one run before it is given up
TRIES = 3
# seconds that a process gets to end by itself, and the server to notice that it did
LEAVING, NOTICING = 10.0, 5.0
# milliseconds between two looks at whether a process that does not answer still lives
LOOKING = 500


@dataclass(slots=True)
class Slot:
    """A process and the files it runs.

    Attributes:
        process: the process.
        root: where its files are.
        owner: by which it carries runs on.
        run: the run that it carries on, or the last one.
        stopping: True where it was told to stop.
    """

    process: subprocess.Popen[str]
    root: Path
    owner: str
    run: str = ""
    stopping: bool = False

    def order(self, **order: Any) -> None:
        """Send it an order."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def answer(self) -> dict[str, str] | None:
        """Wait for its answer, and return it, or None where it ended.

        The end of its output is not waited for: a child that a scriptlet forked may keep it open for long.
        """
        if self.process.stdout is None:
            return None
        told = select.poll()
        told.register(self.process.stdout, select.POLLIN)
        while not told.poll(LOOKING):
            if self.process.poll() is not None and not told.poll(0):
                return None
        line = self.process.stdout.readline()
        answer: dict[str, str] | None = json.loads(line) if line.endswith("\n") else None
        return answer

    def dismiss(self) -> None:
        """Tell it that there is nothing more to do."""
        with contextlib.suppress(OSError, ValueError):
            if self.process.stdin is not None:
                self.process.stdin.close()

    def end(self) -> None:
        """Have it end, and wait for that."""
        self.dismiss()
        try:
            self.process.wait(LEAVING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


@dataclass(slots=True)
class Slots:
    """The processes of a worker.

    Attributes:
        address: the database.
        label: of their sessions.
        most: how many at most.
        lives: tells whether an owner of runs is alive.
        tell: told what went wrong.
    """

    address: Address
    label: str
    most: int
    lives: Callable[[str], bool]
    tell: Callable[[str], None]
    _idle: list[Slot] = field(default_factory=list)
    _busy: list[Slot] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _free: threading.Semaphore = field(init=False)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._free = threading.Semaphore(self.most)

    @property
    def busy(self) -> list[str]:
        """Return the runs that are carried on now."""
        with self._lock:
            return sorted(slot.run for slot in self._busy)

    def carry_on(self, run: str, root: Path) -> tuple[str, str]:
        """Carry a run on in a process of its own, and return the answer of `slot.carry_on`.

        A process that ends under it, as by a crash of native code or want of memory, is replaced, and the run goes on
        after what is recorded; after `TRIES` of them it is given up: `given_up`.
        """
        with self._free:
            for _ in range(TRIES):
                if self._stopping:
                    return "stopped", "the worker is stopping"
                slot = self._take(run, root)
                if slot is None:
                    return "stopped", "the worker is stopping"
                try:
                    slot.order(run=run)
                    answer = slot.answer()
                except (OSError, ValueError):
                    answer = None
                if answer is not None:
                    self._give_back(slot)
                    return answer["state"], answer["message"]
                with self._lock:
                    self._busy.remove(slot)
                slot.end()
                code = slot.process.returncode
                if slot.stopping:
                    return "stopped", "the worker is stopping"
                self.tell(f"the process of run {run!r} ended (exit code {code})")
                self._outlive(slot)
            return "given_up", f"{TRIES} processes ended while they carried it on, the last with exit code {code}"

    def interrupt(self) -> None:
        """Have every run stop where it is, with all it started; nothing new begins."""
        with self._lock:
            self._stopping = True
            busy = list(self._busy)
        for slot in busy:
            slot.stopping = True
            with contextlib.suppress(ProcessLookupError):
                slot.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        """End all processes."""
        self.interrupt()
        with self._lock:
            slots, self._idle = [*self._idle, *self._busy], []
        for slot in slots:
            slot.dismiss()
        for slot in slots:
            slot.end()

    def _outlive(self, slot: Slot) -> None:
        """Wait until the server knows that a process is gone: until then its run is not to be had."""
        until = time.monotonic() + NOTICING
        while self.lives(slot.owner) and time.monotonic() < until:
            time.sleep(0.05)

    def _take(self, run: str, root: Path) -> Slot | None:
        retired = None
        with self._lock:
            slot = next((one for one in self._idle if one.root == root), None)
            if slot is not None:
                self._idle.remove(slot)
            elif len(self._idle) + len(self._busy) >= self.most:
                # one that has nothing to do makes room for other files
                retired = self._idle.pop(0)
            if slot is not None:
                self._busy.append(slot)
        if retired is not None:
            retired.end()
        if slot is None:
            slot = self._start(root)
            with self._lock:
                self._busy.append(slot)
                # whoever told the others to stop did not know of this one yet
                slot.stopping = self._stopping
            if slot.stopping:
                self._give_back(slot)
                return None
        slot.run = run
        return slot

    def _give_back(self, slot: Slot) -> None:
        with self._lock:
            self._busy.remove(slot)
            if slot.process.poll() is None and not slot.stopping:
                self._idle.append(slot)
                return
        slot.end()

    def _start(self, root: Path) -> Slot:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "f0ci.runner.cluster.slot"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # an interrupt of the terminal is the worker's to handle
            process_group=0,
        )
        slot = Slot(process, root, f"{process.pid}-{os.urandom(6).hex()}")
        slot.order(url=self.address.url, label=self.label, owner=slot.owner, root=str(root))
        return slot
