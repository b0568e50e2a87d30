"""What every suite shares: an environment of its own for each test, repositories with a remote, and signing keys."""

from __future__ import annotations

import itertools
import os
import shlex
import shutil
import signal
import subprocess
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from f0ci.git.reading import close_all
from f0ci.source.native_yaml import YamlReader, native_reader

# a busy machine is no failure; in CI the same examples are tried every time, elsewhere new ones
settings.register_profile("f0ci", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("f0ci")

_FOREIGN_PREFIXES = ("GIT_", "GITHUB_", "GITLAB_", "CI_", "F0CI_", "JENKINS_", "RUNNER_", "BUILD_", "XDG_")
_FOREIGN_NAMES = (
    "CI",
    "TF_BUILD",
    "EMAIL",
    "GNUPGHOME",
    "GPG_TTY",
    "NO_COLOR",
    "FORCE_COLOR",
    "SSH_ASKPASS",
    "SSH_AUTH_SOCK",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_GIT_CONFIG = """[core]
\tfsync = none
[user]
\tname = Alice Example
\temail = alice@example.com
[init]
\tdefaultBranch = main
[advice]
\tdetachedHead = false
[gc]
\tauto = 0
"""
# read before the variables of f0ci are taken away from each test
_REQUIRE_REAL = os.environ.get("F0CI_REQUIRE_REAL", "") not in {"", "0"}
_THOROUGH = os.environ.get("F0CI_THOROUGH", "") not in {"", "0"}
_homes = itertools.count()
_CASES = Path(__file__).parent / "cases"


def pytest_configure() -> None:
    """Have interrupts do what they do on a terminal: what was started in the background ignores them, children too."""
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that accepts what the tests find."""
    parser.addoption("--update-golden", action="store_true", help="write what is found as what is expected")


@pytest.fixture(autouse=True, scope="session")
def _nothing_is_left_running() -> Iterator[None]:
    """Fail where processes that tests started outlive them; what multiprocessing keeps for itself does not count."""
    yield
    # as the command line does at its end: a test that calls functions keeps what answers it
    close_all()
    left = []
    for children in Path("/proc/self/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            try:
                words = Path("/proc", child, "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if words and "multiprocessing" not in words:
                left.append(words)
    assert not left, f"left running: {left}"


@dataclass(frozen=True, slots=True)
class Golden:
    """What is expected, kept in files below `tests/cases`.

    Attributes:
        update: write what is found instead of comparing it.
    """

    update: bool

    def check(self, path: str, found: str | bytes) -> None:
        """Compare with one file, named from `tests/cases`."""
        content = found.encode() if isinstance(found, str) else found
        target = _CASES / path
        if self.update:
            write_files(_CASES, {path: content})
        assert target.exists(), f"there is no {path}; run pytest with --update-golden, then read what it wrote"
        assert target.read_bytes() == content

    def check_tree(self, folder: str, found: Mapping[str, bytes]) -> None:
        """Compare with all files below one folder, named from `tests/cases`."""
        root = _CASES / folder
        expected = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        if self.update:
            for path in expected - found.keys():
                (root / path).unlink()
            expected = set(found)
        for path, content in found.items():
            self.check(f"{folder}/{path}", content)
        assert expected == set(found)


@pytest.fixture(scope="session")
def native() -> YamlReader:
    """Return the reader of YAML in C."""
    try:
        return native_reader()
    except ImportError as error:
        missing_real("the reader in C", f"{error}; make setup builds it, with a C compiler and Python's headers")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Return what compares with files below `tests/cases`."""
    return Golden(update=request.config.getoption("--update-golden"))


@dataclass(frozen=True, slots=True)
class RemoteRepository:
    """A clone and the bare repository it came from.

    Attributes:
        work: the clone, on branch `main`, with one commit that is pushed.
        bare: its remote `origin`.
    """

    work: Path
    bare: Path

    def clone(self, path: Path, *options: str) -> Path:
        """Clone the remote once more, by an address for which `--depth` counts."""
        git(self.bare, "clone", "-q", *options, self.bare.as_uri(), str(path))
        return path


@dataclass(frozen=True, slots=True)
class SshIdentity:
    """An SSH key pair.

    Attributes:
        name: whose it is.
        private: file of the private key.
        public: file of the public key.
        key: `ssh-ed25519 AAAA...`, without comment.
    """

    name: str
    private: Path
    public: Path
    key: str

    def sign_with(self, repository: Path) -> None:
        """Let a repository's Git sign with this key."""
        git(repository, "config", "gpg.format", "ssh")
        git(repository, "config", "user.signingKey", str(self.public))


def rounds(usual: int, thorough: int) -> int:
    """Return how often a proof repeats what it tries: usually, or as often as `make thorough` wants."""
    return thorough if _THOROUGH else usual


def require_real(program: str, package: str) -> str:
    """Return where a program is; without it the test is skipped, or fails where `F0CI_REQUIRE_REAL` is set."""
    found = shutil.which(program)
    return found if found is not None else missing_real(program, f"Debian package {package}")


def require_compiler() -> list[str]:
    """Return the command of a C compiler; without it or Python's headers the test is skipped, or fails likewise."""
    command = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    require_real(command[0], "gcc")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        missing_real("Python.h", "Debian package python3-dev")
    return command


def missing_real(program: str, source: str) -> NoReturn:
    """Skip the test for want of a program, or fail it where `F0CI_REQUIRE_REAL` is set; says where it comes from."""
    reason = f"{program} is not installed ({source})"
    if _REQUIRE_REAL:
        pytest.fail(reason)
    pytest.skip(reason)


def git(folder: Path, *args: str, env: Mapping[str, str] | None = None) -> str:
    """Run git in a folder and return what it prints, without its last line break; a failure fails the test."""
    answer = subprocess.run(
        ["git", "-C", str(folder), *args], capture_output=True, check=False, env={**os.environ, **(env or {})}
    )
    assert answer.returncode == 0, f"git {' '.join(args)}: {answer.stderr.decode(errors='replace')}"
    return answer.stdout.decode("utf-8", "surrogateescape").removesuffix("\n")


def write_files(folder: Path, files: Mapping[str, str | bytes]) -> None:
    """Write files below a folder; missing folders are made."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)


def commit_files(repository: Path, files: Mapping[str, str | bytes], message: str = "change") -> str:
    """Write files into a work tree, commit everything, and return the commit's id."""
    write_files(repository, files)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "--allow-empty", "-m", message)
    return git(repository, "rev-parse", "HEAD")


@pytest.fixture(scope="session")
def _homes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("homes")


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, _homes_folder: Path) -> None:
    """Take away what the machine or a CI system set, and give the test a home of its own."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN_PREFIXES) or name in _FOREIGN_NAMES or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = _homes_folder / str(next(_homes))
    home.mkdir()
    (home / ".gitconfig").write_text(_GIT_CONFIG, encoding="utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))


@pytest.fixture
def make_repository(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that makes a repository with one commit: `make_repository("name", {"path": "content"})`."""

    def make(name: str = "repository", files: Mapping[str, str | bytes] | None = None, *options: str) -> Path:
        path = tmp_path / name
        path.mkdir(parents=True)
        git(path, "init", "-q", *options)
        commit_files(path, files if files is not None else {"README.md": "# example\n"}, "first")
        return path

    return make


