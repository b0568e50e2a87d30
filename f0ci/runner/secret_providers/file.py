"""Secrets from files, one each, as container platforms mount them: `payments/api-key` is `<folder>/payments/api-key`.

Setting: `folder`, in which `{environment}` stands for the environment. One line end at the end of a file is no part of
the secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from f0ci.core.errors import CannotWork
from f0ci.runner.secret_providers.base import Place, known_only, path_in
from f0ci.source.tree import resolve_path

SETTINGS = frozenset({"folder"})
# more than any key or certificate chain
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Files:
    """A folder of secrets; None where it depends on an environment and the run has none."""

    folder: Path | None

    def find(self, name: str) -> str | None:
        """Return the file's text, or None where there is no such file.

        Raises:
            CannotWork: the file cannot be read, or is no text.
        """
        # a mounted secret is a link to a sibling folder, so links are followed; the name itself must not lead out
        inside = resolve_path(name)
        if self.folder is None or inside is None or inside != name:
            return None
        try:
            with (self.folder / inside).open("rb") as file:
                raw = file.read(_MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError as error:
            raise CannotWork(f"the file of the secret {name!r} cannot be read: {error.strerror}", None) from error
        if len(raw) > _MOST_BYTES:
            raise CannotWork(f"the file of the secret {name!r} is larger than {_MOST_BYTES:,} bytes", None)
        try:
            return raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            # without the cause: it would carry the bytes
            raise CannotWork(f"the file of the secret {name!r} is no UTF-8 text", "encode it, as base64 say") from None

    def hint(self, name: str) -> str:
        """Return which file to mount."""
        return f"mount {self.folder / name}" if self.folder else "run it for an environment"


def open_provider(place: Place) -> Files:
    """Return what answers from files."""
    known_only("file", place.settings, SETTINGS)
    return Files(path_in(place, "folder"))
