from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from f0ci.core.errors import GitError, NetworkError
from f0ci.git.askpass import credentials
from f0ci.git.refs import PushOutcome, RefStore, RefUpdate
from f0ci.git.repository import Repository
from tests.conftest import RemoteRepository, git
from tests.unit.git.http_remote import HttpRemote
from tests.unit.git.test_refs import PROD, commit_on, install_hook, remote_refs

TOKEN = "s3cret-token"


@pytest.fixture
def project(remote_repository: RemoteRepository, http_remote: HttpRemote) -> RemoteRepository:
    """Return a clone whose remote is asked by HTTP."""
    git(remote_repository.bare, "config", "http.receivepack", "true")
    git(remote_repository.work, "remote", "set-url", "origin", f"{http_remote.url}/{remote_repository.bare.name}")
    return remote_repository


@pytest.fixture
def store(project: RemoteRepository) -> RefStore:
    """Return the refs of that remote."""
    return RefStore(Repository.open(project.work), "origin")


def test_an_answer_that_got_lost_does_not_undo_the_push(
    store: RefStore, project: RemoteRepository, http_remote: HttpRemote
) -> None:
    http_remote.drop_push_answers = 1
    first = commit_on(store.repository, None, "one")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert http_remote.drop_push_answers == 0
    assert store.read(PROD) == first == remote_refs(project)[PROD]


def test_an_answer_that_got_lost_while_others_built_on_it(
    store: RefStore, project: RemoteRepository, http_remote: HttpRemote
) -> None:
    http_remote.drop_push_answers = 1
    first = commit_on(store.repository, None, "one")
    build = f'git update-ref {PROD} $(git commit-tree -p {first} -m next "{first}^{{tree}}")'
    install_hook(project.bare, "post-receive", build)
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    tip = store.read(PROD)
    assert tip == remote_refs(project)[PROD] != first
    assert git(project.bare, "rev-parse", f"{tip}^") == first


def test_an_answer_that_got_lost_to_somebody_faster(
    store: RefStore, project: RemoteRepository, http_remote: HttpRemote
) -> None:
    http_remote.drop_push_answers = 1
    theirs = git(project.bare, "rev-parse", "main")
    install_hook(project.bare, "post-receive", f"git update-ref {PROD} {theirs}")
    assert store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))]) is PushOutcome.LOST_RACE
    assert store.read(PROD) == theirs


def test_a_push_that_never_arrived_is_sent_again(
    store: RefStore, project: RemoteRepository, http_remote: HttpRemote
) -> None:
    http_remote.fail_pushes = 2
    first = commit_on(store.repository, None, "one")
    assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
    assert remote_refs(project)[PROD] == first


def test_a_push_that_never_arrives_is_a_network_error(store: RefStore, http_remote: HttpRemote) -> None:
    http_remote.fail_pushes = 100
    with pytest.raises(NetworkError, match=r"cannot be reached.*503"):
        store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])


@pytest.mark.parametrize("status", [500, 502, 503, 429])
def test_a_server_in_trouble_is_a_network_error(status: int, store: RefStore, http_remote: HttpRemote) -> None:
    http_remote.status = status
    with pytest.raises(NetworkError, match=rf"remote 'origin' \({http_remote.url}.*{status}") as caught:
        store.fetch(["refs/heads/env/*"])
    assert "git ls-remote origin" in (caught.value.hint or "")
    with pytest.raises(NetworkError):
        store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])
    with pytest.raises(NetworkError):
        store.supports_atomic()
    with pytest.raises(NetworkError):
        store.default_branch_name()


def test_nobody_listens(project: RemoteRepository) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    git(project.work, "remote", "set-url", "origin", f"http://127.0.0.1:{port}/a.git")
    store = RefStore(Repository.open(project.work), "origin")
    with pytest.raises(NetworkError, match="cannot be reached"):
        store.fetch(["refs/heads/env/*"])
    with pytest.raises(NetworkError, match="cannot be reached"):
        store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])


def test_a_server_that_never_answers(project: RemoteRepository, http_remote: HttpRemote) -> None:
    http_remote.silent = True
    store = RefStore(Repository.open(project.work), "origin", answer_seconds=0.3)
    with pytest.raises(NetworkError, match=r"timed out after 0\.3 seconds"):
        store.fetch(["refs/heads/env/*"])


def test_a_repository_that_is_not_there(project: RemoteRepository, http_remote: HttpRemote, tmp_path: Path) -> None:
    for url in (f"{http_remote.url}/gone.git", str(tmp_path / "gone.git"), (tmp_path / "gone.git").as_uri()):
        git(project.work, "remote", "set-url", "origin", url)
        store = RefStore(Repository.open(project.work), "origin")
        with pytest.raises(GitError, match="is not there, or your account cannot see it") as caught:
            store.fetch(["refs/heads/env/*"])
        assert "git remote get-url origin" in (caught.value.hint or "")


