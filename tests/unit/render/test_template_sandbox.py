"""What templates may make and do: limits that hold on every machine alike, and that no legitimate template meets."""

from __future__ import annotations

from typing import Any

import pytest

from f0ci.core.errors import InputError
from f0ci.render import template_sandbox
from f0ci.render.templates import Templates
from f0ci.source.tree import MemoryTree

_SCOPE: dict[str, Any] = {"config": {"rows": [{"name": "a", "size": 1}, {"name": "b"}], "word": "word"}}
_TURNS = "the template takes more than 200,000 turns of loops and calls"
_SIZE = "the template makes more than 50,000,000 characters or items"


def _render(text: str) -> str:
    (file,) = Templates(MemoryTree({"t/x.txt.j2": text.encode()}), "t", ["t/x.txt.j2"]).render(["t/x.txt.j2"], _SCOPE)
    return file.content.decode()


def _doubled(change: str) -> str:
    return "{% set ns = namespace(x=START) %}{% for i in range(60) %}CHANGE{% endfor %}".replace(
        "CHANGE", change
    ).replace("START", "[1]" if "+" in change else "'x'")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}", _TURNS),
        (
            "{% for a in range(99) %}{% for b in [1]|map('string') %}{{ range(99999)|list }}{% endfor %}{% endfor %}",
            _TURNS,
        ),
        ("{% set r = range(100000) %}{% for a in r %}{% set b = r|map('string')|list %}{% endfor %}", _TURNS),
        ("{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}", _TURNS),
        ("{% for i in range(100000) %}{% include 'x.txt.j2' %}{% endfor %}", _TURNS),
        ("{{ 'x' * 10000000000 }}", _SIZE),
        ("{{ 10000000000 * [1] }}", _SIZE),
        ("{{ 'x'.encode() * 10000000000 }}", _SIZE),
        (_doubled("{% set ns.x = ns.x ~ ns.x %}"), _SIZE),
        (_doubled("{% set ns.x = ns.x + ns.x %}"), _SIZE),
        (_doubled("{% set y %}{{ ns.x }}{{ ns.x }}{% endset %}{% set ns.x = y %}"), _SIZE),
        ("{{ ('a' * 1000000)|replace('a', 'b' * 1000000) }}", _SIZE),
        ("{{ ('a' * 1000000).replace('a', 'b' * 1000000) }}", _SIZE),
        ("{{ range(50000)|join('b' * 1000000) }}", _SIZE),
        ("{{ ('b' * 1000000).join(['a'] * 100000) }}", _SIZE),
        ("{{ 10 ** 100000000 }}", "the result of '**' has more than 4,096 bits"),
        ("{{ 2 ** 2000 * 2 ** 2000 * 2 ** 2000 }}", "the result of '*' has more than 4,096 bits"),
        ("{{ 'x'|center(10000000000) }}", "'center' takes no number beyond 100,000"),
        ("{{ 'x'|indent(width=10000000000) }}", "'indent' takes no number beyond 100,000"),
        ("{{ 1.5|round(10000000000) }}", "'round' takes no number beyond 100,000"),
        ("{{ [1]|to_json(indent=10000000000) }}", "'to_json' takes no number beyond 100,000"),
        ("{{ 'x'.ljust(10000000000) }}", "'ljust' takes no number beyond 100,000"),
        ("{{ '%010000000000d'|format(1) }}", "a format takes no width beyond 100,000"),
        ("{{ '%.10000000000f' % 1.5 }}", "a format takes no width beyond 100,000"),
        ("{{ '%0*d' % (10000000000, 1) }}", "'format' takes no number beyond 100,000"),
        ("{{ '{:>9999999999}'.format(1) }}", "a format takes no width beyond 100,000"),
        ("{{ '{:{w}}'.format(1, w=10000000000) }}", "'format' takes no number beyond 100,000"),
        ("{{ '{a:{w}}'.format_map({'a': 1, 'w': 10000000000}) }}", "'format' takes no number beyond 100,000"),
        ("{{ 'x'.translate({120: 'y'}) }}", "'translate' is not known here"),
        ("{{ [[1], [2]]|sum(start=[]) }}", "sum adds numbers"),
        ("{% macro f(n) %}{{ f(n) }}{% endmacro %}{{ f(1) }}", "cannot be rendered: maximum recursion depth exceeded"),
        ("{% include 'x.txt.j2' %}", "cannot be rendered: maximum recursion depth exceeded"),
        ("{{ ''.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe"),
        ("{{ config.update({'a': 1}) }}", "access to attribute 'update' of 'dict' object is unsafe"),
        ("{{ config.rows.append(1) }}", "access to attribute 'append' of 'list' object is unsafe"),
    ],
)
def test_what_no_template_may_do(text: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # as many turns as a test has the time for
    monkeypatch.setattr(template_sandbox, "MAX_STEPS", 200_000)

    with pytest.raises(InputError) as raised:
        _render(text)

    assert raised.value.message.startswith(message)
    assert raised.value.place == "t/x.txt.j2:1"


def test_all_of_a_file_is_bounded_too() -> None:
    with pytest.raises(InputError, match=_SIZE) as raised:
        _render("{% for i in range(2000) %}{{ 'x' * 50000 }}{% endfor %}")

    assert raised.value.place == "t/x.txt.j2"


@pytest.mark.parametrize(
    ("text", "result"),
    [
        (
            "{% for i in range(3) %}{{ loop.index }}/{{ loop.length }}{{ ',' if not loop.last }}{% endfor %}",
            "1/3,2/3,3/3",
        ),
        ("{% for k, v in config.rows[0].items() if v %}{{ k }}={{ v }};{% endfor %}", "name=a;size=1;"),
        ("{% for x in [1, 2]|map('string') %}{{ x }}{% else %}none{% endfor %}", "12"),
        ("{% for x in config.rows|selectattr('size', 'defined') %}{{ x.name }}{% endfor %}", "a"),
        ("{% for x in [[1], []] recursive %}[{{ loop(x) if x is iterable }}]{% endfor %}", "[[]][]"),
        ("{{ '%s of 2500000 %5.2f' | format('a', 1.5) }}", "a of 2500000  1.50"),
        ("{{ 'at :100000 {:>3}'.format(1) }}|{{ '%-4s|' % 'x' }}{{ 7 % 3 }}{{ 2 ** 10 }}", "at :100000   1|x   |11024"),
        ("{{ 'a' ~ 1 ~ none ~ true ~ [1] }}", "a1nulltrue[1]"),
        ("{{ [3, 1]|sort|join(',') }}{{ [1, 2]|sum }}{{ config.rows|sum('size', 0) if false }}", "1,33"),
        ("{{ config.word.upper().center(8) }}{{ 'a'|center(3) }}", "  WORD   a "),
        ("{{ [1, 2, 3]|batch(2)|list }}{{ 2.345|round(1) }}{{ [1]|to_json(indent=2) }}", "[[1,2],[3]]2.3[\n  1\n]"),
    ],
)
def test_what_templates_do_every_day(text: str, result: str) -> None:
    assert _render(text) == result


def test_each_template_has_its_own_turns() -> None:
    paths = [f"t/{number}.txt.j2" for number in range(3)]
    tree = MemoryTree(
        dict.fromkeys(paths, b"{% for a in range(40) %}{% for b in range(50000) %}{% endfor %}{% endfor %}")
    )

    assert len(list(Templates(tree, "t", paths).render(paths, {}))) == 3
