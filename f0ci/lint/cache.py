"""What earlier runs found, for as long as everything that it rests on is unchanged.

Each finding rests on the answers that the tree gave while its file was examined: what the file says, what the files
that it refers to say, which of them exist. An index holds these questions with their answers, and what came out of
each file. A run asks again; a file is examined anew where any answer differs. So nothing is ever told from a name, a
date or a guess, with one exception: a plain file of the same device, inode, size and times, which were two seconds old
when it was read, is taken to say the same.

The index of one folder and one set of options is one file. It lies outside the repository, because whoever could
write it could hide findings. It is written under another name and then renamed, so that runs at the same time lose
each other's work at worst; what cannot be read, or carries a wrong sum, counts as empty.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.core.canonical import digest, sha256_hex
from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically
from f0ci.core.plugins import distributions, is_extended
from f0ci.core.values import dataclass
from f0ci.lint.report import Report, diagnostic_from_json, diagnostic_to_json
from f0ci.lint.reporters.base import summarize
from f0ci.source.schema import schema_folder
from f0ci.source.traced import TracedTree

if TYPE_CHECKING:
    from f0ci.lint.outcome import Outcome
    from f0ci.lint.workspace import Workspace

_FORMAT = 1
_KEYS = {"surroundings", "questions", "answers", "stamps", "files", "report"}
_FORGOTTEN_SECONDS = 30 * 24 * 3600.0


def default_folder() -> Path | None:
    """Return the folder in which this user's programs keep what they can make again, or None where there is none."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA", "")
    elif sys.platform == "darwin":
        base = str(Path("~/Library/Caches").expanduser())
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    # without a home folder, '~' stays as it is
    return Path(base) / "f0ci" if os.path.isabs(base) else None  # noqa: PTH117 - an empty text is no path


def open_cache(folder: Path, root: Path, options: Sequence[object]) -> Cache | None:
    """Return the index of a folder of files and a set of options, or None where nothing may be kept.

    Args:
        folder: where indexes lie; made when the first is written.
        root: whose files are examined.
        options: all that decides, beside the files, what is found.
    """
    # what other people's rules look at is not known
    if is_extended():
        return None
    name = digest(
        [_FORMAT, __version__, sys.version, _own_files(), distributions(), os.fsencode(root).hex(), list(options)]
    )
    file = folder / f"validate-{name[:32]}.json"
    return Cache(file, _read_index(file))


