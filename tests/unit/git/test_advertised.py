from __future__ import annotations

import pytest

from f0ci.git.advertised import Advertised, fitting, parse_advertised

_ONE, _TWO = "1" * 40, "2" * 40
_PATTERNS = ("refs/heads/env/*", "refs/tags/f0ci/*")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", Advertised(None, {})),
        (f"ref: refs/heads/main\tHEAD\n{_ONE}\tHEAD\n", Advertised("main", {"refs/heads/main": _ONE})),
        ("ref: refs/heads/a/b\tHEAD\n", Advertised("a/b", {})),
        (f"{_ONE}\tHEAD\n", Advertised(None, {})),
        (f"{_ONE}\trefs/heads/env/dev\n", Advertised(None, {"refs/heads/env/dev": _ONE})),
        (f"{_ONE}\trefs/heads/feature/refs/heads/env/dev\n{_TWO}\trefs/heads/main\n", Advertised(None, {})),
        (
            f"{_ONE}\trefs/tags/f0ci/release/a\n{_TWO}\trefs/tags/f0ci/release/a^{{}}\n",
            Advertised(None, {"refs/tags/f0ci/release/a": _ONE}),
        ),
        (f"ref: refs/heads/x\trefs/remotes/o/HEAD\n{_ONE}\trefs/remotes/o/HEAD\n", Advertised(None, {})),
    ],
    ids=["nothing", "head", "unborn", "no symref told", "one", "ends alike", "peeled", "another head"],
)
def test_what_a_remote_says_is_read(text: str, found: Advertised) -> None:
    assert parse_advertised(text, _PATTERNS) == found


def test_a_pattern_is_a_name_or_a_beginning() -> None:
    refs = ["refs/heads/env/a/b", "refs/heads/x", "refs/heads/xy", "refs/heads/env"]
    assert fitting(refs, ["refs/heads/env/*", "refs/heads/x"]) == ("refs/heads/env/a/b", "refs/heads/x")
    assert fitting(refs, []) == ()
