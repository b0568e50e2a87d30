"""Builds the reader in C into the wheel where that is possible; without it the wheel is pure Python, and works too.

F0CI_BUILD_READER=python leaves it out, for a wheel that fits every machine; F0CI_BUILD_READER=c fails where it cannot
be built.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_MODULE = "f0ci.source._libyaml"
_FOLDER = "f0ci/source"
_SOURCES = ("_libyaml.c", "_lines.c", "_reader.c")


class ReaderHook(BuildHookInterface[Any]):
    """Compiles the extension before a wheel is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say what it makes of the wheel.

        Raises:
            RuntimeError: it was asked for and could not be built, or something unknown was.
        """
        wanted = os.environ.get("F0CI_BUILD_READER", "")
        if wanted not in {"", "c", "python"}:
            raise RuntimeError(f"F0CI_BUILD_READER is {wanted!r}; set it to c or python, or unset it")
        self._work = tempfile.TemporaryDirectory(prefix="f0ci-build-", ignore_cleanup_errors=True)
        built = None if wanted == "python" else self._compile()
        if built is None and wanted == "c":
            raise RuntimeError("the reader in C could not be built; a C compiler and Python's headers are needed")
        if version == "editable":
            self._place(built)
        elif built is not None:
            build_data["force_include"][str(built)] = f"{_FOLDER}/{built.name}"
            build_data["pure_python"] = False
            build_data["infer_tag"] = True

    def finalize(self, _version: str, _build_data: dict[str, Any], _artifact_path: str) -> None:
        """Remove what was compiled."""
        self._work.cleanup()

    def _compile(self) -> Path | None:
        """Return the built extension, or None where it cannot be built, with the reason on the terminal."""
        try:
            from setuptools import Distribution, Extension
            from setuptools.errors import BaseError, CCompilerError

            source = Path(self.root, _FOLDER)
            # elsewhere than on older Linux, what loads libraries is part of the C library
            libraries = ["dl"] if sys.platform == "linux" else []
            extension = Extension(_MODULE, [str(source / name) for name in _SOURCES], libraries=libraries)
            command = Distribution({"name": "f0ci", "ext_modules": [extension]}).get_command_obj("build_ext")
            command.build_lib = self._work.name
            command.build_temp = str(Path(self._work.name, "objects"))
            command.ensure_finalized()
        except ImportError as error:
            self.app.display_warning(f"f0ci is built without its reader in C: {error}")
            return None
        try:
            command.run()
        except (BaseError, CCompilerError, OSError) as error:
            self.app.display_warning(f"f0ci is built without its reader in C: {error}")
            return None
        return Path(command.get_ext_fullpath(_MODULE))

    def _place(self, built: Path | None) -> None:
        """Have the checkout hold what was built for this Python, and nothing older."""
        from importlib.machinery import EXTENSION_SUFFIXES

        folder = Path(self.root, _FOLDER)
        if built is None:
            for suffix in EXTENSION_SUFFIXES:
                (folder / f"_libyaml{suffix}").unlink(missing_ok=True)
            return
        new = folder / f".{built.name}"
        shutil.copyfile(built, new)
        new.replace(folder / built.name)
