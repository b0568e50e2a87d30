"""The reader in C: the same answers as in Python, nothing leaked, and only where it fits."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile_files import hostile_files
from f0ci.core.diagnostics import Span
from f0ci.core.errors import UsageError
from f0ci.source import native_yaml
from f0ci.source.native_yaml import YamlReader, yaml_reader
from f0ci.source.plain_yaml import KNOWN
from f0ci.source.reading import MAX_DEPTH
from tests.conftest import missing_real, require_compiler, rounds
from tests.fuzz import seeds
from tests.fuzz.targets import natives

ROOT = Path(__file__).parents[3]
SOURCE = ROOT / "f0ci/source"
_WORDS = st.sampled_from(
    [
        *("a", "steps", "name", "yes", "1.10", "017", "<<", "~", "", "null", "true", "1", "-1.5", "é", "日本", "'x'"),
        *(
            '"\\u00e9"',
            '"\\ud800"',
            "#{a}",
            "{{ b }}",
            "'{{'",
            "2026-11-21",
            "&x a",
            "*x",
            "!!str 1",
            "! 1",
            "#",
            "|\n x",
        ),
        *(
            ">-\n  a\n\n  b",
            "[a, b]",
            "{a: 1, b: {}}",
            "[{a: [1]}, []]",
            "'a\n  b'",
            "a\n  b",
            "? a",
            "\t",
            "\r\n",
            "\ufeff",
        ),
    ]
)


@st.composite
def _documents(draw: st.DrawFn, deep: int = 3) -> str:
    """Return blocks of lists and mappings that hold any words, most of them well-formed."""
    lines: list[str] = []

    def block(indent: str, depth: int) -> None:
        is_map = draw(st.booleans())
        for number in range(draw(st.integers(1, 3))):
            head = (
                f"{indent}{draw(_WORDS) if draw(st.integers(0, 5)) == 0 else f'k{number}'}:" if is_map else f"{indent}-"
            )
            if depth and draw(st.booleans()):
                lines.append(head)
                block(indent + " " * draw(st.integers(1, 3)), depth - 1)
            else:
                lines.append(f"{head} {draw(_WORDS)}")

    block("", deep)
    return (
        draw(st.sampled_from(["", "---\n", "%YAML 1.1\n---\n", "\ufeff"]))
        + "\n".join(lines)
        + draw(st.sampled_from(["", "\n", "\n...\n", "\n---\n", " # end"]))
    )


@settings(max_examples=rounds(400, 100_000))
@given(_documents())
def test_any_document_is_read_as_in_python(native: YamlReader, text: str) -> None:
    assert native.placed is not None
    natives(text.encode())


def _files() -> Iterator[bytes]:
    for folder in ("tests/cases", "tests/projects", "recipes", "environments", "examples", "f0ci/commands"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".yaml", ".yml", ".json"}:
                yield path.read_bytes()
    yield from seeds.documents()


def test_every_file_at_hand_is_read_as_in_python(native: YamlReader) -> None:
    read = []
    for raw in _files():
        natives(raw)
        read.append(native.plain(raw, MAX_DEPTH) is not None)

    # the comparison means something
    assert len(read) > 300
    assert 0.5 < sum(read) / len(read) < 1


def test_every_hostile_file_is_read_as_in_python(native: YamlReader) -> None:
    assert native.placed is not None
    for _, raw in hostile_files():
        # twenty thousand of a kind do no more than five hundred, and the reader in Python takes its time
        natives(raw[:100_000])


@pytest.mark.parametrize("levels", [0, 1, 2, 3])
def test_levels_are_counted_as_in_python(native: YamlReader, levels: int) -> None:
    for raw in (b"a", b"[a]", b"[[a]]", b"- - a", b"a: {b: c}", b"a: {b: [c]}", b"[[[[]]]]"):
        expected = native_yaml.python_reader("a comparison").plain(raw, levels)
        assert native.plain(raw, levels) == expected


# below line 256, whose numbers are not shared
_USUAL = (
    b"\n" * 300 + b"steps:\n" + b"".join(b"- name: step_%d\n  args: {a: [1, x], b: '#{c}'}\n" % n for n in range(20))
)
_ENDINGS = (
    b"",
    b"- &a " + b"b" * 50_000,
    b"- *a\n",
    b"- yes\n",
    b"- {a: 1, a: 2}\n",
    b"- [",
    b"- 'a\n",
    b"\tb",
    b"a: !!int x\n",
    b"\xff",
)


def _read_all_endings(native: YamlReader) -> None:
    assert native.placed is not None
    for ending in _ENDINGS:
        native.plain(_USUAL + ending, MAX_DEPTH)
        native.placed(_USUAL + ending, MAX_DEPTH)
    native.plain(b"[" * 200, MAX_DEPTH)


# what other threads of the tests take meanwhile is not the reader's
_BY_THE_READER = [
    tracemalloc.Filter(inclusive=True, filename_pattern=name) for name in (native_yaml.__file__, __file__)
]


def _references() -> tuple[int, ...]:
    return tuple(sys.getrefcount(one) for one in (KNOWN, Span, *vars(Span).values()))


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def test_nothing_is_leaked_however_a_file_ends(native: YamlReader) -> None:
    times = rounds(150, 10_000)
    _read_all_endings(native)
    gc.collect()
    counts = _references()
    tracemalloc.start()
    try:
        _read_all_endings(native)
        gc.collect()
        before = tracemalloc.take_snapshot().filter_traces(_BY_THE_READER)
        for _ in range(200):
            _read_all_endings(native)
        gc.collect()
        after = tracemalloc.take_snapshot().filter_traces(_BY_THE_READER)
        # Python keeps some containers for later; one number for each reading would be 100,000 bytes
        assert sum(one.size_diff for one in after.compare_to(before, "filename")) < 60_000
    finally:
        tracemalloc.stop()
    assert _references() == counts
    # what libyaml takes is not Python's to count
    resident = _resident()
    for _ in range(times):
        _read_all_endings(native)
    assert _resident() - resident < 4_000_000


_WITHOUT_MEMORY = """
import _testcapi, gc
from f0ci.source.native_yaml import native_reader
from f0ci.source.plain_yaml import KNOWN
from f0ci.source.reading import MAX_DEPTH
# it would look for memory too
gc.disable()
reader = native_reader()
raw = b"a: [1, x, {b: '#{c}'}]\\nsome_longer_key: [word, 12.5]\\n"
for read in (reader.plain, reader.placed):
    whole = read(raw, MAX_DEPTH)
    refused = 0
    for first in range(400):
        _testcapi.set_nomemory(first, first + 1)
        try:
            found = read(raw, MAX_DEPTH)
        except MemoryError:
            found = None
            refused += 1
        finally:
            _testcapi.remove_mem_hooks()
        assert found in (None, whole)
    # each object of the answer was refused once
    assert refused > 10, refused
    assert read(raw, MAX_DEPTH) == whole
