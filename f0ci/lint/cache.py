"""What earlier runs found, for as long as everything that it rests on is unchanged.

Each finding rests on the answers that the tree gave while its file was examined: what the file says, what the files
that it refers to say, which of them exist. An index holds these questions with their answers, and what came out of
each file. A run asks again; a file is examined anew where any answer differs. Callers of a recipe use its interface
and no more: where the recipe changed, the interface is drawn from it again, and only where that differs they are
examined anew. So nothing is ever told from a name, a date or a guess, with one exception: a plain file of the same
device, inode, size and times, which were two seconds old when it was read, is taken to say the same.

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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from f0ci import __version__
from f0ci.core.canonical import digest, sha256_hex
from f0ci.core.errors import CannotWork
from f0ci.core.files import write_atomically
from f0ci.core.plugins import distributions, is_extended
from f0ci.core.values import dataclass
from f0ci.lint.numbering import Numbers, bundle, singly, source_of
from f0ci.lint.report import Report, diagnostic_from_json, diagnostic_to_json
from f0ci.lint.reporters.base import summarize
from f0ci.source.asking import ask_again
from f0ci.source.schema import schema_folder
from f0ci.source.traced import TracedTree

if TYPE_CHECKING:
    from f0ci.lint.outcome import Outcome
    from f0ci.lint.workspace import Workspace

_FORMAT = 3
_KEYS = {"surroundings", "questions", "answers", "stamps", "bundles", "files", "outcomes", "named", "report"}
# packages whose code no rule calls: import-linter keeps it so
ABOVE = ("cli", "commands", "pipelines", "promotion", "render", "runner")
_PROBED = 64
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


def open_cache(folder: Path, root: Path, options: Sequence[object], *, jobs: int | None = 1) -> Cache | None:
    """Return the index of a folder of files and a set of options, or None where nothing may be kept.

    Args:
        folder: where indexes lie; made when the first is written.
        root: whose files are examined.
        options: all that decides, beside the files, what is found.
        jobs: processes that may share the asking; None for as many as pay.
    """
    # what other people's rules look at is not known
    if is_extended():
        return None
    name = digest(
        [_FORMAT, __version__, sys.version, _own_files(), distributions(), os.fsencode(root).hex(), list(options)]
    )
    file = folder / f"validate-{name[:32]}.json"
    return Cache(file, _read_index(file), jobs)


@dataclass(slots=True)
class Cache:
    """The index of one folder and one set of options.

    Attributes:
        file: where it lies.
        index: what it says; empty where there is none.
        jobs: processes that may share the asking; None for as many as pay.
    """

    file: Path
    index: dict[str, Any] = field(default_factory=dict)
    jobs: int | None = 1
    _judged: set[int] = field(default_factory=set, repr=False)
    _differing: set[int] = field(default_factory=set, repr=False)
    _used: set[str] = field(default_factory=set, repr=False)

    def report(
        self, tree: TracedTree, named: Sequence[str], prepare: Callable[[], object] = lambda: None
    ) -> Report | None:
        """Return the last run's report, or None where it was about something else or any answer differs.

        Args:
            tree: the files.
            named: what was asked about, sorted.
            prepare: called early where a report is certainly not to be had, while others read files.
        """
        last = self.index.get("report")
        if last is None or last["named"] != list(named):
            return None
        self._judge(range(last["asked"]), tree, prepare)
        if self._differing:
            return None
        known = self.index["stamps"]
        stamps = [
            tree.stamps.get(question) or stamp for question, stamp in zip(self.index["questions"], known, strict=True)
        ]
        if stamps != known:
            self._write({**self.index, "stamps": stamps})
        diagnostics = tuple(map(diagnostic_from_json, last["diagnostics"]))
        return Report(diagnostics, summarize(diagnostics, len(last["checked"]), last["checked"]))

    def outcomes(self, workspace: Workspace) -> dict[str, Outcome]:
        """Return what came out of the files that need not be examined, by path."""
        tree = workspace.tree
        if not isinstance(tree, TracedTree) or self.index.get("surroundings") != workspace.surroundings:
            return {}
        from f0ci.lint.outcome import from_json

        files, told = self.index["files"], self.index["outcomes"]
        otherwise = set(self.index["named"]).symmetric_difference(workspace.named)
        known = [path for path in workspace.asked if path in files and path not in otherwise]
        asked = singly(set().union(*(files[path] for path in known)), self.index["bundles"])
        sources = self._sources(asked)
        self._judge(asked.union(sources.values()), tree)
        self._conclude(sources, workspace, tree)
        is_unchanged = self._with_bundles(self._differing | self._about(otherwise)).isdisjoint
        # of most files there is nothing to say
        nothing = from_json(True)
        found = {
            path: from_json(told[path]) if path in told else nothing for path in known if is_unchanged(files[path])
        }
        self._used.update(found)
        return found

    def keep(self, workspace: Workspace, report: Report, outcomes: Mapping[str, Outcome]) -> None:
        """Write down what a run found, and what it rests on.

        Args:
            workspace: what was examined.
            report: what came out at the end.
            outcomes: what came out of each file.
        """
        tree = workspace.tree
        new = {path: outcome for path, outcome in outcomes.items() if path not in self._used}
        is_sound = not any(outcome.has_failed for outcome in new.values())
        # where only a part of what is known was asked for and all of it was known, there is nothing to add
        is_known = bool(workspace.named) and self.index.get("report") is not None and not new
        if not isinstance(tree, TracedTree) or tree.is_unsteady or not is_sound or is_known:
            return
        from f0ci.lint.outcome import to_json

        numbers, files = self._numbered(tree, new)
        # what the report rests on comes first
        asked = len(numbers.questions)
        left = self._left(workspace, outcomes)
        files |= self._carried(left, numbers)
        known = self._used | left
        told = {path: data for path, data in self.index.get("outcomes", {}).items() if path in known}
        told |= {path: data for path, outcome in new.items() if (data := to_json(outcome)) is not True}
        answers, stamps = tree.answers, tree.stamps
        if left:
            questions = self.index["questions"]
            answers = dict(zip(questions, self.index["answers"], strict=True)) | answers
            stamps = dict(zip(questions, self.index["stamps"], strict=True)) | stamps
        named = set(workspace.named).intersection(outcomes) | left.intersection(self.index.get("named", ()))
        self._write(
            {
                "surroundings": workspace.surroundings,
                "questions": numbers.questions,
                "answers": [answers[question] for question in numbers.questions],
                "stamps": [stamps.get(question, "") for question in numbers.questions],
                "bundles": numbers.bundles,
                "files": files,
                "outcomes": told,
                "named": sorted(named),
                "report": {
                    "named": workspace.named,
                    "asked": asked,
                    "diagnostics": [diagnostic_to_json(one) for one in report.diagnostics],
                    "checked": report.summary.checked,
                },
            }
        )

    def _left(self, workspace: Workspace, outcomes: Mapping[str, Outcome]) -> set[str]:
        """Return the known files that this run did not look at, of which no answer is known to differ."""
        if not workspace.named or self.index.get("surroundings") != workspace.surroundings:
            return set()
        answers = workspace.tree.answers if isinstance(workspace.tree, TracedTree) else {}
        questions = self.index["questions"]
        known = enumerate(zip(questions, self.index["answers"], strict=True))
        differing = {number for number, (question, answer) in known if answers.get(question, answer) != answer}
        sources = self._sources(range(len(questions)))
        # a conclusion that nobody drew again stands as long as what it was drawn from
        differing |= {one for one, source in sources.items() if source in differing and questions[one] not in answers}
        differing |= self._about(set(self.index["named"]).symmetric_difference(workspace.named))
        is_unchanged = self._with_bundles(differing).isdisjoint
        files = self.index["files"]
        there = set(workspace.tree.files()).intersection(files).difference(outcomes)
        return {path for path in there if is_unchanged(files[path])}

    def _numbered(self, tree: TracedTree, new: Mapping[str, Outcome]) -> tuple[Numbers, dict[str, list[int]]]:
        """Return numbers for what this run rests on, and those of each file; as before, where all is still in use."""
        numbers = Numbers(self.index.get("questions", ()), self.index.get("bundles", ()))
        files = {path: self.index["files"][path] for path in self._used}
        files |= {path: numbers.of(outcome.asked) for path, outcome in new.items()}
        used = set(numbers.of(tree.asked)).union(*files.values())
        single = singly(used, numbers.bundles)
        sources = {numbers[source_of(one)] for number in single if (one := numbers.questions[number])[0] == "i"}
        if len(used | single | sources) < len(numbers):
            numbers = Numbers()
            numbers.of(tree.asked)
            files = self._carried(self._used, numbers)
            files |= {path: numbers.of(outcome.asked) for path, outcome in new.items()}
        return numbers, files

    def _carried(self, paths: Iterable[str], numbers: Numbers) -> dict[str, list[int]]:
        """Return what was asked for some known files, in other numbers."""
        if not paths:
            return {}
        questions, files = self.index["questions"], self.index["files"]
        bundles = [bundle(members, questions) for members in self.index["bundles"]]
        # the first bundle is the last of all: number -1
        asked = [*questions, *reversed(bundles)]
        # each number is looked up once
        new = {number: numbers[asked[number]] for number in set().union(*(files[path] for path in paths))}
        return {path: list(map(new.__getitem__, files[path])) for path in paths}

    def _with_bundles(self, questions: set[int]) -> set[int]:
        """Return the numbers of some questions and of the bundles that hold any of them."""
        held = (-number for number, members in enumerate(self.index["bundles"], 1) if not questions.isdisjoint(members))
        return questions.union(held)

    def _judge(self, numbers: Iterable[int], tree: TracedTree, prepare: Callable[[], object] = lambda: None) -> None:
        """Ask some questions again, and note which are answered otherwise than before."""
        questions, answers, stamps = self.index["questions"], self.index["answers"], self.index["stamps"]
        new = sorted({number for number in numbers if questions[number][0] != "i"}.difference(self._judged))
        stamped = [number for number in new if stamps[number]]
        # in a fresh checkout no stamp holds: to look at each before reading it would be for nothing
        probed = stamped[:: len(stamped) // _PROBED + 1]
        is_fresh = not any(tree.stamp(questions[number][1:]) == stamps[number] for number in probed)
        known = {questions[number]: (number, answers[number]) for number in new}
        doubtful = (
            list(known)
            if is_fresh
            else tree.learn_unchanged((questions[number], answers[number], stamps[number]) for number in new)
        )

        def look(asked: Iterable[str]) -> None:
            if any(tree.answers[question] != known[question][1] for question in asked):
                _import_rules()
                prepare()

        ask_again(tree, doubtful, self.jobs, look)
        self._differing.update(known[one][0] for one in doubtful if tree.answers[one] != known[one][1])
        self._judged.update(new)

    def _sources(self, numbers: Iterable[int]) -> dict[int, int]:
        """Return the numbers of the conclusions among some questions, each with that of what it is drawn from."""
        questions = self.index["questions"]
        conclusions = [number for number in numbers if questions[number][0] == "i"]
        known = {question: number for number, question in enumerate(questions)} if conclusions else {}
        return {number: known[source_of(questions[number])] for number in conclusions}

    def _conclude(self, sources: Mapping[int, int], workspace: Workspace, tree: TracedTree) -> None:
        """Draw conclusions again where their source differs, and note which come out otherwise than before."""
        questions, answers = self.index["questions"], self.index["answers"]
        for number, source in sources.items():
            question = questions[number]
            if source not in self._differing:
                tree.learn(question, answers[number], "")
            elif workspace.interface(question[1:]) != answers[number]:
                self._differing.add(number)

    def _about(self, paths: set[str]) -> set[int]:
        """Return the numbers of what was asked of some files: where files are named, they are read with other eyes."""
        questions = enumerate(self.index["questions"] if paths else ())
        return {number for number, question in questions if question[0] in "ri" and question[1:] in paths}

    def _write(self, index: Mapping[str, Any]) -> None:
        text = json.dumps(index, separators=(",", ":")).encode()
        # a cache that cannot be written is none
        with contextlib.suppress(CannotWork, OSError):
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self.file, sha256_hex(text).encode() + b"\n" + text, mode=0o600, is_durable=False)
            _forget(self.file.parent)


def _import_rules() -> None:
    """Import what examining files takes; where that is certain to come, others do something else meanwhile."""
    from f0ci.lint import engine, registry

    del engine
    for name in registry.names():
        if registry.offers(name, "check_recipe") or registry.offers(name, "check_document"):
            registry.module(name)


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
    with os.scandir(folder) as entries:
        for entry in entries:
            # another run may have renamed or removed it
            with contextlib.suppress(FileNotFoundError):
                if entry.name.startswith(("validate-", ".validate-")) and entry.stat().st_mtime < oldest:
                    os.unlink(entry.path)  # noqa: PTH108 - an entry knows its path as text


def _own_files() -> list[tuple[str, int, int]]:
    """Return what tells one state of the program from another, also while somebody works on it."""
    found: list[tuple[str, int, int]] = []
    home = str(Path(__file__).resolve().parents[1])
    waiting = [home, str(schema_folder())]
    above = tuple(os.path.join(home, name, "") for name in ABOVE)  # noqa: PTH118 - with its separator
    while waiting:
        folder = waiting.pop()
        is_above = os.path.join(folder, "").startswith(above)  # noqa: PTH118
        for entry in os.scandir(folder):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    waiting.append(entry.path)
            elif is_above and entry.name.endswith(".py"):
                # which plug-ins there are is told by their names
                found.append((entry.path, 0, 0))
            else:
                state = entry.stat()
                found.append((entry.path, state.st_size, state.st_mtime_ns))
    return sorted(found)
