"""Errands: what a promotion needs to have done where no token is, and the answers that come back.

Whatever runs code of the repository, or needs one of its secrets, is an errand: the deploy recipe, a gate that asks a
command, a metric that runs one or needs a secret. Who may push leaves errands in a folder and ends; who may not
carries them out and leaves answers; who may push takes those and goes on. `errands.json` names everything that an
answer depends on, and its SHA-256 is told by a way that nobody but the promoting job writes to. An answer counts only
for the very errands it was made for: another digest, a part that is not what was asked, or one that was asked before
is refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci.core.canonical import digest, pretty_json, sha256_hex
from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import InputError, UsageError
from f0ci.core.files import write_atomically
from f0ci.promotion.names import RELEASE_TAGS

if TYPE_CHECKING:
    from datetime import datetime

    from f0ci.promotion.plan import Plan
    from f0ci.promotion.site import Site
    from f0ci.promotion.state import Promotion

ERRANDS, ANSWERS, BUNDLE = "errands.json", "answers.json", "objects.bundle"
# what a folder that somebody else wrote into may hold; answers are a few kilobytes
_MOST_BYTES = 16_000_000
_SAID = {
    "deploy": "its deploy recipe",
    "measure": "its metrics",
    "ask": "the command of its gate",
    "rehearse": "a first look at its metrics",
}


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing that is to be done where no token is.

    Attributes:
        kind: `deploy`, `measure`, `ask` or `rehearse`.
        promotion: id of the promotion that it has or would have.
        environment: its environment.
        about: everything that the answer depends on, plain JSON data.
    """

    kind: str
    promotion: str
    environment: str
    about: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return the errand as data."""
        return {
            "kind": self.kind,
            "promotion": self.promotion,
            "environment": self.environment,
            "about": dict(self.about),
        }

    @property
    def digest(self) -> str:
        """Return the SHA-256 of its canonical JSON."""
        return digest(self.to_json())

    @property
    def said(self) -> str:
        """Return why a promotion stops for it, in words."""
        return f"{_SAID[self.kind]} runs in a job of its own, without the token: `f0ci errands`"


def deploy_errand(promotion: Promotion, commit: str, release: str, step: int, tree: str) -> Errand:
    """Return the errand to run the deploy recipe of a step, -1 for the way back; pure."""
    about = {"digest": promotion.digest, "commit": commit, "release": release, "step": step, "tree": tree}
    return Errand("deploy", promotion.id, promotion.environment, about)


def measure_errand(promotion: Promotion, step: int) -> Errand:
    """Return the errand to measure and judge a step; pure."""
    return Errand("measure", promotion.id, promotion.environment, {"digest": promotion.digest, "step": step})


def ask_errand(promotion: Promotion, gate: str, settings: Mapping[str, Any], policy: str) -> Errand:
    """Return the errand to ask a gate's command, as the commit `policy` has it; pure."""
    about = {"digest": promotion.digest, "gate": gate, "settings": dict(settings), "policy": policy}
    return Errand("ask", promotion.id, promotion.environment, about)


def rehearse_errand(plan: Plan) -> Errand:
    """Return the errand to ask the metrics of a plan once before anything changes; pure."""
    about = {"digest": plan.digest, "release": plan.bound["release"]}
    return Errand("rehearse", str(plan.bound["promotion"]), str(plan.bound["environment"]), about)


class LeftError(Exception):
    """A promotion cannot go on before an errand is done; it is no failure.

    Attributes:
        errand: the errand.
    """

    def __init__(self, errand: Errand) -> None:
        super().__init__(errand.said)
        self.errand = errand


@dataclass(slots=True)
class Apart:
    """The errands and answers of one command that holds a token.

    Attributes:
        folder: where they lie.
        answers: what came back, by digest of the errand.
        left: errands without an answer, in order.
    """

    folder: Path
    answers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    left: list[Errand] = field(default_factory=list)

    def answer(self, errand: Errand) -> Mapping[str, Any]:
        """Return what came of an errand.

        Raises:
            LeftError: nothing did yet; it is left to be done.
        """
        known = self.answers.get(errand.digest)
        if known is not None and known["kind"] == errand.kind:
            return known
        if errand not in self.left:
            self.left.append(errand)
        raise LeftError(errand)

    def look_after(self, promotion: str, step: int) -> Mapping[str, Any] | None:
        """Return the first look at a step that came back with its deployment, or None."""
        return self.answers.get(_look_key(promotion, step))

    def keep_look(self, promotion: str, step: int, look: Mapping[str, Any] | None) -> None:
        """Keep the look that came back with a deployment."""
        if look is not None:
            self.answers[_look_key(promotion, step)] = look

    def forget(self) -> None:
        """Drop every answer: what is asked later is another question."""
        self.answers.clear()

    def hand_out(self, site: Site) -> None:
        """Write what is left to be done, with the objects that it needs; nothing where nothing is left.

        Raises:
            GitError: an object is missing.
            CannotWork: the folder cannot be written.
        """
        if not self.left:
            return
        from f0ci.git.bundles import pack_refs

        self.folder.mkdir(parents=True, exist_ok=True)
        refs = _refs(site, {errand.environment for errand in self.left})
        pack_refs(site.repository, tuple(refs.values()), "HEAD", self.folder / BUNDLE)
        data = {
            "version": 1,
            "asked_at": format_time(site.clock.now()),
            "nonce": os.urandom(16).hex(),
            "head": site.refs.head,
            "refs": refs,
            "bundle": sha256_hex((self.folder / BUNDLE).read_bytes()),
            "errands": [errand.to_json() for errand in self.left],
        }
        write_atomically(self.folder / ERRANDS, pretty_json(data).encode())


