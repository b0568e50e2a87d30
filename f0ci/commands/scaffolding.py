"""Setting up a repository, as a function for people who embed f0ci."""

from __future__ import annotations

import keyword
import re
import unicodedata
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from f0ci.core.errors import CannotWork, GitError, UsageError
from f0ci.core.files import write_atomically

# names that packaging tools treat specially are stored without their dot
_RENAMED = {"gitignore": ".gitignore", "pre-commit-config.yaml": ".pre-commit-config.yaml"}
_IGNORE = ".gitignore"
APPROVERS = ".f0ci/approvers.yaml"
# stands for the address of somebody whom Git does not know
NOBODY = "you@example.com"
KEY_COMMANDS = (
    "ssh-keygen -t ed25519 -f ~/.ssh/f0ci_signing -N ''",
    "git config --global gpg.format ssh && git config --global user.signingkey ~/.ssh/f0ci_signing.pub",
)


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What `init` did.

    Attributes:
        written: files that are new.
        kept: files that were there already and stay as they are.
        ignored: lines that were added to a `.gitignore` that was there already.
        person: short name of the user in the approvers file, None where it is kept and does not list them.
        key: the user's public signing key, or None where Git has none.
        in_git: False where the folder is in no Git repository yet.
        has_key: whether the approvers file lists the user's key.
        identity: the user's address, as Git is set to.
        needs_another: whether the workflow that was written wants an approval that the only person listed cannot give.
    """

    written: tuple[str, ...]
    kept: tuple[str, ...]
    person: str | None
    key: str | None
    in_git: bool
    has_key: bool
    identity: str
    needs_another: bool = False
    ignored: tuple[str, ...] = ()


def example_names() -> tuple[str, ...]:
    """Return the names of the examples that `scaffold` can write."""
    return tuple(sorted(one.name for one in (resources.files("f0ci.commands") / "examples").iterdir() if one.is_dir()))


def scaffold(folder: Path, *, example: str | None = None, overwrite: bool = False) -> Scaffold:
    """Write a small working repository into a folder; files that exist stay, but for what `.gitignore` has to list.

    Args:
        folder: where; made where it does not exist.
        example: name of an example; None for the smallest repository that shows everything.
        overwrite: also replace files that exist.

    Raises:
        UsageError: there is no such example.
        CannotWork: a file cannot be written, or a branch is checked out that f0ci writes.
    """
    if example is not None and example not in example_names():
        raise UsageError(f"there is no example {example!r}", f"there are {', '.join(example_names())}")
    if folder.exists() and not folder.is_dir():
        raise CannotWork(f"{str(folder)!r} is a file, not a folder", "name a folder")
    name, email, key, in_git = _user(folder)
    if in_git:
        from f0ci.git.branches import refuse_own_branch
        from f0ci.git.repository import Repository

        refuse_own_branch(Repository.open(folder))
    person = _slug(name or email.partition("@")[0])
    inside = resources.files("f0ci.commands")
    files = dict(_files(inside / "examples" / example if example else inside / "scaffold"))
    files[APPROVERS] = approvers_text(person, email, key).encode()
    written, kept = [], []
    ignored: tuple[str, ...] = ()
    for path, content in sorted(files.items()):
        if path == _IGNORE and (folder / path).is_file() and not overwrite:
            ignored = _ignore_also(folder / path, content.decode())
            kept += [] if ignored else [path]
            continue
        if (folder / path).exists() and not overwrite:
            kept.append(path)
            continue
        write_atomically(folder / path, content)
        written.append(path)
    listed, has_key = _listed(folder, email, key) if APPROVERS in kept else (person, key is not None)
    alone = APPROVERS in written and "workflow.yaml" in written and b"approval_required: true" in files["workflow.yaml"]
    return Scaffold(tuple(written), tuple(kept), listed, key, in_git, has_key, email, alone, ignored)


def _ignore_also(path: Path, wanted: str) -> tuple[str, ...]:
    """Add the lines that are missing to a `.gitignore`, and return them.

    Without them what recipes write would stand in the work tree for somebody to commit, and a metric that reads such a
    file would be taken for a misspelt one where it is not there yet.
    """
    try:
        there = path.read_bytes().decode("utf-8", "surrogateescape")
        known = {line.strip() for line in there.splitlines()}
        missing = [line for line in wanted.splitlines() if line not in known]
        added = tuple(line for line in missing if line and not line.startswith("#"))
        if added:
            start = there if there.endswith("\n") or not there else f"{there}\n"
            text = start + "".join(f"{line}\n" for line in missing)
            write_atomically(path, text.encode("utf-8", "surrogateescape"))
    except OSError as error:
        raise CannotWork(f"cannot read {str(path)!r}: {error.strerror}", "check its rights") from error
    return added


def _listed(folder: Path, email: str, key: str | None) -> tuple[str | None, bool]:
    """Return under which name a kept approvers file lists an address, and whether with a key."""
    from f0ci.promotion.approvers import read_approvers

    try:
        approvers = read_approvers(APPROVERS, (folder / APPROVERS).read_bytes())
    except (OSError, CannotWork):
        # `f0ci validate` says what is wrong with it
        return None, False
    name = approvers.person_of(email)
    keys = approvers.people[name].keys if name else ()
    return name, key is not None and any(key.split()[:2] == known.split()[:2] for known in keys)


def approvers_text(person: str, email: str, key: str | None) -> str:
    """Return the approvers file for one person; without a key it says how to make one."""
    lines = [
        "# Who may approve promotions, and the keys that prove it was them.",
        "# The file of the newest successful release judges the next one, so nobody can add themselves on the way.",
    ]
    if key is None:
        lines += [
            "# Git has no signing key here. Make one with these two commands, then put the public key under `keys`:",
            *(f"#   {command}" for command in KEY_COMMANDS),
        ]
    lines += ["version: 1", "people:", f"  {person}:", f"    emails: [{_quoted(email)}]"]
    lines += ["    keys:", f"      - {key}"] if key else ["    keys: []"]
    lines += ["groups:", f"  release-managers: [{person}]"]
    return "\n".join(lines) + "\n"


def _files(folder: Traversable, prefix: str = "") -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in folder.iterdir():
        path = f"{prefix}{_RENAMED.get(entry.name, entry.name)}"
        if entry.is_dir():
            if entry.name != "__pycache__":
                found.extend(_files(entry, f"{path}/"))
        else:
            found.append((path, entry.read_bytes()))
    return found


def _user(folder: Path) -> tuple[str, str, str | None, bool]:
    from f0ci.git.repository import Repository
    from f0ci.git.signatures import signing_key

    try:
        repository = Repository.open(folder)
    except GitError:
        return "", NOBODY, None, False
    try:
        identity = repository.identity()
    except GitError:
        return "", NOBODY, None, True
    try:
        key = signing_key(repository)
    except GitError:
        key = None
    return identity.name, identity.email, key, True


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    return slug or "you"


def _quoted(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def scaffold_scriptlet(folder: Path, name: str) -> tuple[str, ...]:
    """Write a scriptlet, its test and a recipe that uses it; return the files' paths.

    Args:
        folder: the repository.
        name: of the scriptlet: `load_numbers`, `load-numbers` and `LoadNumbers` are the same.

    Raises:
        UsageError: the name cannot be a module's.
        CannotWork: one of the files exists, or cannot be written.
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)
    module = "_".join(words).lower()
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or not module.isidentifier() or keyword.iskeyword(module):
        raise UsageError(f"a scriptlet cannot be called {name!r}", "use letters, digits and _, as in load_numbers")
    title = " ".join(words).lower()
    values = {
        "NAME": module,
        "CLASS": "".join(word[0].upper() + word[1:] for word in words),
        "TITLE": title[0].upper() + title[1:],
    }
    source = resources.files("f0ci.commands") / "scriptlet"
    targets = {
        f"scriptlets/{module}.py": "scriptlet.py.txt",
        f"tests/test_{module}.py": "test.py.txt",
        f"recipes/{module}.yaml": "recipe.yaml.txt",
    }
    for path in targets:
        if (folder / path).exists():
            raise CannotWork(f"there is a file {path!r} already", "choose another name, or remove the file")
    written = []
    if not (folder / "scriptlets/__init__.py").exists():
        write_atomically(folder / "scriptlets/__init__.py", b"")
        written.append("scriptlets/__init__.py")
    for path, template in targets.items():
        text = (source / template).read_text(encoding="utf-8")
        write_atomically(folder / path, re.sub(r"@([A-Z]+)@", lambda match: values[match[1]], text).encode())
        written.append(path)
    return tuple(written)
