"""A pattern is what `re.compile` makes, later."""

from __future__ import annotations

import re

import pytest

from f0ci.core.patterns import pattern


def test_it_does_what_a_compiled_expression_does() -> None:
    late, compiled = pattern(r"(?P<word>[a-z]+)-", re.IGNORECASE), re.compile(r"(?P<word>[a-z]+)-", re.IGNORECASE)

    for text in ("", "Ab-cd-", "1"):
        assert [match.group() for match in late.finditer(text)] == [match.group() for match in compiled.finditer(text)]
        assert late.sub("x", text) == compiled.sub("x", text)
    assert (late.pattern, late.groups, late.groupindex) == (compiled.pattern, compiled.groups, compiled.groupindex)
    assert pattern(rb"a").search(b"ba") is not None


def test_what_there_is_not_is_not_there() -> None:
    with pytest.raises(AttributeError, match="Pattern"):
        _ = pattern("a").surch  # type: ignore[attr-defined]
