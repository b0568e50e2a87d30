"""A network between a client and a server that can stall, and can lose what the server answers."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self


class Proxy:
    """Forwards connections to a port of this machine.

    Attributes:
        port: where it listens.
        flowing: cleared, nothing is forwarded any more, and nobody is told.
        watching: told of what clients send before it is forwarded; True ends the connection once the server answered,
            and the answer is lost.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.flowing = threading.Event()
        self.flowing.set()
        self.watching: Callable[[bytes], bool] = lambda _: False
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.flowing.set()
        for one in (self._listener, *self._sockets):
            # closing alone wakes nobody who reads
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(10)

    def _begin(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._sockets.append(client)
                try:
                    server = socket.create_connection(("127.0.0.1", self._target))
                except OSError:
                    client.close()
                    continue
                self._sockets.append(server)
                cut = threading.Event()
                self._begin(self._forward, client, server, True, cut)
                self._begin(self._forward, server, client, False, cut)

    def _forward(self, source: socket.socket, target: socket.socket, asks: bool, cut: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65_536):
                self.flowing.wait()
                if asks and self.watching(data):
                    cut.set()
                if not asks and cut.is_set():
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
