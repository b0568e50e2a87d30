"""Recipes that were written to break, stall or exhaust whatever reads them."""

from __future__ import annotations

import random
from collections.abc import Iterator


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
    yield "null characters", b"steps:\n\0\0\0" * 10_000


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
