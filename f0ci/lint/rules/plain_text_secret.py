"""A secret stands in a file.

## What it does

Asks the detectors of `detect-secrets` about the texts of configurations, workflows and settings, and about what steps
of recipes are given and run. Reports keys of cloud providers, tokens of GitHub, GitLab, Slack, Stripe and others,
private keys, JSON Web Tokens and passwords in addresses; and, as a warning, a value under a key such as `password` or
`api_key` that is neither a reference nor an expression. The report never shows the value.

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
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from itertools import islice
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.late import imported_late
from f0ci.core.patterns import pattern
from f0ci.environments.secrets import SCHEME
from f0ci.lint.rules.base import Finding, Group, Rule
from f0ci.lint.walking import texts_matching
from f0ci.lint.workspace import Workspace
from f0ci.recipes.model import Recipe
from f0ci.recipes.reading import looks_like_recipe
from f0ci.source.document import Document
from f0ci.source.reading import Path

RULE = Rule("plain-text-secret", Group.SECURITY, Severity.ERROR)

# each way begins with a letter of its own, which makes looking for all of them at once cheap
_SHAPE = pattern(
    r"A3T[0-9A-Z]{17}|ABIA[0-9A-Z]{16}|ACCA[0-9A-Z]{16}|AKIA[0-9A-Z]{16}|ASIA[0-9A-Z]{16}|gh[oprsu]_\w{36}"
    r"|gl[a-z]{2,5}-[\w-]{20}|rk_live_\w{24}|sk_live_\w{24}|xox[abpors]-\d|hooks\.slack\.com/services/T"
    r"|(?<![\w=-])eyJ[\w=-]+\.eyJ[\w=-]+\.|SG\.[\w-]{22}\.|_authToken=|pypi-AgE|://[^\s{}:/@]{1,200}:[^\s{}@/]{1,200}@|AccountKey=|sq0csp-"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY|T3BlbkFJ"
)
_KEY = pattern(r"(?:password|passwd|apikey|privatekey|secretkey|accesskey|authkey|clientsecret|secret|token)\Z")
# such keys often hold the name of a secret
_NAMING = ("secret", "token")
_REFERENCE = pattern(r"[\s{}$<>*]|://|\A[/.~]|\A[A-Z][A-Z0-9_]*\Z|\AX-", re.ASCII)
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
# "a://b:c@d" is not worth a look, and no token is as short
_SHORTEST_SHAPE = 16
_LONGEST_KEYED = 200
_MOST_LOOKED_AT = 20
_MOST_HARMLESS = 4096
_AROUND = 120
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


def check_recipe(recipe: Recipe, workspace: Workspace) -> Iterator[Finding]:
    """Yield every secret that a step or a default gives; what recipes are made of otherwise is prose."""
    del workspace
    for step in recipe.steps:
        if step.arguments and _holds_suspect(step.arguments):
            yield from _found(recipe.document, step.arguments, (*step.at, step.arguments_key))
        if step.env and _holds_suspect(step.env):
            yield from _found(recipe.document, step.env, (*step.at, "env"))
        if step.run is not None and _has_shape(step.run):
            key = "run" if step.raw.get("run") == step.run else "command"
            yield from _found(recipe.document, {key: step.run}, step.at)
    for parameter in recipe.parameters:
        if isinstance(parameter.default, str) and _may_be_secret(parameter.default, parameter.name):
            yield from _found(recipe.document, {parameter.name: parameter.default}, (*parameter.at, "default"), named=1)


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every secret in a configuration, a workflow or the settings."""
    del workspace
    if not document.broken and not looks_like_recipe(document.data):
        yield from _found(document, document.data, ())


def _found(document: Document, data: Any, at: Path, *, named: int = 0) -> Iterator[Finding]:
    """Yield every secret in some data.

    Args:
        document: the file.
        data: a part of what it says.
        at: path of that part; the path of the value itself where the data only names it.
        named: 1 where the data only names it.
    """
    hint = f"write '{SCHEME}name' and give the secret to the run; change it, because it is known now"
    for path, text in texts_matching(data, _may_be_secret):
        place = at if named else (*at, *path)
        kind = _detected(text) if _has_shape(text) else None
        if kind is not None:
            yield Finding(document, place, f"this holds a secret: {kind}", hint)
        elif _is_keyed(text, path[-1]) and _is_secret_of_key(text):
            message = f"the key {str(path[-1])!r} holds a secret in plain text"
            yield Finding(document, place, message, hint, severity=Severity.WARNING)


