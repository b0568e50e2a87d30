from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from f0ci.core.errors import CannotWork
from f0ci.environments.model import Environment
from f0ci.render.rendering import RenderedTree, check, write

_ENVIRONMENT = Environment("dev", "environments/dev", {})


def _tree(files: Mapping[str, str]) -> RenderedTree:
    return RenderedTree({path: content.encode() for path, content in files.items()}, {}, _ENVIRONMENT)


def _found(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".f0ci-rendered.json"
    }


def test_write_and_write_again(tmp_path: Path) -> None:
    folder = tmp_path / "new/out"
    first = {"config.json": "{}", "a/b/c.txt": "1", "a/d.txt": "2"}

    assert check(_tree(first), folder) == ["a/b/c.txt", "a/d.txt", "config.json"]
    assert set(write(_tree(first), folder).written) == set(first)
    assert _found(folder) == first
    assert check(_tree(first), folder) == []

    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = write(_tree(first), folder)

    assert (again.written, again.removed, again.kept) == ((), (), ())
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_what_is_no_longer_part_is_removed(tmp_path: Path) -> None:
    write(_tree({"config.json": "{}", "a/b/c.txt": "1", "a/d.txt": "2"}), tmp_path)
    (tmp_path / "a/own.txt").write_text("mine", encoding="utf-8")
    fewer = _tree({"config.json": "{1}"})

    assert check(fewer, tmp_path) == ["a/b/c.txt", "a/d.txt", "config.json"]
    change = write(fewer, tmp_path)

    assert (change.written, change.removed) == (("config.json",), ("a/b/c.txt", "a/d.txt"))
    assert _found(tmp_path) == {"config.json": "{1}", "a/own.txt": "mine"}
    assert not (tmp_path / "a/b").exists()
    assert check(fewer, tmp_path) == []


def test_what_was_changed_since_is_not_removed(tmp_path: Path) -> None:
    write(_tree({"a": "1", "b": "2"}), tmp_path)
    (tmp_path / "b").write_text("edited", encoding="utf-8")

    change = write(_tree({"a": "1"}), tmp_path)

    assert (change.removed, change.kept) == ((), ("b",))
    assert _found(tmp_path) == {"a": "1", "b": "edited"}
    assert write(_tree({"a": "1"}), tmp_path).kept == ()


def test_what_was_edited_is_written_again(tmp_path: Path) -> None:
    write(_tree({"a": "1"}), tmp_path)
    (tmp_path / "a").write_text("edited", encoding="utf-8")

    assert check(_tree({"a": "1"}), tmp_path) == ["a"]
    assert write(_tree({"a": "1"}), tmp_path).written == ("a",)


def test_files_of_others_are_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("mine", encoding="utf-8")
    (tmp_path / "same").write_text("1", encoding="utf-8")

    with pytest.raises(CannotWork) as raised:
        write(_tree({"config.json": "{}", "same": "1", "new": "2"}), tmp_path)

    assert "config.json" in raised.value.message
    assert raised.value.hint == "choose another folder, remove the file, or replace it with --overwrite"
    assert _found(tmp_path) == {"config.json": "mine", "same": "1"}
    write(_tree({"config.json": "{}"}), tmp_path, overwrite=True)
    assert _found(tmp_path) == {"config.json": "{}", "same": "1"}


def test_an_interrupted_writing_can_be_taken_up(tmp_path: Path) -> None:
    write(_tree({"a": "1", "b": "1"}), tmp_path)
    # a folder where a file should go interrupts it after the manifest was written
    (tmp_path / "c").mkdir()
    with pytest.raises(CannotWork):
        write(_tree({"a": "2", "c": "2", "d": "2"}), tmp_path)
    (tmp_path / "c").rmdir()
    (tmp_path / "d").write_text("half", encoding="utf-8")
    (tmp_path / ".f0ci-rendered.json").write_text(
        json.dumps({"version": 1, "files": dict.fromkeys("abcd", "")}), encoding="utf-8"
    )

    write(_tree({"a": "2", "c": "2", "d": "2"}), tmp_path)

    assert _found(tmp_path) == {"a": "2", "b": "1", "c": "2", "d": "2"}


def test_a_manifest_does_not_lead_out(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    write(_tree({"a": "1"}), folder)
    (tmp_path / "victim").write_text("", encoding="utf-8")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    manifest = {"version": 1, "files": {"../victim": empty, str(tmp_path / "victim"): empty, ".git/config": empty}}
    (folder / ".f0ci-rendered.json").write_text(json.dumps(manifest), encoding="utf-8")

    assert write(_tree({"a": "1"}), folder).removed == ()
    assert (tmp_path / "victim").exists()


@pytest.mark.parametrize("link", ["a", "a/b"])
def test_symbolic_links_do_not_lead_out(tmp_path: Path, link: str) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    elsewhere.mkdir()
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(elsewhere)

    with pytest.raises(CannotWork, match="symbolic link"):
        write(_tree({"a/b/c": "1"} if link == "a" else {"a/b": "1"}), folder)

    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1}', '{"files": [1]}'])
def test_a_manifest_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    (tmp_path / ".f0ci-rendered.json").write_text(text, encoding="utf-8")

    with pytest.raises(CannotWork) as raised:
        write(_tree({"a": "1"}), tmp_path)

    assert raised.value.hint == "remove it; files of earlier renderings then count as your own"
