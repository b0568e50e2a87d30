"""Refs with all that they need in one file, for a clone that must not, or cannot, ask the remote."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from f0ci.core.errors import GitError, InputError
from f0ci.git.process import git_says
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository

_HINT = "check out the commit that the promoting job worked on, with its history"


def pack_refs(repository: Repository, oids: Sequence[str], without: str, file: Path) -> None:
    """Write a bundle with some objects and all that they need, but for what one commit reaches already.

    Args:
        repository: where the objects are.
        oids: commits and tags.
        without: a commit that whoever reads the bundle has.
        file: the bundle; its folder must be there.

    Raises:
        GitError: an object is missing.
    """
    # a bundle names refs, not objects; these are this process's own, and gone again when it is written
    names = {oid: f"refs/f0ci/bundle/{os.getpid()}/{number}" for number, oid in enumerate(dict.fromkeys(oids))}
    made = "".join(f"update {name} {oid}\n" for oid, name in names.items())
    gone = "".join(f"delete {name}\n" for name in names.values())
    repository.run("update-ref", "--stdin", input=made.encode())
    try:
        repository.run("bundle", "create", "--quiet", str(file), *names.values(), f"^{without}")
    finally:
        repository.run("update-ref", "--stdin", input=gone.encode())


def unpack_refs(repository: Repository, store: RefStore, file: Path, refs: Mapping[str, str]) -> None:
    """Take the objects of a bundle into a repository, and take refs for what the remote's are.

    Args:
        repository: where they are wanted.
        store: the refs; those of this repository itself are left as they are.
        file: the bundle.
        refs: object by full name of the ref.

    Raises:
        InputError: it is no bundle, or it builds on a commit that this clone lacks.
        GitError: a ref names an object that neither the bundle nor the clone has.
    """
    answer = repository.run("bundle", "unbundle", str(file), check=False)
    if answer.code != 0:
        raise InputError(
            f"the objects cannot be taken over: {git_says(answer.err)}",
            _HINT,
            place=str(file),
        )
    for ref, oid in refs.items():
        if repository.resolve(oid) is None:
            raise GitError(f"{ref!r} is said to be {oid[:10]}, which is not among the objects", _HINT)
    store.take(refs)