# keys that were looked at and name no secret: a repository has few, and asks a thousand times for each
_harmless: set[str] = set()


def _holds_suspect(data: Any) -> bool:
    """Tell whether some data of a step may hold a secret; nearly none does."""
    if type(data) is dict and not _harmless.issuperset(data) and _name_secrets(data):
        return True
    for item in data.values() if type(data) is dict else data:
        kind = type(item)
        if kind is str:
            if len(item) >= _SHORTEST_SHAPE and ("{" not in item or "\n" in item) and _has_shape(item):
                return True
        elif (kind is dict or kind is list) and item and _holds_suspect(item):
            return True
    return False


def _name_secrets(keys: Iterable[Any]) -> bool:
    """Tell whether one of some keys names a secret; those that do not are remembered while there is room."""
    if len(_harmless) >= _MOST_HARMLESS:
        _harmless.clear()
    new = [key for key in keys if type(key) is str and key not in _harmless]
    if any(map(_names_secret, new)):
        return True
    _harmless.update(new[:_MOST_HARMLESS])
    return False


def _may_be_secret(text: str, key: Any) -> bool:
    return len(text) >= _SHORTEST and ((type(key) is str and _names_secret(key)) or _has_shape(text))


def _has_shape(text: str) -> bool:
    if len(text) < _SHORTEST_SHAPE or ("{" in text and "\n" not in text):
        # an expression is no secret, and a text around one is at most half of it
        return False
    if text.islower() and not _may_have_lower_shape(text):
        return False
    return _SHAPE.search(text) is not None


def _may_have_lower_shape(text: str) -> bool:
    """Tell whether a text has what the few ways without a capital letter have; looking for these alone is quick."""
    return (
        "@" in text
        or ("_" in text and ("gh" in text or "k_live_" in text))
        or ("-" in text and ("gl" in text or "xox" in text or "sq0csp-" in text))
    )


@lru_cache(maxsize=4096)
def _names_secret(key: str) -> bool:
    return _KEY.search(re.sub(r"[^a-z]", "", key.lower())) is not None


def _is_keyed(text: str, key: Any) -> bool:
    if type(key) is not str:
        return False
    if (
        not _names_secret(key)
        or not _SHORTEST <= len(text) <= _LONGEST_KEYED
        or _REFERENCE.search(text)
        or text.lower() in _NO_VALUES
    ):
        return False
    if not any(char.isdigit() for char in text):
        # `reset_password: weekly` is a word about a password
        return False
    return not key.lower().endswith(_NAMING) or (text.isalnum() and text != text.lower())


@cache
def _detectors() -> tuple[Any, ...]:
    # they cost a twentieth of a second, which only a suspicion is worth
    from importlib import import_module

    # an HTTP client, twice as much again, is there to try secrets out, which nothing here does
    with imported_late("requests"):
        return tuple(getattr(import_module(f"detect_secrets.plugins.{file}"), name)() for file, name in _DETECTORS)


def _detected(text: str) -> str | None:
    """Return what kind of secret a text holds, or None."""
    for match in islice(_SHAPE.finditer(text), _MOST_LOOKED_AT):
        # detectors were made for lines; this is what belongs to one
        line = text[max(0, match.start() - _AROUND) : match.end() + _AROUND]
        for detector in _detectors():
            if any("{" not in str(found) for found in detector.analyze_string(line)):
                return str(detector.secret_type)
    return None


def _is_secret_of_key(text: str) -> bool:
    with imported_late("requests"):
        from detect_secrets.filters import heuristic
        from detect_secrets.plugins.keyword import KeywordDetector

    if heuristic.is_sequential_string(text) or heuristic.is_not_alphanumeric_string(text):
        return False
    return any(KeywordDetector().analyze_string(f'password = "{text}"'))
