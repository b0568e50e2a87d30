from __future__ import annotations

import pytest

from f0ci.core.errors import GitError, NetworkError
from f0ci.git.answers import Answer, PushAnswer, classify_failure, classify_push, failure_error, push_error, remote_says

# what servers and clients have been seen to write in parentheses behind a ref
REASONS = [
    ("stale info", Answer.LOST_RACE),
    ("fetch first", Answer.LOST_RACE),
    ("non-fast-forward", Answer.LOST_RACE),
    ("already exists", Answer.LOST_RACE),
    ("needs force", Answer.LOST_RACE),
    ("remote ref updated since checkout", Answer.LOST_RACE),
    ("failed to update ref", Answer.LOST_RACE),
    ("incorrect old value provided", Answer.LOST_RACE),
    ("reference already exists", Answer.LOST_RACE),
    ("cannot lock ref 'refs/heads/env/prod': is at 1111 but expected 2222", Answer.LOST_RACE),
    ("cannot lock ref 'refs/heads/env/prod': reference already exists", Answer.LOST_RACE),
    ("failed to lock", Answer.LOST_RACE),
    ("failed to write", Answer.LOST_RACE),
    ("atomic transaction failed", Answer.LOST_RACE),
    ("atomic push failure", Answer.LOST_RACE),
    ("pre-receive hook declined", Answer.REFUSED),
    ("hook declined", Answer.REFUSED),
    ("protected branch hook declined", Answer.REFUSED),
    ("push declined due to repository rule violations", Answer.REFUSED),
    ("push declined due to email privacy restrictions", Answer.REFUSED),
    ("You are not allowed to push code to protected branches on this project.", Answer.REFUSED),
    (
        "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch.",
        Answer.REFUSED,
    ),
    ("deletion prohibited", Answer.REFUSED),
    ("branch is currently checked out", Answer.REFUSED),
    ("denying ref deletion", Answer.REFUSED),
    ("deny updating a hidden ref", Answer.REFUSED),
    ("permission denied", Answer.REFUSED),
    ("shallow update not allowed", Answer.REFUSED),
    ("funny refname", Answer.REFUSED),
    ("unpacker error", Answer.REFUSED),
    ("missing necessary objects", Answer.REFUSED),
    ("'refs/heads/env' exists; cannot create 'refs/heads/env/prod'", Answer.IN_THE_WAY),
    ("directory file conflict", Answer.IN_THE_WAY),
    ("remote failed to report status", Answer.UNREACHABLE),
    ("something never seen before", Answer.UNKNOWN),
]

# what stands on standard error when the remote answered for no ref
_ACCESS = (
    "\nfatal: Could not read from remote repository.\n\n"
    "Please make sure you have the correct access rights\nand the repository exists."
)
_403 = "\nfatal: unable to access 'https://x/': The requested URL returned error: 403"
MESSAGES = [
    ("fatal: the receiving end does not support --atomic push", Answer.NO_ATOMIC),
    ("fatal: Authentication failed for 'https://example.com/a.git/'", Answer.AUTH),
    ("fatal: could not read Username for 'https://example.com': terminal prompts disabled", Answer.AUTH),
    ("git@example.com: Permission denied (publickey)." + _ACCESS, Answer.AUTH),
    (
        "remote: Permission to a/b.git denied to carol." + _403,
        Answer.AUTH,
    ),
    (
        "remote: Write access to repository not granted." + _403,
        Answer.AUTH,
    ),
    ("remote: HTTP Basic: Access denied. The provided password or token is incorrect", Answer.AUTH),
    ("ERROR: The key you are authenticating with has been marked as read only.", Answer.AUTH),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 401", Answer.AUTH),
    ("Host key verification failed." + _ACCESS, Answer.UNKNOWN_HOST),
    ("fatal: '/srv/gone.git' does not appear to be a git repository" + _ACCESS, Answer.NOT_FOUND),
    ("ERROR: Repository not found." + _ACCESS, Answer.NOT_FOUND),
    ("remote: Repository not found.\nfatal: repository 'https://example.com/a.git/' not found", Answer.NOT_FOUND),
    ("fatal: unable to access 'https://x/': Could not resolve host: x", Answer.UNREACHABLE),
    (
        "ssh: Could not resolve hostname x: Name or service not known\nfatal: Could not read from remote repository.",
        Answer.UNREACHABLE,
    ),
    (
        "fatal: unable to access 'http://127.0.0.1:1/': Failed to connect to 127.0.0.1 port 1: Connection refused",
        Answer.UNREACHABLE,
    ),
    ("ssh: connect to host x port 22: Connection timed out", Answer.UNREACHABLE),
    ("ssh: connect to host x port 22: No route to host", Answer.UNREACHABLE),
    ("kex_exchange_identification: Connection closed by remote host", Answer.UNREACHABLE),
    (
        "error: RPC failed; curl 56 Recv failure: Connection reset by peer\nfatal: the remote end hung up unexpectedly",
        Answer.UNREACHABLE,
    ),
    ("fatal: unable to access 'https://x/': The requested URL returned error: 502", Answer.UNREACHABLE),
    ("error: RPC failed; HTTP 429 curl 22 The requested URL returned error: 429", Answer.UNREACHABLE),
    (
        "fatal: unable to access 'https://x/': SSL certificate problem: unable to get local issuer certificate",
        Answer.UNREACHABLE,
    ),
    ("fatal: timed out after 300 seconds", Answer.UNREACHABLE),
    ("fatal: fetch-pack: unexpected disconnect while reading sideband packet\nfatal: early EOF", Answer.UNREACHABLE),
    ("fatal: bad object 1234", Answer.UNKNOWN),
    ("", Answer.UNKNOWN),
]

