"""Who signed a commit, told by known keys alone, never by what the user's keyring or Git settings trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from f0ci.git.signatures import verify

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# the header of a SHA-1 repository, and that of a SHA-256 one
_HEADERS = (b"gpgsig ", b"gpgsig-sha256 ")


def signer_of(repository: Repository, commit: str, allowed: Mapping[str, Sequence[str]]) -> tuple[bool, str | None]:
    """Return whether a commit carries a signature, and whose key of some known ones made it, or None.

    Args:
        repository: where the commit is.
        commit: its id.
        allowed: keys by the name of their owner.

    Raises:
        GitError: there is no such commit, or the program that checks signatures is missing.
    """
    raw = repository.run("cat-file", "commit", commit).out
    payload, armored = split_signature(raw)
    if armored is None:
        return False, None
    kind = "ssh" if armored.startswith("-----BEGIN SSH SIGNATURE") else "gpg"
    return True, verify(payload, armored, kind, allowed, namespace="git")


def split_signature(raw: bytes) -> tuple[bytes, str | None]:
    """Return the bytes of a commit that its signature covers, and the signature, None where it has none; pure."""
    head, _, message = raw.partition(b"\n\n")
    kept: list[bytes] = []
    signature: list[bytes] = []
    inside = False
    for line in head.split(b"\n"):
        header = next((name for name in _HEADERS if line.startswith(name)), None)
        if header is not None:
            inside = True
            # of several, the one that Git itself would look at first
            signature = signature or [line.removeprefix(header)]
            is_first = len(signature) == 1
        elif inside and line.startswith(b" "):
            if is_first:
                signature.append(line[1:])
        else:
            inside = False
            kept.append(line)
    if not signature:
        return raw, None
    return b"\n".join(kept) + b"\n\n" + message, b"\n".join(signature).decode("ascii", "replace") + "\n"
