"""Whose signature a file carries, by the roster alone, and whether it still counts at the instant of the audit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from attestore.audit import armour, times
from attestore.audit.findings import Notebook
from attestore.audit.times import NOTHING, Witness
from attestore.canon import Digest
from attestore.config import Key, Person, Roster
from attestore.errors import TamperedError
from attestore.ports import Inspected, Stamps, Verifier

__all__ = ["Signatures"]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Checks detached signatures against a roster, as at one instant."""

    roster: Roster
    verifier: Verifier
    audited: datetime
    stamps: Stamps | None = None
    """checks time stamps; None where the auditor named no authority that he trusts"""

    def signer(
        self,
        signature: bytes,
        data: Path,
        *,
        name: str,
        at: datetime | None,
        digest: Digest,
        book: Notebook,
    ) -> str:
        """Fingerprint of the operator who signed the file, or empty where a line now says why there is none.

        `at` is when it was signed, by the signed words themselves; `digest` is that of the bytes which the audit has read.
        """
        seen = self.look(signature, data, name=name, at=at, digest=digest, witness=NOTHING, book=book)
        return "" if seen is None else seen.fingerprint

    def look(  # noqa: PLR0913  what is signed, by whom, when, who else says so
        self,
        signature: bytes,
        data: Path,
        *,
        name: str,
        at: datetime | None,
        digest: Digest,
        witness: Witness,
        book: Notebook,
        role: str | None = "operator",
    ) -> Inspected | None:
        """As `signer`, with what others say about the time, and with everything that is known of the signature.

        `role` is what the roster must say of the signer; None where somebody of any role may sign.
        """
        with book.guarded("signature", of=name):
            armour.check(signature, what=f"{name}.asc")
            seen = self.verifier.inspect(signature, data)
            if seen.digest != digest:
                raise TamperedError(f"{name} changed while the audit went on")
            fingerprint = seen.fingerprint
            person = self.roster.person_of(fingerprint, role=role, at=at)
            key = _key(person, fingerprint)
            if person is None or key is None:
                raise TamperedError(f"{name} is signed by {fingerprint}, {self._nobody(fingerprint, at, role=role)}")
            why = _ruled(seen, key=key, audited=self.audited, witness=witness, name=name)
            book.ok("signature", f"{name}.asc is a good signature of {_who(person, role)}, key {fingerprint}.", of=name)
            if why:
                book.note("signature", why, of=name)
            return seen
        return None

    def in_force(self, seen: Inspected) -> bool:
        """Whether the key that signed needs nobody's word about the time."""
        person = self.roster.person_of(seen.fingerprint)
        key = _key(person, seen.fingerprint)
        try:
            return key is not None and not times.rule(seen, key=key, audited=self.audited, witness=NOTHING)
        except TamperedError:
            return False

    def _nobody(self, fingerprint: str, at: datetime | None, *, role: str | None) -> str:
        person = self.roster.person_of(fingerprint)
        if person is None:
            return "a key that the roster does not name."
        if role is not None and role not in person.roles:
            return f"the key of {person.name}, who is no {role} of the roster."
        return f"a key of {person.name} that the roster did not trust at {at}."


def _ruled(seen: Inspected, *, key: Key, audited: datetime, witness: Witness, name: str) -> str:
    try:
        return times.rule(seen, key=key, audited=audited, witness=witness)
    except TamperedError as problem:
        raise TamperedError(f"{name}.asc does not count: {problem.message}.") from problem


def _key(person: Person | None, fingerprint: str) -> Key | None:
    keys = () if person is None else person.keys
    return next((key for key in keys if key.fingerprint == fingerprint), None)


def _who(person: Person, role: str | None) -> str:
    return f"{person.name} ({person.id}), {role or ', '.join(person.roles) or 'without a role'} of the roster"
