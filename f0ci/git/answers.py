"""What a remote's answer means: tables of the messages that Git and its hosts give; everything here is pure.

A message alone never decides that a race was lost: the reader of these answers asks for the ref again.
"""

from __future__ import annotations

import re
from enum import Enum

from f0ci.core.errors import F0ciError, GitError, NetworkError
from f0ci.core.values import dataclass
from f0ci.git.process import git_says


class Answer(Enum):
    """How a remote answered."""

    DONE = "done"
    LOST_RACE = "lost race"
    REFUSED = "refused by a hook or a rule"
    IN_THE_WAY = "another branch is in the way"
    NO_ATOMIC = "no atomic push"
    AUTH = "credentials not accepted"
    UNKNOWN_HOST = "host key not known"
    NOT_FOUND = "no such repository"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PushAnswer:
    """What a push came to.

    Attributes:
        answer: how the remote answered.
        reason: in its own words, or empty.
        ref: which ref the reason is about, where it named one.
    """

    answer: Answer
    reason: str = ""
    ref: str | None = None


# the reason that `push --porcelain` gives in parentheses for one ref, most telling first
_REF_REASONS: tuple[tuple[Answer, str], ...] = (
    # D/F conflicts mention a lock too, and no retry helps
    (Answer.IN_THE_WAY, r"exists; cannot create|directory file conflict|refname conflict"),
    (
        Answer.REFUSED,
        r"hook declined|declined due to|protected|rule violations|policy|not allowed to|not permitted|permission|denied"
        r"|prohibited|denying|shallow update not allowed|checked out|hidden ref|funny refname|read.?only|unpacker error"
        r"|missing necessary objects|bad pack|invalid",
    ),
    (
        Answer.LOST_RACE,
        r"stale info|fetch first|non-fast-forward|already exists|cannot lock ref|failed to lock|unable to lock"
        r"|incorrect old value|failed to update ref|failed to write|remote ref updated since|needs force"
        r"|is at [0-9a-f]{40,64} but expected|reference already exists|transaction|atomic push fail|concurrent",
    ),
    (Answer.UNREACHABLE, r"failed to report status|remote failure|timed? ?out"),
)
# what stands on standard error when no ref was answered for, most telling first
_MESSAGES: tuple[tuple[Answer, str], ...] = (
    (Answer.NO_ATOMIC, r"does not support --atomic"),
    (Answer.UNKNOWN_HOST, r"host key verification failed|remote host identification has changed"),
    (
        Answer.AUTH,
        r"authentication failed|could not read (?:username|password)|terminal prompts disabled|permission denied"
        r"|returned error: 40[137]|invalid username or|http basic: access denied|access denied|not authori[sz]ed"
        r"|permission to .* denied|write access to repository not granted|insufficient permission|bad credentials"
        r"|marked as read.?only|deploy key|you are not allowed to",
    ),
    (
        Answer.NOT_FOUND,
        r"repository .*not found|not appear to be a git repository|returned error: 404|project .*not found",
    ),
    (
        Answer.UNREACHABLE,
        r"could not resolve|resolve host|connection (?:refused|reset|timed out|closed|was)|failed to connect"
        r"|couldn't connect|network is unreachable|no route to host|operation (?:timed out|too slow)|timed? ?out"
        r"|hung up unexpectedly|early eof|returned error: (?:429|5\d\d)|rpc failed|unexpected disconnect"
        r"|unable to access|ssl|tls|certificate|kex_exchange|banner exchange|could not read from remote|broken pipe"
        r"|remote error: .*unavailable|unexpected end|invalid gzip|curl \d+",
    ),
)
_REF_LINE = re.compile(r"^(?P<flag>[ +\-*!=])\t(?P<from>[^\t]*?):(?P<to>[^\t]*)\t(?P<summary>.*)$")
_PARENTHESES = re.compile(r"\((?P<reason>.*)\)\s*$")
# the others of an atomic push, which say nothing of their own
_COMPANION = re.compile(r"^atomic push (?:failed|failure)$|^atomic transaction failed$", re.IGNORECASE)
_MOST_LINES = 6


def classify_push(porcelain: str, stderr: str) -> PushAnswer:
    """Return what `git push --porcelain` came to.

    Args:
        porcelain: its standard output.
        stderr: its standard error.
    """
    rejected: list[tuple[str, str]] = []
    accepted = 0
    for line in porcelain.splitlines():
        match = _REF_LINE.match(line)
        if match is None:
            continue
        if match["flag"] != "!":
            accepted += 1
            continue
        found = _PARENTHESES.search(match["summary"])
        rejected.append((match["to"], found["reason"] if found else match["summary"].strip("[] ")))
    if accepted and not rejected and "Done" in porcelain.splitlines():
        return PushAnswer(Answer.DONE)
    if rejected:
        return _classify_refs(rejected, stderr)
    answer = _first(_MESSAGES, stderr)
    return PushAnswer(answer, git_says(stderr))


