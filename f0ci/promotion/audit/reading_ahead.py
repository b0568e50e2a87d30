"""Reading what an audit will ask for in a few large calls instead of thousands of small ones; changes no answer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from f0ci.core.errors import CannotWork
from f0ci.promotion.events import SIGNED_KINDS, Event
from f0ci.promotion.policy import policy_at
from f0ci.promotion.site import Site
from f0ci.promotion.statements import verify_statement
from f0ci.source.project import PROJECT_FILES, load_project

if TYPE_CHECKING:
    from f0ci.promotion.policy import Policy


def read_ahead(site: Site, ledgers: Mapping[str, Sequence[Event]]) -> None:
    """Read the history of all releases, the policies of all plans, and check all signatures, each once.

    Args:
        site: the repository.
        ledgers: events by environment.
    """
    from f0ci.git.commit_graph import CommitGraph

    plans = [event.data["plan"] for events in ledgers.values() for event in events if "plan" in event.data]
    wanted = {str(plan[key]) for plan in plans for key in ("source_commit",)}
    wanted |= {str(plan["policy"]["commit"]) for plan in plans}
    known = _known(site, wanted)
    if known and not site.repository.is_shallow():
        site.graphs.append(CommitGraph(site.repository, known))
    asked: dict[str, set[str]] = {}
    for plan in plans:
        asked.setdefault(str(plan["policy"]["commit"]), set()).add(str(plan["environment"]))
    _read_policies(site, {commit: names for commit, names in asked.items() if commit in known})
    _check_signatures(site, ledgers)


def _known(site: Site, commits: Iterable[str]) -> set[str]:
    ordered = sorted(commits)
    raw = "".join(f"{commit}\n" for commit in ordered).encode()
    answers = site.repository.run("cat-file", "--batch-check", input=raw).text.splitlines() if ordered else []
    return {commit for commit, answer in zip(ordered, answers, strict=True) if " commit " in answer}


def _read_policies(site: Site, asked: Mapping[str, set[str]]) -> None:
    """Read each policy once: commits whose policy files are the same have the same policy."""
    commits = sorted(asked)
    projects = _blobs(site, commits, PROJECT_FILES)
    groups: dict[tuple[str, ...], list[str]] = {}
    for commit in commits:
        groups.setdefault(projects[commit], []).append(commit)
    for alike in groups.values():
        try:
            project = load_project(site.repository.tree(alike[0]))
        except CannotWork:
            continue
        files = _blobs(site, alike, (project.workflow, project.approvers))
        first: dict[tuple[tuple[str, ...], str], Policy] = {}
        for commit in alike:
            for name in asked[commit]:
                key = (files[commit], name)
                try:
                    if key not in first:
                        first[key] = policy_at(site, commit, name)
                    site.policies[commit, name] = replace(first[key], commit=commit)
                except CannotWork:
                    # said where the plan is checked
                    continue


def _blobs(site: Site, commits: Sequence[str], paths: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what some paths are in some commits."""
    raw = "".join(f"{commit}:{path}\n" for commit in commits for path in paths).encode("utf-8", "surrogateescape")
    answers = site.repository.run("cat-file", "--batch-check", input=raw).text.splitlines() if raw else []
    # a missing one is told by the name that was asked for, which says no more than that
    told = ["" if answer.endswith(" missing") else answer for answer in answers]
    width = len(paths)
    return {commit: tuple(told[at * width : (at + 1) * width]) for at, commit in enumerate(commits)}


def _check_signatures(site: Site, ledgers: Mapping[str, Sequence[Event]]) -> None:
    """Check all signatures, several at once: each is a process of its own."""
    work = []
    for name, events in ledgers.items():
        plans: dict[str, str] = {}
        for event in events:
            if "plan" in event.data:
                plans[event.promotion] = str(event.data["plan"]["policy"]["commit"])
            policy = site.policies.get((plans.get(event.promotion, ""), name))
            if event.kind in SIGNED_KINDS and policy is not None:
                work.append((event, policy.approvers))
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for _ in pool.map(lambda pair: verify_statement(*pair), work):
            continue
