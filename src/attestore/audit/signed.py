"""Whose signature a file carries, by the roster alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from attestore.audit import armour
from attestore.audit.findings import Notebook
from attestore.config import Person, Roster
from attestore.errors import TamperedError
from attestore.ports import Verifier

__all__ = ["Signatures"]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Checks detached signatures against a roster."""

    roster: Roster
    verifier: Verifier

    def signer(
        self,
        signature: bytes,
        data: Path,
        *,
        name: str,
        at: datetime | None,
        unchanged: Callable[[], bool],
        book: Notebook,
    ) -> str:
        """Fingerprint of the operator who signed the file, or empty where a line now says why there is none.

        `unchanged` tells whether the file still holds the bytes that the audit has read.
        """
        with book.guarded("signature", of=name):
            armour.check(signature, what=f"{name}.asc")
            fingerprint = self.verifier.verify(signature, data)
            if not unchanged():
                raise TamperedError(f"{name} changed while the audit went on")
            person = self.roster.person_of(fingerprint, role="operator", at=at)
            if person is None:
                raise TamperedError(f"{name} is signed by {fingerprint}, {self._nobody(fingerprint, at)}")
            book.ok("signature", f"{name}.asc is a good signature of {_who(person)}, key {fingerprint}.", of=name)
            return fingerprint
        return ""

    def _nobody(self, fingerprint: str, at: datetime | None) -> str:
        person = self.roster.person_of(fingerprint)
        if person is None:
            return "a key that the roster does not name."
        if "operator" not in person.roles:
            return f"the key of {person.name}, who is no operator of the roster."
        return f"a key of {person.name} that the roster did not trust at {at}."


def _who(person: Person) -> str:
    return f"{person.name} ({person.id}), operator of the roster"
