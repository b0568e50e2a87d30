# libyaml's events straight into data, in C; built where there is a compiler
from typing import Any

# Finds libyaml's functions in PyYAML's extension, and returns them with libyaml's version; raises ImportError where it
# does not offer them, or those of another libyaml.
def connect(path: str, /) -> tuple[object, str]: ...

# Returns the data of a document, or None where it needs the exact reader.
#
# connected: libyaml's functions
# raw: the file's bytes
# deepest: levels of nesting that are allowed
# starts: how plain scalars begin that may mean more than their text; nothing always may
# known: what they mean; raises ValueError for what needs the exact reader
# span: a class with the slots of a span; None where positions are not asked for
#
# The answer is, without positions, the data and its texts with a brace by path; with them, the data, and the spans of
# values and of keys by path.
def read(
    connected: object, raw: bytes, deepest: int, starts: bytes, known: Any, span: type | None, /
) -> tuple[Any, ...] | None: ...
