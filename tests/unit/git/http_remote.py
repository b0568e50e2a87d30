"""A Git server on a loopback port: `git http-backend` behind the standard library's HTTP server."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

_REQUEST_SECONDS = 20


@dataclass(slots=True)
class HttpRemote:
    """A running server.

    Attributes:
        url: address of the folder that holds the repositories.
        password: what the client must give; anybody may come in when None.
        status: answer every request with this status, when not None.
        drop_push_answers: take pushes, but close the connection instead of answering; counts down.
        fail_pushes: answer pushes with 503 without taking them; counts down.
        silent: accept requests and never answer.
        headers: the Authorization headers that came, in order.
    """

    url: str
    password: str | None = None
    status: int | None = None
    drop_push_answers: int = 0
    fail_pushes: int = 0
    silent: bool = False
    headers: list[str] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


@contextmanager
def serve(root: Path) -> Iterator[HttpRemote]:
    """Serve the bare repositories below a folder until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        timeout = _REQUEST_SECONDS

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the parent names it
            """Say nothing."""

        def do_GET(self) -> None:
            """Answer a question for refs."""
            self._answer(b"")

        def do_POST(self) -> None:
            """Answer a fetch or a push."""
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def _answer(self, body: bytes) -> None:
            given = self.headers.get("Authorization", "")
            remote.headers.append(given)
            if remote.silent:
                remote.stopping.wait(_REQUEST_SECONDS)
                self.close_connection = True
                return
            if remote.status is not None:
                self.send_error(remote.status)
                return
            if remote.password is not None and not self._knows_password(given):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="test"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            is_push = self.path.endswith("git-receive-pack") and self.command == "POST"
            if remote.fail_pushes and is_push:
                remote.fail_pushes -= 1
                self.send_error(503)
                return
            answer = self._backend(body)
            if remote.drop_push_answers and is_push:
                remote.drop_push_answers -= 1
                self.close_connection = True
                return
            self.wfile.write(answer)
            self.close_connection = True

        def _knows_password(self, given: str) -> bool:
            if not given.startswith("Basic "):
                return False
            return base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")[2] == remote.password

        def _backend(self, body: bytes) -> bytes:
            parts = urlsplit(self.path)
            env = {
                **{name: value for name, value in os.environ.items() if name != "F0CI_GIT_TOKEN"},
                "GIT_PROJECT_ROOT": str(root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "REQUEST_METHOD": self.command,
                "PATH_INFO": parts.path,
                "QUERY_STRING": parts.query,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "REMOTE_USER": "tester",
                "REMOTE_ADDR": "127.0.0.1",
            }
            answer = subprocess.run(
                ["git", "http-backend"], input=body, capture_output=True, env=env, check=True, timeout=_REQUEST_SECONDS
            ).stdout
            head, _, content = answer.partition(b"\r\n\r\n")
            lines = head.split(b"\r\n")
            status = next((line.partition(b": ")[2] for line in lines if line.startswith(b"Status: ")), b"200 OK")
            kept = [line for line in lines if not line.startswith(b"Status: ")]
            return b"\r\n".join([b"HTTP/1.0 " + status, *kept, b"", content])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    remote = HttpRemote(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield remote
    finally:
        remote.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
