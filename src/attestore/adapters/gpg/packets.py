"""What the stored bytes of a sealed object are: OpenPGP packets, and signatures of things that should not be there.

Read in one pass with bounded memory, without gpg (RFC 4880 and RFC 9580 section 4.2, 5.1, 5.13; tag 20 is GnuPG's OCB).

Signatures (`signatures`) of six bytes and more are looked for everywhere. Shorter ones are looked for only where a file or its content
would begin: at the first byte, where each packet's body begins (after the version octet, too), and behind the last packet.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import IO, Final, NamedTuple

from attestore.adapters.gpg.signatures import ANYWHERE, AT_BEGINNINGS, LONGEST, count

__all__ = ["ALGORITHMS", "Container", "Layout", "Recipient", "read"]

ALGORITHMS: Final = {1: "RSA", 2: "RSA", 3: "RSA", 16: "Elgamal", 17: "DSA", 18: "ECDH", 19: "ECDSA", 20: "Elgamal", 22: "EdDSA", 25: "X25519", 26: "X448", 27: "Ed25519", 28: "Ed448"}  # fmt: skip
"""Public-key algorithms by their OpenPGP number."""

_CHUNK: Final = 1 << 20
_HEAD: Final = 1 << 16  # most bytes of one session key packet that are looked at
_RSA: Final = frozenset({1, 2})
_FINGERPRINT: Final = {20: 4, 32: 6}


class _Tag(Enum):
    SESSION_KEY = 1
    PASSPHRASE = 3
    COMPRESSED = 8
    ENCRYPTED = 9
    MARKER = 10
    LITERAL = 11
    PROTECTED = 18
    OCB = 20
    PADDING = 21


class Container(Enum):
    """How the content is held."""

    NONE = "none"
    """there is no encrypted packet"""
    UNPROTECTED = "unprotected"
    """encrypted without integrity protection (tag 9)"""
    MDC = "MDC"
    AEAD = "AEAD"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One public-key encrypted session key packet."""

    version: int
    keyid: str
    """16 upper-case hexadecimal digits; zeros for a hidden recipient"""
    algorithm: int
    bits: int
    """size of the encrypted value: of an RSA key of that size, or up to a few bits smaller; 0 for other algorithms"""


@dataclass(frozen=True, slots=True)
class Layout:
    """The packets of one object, as its bytes say."""

    recipients: tuple[Recipient, ...]
    passphrases: int
    """packets that open the object with a passphrase"""
    container: Container
    whole: bool
    """session keys, then one encrypted packet, then the end of the file: nothing else, nothing cut off"""
    magic: int
    """signatures of plaintext or archives that were found"""


def read(stream: IO[bytes]) -> Layout:
    """Read an object from its first byte to its last; bytes that are no OpenPGP at all have no packets."""
    scan = _Scan(stream)
    walk = _Walk(scan)
    whole = walk.packets()
    scan.beginning()
    scan.drain()
    return Layout(
        recipients=tuple(walk.recipients),
        passphrases=walk.passphrases,
        container=walk.container,
        whole=whole,
        magic=scan.magic + walk.plain,
    )


class _CutError(Exception):
    """The bytes end inside a packet, or a packet is not what its header says."""


class _Header(NamedTuple):
    tag: int
    length: int | None
    """None: up to the end of the file"""
    partial: bool


