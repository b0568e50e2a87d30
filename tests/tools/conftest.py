"""Real tools of others: a test that needs a missing one skips with the reason, and fails where it must not."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import require_real


@pytest.fixture
def tool() -> Callable[..., str]:
    """Return a function that finds a program beside this Python or on the PATH: `tool("groovy", "groovy")`."""

    def find(name: str, package: str = "none; it comes with f0ci[dev]") -> str:
        beside = Path(sys.executable).parent / name
        return str(beside) if beside.exists() else require_real(name, package)

    return find
