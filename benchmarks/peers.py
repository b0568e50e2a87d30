"""Other programs that check YAML files against a JSON Schema: where they come from, and how they are called.

All get the same files and the same schema. check-jsonschema is the reference and has to be there, with its C parser;
the two of npm are measured where npm can install them.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("ajv-cli@5", "@sourcemeta/jsonschema@16")
_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Peer:
    """A program and its arguments before the files.

    Attributes:
        name: as tables call it.
        start: the command without files.
        takes_broken: False where it ends at the first file that is no YAML, so that it must not get such files.
    """

    name: str
    start: tuple[str, ...]
    takes_broken: bool = True

    def command(self, files: Sequence[str], broken: frozenset[str]) -> list[str]:
        """Return the whole command for some files, of which some are no YAML."""
        named = files if self.takes_broken else [file for file in files if file not in broken]
        if self.name == "ajv-cli":
            return [*self.start, *(part for file in named for part in ("-d", file))]
        return [*self.start, *named]


def prove_reference() -> None:
    """Stop unless check-jsonschema reads YAML with the C parser: without it, it would be three times slower."""
    from ruamel.yaml import YAML

    reader = YAML(typ="safe").Parser
    if reader.__name__ != "CParser":
        raise SystemExit("check-jsonschema has no C parser here: install ruamel.yaml.clib")


def reference(schema: str) -> Peer:
    """Return check-jsonschema, as this interpreter has it installed."""
    return Peer("check-jsonschema", (str(Path(sys.executable).parent / "check-jsonschema"), "--schemafile", schema))


def npm_peers(folder: Path, schema: str) -> Iterator[Peer]:
    """Install the peers of npm below a folder and yield those that are there then.

    Args:
        folder: kept for the next time; nothing is installed where it has them.
        schema: the file of the schema.
    """
    modules = folder / "node_modules"
    npm = shutil.which("npm")
    if not modules.is_dir() and npm is not None:
        command = [npm, "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return
    ajv = modules / ".bin" / "ajv"
    if ajv.exists():
        yield Peer("ajv-cli", (str(ajv), "validate", "--spec=draft2020", "--strict=false", "-s", schema), False)
    # the program itself: what npm puts before it is another process
    system, machine = platform.system().lower(), {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")
    for found in sorted((modules / "@sourcemeta").rglob(f"jsonschema-{system}-{machine}")):
        yield Peer("sourcemeta jsonschema", (str(found), "validate", "--continue", schema), False)
        return
