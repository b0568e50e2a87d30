"""What a remote says that its refs are, as `git ls-remote --symref` prints it; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from f0ci.core.values import dataclass

_SYMREF = re.compile(r"ref: refs/heads/(\S+)\tHEAD")


@dataclass(frozen=True, slots=True)
class Advertised:
    """A remote's refs.

    Attributes:
        head: short name of the branch that HEAD means, None where it means none or the server does not say.
        refs: id by full name, the branch that HEAD means among them.
    """

    head: str | None
    refs: Mapping[str, str]


def parse_advertised(text: str, patterns: Sequence[str]) -> Advertised:
    """Return the refs that fit patterns, and what HEAD means.

    Args:
        text: what Git printed; peeled tags in it are passed over.
        patterns: full ref names, `*` at the end standing for a rest. Git itself also prints refs that end like them.
    """
    head, refs = None, {}
    wanted = _prefixes(patterns)
    for line in text.splitlines():
        oid, _, ref = line.partition("\t")
        if ref == "HEAD":
            symref = _SYMREF.fullmatch(line)
            if symref is not None:
                head = symref[1]
            elif head is not None:
                refs[f"refs/heads/{head}"] = oid
        elif (ref in patterns or ref.startswith(wanted)) and not ref.endswith("^{}"):
            refs[ref] = oid
    return Advertised(head, refs)


def fitting(refs: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """Return the refs that patterns name, in order; there may be many thousand."""
    wanted = _prefixes(patterns)
    return tuple(ref for ref in refs if ref in patterns or ref.startswith(wanted))


def _prefixes(patterns: Sequence[str]) -> tuple[str, ...]:
    return tuple(one[:-1] for one in patterns if one.endswith("*"))