@pytest.fixture
def make_remote_repository(tmp_path: Path) -> Callable[..., RemoteRepository]:
    """Return a function that makes a bare remote and a clone of it, with one commit pushed."""

    def make(name: str = "project", files: Mapping[str, str | bytes] | None = None, *options: str) -> RemoteRepository:
        bare, work = tmp_path / f"{name}.git", tmp_path / name
        bare.mkdir(parents=True)
        git(bare, "init", "-q", "--bare", *options)
        work.mkdir()
        git(work, "init", "-q", *options)
        git(work, "remote", "add", "origin", str(bare))
        commit_files(work, files if files is not None else {"README.md": "# example\n"}, "first")
        git(work, "push", "-q", "-u", "origin", "main")
        git(work, "remote", "set-head", "origin", "main")
        return RemoteRepository(work, bare)

    return make


@pytest.fixture
def remote_repository(make_remote_repository: Callable[..., RemoteRepository]) -> RemoteRepository:
    """Return a clone with one commit, and its bare remote `origin`."""
    return make_remote_repository()


@pytest.fixture
def ssh_identity(tmp_path: Path) -> Callable[[str], SshIdentity]:
    """Return a function that makes an ed25519 key pair without passphrase: `ssh_identity("alice")`."""

    def make(name: str) -> SshIdentity:
        folder = tmp_path / "keys"
        folder.mkdir(exist_ok=True)
        private = folder / f"id_{name}"
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.com", "-f", str(private)], check=True
        )
        public = folder / f"id_{name}.pub"
        kind, data, _ = public.read_text(encoding="ascii").split(" ", 2)
        return SshIdentity(name, private, public, f"{kind} {data}")

    return make
