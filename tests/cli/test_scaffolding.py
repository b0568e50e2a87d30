"""`f0ci init` says what is left to do, also where somebody set up the repository before."""

from __future__ import annotations

from collections.abc import Callable
from importlib import resources
from pathlib import Path

import pytest

from f0ci.cli.boundary import run
from tests.conftest import SshIdentity, git


@pytest.fixture
def init(
    make_repository: Callable[..., Path], capsys: pytest.CaptureFixture[str], ssh_identity: Callable[[str], SshIdentity]
) -> Callable[..., str]:
    """Return a function that runs `f0ci init` as somebody, with a signing key or without, and returns what it says."""
    folder = make_repository("repo", {"README.md": "# ours\n"})
    identities = {name: ssh_identity(name) for name in ("alice", "bob")}

    def init_as(name: str, *, signs: bool) -> str:
        git(folder, "config", "user.name", name.title())
        git(folder, "config", "user.email", f"{name}@example.com")
        if signs:
            identities[name].sign_with(folder)
        else:
            git(folder, "config", "user.signingKey", "")
        capsys.readouterr()
        assert run(["-C", str(folder), "init"]) == 0
        return capsys.readouterr().out

    return init_as


def test_who_sets_it_up_may_approve(init: Callable[..., str]) -> None:
    said = init("alice", signs=True)

    assert "wrote .f0ci/approvers.yaml" in said
    assert "to approve" not in said
    assert "prod waits until somebody else approved: before the first release, add a second person to" in said
    again = init("alice", signs=True)
    assert "kept  .f0ci/approvers.yaml" in again
    assert "to approve" not in again
    assert "who works alone writes `not_author: false` under gates.approval of prod" in said
    assert "somebody else" not in again


def test_who_has_no_key_is_told_where_it_goes(init: Callable[..., str]) -> None:
    for _ in range(2):
        said = init("alice", signs=False)
        assert "ssh-keygen -t ed25519" in said
        assert "to approve, put the public key under people.alice.keys in .f0ci/approvers.yaml" in said
    assert "to approve, put ssh-ed25519 " in init("alice", signs=True)


@pytest.mark.parametrize("signs", [True, False])
def test_who_comes_later_is_named_under_no_name_that_is_not_there(init: Callable[..., str], signs: bool) -> None:
    init("alice", signs=True)

    said = init("bob", signs=signs)

    assert "people.bob" not in said
    assert "'bob@example.com' is nobody in it: to approve, add yourself there" in said


def test_whom_git_does_not_know_is_told_to_replace_the_name_that_stands_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    git(tmp_path, "init", "-q")
    git(tmp_path, "config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    for part in ("NAME", "EMAIL"):
        for role in ("AUTHOR", "COMMITTER"):
            monkeypatch.delenv(f"GIT_{role}_{part}", raising=False)

    assert run(["-C", str(tmp_path), "init"]) == 0

    said = capsys.readouterr().out
    assert "put your name, address and key in place of 'you' in .f0ci/approvers.yaml" in said
    assert "people.you.keys" not in said


def test_a_scriptlet_comes_with_the_commands_that_run_it_and_its_test(
    init: Callable[..., str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    init("alice", signs=True)
    capsys.readouterr()
    (folder,) = (path.parent for path in tmp_path.rglob("f0ci.yaml"))

    assert run(["-C", str(folder), "init", "scriptlet", "load_numbers"]) == 0

    *_, last = capsys.readouterr().out.splitlines()
    assert (
        last == "next: f0ci run recipes/load_numbers.yaml -e dev; its test: python -m pytest tests/test_load_numbers.py"
    )
    assert run(["-C", str(folder), *last.split(";")[0].split()[2:]]) == 0


@pytest.mark.parametrize(
    ("there", "expected", "added"),
    [
        ("node_modules/\n", "node_modules/\n{}", "__pycache__/, /deployed/, /metrics/requests.csv, /.f0ci/runs/"),
        ("node_modules/", "node_modules/\n{}", "__pycache__/, /deployed/, /metrics/requests.csv, /.f0ci/runs/"),
        ("", "{}", "__pycache__/, /deployed/, /metrics/requests.csv, /.f0ci/runs/"),
    ],
)
def test_what_recipes_write_is_added_to_a_gitignore_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], there: str, expected: str, added: str
) -> None:
    (tmp_path / ".gitignore").write_text(there, encoding="utf-8")
    wanted = (resources.files("f0ci.commands") / "scaffold/gitignore").read_text(encoding="utf-8")

    assert run(["-C", str(tmp_path), "init"]) == 0
    first = capsys.readouterr().out
    assert run(["-C", str(tmp_path), "init"]) == 0
    second = capsys.readouterr().out

    assert f"  added to .gitignore: {added}\n" in first
    assert "kept  .gitignore" in second
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == expected.format(wanted)


def test_a_name_keeps_its_letters_without_their_accents(
    make_repository: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_repository("accents")
    git(root, "config", "user.name", "Zoë Łukasz")

    assert run(["-C", str(root), "init"]) == 0

    assert "people.zoe-ukasz.keys" in capsys.readouterr().out
