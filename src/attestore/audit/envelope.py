"""A DSSE envelope by itself: who signed it, what it holds, and whether it is the statement of a bundle that is here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from attestore import canon, instants
from attestore.audit.findings import Findings, Notebook
from attestore.audit.signed import Signatures
from attestore.config import Roster
from attestore.errors import TamperedError
from attestore.evidence import statement
from attestore.ports import Verifier
from attestore.report.exports import dsse

__all__ = ["audit_envelope"]

_MOST: int = 10


def audit_envelope(
    data: bytes, *, name: str, roster: Roster, verifier: Verifier, at: datetime, aside: Callable[[bytes], Path]
) -> Findings:
    """Compare everything that an envelope says; never raises for what it finds.

    `aside` puts bytes into a private file: what is signed stands in no file of the envelope's own.
    """
    book = Notebook(name)
    envelope = book.attempt("envelope", lambda: dsse.decode(data, what=name))
    if envelope is None:
        return Findings(tuple(book.lines))
    told = book.attempt("statement", lambda: statement.decode(envelope.payload, what="the payload"))
    if told is not None:
        outcomes = ", ".join(f"{each.gate} {each.outcome}" for each in told.gates) or "no gate"
        book.ok("statement", f"The payload is the statement of run {told.run}: {outcomes}.")
        book.note(
            "statement",
            f"Its SHA-256 is {canon.sha256_hex(envelope.payload)}; compare it with statement.json of the bundle, whose "
            "files are not in the envelope.",
        )
    signatures = Signatures(roster=roster, verifier=verifier, audited=at)
    with book.guarded("signature"):
        if len(envelope.seals) > _MOST or len({seal.keyid for seal in envelope.seals}) != len(envelope.seals):
            raise TamperedError(f"it carries {len(envelope.seals)} signatures, more than {_MOST} or two of one key")
        path = aside(envelope.signed)
        ended = None if told is None else _instant(told.ended)
        for seal in envelope.seals:
            signer = signatures.signer(
                seal.signature,
                path,
                name=f"signature {seal.keyid}",
                at=ended or at,
                digest=canon.sha256_hex(envelope.signed),
                book=book,
            )
            if signer and signer != seal.keyid:
                book.problem("signature", f"The signature is by {signer}, but its keyid says {seal.keyid}.")
    return Findings(tuple(book.lines))


def _instant(written: str) -> datetime | None:
    try:
        return instants.parse(written)
    except ValueError:
        return None
