"""A detached signature's armour, read strictly: one block, one packet, and nothing else in the file."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final

from attestore.errors import TamperedError

__all__ = ["LIMIT", "SignaturePacket", "read"]

LIMIT: Final = 1 << 14
"""Most bytes of a signature file; RSA 4096 needs 900."""

_BLOCK: Final = re.compile(
    rb"-----BEGIN PGP SIGNATURE-----\r?\n"
    rb"(?:(?:Version|Comment|Hash|Charset): [\x20-\x7e]*\r?\n)*"
    rb"\r?\n"
    rb"(?P<body>(?:[A-Za-z0-9+/]{1,76}={0,2}\r?\n)+)"
    rb"(?:=(?P<sum>[A-Za-z0-9+/]{4})\r?\n)?"
    rb"-----END PGP SIGNATURE-----[ \t\r\n]*"
)
_TAG_SIGNATURE: Final = 2
_VERSIONS: Final = frozenset({4, 5, 6})


@dataclass(frozen=True, slots=True)
class SignaturePacket:
    """What a signature says of itself, before anybody believes it (RFC 9580, section 5.2.3)."""

    version: int
    signature_class: int
    algorithm: int
    digest_algorithm: int


def read(signature: bytes) -> SignaturePacket:
    """The one signature packet of an armoured file.

    Raises:
        TamperedError: too large, not exactly one armoured signature block, a wrong checksum, or anything but exactly
            one signature packet in it.
    """
    if len(signature) > LIMIT:
        raise TamperedError(f"the signature file has {len(signature)} B; a detached signature has at most {LIMIT}")
    if not signature.strip():
        raise TamperedError("the signature file is empty")
    block = _BLOCK.fullmatch(signature)
    if block is None:
        raise TamperedError("the signature file is not exactly one armoured detached signature")
    try:
        body = base64.b64decode(block["body"].replace(b"\r", b"").replace(b"\n", b""), validate=True)
        expected = base64.b64decode(block["sum"], validate=True) if block["sum"] else None
    except binascii.Error as problem:
        raise TamperedError(f"the signature's armour can't be decoded: {problem}") from problem
    if expected is not None and _crc24(body) != int.from_bytes(expected, "big"):
        raise TamperedError("the signature's armour has a wrong checksum")
    return _packet(body)


def _packet(body: bytes) -> SignaturePacket:
    tag, start, length = _header(body)
    if tag != _TAG_SIGNATURE or start + length != len(body):
        raise TamperedError("the signature file holds something else than exactly one signature packet")
    content = body[start:]
    if len(content) < 4 or content[0] not in _VERSIONS:  # noqa: PLR2004  version, class, algorithm, hash
        raise TamperedError("the signature packet is of a version that is not accepted")
    return SignaturePacket(*content[:4])


def _header(body: bytes) -> tuple[int, int, int]:
    """Tag, offset and length of the first packet; a length of -1 is one that a lone signature can't have."""
    first = body[0] if body else 0
    if first & 0xC0 == 0xC0:  # noqa: PLR2004  the two header formats of RFC 9580 section 4.2
        one = body[1] if len(body) > 1 else 255
        if one < 192:  # noqa: PLR2004
            return first & 0x3F, 2, one
        if one < 224 and len(body) > 2:  # noqa: PLR2004
            return first & 0x3F, 3, ((one - 192) << 8) + body[2] + 192
        return first & 0x3F, 6, int.from_bytes(body[2:6], "big") if one == 255 else -1  # noqa: PLR2004
    if first & 0x80 and first & 0x03 != 3:  # noqa: PLR2004
        size = 1 << (first & 0x03)
        return (first >> 2) & 0x0F, 1 + size, int.from_bytes(body[1 : 1 + size], "big")
    return 0, 0, -1


def _crc24(data: bytes) -> int:
    """RFC 4880, section 6.1."""
    value = 0xB704CE
    for octet in data:
        value ^= octet << 16
        for _ in range(8):
            value <<= 1
            if value & 0x1000000:
                value ^= 0x1864CFB
    return value & 0xFFFFFF
