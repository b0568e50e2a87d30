"""One shop for all tests of traffic: a proxy, a Prometheus and customers are slow to set up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import require_real
from tests.traffic.shop import ENVIRONMENT, Shop, open_shop


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of this folder with one worker (`--dist loadgroup`), so that no other opens a shop as well."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("traffic"))


# most tests are about the first step; the others only cost time
PACE = {"duration": "2s", "delay": "1s", "scrape": "250ms", "steps": "[10, 100]"}


@pytest.fixture(scope="session")
def _opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    require_real("haproxy", "haproxy")
    prometheus = require_real("prometheus", "prometheus")
    home = tmp_path_factory.mktemp("h")
    (home / ".gitconfig").write_text("[user]\nname = Alice\nemail = alice@example.com\n[init]\ndefaultBranch = main\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
        with open_shop(_short(tmp_path_factory), prometheus, **PACE) as shop:
            yield shop


@pytest.fixture
def shop(_opened: Shop) -> Iterator[Shop]:
    """Return the shop with a good release and customers; whatever a test left behind is rolled back."""
    _opened.load.rate = 100
    yield _opened
    _opened.load.rate = 100
    if not any(_opened.happened(kind) for kind in ("succeeded", "rolled_back", "aborted", "failed")):
        _opened.f0ci("rollback", ENVIRONMENT, "--reason", "the test is over")
    if _opened.is_held():
        _opened.f0ci("unhold", ENVIRONMENT, "--reason", "seen")


def _short(factory: pytest.TempPathFactory) -> Path:
    # the name of a socket has at most 107 characters
    return factory.mktemp("t")
