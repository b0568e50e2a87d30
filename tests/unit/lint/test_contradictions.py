"""Whether conditions leave a good value is what trying values says."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from f0ci.lint.rules.criteria_contradict import _can_pass, _fewest
from f0ci.workflows.conditions import OPERATORS, parse_condition
from f0ci.workflows.model import Check

_CHECKS = st.builds(
    lambda operator, number, rollback: Check(parse_condition(f"e {operator} {number}"), rollback, ()),
    st.sampled_from(OPERATORS),
    st.integers(0, 4),
    st.booleans(),
)


def passes(checks: list[Check]) -> bool:
    """Tell whether one of many values passes: every bound, what lies between two, and what lies beyond."""
    values = [number / 2 for number in range(-2, 12)]
    return any(all(check.condition.holds(value) is not check.rollback for check in checks) for value in values)


@given(st.lists(_CHECKS, min_size=2, max_size=5))
def test_conditions_contradict_each_other_where_no_value_passes(checks: list[Check]) -> None:
    """And those that are named contradict each other by themselves."""
    assert _can_pass(checks) is passes(checks)
    if not passes(checks):
        assert not passes(list(_fewest(checks)))
