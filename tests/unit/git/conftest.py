"""A repository with a few files, in both object formats, and a Git server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from f0ci.git.repository import Repository
from tests.unit.git.http_remote import HttpRemote, serve


@pytest.fixture(params=["sha1", "sha256"])
def repository(request: pytest.FixtureRequest, make_repository: Callable[..., Path]) -> Repository:
    files = {"README.md": "# example\n", "recipes/a.yaml": "name: a\n", "recipes/deep/b.yaml": "name: b\n"}
    return Repository.open(make_repository("repo", files, f"--object-format={request.param}"))


@pytest.fixture
def http_remote(tmp_path: Path) -> Iterator[HttpRemote]:
    """Return a running Git server for the bare repositories in the test's folder."""
    with serve(tmp_path) as remote:
        yield remote
