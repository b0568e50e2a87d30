from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from f0ci.lint.numbering import Numbers, bundle, singly
from f0ci.source.traced import Asked

_QUESTIONS = st.sampled_from([f"r{letter}" for letter in "abcdefgh"])
_ASKED = st.lists(st.one_of(_QUESTIONS, st.frozensets(_QUESTIONS, min_size=1)))


@given(_ASKED, _ASKED)
def test_numbers_stand_for_what_was_asked_and_stay(first: list[Asked], second: list[Asked]) -> None:
    numbers = Numbers()
    early = numbers.of(first)
    again = Numbers(numbers.questions, numbers.bundles)
    late = again.of(second)

    assert again.of(first) == early
    for asked, given_numbers in ((first, early), (second, late)):
        assert [
            again.questions[one] if one >= 0 else bundle(again.bundles[-one - 1], again.questions)
            for one in given_numbers
        ] == asked
        flat = {question for one in asked for question in ([one] if isinstance(one, str) else one)}
        assert {again.questions[one] for one in singly(given_numbers, again.bundles)} == flat
