"""Whose turn it is among processes that share work."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from f0ci.core.forking import MOST_TURNS, Turns, write_all

_FORKS = pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "darwin", reason="there is no forking")


def test_turns_come_in_order_and_end() -> None:
    turns = Turns(3)

    assert list(turns.taken()) == [0, 1, 2]
    assert list(turns.taken()) == []
    turns.close()


def test_as_many_as_there_may_be_wait_in_the_smallest_pipe() -> None:
    # a pipe of Linux holds a page where a user has many
    assert MOST_TURNS * 4 <= 4096

    turns = Turns(MOST_TURNS)

    assert len(list(turns.taken())) == MOST_TURNS
    turns.close()


@_FORKS
def test_each_falls_to_one_process() -> None:
    turns = Turns(MOST_TURNS)
    reading, writing = os.pipe()
    helpers = []
    for _ in range(3):
        helpers.append(os.fork())
        if not helpers[-1]:
            for number in turns.taken():
                os.write(writing, number.to_bytes(4))
            os._exit(0)
    os.close(writing)
    own = list(turns.taken())
    turns.close()
    with os.fdopen(reading, "rb") as file:
        told = file.read()

    assert {os.waitpid(helper, 0)[1] for helper in helpers} == {0}
    others = [int.from_bytes(told[at : at + 4]) for at in range(0, len(told), 4)]
    assert sorted(own + others) == list(range(MOST_TURNS))


def test_all_is_written_however_little_a_pipe_holds() -> None:
    data = bytes(range(256)) * 4096
    reading, writing = os.pipe()

    def write() -> None:
        write_all(writing, data)
        os.close(writing)

    thread = threading.Thread(target=write)
    thread.start()
    with os.fdopen(reading, "rb") as file:
        assert file.read() == data
    thread.join()