"""


def test_want_of_memory_is_an_error_and_no_crash(native: YamlReader) -> None:
    pytest.importorskip("_testcapi")
    assert native.description
    done = subprocess.run(
        [sys.executable, "-c", _WITHOUT_MEMORY], capture_output=True, text=True, check=False, cwd=ROOT
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_libyaml_is_laid_out_as_its_header_says(tmp_path: Path) -> None:
    compiler = require_compiler()
    probe = tmp_path / "probe.c"
    probe.write_text("#include <yaml.h>\n", encoding="ascii")
    check = [*compiler, "-std=c11", "-fsyntax-only", f"-I{SOURCE}"]
    if subprocess.run([*check, str(probe)], capture_output=True, check=False).returncode != 0:
        missing_real("yaml.h", "Debian package libyaml-dev")

    layout = Path(__file__).with_name("libyaml_layout.c")
    done = subprocess.run([*check, str(layout)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def _chosen_anew() -> Iterator[None]:
    yaml_reader.cache_clear()
    yield
    yaml_reader.cache_clear()


@pytest.mark.usefixtures("_chosen_anew")
class TestChoosing:
    """Which reader is in use, and why."""

    def test_the_one_in_c_is_used_where_it_is_built(self, native: YamlReader) -> None:
        assert yaml_reader().description == native.description
        assert native.description.startswith("C (libyaml 0.2.")

    def test_a_variable_asks_for_the_one_in_python(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("F0CI_READER", "python")

        assert yaml_reader().placed is None
        assert yaml_reader().description == "Python (F0CI_READER says so)"

    def test_there_is_no_third_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("F0CI_READER", "rust")

        with pytest.raises(UsageError, match="F0CI_READER is 'rust', and there is no such reader"):
            yaml_reader()

    def test_without_the_extension_python_reads(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "f0ci.source._libyaml", None)
        monkeypatch.delattr("f0ci.source._libyaml", raising=False)

        assert yaml_reader().description == "Python (the one in C was not built)"

        yaml_reader.cache_clear()
        monkeypatch.setenv("F0CI_READER", "c")
        with pytest.raises(UsageError, match="F0CI_READER asks for the reader in C: the one in C was not built"):
            yaml_reader()

    @pytest.mark.usefixtures("native")
    def test_without_libyaml_in_pyyaml_python_reads(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "yaml").mkdir()
        (tmp_path / "yaml/__init__.py").write_text("", encoding="ascii")
        monkeypatch.delitem(sys.modules, "yaml", raising=False)
        monkeypatch.syspath_prepend(tmp_path)

        assert yaml_reader().description == "Python (PyYAML was installed without libyaml)"

    @pytest.mark.usefixtures("native")
    @pytest.mark.parametrize(
        ("library", "why"),
        [
            ("", "PyYAML's extension cannot be loaded"),
            ("int yaml_get_version;", "PyYAML's extension does not offer yaml_parser_initialize"),
            (
                "void yaml_get_version(int *a, int *b, int *c) { *a = 0; *b = 3; *c = 1; }"
                "int yaml_parser_initialize, yaml_parser_set_input_string, yaml_event_delete, yaml_parser_delete,"
                " yaml_parser_parse;",
                "PyYAML uses libyaml 0.3.1, of which nothing is known here",
            ),
            (
                "void yaml_get_version(int *a, int *b, int *c) { *a = 0; *b = 2; *c = 9; }"
                "int yaml_parser_initialize(void *p) { return 1; }"
                "void yaml_parser_set_input_string(void *p, void *s, unsigned long n) {}"
                "void yaml_event_delete(void *e) {} void yaml_parser_delete(void *p) {}"
                "int yaml_parser_parse(void *p, int *e) { *e = 2; return 1; }",
                "libyaml 0.2.9 of PyYAML is not built as the one in C expects",
            ),
        ],
    )
    def test_another_libyaml_is_not_called(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, why: str
    ) -> None:
        compiler = require_compiler()
        built = tmp_path / "_yaml.so"
        if library:
            source = tmp_path / "library.c"
            source.write_text(library, encoding="ascii")
            subprocess.run([*compiler, "-w", "-shared", "-fPIC", str(source), "-o", str(built)], check=True)
        monkeypatch.setattr(native_yaml, "_pyyaml_extension", lambda: built)

        assert yaml_reader().description.startswith(f"Python ({why}")


def test_ordinary_recipes_are_read_without_importing_pyyaml(native: YamlReader) -> None:
    assert native.placed is not None
    program = """
import sys
from f0ci.source.native_yaml import native_reader
raw = b"a: {b: [1, true, ~, 1.5, ./x.sh, 30s, 1.2.3, nobody, 10.0.0.1], name: y}"
assert native_reader().plain(raw, 9) is not None
assert "yaml" not in sys.modules, "imported"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
