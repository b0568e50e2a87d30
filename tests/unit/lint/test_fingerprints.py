from __future__ import annotations

from f0ci.core.diagnostics import Diagnostic, Location, Severity, Span
from f0ci.lint.fingerprints import fingerprints


def marks(text: str, *lines: int, rule: str = "x", message: str = "bad") -> tuple[str, ...]:
    found = [Diagnostic(rule, Severity.ERROR, message, Location("a.yaml", Span(n, 1, n, 2))) for n in lines]
    return fingerprints(found, lambda _: text.encode())


def test_lines_above_and_blanks_do_not_count() -> None:
    """A finding that moved, or was indented, is the same."""
    assert marks("steps:\n- a: 1\n", 2) == marks("# more\n\nsteps:\n    -  a: 1\n", 4)


def test_the_wording_does_not_count() -> None:
    """A new version of f0ci may say the same in other words."""
    assert marks("a\n", 1, message="bad") == marks("a\n", 1, message="worse")


def test_of_a_very_long_line_its_digest_counts() -> None:
    """It is told from others, and known however it is spaced."""
    line = "a, " * 5_000

    assert marks(f"- {line}\n", 1) == marks(f"  -   {line} \n", 1)
    assert marks(f"- {line}\n", 1) != marks(f"- {line}b\n", 1)


def test_rule_file_and_line_count() -> None:
    """Each of them tells findings apart."""
    assert marks("a\nb\n", 1) != marks("a\nb\n", 2)
    assert marks("a\n", 1) != marks("a\n", 1, rule="y")
    there = [Diagnostic("x", Severity.ERROR, "bad", Location("b.yaml"))]
    assert fingerprints(there, lambda _: b"a\n") != marks("a\n", 1)


def test_the_same_line_twice_has_two_fingerprints() -> None:
    """The first stays the first when the second comes."""
    once, twice = marks("a\n", 1), marks("a\nb\na\n", 1, 3)

    assert twice[0] == once[0]
    assert twice[1] != once[0]


def test_what_has_no_lines_is_told_by_its_message() -> None:
    """A folder has no text."""
    found = [Diagnostic("x", Severity.ERROR, message, Location("environments/dev")) for message in ("a", "b", "a")]

    assert len(set(fingerprints(found, lambda _: None))) == 3


def test_no_two_lists_of_parts_are_one_text() -> None:
    """A line break in a path cannot make one finding look like another."""
    one = Diagnostic("x", Severity.ERROR, "b\nc", Location("a"))
    other = Diagnostic("x", Severity.ERROR, "c", Location("a\nb"))

    assert fingerprints([one], lambda _: None) != fingerprints([other], lambda _: None)
