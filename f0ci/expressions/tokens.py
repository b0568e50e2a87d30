"""The words of an expression, each with its place."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import NamedTuple

from f0ci.core.patterns import pattern
from f0ci.expressions.errors import ExpressionError

MAX_CODE = 10_000
_TOKEN = pattern(
    r"""(?P<blank>\s+)
      | (?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
      | (?P<name>[^\W\d]\w*)
      | (?P<string>'(?:[^'\\]++|\\.)*+' | "(?:[^"\\]++|\\.)*+")
      | (?P<operator>\*\*|//|==|!=|<=|>=|&&|\|\||<>|[-+*/%~|.,:?()\[\]{}<>=!&])
    """,
    re.VERBOSE | re.DOTALL,
)
_INDEX = pattern(r"[0-9]+")
_ESCAPE = pattern(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "\n": ""}
# words of other languages, and what to write instead
_FOREIGN = {
    "&&": "write 'and'",
    "&": "write 'and'",
    "||": "write 'or'",
    "!": "write 'not'",
    "=": "write '==' to compare",
    "<>": "write '!='",
    "**": "powers are left to scriptlets",
}


class Kind(Enum):
    """What a token is."""

    NAME = auto()
    NUMBER = auto()
    STRING = auto()
    OPERATOR = auto()
    END = auto()


class Token(NamedTuple):
    """One word.

    Attributes:
        kind: what it is.
        text: as written; a string's value without its quotes and escapes.
        at: first character, counted from the beginning of the code.
        end: the character after the last.
    """

    kind: Kind
    text: str
    at: int
    end: int


def tokenize(text: str, start: int = 0, close: str = "") -> tuple[list[Token], int]:
    """Split code into tokens, up to its closing delimiter.

    Args:
        text: the whole text.
        start: where the code begins.
        close: the delimiter that ends the code, `}` or `}}`; empty where it ends with the text.

    Returns:
        The tokens, the last of kind END, and the offset of the closing delimiter in the text.

    Raises:
        ExpressionError: something is not a token, or the code is not closed; its offset counts from `start`, so that
            the opening delimiter stands at -2.
    """
    tokens: list[Token] = []
    index, depth = start, 0
    while index < len(text):
        if index - start > MAX_CODE:
            raise ExpressionError(f"the expression is longer than {MAX_CODE:,} characters", "move it into a scriptlet")
        if not depth and close and text.startswith(close, index):
            tokens.append(Token(Kind.END, "", index - start, index - start))
            return tokens, index
        after_dot = bool(tokens) and tokens[-1].text == "." and tokens[-1].kind is Kind.OPERATOR
        match = (_INDEX.match(text, index) if after_dot else None) or _TOKEN.match(text, index)
        if match is None:
            raise _unreadable(text, index, start)
        group = match.lastgroup or "number"
        word, at = match.group(), index - start
        index = match.end()
        if group == "blank":
            continue
        if group == "operator":
            depth = max(0, depth + (word == "{") - (word == "}"))
        tokens.append(Token(Kind[group.upper()], _unquoted(word) if group == "string" else word, at, index - start))
    if close:
        raise ExpressionError("the expression is not closed", f"end it with {close!r}", offset=-2)
    end = len(text) - start
    tokens.append(Token(Kind.END, "", end, end))
    return tokens, len(text)


class Cursor:
    """A place in a list of tokens."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0

    @property
    def current(self) -> Token:
        """Return the token that comes next."""
        return self.tokens[self.position]

    def is_at(self, text: str) -> bool:
        """Tell whether a certain word or operator comes next."""
        token = self.current
        return token.text == text and token.kind in {Kind.OPERATOR, Kind.NAME}

    def take(self) -> Token:
        """Return the next token and step over it; the end is never stepped over."""
        token = self.current
        if token.kind is not Kind.END:
            self.position += 1
        return token

    def skip(self, text: str) -> bool:
        """Step over a certain word or operator, and tell whether it was there."""
        if self.is_at(text):
            self.position += 1
            return True
        return False

    def expect(self, text: str) -> Token:
        """Step over a certain word or operator.

        Raises:
            ExpressionError: something else comes next.
        """
        if not self.is_at(text):
            raise self.unexpected(repr(text))
        return self.take()

    def unexpected(self, wanted: str) -> ExpressionError:
        """Return the error that says what comes next and what was wanted."""
        token = self.current
        if token.kind is Kind.END:
            return ExpressionError("the expression ends too early", f"expected {wanted}", offset=token.at)
        hint = _FOREIGN.get(token.text) if token.kind is Kind.OPERATOR else None
        return ExpressionError(f"unexpected {token.text!r}", hint or f"expected {wanted}", offset=token.at)


def _unreadable(text: str, index: int, start: int) -> ExpressionError:
    char = text[index]
    if char in "'\"":
        return ExpressionError("the text is not closed", f"end it with {char}", offset=index - start)
    hint = "quote it where it is meant as text"
    return ExpressionError(f"{char!r} is not part of the expression language", hint, offset=index - start)


def _unquoted(word: str) -> str:
    inner = word[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner else inner


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2)
    if code:
        char = chr(int(code, 16))
        return match.group() if "\ud800" <= char <= "\udfff" else char
    # an unknown escape stays as it is, so that '\d+' remains a pattern
    return _ESCAPED.get(match.group(3), match.group())
