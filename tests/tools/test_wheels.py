"""Wheels: with the reader in C where it can be built, without it where not, and f0ci reads the same with each."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.conftest import require_compiler

ROOT = Path(__file__).parents[2]
_ASK = "from f0ci.source.native_yaml import yaml_reader; print(yaml_reader().description)"


def build(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "build", "--no-isolation", *options, "--outdir", str(folder), str(ROOT)]
    # a message that the terminal's width breaks is hard to find
    environ = {**os.environ, "COLUMNS": "500", **environ}
    return subprocess.run(
        command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def read_with(wheel: Path, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a program with what is in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    environ = {**os.environ, "PYTHONPATH": str(folder)}
    # -P keeps the checkout's own f0ci out of the way
    return subprocess.run(
        [sys.executable, "-P", *command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_where_there_is_a_compiler_the_wheel_has_the_reader_in_c(tmp_path: Path) -> None:
    require_compiler()
    # by way of a source distribution, which has to hold what that takes
    done = build(tmp_path, F0CI_BUILD_READER="c")
    assert done.returncode == 0, done.stdout

    (wheel,) = tmp_path.glob("*.whl")
    assert f"-cp{sys.version_info[0]}{sys.version_info[1]}-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert [name.partition(".")[0] for name in names if name.endswith(".so")] == ["f0ci/source/_libyaml"]
    assert not [name for name in names if name.endswith((".c", ".h")) or "hatch_build" in name]
    assert read_with(wheel, tmp_path / "unpacked", "-c", _ASK).stdout.startswith("C (libyaml 0.2.")


@pytest.mark.parametrize(
    ("environ", "says"),
    [({"CC": "false"}, "f0ci is built without its reader in C"), ({"F0CI_BUILD_READER": "python"}, "")],
)
def test_a_wheel_without_it_fits_every_machine(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    done = build(tmp_path, "--wheel", **environ)
    assert done.returncode == 0, done.stdout
    assert says in done.stdout

    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl")
    unpacked = tmp_path / "unpacked"
    assert read_with(wheel, unpacked, "-c", _ASK).stdout == "Python (the one in C was not built)\n"
    (tmp_path / "bad.yaml").write_text("metadata: {name: a}\nsteps:\n- {name: a, run: x, run: y}\n", encoding="utf-8")
    found = read_with(wheel, unpacked, "-m", "f0ci", "-C", str(tmp_path), "validate", "--no-cache", "bad.yaml")
    assert "bad.yaml:3:21: error[duplicate-key]" in found.stdout, found


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"CC": "false", "F0CI_BUILD_READER": "c"}, "the reader in C could not be built; a C compiler and Python's"),
        ({"F0CI_BUILD_READER": "rust"}, "F0CI_BUILD_READER is 'rust'; set it to c or python, or unset it"),
    ],
)
def test_what_was_asked_for_and_cannot_be_built_fails(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    done = build(tmp_path, "--wheel", **environ)

    assert done.returncode != 0
    assert says in done.stdout
    assert not list(tmp_path.glob("*.whl"))
