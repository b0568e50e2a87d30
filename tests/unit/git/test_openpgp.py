from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.repository import Repository
from f0ci.git.signatures import sign, signing_key, verify
from tests.conftest import git

pytestmark = pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")

PAYLOAD = b'{"decision":"approve"}\n'


@dataclass(frozen=True, slots=True)
class Keyring:
    """A GnuPG home with keys."""

    home: str

    def run(self, *words: str, content: bytes = b"") -> str:
        """Run gpg in it and return what it prints."""
        command = ["gpg", "--homedir", self.home, "--batch", "--quiet", "--no-tty", *words]
        return subprocess.run(command, input=content, capture_output=True, check=True).stdout.decode()

    def make_key(self, user: str, expires: str = "never", *options: str) -> str:
        """Make a key without passphrase and return its fingerprint."""
        self.run(*options, "--passphrase", "", "--quick-gen-key", user, "ed25519", "sign", expires)
        listed = self.run("--with-colons", "--list-keys", user)
        return next(line.split(":")[9] for line in listed.splitlines() if line.startswith("fpr"))

    def public(self, fingerprint: str) -> str:
        """Return a public key, armoured."""
        return self.run("--armor", "--export", fingerprint)


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Iterator[Keyring]:
    """Return a keyring of its own; its agent ends with the test."""
    # the agent's socket wants a short path
    with tempfile.TemporaryDirectory(prefix="f0ci-", dir="/tmp") as home:
        monkeypatch.setenv("GNUPGHOME", home)
        yield Keyring(home)
        subprocess.run(
            ["gpgconf", "--homedir", home, "--kill", "all"], check=True, capture_output=True, env=dict(os.environ)
        )


@pytest.fixture
def repository(make_repository: Callable[..., Path]) -> Repository:
    """Return a repository."""
    return Repository.open(make_repository())


def test_whose_key_it_is(repository: Repository, keyring: Keyring) -> None:
    alice = keyring.make_key("Alice Example <alice@example.com>")
    bob = keyring.make_key("Bob <bob@example.com>")
    assert signing_key(repository) == alice
    signature = sign(PAYLOAD, repository=repository)
    assert (signature.format, signature.key) == ("gpg", alice)
    keys = {"bob": [keyring.public(bob)], "alice": [keyring.public(alice)]}
    assert verify(PAYLOAD, signature.armored, "gpg", keys) == "alice"
    assert verify(PAYLOAD, signature.armored, "gpg", {"bob": keys["bob"]}) is None
    assert verify(PAYLOAD + b" ", signature.armored, "gpg", keys) is None
    git(repository.root, "config", "user.signingKey", bob)
    assert signing_key(repository) == bob
    assert verify(PAYLOAD, sign(PAYLOAD, repository=repository).armored, "gpg", keys) == "bob"


def test_a_fingerprint_stands_for_a_key_of_the_users_keyring(repository: Repository, keyring: Keyring) -> None:
    alice = keyring.make_key("Alice Example <alice@example.com>")
    armored = sign(PAYLOAD, repository=repository).armored
    spaced = " ".join(alice[at : at + 4] for at in range(0, 40, 4))
    for written in (alice, alice.lower(), f"0x{alice}", spaced):
        assert verify(PAYLOAD, armored, "gpg", {"alice": [written]}) == "alice"
    for written in (alice[-16:], alice[-8:], "alice@example.com", f"{'0' * 40}"):
        assert verify(PAYLOAD, armored, "gpg", {"alice": [written]}) is None


def test_what_was_signed_before_the_key_expired_counts(keyring: Keyring) -> None:
    past = ("--faked-system-time", "20200101T000000!")
    alice = keyring.make_key("Alice Example <alice@example.com>", "2020-02-01", *past)
    keys = {"alice": [keyring.public(alice)]}
    signed = ("--armor", "--detach-sign", "-u", alice)
    before = keyring.run("--faked-system-time", "20200131T235959!", *signed, content=PAYLOAD)
    assert verify(PAYLOAD, before, "gpg", keys) == "alice"
    # its owner may prolong it, but the key that was allowed ended then
    keyring.run("--faked-system-time", "20200115T000000!", "--quick-set-expire", alice, "2030-01-01")
    after = keyring.run("--faked-system-time", "20200301T000000!", *signed, content=PAYLOAD)
    assert verify(PAYLOAD, after, "gpg", keys) is None
    assert verify(PAYLOAD, after, "gpg", {"alice": [keyring.public(alice)]}) == "alice"


def test_a_clear_signed_text_says_nothing_about_the_payload(keyring: Keyring) -> None:
    alice = keyring.make_key("Alice Example <alice@example.com>")
    clear = keyring.run("--armor", "--clear-sign", "-u", alice, content=PAYLOAD)
    whole = keyring.run("--armor", "--sign", "-u", alice, content=PAYLOAD)
    for armored in (
        clear,
        whole,
        whole.replace("PGP MESSAGE", "PGP SIGNATURE"),
        "-----BEGIN PGP SIGNATURE-----\n\nAAAA\n",
    ):
        assert verify(PAYLOAD, armored, "gpg", {"alice": [keyring.public(alice)]}) is None


def test_two_signatures_are_not_one(keyring: Keyring) -> None:
    alice = keyring.make_key("Alice Example <alice@example.com>")
    bob = keyring.make_key("Bob <bob@example.com>")
    both = keyring.run("--armor", "--detach-sign", "-u", alice, "-u", bob, content=PAYLOAD)
    keys = {"alice": [keyring.public(alice)], "bob": [keyring.public(bob)]}
    assert verify(PAYLOAD, both, "gpg", keys) is None


def test_a_revoked_key_vouches_for_nothing(repository: Repository, keyring: Keyring) -> None:
    alice = keyring.make_key("Alice Example <alice@example.com>")
    armored = sign(PAYLOAD, repository=repository).armored
    certificate = (Path(keyring.home) / "openpgp-revocs.d" / f"{alice}.rev").read_text(encoding="utf-8")
    keyring.run("--import", content=certificate.replace(":-----BEGIN", "-----BEGIN").encode())
    assert verify(PAYLOAD, armored, "gpg", {"alice": [keyring.public(alice)]}) is None


@pytest.mark.usefixtures("keyring")
def test_no_secret_key(repository: Repository) -> None:
    assert signing_key(repository) is None
    with pytest.raises(GitError, match=r"gpg cannot sign as 'Alice Example <alice@example\.com>'") as caught:
        sign(PAYLOAD, repository=repository)
    assert "git config gpg.format ssh" in (caught.value.hint or "")
    assert verify(PAYLOAD, "-----BEGIN PGP SIGNATURE-----", "gpg", {"alice": []}) is None


def test_commits_and_tags_are_signed_with_it(repository: Repository, keyring: Keyring) -> None:
    keyring.make_key("Alice Example <alice@example.com>")
    git(repository.root, "config", "commit.gpgSign", "true")
    commit = repository.commit(repository.tree_of("HEAD") or "", [], "signed\n")
    git(repository.root, "verify-commit", commit)
    git(repository.root, "verify-tag", repository.tag("v1", commit, "signed\n"))
