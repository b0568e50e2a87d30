"""Recipes that were written to break, stall or exhaust whatever reads them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator


def hostile_files() -> Iterator[tuple[str, bytes]]:
    """Yield such recipes with what they do; the same bytes each time."""
    yield "100,000 open brackets", b"steps: " + b"[" * 100_000
    yield "100,000 open braces", b"steps: " + b"{a: " * 100_000
    yield "a billion laughs", _laughs()
    yield "a value inside itself", b"steps: &a\n  - name: a\n    args: {inner: *a}\n"
    yield "a key that holds itself", b"? &a [*a]\n: 1\nsteps: []\n"
    yield "merges that multiply", _merges()
    yield "60,000 steps", _steps(60_000, reads=False)
    yield "20,000 steps that read the first", _steps(20_000, reads=True)
    yield "1 MB of random text", _text()
    yield "an expression of 1 MB", _recipe("#{" + "params.a + " * 90_000 + "1}")
    yield "10,000 expressions", _recipe("#{params.a} " * 10_000)
    yield "expressions nested 5,000 deep", _recipe("#{" + "(" * 5_000 + "1" + ")" * 5_000 + "}")
    yield "2,400 times not", _recipe("#{" + "not " * 2_400 + "true}")
    yield "a mapping 90 levels deep, 500 times", _deep()
    yield "20,000 anchors", b"steps:\n" + b"".join(b"  - &a%d {name: a%d, run: x}\n" % (n, n) for n in range(20_000))
    yield "a key of 1 MB", b"steps:\n  - {name: a, run: x, " + b"k" * 1_000_000 + b": 1}\n"
    yield "a number of 1 MB", b"steps:\n  - {name: a, run: x, idx: " + b"9" * 1_000_000 + b"}\n"
    yield (
        "20,000 unknown keys",
        b"steps:\n  - name: a\n    run: x\n" + b"".join(b"    k%d: 1\n" % n for n in range(20_000)),
    )
    yield "40,000 unknown keys in one line", _step(", ".join(f"k{n}: 1" for n in range(40_000)))
    yield (
        "15,000 unknown keys, each ignored",
        _lines(f"  - {{name: s{n}, run: x, k: 1}} # f0ci: ignore[unknown-key] r" for n in range(15_000)),
    )
    yield "15,000 comments that ignore nothing", _lines(_ignoring(n, "syntax") for n in range(15_000))
    yield "15,000 comments that ignore no rule", _lines(_ignoring(n, f"r{n}") for n in range(15_000))
    yield (
        "10,000 distinct conditions",
        _lines(
            f"  - {{name: s{n}, run: x, condition: \"params.a == {n} and environment != 'x{n}'\"}}"
            for n in range(10_000)
        ),
    )
    yield "60,000 doubtful versions", _step(f"args: {{version: [{', '.join(_doubtful(n) for n in range(60_000))}]}}")
    yield (
        "30,000 unknown keys with doubtful numbers",
        _step(", ".join(f"k{n}: {n % 70}.{n % 9}0" for n in range(30_000))),
    )
    yield "15,000 steps that wait for each other by twos", _lines(_waiting(n, f"s{n ^ 1}") for n in range(15_000))
    yield "15,000 steps in a circle", _lines(_waiting(n, f"s{(n + 1) % 15_000}") for n in range(15_000))
    yield "15,000 dependencies that are missing", _lines(_waiting(n, f"z{n}") for n in range(15_000))
    yield (
        "15,000 recipes that are missing",
        _lines(f"  - {{name: s{n}, recipe_path: r{n}.yaml}}" for n in range(15_000)),
    )
    yield (
        "7,000 keys of the context that are nearly set",
        _lines(
            f"  - {{name: s{n}, module: a.b, success: {{ctx_has_keys: [all.customers{n}]}},"
            f" args: {{x: \"#{{context.get('all.custumers{n}')}}\"}}}}"
            for n in range(7_000)
        ),
    )
    yield "8,000 patterns that take for ever", _patterns()
    yield "200,000 expressions in one text", _recipe("#{a}" * 200_000)
    yield "140,000 expressions in 7,000 texts", _lines(_reading(n, "#{a}" * 20) for n in range(7_000))
    yield "two names of 300,000 letters, nearly the same", _names()
    yield "250,000 steps of one letter", b"steps: [" + b"{a}," * 250_000 + b"]\n"
    yield "77,000 steps of a name", b"steps: [" + b"{name: abcd}," * 77_000 + b"]\n"
    yield "500,000 dashes", b"steps:\n" + b"-\n" * 500_000
    yield "80,000 steps whose name is a list", b"steps:\n" + b"- name: [a]\n" * 80_000
    yield "30,000 steps, the last with an empty name", _lines([*map(_named, range(30_000)), _named("")])
    yield "30,000 steps with an empty name", _lines([_named("")] * 30_000)
    yield "60,000 parameters whose type is a list", b"parameters:\n" + b"- {type: [[x]]}\n" * 60_000 + b"steps: []\n"
    yield "null characters", b"steps:\n\0\0\0" * 10_000


def _lines(lines: Iterable[str]) -> bytes:
    return "\n".join(["metadata: {name: a}", "steps:", *lines, ""]).encode()


def _step(more: str) -> bytes:
    return _lines([f"  - {{name: a, run: x, {more}}}"])


def _named(name: object) -> str:
    return f"  - {{name: '{name}', run: x}}"


def _ignoring(number: int, rule: str) -> str:
    return f"  - {{name: s{number}, run: x}} # f0ci: ignore[{rule}] r"


def _waiting(number: int, name: str) -> str:
    return f"  - {{name: s{number}, run: x, depends_on: [{name}]}}"


def _reading(number: int, text: str) -> str:
    return f"  - {{name: s{number}, run: x, env: {{A: '{text}'}}}}"


def _doubtful(number: int) -> str:
    return f"{number % 90}.{number % 9 + 1}0"


def _patterns() -> bytes:
    declared = "".join(
        f"  - {{name: p{n}, default: {'a' * 30}b, validation: {{pattern: '^(a+)+$', minimum: 3, maximum: {n % 3}}}}}\n"
        for n in range(8_000)
    )
    return f"metadata: {{name: a}}\nparameters:\n{declared}steps:\n  - {{name: a, run: x}}\n".encode()


def _names() -> bytes:
    letters = "".join("abcdefghij"[(n * 7 + n // 3) % 10] for n in range(300_000))
    near = f"{letters[:150_000]}Z{letters[150_000:]}"
    return _lines([f"  - {{name: {letters}, run: x}}", f"  - {{name: b, run: x, depends_on: [{near}]}}"])


def _laughs() -> bytes:
    lines = ["a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join([*lines, "steps: *a9", ""]).encode()


def _merges() -> bytes:
    lines = ["m0: &m0 {a: 1}"]
    lines += [f"m{n}: &m{n} {{<<: [*m{n - 1}, *m{n - 1}], k{n}: 1}}" for n in range(1, 40)]
    return "\n".join([*lines, "steps: [*m39]", ""]).encode()


def _steps(count: int, *, reads: bool) -> bytes:
    lines = ["metadata: {name: large}", "steps:"]
    for number in range(count):
        lines.append(f"  - name: step_{number}")
        lines.append(f"    depends_on: [step_{number - 1}]" if number else "    depends_on: []")
        if reads and number:
            lines += ["    type: shell", "    run: ./load.sh", '    env: {ROWS: "#{steps.step_0.outputs.rows}"}']
        else:
            lines.append(f"    run: echo {number}")
    return "\n".join([*lines, ""]).encode()


def _recipe(text: str) -> bytes:
    return f'metadata: {{name: a}}\nsteps:\n  - name: a\n    run: x\n    env:\n      A: "{text}"\n'.encode()


def _text() -> bytes:
    source = random.Random(22)  # noqa: S311 - no secret
    return "".join(source.choices("abc:-#{}[]&*!|>'\"%@`, \n", k=1_000_000)).encode()


def _deep() -> bytes:
    value = "{a: " * 90 + "1" + "}" * 90
    return f"metadata: {{name: a}}\nsteps:\n  - name: a\n    run: x\n    env: [{', '.join([value] * 500)}]\n".encode()