class _Walk:
    """Goes over packets."""

    def __init__(self, scan: _Scan) -> None:
        self._scan = scan
        self.recipients: list[Recipient] = []
        self.passphrases = 0
        self.container = Container.NONE
        self.plain = 0

    def packets(self) -> bool:
        """Whether everything was as it should be."""
        encrypted = 0
        strange = False
        try:
            while True:
                self._scan.beginning()
                first = self._scan.take(1)
                if not first:
                    return encrypted == 1 and not strange
                header = self._header(first[0])
                self._scan.beginning()
                if header.tag in {_Tag.SESSION_KEY.value, _Tag.PASSPHRASE.value}:
                    strange |= encrypted > 0
                    self._key(header)
                elif header.tag in {_Tag.PROTECTED.value, _Tag.OCB.value, _Tag.ENCRYPTED.value}:
                    encrypted += 1
                    self._content(header)
                else:
                    strange |= header.tag not in {_Tag.MARKER.value, _Tag.PADDING.value}
                    self.plain += header.tag in {_Tag.LITERAL.value, _Tag.COMPRESSED.value}
                    self._skip(header)
        except _CutError:
            return False

    def _header(self, first: int) -> _Header:
        if not first & 0x80:
            raise _CutError
        if first & 0x40:
            length, partial = self._new_length()
            return _Header(first & 0x3F, length, partial)
        kind = first & 0x03
        if kind == 3:  # noqa: PLR2004  indeterminate length, RFC 4880 section 4.2.1
            return _Header((first >> 2) & 0x0F, None, partial=False)
        return _Header((first >> 2) & 0x0F, int.from_bytes(self._exactly(1 << kind), "big"), partial=False)

    def _new_length(self) -> tuple[int, bool]:
        one = self._exactly(1)[0]
        if one < 192:  # noqa: PLR2004  the four forms of RFC 9580 section 4.2.1
            return one, False
        if one < 224:  # noqa: PLR2004
            return ((one - 192) << 8) + self._exactly(1)[0] + 192, False
        if one == 255:  # noqa: PLR2004
            return int.from_bytes(self._exactly(4), "big"), False
        return 1 << (one & 0x1F), True

    def _key(self, header: _Header) -> None:
        if header.length is None or header.partial or header.length > _HEAD:
            raise _CutError
        body = self._exactly(header.length)
        if header.tag == _Tag.PASSPHRASE.value:
            self.passphrases += 1
        else:
            self.recipients.append(_recipient(body))

    def _content(self, header: _Header) -> None:
        if header.tag == _Tag.ENCRYPTED.value:
            self.container = Container.UNPROTECTED
            self._skip(header)
            return
        if header.length == 0:
            raise _CutError
        version = self._exactly(1)[0]
        self._scan.beginning()
        sealed_by_aead = header.tag == _Tag.OCB.value or version == 2  # noqa: PLR2004  RFC 9580 section 5.13.2
        self.container = Container.AEAD if sealed_by_aead else Container.MDC
        self._skip(header._replace(length=None if header.length is None else header.length - 1))

    def _skip(self, header: _Header) -> None:
        length, partial = header.length, header.partial
        if length is None:
            self._scan.drain()
            return
        while True:
            if self._scan.skip(length) != length:
                raise _CutError
            if not partial:
                return
            length, partial = self._new_length()

    def _exactly(self, size: int) -> bytes:
        data = self._scan.take(size)
        if len(data) != size:
            raise _CutError
        return data


def _recipient(body: bytes) -> Recipient:
    """RFC 9580 sections 5.1.1 (version 6) and 5.1.2 (version 3)."""
    if not body:
        raise _CutError
    if body[0] == 3 and len(body) > 12:  # noqa: PLR2004
        return Recipient(3, body[1:9].hex().upper(), body[9], _bits(body[9], body[10:]))
    if body[0] == 6 and len(body) > 1 and len(body) > body[1] + 4:  # noqa: PLR2004
        named = body[3 : 2 + body[1]] if body[1] else b""
        version = _FINGERPRINT.get(len(named), 0)
        keyid = named[-8:] if version == 4 else named[:8].ljust(8, b"\0")  # noqa: PLR2004
        algorithm = body[2 + body[1]]
        return Recipient(6, keyid.hex().upper(), algorithm, _bits(algorithm, body[3 + body[1] :]))
    raise _CutError


def _bits(algorithm: int, value: bytes) -> int:
    return int.from_bytes(value[:2], "big") if algorithm in _RSA else 0


class _Scan:
    """Reads a stream once, in chunks, and counts signatures in whatever passes by."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._chunk = b""
        self._at = 0
        self._end = b""
        self._offset = 0
        self._looked = -1
        self.magic = 0

    def take(self, size: int) -> bytes:
        """The next bytes; fewer at the end of the file."""
        if self._at + size <= len(self._chunk):
            self._at += size
            return self._chunk[self._at - size : self._at]
        parts = []
        while size and self._fill():
            part = self._chunk[self._at : self._at + size]
            self._at += len(part)
            size -= len(part)
            parts.append(part)
        return b"".join(parts)

    def skip(self, size: int) -> int:
        """Pass over bytes; how many there were."""
        left = size
        while left and self._fill():
            step = min(left, len(self._chunk) - self._at)
            self._at += step
            left -= step
        return size - left

    def drain(self) -> None:
        """Pass over all that is left."""
        while self._fill():
            self._at = len(self._chunk)

    def beginning(self) -> None:
        """Content may begin here: look for the short signatures."""
        if self._offset + self._at == self._looked:
            return
        while len(self._chunk) - self._at < LONGEST and self._more():
            pass
        here = self._chunk[self._at : self._at + LONGEST]
        self.magic += here.startswith(AT_BEGINNINGS) and not here.startswith(ANYWHERE)
        self._looked = self._offset + self._at

    def _fill(self) -> bool:
        if self._at == len(self._chunk):
            self._more()
        return self._at < len(self._chunk)

    def _more(self) -> bool:
        """Read on, keeping what has not been taken; whether there was anything."""
        left = self._chunk[self._at :]
        fresh = self._stream.read(_CHUNK)
        self._offset += self._at
        self._chunk = left + fresh if left else fresh
        self._at = 0
        # a signature may lie across chunks; what lies whole in what came before is not counted again
        whole = self._end + fresh
        self.magic += count(whole, seen=len(self._end))
        self._end = whole[1 - LONGEST :]
        return bool(fresh)