REF = "refs/heads/env/prod"


def _porcelain(*lines: str, done: bool = True) -> str:
    return "\n".join(["To /srv/a.git", *lines, *(["Done"] if done else [])])


@pytest.mark.parametrize(("reason", "answer"), REASONS)
@pytest.mark.parametrize("summary", ["[rejected]", "[remote rejected]"])
def test_what_is_said_of_a_ref(reason: str, answer: Answer, summary: str) -> None:
    text = _porcelain(f"!\t1234:{REF}\t{summary} ({reason})", done=False)
    assert classify_push(text, "error: failed to push some refs to '/srv/a.git'") == PushAnswer(answer, reason, REF)


@pytest.mark.parametrize(("message", "answer"), MESSAGES)
def test_what_is_said_of_no_ref(message: str, answer: Answer) -> None:
    assert classify_push("", message).answer is answer
    assert classify_failure(message) is answer


@pytest.mark.parametrize(
    "line",
    [
        f" \t1234:{REF}\t1234..5678",
        f"*\t1234:{REF}\t[new branch]",
        f"=\t1234:{REF}\t[up to date]",
        f"-\t:{REF}\t[deleted]",
    ],
)
def test_what_was_taken(line: str) -> None:
    assert classify_push(_porcelain(line), "").answer is Answer.DONE


def test_an_answer_that_breaks_off_is_not_done() -> None:
    half = _porcelain(f"*\t1234:{REF}\t[new branch]", done=False)
    assert classify_push(half, "fatal: the remote end hung up unexpectedly").answer is Answer.UNREACHABLE


@pytest.mark.parametrize(
    ("reasons", "answer", "ref"),
    [
        (["stale info", "atomic push failed"], Answer.LOST_RACE, "refs/heads/0"),
        (["atomic push failed", "stale info"], Answer.LOST_RACE, "refs/heads/1"),
        (["atomic push failed", "hook declined"], Answer.REFUSED, "refs/heads/1"),
        (["stale info", "hook declined"], Answer.REFUSED, "refs/heads/1"),
        (["atomic push failed"], Answer.LOST_RACE, "refs/heads/0"),
    ],
)
def test_one_ref_speaks_for_all(reasons: list[str], answer: Answer, ref: str) -> None:
    lines = [f"!\t1234:refs/heads/{index}\t[rejected] ({reason})" for index, reason in enumerate(reasons)]
    found = classify_push(_porcelain(*lines, done=False), "")
    assert (found.answer, found.ref) == (answer, ref)


def test_a_ref_that_was_taken_does_not_hide_one_that_was_not() -> None:
    lines = [f"*\t1234:{REF}\t[new branch]", "!\t1:refs/heads/x\t[rejected] (stale info)"]
    assert classify_push(_porcelain(*lines), "").answer is Answer.LOST_RACE


def test_the_server_says_beside_it_why_a_ref_was_not_updated() -> None:
    stderr = f"remote: error: cannot lock ref '{REF}': 'refs/heads/env' exists; cannot create '{REF}'"
    found = classify_push(_porcelain(f"!\t1:{REF}\t[remote rejected] (failed to update ref)", done=False), stderr)
    assert found.answer is Answer.IN_THE_WAY


def test_what_the_remote_wrote() -> None:
    assert remote_says("remote: one\nremote:\nremote:   two  \nTo x\n") == "one; two"
    assert remote_says("fatal: x") == ""
    assert len(remote_says("\n".join(f"remote: {line}" for line in range(20))).split("; ")) == 6


@pytest.mark.parametrize("answer", [answer for answer in Answer if answer is not Answer.DONE])
def test_every_error_names_the_remote_and_the_next_action(answer: Answer) -> None:
    error = push_error(PushAnswer(answer, "because", REF), "origin", "https://example.com/a.git", "they said")
    assert "remote 'origin' (https://example.com/a.git)" in error.message
    assert "because: they said" in error.message
    assert not error.message.endswith(".")
    assert error.hint
    assert isinstance(error, NetworkError if answer is Answer.UNREACHABLE else GitError)


def test_a_question_that_failed_is_an_error_too() -> None:
    error = failure_error(Answer.UNKNOWN, "origin", "/srv/a.git", "odd")
    assert error.message == "remote 'origin' (/srv/a.git) cannot be used: odd"
