"""The longer job: libFuzzer, through atheris, looks for bytes that make f0ci break its promises.

    make fuzz FUZZ_SECONDS=600

A run starts from the repository's own files (`seeds.py`) and keeps what it learns below `.fuzz/`. Bytes on which a
target raises, takes more than two seconds, or more than 200 MB beyond what the program itself takes, are written to
`.fuzz/<target>/crash-*`, and end the run with an error; `python -m tests.fuzz.run documents FILE` tries such a file.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import resource
import sys
from pathlib import Path

from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS

_FOLDER = Path(".fuzz")
_MOST_MEGABYTES = 200
_LONGEST = 100_000


def main(target: str, *arguments: str) -> None:
    """Fuzz one target.

    Args:
        target: its name.
        arguments: libFuzzer's, such as `-max_total_time=60`, or files to try.
    """
    import atheris

    with atheris.instrument_imports(include=["f0ci"]):
        for name in [name for name in sys.modules if name.split(".")[0] == "f0ci"]:
            del sys.modules[name]
        del sys.modules["tests.fuzz.targets"]
        run = importlib.import_module("tests.fuzz.targets").TARGETS[target]
    corpus = _FOLDER / target / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    begin = {"expressions": seeds.expressions, "templates": seeds.templates}.get(target, seeds.documents)
    for content in begin():
        (corpus / hashlib.sha256(content).hexdigest()[:20]).write_bytes(content)
    # what the program takes by itself, with everything imported
    run(b"steps: [{name: a, run: x}]")
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    limits = [f"-rss_limit_mb={own + _MOST_MEGABYTES}", "-timeout=10", f"-max_len={_LONGEST}"]
    prefix = f"-artifact_prefix={_FOLDER / target}{os.sep}"
    names = [argument for argument in arguments if not argument.startswith("-")]
    options = [argument for argument in arguments if argument.startswith("-")]
    atheris.Setup([sys.argv[0], *limits, prefix, *options, *(names or [str(corpus)])], run)
    atheris.Fuzz()


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"usage: python -m tests.fuzz.run {{{','.join(TARGETS)}}} [libFuzzer arguments]")
    main(*sys.argv[1:])
