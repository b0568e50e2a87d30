"""What a remote says that its refs are, as `git ls-remote --symref` prints it; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

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
    for line in text.splitlines():
        oid, _, ref = line.partition("\t")
        symref = _SYMREF.fullmatch(line)
        if symref is not None:
            head = symref[1]
        elif ref == "HEAD" and head is not None:
            refs[f"refs/heads/{head}"] = oid
        elif fits(ref, patterns) and not ref.endswith("^{}"):
            refs[ref] = oid
    return Advertised(head, refs)


def fits(ref: str, patterns: Sequence[str]) -> bool:
    """Tell whether a ref is one of those that patterns name."""
    return any(ref.startswith(one[:-1]) if one.endswith("*") else ref == one for one in patterns)
