"""What is written of secrets, and how they come back."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from f0ci.core.errors import InputError
from f0ci.core.redaction import Redactor
from f0ci.runner.sealing import Sealer, masked

TEXTS = st.text(st.characters(exclude_characters="\ue000\ue001\ue002", exclude_categories=["Cs"]))
VALUES = st.recursive(TEXTS | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


@given(VALUES, st.dictionaries(st.from_regex(r"secret [a-z/]{1,9}", fullmatch=True), TEXTS, max_size=4))
def test_what_is_sealed_comes_back(data: Any, secrets: dict[str, str]) -> None:
    sealer = Sealer()
    for name, value in secrets.items():
        sealer.add(name, value)

    assert sealer.unseal(sealer.seal(data)) == data


SECRET = 'planted "secret"/é ü?>~'
SPELLINGS = [
    SECRET,
    base64.b64encode(SECRET.encode()).decode(),
    base64.urlsafe_b64encode(SECRET.encode()).decode(),
    quote(SECRET),
    quote(SECRET, safe=""),
    quote_plus(SECRET),
]


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_no_spelling_of_a_secret_is_shown(spelled: str) -> None:
    assert Redactor([SECRET]).text(f"a={spelled}").rstrip("=") == "a=***"


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_no_spelling_of_a_secret_is_written(spelled: str) -> None:
    sealer = Sealer()
    sealer.add("secret shop/token", SECRET)
    text = sealer.seal({"a": spelled})

    assert spelled not in text
    assert masked(text) == {"a": "***"}
    assert Sealer({"shop/token": SECRET}.get).unseal(text) == {"a": spelled}


def test_a_value_inside_the_name_of_another_tears_nothing() -> None:
    sealer = Sealer()
    sealer.add("secret token", "planted")
    sealer.add("secret other", "token")

    assert sealer.unseal(sealer.seal("planted token")) == "planted token"


@pytest.mark.parametrize(("name", "words"), [("parameter key.a", "-p key.a="), ("secret a/b", "'a/b'")])
def test_what_is_missing_is_asked_for(name: str, words: str) -> None:
    sealer = Sealer()
    sealer.add(name, "planted")

    with pytest.raises(InputError) as caught:
        Sealer().unseal(sealer.seal("planted"))
    assert words in str(caught.value.hint)
