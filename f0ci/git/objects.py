"""What Git stores, as values, and the reading of what its plumbing prints; everything here is pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime

from f0ci.core.errors import GitError
from f0ci.core.values import dataclass

FILE_MODE = "100644"
EXECUTABLE_MODE = "100755"
LINK_MODE = "120000"
FOLDER_MODE = "040000"
SUBMODULE_MODE = "160000"

# one record: this, a NUL, the message, a NUL; neither part can hold a NUL
LOG_FORMAT = "%H%n%P%n%T%n%an%n%ae%n%cn%n%ce%n%ct%n%(trailers:only,unfold)%x00%B"
_LOG_FIELDS = 8
_IDENT = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)>")
# the last second that datetime can tell
_LAST_SECOND = 253402300799


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody as Git names them."""

    name: str
    email: str

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """A file of a commit.

    Attributes:
        mode: six octal digits.
        oid: id of its object.
        path: from the repository's root, with forward slashes.
    """

    mode: str
    oid: str
    path: str

    @property
    def is_file(self) -> bool:
        """Tell whether it is a regular file, executable or not."""
        return self.mode in {FILE_MODE, EXECUTABLE_MODE, "100664"}


@dataclass(frozen=True, slots=True)
class CommitInfo:
    """A commit.

    Attributes:
        oid: its id.
        parents: ids of its parents; empty too where a shallow clone ends.
        tree: id of its tree.
        author: who wrote it.
        committer: who committed it.
        time: when it was committed, in UTC.
        message: the whole message.
        trailers: (key, value) of the lines at its end, in order.
    """

    oid: str
    parents: tuple[str, ...]
    tree: str
    author: Identity
    committer: Identity
    time: datetime
    message: str
    trailers: tuple[tuple[str, str], ...]


def parse_identity(text: str) -> Identity:
    """Return who a line such as `Alice Example <alice@example.com> 1700000000 +0000` names."""
    match = _IDENT.match(text)
    if match is None:
        raise GitError(f"git named nobody in {text!r}")
    return Identity(match["name"], match["email"])


def parse_listing(raw: bytes) -> tuple[TreeEntry, ...]:
    """Return the entries that `ls-tree -z` printed."""
    entries = []
    for record in raw.split(b"\0"):
        if record:
            head, _, path = record.partition(b"\t")
            mode, _, oid = head.decode("ascii").split(" ")
            entries.append(TreeEntry(mode, oid, _text(path)))
    return tuple(entries)


def parse_tree_object(raw: bytes, oid_length: int) -> dict[str, TreeEntry]:
    """Return the entries of a tree object by name.

    Args:
        raw: the object's bytes: `mode SP name NUL id`, one after the other.
        oid_length: bytes of an object id, 20 or 32.
    """
    entries: dict[str, TreeEntry] = {}
    at = 0
    while at < len(raw):
        space = raw.index(b" ", at)
        end = raw.index(b"\0", space)
        mode = raw[at:space].decode("ascii").zfill(6)
        name = _text(raw[space + 1 : end])
        at = end + 1 + oid_length
        entries[name] = TreeEntry(mode, raw[end + 1 : at].hex(), name)
    return entries


def parse_batch(raw: bytes, count: int) -> Iterator[tuple[str, str, bytes] | None]:
    """Yield kind, id and content of each object that `cat-file --batch` printed, None for one that is missing.

    Args:
        raw: its output.
        count: how many objects were asked for.
    """
    at = 0
    for _ in range(count):
        end = raw.index(b"\n", at)
        head = raw[at:end]
        at = end + 1
        if head.endswith((b" missing", b" ambiguous")):
            yield None
            continue
        oid, kind, size = head.decode("ascii").split(" ")
        yield kind, oid, raw[at : at + int(size)]
        at += int(size) + 1


def parse_log(raw: bytes) -> tuple[CommitInfo, ...]:
    """Return the commits that `log -z` printed in `LOG_FORMAT`."""
    parts = raw.split(b"\0")
    return tuple(_commit(_text(head), _text(message)) for head, message in zip(parts[::2], parts[1::2], strict=False))


def _commit(head: str, message: str) -> CommitInfo:
    oid, parents, tree, author, author_email, committer, committer_email, seconds, *rest = head.split("\n")
    pairs = (line.partition(":") for line in rest if ":" in line)
    return CommitInfo(
        oid=oid,
        parents=tuple(parents.split()),
        tree=tree,
        author=Identity(author, author_email),
        committer=Identity(committer, committer_email),
        time=datetime.fromtimestamp(min(int(seconds), _LAST_SECOND), UTC),
        message=message,
        trailers=tuple((key.strip(), value.strip()) for key, _, value in pairs),
    )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
