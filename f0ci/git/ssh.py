"""SSH signatures by `ssh-keygen -Y` (format: OpenSSH's PROTOCOL.sshsig)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.programs import run_program

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

_PACKAGE = (
    "install the package openssh-client (Debian, Ubuntu), openssh-clients (Fedora) or openssh (Alpine, Arch, Homebrew)"
)
_KEY = re.compile(
    r"(?:^|\s)(?P<type>(?:sk-)?(?:ssh|ecdsa)-[A-Za-z0-9@.-]+)\s+(?P<data>[A-Za-z0-9+/]{16,}={0,2})(?=\s|$)"
)
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_MAGIC = b"SSHSIG"
_NO_KEY_HINT = "git config gpg.format ssh, and git config user.signingKey ~/.ssh/id_ed25519.pub"


def key_text(text: str) -> str | None:
    """Return the type and data of a public key, without options and comment, None where the text holds none; pure."""
    match = _KEY.search(text)
    return f"{match['type']} {match['data']}" if match else None


def signer_key(armored: str) -> str | None:
    """Return the data (base64) of the public key that an SSH signature says it was made with; pure."""
    start, end = armored.find(_BEGIN), armored.find(_END)
    if start < 0 or end < start:
        return None
    try:
        blob = base64.b64decode("".join(armored[start + len(_BEGIN) : end].split()), validate=True)
    except binascii.Error:
        return None
    # magic, version (4 bytes), length of the key (4 bytes), key
    head = len(_MAGIC) + 8
    if not blob.startswith(_MAGIC) or len(blob) < head:
        return None
    length = int.from_bytes(blob[head - 4 : head], "big")
    return base64.b64encode(blob[head : head + length]).decode("ascii")


def public_key(repository: Repository) -> str | None:
    """Return the public key that the user's Git signs with, None when it is set to none.

    Raises:
        GitError: the setting names a file that holds no key.
    """
    setting = _setting(repository)
    if setting is None:
        return None
    literal = _literal(setting)
    if literal is not None:
        return literal
    return _public_part(_key_file(repository, setting))


def sign(payload: bytes, repository: Repository, namespace: str) -> tuple[str, str]:
    """Return an armoured signature and the public key of its maker.

    Raises:
        GitError: Git is set to no key, the program is missing, or it refuses.
    """
    import tempfile

    setting = _setting(repository)
    key = public_key(repository)
    if setting is None or key is None:
        raise GitError("git is set to no signing key", _NO_KEY_HINT)
    program = repository.config("gpg.ssh.program", kind="path") or "ssh-keygen"
    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        path = _key_file(repository, setting)
        if _literal(setting) is not None:
            # the key itself is in an agent, which is asked by its public part
            path = Path(folder) / "key.pub"
            path.write_text(f"{key}\n", encoding="ascii")
        answer = run_program([program, "-Y", "sign", "-n", namespace, "-f", str(path)], payload, hint=_PACKAGE)
    armored = answer.out.decode("ascii", "replace")
    if answer.code != 0 or not armored.startswith(_BEGIN):
        raise GitError(
            f"ssh-keygen cannot sign with {str(path)!r}: {answer.says}",
            "check `git config user.signingKey`; a key with a passphrase has to be in the agent: `ssh-add`",
        )
    return armored, key


def verify(payload: bytes, armored: str, allowed: Mapping[str, Sequence[str]], namespace: str) -> str | None:
    """Return whose key made a signature over bytes, None where no allowed key did.

    Raises:
        GitError: ssh-keygen is missing.
    """
    import tempfile

    data = signer_key(armored)
    if data is None:
        return None
    found = next((pair for pair in _keys(allowed) if pair[1].split(" ")[1] == data), None)
    if found is None:
        return None
    principal, key = found
    with tempfile.TemporaryDirectory(prefix="f0ci-") as folder:
        signers, signature = Path(folder) / "allowed_signers", Path(folder) / "signature"
        # principals in this file are patterns, so the real name stays out of it
        signers.write_text(f'signer namespaces="{namespace}" {key}\n', encoding="ascii")
        signature.write_text(armored, encoding="utf-8")
        words = [
            "ssh-keygen",
            "-Y",
            "verify",
            "-f",
            str(signers),
            "-I",
            "signer",
            "-n",
            namespace,
            "-s",
            str(signature),
        ]
        answer = run_program(words, payload, hint=_PACKAGE)
    return principal if answer.code == 0 else None


def _keys(allowed: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    texts = ((principal, key_text(text)) for principal, keys in allowed.items() for text in keys)
    return [(principal, text) for principal, text in texts if text is not None]


def _setting(repository: Repository) -> str | None:
    """Return `user.signingKey`, or what the command for a default key prints, as Git itself does."""
    setting = repository.config("user.signingKey")
    if setting:
        return setting
    command = repository.config("gpg.ssh.defaultKeyCommand")
    if not command:
        return None
    import shlex

    answer = run_program(shlex.split(command), b"", hint="check `git config gpg.ssh.defaultKeyCommand`")
    lines = answer.out.decode("utf-8", "replace").splitlines() if answer.code == 0 else []
    return next((line for line in lines if key_text(line)), None)


def _literal(setting: str) -> str | None:
    """Return the public key that a setting spells out, None where it names a file."""
    if setting.startswith("key::"):
        return key_text(setting.removeprefix("key::"))
    return key_text(setting) if re.match(r"(?:sk-)?(?:ssh|ecdsa)-\S+\s", setting) else None


def _key_file(repository: Repository, setting: str) -> Path:
    return (repository.work_tree or repository.git_dir) / Path(setting).expanduser()


def _public_part(path: Path) -> str:
    beside = path if path.suffix == ".pub" else path.with_name(f"{path.name}.pub")
    for candidate in (path, beside):
        try:
            found = key_text(candidate.read_text(encoding="utf-8", errors="replace"))
        except OSError:
            continue
        if found is not None:
            return found
    if path.is_file():
        answer = run_program(["ssh-keygen", "-y", "-f", str(path)], b"", hint=_PACKAGE)
        found = key_text(answer.out.decode("ascii", "replace")) if answer.code == 0 else None
        if found is not None:
            return found
    raise GitError(f"user.signingKey names {str(path)!r}, which holds no SSH key", _NO_KEY_HINT)
