r"""A path leads into the home folder of one account.

## What it does

Reports values of configurations and recipes that are absolute paths into a home folder: `/home/alice/...`,
`/Users/alice/...`, `C:\Users\alice\...`. Accounts that images of CI systems and containers come with, such as
`/home/runner`, are left alone.

## Why it matters

The path exists where that account does. Everywhere else the run stops, or writes where nobody looks.

## Bad

```yaml
# file: environments/dev/config.yaml
output: {base_directory: /home/alice/output}
```

## Good

```yaml
# file: environments/dev/config.yaml
output: {base_directory: data/output}
```

## Fix

Write a path below the repository's root, one that every machine has, or one that the environment's configuration gives.

## References

- `project-path-missing`, `recipe-path-escapes`
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

RULE = Rule("machine-path", Group.ENVIRONMENTS, Severity.WARNING)

_HOME = pattern(r"(?:file://)?(?:/home/|/Users/|[A-Za-z]:\\{1,2}Users\\{1,2})(?P<who>[\w.-]+)(?:[/\\][^\s]*)?")
# accounts of images, not of people
_EVERYWHERE = frozenset(
    {
        "airflow",
        "app",
        "appuser",
        "azureuser",
        "circleci",
        "coder",
        "docker",
        "ec2-user",
        "gitlab-runner",
        "gitpod",
        "jenkins",
        "jovyan",
        "node",
        "nonroot",
        "public",
        "Public",
        "runner",
        "Shared",
        "shared",
        "spark",
        "ubuntu",
        "vagrant",
        "vscode",
        "vsts",
    }
)


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every value that is such a path."""
    raw = document.raw
    if document.broken or not (names_place(document, workspace) or (b"\\" in raw and b":\\" in raw)):
        return
    for at, text in texts_matching(document.data, _is_personal):
        match = _HOME.fullmatch(text)
        message = f"{text!r} lies in the home folder of {match['who'] if match else ''!r}"
        yield Finding(document, at, message, "write a path that every machine has")


def _is_personal(text: str, key: Any) -> bool:
    match = _HOME.fullmatch(text) if key != "description" else None
    return match is not None and match["who"] not in _EVERYWHERE
