"""What no validator can beat: every file read and parsed by libyaml once, on all cores, and nothing made of it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from yaml import YAMLError
from yaml._yaml import CParser


def parse(paths: Sequence[Path]) -> None:
    """Parse files and drop what comes out."""
    for path in paths:
        try:
            CParser(path.read_bytes()).raw_parse()
        except YAMLError:
            continue


def main(folder: str) -> None:
    """Parse every recipe below a folder, each process its share of the files by size."""
    paths = sorted(Path(folder).rglob("*.yaml"), key=lambda path: -path.stat().st_size)
    cores = len(os.sched_getaffinity(0))
    started: list[int] = []
    for number in range(1, cores):
        process = os.fork()
        if not process:
            parse(paths[number::cores])
            os._exit(0)
        started.append(process)
    parse(paths[0::cores])
    for process in started:
        os.waitpid(process, 0)


if __name__ == "__main__":
    main(sys.argv[1])
