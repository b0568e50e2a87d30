"""Refs of a remote, or of this repository: fetched under `refs/f0ci/`, changed by compare-and-swap."""

from __future__ import annotations

import os
import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from f0ci.core.errors import F0ciError, GitError, NetworkError
from f0ci.core.redaction import Redactor
from f0ci.core.suggestions import did_you_mean
from f0ci.git.advertised import Advertised, fitting, parse_advertised
from f0ci.git.answers import Answer, classify_failure, classify_push, failure_error, push_error, remote_says
from f0ci.git.askpass import credentials
from f0ci.git.local_refs import update_refs
from f0ci.git.process import TOKEN_VARIABLE, Begun, Completed, git_says, run_git
from f0ci.git.repository import Repository
from f0ci.git.updates import AtomicUnsupported, PushOutcome, RefUpdate

__all__ = ["AtomicUnsupported", "PushOutcome", "RefStore", "RefUpdate"]

# seconds that a remote may take to answer one question
ANSWER_SECONDS = 300.0
_ATTEMPTS = 5
_MANY_REFS = 100
_HEADS = "refs/heads/"
# no hook of the user's clone, and no clean-up that outlives the command
_ALONE = ("-c", f"core.hooksPath={os.devnull}", "-c", "gc.auto=0", "-c", "maintenance.auto=false")
_MISSING_REF = re.compile(r"couldn't find remote ref (?P<ref>\S+)")
_LOCAL_LOCK = re.compile(r"cannot lock ref|unable to lock|\.lock': file exists|could not lock", re.IGNORECASE)


