"""What promotions of one repository work with."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.clock import Clock
from f0ci.core.errors import GitError, InputError, UsageError
from f0ci.core.suggestions import did_you_mean
from f0ci.promotion.ledger import EVERYTHING, LedgerStore
from f0ci.promotion.memory import Memory
from f0ci.promotion.names import RELEASE_TAGS, SHORT, Names
from f0ci.promotion.releases import Release, find_release, list_releases, require_release
from f0ci.source.project import Project, load_project
from f0ci.source.tree import DirectoryTree
from f0ci.workflows.model import Workflow, WorkflowEnvironment

if TYPE_CHECKING:
    from f0ci.git.commit_graph import CommitGraph
    from f0ci.git.refs import RefStore
    from f0ci.git.repository import Repository
    from f0ci.promotion.errands import Apart
    from f0ci.promotion.plan import Content
    from f0ci.promotion.policy import Policy
    from f0ci.promotion.state import Promotion


@dataclass(frozen=True, slots=True)
class Site:
    """A repository with its remote, settings and ledgers.

    Attributes:
        root: the work tree.
        repository: its objects.
        refs: its remote's refs, or its own where there is no remote.
        project: settings of the work tree.
        workflow: the workflow of the work tree.
        names: ref names.
        store: its ledgers.
        clock: the time.
        policies: what commits hold, by commit and environment, once it was read.
        contents: what releases hold, by digest, commit and environment, once it was read.
        digests: digest of the release content of commits, once it was computed.
        graphs: the history of all releases, where somebody read it at once.
        listed: every release, by the tags they were read from.
        apart: where to leave what needs to be done without a token, or None where it is done here.
    """

    root: Path
    repository: Repository
    refs: RefStore
    project: Project
    workflow: Workflow
    names: Names
    store: LedgerStore
    clock: Clock
    policies: dict[tuple[str, str], Policy] = field(default_factory=dict, repr=False, compare=False)
    contents: dict[tuple[str, str, str], Content] = field(default_factory=dict, repr=False, compare=False)
    digests: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    graphs: list[CommitGraph] = field(default_factory=list, repr=False, compare=False)
    listed: dict[tuple[tuple[str, str], ...], tuple[Release, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )
    apart: Apart | None = field(default=None, repr=False, compare=False)

    def recorded_environment(self, name: str) -> str:
        """Return the environment that a name means, also one that only its ledger knows by now.

        Raises:
            UsageError: there is none of that name.
        """
        if name in self.store.environment_names():
            return name
        return self.environment(name).name

    def environment(self, name: str) -> WorkflowEnvironment:
        """Return the workflow's environment that a name means.

        Raises:
            UsageError: the workflow has none of that name, or only another word for one, and a ledger has that name.
        """
        found = self.workflow.environment(name)
        if found is not None and found.name != name and name in self.store.environment_names():
            raise UsageError(
                f"{self.workflow.document.path!r} has no environment {name!r} any more, only its history is left; "
                f"{found.name!r} answers to that name now",
                f"say {found.name!r}, or give the environment its old name back",
            )
        if found is None:
            known = [environment.name for environment in self.workflow.environments]
            raise UsageError(
                f"{self.workflow.document.path!r} has no environment {name!r}",
                did_you_mean(name, known, noun="it has"),
            )
        return found

    def releases(self) -> tuple[Release, ...]:
        """Return every known release, oldest first."""
        tags = tuple(self.refs.list(RELEASE_TAGS).items())
        if tags not in self.listed:
            self.listed.clear()
            self.listed[tags] = list_releases(self.repository, self.refs)
        return self.listed[tags]

    def find_release(self, name: str) -> Release | None:
        """Return the release that a digest, or the beginning of one, means, or None; only its own tags are read.

        Raises:
            UsageError: the beginning fits several.
        """
        return find_release(list_releases(self.repository, self.refs, name), name) if name else None

    def require_release(self, name: str) -> Release:
        """Return the release that a digest, the beginning of one, or `latest` means.

        Raises:
            UsageError: there is none.
            InputError: its tag records no release.
        """
        found = self.find_release(name) if len(name) >= 4 and name != "latest" else None
        tag = self.names.release_tag(name.lower())
        if found is None and len(name) >= SHORT and self.refs.read(tag) is not None:
            raise InputError(
                f"the tag {tag.removeprefix('refs/tags/')!r} records no release",
                "somebody moved or replaced it: run `f0ci audit verify`, and push the right one again",
            )
        return found or require_release(self.releases(), name)

    def planned_release(self, promotion: Promotion) -> Release:
        """Return the release of a promotion that somebody asked for.

        Raises:
            InputError: its tag is gone, or records no release.
        """
        if self.find_release(promotion.release) is None and not self.refs.list(
            self.names.release_tag(promotion.release)
        ):
            name = self.names.release_tag(promotion.release).removeprefix("refs/tags/")
            raise InputError(
                f"{promotion.id!r} brings a release whose tag {name!r} is gone",
                f"push it again: `git push {self.refs.remote or '.'} {name}`; "
                f"or end the promotion: `f0ci abort {promotion.id} --reason ...`",
            )
        return self.require_release(promotion.release)

    def default_commit(self) -> str:
        """Return the commit of the default branch, whose policy judges an environment's first promotion.

        Raises:
            GitError: the repository has no commit there yet.
        """
        commit = self.store.default_tip()
        if commit is None:
            where = f"the remote {self.refs.remote!r}" if self.refs.remote else "the repository"
            raise GitError(
                f"{where} has no default branch yet",
                f"push one: `git push {self.refs.remote} HEAD`" if self.refs.remote else "make a first commit",
            )
        return commit


def open_site(
    root: Path,
    clock: Clock,
    *,
    fetch: bool = True,
    meanwhile: Callable[[], None] = lambda: None,
    apart: Apart | None = None,
) -> Site:
    """Open a repository for promotions.

    Args:
        root: the work tree.
        clock: the time.
        fetch: also ask the remote for ledgers, environments and releases.
        meanwhile: what else to do while the remote answers.
        apart: where to leave what needs to be done without a token; None does it here.

    Raises:
        GitError: no Git repository, no such remote, or the remote refuses.
        InputError: the workflow cannot be read.
    """
    from f0ci.git.branches import refuse_own_branch
    from f0ci.git.refs import RefStore
    from f0ci.git.repository import Repository
    from f0ci.workflows.reading import read_workflow

    repository = Repository.open(root)
    tree = DirectoryTree(repository.root)
    project = load_project(tree)
    if not tree.exists(project.workflow):
        refuse_own_branch(repository)
        raise InputError(
            f"there is no workflow file {project.workflow!r}",
            "make one with `f0ci init`, or name it under 'workflow' in f0ci.yaml",
        )
    remotes = repository.remotes()
    if remotes and project.remote not in remotes:
        raise GitError(
            f"there is no remote {project.remote!r}",
            f"known: {', '.join(remotes)}; name one under 'remote' in f0ci.yaml",
        )
    refs = RefStore(repository, project.remote if remotes else None, known_remotes=remotes)
    names = Names(project.branch_prefix)
    with refs.asking(EVERYTHING) if fetch else nullcontext():
        workflow = read_workflow(tree, project.workflow)
        known = tuple(environment.name for environment in workflow.environments)
        store = LedgerStore(repository, refs, names, clock, known, Memory(repository.common_dir))
        meanwhile()
        if fetch:
            store.fetch()
    return Site(repository.root, repository, refs, project, workflow, names, store, clock, apart=apart)
