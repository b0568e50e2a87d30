"""Templates as rules see them: parsed, with what they ask for and whether they ask first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from f0ci.core.diagnostics import Span
from f0ci.core.errors import InputError
from f0ci.core.patterns import pattern
from f0ci.core.values import dataclass
from f0ci.expressions.fixed_keys import fixed_keys
from f0ci.expressions.templating import GLOBALS, SUFFIX

if TYPE_CHECKING:
    from f0ci.lint.workspace import Workspace
    from f0ci.source.tree import Tree

# filters and tests that take what does not exist
_FORGIVING = frozenset({"default", "d", "defined", "undefined"})


_SIGN = pattern(r"\{[{%]|[%}]\}")
# letters between braces; reading more of them takes longer than a second
MOST_CODE = 200_000
# a line that is searched for thousands of words
_LONG = 2_000
_WORD = pattern(r"\w+")


@dataclass(frozen=True, slots=True)
class Question:
    """A name with the keys after it, as far as they are written out.

    Attributes:
        way: `("config", "service", "port")`.
        line: where it stands.
        is_optional: it may never be asked: it stands in a branch, a loop, a macro or a block.
    """

    way: tuple[str, ...]
    line: int
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Template:
    """One template.

    Attributes:
        path: its file.
        name: by which others include it.
        lines: its lines.
        problem: why it cannot be read, and the line; None where it can.
        filters: filters and tests by line: `filter` or `test`, and the name.
        included: names of templates that it includes, with the line, where they are written out.
        questions: what it asks for, without what it asks about first.
        undeclared: names that it does not set itself.
    """

    path: str
    name: str
    lines: tuple[str, ...] = ()
    problem: tuple[str, int] | None = None
    filters: tuple[tuple[str, str, int], ...] = ()
    included: tuple[tuple[str, int], ...] = ()
    questions: tuple[Question, ...] = ()
    undeclared: frozenset[str] = frozenset()

    def span(self, line: int, text: str) -> Span:
        """Return where a text stands on a line, or else the line."""
        shown = self.lines[line - 1] if 0 < line <= len(self.lines) else ""
        at = _words(shown).get(text, -1) if len(shown) > _LONG else shown.find(text)
        if at >= 0:
            return Span(line, at + 1, line, at + 1 + len(text))
        begin = len(shown) - len(shown.lstrip())
        return Span(line, begin + 1, line, max(len(shown), begin + 1) + 1)


class _All(dict[str, Any]):
    """Filters or tests of any name."""

    def get(self, key: str, default: Any = None) -> Any:
        """Return what stands for each."""
        del key, default
        return str


def templates_of(workspace: Workspace) -> Mapping[str, Template]:
    """Return the templates of a repository by the names under which they include each other."""
    folder = workspace.project.templates.strip("/")
    return workspace.shared("templates", lambda tree: dict(_read_all(tree, folder)))


def _read_all(tree: Tree, folder: str) -> Iterator[tuple[str, Template]]:
    for path in tree.files(folder):
        if path.endswith(SUFFIX):
            name = path.removeprefix(f"{folder}/")
            yield name, _read(tree, path, name)


def _read(tree: Tree, path: str, name: str) -> Template:
    from jinja2 import TemplateSyntaxError, meta

    try:
        text = tree.read(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Template(path, name, problem=("the template is not UTF-8", error.object[: error.start].count(b"\n") + 1))
    except InputError as error:
        return Template(path, name, problem=(error.message, 1))
    lines = tuple(text.split("\n"))
    if len(text) > MOST_CODE and _size_of_code(text) > MOST_CODE:
        return Template(path, name, lines, (f"more than {MOST_CODE:,} letters of expressions: not looked at", 1))
    try:
        parsed = _reader().parse(text)
        undeclared = meta.find_undeclared_variables(parsed)
    except TemplateSyntaxError as error:
        message = (error.message or "not a template").split("\n", 1)[0].removesuffix(".")
        return Template(path, name, lines, (f"not a valid template: {message[:1].lower()}{message[1:]}", error.lineno))
    except RecursionError:
        return Template(path, name, lines, ("nested too deeply", 1))
    questions = list(_questions(parsed, is_optional=False))
    asked_first = {way for way, _, _, is_forgiven in questions if is_forgiven}
    kept = [
        Question(way, line, is_optional)
        for way, line, is_optional, is_forgiven in questions
        if not is_forgiven and not any(way[: len(other)] == other for other in asked_first)
    ]
    return Template(
        path,
        name,
        lines,
        filters=tuple(_filters(parsed)),
        included=tuple(_included(parsed)),
        questions=tuple(kept),
        undeclared=frozenset(undeclared) - GLOBALS - {"self", "loop", "super", "caller", "varargs", "kwargs"},
    )


@cache
def _reader() -> Any:
    """Return what parses templates and computes nothing, constants included: `'a' * 10 ** 9` is left alone."""
    from jinja2 import Environment

    class Reader(Environment):
        sandboxed = True
        intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
        intercepted_unops = frozenset({"+", "-"})

    reader = Reader(autoescape=False)
    # whether they exist is another question
    reader.filters, reader.tests = _All(), _All()
    return reader


def _size_of_code(text: str) -> int:
    """Return how many letters stand between braces, all to the end where they are not closed."""
    size, begun = 0, -1
    for sign in _SIGN.finditer(text):
        if sign[0][0] == "{":
            begun = sign.start() if begun < 0 else begun
        elif begun >= 0:
            size, begun = size + sign.end() - begun, -1
    return size + (len(text) - begun if begun >= 0 else 0)


@lru_cache(maxsize=2)
def _words(line: str) -> dict[str, int]:
    """Return where each word of a line stands first."""
    return {word[0]: word.start() for word in reversed(list(_WORD.finditer(line)))}


def _filters(tree: Any) -> Iterator[tuple[str, str, int]]:
    from jinja2 import nodes

    for node in tree.find_all((nodes.Filter, nodes.Test)):
        yield "filter" if isinstance(node, nodes.Filter) else "test", node.name, node.lineno


def _included(tree: Any) -> Iterator[tuple[str, int]]:
    from jinja2 import nodes

    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        may_be_missing = isinstance(node, nodes.Include) and node.ignore_missing
        if isinstance(node.template, nodes.Const) and isinstance(node.template.value, str) and not may_be_missing:
            yield node.template.value, node.lineno


def _questions(
    node: Any, *, is_optional: bool, is_forgiven: bool = False, is_called: bool = False
) -> Iterator[tuple[tuple[str, ...], int, bool, bool]]:
    """Yield every name with its fixed keys: the keys, the line, whether it may never be asked, whether it may lack."""
    from jinja2 import nodes

    way = _asked(node)
    if way is not None:
        # what is called is a method, not a key
        yield way[:-1] if is_called and len(way) > 1 else way, node.lineno, is_optional, is_forgiven
        return
    branches = (
        nodes.If | nodes.CondExpr | nodes.And | nodes.Or | nodes.For | nodes.Macro | nodes.Block | nodes.CallBlock
    )
    if isinstance(node, nodes.Compare) and isinstance(node.expr, nodes.Const) and isinstance(node.expr.value, str):
        # `'x' in config` asks before `config.x` reads
        held = [_asked(operand.expr) for operand in node.ops if operand.op in {"in", "notin"}]
        yield from (((*way, node.expr.value), node.lineno, is_optional, True) for way in held if way is not None)
    inside = is_optional or isinstance(node, branches)
    for child in node.iter_child_nodes():
        forgives = isinstance(node, nodes.Filter | nodes.Test) and node.name in _FORGIVING and child is node.node
        called = isinstance(node, nodes.Call) and child is node.node
        first = isinstance(node, nodes.If | nodes.CondExpr) and child is node.test
        first |= isinstance(node, nodes.For) and child is node.iter
        first |= isinstance(node, nodes.And | nodes.Or) and child is node.left
        yield from _questions(
            child, is_optional=is_optional if first else inside, is_forgiven=forgives, is_called=called
        )


def _asked(node: Any) -> tuple[str, ...] | None:
    """Return the keys that a node asks for; a name that is set asks for none."""
    from jinja2 import nodes

    return fixed_keys(node) if not isinstance(node, nodes.Name) or node.ctx == "load" else None
