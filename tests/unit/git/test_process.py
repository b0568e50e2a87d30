from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from f0ci.core.errors import GitError
from f0ci.git.process import Begun, git_says, git_version, run_git

_PRINT = ("-c", "alias.show-environment=!env", "show-environment")


def _environment(folder: Path, env: dict[str, str] | None = None) -> dict[str, str]:
    lines = run_git(_PRINT, folder=folder, env=env).text.splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_git_answers_in_english_and_never_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    seen = _environment(tmp_path)
    assert (seen["LC_ALL"], seen["GIT_TERMINAL_PROMPT"]) == ("C", "0")


@pytest.mark.parametrize("name", ["GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "F0CI_GIT_TOKEN"])
def test_what_hooks_set_is_not_inherited(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "/somewhere/else")
    assert name not in _environment(tmp_path)


def test_the_users_own_variables_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Carol")
    monkeypatch.setenv("GIT_DIR", "/somewhere/else")
    assert _environment(tmp_path)["GIT_AUTHOR_NAME"] == "Carol"


def test_an_addition_wins_over_what_is_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("F0CI_GIT_TOKEN", "inherited")
    assert _environment(tmp_path, {"F0CI_GIT_TOKEN": "given"})["F0CI_GIT_TOKEN"] == "given"


def test_input_and_output_are_bytes(tmp_path: Path) -> None:
    content = bytes(range(256)) * 400
    answer = run_git(["hash-object", "--stdin"], folder=tmp_path, content=content)
    echoed = run_git(["-c", "alias.echo=!cat", "echo"], folder=tmp_path, content=content)
    assert (answer.code, len(answer.text)) == (0, 40)
    assert echoed.out == content


def test_a_folder_that_is_gone_is_not_replaced_by_the_current_one(tmp_path: Path) -> None:
    answer = run_git(["rev-parse", "--git-dir"], folder=tmp_path / "gone")
    assert answer.code != 0
    assert "cannot change to" in answer.err


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    answer = run_git(["-c", "alias.hang=!sleep 60", "hang"], folder=tmp_path, timeout=0.2)
    assert answer.code < 0


def test_a_git_that_works_meanwhile_answers_when_it_is_asked(tmp_path: Path) -> None:
    # more than a pipe holds
    said = Begun(["-c", "alias.talk=!seq 100000", "talk"], folder=tmp_path, timeout=60)
    assert len(said.answer().text.splitlines()) == 100_000
    said.end()


def test_a_git_that_nobody_waits_for_is_ended(tmp_path: Path) -> None:
    # what it starts writes down who it is, and ends with it
    pid = tmp_path / "pid"
    os.mkfifo(pid)
    begun = Begun(["-c", f"alias.hang=!echo $PPID > {pid}; exec sleep 20", "hang"], folder=tmp_path, timeout=600)
    git_pid = int(pid.read_text(encoding="ascii"))
    begun.end()
    with pytest.raises(ProcessLookupError):
        os.kill(git_pid, 0)


def test_the_version_is_read(tmp_path: Path) -> None:
    assert git_version() >= (2, 30)
    assert ".".join(map(str, git_version()[:2])) in run_git(["version"], folder=tmp_path).text


@pytest.mark.parametrize("inherited", [{}, {"GIT_DIR": "/somewhere"}])
def test_a_missing_git_is_an_error_with_a_way_out(inherited: dict[str, str], tmp_path: Path) -> None:
    program = (
        "from pathlib import Path\n"
        "from f0ci.core.errors import GitError\n"
        "from f0ci.git.repository import Repository\n"
        "try:\n    Repository.open(Path('.'))\n"
        "except GitError as error:\n    print(error.message, '|', error.hint)\n"
    )
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "env").symlink_to("/usr/bin/env")
    env = {**os.environ, **inherited, "PATH": str(tools)}
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=env)
    assert answer.stdout.startswith("git is not installed | install the package 'git'")
    assert answer.stderr == ""


def test_a_git_that_goes_missing_later_is_an_error_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_git(["version"], folder=tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitError, match="git is not installed"):
        run_git(["version"], folder=tmp_path)


def test_another_git_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other-git"
    other.write_text('#!/bin/sh\necho "other $3"\n', encoding="ascii")
    other.chmod(0o755)
    monkeypatch.setenv("F0CI_GIT", str(other))
    assert run_git(["version"], folder=tmp_path).text == "other version"


def test_importing_the_package_starts_nothing() -> None:
    program = "import sys, f0ci.git.refs, f0ci.git.signatures; print('subprocess' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("err", "says"),
    [
        ("fatal: bad object x", "bad object x"),
        ("warning: nothing\nerror: one\nfatal: two\nhint: three", "two"),
        ("hint: a\nerror: one", "one"),
        ("something odd\n\n", "something odd"),
        (
            "git@x: Permission denied (publickey).\nfatal: Could not read from remote repository.",
            "git@x: Permission denied (publickey)",
        ),
        ("error: RPC failed; HTTP 503\nfatal: the remote end hung up unexpectedly", "RPC failed; HTTP 503"),
        ("fatal: the remote end hung up unexpectedly", "the remote end hung up unexpectedly"),
        ("", "it gave no reason"),
    ],
)
def test_the_telling_line_is_found(err: str, says: str) -> None:
    assert git_says(err) == says
