from __future__ import annotations

import pytest

from f0ci.core.counting import counted


@pytest.mark.parametrize(("number", "said"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (-1, "-1 files")])
def test_one_is_one_and_others_are_many(number: int, said: str) -> None:
    assert counted(number, "file") == said
