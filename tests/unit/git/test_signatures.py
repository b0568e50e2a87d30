from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.repository import Repository
from f0ci.git.signatures import Signature, sign, signing_key, verify
from f0ci.git.ssh import key_text, signer_key
from tests.conftest import SshIdentity, git

PAYLOAD = b'{"decision":"approve","plan":"\xc3\xa9"}\n'
MakeIdentity = Callable[[str], SshIdentity]


@pytest.fixture
def alice(ssh_identity: MakeIdentity) -> SshIdentity:
    """Return a key pair."""
    return ssh_identity("alice")


@pytest.fixture
def repository(make_repository: Callable[..., Path], alice: SshIdentity) -> Repository:
    """Return a repository that signs with it."""
    path = make_repository()
    alice.sign_with(path)
    return Repository.open(path)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run an SSH agent for the time of the test."""
    started = subprocess.run(
        ["ssh-agent", "-s", "-a", str(tmp_path / "agent")], capture_output=True, text=True, check=True
    )
    found = re.search(r"SSH_AGENT_PID=(\d+)", started.stdout)
    assert found is not None
    monkeypatch.setenv("SSH_AUTH_SOCK", str(tmp_path / "agent"))
    yield
    os.kill(int(found[1]), 15)


def check(signature: Signature, payload: bytes = PAYLOAD, *, namespace: str = "f0ci", **allowed: str) -> str | None:
    """Verify against one key for each person."""
    keys = {name: [key] for name, key in allowed.items()}
    return verify(payload, signature.armored, signature.format, keys, namespace=namespace)


def test_whose_key_it_is(repository: Repository, alice: SshIdentity, ssh_identity: MakeIdentity) -> None:
    bob = ssh_identity("bob")
    signature = sign(PAYLOAD, repository=repository)
    assert (signature.format, signature.key) == ("ssh", alice.key)
    assert check(signature, alice=alice.key) == "alice"
    assert check(signature, bob=bob.key, alice=alice.key) == "alice"
    assert check(signature, bob=bob.key) is None
    assert check(signature) is None
    several = {"bob": [bob.key], "alice": ["not a key", f"{alice.key} alice@laptop"]}
    assert verify(PAYLOAD, signature.armored, "ssh", several) == "alice"


def test_a_signature_is_good_for_one_payload_and_one_purpose(repository: Repository, alice: SshIdentity) -> None:
    signature = sign(PAYLOAD, repository=repository, namespace="f0ci-approval")
    assert check(signature, namespace="f0ci-approval", alice=alice.key) == "alice"
    assert check(signature, PAYLOAD + b" ", namespace="f0ci-approval", alice=alice.key) is None
    assert check(signature, namespace="git", alice=alice.key) is None


@pytest.mark.parametrize("name", ["alice example", "a*", "alice,bob", 'a"b', "Zoë", "-x"])
def test_any_name_can_be_a_principal(name: str, repository: Repository, alice: SshIdentity) -> None:
    signature = sign(PAYLOAD, repository=repository)
    assert verify(PAYLOAD, signature.armored, "ssh", {name: [alice.key]}) == name


@pytest.mark.usefixtures("agent")
@pytest.mark.parametrize("setting", ["public", "private", "key::", "literal", "home", "relative"])
def test_every_way_to_name_a_key(
    setting: str, repository: Repository, alice: SshIdentity, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = f"{alice.key} alice@laptop"
    values = {
        "public": str(alice.public),
        "private": str(alice.private),
        "key::": f"key::{comment}",
        "literal": comment,
        "home": "~/id_alice.pub",
        "relative": os.path.relpath(alice.public, repository.root),
    }
    if setting in {"key::", "literal"}:
        subprocess.run(["ssh-add", "-q", str(alice.private)], check=True)
    if setting == "home":
        monkeypatch.setenv("HOME", str(alice.private.parent))
    git(repository.root, "config", "user.signingKey", values[setting])
    assert signing_key(repository) == alice.key
    assert check(sign(PAYLOAD, repository=repository), alice=alice.key) == "alice"


def test_a_private_key_without_its_public_part(repository: Repository, alice: SshIdentity) -> None:
    alice.public.unlink()
    git(repository.root, "config", "user.signingKey", str(alice.private))
    assert signing_key(repository) == alice.key
    assert check(sign(PAYLOAD, repository=repository), alice=alice.key) == "alice"


def test_the_command_for_a_default_key(repository: Repository, alice: SshIdentity) -> None:
    git(repository.root, "config", "--unset", "user.signingKey")
    assert signing_key(repository) is None
    with pytest.raises(GitError, match="no signing key") as caught:
        sign(PAYLOAD, repository=repository)
    assert "git config user.signingKey" in (caught.value.hint or "")
    git(repository.root, "config", "gpg.ssh.defaultKeyCommand", f"echo '{alice.key}'")
    assert signing_key(repository) == alice.key


@pytest.mark.usefixtures("agent")
def test_a_key_that_no_agent_has(repository: Repository, ssh_identity: MakeIdentity) -> None:
    git(repository.root, "config", "user.signingKey", f"key::{ssh_identity('bob').key}")
    with pytest.raises(GitError, match="ssh-keygen cannot sign") as caught:
        sign(PAYLOAD, repository=repository)
    assert "ssh-add" in (caught.value.hint or "")


def test_a_file_that_holds_no_key(repository: Repository) -> None:
    git(repository.root, "config", "user.signingKey", "README.md")
    with pytest.raises(GitError, match=r"README\.md', which holds no SSH key"):
        signing_key(repository)


def test_a_key_with_a_passphrase_and_nobody_to_ask(repository: Repository, alice: SshIdentity) -> None:
    subprocess.run(
        ["ssh-keygen", "-q", "-p", "-N", "secret", "-f", str(alice.private)], check=True, capture_output=True
    )
    program = (
        "import os, sys\nfrom pathlib import Path\nos.setsid()\n"
        "from f0ci.core.errors import GitError\nfrom f0ci.git.repository import Repository\n"
        "from f0ci.git.signatures import sign\n"
        f"try:\n    sign(b'x', repository=Repository.open(Path({str(repository.root)!r})))\n"
        "except GitError as error:\n    print(error.message)\n"
    )
    # a session of its own has no terminal on which ssh-keygen could ask
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.startswith("ssh-keygen cannot sign with")


@pytest.mark.parametrize(
    "armored",
    [
        "",
        "garbage",
        "-----BEGIN SSH SIGNATURE-----\n!!\n-----END SSH SIGNATURE-----",
        "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----",
        "-----END SSH SIGNATURE-----\n-----BEGIN SSH SIGNATURE-----",
    ],
)
@pytest.mark.parametrize("kind", ["ssh", "gpg", "x509", ""])
def test_what_is_no_signature_is_nobodys(armored: str, kind: str, alice: SshIdentity) -> None:
    assert verify(PAYLOAD, armored, kind, {"alice": [alice.key]}) is None


def test_a_signature_whose_key_was_exchanged(repository: Repository, ssh_identity: MakeIdentity) -> None:
    bob = ssh_identity("bob")
    signature = sign(PAYLOAD, repository=repository)
    mine, theirs = (re.sub(r"\s", "", text.split(" ")[1]) for text in (signature.key, bob.key))
    body = "".join(signature.armored.splitlines()[1:-1])
    assert signer_key(signature.armored) == mine
    # both keys are as long and begin alike, so that their base64 lies at the same place
    import base64

    blob = base64.b64decode(body).replace(base64.b64decode(mine), base64.b64decode(theirs))
    forged = f"-----BEGIN SSH SIGNATURE-----\n{base64.b64encode(blob).decode()}\n-----END SSH SIGNATURE-----\n"
    assert signer_key(forged) == theirs
    assert verify(PAYLOAD, forged, "ssh", {"bob": [bob.key]}) is None


def test_a_key_cannot_smuggle_in_another(
    repository: Repository, alice: SshIdentity, ssh_identity: MakeIdentity
) -> None:
    signature = sign(PAYLOAD, repository=repository)
    smuggled = f"{ssh_identity('bob').key}\n* {alice.key}"
    assert verify(PAYLOAD, signature.armored, "ssh", {"bob": [smuggled]}) is None


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA me@x", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA"),
        ('namespaces="a" ssh-rsa AAAAB3NzaC1yc2EAAAAD==', "ssh-rsa AAAAB3NzaC1yc2EAAAAD=="),
        (
            "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1",
            "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1",
        ),
        ("ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTI=", "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTI="),
        ("ssh-ed25519 short", None),
        ("0123456789ABCDEF0123456789ABCDEF01234567", None),
        ("", None),
    ],
)
def test_public_keys_are_read_without_options_and_comment(text: str, key: str | None) -> None:
    assert key_text(text) == key


def test_formats_that_are_not_known(repository: Repository) -> None:
    git(repository.root, "config", "gpg.format", "x509")
    for call in (lambda: sign(PAYLOAD, repository=repository), lambda: signing_key(repository)):
        with pytest.raises(GitError, match="sign with 'x509', which f0ci cannot use") as caught:
            call()
        assert "git config gpg.format ssh" in (caught.value.hint or "")


def test_a_missing_program_names_its_package(
    repository: Repository, alice: SshIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signature = sign(PAYLOAD, repository=repository)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="ssh-keygen is not installed") as caught:
        check(signature, alice=alice.key)
    assert "openssh-client" in (caught.value.hint or "")
    with pytest.raises(GitError, match="gpg is not installed") as caught:
        verify(PAYLOAD, "-----BEGIN PGP SIGNATURE-----", "gpg", {"alice": ["-----BEGIN PGP PUBLIC KEY BLOCK-----"]})
    assert "gnupg" in (caught.value.hint or "")


def test_the_token_is_not_handed_to_programs(
    repository: Repository, alice: SshIdentity, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "signer"
    program.write_text(f'#!/bin/sh\nenv > {tmp_path}/seen\nexec ssh-keygen "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    git(repository.root, "config", "gpg.ssh.program", str(program))
    monkeypatch.setenv("F0CI_GIT_TOKEN", "s3cret-token")
    assert check(sign(PAYLOAD, repository=repository), alice=alice.key) == "alice"
    assert "s3cret-token" not in (tmp_path / "seen").read_text(encoding="utf-8")
