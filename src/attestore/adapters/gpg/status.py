"""What gpg says on its status descriptor: the only words of gpg that decide anything here.

Format: doc/DETAILS of GnuPG, "Format of the --status-fd output".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from attestore.errors import ProgramFailedError

__all__ = ["CIPHERS", "LIMIT", "Line", "Status", "parse"]

LIMIT: Final = 1 << 20
"""Most bytes of status that are read from one gpg; hostile input makes gpg repeat itself."""

CIPHERS: Final = {
    1: "IDEA",
    2: "3DES",
    3: "CAST5",
    4: "Blowfish",
    7: "AES128",
    8: "AES192",
    9: "AES256",
    10: "Twofish",
    11: "Camellia128",
    12: "Camellia192",
    13: "Camellia256",
}
"""Symmetric algorithms by their OpenPGP number (RFC 9580, section 9.3)."""

_PREFIX: Final = b"[GNUPG:] "
_CODE: Final = 0xFFFF
"""the part of a libgpg-error number that says what; the rest says who"""
_LOCKED: Final = {11: "the passphrase is wrong", 85: "it has a passphrase, and none was given"}
"""GPG_ERR_BAD_PASSPHRASE and GPG_ERR_NO_PIN_ENTRY"""


@dataclass(frozen=True, slots=True)
class Line:
    """One status line: a keyword and its words."""

    keyword: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """Everything one gpg process said, in order."""

    lines: tuple[Line, ...]

    def __contains__(self, keyword: str) -> bool:
        return any(line.keyword == keyword for line in self.lines)

    def all(self, keyword: str) -> tuple[Line, ...]:
        """Every line of a keyword, in order."""
        return tuple(line for line in self.lines if line.keyword == keyword)

    @property
    def cipher(self) -> str:
        """Symmetric cipher named by DECRYPTION_INFO; `unknown` where gpg did not get that far or was not sure."""
        numbers = {line.words[1] for line in self.all("DECRYPTION_INFO") if len(line.words) > 1}
        if len(numbers) != 1:
            return "unknown"
        number = numbers.pop()
        return CIPHERS.get(int(number), "unknown") if number.isdecimal() else "unknown"

    @property
    def locked(self) -> str:
        """Why a private key could not be unlocked, in words; empty where that was not the problem."""
        codes = {
            int(line.words[-1]) & _CODE
            for keyword in ("ERROR", "FAILURE")
            for line in self.all(keyword)
            if len(line.words) > 1 and line.words[-1].isdecimal()
        }
        return next((words for code, words in _LOCKED.items() if code in codes), "")

    @property
    def protected(self) -> bool:
        """Whether the whole message was decrypted and its integrity protection (MDC or AEAD) held."""
        failed = {"BADMDC", "DECRYPTION_FAILED", "ERROR", "FAILURE", "NODATA", "UNEXPECTED"}
        whole = len(self.all("DECRYPTION_OKAY")) == len(self.all("GOODMDC")) == 1
        return whole and not any(line.keyword in failed for line in self.lines)


def parse(data: bytes) -> Status:
    """Read the bytes of a status descriptor that carries nothing else.

    Raises:
        ProgramFailedError: a line does not begin with gpg's mark, or the last one is cut off.
    """
    if data and not data.endswith(b"\n"):
        raise ProgramFailedError("gpg's status output is cut off in the middle of a line")
    return Status(tuple(_line(raw) for raw in data.split(b"\n")[:-1]))


def _line(raw: bytes) -> Line:
    if not raw.startswith(_PREFIX):
        raise ProgramFailedError(f"gpg's status output holds a line that is not status: {raw[:80]!r}")
    keyword, *words = raw[len(_PREFIX) :].decode("utf-8", errors="replace").split(" ")
    return Line(keyword, tuple(word for word in words if word))
