from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from f0ci.core.canonical import canonical_json
from f0ci.core.clock import format_time
from f0ci.core.errors import CannotWork, InputError, UsageError
from f0ci.git.refs import RefStore
from f0ci.git.repository import Repository
from f0ci.promotion.names import Names
from f0ci.promotion.releases import (
    Release,
    check_content,
    content_digest,
    create_release,
    find_release,
    list_releases,
    release_paths,
    require_release,
)
from f0ci.source.project import Project, load_project
from f0ci.source.tree import MemoryTree
from tests.conftest import commit_files, git
from tests.unit.promotion.builders import NOW

FILES = {
    "f0ci.yaml": b"code: [scriptlets, tool.py]\n",
    "workflow.yaml": b"kind: ProductionWorkflow\n",
    "recipes/deploy.yaml": b"steps: []\n",
    "environments/base.yaml": b"{}\n",
    "environments/prod/config.yaml": b"{}\n",
    "templates/motd.j2": b"hello\n",
    "scriptlets/a.py": b"pass\n",
    "tool.py": b"pass\n",
    "README.md": b"no part of a release\n",
    "scriptlets2/b.py": b"nor is this\n",
}
INSIDE = sorted(set(FILES) - {"README.md", "scriptlets2/b.py"})


def digest_of(files: dict[str, bytes]) -> str:
    tree = MemoryTree(files)
    return content_digest(tree, release_paths(tree, load_project(tree)))


def test_what_belongs_to_a_release() -> None:
    tree = MemoryTree(FILES)

    assert release_paths(tree, load_project(tree)) == tuple(INSIDE)


@given(path=some.sampled_from(INSIDE), at=some.integers(0), by=some.integers(1, 255))
def test_any_changed_byte_is_another_release(path: str, at: int, by: int) -> None:
    content = bytearray(FILES[path])
    if path == "f0ci.yaml":
        # a comment, so that it stays readable
        content += b"#" + bytes([33 + by % 90]) + b"\n"
    else:
        content[at % len(content)] = (content[at % len(content)] + by) % 256

    assert digest_of({**FILES, path: bytes(content)}) != digest_of(FILES)


@pytest.mark.parametrize("path", [path for path in INSIDE if path != "f0ci.yaml"])
def test_a_file_less_or_elsewhere_is_another_release(path: str) -> None:
    without = {name: content for name, content in FILES.items() if name != path}

    assert digest_of(without) != digest_of(FILES)
    assert digest_of({**without, "recipes/moved.yaml": FILES[path]}) != digest_of(FILES)


@pytest.mark.parametrize("path", ["README.md", "scriptlets2/b.py", ".github/workflows/ci.yml"])
def test_what_lies_outside_changes_nothing(path: str) -> None:
    assert digest_of({**FILES, path: b"changed\n"}) == digest_of(FILES)


@pytest.fixture
def store(make_repository: Callable[..., Path]) -> RefStore:
    files = {"recipes/a.yaml": "steps: []\n"}
    return RefStore(Repository.open(make_repository("repo", files)), None)


def make(store: RefStore, commit: str, now: Any = NOW) -> tuple[Release, bool]:
    return create_release(store.repository, store, Names(), commit, Project(), now)


def test_the_same_content_is_the_same_release_whatever_the_commit(store: RefStore) -> None:
    root = store.repository.root
    first, is_new = make(store, git(root, "rev-parse", "HEAD"))
    other = commit_files(root, {"README.md": "elsewhere"})

    again, is_new_again = make(store, other, NOW + timedelta(days=1))

    assert (is_new, is_new_again) == (True, False)
    assert again == first
    assert list_releases(store.repository, store) == (first,)


def test_a_clock_that_runs_backwards_does_not_make_the_newest_release_old(store: RefStore) -> None:
    root = store.repository.root
    older, _ = make(store, git(root, "rev-parse", "HEAD"))
    newer, _ = make(store, commit_files(root, {"recipes/a.yaml": "steps: [] #\n"}), NOW - timedelta(days=30))

    assert list_releases(store.repository, store) == (older, newer)
    assert require_release(list_releases(store.repository, store), "latest") == newer


def test_nothing_without_recipes_is_a_release(store: RefStore) -> None:
    with pytest.raises(CannotWork, match="holds no recipe"):
        create_release(store.repository, store, Names(), "HEAD", Project(recipes=("steps",)), NOW)


def tag(store: RefStore, name: str, commit: str, record: Any) -> None:
    text = record if isinstance(record, str) else canonical_json(record).decode()
    oid = store.repository.tag(f"f0ci/release/{name}", commit, f"release\n\n{text}\n")
    git(store.repository.root, "update-ref", f"refs/tags/f0ci/release/{name}", oid)
    store.fetch([])


RECORD = {"version": 1, "digest": "a" * 64, "files": 1, "created_at": format_time(NOW), "created_by": "Eve <e@e.e>"}


@pytest.mark.parametrize(
    ("name", "record"),
    [
        pytest.param("b" * 12, RECORD, id="named after another digest"),
        pytest.param("a" * 12, "no record", id="no record"),
        pytest.param("a" * 12, "{broken", id="no JSON"),
        pytest.param("a" * 12, [1, 2], id="a list"),
        pytest.param("a" * 12, {**RECORD, "created_at": "yesterday"}, id="no time"),
        pytest.param("a" * 12, {**RECORD, "files": "many"}, id="no count"),
        pytest.param("a" * 12, {"digest": "a" * 64}, id="half a record"),
    ],
)
def test_a_tag_that_records_no_release_is_none(store: RefStore, name: str, record: Any) -> None:
    tag(store, name, "HEAD", record)

    assert list_releases(store.repository, store) == ()


def test_a_lightweight_tag_is_no_release(store: RefStore) -> None:
    git(store.repository.root, "tag", f"f0ci/release/{'a' * 12}")

    assert list_releases(store.repository, RefStore(store.repository, None)) == ()


def test_a_forged_tag_is_found_out_before_it_is_promoted(store: RefStore) -> None:
    tag(store, "a" * 12, "HEAD", RECORD)
    (forged,) = list_releases(store.repository, store)
    tree = store.repository.tree(forged.commit)

    with pytest.raises(InputError) as caught:
        check_content(tree, load_project(tree), forged)

    assert "does not hold its content" in caught.value.message
    good, _ = make(store, "HEAD")
    check_content(tree, load_project(tree), good)


ONE, TWO = (Release(digit * 64, "c", NOW, "Alice <a@e.c>", 1) for digit in "12")
NEAR = Release("1" * 11 + "2" * 53, "c", NOW, "Alice <a@e.c>", 1)


@pytest.mark.parametrize(("name", "found"), [("1" * 64, ONE), ("2222", TWO), ("latest", TWO), ("1" * 12, ONE)])
def test_names_of_releases(name: str, found: Release) -> None:
    assert require_release((ONE, NEAR, TWO), name) == found


@pytest.mark.parametrize("name", ["", "1", "111", "3333", "1111", "none"])
def test_what_names_no_release_or_several(name: str) -> None:
    with pytest.raises(UsageError):
        require_release((ONE, NEAR, TWO), name)


def test_a_beginning_of_nothing_is_nothing() -> None:
    assert find_release((ONE,), "") is None
    with pytest.raises(UsageError) as caught:
        require_release((), "latest")
    assert caught.value.hint == "make one with `f0ci release create`"