@dataclass(slots=True)
class Cache:
    """The index of one folder and one set of options.

    Attributes:
        file: where it lies.
        index: what it says; empty where there is none.
    """

    file: Path
    index: dict[str, Any] = field(default_factory=dict)
    _same: dict[int, bool] = field(default_factory=dict, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def report(self, tree: TracedTree, named: Sequence[str]) -> Report | None:
        """Return the last run's report, or None where it was about something else or any answer differs."""
        last = self.index.get("report")
        if last is None or last["named"] != list(named) or not self._stands(last["asked"], tree):
            return None
        diagnostics = tuple(map(diagnostic_from_json, last["diagnostics"]))
        if len(tree.stamps) > len(self.index["stamps"]):
            self._write({**self.index, "stamps": tree.stamps})
        return Report(diagnostics, summarize(diagnostics, len(last["checked"]), last["checked"]))

    def outcome(self, path: str, workspace: Workspace) -> Outcome | None:
        """Return what came out of a file, or None where it must be examined."""
        tree = workspace.tree
        if not isinstance(tree, TracedTree) or self.index.get("surroundings") != workspace.surroundings:
            return None
        known = self.index["files"].get(path)
        if known is None or known[0] != (path in workspace.named) or not self._stands(known[2], tree):
            return None
        from f0ci.lint.outcome import from_json

        self._used.add(path)
        return from_json(known[1], (self.index["questions"][number] for number in known[2]))

    def keep(self, workspace: Workspace, report: Report, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what a run found, and what it rests on.

        Args:
            workspace: what was examined.
            report: what came out at the end.
            outcomes: what came out of each file.
        """
        tree = workspace.tree
        is_sound = not any(outcome.has_failed for outcome in outcomes.values())
        # where only a part of what is known was asked for and all of it was known, there is nothing to add
        is_known = bool(workspace.named) and self.index.get("report") is not None and not self._has_news(outcomes)
        if not isinstance(tree, TracedTree) or tree.is_unsteady or not is_sound or is_known:
            return
        from f0ci.lint.outcome import to_json

        asked = tree.asked.union(*(outcome.asked for outcome in outcomes.values()))
        answers = {question: tree.answers[question] for question in sorted(asked)}
        left = self._left(workspace, answers, outcomes)
        for _, _, questions in left.values():
            answers |= questions
        numbers = {question: number for number, question in enumerate(answers)}
        files = {path: [is_named, data, [numbers[one] for one in own]] for path, (is_named, data, own) in left.items()}
        for path, outcome in outcomes.items():
            own = [numbers[question] for question in outcome.asked]
            files[path] = [path in workspace.named, to_json(outcome), own]
        self._write(
            {
                "surroundings": workspace.surroundings,
                "questions": list(answers),
                "answers": list(answers.values()),
                "stamps": {**self.index.get("stamps", {}), **tree.stamps} if left else tree.stamps,
                "files": files,
                "report": {
                    "named": workspace.named,
                    "asked": sorted(numbers[question] for question in asked),
                    "diagnostics": [diagnostic_to_json(one) for one in report.diagnostics],
                    "checked": report.summary.checked,
                },
            }
        )

    def _has_news(self, outcomes: Mapping[str, Outcome]) -> bool:
        return any(path not in self._used for path in outcomes)

    def _left(
        self, workspace: Workspace, answers: Mapping[str, str], outcomes: Mapping[str, Outcome]
    ) -> dict[str, tuple[bool, Any, dict[str, str]]]:
        """Return what is known of files that this run did not look at, where no answer is known to differ."""
        if self.index.get("surroundings") != workspace.surroundings or not workspace.named:
            return {}
        there = set(workspace.tree.files())
        questions, known = self.index["questions"], self.index["answers"]
        left: dict[str, tuple[bool, Any, dict[str, str]]] = {}
        for path, (is_named, data, numbers) in self.index["files"].items():
            own = {questions[number]: known[number] for number in numbers}
            if (
                path in there
                and path not in outcomes
                and all(answers.get(question, answer) == answer for question, answer in own.items())
            ):
                left[path] = (is_named, data, own)
        return left

    def _stands(self, numbers: Sequence[int], tree: TracedTree) -> bool:
        """Tell whether all of some questions are answered as before."""
        same = self._same
        for number in numbers:
            if number not in same:
                same[number] = self._is_same(self.index["questions"][number], self.index["answers"][number], tree)
            if not same[number]:
                return False
        return True

    def _is_same(self, question: str, answer: str, tree: TracedTree) -> bool:
        path = question[1:]
        stamp = self.index["stamps"].get(path) if question[0] == "r" else None
        if stamp is not None and tree.stamp(path) == tuple(stamp):
            tree.learn({question: answer}, {path: tuple(stamp)})
            return True
        return tree.ask(question) == answer

    def _write(self, index: Mapping[str, Any]) -> None:
        text = json.dumps(index, separators=(",", ":")).encode()
        # a cache that cannot be written is none
        with contextlib.suppress(CannotWork, OSError):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self.file, sha256_hex(text).encode() + b"\n" + text, mode=0o600, is_durable=False)
            _forget(self.file.parent)


def _read_index(file: Path) -> dict[str, Any]:
    """Return what an index says, or nothing where it is missing or damaged."""
    try:
        raw = file.read_bytes()
    except OSError:
        return {}
    text = memoryview(raw)[65:]
    if raw[:64].decode("ascii", "replace") != hashlib.sha256(text).hexdigest():
        return {}
    index = json.loads(bytes(text))
    return index if isinstance(index, dict) and index.keys() == _KEYS else {}


def _forget(folder: Path) -> None:
    """Remove the indexes that were not written for a month."""
    oldest = time.time() - _FORGOTTEN_SECONDS
    for entry in os.scandir(folder):
        if entry.name.startswith(("validate-", ".validate-")) and entry.stat().st_mtime < oldest:
            os.unlink(entry.path)  # noqa: PTH108 - an entry knows its path as text


def _own_files() -> list[tuple[str, int, int]]:
    """Return what tells one state of the program from another, also while somebody works on it."""
    found: list[tuple[str, int, int]] = []
    waiting = [str(Path(__file__).resolve().parents[1]), str(schema_folder())]
    while waiting:
        for entry in os.scandir(waiting.pop()):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    waiting.append(entry.path)
            else:
                state = entry.stat()
                found.append((entry.path, state.st_size, state.st_mtime_ns))
    return sorted(found)
