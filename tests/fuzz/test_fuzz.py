"""Any bytes are answered: no crash, no hang, nothing read two ways; `make fuzz` looks longer and deeper."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import rounds
from tests.fuzz import seeds
from tests.fuzz.targets import TARGETS, configurations, documents, expressions, natives, readers, templates

_DOCUMENTS = tuple(one for one in seeds.documents() if len(one) < 1_500)
_EXPRESSIONS = tuple(seeds.expressions())
_TEMPLATES = tuple(seeds.templates())
_SEEDS = {"expressions": _EXPRESSIONS, "templates": _TEMPLATES, "configurations": _DOCUMENTS[::29]}
# what YAML, JSON and expressions are made of
_PIECES = (
    *(b": ", b"- ", b"|", b"> ", b"[", b"]", b"{", b"}", b", ", b"&a ", b"*a", b"<<: *a", b"!!str ", b"!x ", b"? "),
    *(b"---", b"...", b"#", b"\n", b"\n  ", b"\n- ", b"\t", b"'", b'"', b"steps:", b"depends_on:", b"name: a"),
    *(b"idx: 1", b"yes", b"1.10", b"017", b"1:30", b"null", b"~", b"\\ud800", b"#{", b"{{", b"}}", b"params.a"),
    *(b" | default(1)", b" ? ", b" : ", b" and ", b" not in ", b"(", b")", b".", b"\x00", b"\xff"),
    *(b"\xe2\x80\xa8", b"\xc2\x85", b"\xef\xbb\xbf", b"\r\n", b"9" * 30, b" " * 40),
)

_TEMPLATE_PIECES = (
    *(
        b"{{ ",
        b" }}",
        b"{% ",
        b" %}",
        b"{#",
        b"#}",
        b"for x in ",
        b"range(99999)",
        b"endfor",
        b"if ",
        b"else",
        b"endif",
    ),
    *(b"macro f(x)", b"endmacro", b"f(1)", b"set x = ", b"config", b".a", b"['a']", b" | ", b"to_yaml", b"to_toml"),
    *(
        b"tojson",
        b"string",
        b"'%s' % ",
        b" * 9",
        b" ** 9",
        b" ~ ",
        b"[1, 2]",
        b"{'a': 1}",
        b"loop",
        b"self",
        b"\n",
        b"-",
    ),
)


def mutated(texts: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Return texts of which stretches are cut out, doubled, or replaced by pieces of the language."""
    edit = st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from((b"", *_PIECES)), st.booleans())

    def apply(text: bytes, edits: Sequence[tuple[float, int, bytes, bool]]) -> bytes:
        for place, length, piece, is_doubled in edits:
            at = round(place * len(text))
            cut = text[at : at + length]
            text = text[:at] + (cut * 2 if is_doubled else piece) + text[at + length :]
        return text

    return st.builds(apply, st.sampled_from(texts), st.lists(edit, max_size=6))


@settings(max_examples=rounds(150, 20_000))
@given(mutated(_DOCUMENTS))
def test_any_document_is_answered(data: bytes) -> None:
    documents(data)


@settings(max_examples=rounds(400, 50_000))
@given(mutated(_DOCUMENTS) | st.binary(max_size=200) | st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join))
def test_both_ways_through_a_text_read_the_same(data: bytes) -> None:
    readers(data)


@pytest.mark.usefixtures("native")
@settings(max_examples=rounds(400, 50_000))
@given(mutated(_DOCUMENTS) | st.binary(max_size=200) | st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join))
def test_the_reader_in_c_reads_as_those_in_python(data: bytes) -> None:
    natives(data)


@settings(max_examples=rounds(600, 100_000))
@given(mutated(_EXPRESSIONS) | st.lists(st.sampled_from(_PIECES), max_size=12).map(b"".join))
@example(b"(" * 20_000)
@example(b"not " * 20_000 + b"a")
@example(b"a" + b".a" * 50_000)
@example(b"[" * 3_000 + b"]" * 3_000)
@example(b"1" + b" if a else 1" * 5_000)
def test_any_expression_is_answered(data: bytes) -> None:
    expressions(data)


@settings(max_examples=rounds(60, 10_000))
@given(mutated(_DOCUMENTS))
def test_anything_that_is_rendered_is_answered(data: bytes) -> None:
    configurations(data)


@settings(max_examples=rounds(150, 50_000))
@given(mutated(_TEMPLATES) | st.lists(st.sampled_from(_TEMPLATE_PIECES), max_size=12).map(b"".join))
def test_any_template_is_answered(data: bytes) -> None:
    templates(data)


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_of_the_longer_job_is_answered(target: str, request: pytest.FixtureRequest) -> None:
    if target == "natives":
        request.getfixturevalue("native")
    for data in _SEEDS.get(target, _DOCUMENTS[::7]):
        TARGETS[target](data)
