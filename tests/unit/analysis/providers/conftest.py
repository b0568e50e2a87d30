"""A real Prometheus with a past that is known to the second, and with a service that it watches."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests

from tests.conftest import require_real
from tests.local_service import Reply, local_service

# first moment of the known past; samples follow every 15 s for half an hour
T0 = datetime(2024, 1, 1, tzinfo=UTC)
SCRAPES, EVERY = 121, 15
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus.

    Attributes:
        url: its address.
        pause_watching: while it returns True, the watched service answers 500.
    """

    url: str
    pause_watching: threading.Event


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, and fail where it does not come to hold."""
    deadline, never = time.monotonic() + _PATIENCE, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, f"{what} did not happen within {_PATIENCE:g}s"
        never.wait(0.05)


def _past() -> str:
    """Return the known past as OpenMetrics text."""
    begin = int(T0.timestamp())

    def series(name: str, labels: str, values: list[float]) -> list[str]:
        return [f"{name}{{{labels}}} {value:g} {begin + at * EVERY}" for at, value in enumerate(values)]

    steps = range(SCRAPES)
    lines = [
        "# TYPE http_requests counter",
        *series("http_requests_total", 'env="prod",release="abc123",code="200"', [99 * at for at in steps]),
        *series("http_requests_total", 'env="prod",release="abc123",code="500"', [1 * at for at in steps]),
        *series("http_requests_total", 'env="staging",release="abc123",code="200"', [10 * at for at in steps]),
        *series("http_requests_total", 'env="idle",release="abc123",code="200"', [5000 for _ in steps]),
        "# TYPE http_request_duration_seconds histogram",
    ]
    for bound, share in (("0.1", 50), ("0.5", 90), ("1", 100), ("+Inf", 100)):
        lines += series(
            "http_request_duration_seconds_bucket", f'env="prod",le="{bound}"', [share * at for at in steps]
        )
    lines += ["# TYPE queue gauge", *series("queue", 'env="prod"', list(steps))]
    lines += ["# TYPE odd gauge", *series("odd", 'env="a\\"b\\\\c`d\'e"', [3 for _ in steps])]
    return "\n".join([*lines, "# EOF", ""])


@pytest.fixture(scope="session")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Return a Prometheus that knows the past above, and scrapes a service of the present every 100 ms."""
    program, promtool = require_real("prometheus", "prometheus"), require_real("promtool", "prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "past.om").write_text(_past(), encoding="utf-8")
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", "past.om", "data"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    pause, count = threading.Event(), iter(range(0, 10**9, 5))

    def metrics(_: object) -> Reply:
        if pause.is_set():
            return Reply(b"", 500)
        text = f'# TYPE live_requests_total counter\nlive_requests_total{{env="prod"}} {next(count)}\n'
        return Reply(text.encode(), headers={"Content-Type": "text/plain; version=0.0.4"})

    with local_service(metrics) as exporter:
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 100ms, scrape_timeout: 100ms}\n"
            f"scrape_configs: [{{job_name: watched, static_configs: [{{targets: ['127.0.0.1:{exporter.port}']}}]}}]\n",
            encoding="utf-8",
        )
        with _running(program, folder) as url:
            yield Prometheus(url, pause)


@contextmanager
def _running(program: str, folder: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                "--config.file=prometheus.yml",
                "--storage.tsdb.path=data",
                # the known past must not be deleted as too old
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            until(lambda: process.poll() is not None or _is_ready(url), "Prometheus's start")
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            yield url
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _is_ready(url: str) -> bool:
    try:
        return requests.get(f"{url}/-/ready", timeout=5).ok
    except requests.RequestException:
        return False