class RefStore:
    """The refs of one remote, or of the repository itself when there is none.

    Args:
        repository: where objects are, and where fetched refs are kept.
        remote: name of the remote, or None.
        answer_seconds: how long the remote may take to answer one question.
        known_remotes: names of remotes, where somebody asked for them already.

    Attributes:
        head: short name of the branch that the remote's HEAD means, None where it was not asked or means none.

    Raises:
        GitError: there is no remote of that name.
    """

    def __init__(
        self,
        repository: Repository,
        remote: str | None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        known_remotes: Sequence[str] | None = None,
    ) -> None:
        self.repository = repository
        self.remote = remote
        self.answer_seconds = answer_seconds
        self._known: dict[str, str] | None = None
        self._atomic: bool | None = None
        self._urls: dict[bool, str] = {}
        self._begun: tuple[Sequence[str], Begun] | None = None
        self.head: str | None = None
        known = known_remotes if known_remotes is not None else ()
        if remote is not None and remote not in known and remote not in (names := repository.remotes()):
            hint = did_you_mean(remote, names, noun="known remotes") or "add one with `git remote add`"
            raise GitError(f"there is no remote {remote!r}", hint)

    @property
    def url(self) -> str:
        """Return where the remote is, without credentials; empty when there is none."""
        return self._redact(self._url(push=False)) if self.remote else ""

    def fetch(self, patterns: Sequence[str]) -> None:
        """Ask the remote for refs; those that are gone there are forgotten here.

        Args:
            patterns: full ref names, `*` standing for a rest.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        if self.remote is None:
            self._known = None
        if self.remote is None or not patterns:
            return
        self._known = None
        wanted = list(dict.fromkeys(patterns))
        options = ("--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--prune", "--quiet", "--refmap=")
        attempt = 0
        while wanted:
            specs = [f"+{pattern}:{self._kept(pattern)}" for pattern in wanted]
            answer = self._ask("fetch", *options, self.remote, *specs)
            if answer.code == 0:
                return
            missing = _MISSING_REF.search(answer.err)
            if missing is not None and missing["ref"] in wanted:
                wanted.remove(missing["ref"])
                self._keep([RefUpdate(missing["ref"], None, None)])
            elif _LOCAL_LOCK.search(answer.err) and attempt < _ATTEMPTS:
                # another f0ci fetches into the same clone
                attempt += 1
                _pause(attempt)
            else:
                raise self._failure(answer)

    @contextmanager
    def asking(self, patterns: Sequence[str]) -> Iterator[None]:
        """Let the remote answer what `refresh` will ask, while the caller does something else.

        Args:
            patterns: those that `refresh` will be given.
        """
        if self.remote is None:
            yield
            return
        with self._git("ls-remote", "--symref", self.remote, "HEAD", *patterns) as (command, folder, env):
            begun = Begun(command, folder=folder, env=env, timeout=self.answer_seconds)
            self._begun = (patterns, begun)
            try:
                yield
            finally:
                self._begun = None
                begun.end()

    def refresh(self, patterns: Sequence[str]) -> None:
        """Ask the remote what its refs and its HEAD are, and fetch those that are another than before.

        Most often nothing is new, and asking costs a fraction of a fetch.

        Args:
            patterns: full ref names, `*` at the end standing for a rest; the branch that HEAD means is asked for too.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        self._known = None
        if self.remote is None:
            return
        # while the remote thinks
        kept = fitting(self._snapshot(), patterns)
        advertised = self._advertised(patterns)
        self.head = advertised.head
        gone = [RefUpdate(ref, None, None) for ref in kept if ref not in advertised.refs]
        if gone:
            self._keep(gone)
        new = [ref for ref, oid in advertised.refs.items() if self.read(ref) != oid]
        # many are named by what they have in common: a command's arguments are limited
        many = len(new) > _MANY_REFS
        head = [f"{_HEADS}{self.head}"] if self.head and f"{_HEADS}{self.head}" in new else []
        self.fetch([*patterns, *head] if many else new)
        if many:
            # each was kept in a file of its own; as `git gc` would, so that the next look opens one
            self.repository.run(*_ALONE, "pack-refs", "--all", check=False)
            self._known = None

    def complete_history(self) -> None:
        """Fetch the commits that a shallow clone lacks; nothing happens in a full one.

        Raises:
            GitError: the remote refuses, or there is none.
            NetworkError: the remote does not answer.
        """
        if not self.repository.is_shallow():
            return
        if self.remote is None:
            raise GitError(
                "this clone is shallow and has no remote to fetch the rest from", "add one with `git remote add`"
            )
        options = ("--unshallow", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--quiet")
        answer = self._ask("fetch", *options, self.remote)
        if answer.code != 0:
            raise self._failure(answer)

    def read(self, ref: str) -> str | None:
        """Return what a ref was when last fetched, None when it did not exist."""
        return self._snapshot().get(ref)

    def list(self, prefix: str) -> dict[str, str]:
        """Return the refs whose full name starts with a prefix, as last fetched."""
        return {ref: oid for ref, oid in self._snapshot().items() if ref.startswith(prefix)}

    def take(self, refs: Mapping[str, str]) -> None:
        """Take refs for what the remote's were when last fetched; those of this repository itself stay as they are.

        Args:
            refs: object by full name, as somebody else fetched them.
        """
        if self.remote is not None:
            self._keep([RefUpdate(ref, None, oid) for ref, oid in refs.items()])

    def exist(self, refs: Sequence[str]) -> tuple[str, ...]:
        """Return which of some refs exist now, at the remote or here; nothing is fetched.

        Args:
            refs: full names.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        if self.remote is None:
            return tuple(ref for ref in refs if self.read(ref) is not None)
        there = self._advertised(refs).refs
        return tuple(ref for ref in refs if ref in there)

    def supports_atomic(self) -> bool:
        """Tell whether the remote can change several refs together.

        Raises:
            GitError: the remote refuses to be asked.
            NetworkError: the remote does not answer.
        """
        if self.remote is None:
            return True
        if self._atomic is None:
            # the empty tree is in every repository, and nothing is sent
            empty = self.repository.run("mktree", input=b"").text
            probe = f"{empty}:refs/tags/f0ci/probe"
            answer = self._ask(
                "push", "--dry-run", "--no-verify", "--porcelain", "--atomic", self.remote, probe, push=True
            )
            if answer.code != 0 and classify_failure(answer.err) is not Answer.NO_ATOMIC:
                raise self._failure(answer)
            self._atomic = answer.code == 0
        return self._atomic

    def default_branch_name(self) -> str | None:
        """Return the short name of the branch that the remote's HEAD means, None when it means none.

        Raises:
            GitError: the remote refuses.
            NetworkError: the remote does not answer.
        """
        if self.remote is None:
            return None
        return self._advertised(()).head

    def push(self, updates: Sequence[RefUpdate], *, atomic: bool = True) -> PushOutcome:
        """Change refs if each is still what the update says.

        Args:
            updates: the changes; a branch only moves forward. Where old and new are the same, the ref only has to be so
                still: at a remote it is looked at when the push begins, here it is part of the transaction.
            atomic: all of them or none.

        Returns:
            APPLIED, also where an answer got lost but the change is there; LOST_RACE where somebody else was first.

        Raises:
            AtomicUnsupported: several refs are to change together and the remote cannot.
            GitError: a hook, a rule or missing rights stand in the way, or a branch would be rewritten.
            NetworkError: the remote does not answer.
        """
        self._check_forward(updates)
        if self.remote is None:
            outcome = update_refs(self.repository, updates, _pause) if updates else PushOutcome.APPLIED
            self._known = None
            return outcome
        absent = [update.ref for update in updates if update.old is None and update.new is None]
        self.fetch(absent)
        if any(self.read(ref) is not None for ref in absent):
            return PushOutcome.LOST_RACE
        changes = [update for update in updates if update.ref not in absent]
        if not changes:
            return PushOutcome.APPLIED
        return self._push_until_judged(changes, together=atomic and len(changes) > 1)

    def _push_until_judged(self, changes: Sequence[RefUpdate], *, together: bool) -> PushOutcome:
        for attempt in range(1, _ATTEMPTS + 1):
            completed = self._send(changes, together=together)
            answer = classify_push(completed.text, completed.err)
            if answer.answer is Answer.DONE:
                self._keep(changes)
                return PushOutcome.APPLIED
            if answer.answer is Answer.NO_ATOMIC:
                self._atomic = False
                raise AtomicUnsupported(
                    f"remote {self.remote!r} ({self.url}) cannot change several refs together",
                    "set receive.advertiseAtomic to true on the server",
                )
            failure = push_error(answer, self.remote or "", self.url, self._redact(remote_says(completed.err)))
            if answer.answer not in {Answer.LOST_RACE, Answer.UNREACHABLE, Answer.UNKNOWN}:
                raise failure
            outcome = self._look_again(changes, failure)
            if outcome is not None:
                return outcome
            if answer.answer is Answer.UNKNOWN or attempt == _ATTEMPTS:
                raise failure
            _pause(attempt)
        raise GitError("a push was never judged")

    def _send(self, changes: Sequence[RefUpdate], *, together: bool) -> Completed:
        options = ["--porcelain", "--no-verify", "--no-follow-tags", "--recurse-submodules=no"]
        if together:
            options.append("--atomic")
        leases = [f"--force-with-lease={change.ref}:{change.old or ''}" for change in changes]
        specs = [f"{change.new or ''}:{change.ref}" for change in changes]
        return self._ask("push", *options, *leases, self.remote or "", *specs, push=True)

    def _look_again(self, changes: Sequence[RefUpdate], failure: F0ciError) -> PushOutcome | None:
        """Return what became of a push, from the refs themselves; None when they are as before."""
        try:
            self.fetch([change.ref for change in changes])
        except NetworkError:
            raise failure from None
        landed = [self._has_landed(change) for change in changes]
        if all(landed):
            return PushOutcome.APPLIED
        moved = any(self.read(change.ref) != change.old for change in changes)
        return PushOutcome.LOST_RACE if moved else None

    def _has_landed(self, change: RefUpdate) -> bool:
        now = self.read(change.ref)
        if now == change.new:
            return True
        if now is None or change.new is None or not change.ref.startswith(_HEADS):
            return False
        # somebody may have built on ours before we could look
        return self.repository.is_ancestor(change.new, now)

    def _check_forward(self, changes: Iterable[RefUpdate]) -> None:
        for change in changes:
            if change.old is None or change.new in {None, change.old} or not change.ref.startswith(_HEADS):
                continue
            if not self.repository.is_ancestor(change.old, change.new or ""):
                raise GitError(
                    f"{change.ref!r} would be rewritten: {str(change.new)[:12]} does not build on {change.old[:12]}",
                    "make the commit on the branch's tip",
                )

    def _snapshot(self) -> dict[str, str]:
        if self._known is None:
            start = "refs/" if self.remote is None else f"refs/f0ci/{self.remote}/"
            listed = self.repository.run("for-each-ref", "--format=%(refname) %(objectname)", start).text
            pairs = (line.rsplit(" ", 1) for line in listed.splitlines())
            self._known = {f"refs/{ref.removeprefix(start)}": oid for ref, oid in pairs}
        return self._known

    def _kept(self, ref: str) -> str:
        """Return where a remote's ref is kept in this repository."""
        return f"refs/f0ci/{self.remote}/{ref.removeprefix('refs/')}"

    def _keep(self, changes: Iterable[RefUpdate]) -> None:
        """Remember what refs of the remote are now."""
        self._known = None
        known = self._snapshot()
        lines = [
            f"update {self._kept(change.ref)} {change.new}\n" if change.new else f"delete {self._kept(change.ref)}\n"
            for change in changes
            if change.new or change.ref in known
        ]
        self._known = None
        self.repository.run(*_ALONE, "update-ref", "--stdin", input="".join(lines).encode())

    def _url(self, *, push: bool) -> str:
        if push not in self._urls:
            which = ["--push"] if push else []
            self._urls[push] = self.repository.run("remote", "get-url", *which, self.remote or "").text.split("\n")[0]
        return self._urls[push]

    def _ask(self, *args: str, push: bool = False) -> Completed:
        with self._git(*args, push=push) as (command, folder, env):
            return self._judged(run_git(command, folder=folder, env=env, timeout=self.answer_seconds))

    @contextmanager
    def _git(self, *args: str, push: bool = False) -> Iterator[tuple[Sequence[str], Path, dict[str, str]]]:
        """Yield a git command that reaches the remote, where it runs, and what its environment has more."""
        # only a token has to know where it goes
        with credentials(self._url(push=push) if os.environ.get(TOKEN_VARIABLE) else "") as (options, env):
            yield [*_ALONE, *options, *args], self.repository.work_tree or self.repository.git_dir, env

    def _judged(self, answer: Completed) -> Completed:
        if answer.code < 0:
            return Completed(answer.code, answer.out, f"fatal: timed out after {self.answer_seconds:g} seconds")
        return answer

    def _advertised(self, patterns: Sequence[str]) -> Advertised:
        """Return what the remote says of its HEAD and of refs that fit patterns, asked now or by `asking` before."""
        if self._begun and tuple(self._begun[0]) == tuple(patterns):
            (_, begun), self._begun = self._begun, None
            answer = self._judged(begun.answer())
        else:
            answer = self._ask("ls-remote", "--symref", self.remote or "", "HEAD", *patterns)
        if answer.code != 0:
            raise self._failure(answer)
        return parse_advertised(answer.text, patterns)

    def _failure(self, answer: Completed) -> F0ciError:
        reason = self._redact(remote_says(answer.err) or git_says(answer.err))
        return failure_error(classify_failure(answer.err), self.remote or "", self.url, reason)

    def _redact(self, text: str) -> str:
        return Redactor([os.environ.get(TOKEN_VARIABLE, "")]).text(text)


def _pause(attempt: int) -> None:
    """Wait a little, longer with each attempt; spreads those who want the same lock."""
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - spreads writers, no secret
