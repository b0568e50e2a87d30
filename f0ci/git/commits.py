"""Making commits and tags as the user, and reading who that is."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git.objects import Identity
from f0ci.git.process import git_says

if TYPE_CHECKING:
    from f0ci.git.repository import Repository

# a name that Git guessed from the machine is no identity to record
_NO_GUESS = ("-c", "user.useConfigOnly=true")
_NOBODY = re.compile(
    r"auto-detection is disabled|empty ident name|tell me who you are|unable to auto-detect", re.IGNORECASE
)


def write_commit(
    repository: Repository,
    tree: str,
    parents: Sequence[str],
    message: str,
    author: Identity | None,
    time: datetime | None,
) -> str:
    """Store a commit and return its id; see `Repository.commit`."""
    env = _dates(time)
    if author is not None:
        env |= {"GIT_AUTHOR_NAME": author.name, "GIT_AUTHOR_EMAIL": author.email}
    sign = ["-S"] if repository.flag("commit.gpgSign") else []
    above = [word for parent in parents for word in ("-p", parent)]
    words = (*_NO_GUESS, "-c", "i18n.commitEncoding=UTF-8", "commit-tree", tree, *above, *sign, "-F", "-")
    answer = repository.run(*words, input=message.encode("utf-8", "surrogateescape"), env=env, check=False)
    if answer.code != 0:
        raise _cannot_commit(answer.err, signed=bool(sign))
    return answer.text


def write_tag(repository: Repository, name: str, target: str, message: str, time: datetime | None) -> str:
    """Store an annotated tag object for a commit and return its id; see `Repository.tag`."""
    ident = identity_line(repository, _dates(time))
    text = message if message.endswith("\n") else f"{message}\n"
    payload = f"object {target}\ntype commit\ntag {name}\ntagger {ident}\n\n{text}".encode("utf-8", "surrogateescape")
    setting = repository.config("tag.gpgSign", kind="bool") or repository.config("commit.gpgSign", kind="bool")
    if setting == "true":
        from f0ci.git.signatures import sign

        payload += sign(payload, repository=repository, namespace="git").armored.encode()
    return repository.run("mktag", input=payload).text


def identity_line(repository: Repository, env: Mapping[str, str]) -> str:
    """Return the user and the time as Git writes them into an object.

    Raises:
        GitError: Git does not know who the user is.
    """
    answer = repository.run(*_NO_GUESS, "var", "GIT_COMMITTER_IDENT", env=env, check=False)
    if answer.code != 0:
        raise _cannot_commit(answer.err, signed=False)
    return answer.text


def _dates(time: datetime | None) -> dict[str, str]:
    if time is None:
        return {}
    stamp = f"@{int(time.timestamp())} +0000"
    return {"GIT_AUTHOR_DATE": stamp, "GIT_COMMITTER_DATE": stamp}


def _cannot_commit(err: str, *, signed: bool) -> GitError:
    if _NOBODY.search(err):
        return GitError(
            "git does not know who you are",
            "run `git config --global user.name 'Your Name'` and `git config --global user.email you@example.com`",
        )
    if signed:
        return GitError(
            f"git cannot sign the commit: {git_says(err)}",
            "check `git config user.signingKey` and that the key is unlocked, or run `git config commit.gpgSign false`",
        )
    return GitError(f"git cannot make the commit: {git_says(err)}")
