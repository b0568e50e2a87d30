"""A repository with a long past: thousands of promotions, each as f0ci itself would have recorded it.

    .venv/bin/python benchmarks/past.py FOLDER PROMOTIONS

Everything is written by `git fast-import`: source commits, release tags, environments, and ledgers with signed
approvals. `f0ci audit verify` finds nothing wrong with it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from f0ci.commands.scaffolding import scaffold  # noqa: E402 - found only from the root
from f0ci.core.canonical import canonical_json, digest, sha256_hex  # noqa: E402
from f0ci.core.clock import format_time  # noqa: E402
from f0ci.promotion.events import Draft, Event  # noqa: E402
from f0ci.promotion.ledger import number  # noqa: E402
from f0ci.promotion.releases import release_paths  # noqa: E402
from f0ci.promotion.statements import NAMESPACE, Statement  # noqa: E402
from f0ci.source.project import load_project  # noqa: E402
from f0ci.source.tree import DirectoryTree  # noqa: E402
from f0ci.workflows.reading import read_workflow  # noqa: E402

ENVIRONMENTS = ("dev", "staging", "prod")
ALICE, BOB = "Alice <alice@example.com>", "Bob <bob@example.com>"
BEGIN = datetime(2023, 1, 2, 8, tzinfo=UTC)
STEP = timedelta(hours=8)
_CHANGED = "environments/base.yaml"


@dataclass(frozen=True, slots=True)
class Made:
    """A release of the past."""

    index: int
    digest: str
    commit: str
    time: datetime


@dataclass(slots=True)
class Importer:
    """A running `git fast-import` that tells the ids of what it wrote."""

    to: IO[bytes]
    back: IO[bytes]
    mark: int = 0
    heads: dict[str, str] = field(default_factory=dict)

    def commit(self, ref: str, who: str, time: datetime, message: str, files: Mapping[str, bytes]) -> str:
        """Add a commit that adds or replaces files; return its id."""
        self.mark += 1
        stamp = f"{who} {int(time.timestamp())} +0000"
        lines = [
            f"commit {ref}\nmark :{self.mark}\nauthor {stamp}\ncommitter {stamp}\n".encode(),
            _data(message.encode()),
        ]
        for path, content in files.items():
            lines += [f"M 100644 inline {path}\n".encode(), _data(content)]
        self.to.write(b"".join(lines) + f"\nget-mark :{self.mark}\n".encode())
        self.to.flush()
        self.heads[ref] = self.back.readline().decode().strip()
        return self.heads[ref]

    def tag(self, name: str, commit: str, who: str, time: datetime, message: str) -> None:
        """Add an annotated tag."""
        stamp = f"{who} {int(time.timestamp())} +0000"
        self.to.write(f"tag {name}\nfrom {commit}\ntagger {stamp}\n".encode() + _data(message.encode()))


def _data(content: bytes) -> bytes:
    return f"data {len(content)}\n".encode() + content + b"\n"


@contextmanager
def importer(repository: Path) -> Iterator[Importer]:
    """Run `git fast-import` in a bare repository."""
    back, out = os.pipe()
    command = ["git", "-C", str(repository), "fast-import", "--quiet", "--date-format=raw", f"--cat-blob-fd={out}"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=(out,))
    os.close(out)
    if process.stdin is None:
        raise SystemExit("git fast-import takes no input")
    with os.fdopen(back, "rb") as answers:
        yield Importer(process.stdin, answers)
        process.stdin.close()
        if process.wait() != 0:
            raise SystemExit("git fast-import failed")


def make_past(folder: Path, promotions: int) -> Path:
    """Write a bare repository `project.git` and a clone of it, `project`, into a folder; return the clone.

    Args:
        folder: an existing folder.
        promotions: how many promotions at least, a third of them into each environment.
    """
    bare, work = folder / "project.git", folder / "project"
    _git(folder, "init", "-q", "--bare", "-b", "main", str(bare))
    _git(folder, "init", "-q", "-b", "main", str(work))
    people = {name: _key(folder, name) for name in ("alice", "bob")}
    scaffold(work)
    approvers = "version: 1\npeople:\n" + "".join(
        f"  {name}:\n    emails: [{name}@example.com]\n    keys: ['{key.with_suffix('.pub').read_text().strip()}']\n"
        for name, key in people.items()
    )
    (work / ".f0ci").mkdir(exist_ok=True)
    (work / ".f0ci" / "approvers.yaml").write_text(approvers + "groups:\n  release-managers: [alice, bob]\n")
    with importer(bare) as store:
        releases, content = _sources(store, work, -(-promotions // len(ENVIRONMENTS)))
        _promote(store, work, releases, content, people["bob"], folder)
    _git(work, "remote", "add", "origin", bare.as_uri())
    _git(work, "config", "gpg.format", "ssh")
    for key, value in (("user.name", "Alice"), ("user.email", "alice@example.com")):
        _git(work, "config", key, value)
    _git(work, "config", "user.signingKey", str(people["alice"].with_suffix(".pub")))
    _git(work, "fetch", "-q", "origin", "main")
    _git(work, "reset", "-q", "--hard", "FETCH_HEAD")
    return work


def _sources(store: Importer, work: Path, count: int) -> tuple[list[Made], dict[str, bytes]]:
    """Write the source commits and the tags of releases; return the releases, and the files of the last."""
    paths = release_paths(DirectoryTree(work), load_project(DirectoryTree(work)))
    content = {
        path.relative_to(work).as_posix(): path.read_bytes()
        for path in sorted(work.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(work).parts
    }
    base = content[_CHANGED]
    sums = {path: sha256_hex(content[path]) for path in paths}
    made: list[Made] = []
    for index in range(count):
        time = BEGIN + index * STEP
        content[_CHANGED] = base + f"# change {index}\n".encode()
        sums[_CHANGED] = sha256_hex(content[_CHANGED])
        files = content if index == 0 else {_CHANGED: content[_CHANGED]}
        commit = store.commit("refs/heads/main", ALICE, time, f"change {index}\n", files)
        found = digest({"version": 1, "files": sums})
        record = {
            "version": 1,
            "digest": found,
            "files": len(paths),
            "created_at": format_time(time),
            "created_by": ALICE,
        }
        message = f"f0ci release {found[:12]}\n\n{canonical_json(record).decode()}\n"
        store.tag(f"f0ci/release/{found[:12]}", commit, ALICE, time, message)
        made.append(Made(index, found, commit, time))
    return made, content


def _promote(
    store: Importer, work: Path, releases: list[Made], content: Mapping[str, bytes], key: Path, folder: Path
) -> None:
    """Write the environments and their ledgers."""
    workflow = read_workflow(DirectoryTree(work), "workflow.yaml")
    judged = ("workflow.yaml", ".f0ci/approvers.yaml")
    blobs = {path: _oid(b"blob", content[path]) for path in judged}
    plans: dict[tuple[str, int], dict[str, Any]] = {}
    for name in ENVIRONMENTS:
        described = workflow.environment(name)
        if described is None:
            raise SystemExit(f"the scaffold has no environment {name!r}")
        gates = [{"kind": gate.kind, "settings": dict(gate.settings)} for gate in described.gates]
        for one in releases:
            before = releases[one.index - 1] if one.index else None
            plans[name, one.index] = {
                "version": 1,
                "purpose": "promote",
                "promotion": f"{name}-{one.index + 1}",
                "environment": name,
                "release": one.digest,
                "source_commit": one.commit,
                "base": {
                    "tree": _tree(before) if before else None,
                    "release": before.digest if before else None,
                },
                "strategy": "rolling",
                "steps": [{"percent": 100, "tree": _tree(one)}],
                "policy": {
                    "commit": (before or one).commit,
                    "blobs": blobs,
                    "require": described.require,
                },
                "gates": gates,
                "checks": [],
                "duration": 0,
                "metrics": {},
                "deploy": None,
                "renderer": "0",
            }
    approvals = _approvals({one.index: plans["prod", one.index] for one in releases}, releases, key, folder)
    ledgers: dict[str, list[Event]] = {name: [] for name in ENVIRONMENTS}
    tips: dict[str, str | None] = {**dict.fromkeys(ENVIRONMENTS), "_workflow": None}
    for one in releases:
        for place, name in enumerate(ENVIRONMENTS):
            _one(store, ledgers, tips, name, one, plans[name, one.index], approvals, place)


def _one(
    store: Importer,
    ledgers: dict[str, list[Event]],
    tips: dict[str, str | None],
    name: str,
    one: Made,
    plan: dict[str, Any],
    approvals: Mapping[int, dict[str, Any]],
    place: int,
) -> None:
    """Write one promotion: its events, each with a commit of its own, and the commit of its environment."""
    time = one.time + timedelta(minutes=20 * place + 1)
    found, asked = digest(plan), str(plan["promotion"])
    ref = f"refs/heads/f0ci/ledger/{name}"

    def append(who: str, after: int, *drafts: Draft) -> None:
        moment = time + timedelta(minutes=after)
        # what numbers depend on is near the end
        recent = ledgers[name][-40:]
        shift = len(ledgers[name]) - len(recent)
        placed = [_shifted(event, shift) for event in number(recent, name, drafts, moment, who)]
        ledgers[name].extend(placed)
        subject = ", ".join(f"{event.promotion} {event.kind}" for event in placed)
        tips[name] = store.commit(ref, who, moment, f"{subject}\n", {event.path: event.to_bytes() for event in placed})

    request = {"purpose": "promote", "release": one.digest, "digest": found, "plan": plan, "ledgers": dict(tips)}
    first = [Draft("policy", "_environment", plan["policy"])] if not one.index else []
    append(ALICE, 0, *first, Draft("requested", asked, request))
    if name == "prod":
        reasons = [f"approval: 0 of 1 approval of plan {found[:12]}"]
        append(ALICE, 1, Draft("waiting", asked, {"reasons": reasons, "waits_for": reasons, "next_check_at": None}))
        append(BOB, 5, Draft("approved", asked, approvals[one.index]))
    moment = time + timedelta(minutes=6)
    trailers = f"F0-Promotion: {asked}\nF0-Release: {one.digest}\nF0-Plan: {found}\n"
    branch = f"refs/heads/env/{name}"
    parent = store.heads.get(branch)
    commit = store.commit(branch, ALICE, moment, f"promote {asked}\n\n{trailers}", {"release.txt": _content(one)})
    change = {
        "step": 0,
        "percent": 100,
        "commit": commit,
        "parent": parent,
        "tree": _tree(one),
        "ledgers": dict(tips),
        "decided_at": format_time(moment),
    }
    append(ALICE, 6, Draft("applied", asked, change))
    append(ALICE, 7, Draft("deployed", asked, {"step": 0, "outcome": "passed", "reason": "", "run": None}))
    append(ALICE, 8, Draft("succeeded", asked, {"verification": "checked", "reasons": []}))


def _shifted(event: Event, by: int) -> Event:
    return Event(
        event.kind, event.promotion, event.sequence, event.position + by, event.environment, event.time, event.actor,
        event.data, event.month,
    )  # fmt: skip


def _approvals(
    plans: Mapping[int, dict[str, Any]], releases: list[Made], key: Path, folder: Path
) -> dict[int, dict[str, Any]]:
    """Return the data of bob's approvals, all signed by a few calls of ssh-keygen."""
    statements: dict[int, Statement] = {}
    for one in releases:
        time = one.time + timedelta(minutes=46)
        plan = plans[one.index]
        statements[one.index] = Statement(str(plan["promotion"]), digest(plan), "prod", "bob", "approve", time)
        (folder / f"{one.index}.json").write_bytes(statements[one.index].payload())
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    names = [str(folder / f"{one.index}.json") for one in releases]
    for start in range(0, len(names), 500):
        command = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", NAMESPACE, *names[start : start + 500]]
        subprocess.run(command, check=True, capture_output=True)
    found = {}
    for index, statement in statements.items():
        path = folder / f"{index}.json"
        signed = path.with_suffix(".json.sig")
        signature = {"format": "ssh", "armored": signed.read_text(), "key": public}
        found[index] = {"statement": statement.to_json(), "signature": signature}
        path.unlink()
        signed.unlink()
    return found


def _content(one: Made) -> bytes:
    return f"release {one.digest}\n".encode()


def _tree(one: Made) -> str:
    """Return the id of the tree that an environment holds with a release."""
    return _oid(b"tree", b"100644 release.txt\0" + bytes.fromhex(_oid(b"blob", _content(one))))


def _oid(kind: bytes, content: bytes) -> str:
    return hashlib.sha1(kind + b" %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _key(folder: Path, name: str) -> Path:
    path = folder / f"id_{name}"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True)
    return path


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-C", str(folder), *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    make_past(Path(sys.argv[1]), int(sys.argv[2]))
