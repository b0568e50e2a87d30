"""Stopping work and its parts."""

from __future__ import annotations

import threading

from f0ci.core.cancellation import Cancellation


def test_only_the_first_reason_counts() -> None:
    cancellation = Cancellation()
    assert (cancellation.cancelled, cancellation.reason) == (False, "")

    cancellation.cancel("first")
    cancellation.cancel("second")

    assert (cancellation.cancelled, cancellation.reason) == (True, "first")
    assert cancellation.requested.result(timeout=0) == "first"


def test_callbacks_are_called_once_and_only_inside_their_block() -> None:
    cancellation = Cancellation()
    calls: list[str] = []
    with cancellation.calling(lambda: calls.append("past")):
        pass
    with cancellation.calling(lambda: calls.append("now")):
        cancellation.cancel("stop")
    with cancellation.calling(lambda: calls.append("late")):
        pass

    assert calls == ["now", "late"]


def test_cancelling_reaches_parts_but_not_the_whole() -> None:
    whole = Cancellation()
    with whole.child() as part, part.child() as piece:
        assert (piece.whole, part.whole) == (whole, whole)
        part.cancel("part of it")
        assert (whole.cancelled, part.reason, piece.reason) == (False, "part of it", "part of it")
    with whole.child() as part:
        whole.cancel("all of it")
        assert part.reason == "all of it"


def test_waiting_ends_with_the_time_or_the_cancellation() -> None:
    cancellation = Cancellation()
    assert cancellation.wait(0) is False

    thread = threading.Thread(target=cancellation.cancel, args=("stop",))
    thread.start()
    assert cancellation.wait(60) is True
    thread.join()
