r"""From the tokens of an expression to its syntax tree.

The grammar is Jinja's, with the same precedences, plus `a ? b : c` and the words `true`, `false` and `null`. It is
parsed here rather than by Jinja for two reasons: Jinja knows the line of a node but not its column, and importing
Jinja takes longer than validating a small repository, which needs to read expressions but never to evaluate one.

    choice      :=  binary [ "?" choice ":" choice ]  |  binary "if" binary "else" choice
    binary      :=  or  <  and  <  not  <  == != < <= > >= in, not in  <  + -  <  ~  <  * / // %
    operand     :=  [ "-" | "+" ] primary { "|" filter | "is" [ "not" ] test }
    primary     :=  literal | name | "(" choice ")" | "[" ... "]" | "{" ... "}"   with  .key  [key]  [start:stop]
"""

from __future__ import annotations

from f0ci.core.suggestions import did_you_mean
from f0ci.expressions.errors import ExpressionError
from f0ci.expressions.syntax import (
    CONTEXT_CALLS,
    FILTERS,
    TESTS,
    Binary,
    Choice,
    Comparison,
    ContextCall,
    Filtered,
    Item,
    ListOf,
    Literal,
    Lookup,
    MapOf,
    Node,
    Part,
    Slice,
    Tested,
    Unary,
    children,
)
from f0ci.expressions.tokens import Cursor, Kind, Token

MAX_DEPTH = 40
_CONSTANTS = {
    "true": True,
    "True": True,
    "false": False,
    "False": False,
    "null": None,
    "none": None,
    "None": None,
}
_WORDS = frozenset({"and", "or", "not", "in", "is", "if", "else"})
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">=", "in", "not in"})
_NOT_LEVEL = 3
_LEVELS = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(_COMPARISONS, 4),
    "+": 5,
    "-": 5,
    "~": 6,
    "*": 7,
    "/": 7,
    "//": 7,
    "%": 7,
}


def parse_tokens(tokens: list[Token]) -> Node:
    """Return the syntax tree of a whole expression.

    Raises:
        ExpressionError: the tokens are not an expression; its offset is exact.
    """
    parser = _Parser(tokens)
    node = parser.choice()
    if parser.current.kind is not Kind.END:
        raise parser.unexpected("an operator, or the end of the expression")
    _check_depth(node)
    return node


