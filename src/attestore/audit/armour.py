"""The outer form of a signature file: exactly one armoured block, no byte beside it, checksum equal."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from attestore.errors import TamperedError

__all__ = ["check", "crc24"]

_BEGIN: Final = b"-----BEGIN PGP SIGNATURE-----"
_END: Final = b"-----END PGP SIGNATURE-----"
_CRC_START: Final = 0xB704CE
_CRC_POLYNOMIAL: Final = 0x1864CFB
_LINE: Final = 64


def check(data: bytes, *, what: str) -> None:
    """Refuse what a signature's programme would read past: headers, text around the block, a damaged checksum.

    OpenPGP ignores some bytes of an armoured signature; here every byte counts, so that any change of the file shows.

    Raises:
        TamperedError: the file is not one armoured signature in the form that gpg writes.
    """
    lines = data.split(b"\n")
    if len(lines) < 5 or lines[0] != _BEGIN or lines[1] or lines[-2:] != [_END, b""]:  # noqa: PLR2004 - begin, empty line, one line of text, end, empty
        raise TamperedError(f"{what} is not one armoured signature and nothing else")
    body = lines[2:-2]
    checksum = body.pop() if body[-1].startswith(b"=") else None
    if not body or any(len(line) != _LINE for line in body[:-1]) or not 0 < len(body[-1]) <= _LINE:
        raise TamperedError(f"{what} is not armoured in lines of {_LINE} characters")
    try:
        packets = base64.b64decode(b"".join(body), validate=True)
        expected = None if checksum is None else base64.b64decode(checksum[1:], validate=True)
    except binascii.Error as problem:
        raise TamperedError(f"{what} is not armoured: {problem}") from problem
    exact = base64.b64encode(packets) == b"".join(body)
    if expected is not None:
        exact = exact and expected == crc24(packets).to_bytes(3, "big") and base64.b64encode(expected) == checksum[1:]  # type: ignore[index]
    if not exact:
        raise TamperedError(f"the checksum of {what} is not that of its bytes")


def crc24(data: bytes) -> int:
    """RFC 4880 §6.1."""
    crc = _CRC_START
    for octet in data:
        crc ^= octet << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= _CRC_POLYNOMIAL
    return crc