def test_the_default_branch_is_asked_for(store: RefStore, project: RemoteRepository) -> None:
    assert store.default_branch_name() == "main"
    git(project.bare, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert store.default_branch_name() is None


class TestCredentials:
    """With `F0CI_GIT_TOKEN`, and without."""

    def test_none_are_given(self, store: RefStore, http_remote: HttpRemote) -> None:
        """A remote that asks for a password refuses."""
        http_remote.password = TOKEN
        with pytest.raises(GitError, match="does not accept the credentials") as caught:
            store.fetch(["refs/heads/env/*"])
        assert "F0CI_GIT_TOKEN" in (caught.value.hint or "")
        with pytest.raises(GitError, match="does not accept the credentials"):
            store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])

    def test_the_wrong_ones(self, store: RefStore, http_remote: HttpRemote, monkeypatch: pytest.MonkeyPatch) -> None:
        """They appear in no message."""
        http_remote.password = TOKEN
        monkeypatch.setenv("F0CI_GIT_TOKEN", "wrong-token")
        with pytest.raises(GitError, match="does not accept the credentials") as caught:
            store.fetch(["refs/heads/env/*"])
        assert "wrong-token" not in str(caught.value)

    def test_the_right_ones(
        self,
        store: RefStore,
        project: RemoteRepository,
        http_remote: HttpRemote,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        """They win over what the checkout left behind, and are stored nowhere."""
        http_remote.password = TOKEN
        stored = tmp_path / "stored"
        git(project.work, "config", "credential.helper", f"store --file={stored}")
        git(project.work, "config", f"http.{http_remote.url}/.extraHeader", "Authorization: Basic bGVmdDpvdmVy")
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        trace = tmp_path / "trace"
        monkeypatch.setenv("GIT_TRACE", str(trace))
        before = (project.work / ".git/config").read_bytes()
        first = commit_on(store.repository, None, "one")
        assert store.push([RefUpdate(PROD, None, first)]) is PushOutcome.APPLIED
        store.fetch(["refs/heads/env/*"])
        assert store.read(PROD) == first
        assert (project.work / ".git/config").read_bytes() == before
        assert not stored.exists()
        assert "git-remote-http" in trace.read_text(encoding="utf-8")
        assert TOKEN not in trace.read_text(encoding="utf-8")
        assert not any("bGVmdDpvdmVy" in header for header in http_remote.headers)

    def test_a_url_with_a_name(
        self, project: RemoteRepository, http_remote: HttpRemote, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Git asks for the password alone."""
        http_remote.password = TOKEN
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        url = f"{http_remote.url}/{project.bare.name}".replace("://", "://carol@")
        git(project.work, "remote", "set-url", "origin", url)
        store = RefStore(Repository.open(project.work), "origin")
        store.fetch(["refs/heads/main"])
        assert store.read("refs/heads/main") is not None

    def test_a_password_in_the_url_is_shown_nowhere(self, project: RemoteRepository, http_remote: HttpRemote) -> None:
        """Neither in the address nor in what Git says."""
        http_remote.password = TOKEN
        url = f"{http_remote.url}/{project.bare.name}".replace("://", "://carol:hunter22@")
        git(project.work, "remote", "set-url", "origin", url)
        store = RefStore(Repository.open(project.work), "origin")
        assert "hunter22" not in store.url
        with pytest.raises(GitError) as caught:
            store.fetch(["refs/heads/main"])
        assert "hunter22" not in str(caught.value)

    def test_hooks_of_a_local_remote_do_not_see_the_token(
        self, remote_repository: RemoteRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A remote that is a folder needs none."""
        git(remote_repository.work, "remote", "set-url", "origin", str(remote_repository.bare))
        install_hook(remote_repository.bare, "pre-receive", f"env > {tmp_path}/seen")
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        store = RefStore(Repository.open(remote_repository.work), "origin")
        store.push([RefUpdate(PROD, None, commit_on(store.repository, None, "one"))])
        seen = (tmp_path / "seen").read_text(encoding="utf-8")
        assert "GIT_DIR=" in seen
        assert TOKEN not in seen

    @pytest.mark.parametrize(
        ("prompt", "answer"),
        [
            ("Username for 'https://git.example.com:8443': ", "x-access-token"),
            ("Password for 'https://x-access-token@git.example.com:8443': ", TOKEN),
            ("Password for 'https://git.example.com:8443/a/b.git': ", TOKEN),
            ("Password for 'https://evil.example.org': ", None),
            ("Password for 'https://evil.example.org/git.example.com:8443': ", None),
            ("Password for 'https://git.example.com:8443.evil.org': ", None),
            ("Enter passphrase for key '/home/alice/.ssh/id': ", None),
        ],
    )
    def test_the_token_goes_to_its_host_alone(
        self, prompt: str, answer: str | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that redirects elsewhere gets nothing."""
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        with credentials("https://git.example.com:8443/a/b.git") as (_, env):
            helper = Path(env["GIT_ASKPASS"])
            assert helper.parent.stat().st_mode & 0o077 == 0
            assert TOKEN not in helper.read_text(encoding="ascii")
            asked = subprocess.run(
                [helper, prompt], capture_output=True, text=True, check=False, env={**os.environ, **env}
            )
        assert (asked.stdout.strip() or None) == answer
        assert not helper.exists()

    def test_the_user_name_can_be_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some hosts want their own."""
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        monkeypatch.setenv("F0CI_GIT_USERNAME", "deploy-token-7")
        with credentials("https://git.example.com/a/b.git") as (_, env):
            asked = subprocess.run(
                [env["GIT_ASKPASS"], "Username for 'https://git.example.com': "],
                capture_output=True,
                text=True,
                check=False,
                env={**os.environ, **env},
            )
        assert asked.stdout == "deploy-token-7\n"

    @pytest.mark.parametrize(
        "url", ["git@github.com:a/b.git", "ssh://git@github.com/a/b.git", "/srv/a.git", "file:///srv/a.git"]
    )
    def test_other_transports_authenticate_themselves(self, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """The token is for HTTP."""
        monkeypatch.setenv("F0CI_GIT_TOKEN", TOKEN)
        with credentials(url) as given:
            assert given == ([], {})