def classify_failure(stderr: str) -> Answer:
    """Return why a fetch, or another question to a remote, failed."""
    return _first(_MESSAGES, stderr)


def remote_says(stderr: str) -> str:
    """Return what the remote itself wrote, at most six lines joined by `; `, or empty."""
    lines = [line.removeprefix("remote:").strip() for line in stderr.splitlines() if line.startswith("remote:")]
    return "; ".join([line for line in lines if line][:_MOST_LINES])


def failure_error(answer: Answer, remote: str, url: str, reason: str) -> F0ciError:
    """Return the error for a remote that could not be asked.

    Args:
        answer: why.
        remote: its name.
        url: where it is, without credentials.
        reason: in the words of Git, without credentials.
    """
    where = f"remote {remote!r} ({url})"
    if answer is Answer.AUTH:
        return GitError(
            f"{where} does not accept the credentials: {reason}",
            f"set F0CI_GIT_TOKEN to a token that may read and write, or make `git ls-remote {remote}` work",
        )
    if answer is Answer.UNKNOWN_HOST:
        return GitError(
            f"{where} is a host whose key is not known: {reason}",
            f"check the host's key and add it to ~/.ssh/known_hosts, then try `git ls-remote {remote}`",
        )
    if answer is Answer.NOT_FOUND:
        return GitError(
            f"{where} is not there, or your account cannot see it: {reason}",
            f"check the address with `git remote get-url {remote}` and your rights",
        )
    if answer is Answer.UNREACHABLE:
        return NetworkError(
            f"{where} cannot be reached: {reason}", f"try `git ls-remote {remote}`, then run the command again"
        )
    return GitError(f"{where} cannot be used: {reason}", f"try `git ls-remote {remote}`")


def push_error(answer: PushAnswer, remote: str, url: str, says: str) -> F0ciError:
    """Return the error for a push that the remote did not take, and that trying again cannot mend.

    Args:
        answer: what the push came to.
        remote: its name.
        url: where it is, without credentials.
        says: what the remote itself wrote, or empty.
    """
    where = f"remote {remote!r} ({url})"
    what = repr(answer.ref) if answer.ref else "the push"
    reason = answer.reason + (f": {says}" if says else "")
    if answer.answer is Answer.REFUSED:
        return GitError(
            f"{where} refuses {what}: {reason}",
            "let the account that f0ci pushes with write this ref, in the remote's hooks or branch rules",
        )
    if answer.answer is Answer.IN_THE_WAY:
        return in_the_way(answer.ref, reason, where)
    if answer.answer in {Answer.LOST_RACE, Answer.UNKNOWN}:
        return GitError(
            f"{where} does not take {what}: {reason}", "run the command again; `f0ci doctor` checks the remote"
        )
    return failure_error(answer.answer, remote, url, reason)


def in_the_way(ref: str | None, reason: str, where: str) -> GitError:
    """Return the error for a branch whose name is the folder of another one's."""
    return GitError(
        f"{where} cannot hold {ref!r}: {reason}",
        "a branch cannot be named like the folder of another: rename that branch, which `f0ci doctor` names",
    )


def _classify_refs(rejected: list[tuple[str, str]], stderr: str) -> PushAnswer:
    telling = [pair for pair in rejected if not _COMPANION.match(pair[1])] or rejected
    best: PushAnswer | None = None
    for ref, reason in telling:
        # a plain "failed to update ref" is explained by what the remote wrote beside it
        answer = _first(_REF_REASONS, reason)
        if answer is Answer.LOST_RACE and _first(_REF_REASONS[:1], stderr) is Answer.IN_THE_WAY:
            answer = Answer.IN_THE_WAY
        if best is None or _WEIGHT.index(answer) < _WEIGHT.index(best.answer):
            best = PushAnswer(answer, reason, ref)
    return best or PushAnswer(Answer.UNKNOWN, git_says(stderr))


# which answer speaks for a push whose refs were answered differently
_WEIGHT = (Answer.IN_THE_WAY, Answer.REFUSED, Answer.UNKNOWN, Answer.UNREACHABLE, Answer.LOST_RACE)


def _first(table: tuple[tuple[Answer, str], ...], text: str) -> Answer:
    return next((answer for answer, pattern in table if re.search(pattern, text, re.IGNORECASE)), Answer.UNKNOWN)
