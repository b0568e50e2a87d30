"""Whether promotions can work here: each check says what is so, and the command that mends it."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f0ci import __version__
from f0ci.core.clock import Clock, format_time
from f0ci.core.errors import F0ciError
from f0ci.core.outcome import Outcome
from f0ci.promotion.policy import read_policy
from f0ci.promotion.site import Site, open_site
from f0ci.promotion.times import SKEW
from f0ci.source.native_yaml import yaml_reader

_OLDEST_GIT = (2, 30)
_OLDEST_PYTHON = (3, 11)

# no branch below these can be made while there are branches of that name
_IN_THE_WAY = ("refs/heads/env", "refs/heads/f0ci")


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found.

    Attributes:
        name: what was looked at.
        outcome: passed; skipped where it does not matter here; waiting where it would be better otherwise; failed where
            promotions cannot work.
        message: what is so.
        mend: the command that mends it, or None.
    """

    name: str
    outcome: Outcome
    message: str
    mend: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the check as data."""
        return {"name": self.name, "outcome": str(self.outcome), "message": self.message, "mend": self.mend}


def examine(root: Path, clock: Clock) -> Iterator[Check]:
    """Yield what is so about this machine, the clone and its remote; looks only, writes nothing."""
    yield _versions()
    yield _reader()
    git = _git()
    yield git
    if git.outcome is Outcome.FAILED:
        return
    try:
        site = open_site(root, clock, fetch=False)
    except F0ciError as error:
        yield Check("repository", Outcome.FAILED, str(error), error.hint)
        return
    shallow = "; the clone is shallow, and is completed when that is needed" if site.repository.is_shallow() else ""
    yield Check("repository", Outcome.PASSED, f"{site.workflow.name or 'a workflow'} in {site.root.name}{shallow}")
    yield from _remote(site)
    for name, look in _LOOKS:
        try:
            yield look(site)
        except F0ciError as error:
            yield Check(name, Outcome.FAILED, str(error), error.hint)


def _versions() -> Check:
    said = f"f0ci {__version__}, Python {platform.python_version()}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("versions", Outcome.FAILED, said, "install Python 3.11 or newer")
    return Check("versions", Outcome.PASSED, said)


def _reader() -> Check:
    """Return which of the readers of YAML is in use: they differ in speed alone."""
    try:
        return Check("YAML reader", Outcome.PASSED, yaml_reader().description)
    except F0ciError as error:
        return Check("YAML reader", Outcome.FAILED, str(error), error.hint)


def _git() -> Check:
    from f0ci.git.process import git_version

    try:
        version = git_version()
    except F0ciError as error:
        return Check("git", Outcome.FAILED, str(error), error.hint)
    said = "Git " + ".".join(map(str, version))
    if version[:2] < _OLDEST_GIT:
        return Check("git", Outcome.FAILED, f"{said} is too old", "install Git 2.30 or newer")
    return Check("git", Outcome.PASSED, said)


def _remote(site: Site) -> Iterator[Check]:
    if site.refs.remote is None:
        yield Check("remote", Outcome.SKIPPED, "there is none; ledgers and environments live in this repository")
        return
    try:
        site.store.fetch()
    except F0ciError as error:
        yield Check("remote", Outcome.FAILED, str(error), error.hint)
        return
    yield Check("remote", Outcome.PASSED, f"{site.refs.remote} ({site.refs.url}) answers")
    try:
        atomic = site.refs.supports_atomic()
    except F0ciError as error:
        yield Check("remote rights", Outcome.FAILED, str(error), error.hint)
        return
    yield Check("remote rights", Outcome.PASSED, "pushing is let in; branch rules are asked only by a real push")
    if atomic:
        yield Check("atomic pushes", Outcome.PASSED, "an environment and its events change together")
    else:
        said = "the server takes one ref at a time; changes are announced by an intent first"
        yield Check("atomic pushes", Outcome.WAITING, said, "git config receive.advertiseAtomic true (on the server)")


def _branches(site: Site) -> Check:
    try:
        taken = [ref.removeprefix("refs/heads/") for ref in site.refs.exist(_IN_THE_WAY)]
    except F0ciError as error:
        return Check("branches", Outcome.FAILED, str(error), error.hint)
    if taken:
        name, remote = taken[0], site.refs.remote
        said = f"the branch {name!r} is in the way of the branches below {name}/"
        there = f"git push {remote} refs/remotes/{remote}/{name}:refs/heads/{name}-old :refs/heads/{name}"
        mend = f"git branch -m {name} {name}-old" if remote is None else f"git fetch {remote} && {there}"
        return Check("branches", Outcome.FAILED, said, mend)
    default = site.store.default_tip()
    if default is None:
        first = "git add -A && git commit -m 'first recipes'" if site.repository.commit_of("HEAD") is None else None
        mend = first or f"git push {site.refs.remote} HEAD"
        return Check("branches", Outcome.FAILED, "there is no default branch yet", mend)
    return Check("branches", Outcome.PASSED, f"the default branch is at {default[:10]}; env/ and f0ci/ are ours")


def _policy(site: Site) -> Check:
    ledgers = site.store.read()
    unsure, fewest = [], []
    for environment in site.workflow.environments:
        policy = read_policy(site, ledgers.environments[environment.name], environment.name)
        for gate in policy.gates:
            if gate.kind == "approval":
                able = policy.approvers.members(tuple(gate.settings.get("groups", ())))
                keyed = [name for name in able if policy.approvers.people[name].keys]
                if gate.settings.get("accept"):
                    continue
                count = int(gate.settings.get("count", 1))
                if len(keyed) < count:
                    unsure.append(environment.name)
                elif len(keyed) == count and gate.settings.get("not_author", True):
                    fewest.append((environment.name, keyed))
    if unsure:
        said = f"too few people with a key can approve for {', '.join(unsure)}"
        mend = f"add people and their keys to {site.project.approvers}, and bring that to the default branch"
        return Check("approvers", Outcome.WAITING, said, mend)
    if fewest:
        name, alone = fewest[0]
        said = f"in {name!r} nobody can approve what {' or '.join(sorted(alone))} wrote or requested"
        mend = f"add a person to {site.project.approvers} and release that, or say `not_author: false` in the gate"
        return Check("approvers", Outcome.WAITING, said, mend)
    return Check("approvers", Outcome.PASSED, "every approval gate can be met")


def _signing(site: Site) -> Check:
    from f0ci.git.signatures import signing_key

    key = signing_key(site.repository)
    if key is None:
        mend = "git config gpg.format ssh && git config user.signingKey ~/.ssh/id_ed25519.pub"
        return Check("signing key", Outcome.WAITING, "Git knows none; you cannot approve", mend)
    approvers = _approvers(site)
    identity = str(site.repository.identity())
    person = approvers.person_of(identity) if approvers else None
    if approvers is None or person is None:
        mend = f"add yourself to {site.project.approvers}"
        return Check("signing key", Outcome.WAITING, f"{identity} is not in the approvers file", mend)
    own = [" ".join(text.split()[:2]) for text in approvers.people[person].keys]
    if " ".join(key.split()[:2]) not in own and not any(key in text for text in own):
        mend = f"add it under people.{person}.keys in {site.project.approvers}: {key}"
        return Check("signing key", Outcome.WAITING, f"yours is not one of {person!r} in the approvers file", mend)
    return Check("signing key", Outcome.PASSED, f"you approve as {person!r}")


def _approvers(site: Site) -> Any:
    ledgers = site.store.read()
    last = site.workflow.environments[-1].name
    return read_policy(site, ledgers.environments[last], last).approvers


def _clock(site: Site) -> Check:
    now = site.clock.now()
    events = [state.events[-1] for state in site.store.read().environments.values() if len(state.events)]
    newest = max((event.time for event in events), default=now)
    if newest > now + SKEW:
        said = f"this clock says {format_time(now)}, the newest event {format_time(newest)}"
        return Check("clock", Outcome.FAILED, said, "timedatectl set-ntp true")
    return Check("clock", Outcome.PASSED, f"{format_time(now)}, not behind any ledger")


def _renderer(site: Site) -> Check:
    states = site.store.read().environments.values()
    used = {str(state.newest.plan.get("renderer")) for state in states if state.newest is not None}
    others = sorted(used - {__version__})
    if others:
        said = (
            f"the newest plans were made by f0ci {', '.join(others)}, this is {__version__}: waiting plans may change"
        )
        return Check("renderer", Outcome.WAITING, said, f"pip install f0ci=={others[-1]}")
    return Check("renderer", Outcome.PASSED, "the newest plans were made by this version" if used else "no plan yet")


def _programs(_site: Site) -> Check:
    missing = [name for name in ("ssh-keygen", "gpg") if shutil.which(name) is None]
    if "ssh-keygen" in missing:
        return Check("programs", Outcome.FAILED, "ssh-keygen is missing", "apt-get install openssh-client")
    if missing:
        said = "gpg is missing; approvals signed with OpenPGP cannot be checked"
        return Check("programs", Outcome.WAITING, said, "apt-get install gnupg")
    return Check("programs", Outcome.PASSED, "ssh-keygen and gpg are there")


_LOOKS: tuple[tuple[str, Callable[[Site], Check]], ...] = (
    ("branches", _branches),
    ("approvers", _policy),
    ("signing key", _signing),
    ("programs", _programs),
    ("clock", _clock),
    ("renderer", _renderer),
)
