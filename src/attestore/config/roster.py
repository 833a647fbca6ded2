"""The roster: who may operate, approve and audit, named by key fingerprint; the only source of trust."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from attestore import canon, instants, strictyaml

__all__ = ["Key", "Person", "Roster", "read_roster", "roster_text"]

_FINGERPRINT: Final = re.compile(r"[0-9A-F]{40}")
_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ROLE: Final = re.compile(r"[a-z][a-z0-9-]{0,62}")
_BEGIN, _END = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----END PGP PUBLIC KEY BLOCK-----"
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Key:
    """One OpenPGP key of a person, trusted from `since` (inclusive) until `until` (exclusive)."""

    fingerprint: str
    """primary key fingerprint, 40 upper-case hexadecimal digits"""
    public: bytes
    """armoured public key block"""
    since: datetime | None = None
    until: datetime | None = None

    def serves(self, at: datetime) -> bool:
        """Whether the roster trusts the key at that instant."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may do something, with the keys that speak for them."""

    id: str
    name: str
    roles: tuple[str, ...]
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Roster:
    """All people, as one exact file says."""

    people: tuple[Person, ...]
    text: bytes

    @property
    def digest(self) -> canon.Digest:
        """SHA-256 of the file, as sha256sum prints it."""
        return canon.sha256_hex(self.text)

    def person_of(self, fingerprint: str, role: str | None = None, *, at: datetime | None = None) -> Person | None:
        """Who the key speaks for; None if nobody, not in that role, or the roster did not trust the key at that instant."""
        for person in self.people:
            for key in person.keys:
                if key.fingerprint == fingerprint:
                    may = (role is None or role in person.roles) and (at is None or key.serves(at))
                    return person if may else None
        return None

    def public_keys(self) -> Mapping[str, bytes]:
        """Armoured public keys by fingerprint: all that a verifier's keyring holds."""
        return MappingProxyType({key.fingerprint: key.public for person in self.people for key in person.keys})


class _Border(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class _Key(_Border):
    fingerprint: str
    public: str
    since: str | None = Field(default=None, alias="from")
    until: str | None = None


class _Person(_Border):
    id: str
    name: str
    roles: tuple[str, ...]
    keys: tuple[_Key, ...]


class _Roster(_Border):
    people: tuple[_Person, ...]


def read_roster(text: bytes, *, where: str) -> Roster:
    """Read a roster from the bytes of its YAML file; `where` is what errors call the file.

    Raises:
        GateError: not strict YAML, an unknown key, a fingerprint of another form, a person or a key that is
            listed twice, a key block that is none, or a validity that ends before it begins.
    """
    model, document = strictyaml.load_as(text, _Roster, where=where)
    if not model.people:
        raise document.error("the roster lists nobody", at=("people",), hint="Add a person with the role operator.")
    people: list[Person] = []
    owners: dict[str, str] = {}
    for number, person in enumerate(model.people):
        at = ("people", number)
        if person.id in {known.id for known in people}:
            raise document.error(
                f"the person {person.id!r} is listed twice", at=(*at, "id"), hint="Put all keys of a person together."
            )
        people.append(_person(person, document, at=at))
        for index, key in enumerate(person.keys):
            if key.fingerprint in owners:
                raise document.error(
                    f"the key {key.fingerprint} is listed twice, for {owners[key.fingerprint]} already",
                    at=(*at, "keys", index, "fingerprint"),
                    hint="A key speaks for one person.",
                )
            owners[key.fingerprint] = person.id
    return Roster(people=tuple(people), text=text)


def roster_text(people: Iterable[Person]) -> bytes:
    """A commented YAML file that `read_roster` reads back as the same people.

    Raises:
        ValueError: a name that cannot be printed.
    """
    lines = [
        "# Who may operate, approve and audit. A key is trusted because it stands here, and for no other reason:",
        "# keep this file outside the reports folder, and change it by review.",
        "# The role operator runs and signs; roles that approve are named by gates (release-manager, security ...).",
        "people:",
    ]
    for person in people:
        if _CONTROL.search(person.name):
            raise ValueError(f"the name {person.name!r} cannot be printed")
        lines += [f"  - id: {_quoted(person.id)}", f"    name: {_quoted(person.name)}"]
        lines += [f"    roles: [{', '.join(person.roles)}]", "    keys:"]
        for key in person.keys:
            lines.append(f"      - fingerprint: {_quoted(key.fingerprint)}")
            if key.since is not None:
                lines.append(f"        from: {_quoted(instants.text(key.since))}  # inclusive")
            if key.until is not None:
                lines.append(f"        until: {_quoted(instants.text(key.until))}  # exclusive")
            lines.append("        public: |")
            lines += [f"          {line}".rstrip() for line in key.public.decode("ascii").splitlines()]
    return ("\n".join(lines) + "\n").encode()


def _person(person: _Person, document: strictyaml.Document, *, at: tuple[str | int, ...]) -> Person:
    if not _ID.fullmatch(person.id):
        raise document.error(
            f"the id {person.id!r} is not a short lower-case name", at=(*at, "id"), hint="Write it like alex-example."
        )
    if not person.name.strip() or _CONTROL.search(person.name):
        raise document.error(f"the name {person.name!r} cannot be printed", at=(*at, "name"))
    for index, role in enumerate(person.roles):
        if not _ROLE.fullmatch(role):
            raise document.error(
                f"the role {role!r} is not a short lower-case name",
                at=(*at, "roles", index),
                hint="Write it like operator or release-manager.",
            )
        if role in person.roles[:index]:
            raise document.error(f"a role of {person.id} is listed twice", at=(*at, "roles", index))
    if not person.keys:
        raise document.error(
            f"{person.id} has no key", at=(*at, "keys"), hint="Add a key with its fingerprint and public block."
        )
    keys = tuple(_key(key, document, at=(*at, "keys", index)) for index, key in enumerate(person.keys))
    return Person(id=person.id, name=person.name, roles=person.roles, keys=keys)


def _key(key: _Key, document: strictyaml.Document, *, at: tuple[str | int, ...]) -> Key:
    if not _FINGERPRINT.fullmatch(key.fingerprint):
        raise document.error(
            f"the fingerprint {key.fingerprint!r} is not 40 upper-case hexadecimal digits",
            at=(*at, "fingerprint"),
            hint="Copy it from `gpg --with-colons --fingerprint`; short key ids are not enough.",
        )
    block = key.public.strip()
    if not (block.isascii() and block.startswith(_BEGIN) and block.endswith(_END) and block.count(_BEGIN) == 1):
        raise document.error(
            "the public key is not one armoured block",
            at=(*at, "public"),
            hint="Paste the output of `gpg --armor --export FINGERPRINT` below `public: |`.",
        )
    since, until = (
        None if written is None else _instant(written, document, at=(*at, name))
        for name, written in (("from", key.since), ("until", key.until))
    )
    if since is not None and until is not None and until <= since:
        raise document.error("the key's validity ends before it begins", at=(*at, "until"))
    return Key(fingerprint=key.fingerprint, public=f"{block}\n".encode("ascii"), since=since, until=until)


def _instant(written: str, document: strictyaml.Document, *, at: tuple[str | int, ...]) -> datetime:
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"):
        try:
            return datetime.strptime(written, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise document.error(
        f"{written!r} is not an instant in UTC", at=at, hint='Write "2026-11-30" or "2026-11-30T12:00:00Z", in quotes.'
    )


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
