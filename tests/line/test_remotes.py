"""A whole promotion over every kind of remote and clone: what is pushed is there, and the history verifies."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import SshIdentity, commit_files, git, require_real
from tests.line.conftest import Line, start_line
from tests.unit.git.http_remote import HttpRemote, serve

_PATIENCE_SECONDS = 20.0


def promotes(line: Line, work: Path | None = None) -> None:
    """Check that a release comes into dev, and back, and that the history verifies."""
    where = work or line.work
    made = [line.f0ci(*words, work=where) for words in (("release", "create"), ("promote", "dev"), ("audit", "verify"))]
    assert [answer.code for answer in made] == [0, 0, 0], made
    assert line.events("dev") == ["policy", "requested", "applied", "deployed", "succeeded"]


@pytest.fixture
def http(tmp_path: Path) -> Iterator[HttpRemote]:
    with serve(tmp_path) as remote:
        yield remote


@pytest.mark.parametrize("how", ["token", "credential helper"])
def test_over_http(how: str, line: Line, http: HttpRemote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    git(line.bare, "config", "http.receivepack", "true")
    http.password = "s3cret"
    git(line.work, "remote", "set-url", "origin", f"{http.url}/{line.bare.name}")
    if how == "token":
        monkeypatch.setenv("F0CI_GIT_TOKEN", "s3cret")
    else:
        host = http.url.removeprefix("http://")
        store = tmp_path / "credentials"
        store.write_text(f"http://alice:s3cret@{host}\n", encoding="utf-8")
        git(line.work, "config", "credential.helper", f"store --file={store}")

    promotes(line)

    assert any(header.startswith("Basic ") for header in http.headers)


@pytest.fixture
def sshd(tmp_path: Path, ssh_identity: Callable[[str], SshIdentity]) -> Iterator[int]:
    """Start a real sshd on a loopback port that lets one key in, and return the port."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin") or require_real("sshd", "openssh-server")
    client, host = ssh_identity("client"), ssh_identity("host")
    allowed = tmp_path / "authorized_keys"
    allowed.write_text(f"{client.key}\n", encoding="ascii")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    # sshd wants this folder where it runs as root, and does not make it
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": host.private,
        "AuthorizedKeysFile": allowed,
        "PidFile": "none",
        "PasswordAuthentication": "no",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "MaxStartups": "100",
    }
    config = tmp_path / "sshd_config"
    config.write_text("".join(f"{key} {value}\n" for key, value in settings.items()), encoding="utf-8")
    process = subprocess.Popen([program, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE)
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.communicate()


def _wait_for(port: int, process: subprocess.Popen[Any]) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            pytest.fail(f"sshd ended: {(process.stderr.read() if process.stderr else b'').decode()}")
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1):
                return
        except OSError:
            time.sleep(0.05)
    pytest.fail("sshd does not listen")


def test_over_ssh(line: Line, sshd: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = tmp_path / "known_hosts"
    host = " ".join((tmp_path / "keys" / "id_host.pub").read_text(encoding="ascii").split()[:2])
    known.write_text(f"[127.0.0.1]:{sshd} {host}\n", encoding="ascii")
    options = f"-F /dev/null -i {tmp_path / 'keys' / 'id_client'} -o UserKnownHostsFile={known} -o IdentitiesOnly=yes"
    monkeypatch.setenv("GIT_SSH_COMMAND", f"ssh {options} -o BatchMode=yes")
    git(line.work, "remote", "set-url", "origin", f"ssh://{getpass.getuser()}@127.0.0.1:{sshd}{line.bare}")

    promotes(line)


def test_in_a_partial_clone_with_a_detached_head(line: Line) -> None:
    git(line.bare, "config", "uploadpack.allowFilter", "true")
    clone = line.clone("partial", "--filter=blob:none", "--no-checkout")
    git(clone, "checkout", "-q", "--detach", "HEAD")
    for key in ("user.name", "user.email", "gpg.format", "user.signingKey"):
        git(clone, "config", key, git(line.work, "config", key))

    promotes(line, clone)


def test_in_a_linked_work_tree_of_a_repository_with_a_submodule(line: Line, make_repository: Any) -> None:
    module = make_repository("module", {"library.txt": "1\n"})
    allowed = ("-c", "protocol.file.allow=always")
    git(line.work, *allowed, "submodule", "--quiet", "add", str(module), "vendor/module")
    commit_files(line.work, {})
    git(line.work, "push", "-q", "origin", "HEAD:main")
    linked = line.work.parent / "linked"
    git(line.work, "worktree", "add", "-q", "--detach", str(linked))

    promotes(line, linked)

    assert line.f0ci("status").code == 0


@pytest.mark.parametrize("options", [(), ("--object-format=sha256",)], ids=["sha1", "sha256"])
def test_with_either_kind_of_object_ids(
    options: tuple[str, ...],
    make_remote_repository: Callable[..., Any],
    ssh_identity: Callable[[str], SshIdentity],
    capsys: pytest.CaptureFixture[str],
) -> None:
    remote = make_remote_repository("project", None, *options)
    line = start_line(remote.work, remote.bare, capsys, {name: ssh_identity(name) for name in ("alice", "bob")})
    git(line.bare, "config", "receive.advertiseAtomic", "false")

    made = [
        line.f0ci(*words) for words in (("release", "create"), ("promote", "dev"), ("audit", "verify"), ("status",))
    ]

    assert [answer.code for answer in made] == [0, 0, 0, 0], made
