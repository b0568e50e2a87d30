"""People with signing keys, and statements that they signed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from f0ci.git.repository import Repository
from f0ci.promotion.approvers import Approvers, Person
from f0ci.promotion.statements import Statement, sign_statement
from tests.conftest import SshIdentity


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SshIdentity]:
    found = {}
    for name in ("bob", "carol", "mallory"):
        private = tmp_path_factory.mktemp("keys") / name
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(private)], check=True)
        public = private.with_suffix(".pub")
        kind, data, *_ = public.read_text(encoding="ascii").split(" ")
        found[name] = SshIdentity(name, private, public, f"{kind} {data}")
    return found


@pytest.fixture
def approvers(keys: dict[str, SshIdentity]) -> Approvers:
    return Approvers({name: Person(name, (), (keys[name].key,)) for name in ("bob", "carol")})


@pytest.fixture
def signed(
    keys: dict[str, SshIdentity], make_repository: Callable[..., Path]
) -> Callable[[Statement, str], dict[str, Any]]:
    """Return a function that signs a statement with somebody's key."""

    def by(statement: Statement, who: str) -> dict[str, Any]:
        path = make_repository(who)
        keys[who].sign_with(path)
        return sign_statement(statement, Repository.open(path))

    return by
