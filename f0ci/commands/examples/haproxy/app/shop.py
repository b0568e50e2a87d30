"""A shop that greets: HTTP on a socket in the file system, and its metrics on the first port that is free.

    python3 shop.py SETTINGS.json SOCKET

`fault` in its settings makes it a bad release: `errors` (half of its answers are 500), `latency` (a third of a second
each), `memory` (8 MB more with each request), `crash` (it ends after 5 requests), `silent` (it shows no metrics).
"""

from __future__ import annotations

import json
import os
import random
import signal
import socketserver
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BOUNDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0)
SLOW_SECONDS, LEAK_BYTES, REQUESTS_TO_LIVE, ERROR_SHARE = 0.3, 8_000_000, 5, 0.5


class Shop:
    """What the shop is, and what it counts.

    Args:
        settings: `release`, `greeting` and `fault`.
    """

    def __init__(self, settings: dict[str, Any]) -> None:
        self.release, self.greeting, self.fault = settings["release"], settings["greeting"], settings["fault"]
        self._lock = threading.Lock()
        self._answers: Counter[int] = Counter()
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._leaked: list[bytes] = []

    def answer(self) -> tuple[int, str]:
        """Return the status and the text of one answer."""
        if self.fault == "latency":
            time.sleep(SLOW_SECONDS)
        if self.fault == "memory":
            self._leaked.append(b"x" * LEAK_BYTES)
        if self.fault == "crash" and self._answers.total() >= REQUESTS_TO_LIVE:
            os._exit(1)
        broken = self.fault == "errors" and random.random() < ERROR_SHARE  # noqa: S311 - nothing to guess
        return (500, "sold out\n") if broken else (200, f"{self.greeting}\n")

    def count(self, status: int, seconds: float) -> None:
        """Count an answer."""
        with self._lock:
            self._answers[status] += 1
            self._seconds += seconds
            self._buckets.update(bound for bound in BOUNDS if seconds <= bound)

    def metrics(self) -> str:
        """Return the metrics as Prometheus reads them."""
        name = f'release="{self.release}"'
        with self._lock:
            lines = [f'shop_requests_total{{{name},code="{code}"}} {n}' for code, n in sorted(self._answers.items())]
            lines += [f'shop_request_seconds_bucket{{{name},le="{bound}"}} {self._buckets[bound]}' for bound in BOUNDS]
            lines += [
                f'shop_request_seconds_bucket{{{name},le="+Inf"}} {self._answers.total()}',
                f"shop_request_seconds_sum{{{name}}} {self._seconds:.6f}",
                f"shop_request_seconds_count{{{name}}} {self._answers.total()}",
                f"shop_memory_bytes{{{name}}} {_resident_bytes()}",
            ]
        return "\n".join([*lines, ""])


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


class _Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # an answer is one packet
    wbufsize = -1
    shop: Shop

    def log_message(self, *_args: Any) -> None:
        """Keep quiet."""

    def say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Release", self.shop.release)
        self.end_headers()
        self.wfile.write(body)


class _Customers(_Quiet):
    def do_GET(self) -> None:
        if self.path == "/health":
            self.say(200, f"{self.shop.release}\n")
            return
        begun = time.monotonic()
        status, text = self.shop.answer()
        self.shop.count(status, time.monotonic() - begun)
        self.say(status, text)


class _Metrics(_Quiet):
    def do_GET(self) -> None:
        silent = self.shop.fault == "silent"
        self.say(404 if silent else 200, "" if silent else self.shop.metrics())


class _SocketServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    request_queue_size = 128

    def get_request(self) -> tuple[Any, Any]:
        """Return a connection with an address such as handlers expect."""
        request, _ = super().get_request()
        return request, ("proxy", 0)


def at_first_free(ports: list[int], handler: type) -> ThreadingHTTPServer:
    """Return a server at the first port that nobody listens at."""
    for port in ports:
        try:
            return ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
    sys.exit(f"none of the ports {ports} is free")


def main(settings: Path, socket: Path) -> None:
    """Serve until the process is asked to end."""
    said = json.loads(settings.read_text(encoding="utf-8"))
    shop = Shop(said)
    socket.unlink(missing_ok=True)
    handlers = [type(kind.__name__, (kind,), {"shop": shop}) for kind in (_Customers, _Metrics)]
    metrics = at_first_free(said["metrics"], handlers[1])
    front = _SocketServer(str(socket), handlers[0])
    threading.Thread(target=metrics.serve_forever, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=front.shutdown).start())
    front.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:3]))
