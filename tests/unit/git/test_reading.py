"""What the process that stays answers is what a process that ends would."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.reading import Found, close_all
from f0ci.git.repository import Repository
from tests.conftest import git


def _alone(repository: Repository, names: list[str]) -> list[Found | None]:
    fresh = Repository(repository.git_dir, repository.work_tree)
    return [next(fresh.read_objects([name, "HEAD"])) for name in names]


def _processes(repository: Repository) -> list[int]:
    """Return the processes that read this repository's objects."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"cat-file" in words and str(repository.root).encode() in words:
                found.append(int(entry.name))
    return found


def test_one_process_answers_everything_that_stays(repository: Repository) -> None:
    written = repository.write_blobs([b"one\n", b"", bytes(range(256)) * 1000])
    tree = repository.write_tree({"a b/c": b"x", "missing": b"blob 3\n"})
    names = [*written, f"{tree}:a b/c", f"{tree}:nothing", f"{tree}^{{tree}}", "1" * 40, tree, f"{tree}:missing"]

    found = list(repository.read_objects(names))

    assert found == _alone(repository, names)
    assert [found[3], found[4], found[6]] == [("blob", written_id(repository, b"x"), b"x"), None, None]
    assert len(_processes(repository)) == 1
    assert repository.write_blobs([b"later"])[0] in repository.read_blobs([written_id(repository, b"later")])
    assert len(_processes(repository)) == 1


def written_id(repository: Repository, content: bytes) -> str:
    return repository.write_blobs([content])[0]


def test_it_is_started_again_where_somebody_ended_it(repository: Repository) -> None:
    (oid,) = repository.write_blobs([b"one"])
    assert repository.read_blobs([oid]) == {oid: b"one"}
    os.kill(_processes(repository)[0], signal.SIGKILL)
    assert repository.read_blobs([oid]) == {oid: b"one"}
    assert repository.read_blobs([oid]) == {oid: b"one"}
    assert len(_processes(repository)) == 1


def test_it_ends_with_its_repository(make_repository: Callable[..., Path]) -> None:
    repository = Repository.open(make_repository())
    other = Repository.open(repository.root)
    assert repository.commit_of(git(repository.root, "rev-parse", "HEAD"))
    assert len(_processes(other)) == 1
    del repository
    assert _processes(other) == []


def test_what_a_name_means_is_asked_again_where_it_may_move(repository: Repository) -> None:
    first = repository.commit_of("HEAD")
    assert first is not None
    assert repository.commit_of(first) == first
    moved = repository.commit(repository.tree_of(first) or "", [first], "next")
    git(repository.root, "update-ref", "HEAD", moved)
    assert repository.commit_of("HEAD") == moved


def test_an_object_that_cannot_be_read_is_an_error_that_git_explains(repository: Repository) -> None:
    (oid,) = repository.write_blobs([b"one"])
    file = repository.git_dir / "objects" / oid[:2] / oid[2:]
    file.chmod(0o644)
    file.write_bytes(b"rubbish")
    with pytest.raises(GitError, match=r"corrupt|unable to (?:unpack|read)|header|missing|not in this repository"):
        repository.read_blobs([oid])


def test_many_are_asked_of_a_process_of_their_own(repository: Repository) -> None:
    oids = repository.write_blobs([f"{index}\n".encode() for index in range(100)])

    def answers() -> Iterator[Found | None]:
        return repository.read_objects(oids)

    assert [found[2] for found in answers() if found] == [f"{index}\n".encode() for index in range(100)]
    assert _processes(repository) == []


def test_few_processes_stay_however_many_repositories_are_read(make_repository: Callable[..., Path]) -> None:
    read = [Repository.open(make_repository(f"number-{number}")) for number in range(10)]
    oids = [one.write_blobs([b"one"])[0] for one in read]
    for one, oid in zip(read, oids, strict=True):
        assert one.read_blobs([oid]) == {oid: b"one"}

    assert [len(_processes(one)) for one in read] == [0] * 6 + [1] * 4
    assert read[0].read_blobs([oids[0]]) == {oids[0]: b"one"}
    assert [len(_processes(one)) for one in read] == [1, *[0] * 6, *[1] * 3]

    close_all()
    assert sum(len(_processes(one)) for one in read) == 0
    assert read[0].read_blobs([oids[0]]) == {oids[0]: b"one"}


def test_a_reader_that_is_being_asked_is_left_alone(repository: Repository) -> None:
    (oid,) = repository.write_blobs([b"one"])
    assert repository.read_blobs([oid]) == {oid: b"one"}
    with repository.reader._asking:
        assert not repository.reader.leave()
        assert len(_processes(repository)) == 1
    assert repository.reader.leave()
    assert _processes(repository) == []
