"""Somebody with write access to the remote who changes history with Git's plumbing."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from f0ci.core.canonical import digest
from tests.conftest import SshIdentity, git

MALLORY = ("Mallory", "mallory@example.com")


@dataclass
class Forger:
    """Writes to a bare repository, past f0ci.

    Attributes:
        bare: the repository.
        work: a clone that has what was planned and not pushed.
        keys: signing keys by name; `mallory` is in no approvers file.
        name: who commits.
        email: their address.
    """

    bare: Path
    work: Path
    keys: dict[str, SshIdentity]
    name: str = MALLORY[0]
    email: str = MALLORY[1]

    @property
    def actor(self) -> str:
        return f"{self.name} <{self.email}>"

    def act_as(self, name: str) -> None:
        self.name, self.email = name.title(), f"{name}@example.com"

    def git(self, *args: str, content: str | None = None, index: Path | None = None) -> str:
        env = {
            **os.environ,
            "GIT_AUTHOR_NAME": self.name,
            "GIT_AUTHOR_EMAIL": self.email,
            "GIT_COMMITTER_NAME": self.name,
            "GIT_COMMITTER_EMAIL": self.email,
        }
        if index is not None:
            env["GIT_INDEX_FILE"] = str(index)
        answer = subprocess.run(
            ["git", "-C", str(self.bare), *args], input=content, capture_output=True, text=True, check=False, env=env
        )
        assert answer.returncode == 0, f"git {' '.join(args)}: {answer.stderr}"
        return answer.stdout.removesuffix("\n")

    def ledger(self, environment: str) -> str:
        return f"refs/heads/f0ci/ledger/{environment}"

    def events(self, environment: str) -> dict[str, dict[str, Any]]:
        """Return a ledger's events by path, in order."""
        ref = self.ledger(environment)
        paths = self.git("ls-tree", "-r", "--name-only", ref).splitlines()
        found = {path: json.loads(self.git("show", f"{ref}:{path}")) for path in paths}
        return dict(sorted(found.items(), key=lambda item: int(item[1]["position"])))

    def find(self, environment: str, kind: str, promotion: str | None = None) -> tuple[str, dict[str, Any]]:
        """Return path and content of the newest event of a kind."""
        return next(
            (path, event)
            for path, event in reversed(self.events(environment).items())
            if event["kind"] == kind and promotion in {None, event["promotion"]}
        )

    def commit(
        self, ref: str, files: dict[str, str | None], *, message: str = "change", parents: list[str] | None = None
    ) -> str:
        """Put a commit on a branch that changes files; None takes one away."""
        tip = self.git("rev-parse", ref)
        index = self.bare / "forger-index"
        index.unlink(missing_ok=True)
        self.git("read-tree", tip, index=index)
        lines = []
        for path, content in files.items():
            oid = "0" * 40 if content is None else self.git("hash-object", "-w", "--stdin", content=content)
            lines.append(f"{'100644' if content is not None else '0'} {oid}\t{path}\n")
        if lines:
            self.git("update-index", "--index-info", content="".join(lines), index=index)
        tree = self.git("write-tree", index=index)
        above = [word for parent in (parents or [tip]) for word in ("-p", parent)]
        commit = self.git("commit-tree", tree, *above, "-m", message)
        self.git("update-ref", ref, commit)
        return commit

    def edit(self, environment: str, path: str, **changes: Any) -> None:
        """Change fields of an event where it lies; `data__x` is a field of its data."""
        event = self.events(environment)[path]
        for key, value in changes.items():
            where, _, name = key.rpartition("__")
            (event[where] if where else event)[name] = value
        self.commit(self.ledger(environment), {path: json.dumps(event)})

    def append(self, ledger: str, promotion: str, kind: str, data: dict[str, Any], **fields: Any) -> str:
        """Add an event whose numbers fit to an environment's ledger, and return its path."""
        events = self.events(ledger)
        own = [event for event in events.values() if event["promotion"] == promotion]
        month = next((path[:7] for path, event in events.items() if event["promotion"] == promotion), "2026/11")
        event = {
            "version": 1,
            "kind": kind,
            "promotion": promotion,
            "sequence": len(own) + 1,
            "position": len(events),
            "environment": ledger,
            "time": list(events.values())[-1]["time"],
            "actor": self.actor,
            "data": data,
            **fields,
        }
        path = f"{month}/{event['promotion']}/{event['sequence']:04d}-{event['kind']}.json"
        self.commit(self.ledger(ledger), {path: json.dumps(event)})
        return path

    def replan(self, environment: str, promotion: str, **changes: Any) -> dict[str, Any]:
        """Add a plan that differs from the newest one, with a digest that fits, and return it."""
        plan = {**self.plan(environment, promotion), **changes}
        self.append(environment, promotion, "replanned", {"digest": digest(plan), "plan": plan, "reason": "forged"})
        return plan

    def plan(self, environment: str, promotion: str) -> dict[str, Any]:
        """Return the plan in force of a promotion."""
        plans = [
            event["data"]["plan"]
            for event in self.events(environment).values()
            if event["promotion"] == promotion and "plan" in event["data"]
        ]
        return dict(plans[-1])

    def digest(self, environment: str, event: dict[str, Any]) -> str:
        """Return the digest by which an event of a ledger is named."""
        path = next(path for path, known in self.events(environment).items() if known == event)
        return hashlib.sha256(self.raw(environment, path)).hexdigest()

    def raw(self, environment: str, path: str) -> bytes:
        """Return the bytes of an event's file."""
        words = ["git", "-C", str(self.bare), "show", f"{self.ledger(environment)}:{path}"]
        return subprocess.run(words, capture_output=True, check=True).stdout

    def apply(
        self,
        environment: str,
        promotion: str,
        *,
        step: int = 0,
        tree: str | None = None,
        quotes: dict[str, str | None] | None = None,
        **fields: Any,
    ) -> None:
        """Bring a planned step into the environment, past every gate; `quotes` replace tips of ledgers it quotes."""
        plan = self.plan(environment, promotion)
        ref = f"refs/heads/env/{environment}"
        parent = self.git("rev-parse", ref)
        wanted = tree or plan["steps"][step]["tree"]
        git(self.work, "push", "-q", "origin", f"{wanted}:refs/tags/forged")
        self.git("update-ref", "-d", "refs/tags/forged")
        trailers = f"F0-Promotion: {promotion}\nF0-Release: {plan['release']}\nF0-Plan: {digest(plan)}\n"
        commit = self.git("commit-tree", wanted, "-p", parent, "-m", f"forged\n\n{trailers}")
        self.git("update-ref", ref, commit)
        there = self.git("for-each-ref", "--format=%(refname)").splitlines()
        quoted = [name for name in ("dev", "staging", "_workflow") if self.ledger(name) in there]
        ledgers = {name: self.tip(self.ledger(name)) for name in quoted} | (quotes or {})
        data = {"step": step, "percent": 100, "commit": commit, "parent": parent, "tree": wanted, "ledgers": ledgers}
        self.append(environment, promotion, "applied", data, **fields)

    def sign(self, who: str, statement: dict[str, Any]) -> dict[str, str]:
        """Return a signature over a statement, made with somebody's key."""
        from f0ci.core.canonical import canonical_json

        answer = subprocess.run(
            ["ssh-keygen", "-Y", "sign", "-n", "f0ci-approval", "-f", str(self.keys[who].private)],
            input=canonical_json(statement),
            capture_output=True,
            check=True,
        )
        return {"format": "ssh", "armored": answer.stdout.decode(), "key": self.keys[who].key}

    def tip(self, ref: str) -> str:
        return git(self.bare, "rev-parse", ref)
