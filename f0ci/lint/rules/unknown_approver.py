"""A group of the approvers file names somebody who is not among its people.

## What it does

Reports members of `groups` that `people` does not list, and addresses, keys and accounts that two people have.

## Why it matters

A signature counts by the keys and addresses of `people`. An approvers file with such a member is refused as a whole, so
nobody can approve anything; so is one in which two people have one address or key, as nobody could tell who signed.

## Bad

```yaml
# file: .f0ci/approvers.yaml
version: 1
people:
  alice: {emails: [alice@example.com]}
groups:
  release-managers: [alcie]
```

## Good

```yaml
# file: .f0ci/approvers.yaml
version: 1
people:
  alice: {emails: [alice@example.com]}
groups:
  release-managers: [alice]
```

## Fix

Correct the name, or list the person under `people`.

## References

- `docs/gates.md`
- `gate-out-of-reach`, for groups that a gate names
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from f0ci.core.diagnostics import Severity
from f0ci.core.suggestions import did_you_mean
from f0ci.lint.rules.base import Finding, Group, Place, Rule
from f0ci.lint.workspace import Workspace
from f0ci.source.document import Document
from f0ci.source.reading import Path, mapping_of

RULE = Rule("unknown-approver", Group.WORKFLOW, Severity.ERROR)
_LONGEST = 40


def check_document(document: Document, workspace: Workspace) -> Iterator[Finding]:
    """Yield every member who is not listed, and all that two people have."""
    if document.path != workspace.project.approvers or not isinstance(document.data, Mapping):
        return
    people, groups = mapping_of(document.data.get("people")), mapping_of(document.data.get("groups"))
    for group, members in groups.items():
        for index, name in enumerate(members if isinstance(members, list) else ()):
            if isinstance(name, str) and name not in people:
                message = f"the group {group!r} names {name!r}, who is not among the people"
                hint = did_you_mean(name, map(str, people), noun="people") or "list the person under 'people'"
                yield Finding(document, ("groups", group, index), message, hint)
    owners: dict[tuple[str, str], tuple[str, Path]] = {}
    for person, said in people.items():
        for noun, value, at in _owned(mapping_of(said), ("people", person)):
            owner, place = owners.setdefault((noun, _plain(noun, value)), (person, at))
            if owner != person:
                shown = value if len(value) <= _LONGEST else f"{value[:_LONGEST]}..."
                first = Place(document, place, f"{owner!r} has it here")
                message = f"{person!r} and {owner!r} have the same {noun} {shown!r}"
                yield Finding(document, at, message, "give each their own", related=(first,))


def _owned(said: Mapping[str, Any], at: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield what only one person may have: what it is, its text, and where it stands."""
    for key, noun in (("emails", "address"), ("keys", "key")):
        listed = said.get(key)
        for index, value in enumerate(listed if isinstance(listed, list) else ()):
            yield noun, str(value), (*at, key, index)
    for platform, account in mapping_of(said.get("accounts")).items():
        yield f"account of {platform}", str(account), (*at, "accounts", platform)


def _plain(noun: str, value: str) -> str:
    """Return a text as it is compared: addresses and accounts in small letters, keys of one line without a comment."""
    if noun != "key":
        return value.lower()
    key = value.strip()
    return key if "\n" in key else " ".join(key.split()[:2])
