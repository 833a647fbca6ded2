"""Packets are read from bytes alone, whatever the bytes are."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.gpg import packets, signatures
from attestore.adapters.gpg.packets import Container, Layout

_RSA = b"\x01"


def _read(data: bytes) -> Layout:
    return packets.read(io.BytesIO(data))


def _packet(tag: int, body: bytes) -> bytes:
    return bytes([0xC0 | tag, 255]) + len(body).to_bytes(4, "big") + body


def _partial(tag: int, body: bytes) -> bytes:
    """As gpg writes a stream: pieces of 512 bytes, then the rest."""
    out = bytes([0xC0 | tag])
    while len(body) >= 512:
        out, body = out + b"\xe9" + body[:512], body[512:]
    head = bytes([len(body)]) if len(body) < 192 else bytes([192 + ((len(body) - 192) >> 8), (len(body) - 192) & 0xFF])
    return out + head + body


def _key(keyid: str = "2A3FD9D19A43A481", *, bits: int = 4096, algorithm: bytes = _RSA) -> bytes:
    value = bits.to_bytes(2, "big") + b"\xaa" * (bits // 8)
    return _packet(1, b"\x03" + bytes.fromhex(keyid) + algorithm + value)


def _sealed(content: bytes = b"\x5a" * 3000) -> bytes:
    return _partial(18, b"\x01" + content)


def test_a_sealed_object_is_session_keys_then_one_protected_packet() -> None:
    layout = _read(_key() + _key("00" * 8, bits=2048) + _sealed())
    assert [(one.keyid, one.bits, one.algorithm) for one in layout.recipients] == [
        ("2A3FD9D19A43A481", 4096, 1),
        ("0" * 16, 2048, 1),
    ]
    assert layout.container is Container.MDC
    assert layout.whole
    assert layout.magic == 0


def test_aead_is_told_from_mdc() -> None:
    assert _read(_key() + _partial(18, b"\x02\x09\x02\x10" + b"\x5a" * 900)).container is Container.AEAD
    assert _read(_key() + _partial(20, b"\x01\x09\x02\x10" + b"\x5a" * 900)).container is Container.AEAD


def test_encryption_without_integrity_is_unprotected() -> None:
    assert _read(_key() + _packet(9, b"\x5a" * 900)).container is Container.UNPROTECTED


def test_a_passphrase_is_counted_beside_the_recipients() -> None:
    layout = _read(_packet(3, b"\x04\x09\x03\x08" + b"s" * 8 + b"\x60") + _key() + _sealed())
    assert (layout.passphrases, len(layout.recipients), layout.whole) == (1, 1, True)


def test_a_recipient_of_version_6_is_named_by_its_fingerprint() -> None:
    fingerprint = bytes(range(32))
    layout = _read(
        _packet(1, b"\x06\x21\x06" + fingerprint + b"\x19" + b"\xaa" * 40)
        + _partial(18, b"\x02\x09\x02\x10" + b"\x5a" * 900)
    )
    assert (layout.recipients[0].keyid, layout.recipients[0].algorithm) == ("0001020304050607", 25)
    assert layout.whole


@pytest.mark.parametrize(
    ("what", "data"),
    [
        ("cut", (_key() + _sealed())[:-1]),
        ("bytes behind", _key() + _sealed() + b"\x00"),
        ("a second encrypted packet", _key() + _sealed() + _sealed()),
        ("a key behind the content", _key() + _sealed() + _key()),
        ("a signature behind", _key() + _sealed() + _packet(2, b"\x04\x00\x01\x08" + b"\x5a" * 40)),
        ("no content", _key()),
        ("nothing", b""),
        ("content without a version", _key() + _packet(18, b"")),
        ("a session key of a strange version", _packet(1, b"\x05" + b"\x5a" * 40) + _sealed()),
        ("a session key without a body", _packet(1, b"") + _sealed()),
    ],
)
def test_anything_but_keys_and_one_whole_encrypted_packet_is_not_whole(what: str, data: bytes) -> None:
    assert not _read(data).whole, what


@pytest.mark.parametrize("size", [0, 5, 511, 512, 1 << 20, (1 << 20) + 7])
def test_lengths_in_every_form_lead_to_the_same_end(size: int) -> None:
    content = b"\x5a" * size
    assert _read(_key() + _partial(18, b"\x01" + content)).whole
    assert _read(_key() + _packet(18, b"\x01" + content)).whole
    assert _read(b"\x84\x0d" + b"\x03" + b"\x01" * 8 + b"\x12ab\x03" + b"\xd2\x02\x01\x5a").whole
    assert _read(_key() + b"\xcb" + b"\x00").container is Container.NONE


def test_what_is_no_openpgp_has_no_recipients_and_no_container() -> None:
    layout = _read(b"PGDMP\x01\x0e\x00" + b"x" * 100)
    assert layout == Layout(recipients=(), passphrases=0, container=Container.NONE, whole=False, magic=1)


@pytest.mark.parametrize("signature", signatures.ANYWHERE)
@pytest.mark.parametrize("offset", [0, 1, 4000, (1 << 20) - 3, (1 << 20), (1 << 20) + 9])
def test_a_long_signature_is_found_once_wherever_it_stands(signature: bytes, offset: int) -> None:
    data = bytearray(b"\x5a" * ((1 << 20) + 400))
    data[offset : offset + len(signature)] = signature
    assert _read(bytes(data)).magic == 1
    assert _read(_key() + _packet(18, b"\x01" + bytes(data))).magic == 1


@pytest.mark.parametrize("signature", signatures.AT_BEGINNINGS)
def test_a_short_signature_counts_where_content_begins(signature: bytes) -> None:
    rest = b"\x5a" * 900
    assert _read(signature + rest).magic == 1
    assert _read(_key() + _packet(18, b"\x01" + signature + rest)).magic == 1
    assert _read(_key() + _sealed() + signature + rest).magic == 1


@pytest.mark.parametrize("signature", signatures.AT_BEGINNINGS)
def test_a_short_signature_inside_is_chance(signature: bytes) -> None:
    assert _read(_key() + _sealed(b"\x5a" * 100 + signature + b"\x5a" * 900)).magic == 0


def test_a_plain_literal_packet_is_plaintext() -> None:
    assert _read(_packet(11, b"b\x00\x00\x00\x00\x00hello")).magic == 1


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(data: bytes) -> None:
    layout = _read(data)
    assert layout.magic >= 0
    assert not layout.whole or layout.container is not Container.NONE


@given(st.binary(max_size=80), st.integers(0, 700))
def test_a_cut_sealed_object_is_never_whole(noise: bytes, at: int) -> None:
    sealed = _key(bits=1024) + _sealed(noise + b"\x5a" * 600)
    assert not _read(sealed[: min(at, len(sealed) - 1)]).whole
