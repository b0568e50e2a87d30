"""Asking a tree again what it was asked before: thousands of files are read by several processes.

The process itself and its helpers take chunks of questions in turns. A helper sends its answers at its end. What a
helper that died has taken is asked again.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Sequence
from typing import NoReturn

from f0ci.core.forking import MOST_TURNS, Turns, can_fork, cores, write_all
from f0ci.source.traced import TracedTree

_CHUNK = 128
# files for which a helper pays: a fork costs as much as reading some hundred
_WORTH_A_HELPER = 600


def ask_again(
    tree: TracedTree,
    questions: Sequence[str],
    jobs: int | None,
    told: Callable[[Sequence[str]], None] = lambda _: None,
) -> None:
    """Find the answers to some questions, now.

    Args:
        tree: of what is asked; it knows the answers afterwards.
        questions: each once.
        jobs: processes at most; None for as many as pay.
        told: called with what this process has asked, while others ask.
    """
    files = [question for question in questions if question[0] == "r"]
    most = min(len(files) // _WORTH_A_HELPER, (cores() if jobs is None else jobs) - 1)
    if most < 1 or not can_fork():
        tree.ask(questions)
        return
    size = max(_CHUNK, len(files) // MOST_TURNS + 1)
    chunks = [files[start : start + size] for start in range(0, len(files), size)]
    turns = Turns(len(chunks))
    helpers: dict[int, int] = {}
    try:
        for _ in range(most):
            _start(helpers, tree, chunks, turns)
        tree.ask(question for question in questions if question[0] != "r")
        for turn in turns.taken():
            tree.ask(chunks[turn])
            told(chunks[turn])
        for answers in helpers:
            _learn(tree, answers)
    finally:
        turns.close()
        for answers, process in helpers.items():
            os.close(answers)
            # after an exception, such as Ctrl-C, it may be at work
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    tree.ask(question for question in files if question not in tree.answers)


def _start(helpers: dict[int, int], tree: TracedTree, chunks: Sequence[Sequence[str]], turns: Turns) -> None:
    answers, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:
        # no process to be had: the others have more to do
        os.close(answers)
        os.close(writing)
        return
    if not process:
        _help(tree, chunks, turns, writing)
    os.close(writing)
    helpers[answers] = process


def _help(tree: TracedTree, chunks: Sequence[Sequence[str]], turns: Turns, writing: int) -> NoReturn:
    code = 1
    # nothing of the parent's is flushed, closed or run here: a forked process leaves at once
    try:
        import marshal

        found = []
        for turn in turns.taken():
            tree.ask(chunks[turn])
            found += [(question, tree.answers[question], tree.stamps.get(question, "")) for question in chunks[turn]]
        write_all(writing, marshal.dumps((tree.is_unsteady, found)))
        code = 0
    finally:
        os._exit(code)


def _learn(tree: TracedTree, answers: int) -> None:
    import marshal

    received = b"".join(iter(lambda: os.read(answers, 1 << 20), b""))
    # what a helper that died did not send whole is not known
    with contextlib.suppress(EOFError, ValueError, TypeError):
        # between processes of one program; what comes from elsewhere is never read so
        is_unsteady, found = marshal.loads(received)  # noqa: S302
        tree.is_unsteady |= is_unsteady
        for question, answer, stamp in found:
            tree.learn(question, answer, stamp)
