"""The other side of a scriptlet's own process: `python -m f0ci.runner.child REQUEST ANSWER`."""

from __future__ import annotations

import io
import json
import sys
import threading
from pathlib import Path
from typing import Any

from f0ci.core.errors import F0ciError, StepError
from f0ci.runner.context import Context
from f0ci.runner.modules import importing_from
from f0ci.runner.steps.python import Scriptlet, perform


class _Telling(Context):
    """A context that tells every change to the process that started this one."""

    def __init__(self, values: dict[str, Any], answer: Any, step: str, idempotency_key: str | None) -> None:
        super().__init__(values)
        self._answer = answer
        self._telling = threading.Lock()
        self._who = self.step = step
        self.idempotency_key = idempotency_key

    def set(self, key: str, value: Any, who: str | None = None) -> None:
        super().set(key, value, who)
        with self._telling:
            self._answer.write(json.dumps({"set": key, "value": value, "who": who}) + "\n")
            self._answer.flush()


def main(request: Path, answer: Path) -> None:
    """Do what the request says, and write changes and the result as they come about."""
    for stream in (sys.stdout, sys.stderr):
        # a scriptlet may print what is no text in a thread of f0ci, and so it may here
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    asked = json.loads(request.read_text(encoding="utf-8"))
    said = asked["scriptlet"]
    scriptlet = Scriptlet(**{**said, "outputs": tuple(said["outputs"])})
    root = Path(asked["root"])
    with answer.open("a", encoding="utf-8") as told_file:
        context = _Telling(asked["values"], told_file, asked["step"], asked["idempotency_key"])
        try:
            with importing_from(root):
                result = perform(scriptlet, context, root, sys.stderr.write)
            told: dict[str, Any] = {
                "outcome": result.outcome.name,
                "message": result.message,
                "hint": result.hint,
                "outputs": dict(result.outputs),
            }
        except F0ciError as error:
            terminal = not isinstance(error, StepError) or error.terminal
            told = {"error": error.message, "hint": error.hint, "terminal": terminal}
        told_file.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
