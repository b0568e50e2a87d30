"""The CI-neutral pipeline: what is done, in which order, with which rights; a writer turns it into files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any


class Kind(StrEnum):
    """What a job is for."""

    VALIDATE = "validate"
    TASK = "task"
    RELEASE = "release"
    PLAN = "plan"
    PROMOTE = "promote"
    CONTINUE = "continue"
    ROLLBACK = "rollback"


class When(StrEnum):
    """What starts a job."""

    CHANGE = "change"  # every change and every proposal of one
    DEFAULT_BRANCH = "default-branch"  # a change of the default branch
    SCHEDULE = "schedule"  # from time to time, or by hand
    BY_HAND = "by-hand"  # by hand alone


@dataclass(frozen=True, slots=True)
class Command:
    """Something a task job runs.

    Attributes:
        title: what it is called in logs.
        run: the command as the workflow binds it, or None where the workflow does not say.
        stanza: what to add to the workflow where it does not say.
    """

    title: str
    run: str | None
    stanza: str


@dataclass(frozen=True, slots=True)
class Install:
    """How jobs get f0ci.

    Attributes:
        kind: `package`, `action`, `command`, `wheel` or `preinstalled`.
        value: a version, `./` or `owner/repository@ref`, a command, the path or address of a wheel, or nothing.
        sha256: digest of the wheel, 64 hex digits, or empty.
    """

    kind: str = "package"
    value: str = ""
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Cache:
    """What a job keeps for its next run.

    Attributes:
        paths: files and folders of the work tree.
        key: files whose content the cache belongs to.
    """

    paths: tuple[str, ...]
    key: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One unit of a pipeline.

    Attributes:
        id: unique, also where case does not count; a letter, then letters, digits, `-` and `_`.
        title: for people.
        kind: what it is for.
        when: what starts it.
        needs: ids of jobs that must have succeeded; one that leaves a promotion waiting has.
        arrived: ids of promoting jobs whose release must have arrived; waiting is not enough.
        environment: the workflow's name of the environment it changes, or None.
        pushes: True where it writes to Git and so needs a token.
        minutes: it is ended after this long.
        commands: what a task runs, in order.
        before: what else runs before its work, without the token.
        after: what else runs after its work, where that went well, without the token.
        matrix: variables whose every combination runs a task once.
        cache: what a task keeps for its next run, or None.
        wait: how long a promotion holds its runner while it waits, such as `30m`, or empty.
        plan: id of the job that showed the plan which this promotion carries out, or empty.
        secrets: variables that it hands to what it runs, each called like its entry in the secret store.
        rounds: how often it hands work that runs code of the repository to a job without a token; 0 where it never
            has any.
    """

    id: str
    title: str
    kind: Kind
    when: When
    needs: tuple[str, ...] = ()
    environment: str | None = None
    pushes: bool = False
    minutes: int = 15
    commands: tuple[Command, ...] = ()
    before: tuple[Command, ...] = ()
    after: tuple[Command, ...] = ()
    matrix: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cache: Cache | None = None
    wait: str = ""
    plan: str = ""
    arrived: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    rounds: int = 0


@dataclass(frozen=True)
class Pipeline:
    """Everything that happens between a change and production.

    Attributes:
        name: the workflow's.
        workflow: path of the workflow.
        source: SHA-256 of the workflow's canonical content, 64 hex digits.
        install: how jobs get f0ci.
        environments: the workflow's names, in order.
        approvals: environments that wait for people.
        jobs: in order.
        secrets: variables that deploy recipes and metrics read, by environment.
        strict: environments whose approvals need every author known, the pipeline among them.
        options: settings of each CI system, as `spec.pipelines` writes them.
    """

    name: str
    workflow: str
    source: str
    install: Install
    environments: tuple[str, ...]
    approvals: tuple[str, ...]
    jobs: tuple[Job, ...] = field(default=())
    secrets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    strict: tuple[str, ...] = ()
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def option(self, system: str, name: str, default: Any = None, *, job: str | None = None) -> Any:
        """Return a setting of a CI system: of one job, else of all, else the default."""
        settings = self.options.get(system, {})
        of_job = settings.get("jobs", {}).get(job, {}) if job is not None else {}
        return of_job.get(name, settings.get(name, default))

    @cached_property
    def numbers(self) -> Mapping[str, int]:
        """Which place each job has, by id: a number stands in names of variables, where a hyphen may not."""
        return {job.id: number for number, job in enumerate(self.jobs)}

    @cached_property
    def awaited(self) -> Mapping[str, tuple[str, ...]]:
        """The promotions whose arrival a job has to ask about where a system starts it in any case, by id.

        They stand for all that the job, or one that it needs, waits for: a promotion that is left out tells of no
        arrival, so the last promotion of a chain tells of those before it too.
        """
        jobs = {job.id: job for job in self.jobs}
        every: dict[str, frozenset[str]] = {}
        for name in TopologicalSorter({job.id: job.needs for job in self.jobs}).static_order():
            job = jobs[name]
            every[name] = frozenset(job.arrived).union(*(every[needed] for needed in job.needs))
        return {job.id: tuple(sorted(_last(every[job.id], every), key=self.numbers.__getitem__)) for job in self.jobs}

    @cached_property
    def telling(self) -> frozenset[str]:
        """The promotions whose arrival another job asks about."""
        return frozenset(name for names in self.awaited.values() for name in names)

    def set_up(self) -> tuple[str, ...]:
        """Return what lies outside the generated files and has to be made once, for every system."""
        known = (
            f"the address that jobs commit with among the people of the approvers file: {name!r} says "
            "'not_author: strict', and jobs request its promotions"
            for name in self.strict
        )
        return (
            *known,
            "a rule that forbids force pushes to and deletion of the branches 'env/*' and 'f0ci/ledger/*'",
            "leave for the pipeline's token to push to those branches and to make the tags 'f0ci/release/*'",
        )


def _last(promotions: frozenset[str], every: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return promotions without those that another one of them waits for."""
    return promotions.difference(*(every[name] for name in promotions))
