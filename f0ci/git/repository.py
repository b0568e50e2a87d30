"""A Git repository: reading its objects and making new ones, never touching work tree, index or branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from f0ci.core.errors import GitError
from f0ci.git import commits, trees
from f0ci.git.objects import (
    LOG_FORMAT,
    CommitInfo,
    Identity,
    TreeEntry,
    parse_batch,
    parse_identity,
    parse_listing,
    parse_log,
)
from f0ci.git.process import Completed, git_says, run_git

if TYPE_CHECKING:
    from f0ci.git.commit_tree import CommitTree

__all__ = ["CommitInfo", "Completed", "Identity", "Repository", "TreeEntry"]


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on disk: a clone, a linked work tree, or a bare one.

    Attributes:
        git_dir: where its objects and refs are; of a linked work tree, its own folder in there.
        work_tree: the top of the work tree, None for a bare repository.
    """

    git_dir: Path
    work_tree: Path | None

    @classmethod
    def open(cls, path: Path) -> Repository:
        """Return the repository that a folder belongs to.

        Raises:
            GitError: there is none, Git does not trust it, or there is no git executable.
        """
        if not path.is_dir():
            raise GitError(f"there is no folder {str(path)!r}", "name a folder inside a Git repository")
        asked = ("--absolute-git-dir", "--is-bare-repository", "--is-inside-work-tree", "--show-cdup")
        answer = run_git(["rev-parse", *asked], folder=path)
        if answer.code != 0:
            raise _cannot_open(path, answer.err)
        lines = answer.text.split("\n")
        if lines[2] == "true":
            return cls(Path(lines[0]), (path / lines[3]).resolve())
        if lines[1] != "true":
            raise GitError(
                f"{str(path)!r} lies inside a '.git' folder", "run the command in the repository's work tree"
            )
        return cls(Path(lines[0]), None)

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
            raise _failed(args, answer)
        return answer

    def resolve(self, rev: str) -> str | None:
        """Return the id of the object (commit, tag, tree or blob) that a name means, None when there is none."""
        if "\n" in rev or "\0" in rev:
            return None
        # rev-parse would take any forty digits for an object that exists
        answer = self.run(
            "cat-file", "--batch-check=%(objectname)", input=f"{rev}\n".encode("utf-8", "surrogateescape")
        )
        return None if answer.text.endswith((" missing", " ambiguous")) else answer.text

    def commit_of(self, rev: str) -> str | None:
        """Return the id of the commit that a name means, through tags, None when there is none."""
        return self._peel(rev, "commit")

    def tree_of(self, rev: str, path: str = "") -> str | None:
        """Return the id of a commit's tree, or of the folder at a path in it, None when there is none."""
        root = self._peel(rev, "tree")
        folder = path.strip("/")
        if root is None or not folder:
            return root
        listed = parse_listing(self.run("ls-tree", "-z", "-d", "--full-tree", root, "--", folder).out)
        return next((entry.oid for entry in listed if entry.path == folder), None)

    def read_file(self, rev: str, path: str) -> bytes | None:
        """Return the bytes of a file in a commit, None when there is no such commit or file."""
        tree = self.tree_of(rev)
        if tree is None:
            return None
        entry = next((entry for entry in self.list_files(tree, path) if entry.path == path), None)
        return self.read_blobs([entry.oid])[entry.oid] if entry is not None else None

    def read_blobs(self, oids: Iterable[str]) -> dict[str, bytes]:
        """Return the content of blobs by id, read in one call.

        Raises:
            GitError: one of them is not in this repository.
        """
        wanted = list(dict.fromkeys(oids))
        if not wanted:
            return {}
        raw = self.run("cat-file", "--batch", input="".join(f"{oid}\n" for oid in wanted).encode()).out
        found: dict[str, bytes] = {}
        for oid, content in zip(wanted, parse_batch(raw, len(wanted)), strict=True):
            if content is None:
                raise GitError(
                    f"object {oid!r} is not in this repository", "check it with `git fsck`; fetch what is missing"
                )
            found[oid] = content
        return found

    def list_files(self, rev: str, prefix: str = "") -> tuple[TreeEntry, ...]:
        """Return every file of a commit or tree, or those at and below a path, submodules included.

        Raises:
            GitError: there is no such commit.
        """
        limit = ["--", prefix.strip("/")] if prefix.strip("/") else []
        return parse_listing(self.run("ls-tree", "-r", "-z", "--full-tree", self._require(rev, "tree"), *limit).out)

    def tree(self, rev: str) -> CommitTree:
        """Return the files of a commit as a source tree.

        Raises:
            GitError: there is no such commit.
        """
        from f0ci.git.commit_tree import CommitTree

        return CommitTree(self, self._require(rev, "tree"), f"commit {rev!r}")

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
        limit = [f":(top,literal){path}" for path in paths]
        words = range.split()
        if not words or any(word.startswith("-") for word in words):
            raise GitError(f"{range!r} is not a range of commits", "write it as 'a..b'")
        quiet = ("-c", "log.showSignature=false", "-c", "log.follow=false")
        shape = ("-z", "--topo-order", "--no-patch", "--no-color", "--encoding=UTF-8", f"--format=tformat:{LOG_FORMAT}")
        return parse_log(self.run(*quiet, "log", *shape, *words, "--", *limit).out)

    def is_ancestor(self, ancestor: str, descendant: str) -> bool:
        """Tell whether one commit is reachable from another, or is the same.

        Raises:
            GitError: one of them is not in this repository.
        """
        answer = self.run("merge-base", "--is-ancestor", ancestor, descendant, check=False)
        if answer.code not in {0, 1}:
            raise _failed(("merge-base",), answer)
        return answer.code == 0

    def merge_base(self, one: str, other: str) -> str | None:
        """Return a newest common ancestor of two commits, None when there is none.

        Raises:
            GitError: one of them is not in this repository.
        """
        answer = self.run("merge-base", one, other, check=False)
        if answer.code not in {0, 1}:
            raise _failed(("merge-base",), answer)
        return answer.text or None

    def is_dirty(self, paths: Sequence[str] = ()) -> bool:
        """Tell whether the work tree (or these paths in it) differs from the commit, files not yet added included."""
        limit = [f":(top,literal){path}" for path in paths]
        return bool(self._in_work_tree("status", "--porcelain", "-z", "--untracked-files=normal", "--", *limit).out)

    def is_shallow(self) -> bool:
        """Tell whether history ends where the clone was cut off."""
        return self.run("rev-parse", "--is-shallow-repository").text == "true"

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
            raise _failed(args, answer)
        return answer

    def _peel(self, rev: str, kind: str) -> str | None:
        # after a colon, what follows would be part of the path
        name = self.resolve(rev) if ":" in rev else rev
        # a name that looks like an option names nothing
        if not name or name.startswith("-") or "\0" in name:
            return None
        answer = self.run("rev-parse", "--verify", "--quiet", f"{name}^{{{kind}}}", check=False)
        return answer.text if answer.code == 0 and answer.text else None

    def _require(self, rev: str, kind: str) -> str:
        found = self._peel(rev, kind)
        if found is None:
            raise GitError(f"there is no commit {rev!r} in this repository", "check the name, or fetch it first")
        return found


def _cannot_open(path: Path, err: str) -> GitError:
    if "dubious ownership" in err:
        return GitError(
            f"git does not trust the repository at {str(path)!r}, which belongs to somebody else",
            f"git config --global --add safe.directory {path.resolve()}",
        )
    if "not a git repository" in err:
        return GitError(
            f"{str(path)!r} is not in a Git repository", "make one with `git init`, or run the command in one"
        )
    return GitError(f"git cannot open {str(path)!r}: {git_says(err)}")


def _failed(args: Sequence[str], answer: Completed) -> GitError:
    from f0ci.core.redaction import Redactor

    words = [word for word, before in zip(args, ("", *args), strict=False) if word != "-c" and before != "-c"]
    hint = "f0ci needs Git 2.30 or newer; see `git version`" if answer.code == 129 else None
    return GitError(f"`git {words[0]}` failed: {Redactor().text(git_says(answer.err))}", hint)
