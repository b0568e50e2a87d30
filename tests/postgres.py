"""A PostgreSQL server of the tests' own, on a free loopback port, as a user that may run one."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.conftest import missing_real

_FOLDERS = ("/usr/lib/postgresql", "/usr/local/pgsql", "/opt/homebrew/opt")


def find_program(name: str) -> str:
    """Return where a program of PostgreSQL is; Debian keeps them out of PATH."""
    found = shutil.which(name)
    for folder in map(Path, _FOLDERS) if found is None else ():
        found = next((str(path) for path in sorted(folder.glob(f"*/bin/{name}"), reverse=True)), found)
    return found if found is not None else missing_real(name, "Debian package postgresql")


@dataclass
class Server:
    """A server.

    Attributes:
        folder: where its data are.
        port: where it listens.
        fast: True where it need not survive a power loss.
    """

    folder: Path
    port: int
    fast: bool = True
    _user: pwd.struct_passwd | None = None
    _process: subprocess.Popen[bytes] | None = None
    _made: list[str] = field(default_factory=list)

    @classmethod
    def make(cls, *, fast: bool = True) -> Server:
        """Make and start a server; PostgreSQL refuses to run as root, so root lends it to another user."""
        user = None
        if os.geteuid() == 0:
            names = [one.pw_name for one in pwd.getpwall()]
            user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
        initdb = find_program("initdb")
        # not below pytest's own folder, which other users may not enter
        folder = Path(tempfile.mkdtemp(prefix="f0ci-postgres-"))
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        server = cls(folder, port, fast, user)
        (folder / "password").write_text("right-password", encoding="ascii")
        (folder / "password").chmod(0o644)
        server.run(
            initdb,
            "-D",
            str(folder / "data"),
            "--username=f0ci",
            "--auth=scram-sha-256",
            f"--pwfile={folder / 'password'}",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        server.start()
        return server

    def run(self, *args: str) -> None:
        """Run a program as the server's user."""
        ids = {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        done = subprocess.run(args, capture_output=True, check=False, cwd="/", **ids)  # type: ignore[call-overload]
        assert done.returncode == 0, done.stderr.decode()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        ids = {} if self._user is None else {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []}
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "port": str(self.port),
            "max_connections": "300",
            "fsync": "off" if self.fast else "on",
            "log_min_messages": "fatal",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(  # type: ignore[call-overload]
                [find_program("postgres"), "-D", str(self.folder / "data"), *options],
                stdout=log,
                stderr=log,
                cwd="/",
                **ids,
            )
        until = time.monotonic() + 60
        while True:
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                assert time.monotonic() < until, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends sessions, SIGQUIT is a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def remove(self) -> None:
        """Stop it for good."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder)

    def url(self, database: str, *, port: int | None = None) -> str:
        """Return the address of a database, perhaps through a proxy."""
        return f"postgresql://f0ci:right-password@127.0.0.1:{port or self.port}/{database}"

    def query(self, database: str, text: str) -> list[tuple[object, ...]]:
        """Ask a database something, or change it."""
        with psycopg.connect(self.url(database), autocommit=True) as session:
            cursor = session.execute(text)
            return cursor.fetchall() if cursor.description else []

    def new_database(self) -> str:
        """Return the name of a new database, copied from one that holds the layout already."""
        if not self._made:
            self._made.append("template_f0ci")
            self.query("postgres", "CREATE DATABASE template_f0ci")
            from f0ci.runner.address import read_address
            from f0ci.runner.cluster.journal import PostgresJournal
            from f0ci.runner.cluster.queues import migrate

            with PostgresJournal(read_address(self.url("template_f0ci"))) as journal:
                migrate(journal)
        name = f"runs_{len(self._made)}"
        self._made.append(name)
        self.query("postgres", f"CREATE DATABASE {name} TEMPLATE template_f0ci")
        return name
