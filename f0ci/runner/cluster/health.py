"""Whether a worker is well, for those who start and stop it: one address that answers 200 or 503."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from f0ci.core.errors import CannotWork, UsageError

LOOPBACK = "127.0.0.1"


def read_place(text: str) -> tuple[str, int]:
    """Return host and port of `PORT` or `HOST:PORT`; without a host only this machine can ask.

    Raises:
        UsageError: it is neither.
    """
    host, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65_535:
        raise UsageError(
            f"{text!r} is no address for the health endpoint", "write 9808, or 0.0.0.0:9808 for all to ask"
        )
    return host.strip("[]") or LOOPBACK, int(port)


@contextmanager
def health_endpoint(place: tuple[str, int], state: Callable[[], tuple[bool, dict[str, Any]]]) -> Iterator[str]:
    """Answer `GET /` for as long as the block runs; give the address.

    Args:
        place: host and port; port 0 takes a free one.
        state: tells whether all is well, and what there is to say.

    Raises:
        CannotWork: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            well, data = state()
            body = json.dumps(data).encode() + b"\n"
            self.send_response(200 if well else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing: it is asked every few seconds."""

    try:
        server = ThreadingHTTPServer(place, Handler)
    except OSError as error:
        raise CannotWork(
            f"the health endpoint cannot listen on {place[0]}:{place[1]}: {error.strerror}", "give another --health"
        ) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True, name="health")
    thread.start()
    try:
        yield f"http://{place[0]}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
