"""What processes tell each other of recipes that they have read."""

from __future__ import annotations

import copy
import os
import sys
from collections.abc import Iterator

import pytest

from f0ci.lint import board as boards
from f0ci.lint.board import Board, Told
from f0ci.lint.workspace import Workspace, load_workspace
from f0ci.source.project import load_project
from f0ci.source.traced import TracedTree
from tests.conftest import write_files


@pytest.fixture
def sides() -> Iterator[tuple[Board, Board]]:
    """Return one board as two processes see it."""
    board = Board(2)
    first, second = copy.copy(board), copy.copy(board)
    first._read, first._told = list(board._read), {}
    second._read, second._told = list(board._read), {}
    second.write_as(1)
    yield first, second
    board.close()


def test_what_one_tells_the_other_knows(sides: tuple[Board, Board]) -> None:
    first, second = sides
    assert second.ask("a.yaml") is None

    first.tell("a.yaml", "content", "stamp", b"interface")
    first.tell("b.yaml", "", "", b"")
    second.tell("c.yaml", "", "", b"c")

    assert second.ask("b.yaml") == Told("b.yaml", "", "", b"")
    assert second.ask("a.yaml") == Told("a.yaml", "content", "stamp", b"interface")
    assert first.ask("c.yaml") == Told("c.yaml", "", "", b"c")
    # nobody is told what he said himself: he knows
    assert first.ask("a.yaml") is None


def test_what_has_not_arrived_whole_is_not_there_yet(sides: tuple[Board, Board]) -> None:
    first, second = sides
    first.tell("a.yaml", "", "", b"interface")
    whole = first._memory[:]
    for gone in range(4, whole.rindex(b"interface") + len(b"interface")):
        if whole[gone]:
            first._memory[gone : gone + 1] = b"\0"
            assert second.ask("a.yaml") is None
            first._memory[gone : gone + 1] = whole[gone : gone + 1]

    assert second.ask("a.yaml") == Told("a.yaml", "", "", b"interface")


def test_what_finds_no_room_is_not_told(sides: tuple[Board, Board]) -> None:
    first, second = sides
    first.tell("large.yaml", "", "", bytes(boards._PART))
    first.tell("a.yaml", "", "", b"a")

    assert second.ask("large.yaml") is None
    assert second.ask("a.yaml") is not None


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="there is no forking")
def test_it_reaches_other_processes_and_outlives_them() -> None:
    board = Board(3)
    for number in (1, 2):
        process = os.fork()
        if not process:
            board.write_as(number)
            board.tell(f"{number}.yaml", "", "", b"%d" % number)
            os._exit(0)
        assert os.waitpid(process, 0)[1] == 0

    assert [board.ask(f"{number}.yaml") for number in (1, 2)] == [
        Told("1.yaml", "", "", b"1"),
        Told("2.yaml", "", "", b"2"),
    ]
    board.close()


def test_who_takes_the_place_of_one_that_died_goes_on_behind_it(sides: tuple[Board, Board]) -> None:
    first, second = sides
    first.tell("a.yaml", "", "", b"a")
    end = first._written(0)
    # it died while it was writing: how far it came was never said
    first._memory[end : end + 6] = b"\0\0\1\1half"[:6]
    heir = copy.copy(first)
    assert second.ask("b.yaml") is None

    heir.tell("b.yaml", "", "", b"b")

    assert [second.ask(path) for path in ("a.yaml", "b.yaml")] == [
        Told("a.yaml", "", "", b"a"),
        Told("b.yaml", "", "", b"b"),
    ]


def test_a_recipe_that_another_process_read_is_not_read_again(
    sides: tuple[Board, Board], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    write_files(root, {"recipes/a.yaml": "metadata: {name: a}\nparameters: [{name: p}]\nsteps: [{name: s, run: x}]\n"})

    def workspace(board: Board | None) -> tuple[TracedTree, Workspace]:
        tree = TracedTree(root)
        found = load_workspace(tree, load_project(tree))
        found.board = board
        return tree, found

    reading, first = workspace(sides[0])
    told, second = workspace(sides[1])
    alone, third = workspace(None)
    recipes = [one.recipe("recipes/a.yaml") for one in (first, second, third)]

    assert [[p.name for p in recipe.parameters] for recipe in recipes if recipe] == [["p"]] * 3
    # all rest on the same, though one has not looked at the file
    assert reading.answers == told.answers == alone.answers
    assert "irecipes/a.yaml" in told.answers
    assert second._recent == {}
    assert recipes[1] is not None
    assert [step.run for step in recipes[1].steps] == ["x"]
