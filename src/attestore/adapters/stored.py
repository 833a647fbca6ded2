"""What every store asks of a key and of an item, whatever the store is made of."""

from __future__ import annotations

import unicodedata
from typing import Final

from attestore.errors import StoreError
from attestore.ports import SealedPart, Signed

__all__ = ["OURS", "agree", "parts_of", "plain_name"]

OURS: Final = ".attestore-"
"""Names that begin so are the store's own: unfinished objects and nonces."""

_LONGEST_KEY: Final = 1024
_LONGEST_NAME: Final = 200


def parts_of(key: str) -> tuple[str, ...]:
    """The names in a key, each of them safe as the name of a file.

    Raises:
        StoreError: the key is empty, too long or absolute, or a name in it is one.
    """
    parts = tuple(key.split("/"))
    try:
        size = len(key.encode())
        longest = max(len(part.encode()) for part in parts)
    except UnicodeEncodeError as problem:
        raise StoreError(f"{key!r} can't be a key: it is not valid Unicode") from problem
    why = ""
    if any(part in {"", ".", ".."} for part in parts):
        why = "it is empty, absolute, or has an empty, . or .. part"
    elif size > _LONGEST_KEY or longest > _LONGEST_NAME:
        why = f"it is longer than {_LONGEST_KEY} bytes, or a part of it longer than {_LONGEST_NAME}"
    elif any(unicodedata.category(letter) in {"Cc", "Cf", "Zl", "Zp"} or letter == "\\" for letter in key):
        why = "it holds a control character or a backslash"
    elif any(part.startswith(OURS) for part in parts):
        why = f"names that begin with {OURS} are kept for unfinished objects"
    if why:
        raise StoreError(f"{key!r} can't be a key: {why}")
    return parts


def plain_name(name: str) -> str:
    """The name of a part, as long as it is the name of a file and no path.

    Raises:
        StoreError: it is none.
    """
    if "/" in name or name in {"", ".", ".."} or "\0" in name:
        raise StoreError(f"part name {name!r} is not a plain file name")
    return name


def agree(item: SealedPart | Signed, written: tuple[int, str]) -> None:
    """Return if a file's size and SHA-256 are those of its record; a signed file has none.

    Raises:
        StoreError: they are others.
    """
    if isinstance(item, SealedPart) and written != (item.record.size, item.record.digest):
        raise StoreError(
            f"{item.path} has {written[0]} B with SHA-256 {written[1]}; "
            f"sealed were {item.record.size} B with {item.record.digest}",
            hint="The file was changed after it was sealed, or the workspace's disk is failing.",
        )
