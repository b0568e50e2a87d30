"""People, their identities and signing keys, and groups: `.f0ci/approvers.yaml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from f0ci.core.errors import InputError
from f0ci.core.suggestions import did_you_mean
from f0ci.source.document import Document, parse_document
from f0ci.source.schema import check_schema

_EMAIL = re.compile(r"<([^<>]+)>\s*$")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may approve.

    Attributes:
        name: short name, unique in the file.
        emails: addresses of their commits, lower case.
        keys: public keys, as `ssh-ed25519 AAAA...`, or OpenPGP fingerprints or armoured keys.
        accounts: their account on each platform (`github`, `gitlab`, ...), lower case.
    """

    name: str
    emails: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    accounts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Approvers:
    """Everybody who may approve.

    Attributes:
        people: by short name.
        groups: names of their members, by group.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def person_of(self, identity: str) -> str | None:
        """Return who an identity (`Name <email>` or an address) is, or None."""
        match = _EMAIL.search(identity)
        email = (match.group(1) if match else identity).strip().lower()
        return next((person.name for person in self.people.values() if email in person.emails), None)

    def person_with_account(self, platform: str, account: str | None) -> str | None:
        """Return whose account on a platform it is, or None."""
        wanted = (account or "").lower()
        people = self.people.values()
        return next((person.name for person in people if wanted and person.accounts.get(platform) == wanted), None)

    def members(self, groups: tuple[str, ...]) -> frozenset[str]:
        """Return who belongs to any of some groups; no group means everybody."""
        if not groups:
            return frozenset(self.people)
        return frozenset(name for group in groups for name in self.groups.get(group, ()))

    def keys(self) -> dict[str, list[str]]:
        """Return everybody's keys, for checking a signature."""
        return {person.name: list(person.keys) for person in self.people.values() if person.keys}


def read_approvers(path: str, raw: bytes) -> Approvers:
    """Return the approvers that a file lists.

    Raises:
        InputError: the file does not fit its schema, a group names somebody it does not know, or two people share an
            address or a key, so that nobody could tell who of them wrote or approved.
    """
    return approvers_from(parse_document(path, raw))


def approvers_from(document: Document) -> Approvers:
    """Return the approvers that a document lists.

    Raises:
        InputError: as `read_approvers`.
    """
    data = document.require()
    for problem in check_schema("approvers", data):
        raise InputError(problem.message, problem.hint, place=str(document.location(problem.path, key=problem.key)))
    people = {
        name: Person(
            name,
            tuple(str(email).lower() for email in spec.get("emails", ())),
            tuple(str(key).strip() for key in spec.get("keys", ())),
            {str(platform): str(account).lower() for platform, account in (spec.get("accounts") or {}).items()},
        )
        for name, spec in (data.get("people") or {}).items()
    }
    _refuse_shared(document, people)
    _refuse_shared_accounts(document, people)
    groups = {name: tuple(members) for name, members in (data.get("groups") or {}).items()}
    for group, members in groups.items():
        for index, member in enumerate(members):
            if member not in people:
                place = str(document.location(("groups", group, index)))
                raise InputError(
                    f"the group {group!r} lists {member!r}, who is not under 'people'",
                    did_you_mean(member, people),
                    place=place,
                )
    return Approvers(people, groups)


def _refuse_shared(document: Document, people: Mapping[str, Person]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for person in people.values():
        for field_name, values in (("emails", person.emails), ("keys", tuple(map(_without_comment, person.keys)))):
            for index, value in enumerate(values):
                owner = owners.setdefault((field_name, value), person.name)
                if owner != person.name:
                    raise InputError(
                        f"{person.name!r} and {owner!r} have the same {'address' if field_name == 'emails' else 'key'}",
                        "give each person their own, or list them once",
                        place=str(document.location(("people", person.name, field_name, index))),
                    )


def _refuse_shared_accounts(document: Document, people: Mapping[str, Person]) -> None:
    owners: dict[tuple[str, str], str] = {}
    for person in people.values():
        for platform, account in person.accounts.items():
            owner = owners.setdefault((platform, account), person.name)
            if owner != person.name:
                raise InputError(
                    f"{person.name!r} and {owner!r} have the same account on {platform!r}",
                    "give each person their own, or list them once",
                    place=str(document.location(("people", person.name, "accounts", platform))),
                )


def _without_comment(key: str) -> str:
    return key if "\n" in key else " ".join(key.split()[:2])
