"""A real HTTP service on a loopback port, which answers as a test tells it to."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True, slots=True)
class Reply:
    """What the service answers to one request.

    Attributes:
        body: bytes as they are, anything else as JSON.
        status: the HTTP status.
        headers: further headers; a `Content-Length` replaces the true one.
        act: does something else with the connection instead.
    """

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    act: Callable[[BaseHTTPRequestHandler, threading.Event], None] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that arrived.

    Attributes:
        path: without the query.
        query: each parameter's last value.
        headers: by lower-case name.
        method: `GET`, `POST`, ...
        body: as it arrived.
    """

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class LocalService:
    """A running service.

    Attributes:
        url: its address, without a slash at the end.
        asked: every request so far.
    """

    url: str
    asked: list[Asked]

    @property
    def port(self) -> int:
        """Return the port."""
        return urlsplit(self.url).port or 0


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that hang up are what some tests are about."""


@contextmanager
def local_service(
    answer: Callable[[Asked], Reply], tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> Iterator[LocalService]:
    """Run a service until the block ends.

    Args:
        answer: from a request to its reply.
        tls: makes it speak HTTPS.
        host: name of the loopback address in the service's address.
    """
    asked: list[Asked] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[-1] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
            headers = {name.lower(): value for name, value in self.headers.items()}
            sent = self.rfile.read(int(headers.get("content-length", 0)))
            asked.append(Asked(parts.path, query, headers, self.command, sent))
            reply = answer(asked[-1])
            if reply.act is not None:
                self.close_connection = True
                reply.act(self, over)
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815 - http.server's names

        def log_message(self, *_: Any) -> None:
            """Print nothing."""

    server = _Server(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield LocalService(f"http{'s' if tls else ''}://{host}:{server.server_port}", asked)
    finally:
        over.set()
        server.shutdown()
        server.server_close()
        thread.join()


def one_after_another(*replies: Reply) -> Callable[[Asked], Reply]:
    """Return what answers with each reply once, and with the last one for ever."""
    left = list(replies)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]
