from __future__ import annotations

import pytest

from f0ci.core.errors import InputError
from f0ci.source.records import read_records

ROWS = [
    ("csv", b"a,b\n1,x\n\n2,\n", [({"a": "1", "b": "x"}, "f:2"), ({"a": "2", "b": ""}, "f:4")]),
    ("csv", b'a\n"two\nlines"\n3\n', [({"a": "two\nlines"}, "f:3"), ({"a": "3"}, "f:4")]),
    ("json", b'[{"a": 1},\n {"a": [2]}]', [({"a": 1}, "f:1:2"), ({"a": [2]}, "f:2:2")]),
    ("json", b'\n{"a": null}', [({"a": None}, "f:2:1")]),
    ("jsonl", b'{"a": 1}\r\n\n{"a": "\xe2\x80\xa8"}', [({"a": 1}, "f:1"), ({"a": "\u2028"}, "f:3")]),
]


@pytest.mark.parametrize(("form", "raw", "rows"), ROWS)
def test_rows_keep_their_place(form: str, raw: bytes, rows: list[tuple[dict[str, object], str]]) -> None:
    assert [(record.cells, record.locate()) for record in read_records("f", raw, form)] == rows


@pytest.mark.parametrize(
    ("column", "message"), [("b", "the column 'b' is empty"), ("d", "there is no column 'd'"), ("n", "is empty")]
)
def test_a_cell_without_a_value_is_an_error_at_its_row(column: str, message: str) -> None:
    (record,) = read_records("f", b'[{"a": 0, "b": "", "n": null}]', "json")

    assert record.cell("a") == 0
    with pytest.raises(InputError, match=message) as caught:
        record.cell(column)
    assert caught.value.place == "f:1:2"
