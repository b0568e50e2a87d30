"""What plain words mean in YAML, as PyYAML's safe loader decides."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Any

from f0ci.core.patterns import pattern

YAML = "tag:yaml.org,2002:"
_SCALAR_TAGS = frozenset(f"{YAML}{name}" for name in ("bool", "float", "int", "null"))
_TEXT_TAGS = frozenset(f"{YAML}{name}" for name in ("timestamp", "value", "merge"))
YAML_1_1_ONLY = pattern(
    r"""(?:yes|no|on|off|Yes|No|On|Off|YES|NO|ON|OFF)$
      | [-+]?0[0-7_]+$            # octal without 0o
      | [-+]?[0-9][0-9_]*_[0-9_]*(?:\.[0-9_]*)?$
      | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$
      | [-+]?[0-9]+\.[0-9]*0$     # 1.10 reads as 1.1
    """,
    re.VERBOSE,
)


class Unfit(Exception):
    """A scalar is not what its tag says."""


UNUSUAL = object()


_MOST_DIGITS = 16
# Python prints no longer number, whatever its base, and reads one of base 60 in the square of its length
_LONGEST_INTEGER = 3_500
# numbers as nearly everybody writes them mean what Python's own reading says
_USUAL_INTEGER = pattern(r"[-+]?(?:0|[1-9][0-9]{0,15})\Z", re.ASCII)
_USUAL_FLOAT = pattern(r"[-+]?(?:0|[1-9][0-9]{0,15})\.[0-9]{0,15}[1-9]\Z", re.ASCII)


# what PyYAML makes of words and of signs that stand alone; importing it takes a tenth of a short run
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(
        ("<<", *(word for yes in ("yes", "no", "on", "off") for word in (yes, yes.title(), yes.upper()))), UNUSUAL
    ),
}
# texts that no number and no date begins like: ./run.sh, -v, 30s, 95%, 1.2.3, 007-bond
_TEXT = pattern(
    r"[A-Za-z~=<]|\.(?![0-9iInN])|[-+](?![0-9.])|(?!0[bx])[0-9]+(?:[A-Za-z%/]|-(?![0-9]))|[0-9]+\.[0-9]+\.(?![0-9]*:)",
    re.ASCII,
)
_STARTS = frozenset({"", *"yYnNtTfFoO-+0123456789.<~=!&*"})


def meaningful_starts() -> frozenset[str]:
    """Return how plain scalars begin that may mean more than their text: letters, digits and signs, or nothing."""
    return _STARTS


def usual_value(text: str) -> Any:
    """Return what a plain scalar means, or the mark that it needs the exact reader."""
    if text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _MOST_DIGITS:
        return int(text)
    if text in _WORDS:
        return _WORDS[text]
    if _TEXT.match(text):
        return text
    if _USUAL_INTEGER.match(text):
        return int(text)
    if _USUAL_FLOAT.match(text):
        return float(text)
    try:
        value = _meaning(text)
    except Unfit:
        return UNUSUAL
    return value if isinstance(value, str) or not YAML_1_1_ONLY.match(text) else UNUSUAL


def plain_value(text: str) -> Any:
    """Return what a plain scalar means.

    Raises:
        Unfit: it looks like a number or a date, and is none.
    """
    return _meaning(text) if text[:1] in meaningful_starts() else text


@lru_cache(maxsize=4096)
def _meaning(text: str) -> Any:
    from yaml import SafeLoader

    for tag, resolver in SafeLoader.yaml_implicit_resolvers.get(text[:1], ()):
        if resolver.match(text):
            return text if tag in _TEXT_TAGS else construct(tag, text)
    return text


def construct(tag: str, text: str) -> Any:
    """Return the value of a scalar with a tag.

    Raises:
        Unfit: the tag is not allowed, or the text is no value of it.
    """
    import yaml

    if tag in {f"{YAML}str", f"{YAML}timestamp"}:
        return text
    if tag not in _SCALAR_TAGS:
        raise Unfit(f"the tag {tag!r} is not one that recipes may use")
    if tag == f"{YAML}int" and len(text) > _LONGEST_INTEGER:
        raise _unfit(tag, text)
    try:
        constructor = _constructor()
        return constructor.yaml_constructors[tag](constructor, yaml.ScalarNode(tag, text))
    except (ValueError, LookupError, OverflowError) as error:
        raise _unfit(tag, text) from error


@cache
def _constructor() -> Any:
    """Return what makes values; of scalars it keeps nothing."""
    from yaml.constructor import SafeConstructor

    return SafeConstructor()


def _unfit(tag: str, text: str) -> Unfit:
    shown = text if len(text) <= 40 else f"{text[:37]}..."
    return Unfit(f"{shown!r} is not a value of {tag.removeprefix(YAML)!r}")
