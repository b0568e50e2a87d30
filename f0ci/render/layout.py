"""Which files a rendered tree may hold, and the one place where they come together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from f0ci.core.errors import InputError
from f0ci.source.tree import resolve_path

CONFIG_FILE = "config.json"
RELEASE_FILE = "release.json"
TRAFFIC_FILE = "traffic.json"
RECIPES_FOLDER = "recipes"
# what each live release rendered for itself, in a folder named by its id
RELEASES_FOLDER = "releases"
# folder of templates from which a release renders them
OWN_TEMPLATES = "release"
# what was written into a folder, kept beside it
MANIFEST_FILE = ".f0ci-rendered.json"


@dataclass(frozen=True, slots=True)
class RenderedFile:
    """One file of a rendered tree.

    Attributes:
        path: where it goes, relative to the tree's root.
        content: its bytes.
        source: the file it was made from, relative to the workspace.
    """

    path: str
    content: bytes
    source: str


def recipe_output(path: str) -> str:
    """Return where a recipe goes: the same path, below `recipes/` if it is not there already."""
    return path if path.startswith(f"{RECIPES_FOLDER}/") else f"{RECIPES_FOLDER}/{path}"


@lru_cache(maxsize=65_536)
def is_safe_path(path: str) -> bool:
    """Tell whether a file may be written there: inside the tree, not in Git's own folder, not the manifest."""
    parts = path.split("/")
    return (
        resolve_path(path) == path
        and path not in {".", MANIFEST_FILE}
        and not any(map(_is_git_folder, parts))
        and path.isprintable()
        and "\\" not in path
    )


def _is_git_folder(name: str) -> bool:
    """Tell whether some file system takes a name for Git's own folder; Git checks nothing out that holds one."""
    return name.lower().partition(":")[0].rstrip(" .") in {".git", "git~1"}


def _alike(path: str) -> str:
    """Return what file systems that ignore case or the form of Unicode compare."""
    return path.lower() if path.isascii() else unicodedata.normalize("NFC", path).casefold()


def collect(files: Iterable[RenderedFile]) -> dict[str, RenderedFile]:
    """Return files by path, sorted.

    Raises:
        InputError: two want one place, or one lies outside the tree.
    """
    found: dict[str, RenderedFile] = {}
    for file in files:
        if not is_safe_path(file.path):
            raise InputError(
                f"the output path {file.path!r} is not one that a rendered tree may hold",
                "rename the file so that it stays inside the tree",
                place=file.source,
            )
        if file.path in found:
            raise InputError(
                f"{found[file.path].source!r} and {file.source!r} both render to {file.path!r}",
                "rename one of them",
                place=file.source,
            )
        found[file.path] = file
    alike: dict[str, str] = {}
    for path, file in found.items():
        other = alike.setdefault(_alike(path), path)
        if other != path:
            raise InputError(
                f"{other!r} and {path!r} are one file where case does not matter", "rename one", place=file.source
            )
        cuts = [index for index, char in enumerate(path) if char == "/"]
        above = next((path[:cut] for cut in cuts if path[:cut] in found), None)
        if above is not None:
            raise InputError(
                f"{found[above].source!r} renders to {above!r}, which is a folder for {path!r}",
                "rename one of them",
                place=file.source,
            )
    return dict(sorted(found.items()))
