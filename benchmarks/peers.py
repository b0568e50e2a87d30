"""Other programs that check YAML files against a JSON Schema: where they come from, and how they are called.

All get the same files and the same schema, but for those at which a program ends its run: which these are is tried, one
file of each kind of fault. What each prints must name every file that does not fit the schema, and a last one that is
put behind all others. check-jsonschema is the reference and has to be there, with its C parser; the two of npm are
measured where npm can install them.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measuring import Program, run
from benchmarks.recipe_sets import Fault

PACKAGES = ("ajv-cli@5", "@sourcemeta/jsonschema@16")
_SECONDS = 120


# what every one of them must call a misfit
_SCHEMA_RULES = frozenset({"unknown-key", "missing-key", "wrong-type", "bad-value"})
_LAST = "last.yaml"
_MISFIT = b"metadata: {name: last}\nsteps: none\n"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program and its arguments before the files.

    Attributes:
        name: as tables call it.
        start: the command without files.
    """

    name: str
    start: tuple[str, ...]

    def command(self, files: Sequence[str]) -> list[str]:
        """Return the whole command for some files."""
        if self.name == "ajv-cli":
            return [*self.start, *(part for file in files for part in ("-d", file))]
        return [*self.start, *files]

    def survives(self, file: str, folder: Path) -> bool:
        """Tell whether a program goes on after a file: whether it names a misfit behind it."""
        with tempfile.TemporaryFile() as output:
            run(self.command([file, str(last(folder))]), folder, output=output)
            output.seek(0)
            return _LAST.encode() in output.read()

    def reading(self, files: Sequence[str], faults: Iterable[Fault], folder: Path) -> tuple[Program, int]:
        """Return the program for some files, with what shows that it read all, and how many it cannot be given.

        Args:
            files: their paths below the folder.
            faults: what is wrong with some of them.
            folder: where it works.
        """
        kinds: dict[str, list[str]] = {}
        for fault in faults:
            kinds.setdefault(fault.rule, []).append(fault.path)
        deadly = {path for paths in kinds.values() if not self.survives(paths[0], folder) for path in paths}
        misfits = {path for rule in _SCHEMA_RULES & kinds.keys() for path in kinds[rule]} - deadly
        given = [file for file in files if file not in deadly]
        command = self.command([*given, str(last(folder))])
        return Program(command, folder, proof=frozenset(misfits | {_LAST})), len(deadly)


def last(folder: Path) -> Path:
    """Return a file that does not fit the schema, beside a folder; written where it is missing."""
    file = folder.with_name(f"{folder.name}-behind") / _LAST
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(_MISFIT)
    return file


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
        yield Peer("ajv-cli", (str(ajv), "validate", "--spec=draft2020", "--strict=false", "-s", schema))
    # the program itself: what npm puts before it is another process
    system, machine = platform.system().lower(), {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine(), "")
    for found in sorted((modules / "@sourcemeta").rglob(f"jsonschema-{system}-{machine}")):
        yield Peer("sourcemeta jsonschema", (str(found), "validate", "--continue", schema))
        return
