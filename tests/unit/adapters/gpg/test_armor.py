"""A signature file is one armoured block with one packet, or nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.gpg import armor
from attestore.errors import TamperedError

_BODY = b"\x04\x00\x16\x0a" + b"\x5a" * 100
_ONE = b"\x88\x68" + _BODY


def _armoured(packets: bytes = _ONE, *, head: bytes = b"", title: bytes = b"SIGNATURE") -> bytes:
    text = base64.encodebytes(packets)
    return b"-----BEGIN PGP " + title + b"-----\n" + head + b"\n" + text + b"-----END PGP " + title + b"-----\n"


def test_one_block_with_one_packet_is_read() -> None:
    packet = armor.read(_armoured())
    assert (packet.version, packet.signature_class, packet.algorithm, packet.digest_algorithm) == (4, 0, 22, 10)
    assert armor.read(_armoured(head=b"Version: GnuPG v2\n")) == packet
    assert armor.read(_armoured().replace(b"\n", b"\r\n")) == packet


def test_each_form_of_length_is_read() -> None:
    assert armor.read(_armoured(b"\xc2\x68" + _BODY)) == armor.read(_armoured())
    assert armor.read(_armoured(b"\xc2\xff\x00\x00\x00\x68" + _BODY)) == armor.read(_armoured())
    assert armor.read(_armoured(b"\x89\x00\x68" + _BODY)) == armor.read(_armoured())
    assert armor.read(_armoured(b"\xc2\xc0\x08" + _BODY + b"\x5a" * 96)) == armor.read(_armoured())


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b" \n\n", id="white space"),
        pytest.param(_ONE, id="binary"),
        pytest.param(_armoured(_ONE + _ONE), id="two packets"),
        pytest.param(_armoured() + _armoured(), id="two blocks"),
        pytest.param(_armoured() + _armoured(title=b"PUBLIC KEY BLOCK"), id="a key beside it"),
        pytest.param(b"hello\n" + _armoured(), id="text before"),
        pytest.param(_armoured() + b"hello\n", id="text behind"),
        pytest.param(_armoured(title=b"MESSAGE"), id="a message"),
        pytest.param(_armoured(b"\xcb\x68" + _BODY), id="another packet"),
        pytest.param(_armoured(b"\xca\x03PGP" + _ONE), id="a marker in front"),
        pytest.param(_armoured(_ONE[:-1]), id="cut"),
        pytest.param(_armoured(_ONE + b"\x00"), id="longer"),
        pytest.param(_armoured(b"\xc2\xe6" + _BODY), id="partial length"),
        pytest.param(_armoured(b"\x8b" + _BODY), id="indeterminate length"),
        pytest.param(_armoured(b"\x88\x00"), id="no content"),
        pytest.param(_armoured(b"\x88\x68\x03" + _BODY[1:]), id="version 3"),
        pytest.param(_armoured(head=b"X-Evil: yes\n"), id="a strange header"),
        pytest.param(_armoured().replace(b"-----END", b"=AAAA\n-----END"), id="a wrong checksum"),
        pytest.param(_armoured(b"\x89\x40\x00" + b"\x04\x00\x16\x0a" + b"\x5a" * (0x4000 - 4)), id="too large"),
        pytest.param(b"-----BEGIN PGP SIGNATURE-----\n\nA\n-----END PGP SIGNATURE-----\n", id="bad base64"),
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(TamperedError):
        armor.read(data)


@given(st.binary(max_size=200))
def test_no_packets_break_the_reader(data: bytes) -> None:
    try:
        packet = armor.read(_armoured(data))
    except TamperedError:
        return
    assert data[-4:]
    assert packet.version in {4, 5, 6}
