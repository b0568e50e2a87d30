"""Makes a site do what an environment's tree says: its releases run, HAProxy routes, what is not live is stopped.

    python3 deliver.py TREE SHOP.PY SITE

Run again, or killed anywhere and run again, it ends the same. HAProxy is asked to reload, not restarted: no request is
lost. A release that is no longer live is stopped only after the last worker that may still send it something has gone.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PATIENCE_SECONDS = 20.0


def main(tree: Path, shop: Path, site: Path) -> None:
    """Bring a site to what a tree says."""
    site = site.resolve()
    site.mkdir(parents=True, exist_ok=True)
    with (site / "lock").open("w") as lock:
        # what was left behind by a promoter that was killed may still be at work
        fcntl.flock(lock, fcntl.LOCK_EX)
        live = {path.name: path for path in sorted((tree / "releases").iterdir())}
        for name, folder in live.items():
            start(site, name, folder / "shop.json", shop)
        route(site, tree / "haproxy.cfg")
        gone = [path.stem for path in site.glob("*.pid") if path.stem not in {*live, "haproxy"}]
        if gone:
            until(lambda: len(workers(site)) == 1, "the end of HAProxy's old workers")
            for name in gone:
                stop(site, name)


def start(site: Path, name: str, settings: Path, shop: Path) -> None:
    """Start a release that does not run, and wait until it answers in its own name."""
    if answers(site, name):
        return
    if not (site / f"{name}.py").exists():
        # a release brings its own program; that of an older one was installed when it came in
        shutil.copyfile(shop, site / f"{name}.new")
        (site / f"{name}.new").rename(site / f"{name}.py")
    shutil.copyfile(settings, site / f"{name}.json")
    process = subprocess.Popen(
        [sys.executable, f"{name}.py", f"{name}.json", f"{name}.sock"],
        cwd=site,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=(site / f"{name}.log").open("ab"),
        start_new_session=True,
    )
    (site / f"{name}.pid").write_text(f"{process.pid}\n", encoding="ascii")
    until(lambda: answers(site, name) or process.poll() is not None, f"an answer of release {name}")
    if process.poll() is not None:
        sys.exit(f"release {name} ended at once; see {site / name}.log")


def answers(site: Path, name: str) -> bool:
    """Tell whether a release answers."""
    connection = http.client.HTTPConnection("shop", timeout=2)
    try:
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(2)
        connection.sock.connect(os.path.relpath(site / f"{name}.sock"))
        connection.request("GET", "/health")
        return connection.getresponse().read().decode().startswith(name)
    except OSError:
        return False
    finally:
        connection.close()


def stop(site: Path, name: str) -> None:
    """Stop a release that is not live."""
    pid = int((site / f"{name}.pid").read_text(encoding="ascii"))
    if f"{name}.py" in command_of(pid):
        os.kill(pid, signal.SIGTERM)
        until(lambda: f"{name}.py" not in command_of(pid), f"the end of release {name}")
    for path in site.glob(f"{name}.*"):
        path.unlink()


def command_of(pid: int) -> str:
    """Return the command of a process, or nothing where it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def route(site: Path, configuration: Path) -> None:
    """Let HAProxy take a configuration, and wait until a worker that has it is at work."""
    fresh = site / "haproxy.new"
    shutil.copyfile(configuration, fresh)
    haproxy = shutil.which("haproxy", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if haproxy is None:
        sys.exit("haproxy is not installed")
    if subprocess.run([haproxy, "-c", "-C", str(site), "-f", fresh.name], check=False).returncode != 0:
        sys.exit("HAProxy does not take the configuration; it goes on with the one it has")
    fresh.rename(site / "haproxy.cfg")
    before = workers(site)
    if before:
        ask_master(site, "reload")
    else:
        options = ["-W", "-D", "-S", "unix@master.sock", "-p", "haproxy.pid", "-C", str(site), "-f", "haproxy.cfg"]
        if subprocess.run([haproxy, *options], cwd=site, check=False, stdin=subprocess.DEVNULL).returncode != 0:
            sys.exit("HAProxy does not start")
    until(lambda: bool(set(workers(site)) - set(before)), "HAProxy's new worker")


def workers(site: Path) -> list[int]:
    """Return the process ids of HAProxy's workers, old ones included; none where it does not run."""
    lines = [line.split() for line in ask_master(site, "show proc").splitlines()]
    return [int(words[0]) for words in lines if len(words) > 1 and words[1] == "worker"]


def ask_master(site: Path, command: str) -> str:
    """Return what HAProxy's master answers, or nothing where there is none, or where it is just reloading."""
    with socket.socket(socket.AF_UNIX) as master:
        master.settimeout(5)
        try:
            master.connect(os.path.relpath(site / "master.sock"))
            master.sendall(f"{command}\n".encode())
            master.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: master.recv(65536), b"")).decode()
        except OSError:
            return ""


def until(holds: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds, for a bounded time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            sys.exit(f"{what} did not happen within {PATIENCE_SECONDS:g}s")
        time.sleep(0.02)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
