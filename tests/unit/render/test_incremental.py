"""Rendering only what can have changed gives what rendering everything gives, and writes no more."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from f0ci.commands.rendering_many import check_in, render_into
from f0ci.render.incremental import Readers, changes_between, names_changed
from tests.conftest import rounds, write_files

FILES = {
    "f0ci.yaml": "version: 1\n",
    "environments/base.yaml": "size: 1\nzone: none\nlist: [1]\nnested: {a: 1, b: {c: 2}}\nenvironment: {owner: us}\n",
    "environments/dev/config.yaml": "size: 2\n",
    "environments/prod/config.yaml": "extends: dev\nzone: global\nimage: 'shop:#{release}'\n",
    "recipes/plain.yaml": "metadata: {name: plain}\nsteps:\n- {name: a, type: shell, run: 'echo {{ config.size }}'}\n",
    "recipes/sized.yaml": (
        "metadata: {name: sized}\nparameters:\n- {name: n, default: 'n#{config.nested.a}'}\n- {name: k, default: 1}\n"
        "steps:\n- name: a\n  type: shell\n  run: x\n"
        "  env: {SIZE: '#{config.size}', N: '#{params.n}#{params.k}', WHERE: 'in #{config.zone}',"
        " SEEN: \"#{context.get('x')}\"}\n"
    ),
    "recipes/whole.yaml": (
        "metadata: {name: whole}\nsteps:\n- name: a\n  type: shell\n  run: x\n  condition: config.size > 1\n"
        "  env: {ALL: '#{config.nested}', RELEASE: '#{release}'}\n"
        "- {name: b, type: sub_recipe, recipe_path: recipes/plain.yaml, parameters: {n: '#{config.list}'}}\n"
    ),
    "templates/one.conf.j2": "{% include '_part.j2' %}\nsize {{ config.size }}\n",
    "templates/_part.j2": "{% for key in config.nested %}{{ key }} {% endfor %}{{ environment.owner }}",
    "templates/release.txt.j2": "{{ release.id }} {{ rollout.active }}\n",
}
CHANGES: dict[str, Callable[[str], str]] = {
    "environments/base.yaml": lambda text: text.replace("c: 2", "c: 3").replace("owner: us", "owner: them"),
    "environments/dev/config.yaml": lambda text: text + "list: [2, 3]\n" if "list" not in text else text + "# more\n",
    "environments/prod/config.yaml": lambda text: text.replace("zone: global", "zone: local"),
    "recipes/sized.yaml": lambda text: text.replace("in #{", "at #{"),
    "templates/_part.j2": lambda text: text + "!",
    "f0ci.yaml": lambda text: text + "# note\n",
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_files(tmp_path / "work", FILES)
    return tmp_path / "work"


def render(root: Path, *, fresh: bool = False) -> dict[str, set[str]]:
    """Render both environments below `out`, and return what was written in each."""
    out = root.parent / ("fresh" if fresh else "out")
    placings = render_into(root, {name: out / name for name in ("dev", "prod")}, out, fresh=fresh)
    return {name: set(one.written.written) for name, one in placings.items()}


def require_as_fresh(root: Path) -> None:
    shutil.rmtree(root.parent / "fresh", ignore_errors=True)
    render(root, fresh=True)
    assert contents(root.parent / "out") == contents(root.parent / "fresh")
    out = root.parent / "out"
    assert check_in(root, {name: out / name for name in ("dev", "prod")}) == {"dev": [], "prod": []}


def test_nothing_changed_writes_nothing(root: Path) -> None:
    render(root)

    assert render(root) == {"dev": set(), "prod": set()}
    require_as_fresh(root)


RELEASED = {"release.json", "traffic.json", "recipes/whole.yaml", "release.txt"}


@pytest.mark.parametrize(
    ("path", "old", "new", "dev", "prod"),
    [
        ("environments/prod/config.yaml", "global", "eu", set(), {"config.json", "recipes/sized.yaml"}),
        ("environments/dev/config.yaml", "size: 2", "size: 3",
         {"config.json", "recipes/sized.yaml", "one.conf"}, {"config.json", "recipes/sized.yaml", "one.conf"}),
        ("environments/base.yaml", "size: 1", "size: 9", set(), {"config.json"}),
        ("environments/base.yaml", "list: [1]", "list: [1, 2]", {"config.json"}, {"config.json"}),
        ("environments/base.yaml", "owner: us", "owner: we", {"config.json", "one.conf"}, {"config.json", "one.conf"}),
        ("recipes/plain.yaml", "echo", "printf", {"recipes/plain.yaml"}, {"recipes/plain.yaml", "config.json"}),
    ],
)  # fmt: skip
def test_one_change_writes_what_asks_for_it(
    root: Path, path: str, old: str, new: str, dev: set[str], prod: set[str]
) -> None:
    render(root)
    text = (root / path).read_text(encoding="utf-8")
    assert old in text
    (root / path).write_text(text.replace(old, new), encoding="utf-8")

    # production's configuration names the release, which every change moves
    assert render(root) == {"dev": dev | RELEASED, "prod": prod | RELEASED | {"config.json"}}
    require_as_fresh(root)


@pytest.mark.parametrize("path", ["dev/recipes/sized.yaml", "dev/config.json", "prod/release.json", "prod/one.conf"])
@pytest.mark.parametrize("how", ["edited", "removed"])
def test_what_somebody_changed_comes_back(root: Path, path: str, how: str) -> None:
    render(root)
    target = root.parent / "out" / path
    if how == "edited":
        target.write_text("mine\n", encoding="utf-8")
    else:
        target.unlink()

    render(root)

    require_as_fresh(root)


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"version": 1}', b'{"version": 99}'])
def test_a_damaged_cache_costs_time_only(root: Path, damage: bytes) -> None:
    render(root)
    (cache,) = (root.parent / "cache/f0ci/render").iterdir()
    cache.write_bytes(damage)
    (root / "environments/dev/config.yaml").write_text("size: 7\n", encoding="utf-8")

    render(root)

    require_as_fresh(root)


@settings(
    max_examples=rounds(25, 400), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(st.sampled_from(sorted(CHANGES)), max_size=3), min_size=1, max_size=4))
def test_any_course_of_changes_ends_as_rendering_afresh(root: Path, course: list[list[str]]) -> None:
    write_files(root, FILES)
    for changes in course:
        render(root)
        for path in changes:
            (root / path).write_text(CHANGES[path]((root / path).read_text(encoding="utf-8")), encoding="utf-8")
    render(root)

    require_as_fresh(root)


@pytest.mark.parametrize(
    ("old", "new", "paths"),
    [
        ({"a": 1}, {"a": 1}, set()),
        ({"a": 1}, {"a": True}, {("a",)}),
        ({"a": 1}, {}, {("a",)}),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}, {("a", "c")}),
        ({"a": {"b": 1}}, {"a": 1}, {("a",)}),
        ({"a": [1]}, {"a": [1, 2]}, {("a",)}),
    ],
)
def test_changes(old: dict[str, object], new: dict[str, object], paths: set[tuple[str, ...]]) -> None:
    assert set(changes_between(old, new)) == paths


def test_readers() -> None:
    readers = Readers(
        {"leaf": {("config", "a", "b")}, "section": {("config", "a")}, "all": {()}, "release": {("release",)}}
    )

    assert readers.of(()) == set()
    assert readers.of([("config", "a", "b")]) == {"leaf", "section", "all"}
    assert readers.of([("config", "a", "c")]) == {"section", "all"}
    assert readers.of([("config", "a")]) == {"leaf", "section", "all"}
    assert readers.of(names_changed((), is_released=True)) == {"release", "all"}
    assert names_changed([("environment", "owner")], is_released=False) == {
        ("config", "environment", "owner"), ("environment", "owner"), ("params",)
    }  # fmt: skip
