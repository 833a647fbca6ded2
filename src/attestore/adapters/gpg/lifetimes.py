"""From when to when each key of a keyring counts, by gpg's own listing with every signature on the keys checked.

Format: doc/DETAILS of GnuPG, "Format of the colon listings". A revocation's class is `20x` for a primary key and `28x` for
a subkey; its reason follows after a comma (RFC 9580, section 5.2.3.31), where gpg tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final

__all__ = ["Lifetime", "instant", "primaries", "read"]

_REASONS: Final = MappingProxyType(
    {"00": "no reason given", "01": "superseded", "02": "compromised", "03": "no longer used"}
)
_UNSAID: Final = "no reason given"
_PRIMARY, _SUBKEY, _FINGERPRINT, _REVOCATION = "pub", "sub", "fpr", "rev"
_REVOKING: Final = {_PRIMARY: "20x", _SUBKEY: "28x"}


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The times of one key that can sign, primary or subkey; what ends a primary key ends its subkeys."""

    created: datetime
    expires: datetime | None
    revoked: datetime | None
    reason: str


@dataclass(slots=True)
class _Record:
    kind: str
    flag: str
    created: datetime
    expires: datetime | None
    fingerprint: str = ""
    revocations: list[tuple[datetime, str]] = field(default_factory=list)


def read(listing: str) -> Mapping[str, Lifetime]:
    """Times by fingerprint of the key that signs."""
    known: dict[str, Lifetime] = {}
    primary: _Record | None = None
    for record in _records(listing):
        primary = record if record.kind == _PRIMARY else primary
        if primary is not None:
            known[record.fingerprint] = _lifetime(record, primary)
    return MappingProxyType(known)


def primaries(listing: str) -> frozenset[str]:
    """Primary fingerprints."""
    return frozenset(record.fingerprint for record in _records(listing) if record.kind == _PRIMARY)


def instant(written: str) -> datetime | None:
    """A time as gpg writes it, seconds or ISO 8601; None where it says none."""
    if written.isdecimal():
        return datetime.fromtimestamp(int(written), UTC) if int(written) else None
    try:
        return datetime.strptime(written, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _records(listing: str) -> list[_Record]:
    records: list[_Record] = []
    for line in listing.splitlines():
        words = [*line.split(":"), *[""] * 12]
        if words[0] in {_PRIMARY, _SUBKEY}:
            created = instant(words[5])
            if created is not None:
                records.append(_Record(words[0], words[1], created, instant(words[6])))
        elif words[0] == _FINGERPRINT and records and not records[-1].fingerprint:
            records[-1].fingerprint = words[9]
        elif words[0] == _REVOCATION and records and words[1] == "!":
            scope, _, code = words[10].partition(",")
            made = instant(words[5])
            if scope == _REVOKING[records[-1].kind] and made is not None:
                records[-1].revocations.append((made, _REASONS.get(code[:2], _UNSAID)))
    return [record for record in records if record.fingerprint]


def _lifetime(record: _Record, primary: _Record) -> Lifetime:
    both = (record, primary)
    ends = [each.expires for each in both if each.expires is not None]
    revocations = sorted(one for each in both for one in each.revocations)
    if not revocations and "r" in {each.flag for each in both}:
        # revoked by somebody whose word could not be checked here: then it never counted
        revocations = [(record.created, _UNSAID)]
    revoked, reason = revocations[0] if revocations else (None, "")
    return Lifetime(record.created, min(ends, default=None), revoked, reason)
