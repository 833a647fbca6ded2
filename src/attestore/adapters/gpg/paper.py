"""A private key as lines that can be printed, kept in a safe, and typed back; each line finds its own typing errors.

The numbered lines are base64 of the exported key, so that awk, base64 and gpg read them without us.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Final

from attestore.adapters.gpg.keyring import Key
from attestore.errors import KeyringError

__all__ = ["TITLE", "is_paper", "read", "write"]

TITLE: Final = "ATTESTORE PAPER BACKUP OF A PRIVATE KEY"

_LARGEST: Final = 1 << 18
"""most characters that are read; RSA 4096 takes 12,000"""
_LINE: Final = re.compile(r"\s*(?P<number>[0-9]{3})[ \t]+(?P<text>\S[^\r\n]*?)[ \t]+(?P<check>[0-9A-Fa-f]{4})\s*")
_WHOLE: Final = re.compile(r"(?m)^SHA-256[ \t]+(?P<digest>[0-9A-Fa-f ]{64,100}?)\s*$")
_BYTES: Final = 36
_GROUP: Final = 8
_MOST_NAMED: Final = 12
_BY_HAND: Final = (
    """awk '/^[0-9][0-9][0-9] /{for(i=2;i<NF;i++)printf "%s",$i}' FILE | base64 -d | gpg --import""",
    """printf '%s' '001 THE-48-CHARACTERS-WITHOUT-SPACES' | sha256sum | cut -c 1-4""",
)


def is_paper(text: bytes) -> bool:
    """Whether this is meant as one of our paper backups."""
    return TITLE.encode() in text[:_LARGEST]


def write(key: Key, packets: bytes, *, locked: bool) -> str:
    """The page of a private key, from its exported packets (not armoured)."""
    lines = [packets[start : start + _BYTES] for start in range(0, len(packets), _BYTES)]
    texts = [base64.b64encode(line).decode("ascii") for line in lines]
    kinds = ", ".join(f"{each.algorithm} {each.bits}" for each in (key.primary, *key.subkeys))
    expires = "never" if key.primary.expires is None else f"{key.primary.expires:%Y-%m-%d}"
    lock = (
        "The key has a passphrase, which is not on this paper: keep it elsewhere."
        if locked
        else "The key has no passphrase: whoever holds this paper can open every backup that is sealed to it."
    )
    return "\n".join(
        [
            TITLE,
            "",
            f"Fingerprint  {_grouped(key.fingerprint, 4)}",
            f"User id      {'; '.join(_plain(each) for each in key.user_ids)}",
            f"Made         {key.primary.created:%Y-%m-%d}; {kinds}; expires: {expires} (an expired key still opens)",
            f"Lines        {len(texts)}",
            f"SHA-256      {_grouped(hashlib.sha256(packets).hexdigest(), 16)}",
            "",
            lock,
            "",
            "To get the key back, type the title, the line SHA-256 and the numbered lines into a file, and run",
            "    attestore keys import FILE",
            "It names every line that was typed wrong. Spaces do not count; small and capital letters do.",
            "Without Attestore:",
            f"    {_BY_HAND[0]}",
            "The last four characters of a line are its check; that of line 001 is what this prints:",
            f"    {_BY_HAND[1]}",
            "",
            *(
                f"{number:03d}  {_grouped(text, _GROUP):<{_BYTES * 4 // 3 + 5}}  {_check(number, text)}"
                for number, text in enumerate(texts, start=1)
            ),
            "",
        ]
    )


def read(text: str) -> bytes:
    """The packets that a page holds, once every line has proved that it was typed right.

    Raises:
        KeyringError: a line is missing, there twice or typed wrong (all of them are named), or the whole is another key.
    """
    if len(text) > _LARGEST:
        raise KeyringError(f"the paper backup has {len(text)} characters; a key takes a few thousand")
    typed: dict[int, str] = {}
    problems: list[str] = []
    for number, line, check in _numbered(text):
        if number in typed:
            problems.append(f"{number:03d} is there twice")
        elif check != _check(number, line):
            problems.append(f"{number:03d} is typed wrong")
        typed[number] = line
    problems += [f"{number:03d} is missing" for number in range(1, max(typed, default=0) + 1) if number not in typed]
    if problems:
        more = f" and {len(problems) - _MOST_NAMED} more" if len(problems) > _MOST_NAMED else ""
        raise KeyringError(
            f"the paper backup can't be read: line {', line '.join(sorted(problems)[:_MOST_NAMED])}{more}",
            hint="Compare those lines with the paper; 0 and O, 1, l and I look alike, small and capital letters differ.",
        )
    packets = _packets(typed)
    whole = _WHOLE.search(text)
    told = whole["digest"].replace(" ", "").lower() if whole is not None else ""
    if told != hashlib.sha256(packets).hexdigest():
        raise KeyringError(
            "the paper backup is not whole: its lines do not add up to the key that it names",
            hint="Lines at the end are missing, or the line SHA-256 is missing or typed wrong.",
        )
    return packets


def _numbered(text: str) -> Iterator[tuple[int, str, str]]:
    for line in text.splitlines():
        if (found := _LINE.fullmatch(line)) is not None:
            yield int(found["number"]), re.sub(r"\s", "", found["text"]), found["check"].lower()


def _packets(typed: Mapping[int, str]) -> bytes:
    try:
        return b"".join(base64.b64decode(typed[number], validate=True) for number in sorted(typed))
    except binascii.Error as problem:
        raise KeyringError(f"the paper backup can't be decoded: {problem}") from problem


def _check(number: int, text: str) -> str:
    return hashlib.sha256(f"{number:03d} {text}".encode("ascii", "replace")).hexdigest()[:4]


def _grouped(text: str, size: int) -> str:
    return " ".join(text[start : start + size] for start in range(0, len(text), size))


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else "�" for each in text)
