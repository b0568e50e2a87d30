"""Real tools of others: a test that needs a missing one skips with the reason, and fails where it must not."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# read here, because every test runs in an environment without F0CI_* variables
REQUIRE_REAL = os.environ.get("F0CI_REQUIRE_REAL") == "1"


@pytest.fixture
def tool() -> Callable[[str], str]:
    """Return a function that finds a program beside this Python or on the PATH."""

    def find(name: str) -> str:
        beside = Path(sys.executable).parent / name
        found = str(beside) if beside.exists() else shutil.which(name)
        if found is None:
            if REQUIRE_REAL:
                pytest.fail(f"{name} is missing, and F0CI_REQUIRE_REAL=1")
            pytest.skip(f"{name} is not installed")
        return found

    return find
