"""A Git repository: reading its objects and making new ones, never touching work tree, index or branches."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass
from f0ci.git import commits, history, trees
from f0ci.git.objects import (
    CommitInfo,
    Identity,
    TreeEntry,
    parse_batch,
    parse_identity,
    parse_listing,
)
from f0ci.git.opening import locate
from f0ci.git.process import Completed, failed, git_says, run_git
from f0ci.git.reading import Found, ObjectReader

if TYPE_CHECKING:
    from f0ci.git.commit_tree import CommitTree

_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
# how many trees are kept in memory with what was read of them
_TREES = 8

__all__ = ["CommitInfo", "Completed", "Identity", "Repository", "TreeEntry"]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk: a clone, a linked work tree, or a bare one.

    Attributes:
        git_dir: where its objects and refs are; of a linked work tree, its own folder in there.
        work_tree: the top of the work tree, None for a bare repository.
        reader: reads its objects.
        trees: the files of trees that were asked for last, by id: what they hold never changes.
    """

    git_dir: Path
    work_tree: Path | None
    reader: ObjectReader = field(default_factory=ObjectReader, repr=False, compare=False)
    trees: dict[str, CommitTree] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Return the repository that a folder belongs to.

        Raises:
            GitError: there is none, Git does not trust it, or there is no git executable.
        """
        return cls(*locate(path))

    @property
    def root(self) -> Path:
        """Return the top of the work tree.

        Raises:
            GitError: the repository is bare.
        """
        if self.work_tree is None:
            raise GitError(
                f"{str(self.git_dir)!r} is a bare repository, which has no files", "run the command in a clone of it"
            )
        return self.work_tree

    def run(
        self,
        *args: str,
        input: bytes | None = None,  # noqa: A002 - the name that the standard library uses for it
        env: Mapping[str, str] | None = None,
        check: bool = True,
    ) -> Completed:
        """Run git in the repository.

        Args:
            args: what follows `git`.
            input: standard input.
            env: additions to the environment.
            check: whether a failure is an error.

        Raises:
            GitError: git failed and `check` is set, or there is no git executable.
        """
        answer = run_git(args, folder=self.work_tree or self.git_dir, content=input, env=env)
        if check and answer.code != 0:
            raise failed(args, answer)
        return answer

    def resolve(self, rev: str) -> str | None:
        """Return the id of the object (commit, tag, tree or blob) that a name means, None when there is none."""
        if not rev or "\n" in rev or "\0" in rev:
            return None
        found = next(self.read_objects([rev]))
        return found[1] if found else None

    def commit_of(self, rev: str) -> str | None:
        """Return the id of the commit that a name means, through tags, None when there is none."""
        return self._peel(rev, "commit")

    def tree_of(self, rev: str) -> str | None:
        """Return the id of a commit's tree, None when there is none."""
        return self._peel(rev, "tree")

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Return the content of blobs by id, read in one call.

        Raises:
            GitError: one of them is not in this repository.
        """
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        found: dict[str, bytes] = {}
        for oid, answer in zip(wanted, self.read_objects(wanted), strict=True):
            if answer is None:
                raise GitError(
                    f"object {oid!r} is not in this repository", "check it with `git fsck`; fetch what is missing"
                )
            kind, _, found[oid] = answer
            if kind != "blob":
                raise GitError(f"object {oid!r} is a {kind}, not a file")
        return found

    def read_objects(self, names: Sequence[str]) -> Iterator[Found | None]:
        """Yield kind, id and content of each named object, None for one that is missing.

        Args:
            names: as Git writes them; ids, and what begins with one, are asked of a process that stays.
        """
        return self.reader.read(self.work_tree or self.git_dir, names, self._read_alone)

    @property
    def common_dir(self) -> Path:
        """Return Git's own folder, which linked work trees share."""
        said = self.git_dir / "commondir"
        try:
            return (self.git_dir / said.read_text(encoding="utf-8").strip()).resolve()
        except OSError:
            return self.git_dir

    def read_files(self, rev: str, paths: Sequence[str]) -> dict[str, bytes]:
        """Return the bytes of files of a commit by path, read in one call.

        Raises:
            GitError: there is no such commit, or one of the files is not in it.
        """
        commit = self._require(rev, "tree")
        found: dict[str, bytes] = {}
        for path, answer in zip(paths, self.read_objects([f"{commit}:{path}" for path in paths]), strict=True):
            if answer is None or answer[0] != "blob":
                raise GitError(f"there is no file {path!r} in commit {rev!r}", "check it with `git fsck`")
            found[path] = answer[2]
        return found

    def list_files(self, rev: str, prefix: str = "") -> tuple[TreeEntry, ...]:
        """Return every file of a commit or tree, or those at and below a path, submodules included.

        Raises:
            GitError: there is no such commit.
        """
        limit = ["--", prefix.strip("/")] if prefix.strip("/") else []
        # asked at once: only a failure has to find out whether there is such a commit
        name = self._require(rev, "tree") if rev.startswith("-") else rev
        answer = self.run("ls-tree", "-r", "-z", "--full-tree", name, *limit, check=False)
        if answer.code != 0:
            self._require(rev, "tree")
            raise failed(("ls-tree",), answer)
        return parse_listing(answer.out)

    def tree(self, rev: str) -> CommitTree:
        """Return the files of a commit as a source tree.

        Raises:
            GitError: there is no such commit.
        """
        from f0ci.git.commit_tree import CommitTree

        oid = self._require(rev, "tree")
        known = self.trees.pop(oid, None)
        tree = CommitTree(self, oid, f"commit {rev!r}")
        if known is not None:
            tree.preload(known.entries, known.content)
        elif len(self.trees) >= _TREES:
            del self.trees[next(iter(self.trees))]
        self.trees[oid] = tree
        return tree

    def write_blobs(self, contents: Sequence[bytes]) -> tuple[str, ...]:
        """Store contents and return their ids in order."""
        return trees.write_blobs(self, contents)

    def write_tree(self, files: Mapping[str, bytes | TreeEntry | None], base: str | None = None) -> str:
        """Store a tree and return its id.

        Args:
            files: content by path, an entry to take over, or None to leave out the file or folder that
                `base` has at the path.
            base: a tree or commit whose other files are kept; none are when None.

        Raises:
            GitError: a path cannot be stored, or is both a file and a folder.
        """
        return trees.write_tree(self, files, base)

    def commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: str,
        *,
        author: Identity | None = None,
        time: datetime | None = None,
    ) -> str:
        """Store a commit and return its id; it is signed when the user's Git signs commits.

        Args:
            tree: id of its tree.
            parents: ids of its parents.
            message: with trailers at its end.
            author: who wrote it; the user when None.
            time: when it was written and committed; now when None.

        Raises:
            GitError: Git does not know who the user is, or cannot sign.
        """
        return commits.write_commit(self, tree, parents, message, author, time)

    def tag(self, name: str, commit: str, message: str, *, time: datetime | None = None) -> str:
        """Store an annotated tag object and return its id; no ref is made, `RefStore.push` makes it.

        It is signed when the user's Git signs tags, or signs commits and says nothing of tags.

        Raises:
            GitError: there is no such commit, Git does not know who the user is, or cannot sign.
        """
        return commits.write_tag(self, name, self._require(commit, "commit"), message, time)

    def log(self, range: str, paths: Sequence[str] = ()) -> tuple[CommitInfo, ...]:  # noqa: A002 - Git calls it so
        """Return the commits of a range, newest first and children before parents.

        Args:
            range: as Git writes it: `main`, `a..b`, `a ^b`.
            paths: only commits that change one of these.

        Raises:
            GitError: there is no such range.
        """
        return history.log(self, range, paths)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether one commit is reachable from another, or is the same.

        Raises:
            GitError: one of them is not in this repository.
        """
        return history.is_ancestor(self, ancestor, descendant)

    def merge_base(self, one: str, other: str) -> str | None:
        """Return a newest common ancestor of two commits, None when there is none.

        Raises:
            GitError: one of them is not in this repository.
        """
        return history.merge_base(self, one, other)

    def is_dirty(self, paths: Sequence[str] = ()) -> bool:
        """Tell whether the work tree (or these paths in it) differs from the commit, files not yet added included."""
        limit = [f":(top,literal){path}" for path in paths]
        return bool(self._in_work_tree("status", "--porcelain", "-z", "--untracked-files=normal", "--", *limit).out)

    def is_shallow(self) -> bool:
        """Tell whether history ends where the clone was cut off."""
        try:
            return (self.common_dir / "shallow").stat().st_size > 0
        except OSError:
            return False

    def identity(self) -> Identity:
        """Return the user as Git names them.

        Raises:
            GitError: Git does not know.
        """
        return parse_identity(commits.identity_line(self, {}))

    def config(self, key: str, *, kind: str | None = None) -> str | None:
        """Return a setting of Git, None when it is not set.

        Args:
            key: such as `user.name`.
            kind: how Git is to read it: `bool`, `int` or `path`.

        Raises:
            GitError: the setting is malformed.
        """
        answer = self.run("config", *([f"--type={kind}"] if kind else []), "--get", key, check=False)
        if answer.code not in {0, 1}:
            raise GitError(
                f"git cannot read its setting {key!r}: {git_says(answer.err)}", f"look at it with `git config {key}`"
            )
        return answer.text if answer.code == 0 else None

    def flag(self, key: str) -> bool:
        """Tell whether a yes-or-no setting of Git is set to yes."""
        return self.config(key, kind="bool") == "true"

    def remotes(self) -> tuple[str, ...]:
        """Return the names of the remotes, sorted."""
        return tuple(sorted(self.run("remote").text.split()))

    def default_branch(self, remote: str | None) -> str | None:
        """Return the default branch of a remote, or of this repository, as a full ref name that can be read here.

        What was fetched for f0ci counts before what the user fetched. None when the branch is not known here.
        """
        from f0ci.git.branches import default_branch

        return default_branch(self, remote)

    def checkout_to(self, rev: str, folder: Path, paths: Sequence[str] = ()) -> None:
        """Write the files of a commit into an empty folder: exact bytes, no `.git`, no credentials.

        Args:
            rev: the commit.
            folder: made when it does not exist.
            paths: only these files, and those below these folders.

        Raises:
            GitError: there is no such commit or path, or the folder is not empty.
        """
        from f0ci.git.export import export

        export(self, self._require(rev, "tree"), folder, paths)

    def _in_work_tree(self, *args: str) -> Completed:
        answer = run_git(args, folder=self.root)
        if answer.code != 0:
            raise failed(args, answer)
        return answer

    def _read_alone(self, names: Sequence[str]) -> Iterator[Found | None]:
        # rev-parse would take any forty digits for an object that exists
        asked = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
        # nobody reads along, so nothing is gained by handing over each answer by itself
        return parse_batch(self.run("cat-file", "--batch", "--buffer", input=asked).out, len(names))

    def _peel(self, rev: str, kind: str) -> str | None:
        # after a colon, what follows would be part of the path
        name = self.resolve(rev) if ":" in rev else rev
        # a name that looks like an option names nothing
        if not name or name.startswith("-") or "\n" in name or "\0" in name:
            return None
        if _ID.fullmatch(name):
            found = next(self.read_objects([f"{name}^{{{kind}}}"]))
            return found[1] if found else None
        answer = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{{kind}}}", check=False)
        return answer.text if answer.code == 0 and answer.text else None

    def _require(self, rev: str, kind: str) -> str:
        found = self._peel(rev, kind)
        if found is None:
            raise GitError(f"there is no commit {rev!r} in this repository", "check the name, or fetch it first")
        return found
