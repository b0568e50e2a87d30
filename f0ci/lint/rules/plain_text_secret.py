"""A secret stands in a file.

## What it does

Asks the detectors of `detect-secrets` about the texts of configurations, recipes, workflows and settings, and reports
keys of cloud providers, tokens of GitHub, GitLab, Slack, Stripe and others, private keys, JSON Web Tokens and passwords
in addresses; and, as a warning, a value under a key such as `password` or `api_key` that is neither a reference nor an
expression. The report never shows the value.

## Why it matters

What is in Git stays in Git: everybody who can read a clone has the secret, and so has every release.

## Bad

```yaml
# file: environments/dev/config.yaml
data_sources: {orders: "postgres://loader:hK3vTq81@db.shop.com/orders"}
```

## Good

```yaml
# file: environments/dev/config.yaml
data_sources: {orders: "secret://orders-database"}
```

## Fix

Write `secret://name` in its place and give the secret to the run; see `docs/files.md`. Then change the secret, because
it is known already.

## References

- https://cwe.mitre.org/data/definitions/798.html
- https://github.com/Yelp/detect-secrets
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.environments.secrets import SCHEME
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.walking import texts_matching
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document

RULE = Rule("plain-text-secret", Group.SECURITY, Severity.ERROR)

# without any of these, in small letters, there is nothing to find
_WORDS = (
    b"password passwd secret key token -----begin eyj xox _live_ hooks.slack akia asia gh gl sg. sk- sq0 pypi-".split()
)
_SHAPE = re.compile(
    r"(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}|gh[oprsu]_\w{36}|gl[a-z]{2,5}-[\w-]{20}|[rs]k_live_\w{24}"
    r"|(?i:xox[abpors]-\d)|hooks\.slack\.com/services/T|eyJ[\w=-]+\.eyJ[\w=-]+\.|SG\.[\w-]{22}\.|_authToken=|pypi-AgE"
    r"|://[^\s{}:/@]+:[^\s{}@]+@|AccountKey=|sq0csp-|-----BEGIN [A-Z ]*PRIVATE KEY|T3BlbkFJ"
)
_KEY = re.compile(r"(?:password|passwd|apikey|privatekey|secretkey|accesskey|authkey|clientsecret|secret|token)\Z")
# such keys often hold the name of a secret
_NAMING = ("secret", "token")
_REFERENCE = re.compile(r"[\s{}$<>*]|://|\A[/.~]|\A[A-Z][A-Z0-9_]*\Z|\AX-", re.ASCII)
_NO_VALUES = frozenset(
    {
        "bearer",
        "default",
        "disabled",
        "dynamic",
        "enabled",
        "external",
        "generated",
        "injected",
        "managed",
        "optional",
        "password",
        "prompt",
        "redacted",
        "required",
        "secret",
        "tbd",
        "vault",
    }
)
_SHORTEST = 6
_DETECTORS = (
    ("aws", "AWSKeyDetector"),
    ("azure_storage_key", "AzureStorageKeyDetector"),
    ("basic_auth", "BasicAuthDetector"),
    ("github_token", "GitHubTokenDetector"),
    ("gitlab_token", "GitLabTokenDetector"),
    ("jwt", "JwtTokenDetector"),
    ("npm", "NpmDetector"),
    ("openai", "OpenAIDetector"),
    ("private_key", "PrivateKeyDetector"),
    ("pypi_token", "PypiTokenDetector"),
    ("sendgrid", "SendGridDetector"),
    ("slack", "SlackDetector"),
    ("square_oauth", "SquareOAuthDetector"),
    ("stripe", "StripeDetector"),
)


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every value that is a secret."""
    del workspace
    if document.broken:
        return
    raw = document.raw.lower()
    # an address with a password has none of the words
    if not any(word in raw for word in _WORDS) and not (b"://" in raw and b"@" in raw):
        return
    hint = f"write '{SCHEME}name' and give the secret to the run; change it, because it is known now"
    for at, text in texts_matching(document.data, _may_be_secret):
        kind = _detected(text) if _SHAPE.search(text) else None
        if kind is not None:
            yield Finding(document, at, f"this holds a secret: {kind}", hint)
        elif _is_keyed(text, at[-1]) and _is_secret_of_key(text):
            message = f"the key {str(at[-1])!r} holds a secret in plain text"
            yield Finding(document, at, message, hint, severity=Severity.WARNING)


def _may_be_secret(text: str, key: Any) -> bool:
    return len(text) >= _SHORTEST and (_is_keyed(text, key) or _SHAPE.search(text) is not None)


def _is_keyed(text: str, key: Any) -> bool:
    if type(key) is not str:
        return False
    plain = re.sub(r"[^a-z]", "", key.lower())
    named = _KEY.search(plain)
    if named is None or len(text) < _SHORTEST or _REFERENCE.search(text) or text.lower() in _NO_VALUES:
        return False
    if not any(char.isdigit() for char in text):
        # `reset_password: weekly` is a word about a password
        return False
    return not plain.endswith(_NAMING) or (text.isalnum() and text != text.lower())


@cache
def _detectors() -> tuple[Any, ...]:
    # they cost a quarter of a second, which only a suspicion is worth
    from importlib import import_module

    return tuple(getattr(import_module(f"detect_secrets.plugins.{file}"), name)() for file, name in _DETECTORS)


def _detected(text: str) -> str | None:
    """Return what kind of secret a text holds, or None."""
    for detector in _detectors():
        for line in text.splitlines():
            if "{" not in line and any(detector.analyze_string(line)):
                return str(detector.secret_type)
    return None


def _is_secret_of_key(text: str) -> bool:
    from detect_secrets.filters import heuristic
    from detect_secrets.plugins.keyword import KeywordDetector

    if heuristic.is_sequential_string(text) or heuristic.is_not_alphanumeric_string(text):
        return False
    return any(KeywordDetector().analyze_string(f'password = "{text}"'))
