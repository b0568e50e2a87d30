"""Programs in groups of their own, without this process's credentials."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from f0ci.core.cancellation import Cancellation
from f0ci.core.errors import CannotWork
from f0ci.core.lifeline import Lifeline
from f0ci.core.processes import KEPT_BYTES, MARGIN, BoundedOutput, Finished, reduced_environment, run_process
from f0ci.core.redaction import Redactor

WITHHELD = [
    "F0CI_GIT_TOKEN",
    "F0CI_SECRET_DB_PASSWORD",
    "F0CI_ENGINE",
    "F0CI_RUN_ENGINE",
    "GITHUB_TOKEN",
    "GH_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "ACTIONS_RUNTIME_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "CI_JOB_TOKEN",
    "CI_JOB_JWT_V2",
    "CI_REPOSITORY_URL",
    "CI_DEPLOY_PASSWORD",
    "CI_REGISTRY_PASSWORD",
    "GITLAB_TOKEN",
    "GITLAB_PRIVATE_TOKEN",
    "SYSTEM_ACCESSTOKEN",
    "AZURE_DEVOPS_EXT_PAT",
    "BITBUCKET_STEP_OAUTH_ACCESS_TOKEN",
    "GITEA_SERVER_TOKEN",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "SSH_ASKPASS",
    "SSH_ASKPASS_REQUIRE",
    "GIT_ASKPASS",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_TOKEN",
    "GIT_PASSWORD",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_KEY_0",
    "GIT_CONFIG_VALUE_12",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "github_token",
]

PASSED_ON = [
    "PATH",
    "HOME",
    "LANG",
    "CI",
    "GITHUB_ACTIONS",
    "GITHUB_SHA",
    "CI_COMMIT_SHA",
    "CI_REGISTRY_USER",
    "AWS_SECRET_ACCESS_KEY",
    "KUBECONFIG",
    "DEPLOY_TOKEN",
    "F0CI_ENVIRONMENT",
    "F0CI_RUN",
    "GIT_AUTHOR_NAME",
    "GIT_COMMITTER_EMAIL",
    "GIT_CONFIG_GLOBAL",
    "TOKEN",
    "MY_GITHUB_TOKEN_FILE",
    "SYSTEM_NAME",
]


@pytest.mark.parametrize("name", WITHHELD)
def test_credentials_of_git_and_ci_are_withheld(name: str) -> None:
    assert reduced_environment({name: "x", "PATH": "/bin"}) == {"PATH": "/bin"}


@pytest.mark.parametrize("name", PASSED_ON)
def test_everything_else_is_passed_on(name: str) -> None:
    assert reduced_environment({name: "x"}) == {name: "x"}


def run(command: str, folder: Path, **settings: object) -> tuple[Finished, str]:
    """Run a shell command and return how it ended, and what it printed."""
    output = BoundedOutput()
    finished = run_process(
        ["/bin/sh", "-c", command],
        folder=folder,
        environ={"PATH": os.environ["PATH"], "PLACE": "here"},
        output=output,
        **settings,  # type: ignore[arg-type]
    )
    return finished, output.text(Redactor())


@pytest.mark.parametrize(
    ("command", "code", "printed"),
    [
        ("pwd -P; echo $PLACE; cat", 0, "{folder}\nhere\n"),
        ("echo out; echo err >&2; exit 3", 3, "out\nerr\n"),
        ("kill -TERM $$", -15, ""),
        ("env | grep HOME; true", 0, ""),
    ],
)
def test_a_program_ends_with_its_code_and_its_output(tmp_path: Path, command: str, code: int, printed: str) -> None:
    assert run(command, tmp_path) == (Finished(code), printed.format(folder=tmp_path.resolve()))


class Pipe:
    """A named pipe that shows whether anybody still holds its other end."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.text = ""
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._read, args=(path,), daemon=True)
        self.thread.start()

    def _read(self, path: Path) -> None:
        with path.open() as stream:
            self.text = stream.readline()
            self.begun.set()
            self.text += stream.read()

    def is_let_go(self) -> bool:
        """Wait until nobody holds the other end, 10 seconds at most."""
        self.thread.join(timeout=10)
        return not self.thread.is_alive()


STUBBORN = "exec 3>pipe; (trap '' TERM; echo begun >&3; while :; do sleep 600; done) & trap '' TERM; wait; wait"


def test_a_timeout_ends_the_whole_group_even_one_that_ignores_it(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "pipe")

    finished, _ = run(STUBBORN, tmp_path, timeout=0.5, grace=0.1)

    assert finished == Finished(-9, timed_out=True)
    assert pipe.is_let_go()


