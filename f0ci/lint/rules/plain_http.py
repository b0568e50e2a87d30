"""An address is called without encryption.

## What it does

Reports addresses that begin with `http://` in configurations, recipes and workflows, but for hosts that no stranger can
stand in between: this machine, private addresses, and names without a public domain, as in `http://prometheus:9090`.
Names of XML namespaces and schemas, which nobody calls, are left alone.

## Why it matters

Whoever stands on the way reads tokens and data, and answers in the server's name.

## Bad

```yaml
# file: environments/prod/config.yaml
environment: {performance_monitoring: true, error_notifications: true}
data_sources: {orders: "http://api.shop.com/orders"}
```

## Good

```yaml
# file: environments/prod/config.yaml
environment: {performance_monitoring: true, error_notifications: true}
data_sources: {orders: "https://api.shop.com/orders"}
```

## Fix

Write `https://`.

## References

- https://cwe.mitre.org/data/definitions/319.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.patterns import pattern
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.walking import names_place, texts_matching
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document

RULE = Rule("plain-http", Group.SECURITY, Severity.WARNING)

_ADDRESS = pattern(r"\bhttp://(?:[^\s/@]*@)?(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)")
_DOMAIN = pattern(r"(?:[A-Za-z0-9_-]+\.)+(?P<top>[A-Za-z]{2,})\.?")
# not public: RFC 2606, RFC 6762, RFC 8375, ICANN's .internal, and what Kubernetes and companies use
_PRIVATE = frozenset(
    {
        "arpa",
        "cluster",
        "corp",
        "example",
        "home",
        "internal",
        "intra",
        "intranet",
        "invalid",
        "lan",
        "local",
        "localhost",
        "svc",
        "test",
    }
)
# names, not addresses
_NAMES = ("www.w3.org", "json-schema.org", "schemas.", "purl.org", "xmlns.", "www.opengis.net", "example.")
_PROSE = frozenset({"description", "$schema", "$id", "examples", "author", "error_message"})


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every address that strangers can listen to."""
    if document.broken or not names_place(document, workspace):
        return
    for at, text in texts_matching(document.data, _is_plain):
        if _PROSE & set(map(str, at)):
            continue
        match = next(match for match in _ADDRESS.finditer(text) if _is_public(match["host"]))
        message = f"{match.group()!r} is called without encryption"
        within = (match.start(), len("http://"))
        yield Finding(document, at, message, "write https://", within=within)


def _is_plain(text: str, key: Any) -> bool:
    del key
    return "http://" in text and any(_is_public(match["host"]) for match in _ADDRESS.finditer(text))


def _is_public(host: str) -> bool:
    """Tell whether a host's name is one of a public domain; addresses in numbers are left alone."""
    match = _DOMAIN.fullmatch(host)
    if match is None or match["top"].lower() in _PRIVATE or ".svc." in host:
        return False
    return not host.lower().startswith(_NAMES) and ".example." not in f".{host.lower()}"