def open_errands(folder: Path, answered: str | None) -> Apart:
    """Return what came back to a folder, and clear it.

    Args:
        folder: where errands and answers lie.
        answered: SHA-256 of the errands that were handed out, or None where none were.

    Raises:
        UsageError: it is no digest.
        InputError: the errands are not those, or the answers are not theirs, or not answers at all.
    """
    apart = Apart(folder)
    if answered is not None:
        apart.answers.update(_read_answers(folder, answered))
    for name in (ERRANDS, ANSWERS, BUNDLE):
        (folder / name).unlink(missing_ok=True)
    return apart


@dataclass(frozen=True, slots=True)
class HandedOut:
    """Errands as somebody else finds them.

    Attributes:
        digest: SHA-256 of the file.
        asked_at: when they were handed out.
        head: short name of the default branch, or None.
        refs: what the refs were, by full name.
        errands: what is to be done.
    """

    digest: str
    asked_at: datetime
    head: str | None
    refs: Mapping[str, str]
    errands: tuple[Errand, ...]


def read_errands(folder: Path) -> HandedOut:
    """Return what a folder says is to be done.

    Raises:
        InputError: there is nothing, or it is not what `f0ci promote --apart` writes.
    """
    raw = _read(folder / ERRANDS, "f0ci promote --apart FOLDER leaves it")
    data = _checked("errands", folder / ERRANDS, raw)
    bundle = folder / BUNDLE
    if not bundle.is_file() or sha256_hex(bundle.read_bytes()) != data["bundle"]:
        raise InputError(
            "the objects are not those that belong to these errands", "take both files over together", place=str(bundle)
        )
    errands = tuple(Errand(**errand) for errand in data["errands"])
    return HandedOut(sha256_hex(raw), parse_time(data["asked_at"]), data["head"], data["refs"], errands)


def write_answers(folder: Path, errands: HandedOut, answers: list[dict[str, Any]]) -> None:
    """Write what came of errands.

    Raises:
        CannotWork: the folder cannot be written.
    """
    data = {"version": 1, "errands": errands.digest, "answers": answers}
    write_atomically(folder / ANSWERS, pretty_json(data).encode())


def _read_answers(folder: Path, answered: str) -> dict[str, Mapping[str, Any]]:
    """Return answers by digest of the errand; none where nobody answered."""
    if len(answered) != 64 or not set(answered) <= set("0123456789abcdef"):
        raise UsageError(f"{answered!r} is no digest of errands", "it is the SHA-256 of errands.json, 64 hex digits")
    if not (folder / ANSWERS).exists():
        # whoever should have answered broke off; the same is asked again
        return {}
    raw = _read(folder / ERRANDS, "it has to come back with the answers")
    if sha256_hex(raw) != answered:
        raise InputError(
            f"these are not the errands {answered[:12]} that were handed out, but {sha256_hex(raw)[:12]}",
            "nothing of it was taken; run the promotion again: f0ci promote --continue",
            place=str(folder / ERRANDS),
        )
    asked = {errand.digest: errand.kind for errand in _errands(folder, raw)}
    place = folder / ANSWERS
    data = _checked("answers", place, _read(place, ""))
    if data["errands"] != answered:
        raise InputError(
            f"the answers are to the errands {data['errands'][:12]}, not to {answered[:12]}",
            "nothing of it was taken; run the promotion again: f0ci promote --continue",
            place=str(place),
        )
    found: dict[str, Mapping[str, Any]] = {}
    for answer in data["answers"]:
        name = answer["errand"]
        if asked.get(name) != answer["kind"] or name in found:
            raise InputError(
                f"nobody asked for the answer to {answer['kind']} {name[:12]}, or it is there twice",
                "nothing of it was taken; run the promotion again: f0ci promote --continue",
                place=str(place),
            )
        found[name] = answer
    return found


def _errands(folder: Path, raw: bytes) -> tuple[Errand, ...]:
    return tuple(Errand(**errand) for errand in _checked("errands", folder / ERRANDS, raw)["errands"])


def _read(path: Path, hint: str) -> bytes:
    """Read a file that somebody else may have written: no link, nothing endless."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(handle, "rb") as stream:
            raw = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"it cannot be read: {error.strerror}", hint or None, place=str(path)) from error
    if len(raw) > _MOST_BYTES:
        raise InputError(f"it has more than {_MOST_BYTES:,} bytes", hint or None, place=str(path))
    return raw


def _checked(schema: str, path: Path, raw: bytes) -> dict[str, Any]:
    from f0ci.source.json import read_json
    from f0ci.source.schema import check_schema

    reading = read_json(raw)
    if reading.problems:
        raise InputError(reading.problems[0].message, "it is written by f0ci; take it over as it is", place=str(path))
    problems = check_schema(schema, reading.data)
    if problems:
        raise InputError(problems[0].message, "it is written by f0ci; take it over as it is", place=str(path))
    data: dict[str, Any] = reading.data
    return data


def _refs(site: Site, environments: set[str]) -> dict[str, str]:
    """Return the refs that errands of some environments need, by full name."""
    names = [site.names.workflow_ledger]
    for name in sorted(environments):
        names += [site.names.ledger(name), site.names.environment(name)]
    if site.refs.head is not None:
        names.append(f"refs/heads/{site.refs.head}")
    found = {name: site.refs.read(name) for name in names}
    return {name: oid for name, oid in found.items() if oid is not None} | site.refs.list(RELEASE_TAGS)


def _look_key(promotion: str, step: int) -> str:
    return f"look {promotion} {step}"
