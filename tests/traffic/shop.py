"""The shop of the example `haproxy`, with its proxy, its Prometheus, its clients, and people who promote into it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from f0ci.commands.scaffolding import scaffold
from tests.conftest import commit_files, git
from tests.traffic.load import Load

ENVIRONMENT = "live"
_PATIENCE_SECONDS = 60.0


def until(holds: Callable[[], bool], what: str, seconds: float = _PATIENCE_SECONDS) -> None:
    """Wait until a condition holds, and fail where it does not come to hold."""
    deadline, never = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g}s"
        never.wait(0.05)


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()


@dataclass
class Prometheus:
    """A Prometheus that can be killed and started again on the same data.

    Attributes:
        program: where it is.
        folder: holds `prometheus.yml`; its data is kept there.
        port: where it answers.
    """

    program: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "prometheus.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self.program,
                    "--config.file=prometheus.yml",
                    "--storage.tsdb.path=data",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                cwd=self.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self.is_ready, "Prometheus's start")
        # it takes seconds until it looks at anything for the first time
        begun = time.time()
        until(lambda: (self.ask("max(timestamp(up))") or 0) > begun, "Prometheus's first scrape")

    def is_ready(self) -> bool:
        """Tell whether it answers."""
        with suppress(requests.RequestException):
            return requests.get(f"{self.url}/-/ready", timeout=5).ok
        return False

    def kill(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, query: str) -> float | None:
        """Return the number that a query yields now, or None where it yields none."""
        answer = requests.get(f"{self.url}/api/v1/query", {"query": query}, timeout=5).json()
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else None


@dataclass
class Promoter:
    """A running `f0ci promote`."""

    process: subprocess.Popen[bytes]
    output: Path

    def end(self) -> tuple[int, str]:
        """Wait for its end and return its exit code and what it printed."""
        code = self.process.wait(timeout=2 * _PATIENCE_SECONDS)
        return code, self.output.read_text(encoding="utf-8")

    def kill(self) -> None:
        """Kill it, as a machine that is taken away would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class Shop:
    """The whole thing.

    Attributes:
        work: the repository.
        prometheus: what measures it.
        load: its clients.
    """

    work: Path
    prometheus: Prometheus
    load: Load
    _count: int = field(default=0)

    def change(self, files: Mapping[str, str] | None = None, **settings: str) -> str:
        """Commit a new release and return its digest.

        Args:
            files: whole files.
            settings: of the shop itself.
        """
        self._count += 1
        said = {"greeting": f"Good morning {self._count}", "fault": "none", **settings}
        base = "shop:\n" + "".join(f"  {key}: {value}\n" for key, value in said.items())
        commit_files(self.work, {"environments/base.yaml": base, **(files or {})}, f"release {self._count}")
        made = self.f0ci("release", "create", "--format", "json")
        return str(json.loads(made.stdout)["digest"])

    def f0ci(self, *args: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run f0ci to its end and check its exit code."""
        done = subprocess.run([*self._command(), *args], capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, f"f0ci {' '.join(args)}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def promote(self, *args: str) -> Promoter:
        """Start a promotion that stays until its end."""
        output = self.work / f"promoter-{time.monotonic_ns()}.log"
        options = [] if "--wait" in args else ["--wait", "90s"]
        with output.open("wb") as stream:
            process = subprocess.Popen(
                [*self._command(), "promote", ENVIRONMENT, "--every", "1s", *options, *args],
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
        return Promoter(process, output)

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "f0ci", "-C", str(self.work)]

    def traffic(self) -> dict[str, int]:
        """Return the percent by release that the environment's branch says now."""
        found: dict[str, int] = json.loads(git(self.work, "show", f"env/{ENVIRONMENT}:traffic.json"))["traffic"]
        return found

    def events(self) -> list[dict[str, Any]]:
        """Return the ledger's events in order."""
        ref = f"f0ci/ledger/{ENVIRONMENT}"
        files = git(self.work, "ls-tree", "-r", "--name-only", ref).splitlines()
        shown = git(self.work, "show", *(f"{ref}:{path}" for path in files))
        decoder, found, at = json.JSONDecoder(), [], 0
        while at < len(shown):
            event, end = decoder.raw_decode(shown, at)
            found.append(event)
            at = end + 1
        return sorted(found, key=lambda event: int(event["position"]))

    def happened(self, kind: str, promotion: str | None = None) -> list[dict[str, Any]]:
        """Return the events of a kind, of the newest promotion or of another."""
        events = self.events()
        newest = promotion or next(event["promotion"] for event in reversed(events) if "-" in event["promotion"])
        return [event for event in events if event["kind"] == kind and event["promotion"] == newest]

    def read(self, path: str) -> str:
        """Return a file of the repository."""
        return (self.work / path).read_text(encoding="utf-8")

    def write(self, files: Mapping[str, str]) -> None:
        """Commit files, for the next release."""
        commit_files(self.work, files, "as before")

    def promoted(self, files: Mapping[str, str] | None = None) -> str:
        """Bring a good release in, all of its steps, and return its digest."""
        release = self.change(files)
        code, text = self.promote().end()
        assert code == 0, text
        return release

    def is_held(self) -> bool:
        """Tell whether the environment is held."""
        kinds = [event["kind"] for event in self.events() if event["kind"] in {"hold", "unhold"}]
        return kinds[-1:] == ["hold"]


def set_up(work: Path, **pace: str) -> tuple[int, int, int]:
    """Write the example into a repository, on free ports and at a test's pace; return the ports.

    Args:
        work: the repository.
        pace: `duration`, `delay`, `scrape` and `steps`.
    """
    listen, metrics, prometheus, *own = free_ports(6)
    renumbered = dict(zip(("9101", "9102", "9103"), map(str, own), strict=True))
    scaffold(work, example="haproxy")
    for path, changes in {
        "environments/live/config.yaml": {
            "127.0.0.1:8080": f"127.0.0.1:{listen}",
            ":8404": f":{metrics}",
            **renumbered,
        },
        "prometheus.yml": {
            ":8404": f":{metrics}",
            **renumbered,
            "scrape_interval: 1s": f"scrape_interval: {pace['scrape']}",
        },
        "workflow.yaml": {
            ":9090": f":{prometheus}",
            "duration: 10s": f"duration: {pace['duration']}",
            "steps: [10, 50, 100]": f"steps: {pace['steps']}",
            "min_samples: 20": "min_samples: 10",
            "scale_down_delay: 5s": f"scale_down_delay: {pace['delay']}",
        },
    }.items():
        text = (work / path).read_text(encoding="utf-8")
        for old, new in changes.items():
            assert old in text, f"{path} has no {old!r} any more"
            text = text.replace(old, new)
        (work / path).write_text(text, encoding="utf-8")
    return listen, metrics, prometheus


@contextmanager
def open_shop(folder: Path, prometheus: str, **pace: str) -> Iterator[Shop]:
    """Open a shop with one good release and customers; everything has ended when the block ends."""
    work = folder / "shop"
    work.mkdir()
    git(work, "init", "-q")
    listen, _, port = set_up(work, **pace)
    shop = Shop(work, Prometheus(prometheus, work, port), Load(listen))
    try:
        shop.prometheus.start()
        with shop.load.running():
            # the first release has no customers to be judged by before it is there
            shop.promoted()
            yield shop
    finally:
        shop.prometheus.kill()
        close_site(work / "site")


def close_site(site: Path) -> None:
    """End the processes of a site, by the ids that they left."""
    pids = [int(path.read_text(encoding="ascii").split()[0]) for path in sorted(site.glob("*.pid"))]
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    until(lambda: not any(_runs(pid) for pid in pids), "the end of the site's processes")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
