"""Status lines are gpg's only words that count."""

from __future__ import annotations

import pytest

from attestore.adapters.gpg import status
from attestore.errors import ProgramFailedError

_WHOLE = (
    b"[GNUPG:] ENC_TO 2A3FD9D19A43A481 1 0\n"
    b"[GNUPG:] BEGIN_DECRYPTION\n"
    b"[GNUPG:] DECRYPTION_INFO 2 9 0\n"
    b"[GNUPG:] DECRYPTION_OKAY\n"
    b"[GNUPG:] GOODMDC\n"
    b"[GNUPG:] END_DECRYPTION\n"
)


def test_lines_keep_their_order_and_their_words() -> None:
    said = status.parse(_WHOLE)
    assert [line.keyword for line in said.lines][:2] == ["ENC_TO", "BEGIN_DECRYPTION"]
    assert said.all("ENC_TO")[0].words == ("2A3FD9D19A43A481", "1", "0")
    assert "GOODMDC" in said
    assert "BADMDC" not in said


def test_the_cipher_is_the_one_that_was_used() -> None:
    assert status.parse(_WHOLE).cipher == "AES256"
    assert status.parse(_WHOLE.replace(b" 2 9 0", b" 2 2 0")).cipher == "3DES"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"[GNUPG:] DECRYPTION_INFO 2\n",
        b"[GNUPG:] DECRYPTION_INFO 2 x\n",
        b"[GNUPG:] DECRYPTION_INFO 2 250\n",
        b"[GNUPG:] DECRYPTION_INFO 2 9\n[GNUPG:] DECRYPTION_INFO 2 2\n",
    ],
)
def test_a_cipher_that_is_not_said_once_and_clearly_is_unknown(line: bytes) -> None:
    assert status.parse(line).cipher == "unknown"


def test_a_message_is_protected_only_when_it_was_decrypted_and_its_mdc_held() -> None:
    assert status.parse(_WHOLE).protected
    assert not status.parse(b"").protected
    assert not status.parse(_WHOLE.replace(b"GOODMDC", b"BADMDC")).protected
    assert not status.parse(_WHOLE.replace(b"[GNUPG:] GOODMDC\n", b"")).protected
    assert not status.parse(_WHOLE + b"[GNUPG:] DECRYPTION_FAILED\n").protected
    assert not status.parse(_WHOLE + _WHOLE).protected


@pytest.mark.parametrize("data", [b"[GNUPG:] GOODSIG", b"gpg: hello\n", b"\n"])
def test_what_is_not_status_is_an_error(data: bytes) -> None:
    with pytest.raises(ProgramFailedError):
        status.parse(data)