def test_a_program_may_tidy_up_when_its_time_is_over(tmp_path: Path) -> None:
    finished, printed = run("trap 'echo tidy; exit 7' TERM; sleep 600 & wait", tmp_path, timeout=0.3, grace=30)

    assert (finished, printed) == (Finished(7, timed_out=True), "tidy\n")


def test_a_cancellation_ends_the_group(tmp_path: Path) -> None:
    pipe, cancellation = Pipe(tmp_path / "pipe"), Cancellation()

    def cancel() -> None:
        pipe.begun.wait(10)
        cancellation.cancel("enough")

    threading.Thread(target=cancel, daemon=True).start()

    finished, _ = run("exec 3>pipe; echo begun >&3; sleep 600 & wait", tmp_path, cancellation=cancellation)

    assert finished == Finished(-15, cancelled=True)
    assert pipe.is_let_go()


def test_a_program_that_starts_after_the_cancellation_ends_at_once(tmp_path: Path) -> None:
    cancellation = Cancellation()
    cancellation.cancel("too late")

    assert run("sleep 600", tmp_path, cancellation=cancellation)[0].cancelled


def test_what_a_program_leaves_running_is_ended(tmp_path: Path) -> None:
    pipe = Pipe(tmp_path / "pipe")

    finished, printed = run("exec 3>pipe; echo begun >&3; sleep 600 & echo started", tmp_path)

    assert (finished, printed) == (Finished(0), "started\n")
    assert pipe.is_let_go()


def test_a_program_that_does_not_exist_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(CannotWork, match="cannot start 'no-such-program'"):
        run_process(["no-such-program"], folder=tmp_path, environ={"PATH": "/bin"}, output=BoundedOutput())


@pytest.mark.parametrize("size", [0, 100, KEPT_BYTES + 2 * MARGIN, KEPT_BYTES + 2 * MARGIN + 1, 1_000_000])
def test_output_is_bounded_and_keeps_its_end(size: int) -> None:
    output = BoundedOutput()
    for start in range(0, size, 1000):
        output.write(b"x" * min(1000, size - start))
    output.write(b"END")

    text = output.text(Redactor())

    assert text.endswith("END")
    assert len(text) <= KEPT_BYTES + 2 * MARGIN + 100
    assert text.startswith("[...") is (size + 3 > KEPT_BYTES + 2 * MARGIN)


@pytest.mark.parametrize("between", ["\n", " "])
def test_a_secret_that_is_cut_in_half_does_not_show(between: str) -> None:
    secret = "correct-horse-battery-staple"
    for offset in range(2 * len(secret)):
        output = BoundedOutput(kept=40_000)
        output.write(b"-" * offset)
        for _ in range(2_000):
            output.write(f"{secret}{between}".encode())

        text = output.text(Redactor([secret]))

        assert "staple" not in text
        assert text.endswith(f"***{between}***{between}")


def test_output_that_is_not_text_is_shown_as_far_as_it_can_be() -> None:
    output = BoundedOutput()
    output.write(b"a\xffb")

    assert output.text(Redactor()) == "a\ufffdb"


DIES = """
import os, signal, sys
from pathlib import Path
from f0ci.core.lifeline import Lifeline
from f0ci.core.processes import BoundedOutput, run_process

class Unlucky(Lifeline):
    def holding(self, group):
        print(group, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

folder = Path(sys.argv[1])
run_process(["touch", "begun"], folder=folder, environ=os.environ, output=BoundedOutput(), lifeline=Unlucky())
"""


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked at in /proc")
def test_a_program_whose_group_nobody_knows_never_begins(tmp_path: Path) -> None:
    command = [sys.executable, "-c", DIES, str(tmp_path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    stat = Path(f"/proc/{done.stdout.strip()}/stat")
    deadline = time.monotonic() + 30
    while stat.exists() and ") Z " not in stat.read_text(encoding="ascii"):
        assert time.monotonic() < deadline, "the program goes on"
        time.sleep(0.01)

    assert done.returncode == -signal.SIGKILL
    assert not (tmp_path / "begun").exists()


def test_a_held_program_is_told_by_its_own_name_where_it_is_missing(tmp_path: Path) -> None:
    environ, lifeline = {"PATH": "/usr/bin:/bin"}, Lifeline()
    try:
        with pytest.raises(CannotWork, match="cannot start 'no-such-program'"):
            run_process(
                ["no-such-program"], folder=tmp_path, environ=environ, output=BoundedOutput(), lifeline=lifeline
            )
    finally:
        lifeline.close()
