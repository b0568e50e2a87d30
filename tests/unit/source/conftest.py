"""Reading YAML with each of the two readers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from f0ci.source import yaml as exact
from f0ci.source.native_yaml import YamlReader, native_reader, python_reader
from tests.conftest import missing_real


@pytest.fixture(scope="session")
def native() -> YamlReader:
    """Return the reader in C."""
    try:
        return native_reader()
    except ImportError as error:
        missing_real("the reader in C", f"{error}; make setup builds it, with a C compiler and Python's headers")


@pytest.fixture(scope="module", params=["c", "python"])
def each_reader(request: pytest.FixtureRequest) -> Iterator[YamlReader]:
    """Have the tests of a module read with one reader, then with the other."""
    reader = request.getfixturevalue("native") if request.param == "c" else python_reader("a test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exact, "yaml_reader", lambda: reader)
        yield reader
