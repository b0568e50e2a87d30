"""Releases: immutable, content-addressed sets of what a repository would bring into an environment."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from f0ci.core.canonical import canonical_json, digest, sha256_hex
from f0ci.core.clock import format_time, parse_time
from f0ci.core.errors import CannotWork, InputError, UsageError
from f0ci.promotion.names import RELEASE_TAGS, Names, short
from f0ci.source.project import PROJECT_FILES, Project, load_project
from f0ci.source.tree import Tree

if TYPE_CHECKING:
    from f0ci.git.refs import RefStore
    from f0ci.git.repository import Repository
    from f0ci.promotion.site import Site


@dataclass(frozen=True, slots=True)
class Release:
    """A release as its tag tells.

    Attributes:
        digest: SHA-256 over its content, 64 hex digits.
        commit: the source commit.
        created_at: when.
        created_by: `Name <email>`.
        files: how many files it holds.
        builder: what made it, such as the address of a CI run, or None where nobody said.
        sbom: where its bill of materials is, or None where nobody said.
    """

    digest: str
    commit: str
    created_at: datetime
    created_by: str
    files: int
    builder: str | None = None
    sbom: str | None = None

    @property
    def id(self) -> str:
        """Return the twelve digits by which people name it."""
        return short(self.digest)


def release_places(project: Project) -> tuple[str, ...]:
    """Return the files and folders in which the content of a release lies, there or not."""
    folders = (*project.recipes, project.environments, project.templates, *project.code)
    return (*folders, *PROJECT_FILES, project.workflow, project.approvers, project.config_schema)


def release_paths(tree: Tree, project: Project) -> tuple[str, ...]:
    """Return the files that belong to a release, sorted.

    Recipes, configuration sources, templates, workflow and code are what it brings; the approvers file belongs to it
    because the newest successful release is whose policy judges the next.

    Raises:
        InputError: the name of a file is not UTF-8, so that no digest can cover it.
    """
    folders = (*project.recipes, project.environments, project.templates, *project.code)
    files = {path for folder in folders for path in (tree.files(folder) if not tree.exists(folder) else (folder,))}
    singles = (*PROJECT_FILES, project.workflow, project.approvers, project.config_schema)
    files.update(name for name in singles if tree.exists(name))
    found = tuple(sorted(files))
    for path in found:
        if any("\ud800" <= letter <= "\udfff" for letter in path):
            raise InputError(f"the file name {path!r} is not UTF-8", "rename the file, or keep it out of the release")
    return found


def content_digest(tree: Tree, paths: Sequence[str]) -> str:
    """Return a release's digest: SHA-256 over the canonical JSON of each path with its content's SHA-256.

    The source commit is no part of it, so that the same content is the same release wherever it was committed.
    """
    return digest({"version": 1, "files": {path: sha256_hex(tree.read(path)) for path in paths}})


def newest_content(site: Site) -> str | None:
    """Return the digest of what the default branch holds, or None where there is none or it is no release content."""
    tip = site.store.default_tip()
    return None if tip is None else content_at(site, tip)


def content_at(site: Site, commit: str) -> str | None:
    """Return the digest of what a commit holds, or None where it is no release content."""
    if commit not in site.digests:
        tree = site.repository.tree(commit)
        try:
            site.digests[commit] = content_digest(tree, release_paths(tree, load_project(tree)))
        except InputError:
            return None
    return site.digests[commit]


def create_release(
    repository: Repository,
    refs: RefStore,
    names: Names,
    commit: str,
    project: Project,
    now: datetime,
    *,
    builder: str | None = None,
    sbom: str | None = None,
) -> tuple[Release, bool]:
    """Tag a commit as a release, unless its content is one already.

    Returns:
        The release, and whether it is new.

    Raises:
        CannotWork: the commit holds nothing that a release is made of.
        GitError: the tag cannot be made or pushed.
    """
    from f0ci.git.refs import PushOutcome, RefUpdate

    tree = repository.tree(commit)
    paths = release_paths(tree, project)
    if not any(path.startswith(tuple(f"{folder}/" for folder in project.recipes)) for path in paths):
        raise CannotWork(
            f"commit {commit[:10]} holds no recipe below {', '.join(map(repr, project.recipes))}",
            "commit your recipes, or name their folders under 'recipes' in f0ci.yaml",
        )
    content = content_digest(tree, paths)
    known = list_releases(repository, refs)
    existing = find_release(known, content)
    if existing is not None:
        return existing, False
    if known and now < known[-1].created_at:
        # a clock that is behind must not make this release look older than those before it; ties go by ancestry
        now = known[-1].created_at
    author = str(repository.identity())
    record: dict[str, Any] = {
        "version": 1,
        "digest": content,
        "files": len(paths),
        "created_at": format_time(now),
        "created_by": author,
    }
    record |= {key: value for key, value in (("builder", builder), ("sbom", sbom)) if value}
    message = f"f0ci release {short(content)}\n\n{canonical_json(record).decode()}\n"
    tag = repository.tag(f"f0ci/release/{short(content)}", commit, message)
    if refs.push([RefUpdate(names.release_tag(content), None, tag)]) is not PushOutcome.APPLIED:
        refs.fetch(["refs/tags/f0ci/*"])
        existing = find_release(list_releases(repository, refs), content)
        if existing is None:
            raise CannotWork(f"the tag of release {short(content)} could not be pushed", "run the command again")
        return existing, False
    return Release(content, commit, now, author, len(paths), builder, sbom), True


def list_releases(repository: Repository, refs: RefStore, name: str = "") -> tuple[Release, ...]:
    """Return every release whose tag is known, oldest first.

    Args:
        repository: where the tags are.
        refs: where they are listed.
        name: only those whose digest begins like this.
    """
    beginning = RELEASE_TAGS + short(name.lower())
    exact = refs.read(beginning)
    tags = {beginning: exact} if exact is not None else refs.list(beginning)
    found = ((name, _parse_tag(raw)) for name, raw in _read_tags(repository, tags).items())
    releases = [release for name, release in found if release is not None and name == RELEASE_TAGS + release.id]
    rank = _topological_rank(repository, releases)
    return tuple(sorted(releases, key=lambda release: (release.created_at, rank[release.commit], release.digest)))


def _topological_rank(repository: Repository, releases: Sequence[Release]) -> dict[str, int]:
    """Return an order of source commits in which none comes before its ancestors; asked only where times tie."""
    commits = [release.commit for release in releases]
    if len({release.created_at for release in releases}) == len(releases):
        return dict.fromkeys(commits, 0)
    listed = repository.run("rev-list", "--topo-order", "--reverse", *dict.fromkeys(commits)).text.split()
    return {oid: index for index, oid in enumerate(listed)}


def find_release(releases: Sequence[Release], name: str) -> Release | None:
    """Return the release that a digest, or the beginning of one, means, or None.

    Raises:
        UsageError: the beginning fits several.
    """
    found = [release for release in releases if release.digest.startswith(name.lower())] if name else []
    if len(found) > 1:
        raise UsageError(f"{name!r} is the beginning of {len(found)} releases", "write more digits")
    return found[0] if found else None


def require_release(releases: Sequence[Release], name: str) -> Release:
    """Return the release that a digest, the beginning of one, or `latest` means.

    Raises:
        UsageError: there is none.
    """
    if name == "latest" and releases:
        return releases[-1]
    found = find_release(releases, name) if len(name) >= 4 else None
    if found is None:
        known = ", ".join(release.id for release in releases[-5:])
        raise UsageError(
            f"there is no release {name!r}",
            f"known: {known}" if known else "make one with `f0ci release create`",
        )
    return found


def check_content(tree: Tree, project: Project, release: Release) -> None:
    """Check that a release's commit holds what its digest says.

    Raises:
        InputError: the tag names another commit than the one that the release was made of.
    """
    found = content_digest(tree, release_paths(tree, project))
    if found != release.digest:
        raise InputError(
            f"release {release.id} does not hold its content: commit {release.commit[:10]} is {short(found)}",
            "somebody moved or forged its tag; run `f0ci audit verify`, and make a new release",
            place=f"refs/tags/f0ci/release/{release.id}",
        )


def _read_tags(repository: Repository, tags: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each annotated tag by ref, read in one call."""
    answers = zip(tags, repository.read_objects(list(tags.values())), strict=True)
    return {name: answer[2].decode("utf-8", "replace") for name, answer in answers if answer and answer[0] == "tag"}


def _parse_tag(text: str) -> Release | None:
    """Return the release that an annotated tag records, or None where it records none."""
    head, _, message = text.partition("\n\n")
    fields = dict(line.split(" ", 1) for line in head.splitlines() if " " in line)
    line = next((line for line in message.splitlines() if line.startswith("{")), "")
    try:
        record = json.loads(line)
        if fields["type"] != "commit":
            return None
        return Release(
            str(record["digest"]),
            fields["object"],
            parse_time(record["created_at"]),
            str(record["created_by"]),
            int(record["files"]),
            str(record["builder"]) if record.get("builder") else None,
            str(record["sbom"]) if record.get("sbom") else None,
        )
    except (ValueError, KeyError, TypeError):
        return None
