"""Events of a run as lines of JSON in a file, for other programs to follow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from f0ci.core.errors import CannotWork
from f0ci.runner.events import Event, Listener, to_json


@contextmanager
def event_log(path: Path, told: Mapping[str, Any]) -> Iterator[Listener]:
    """Give a listener that adds one line an event to a file, each flushed as it is written.

    Args:
        path: the file; made where it does not exist.
        told: said in every line, such as the recipe.

    Raises:
        CannotWork: the file cannot be written.
    """
    try:
        stream = path.open("a", encoding="utf-8")
    except OSError as error:
        hint = "check the folder and its permissions"
        raise CannotWork(f"cannot write events to {str(path)!r}: {error.strerror}", hint) from error
    with stream:

        def write(event: Event) -> None:
            # every line has the moment it was written, in one form
            moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            line = {"time": moment, **told, **to_json(event)} | {"time": moment}
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")
            stream.flush()

        yield write
