"""Reading YAML with each of the two readers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from f0ci.source import yaml as exact
from f0ci.source.native_yaml import YamlReader, python_reader


@pytest.fixture(scope="module", params=["c", "python"])
def each_reader(request: pytest.FixtureRequest) -> Iterator[YamlReader]:
    """Have the tests of a module read with one reader, then with the other."""
    reader = request.getfixturevalue("native") if request.param == "c" else python_reader("a test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "yaml_reader", lambda: reader)
        yield reader
