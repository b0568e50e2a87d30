"""OpenPGP signatures by gpg; what is checked is checked in a keyring of its own that holds the allowed keys alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.programs import Answered, run_program

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

_PACKAGE = "install the package gnupg"
_NO_KEY_HINT = "git config user.signingKey <fingerprint>, or sign with an SSH key: git config gpg.format ssh"
_FINGERPRINT = re.compile(r"(?:0x)?(?P<digits>[0-9A-F]{64}|[0-9A-F]{40})", re.IGNORECASE)
_STATUS = re.compile(r"^\[GNUPG:\] (?P<word>[A-Z_]+) ?(?P<rest>.*)$", re.MULTILINE)
_BEGIN_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_BEGIN_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_ALONE = (
    "--batch",
    "--no-tty",
    "--no-autostart",
    "--no-auto-key-retrieve",
    "--no-auto-check-trustdb",
    "--trust-model",
    "always",
)
_SPOILED = frozenset({"BADSIG", "ERRSIG", "EXPSIG", "REVKEYSIG", "NODATA", "UNEXPECTED"})


def fingerprint(repository: Repository) -> str | None:
    """Return the fingerprint of the key that the user's Git signs with, None when there is no secret key for it.

    Raises:
        GitError: gpg is missing.
    """
    words = [_program(repository), "--batch", "--with-colons", "--list-secret-keys", "--", _user(repository)]
    answer = run_program(words, b"", hint=_PACKAGE)
    if answer.code != 0:
        return None
    lines = [line.split(":") for line in answer.out.decode("utf-8", "replace").splitlines()]
    return next((fields[9] for fields in lines if fields[0] == "fpr"), None)


def sign(payload: bytes, repository: Repository) -> tuple[str, str]:
    """Return an armoured detached signature and the fingerprint of the key that made it.

    Raises:
        GitError: gpg is missing or refuses.
    """
    user = _user(repository)
    words = [_program(repository), "--status-fd", "2", "--armor", "--detach-sign", "--local-user", user]
    answer = run_program(words, payload, hint=_PACKAGE)
    created = next((rest for word, rest in _statuses(answer.err) if word == "SIG_CREATED"), None)
    if answer.code != 0 or created is None:
        plain = [line for line in answer.err.splitlines() if line.startswith("gpg: ")]
        reason = plain[-1].removeprefix("gpg: ") if plain else answer.says
        raise GitError(f"gpg cannot sign as {user!r}: {reason}", _NO_KEY_HINT)
    return answer.out.decode("ascii"), created.split()[-1]


def verify(payload: bytes, armored: str, allowed: Mapping[str, Sequence[str]]) -> str | None:
    """Return whose key made a detached signature over bytes, None where no allowed key did.

    A key that has expired since still vouches for what it signed before; a revoked one for nothing.

    Raises:
        GitError: gpg is missing.
    """
    import tempfile
    from pathlib import Path

    # a clear-signed text carries its own payload and would say nothing about ours
    if not armored.lstrip().startswith(_BEGIN_SIGNATURE):
        return None
    with tempfile.TemporaryDirectory(prefix="f0ci-") as home:
        principals = _import_keys(home, allowed)
        if not principals:
            return None
        signature = Path(home) / "signature"
        signature.write_text(armored, encoding="utf-8")
        answer = _alone(home, ["--verify", "--", str(signature), "-"], payload)
        valid = _valid(answer, home)
    return principals.get(valid) if valid is not None else None


def _valid(answer: Answered, home: str) -> str | None:
    """Return the fingerprint of the primary key of the one good signature, None where there is none."""
    statuses = _statuses(answer.err)
    words = [word for word, _ in statuses]
    valid = [rest.split() for word, rest in statuses if word == "VALIDSIG"]
    if len(valid) != 1 or _SPOILED.intersection(words):
        return None
    key, made_at, primary = valid[0][0], int(valid[0][2]), valid[0][-1]
    if "GOODSIG" in words:
        return primary
    if "EXPKEYSIG" in words and made_at < _expires(home, key):
        return primary
    return None


def _expires(home: str, key: str) -> int:
    """Return when a key ends (seconds since 1970); 0 where that is unknown."""
    listed = _alone(home, ["--with-colons", "--list-keys"], b"").out.decode("utf-8", "replace")
    end = 0
    for fields in (line.split(":") for line in listed.splitlines()):
        if fields[0] in {"pub", "sub"}:
            end = int(fields[6]) if fields[6].isdigit() else 0
        elif fields[0] == "fpr" and fields[9] == key:
            return end
    return 0


def _import_keys(home: str, allowed: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Import the allowed keys; return principals by the fingerprint of their primary key."""
    principals: dict[str, str] = {}
    for principal, keys in allowed.items():
        for text in keys:
            block = _key_block(text)
            if block is None:
                continue
            answer = _alone(home, ["--status-fd", "2", "--import"], block)
            for word, rest in _statuses(answer.err):
                if word == "IMPORT_OK":
                    principals.setdefault(rest.split()[-1], principal)
    return principals


def _key_block(text: str) -> bytes | None:
    if _BEGIN_KEY in text:
        return text.encode("utf-8")
    digits = _FINGERPRINT.fullmatch("".join(text.split()))
    if digits is None:
        return None
    answer = run_program(["gpg", "--batch", "--armor", "--export", "--", digits["digits"]], b"", hint=_PACKAGE)
    return answer.out or None


def _alone(home: str, words: Sequence[str], content: bytes) -> Answered:
    return run_program(["gpg", "--homedir", home, *_ALONE, "--status-fd", "2", *words], content, hint=_PACKAGE)


def _statuses(err: str) -> list[tuple[str, str]]:
    return [(match["word"], match["rest"]) for match in _STATUS.finditer(err)]


def _program(repository: Repository) -> str:
    for key in ("gpg.openpgp.program", "gpg.program"):
        program = repository.config(key, kind="path")
        if program:
            return program
    return "gpg"


def _user(repository: Repository) -> str:
    return repository.config("user.signingKey") or str(repository.identity())