class _Parser(Cursor):
    def __init__(self, tokens: list[Token]) -> None:
        super().__init__(tokens)
        self.depth = 0

    def choice(self) -> Node:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise _too_deep(self.current.at)
        node = self.binary(1)
        at = node.at
        if self.skip("?"):
            then = self.choice()
            self.expect(":")
            node = Choice(node, then, self.choice(), at)
        elif self.skip("if"):
            condition = self.binary(1)
            self.expect("else")
            node = Choice(condition, node, self.choice(), at)
        self.depth -= 1
        return node

    def binary(self, level: int) -> Node:
        left = self.negation() if level <= _NOT_LEVEL and self.is_at("not") else self.operand()
        while True:
            operator = self.operator()
            if operator is None or _LEVELS[operator] < level:
                return left
            if operator in _COMPARISONS:
                left = self.comparison(left)
                continue
            self.take()
            left = Binary(operator, left, self.binary(_LEVELS[operator] + 1), left.at)

    def operator(self) -> str | None:
        token = self.current
        if token.kind not in {Kind.OPERATOR, Kind.NAME}:
            return None
        if token.text == "not":
            return "not in" if self.tokens[self.position + 1].text == "in" else None
        return token.text if token.text in _LEVELS else None

    def comparison(self, first: Node) -> Node:
        rest: list[tuple[str, Node]] = []
        while (operator := self.operator()) in _COMPARISONS:
            self.position += 2 if operator == "not in" else 1
            rest.append((str(operator), self.binary(_LEVELS["+"])))
        return Comparison(first, tuple(rest), first.at)

    def negation(self) -> Node:
        ats = []
        while self.is_at("not"):
            ats.append(self.take().at)
        node = self.binary(_NOT_LEVEL + 1)
        for at in reversed(ats):
            node = Unary("not", node, at)
        return node

    def operand(self) -> Node:
        signs = []
        while self.current.kind is Kind.OPERATOR and self.current.text in {"-", "+"}:
            signs.append(self.take())
        node = self.primary()
        for sign in reversed(signs):
            node = Unary(sign.text, node, sign.at)
        while True:
            if self.skip("|"):
                node = self.filtered(node)
            elif self.skip("is"):
                node = self.tested(node)
            else:
                return node

    def filtered(self, operand: Node) -> Node:
        name = self.known_name(FILTERS, "filter")
        arguments: list[Node] = []
        keywords: list[tuple[str, Node]] = []
        parameters = FILTERS[name.text]
        if self.skip("("):
            while not self.is_at(")"):
                if arguments or keywords:
                    self.expect(",")
                    if self.is_at(")"):
                        break
                self.argument(name.text, parameters, arguments, keywords)
            self.expect(")")
        if len(arguments) > len(parameters):
            wanted = f"it takes {', '.join(parameters)}" if parameters else "it takes no arguments"
            raise ExpressionError(f"too many arguments for the filter {name.text!r}", wanted, offset=name.at)
        return Filtered(operand, name.text, tuple(arguments), tuple(keywords), operand.at)

    def argument(
        self, name: str, parameters: tuple[str, ...], arguments: list[Node], keywords: list[tuple[str, Node]]
    ) -> None:
        token = self.current
        if token.kind is Kind.NAME and self.tokens[self.position + 1].text == "=":
            self.position += 2
            if token.text not in parameters:
                hint = did_you_mean(token.text, parameters, noun="it takes")
                raise ExpressionError(f"the filter {name!r} has no argument {token.text!r}", hint, offset=token.at)
            if token.text in dict(keywords):
                raise ExpressionError(f"the argument {token.text!r} is given twice", None, offset=token.at)
            keywords.append((token.text, self.choice()))
            return
        if keywords:
            raise self.unexpected("a named argument, because one stands before it")
        arguments.append(self.choice())

    def tested(self, operand: Node) -> Node:
        negated = self.skip("not")
        name = self.known_name(TESTS, "test")
        return Tested(operand, name.text, negated, operand.at)

    def known_name(self, known: dict[str, tuple[str, ...]] | frozenset[str], noun: str) -> Token:
        if self.current.kind is not Kind.NAME:
            raise self.unexpected(f"the name of a {noun}")
        name = self.take()
        if name.text not in known:
            hint = did_you_mean(name.text, known, noun=f"known {noun}s")
            raise ExpressionError(f"there is no {noun} {name.text!r}", hint, offset=name.at)
        return name

    def primary(self) -> Node:
        token = self.current
        node: Node
        if token.kind is Kind.NUMBER:
            node = _number(self.take())
        elif token.kind is Kind.STRING:
            node = Literal(self.take().text, token.at)
        elif token.kind is Kind.NAME and token.text not in _WORDS:
            node = self.name(self.take())
        elif self.skip("("):
            node = self.bracketed(token.at)
        elif self.skip("["):
            node = ListOf(self.items("]"), token.at)
        elif self.skip("{"):
            node = self.mapping(token.at)
        else:
            raise self.unexpected("a value")
        return self.postfix(node)

    def name(self, token: Token) -> Node:
        if token.text in _CONSTANTS:
            return Literal(_CONSTANTS[token.text], token.at)
        if token.text.startswith("_"):
            raise ExpressionError(f"the name {token.text!r} is private", "names do not begin with '_'", offset=token.at)
        return Lookup(token.text, (), token.at, token.end)

    def bracketed(self, at: int) -> Node:
        if self.skip(")"):
            return ListOf((), at)
        node = self.choice()
        if self.skip(","):
            return ListOf((node, *self.items(")")), at)
        self.expect(")")
        return node

    def items(self, close: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self.is_at(close):
            found.append(self.choice())
            if not self.skip(","):
                break
        self.expect(close)
        return tuple(found)

    def mapping(self, at: int) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self.is_at("}"):
            key = self.choice()
            self.expect(":")
            pairs.append((key, self.choice()))
            if not self.skip(","):
                break
        self.expect("}")
        return MapOf(tuple(pairs), at)

    def postfix(self, node: Node) -> Node:
        while True:
            if self.skip("."):
                node = _extended(node, self.attribute(), self.tokens[self.position - 1].end)
            elif self.skip("["):
                node = self.subscript(node)
            elif self.is_at("("):
                node = self.call(node)
            else:
                return node

    def attribute(self) -> Part:
        token = self.current
        if token.kind is Kind.NUMBER and token.text.isdigit():
            return Part(int(self.take().text), token.at)
        if token.kind is not Kind.NAME:
            raise self.unexpected("a key after '.'")
        if token.text.startswith("_"):
            hint = "write ['...'] where it is a key of your data"
            raise ExpressionError(f"the attribute {token.text!r} is private", hint, offset=token.at)
        return Part(self.take().text, token.at)

    def subscript(self, node: Node) -> Node:
        at = self.current.at
        start = None if self.is_at(":") else self.choice()
        if self.skip(":"):
            stop = None if self.is_at("]") else self.choice()
            self.expect("]")
            return Slice(node, start, stop, node.at)
        self.expect("]")
        assert start is not None  # noqa: S101 - the branch above took the other case
        return _extended(node, Part(_fixed(start), at), self.tokens[self.position - 1].end)

    def call(self, node: Node) -> Node:
        at = self.current.at
        if not (isinstance(node, Lookup) and node.root == "context" and len(node.parts) == 1):
            # a method of another language is often a filter here, with brackets or without
            named = (node.parts[-1].key if node.parts else node.root) if isinstance(node, Lookup) else None
            known = isinstance(named, str) and named in FILTERS
            instead = (
                f"write the filter `| {named}`" if known else "use a filter, such as `| default('...')`, or a step"
            )
            raise ExpressionError("expressions call nothing but context.get and context.has", instead, offset=at)
        method = node.parts[0].key
        if method not in CONTEXT_CALLS:
            hint = did_you_mean(str(method), CONTEXT_CALLS, noun="context offers")
            raise ExpressionError(f"expressions cannot call {f'context.{method}'!r}", hint, offset=node.parts[0].at)
        self.expect("(")
        arguments = self.items(")")
        least, most = CONTEXT_CALLS[str(method)]
        if not least <= len(arguments) <= most:
            hint = "write context.get('key'), or context.get('key', default)" if method == "get" else None
            raise ExpressionError(
                f"{f'context.{method}'!r} was given {len(arguments)} arguments",
                hint or "write context.has('key')",
                offset=at,
            )
        return ContextCall(str(method), arguments, node.at, self.tokens[self.position - 1].end)


def _extended(node: Node, part: Part, end: int) -> Node:
    if isinstance(node, Lookup):
        return Lookup(node.root, (*node.parts, part), node.at, end)
    return Item(node, part, node.at)


def _fixed(node: Node) -> str | int | Node:
    if isinstance(node, Literal) and (isinstance(node.value, str) or type(node.value) is int):
        return node.value
    if isinstance(node, Unary) and node.operator == "-":
        index = _fixed(node.operand)
        return -index if isinstance(index, int) else node
    return node


def _number(token: Token) -> Literal:
    if token.text.isdigit():
        if len(token.text) > 1 and token.text.startswith("0"):
            hint = f"write {token.text.lstrip('0') or '0'!s}, or quote it"
            raise ExpressionError(f"the number {token.text} begins with 0", hint, offset=token.at)
        if len(token.text) > 100:
            raise ExpressionError("the number has more than 100 digits", None, offset=token.at)
        return Literal(int(token.text), token.at)
    value = float(token.text)
    if value in {float("inf"), float("-inf")}:
        raise ExpressionError(f"the number {token.text} is too large", None, offset=token.at)
    return Literal(value, token.at)


def _check_depth(node: Node) -> None:
    level = [node]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return
    raise _too_deep(level[0].at)


def _too_deep(at: int) -> ExpressionError:
    return ExpressionError(
        f"the expression is nested deeper than {MAX_DEPTH} levels",
        "split it, or move it into a scriptlet",
        offset=at,
    )
