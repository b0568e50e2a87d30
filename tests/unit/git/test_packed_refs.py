"""Many tags that are new are added to Git's own file of refs, and Git reads them as if it had written them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.git.packed_refs import add_tags, addable, with_added
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository
from tests.conftest import RemoteRepository, git

PATTERNS = ("refs/heads/env/*", "refs/tags/f0ci/*")
HEADER = b"# pack-refs with: peeled fully-peeled sorted \n"
A, B = "a" * 40, "b" * 40
COUNT = 120
FORMAT = "--format=%(refname) %(objectname) %(*objectname)"


def with_releases(project: RemoteRepository) -> RemoteRepository:
    """Make many annotated tags, a plain one and one with an odd name at the remote."""
    commit = git(project.bare, "rev-parse", "main")
    made = "".join(
        f"tag f0ci/release/{index:04d}\nfrom {commit}\ntagger A <a@example.com> {index} +0000\ndata 2\nok\n"
        for index in range(COUNT)
    )
    command = ["git", "-C", str(project.bare), "fast-import", "--quiet"]
    subprocess.run(command, input=made, text=True, check=True)
    git(project.bare, "tag", "f0ci/plain", "main")
    git(project.bare, "tag", "-a", "-m", "odd", "f0ci/odd.name", "main")
    return project


def kept(work: Path) -> list[str]:
    """Return the tags that are kept of the remote, as Git itself reads and peels them."""
    return git(work, "for-each-ref", FORMAT, "refs/f0ci/origin/tags").replace("refs/f0ci/origin/", "refs/").splitlines()


@pytest.fixture
def project(remote_repository: RemoteRepository) -> RemoteRepository:
    """Return a clone that knows none of the tags, and its remote."""
    return with_releases(remote_repository)


def test_git_reads_what_was_added_and_what_was_there_before(project: RemoteRepository) -> None:
    work = project.work
    git(work, "tag", "-a", "-m", "mine", "mine")
    git(work, "pack-refs", "--all")
    before = git(work, "for-each-ref", FORMAT)
    store = RefStore(Repository.open(work), "origin")
    store.refresh(PATTERNS)

    assert kept(work) == git(project.bare, "for-each-ref", FORMAT, "refs/tags").splitlines()
    assert set(before.splitlines()) <= set(git(work, "for-each-ref", FORMAT).splitlines())
    # not a file each
    assert len(list((work / ".git/refs/f0ci/origin").glob("tags/f0ci/release/*"))) == 0
    assert store.read("refs/tags/f0ci/release/0007") == git(project.bare, "rev-parse", "f0ci/release/0007")
    git(work, "fsck", "--strict")
    git(work, "pack-refs", "--all", "--prune")
    assert kept(work) == git(project.bare, "for-each-ref", FORMAT, "refs/tags").splitlines()


@pytest.mark.parametrize("options", [(), ("--depth=1", "--no-tags"), ("--bare",)])
def test_clones_of_every_kind(project: RemoteRepository, tmp_path: Path, options: tuple[str, ...]) -> None:
    clone = project.clone(tmp_path / "clone", *options)
    RefStore(Repository.open(clone), "origin").refresh(PATTERNS)

    assert kept(clone) == git(project.bare, "for-each-ref", FORMAT, "refs/tags").splitlines()
    git(clone, "fsck", "--strict")


def test_git_does_it_where_somebody_packs_refs_just_now(project: RemoteRepository) -> None:
    lock = project.work / ".git/packed-refs.lock"
    lock.touch()
    store = RefStore(Repository.open(project.work), "origin")
    store.refresh(PATTERNS)

    assert lock.exists()
    assert len(store.list("refs/tags/f0ci/release/")) == COUNT
    assert len(list((project.work / ".git/refs/f0ci/origin").glob("tags/f0ci/release/*"))) == COUNT


def test_a_second_look_finds_nothing_to_add(project: RemoteRepository) -> None:
    store = RefStore(Repository.open(project.work), "origin")
    store.refresh(PATTERNS)
    packed = project.work / ".git/packed-refs"
    before = packed.read_bytes(), packed.stat().st_mtime_ns
    git(project.bare, "tag", "-d", "f0ci/release/0003")
    store.refresh(PATTERNS)

    assert store.read("refs/tags/f0ci/release/0003") is None
    assert store.read("refs/tags/f0ci/release/0004") is not None
    assert before[0].count(b"release/0003") == 1


@pytest.mark.parametrize(
    "content",
    [
        b"# pack-refs with: peeled fully-peeled \n",
        b"# pack-refs with: peeled fully-peeled sorted indexed \n",
        b"# something else\n",
        HEADER + b"not a ref\n",
        HEADER + f"{A} refs/heads/main".encode(),
        HEADER + f"^{A}\n{A} refs/heads/main\n".encode(),
    ],
)
def test_what_looks_otherwise_is_left_to_git(tmp_path: Path, content: bytes) -> None:
    packed = tmp_path / "packed-refs"
    packed.write_bytes(content)

    assert not add_tags(tmp_path, [("refs/tags/one", A, B)])
    assert [path.name for path in tmp_path.iterdir()] == ["packed-refs"]
    assert packed.read_bytes() == content


def test_what_changes_meanwhile_is_left_to_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = tmp_path / "packed-refs"
    packed.write_bytes(HEADER)
    chmod = Path.chmod

    def others_write(path: Path, mode: int) -> None:
        chmod(path, mode)
        packed.write_bytes(HEADER + f"{A} refs/heads/main\n".encode())

    monkeypatch.setattr(Path, "chmod", others_write)

    assert not add_tags(tmp_path, [("refs/tags/one", A, B)])
    assert packed.read_bytes() == HEADER + f"{A} refs/heads/main\n".encode()
    assert [path.name for path in tmp_path.iterdir()] == ["packed-refs"]


def test_what_killed_processes_left_is_taken_away_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / "packed-refs.f0ci-1", tmp_path / "packed-refs.f0ci-2"
    for file in (old, young):
        file.touch()
    os.utime(old, (0, 0))

    assert add_tags(tmp_path, [("refs/tags/one", A, B)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["packed-refs", young.name]


def test_other_ways_of_keeping_refs_are_left_to_git(tmp_path: Path) -> None:
    (tmp_path / "reftable").mkdir()

    assert not add_tags(tmp_path, [("refs/tags/one", A, B)])
    assert not (tmp_path / "packed-refs").exists()


@pytest.mark.parametrize(
    "name",
    [
        "refs/tags/one\nrefs/heads/main",
        "refs/tags/a b",
        "refs/tags/../heads/main",
        "refs/tags/a.lock",
        "refs/tags//a",
        "refs/tags/",
        "refs/tags/-a",
        "HEAD",
        "refs/tags/ä",
    ],
)
def test_only_plain_names_are_added(name: str) -> None:
    assert addable({"ref": (name, A, B)}) == {}


@pytest.mark.parametrize(("oid", "meant"), [(A, None), (A[1:], B), (A, B + "\n"), ("Z" * 40, B), (A.upper(), B)])
def test_only_annotated_tags_are_added(oid: str, meant: str | None) -> None:
    assert addable({"ref": ("refs/tags/one", oid, meant)}) == {}
    assert addable({"ref": ("refs/tags/one", A, B)}) == {"ref": ("refs/tags/one", A, B)}


NAMES = st.from_regex(r"refs/tags(/[a-z0-9][a-z0-9-]{0,3}){1,2}", fullmatch=True)
TAGS = st.dictionaries(NAMES, st.tuples(st.sampled_from([A, B, "c" * 64]), st.sampled_from([A, B])), max_size=8)


@given(TAGS, TAGS)
def test_adding_in_two_goes_is_adding_at_once(
    first: dict[str, tuple[str, str]], second: dict[str, tuple[str, str]]
) -> None:
    def rows(tags: dict[str, tuple[str, str]]) -> list[tuple[str, str, str]]:
        return [(name, *ids) for name, ids in tags.items()]

    step = with_added(b"", rows(first))
    assert step is not None
    found = with_added(step, rows(second))

    assert found == with_added(b"", rows({**first, **second}))
    assert found is not None
    names = [line.split()[1] for line in found.splitlines()[1:] if not line.startswith(b"^")]
    assert names == sorted(set(names))
