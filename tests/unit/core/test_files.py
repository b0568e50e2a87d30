"""Files are written whole or not at all, and what is no file stays what it is."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "file"
    for content in (b"one", b"another"):
        write_atomically(file, content)
        assert file.read_bytes() == content
    assert [path.name for path in file.parent.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["pipe", "link"])
def test_what_is_no_file_is_written_to_and_stays(tmp_path: Path, name: str) -> None:
    # as a device would be: `-o /dev/null` must not put a file in its place
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "link").symlink_to("pipe")
    read: list[bytes] = []
    # whoever writes waits for a reader
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write_atomically(tmp_path / name, b"words")
    reader.join(20)
    assert (read, pipe.is_fifo(), (tmp_path / "link").is_symlink()) == ([b"words"], True, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "pipe"]


def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWork, match="cannot write"):
        write_atomically(tmp_path / "file" / "inner", b"")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CannotWork, match="cannot write"):
        write_atomically(tmp_path / "folder", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]
