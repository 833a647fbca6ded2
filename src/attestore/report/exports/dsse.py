"""DSSE envelopes: the statement and signatures over it in one JSON file.

Protocol: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, version 1.0. What is signed is not the
payload but its pre-authentication encoding (PAE), so the signature beside `statement.json` cannot be put here; the
operator signs once more when the envelope is made.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError

__all__ = ["PAYLOAD_TYPE", "Envelope", "Seal", "decode", "encode"]

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Seal:
    """One signature: primary key fingerprint, and the armoured OpenPGP signature over the PAE."""

    keyid: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload of a type, with its signatures."""

    payload: bytes
    seals: tuple[Seal, ...] = ()
    payload_type: str = PAYLOAD_TYPE

    @property
    def signed(self) -> bytes:
        """The pre-authentication encoding: the bytes that each signature is over."""
        kind = self.payload_type.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def encode(envelope: Envelope) -> bytes:
    """The exact bytes of an envelope, newline included."""
    return canon.encode(
        {
            "payloadType": envelope.payload_type,
            "payload": base64.b64encode(envelope.payload).decode(),
            "signatures": [
                {"keyid": seal.keyid, "sig": base64.b64encode(seal.signature).decode()} for seal in envelope.seals
            ],
        }
    ) + b"\n"  # fmt: skip


def decode(data: bytes, *, what: str = "the envelope") -> Envelope:
    """Read an envelope that somebody else may have written.

    Raises:
        TamperedError: not canonical, a field missing, extra or of the wrong type, another payload type, or not signed.
    """
    raw = cast("dict[str, object]", canon.decode(data.removesuffix(b"\n"), what=what))
    try:
        envelope = Envelope(
            payload=_bytes(raw["payload"]),
            payload_type=canon.as_text(raw["payloadType"]),
            seals=tuple(
                Seal(canon.as_text(seal["keyid"]), _bytes(seal["sig"]))
                for seal in cast("list[dict[str, object]]", canon.as_list(raw["signatures"]))
            ),
        )
        exact = encode(envelope) == data
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{what} is not a DSSE envelope: {problem}") from problem
    if not exact:
        raise TamperedError(f"{what} is not in the exact form in which envelopes are written")
    if envelope.payload_type != PAYLOAD_TYPE:
        raise TamperedError(f"{what} holds a payload of type {envelope.payload_type!r}, not {PAYLOAD_TYPE}")
    if not envelope.seals:
        raise TamperedError(f"{what} is not signed")
    return envelope


def _bytes(value: object) -> bytes:
    try:
        return base64.b64decode(canon.as_text(value), validate=True)
    except binascii.Error as problem:
        raise ValueError(f"not base64: {problem}") from problem
