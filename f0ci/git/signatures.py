"""Detached signatures over bytes, made with the key that the user's Git signs with, checked against known keys.

SSH signatures follow OpenSSH's PROTOCOL.sshsig, the others OpenPGP (RFC 9580).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

Format = Literal["ssh", "gpg"]


@dataclass(frozen=True, slots=True)
class Signature:
    """A detached signature.

    Attributes:
        format: `ssh` or `gpg`.
        armored: the signature as text.
        key: the public key (`ssh-ed25519 AAAA...`), or the OpenPGP key's fingerprint.
    """

    format: Format
    armored: str
    key: str


def sign(payload: bytes, *, repository: Repository, namespace: str = "f0ci") -> Signature:
    """Sign bytes with the key that the user's Git is set to sign with.

    Args:
        payload: what to sign.
        repository: whose settings count: `gpg.format`, `user.signingKey`, and the programs.
        namespace: what an SSH signature is good for; OpenPGP knows no such thing, so the payload must tell.

    Raises:
        GitError: Git has no signing key, the program is missing, or it refuses.
    """
    from f0ci.git import openpgp, ssh

    if signing_format(repository) == "ssh":
        armored, key = ssh.sign(payload, repository, namespace)
        return Signature("ssh", armored, key)
    armored, key = openpgp.sign(payload, repository)
    return Signature("gpg", armored, key)


def verify(
    payload: bytes,
    armored: str,
    format: str,  # noqa: A002 - the name that signatures are recorded with
    allowed: Mapping[str, Sequence[str]],
    *,
    namespace: str = "f0ci",
) -> str | None:
    """Return whose key signed bytes, None where no allowed key did.

    Args:
        payload: what was signed.
        armored: the signature as text.
        format: `ssh` or `gpg`.
        allowed: keys by principal: `ssh-ed25519 AAAA...`, armoured OpenPGP keys, or full OpenPGP fingerprints, whose
            keys are taken from the user's own keyring.
        namespace: what the SSH signature has to be good for.

    Raises:
        GitError: the program that checks is missing.
    """
    from f0ci.git import openpgp, ssh

    if format == "ssh":
        return ssh.verify(payload, armored, allowed, namespace)
    if format == "gpg":
        return openpgp.verify(payload, armored, allowed)
    return None


def signing_key(repository: Repository) -> str | None:
    """Return the public key (SSH) or fingerprint (OpenPGP) of the user's signing key, None when Git is set to none.

    Raises:
        GitError: the setting names a key that cannot be read, or the program is missing.
    """
    from f0ci.git import openpgp, ssh

    if signing_format(repository) == "ssh":
        return ssh.public_key(repository)
    return openpgp.fingerprint(repository)


def signing_format(repository: Repository) -> Format:
    """Return which kind of signature the user's Git is set to make.

    Raises:
        GitError: it is a kind that f0ci does not know.
    """
    name = repository.config("gpg.format") or "openpgp"
    if name == "ssh":
        return "ssh"
    if name == "openpgp":
        return "gpg"
    raise GitError(
        f"git is set to sign with {name!r}, which f0ci cannot use",
        "git config gpg.format ssh (or openpgp), and user.signingKey",
    )
