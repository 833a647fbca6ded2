"""Exact bytes: the one room where what is hashed and signed is written and read.

Canonical JSON without floats: sorted keys, no white space, UTF-8, equal to RFC 8785 for this profile
(strings, integers within ±2^53, booleans, null, arrays, objects). Larger integers travel as decimal strings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import NoReturn, TypeAlias

from attestore.errors import TamperedError

__all__ = [
    "JSON",
    "Digest",
    "as_count",
    "as_flag",
    "as_list",
    "as_text",
    "as_whole",
    "decode",
    "domain_digest",
    "encode",
    "seems",
    "sha256_hex",
]

JSON: TypeAlias = "bool | int | str | list[JSON] | dict[str, JSON] | None"
Digest: TypeAlias = str
"""64 lower-case hexadecimal digits of a SHA-256."""

_LARGEST = 2**53 - 1
_DEEPEST = 32


def encode(value: JSON) -> bytes:
    """The one byte string that stands for `value`, without a trailing newline.

    Raises:
        TypeError: a float, a non-string key, an integer outside ±(2^53 - 1) or a lone surrogate.
    """
    plain = _check(value)
    # RFC 8785 §3.2.3 sorts keys by UTF-16 code units; for ASCII that is the order in which json sorts them itself
    ordered = value if plain else _sorted(value)
    return (_BY_KEY if plain else _AS_ORDERED).encode(ordered).encode("utf-8")


def decode(data: bytes, *, what: str) -> JSON:
    """Read JSON bytes that somebody else may have written; `what` names them in errors.

    Raises:
        TamperedError: not UTF-8, not JSON, a float, a duplicate key, an integer outside ±(2^53 - 1), a lone surrogate,
            or nested deeper than 32 levels.
    """
    try:
        value: JSON = _READER.decode(data.decode("utf-8"))
        _check(value)
    except (ValueError, TypeError, RecursionError) as problem:
        raise TamperedError(f"{what} is not canonical JSON: {problem}") from problem
    return value


def seems(data: bytes) -> object:
    """What JSON bytes seem to say, at a third of the cost; None where `json` can't tell.

    Worth something only to those who `encode` what they took from it and compare the bytes: whatever `decode` would refuse
    encodes to other bytes or not at all.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def sha256_hex(data: bytes) -> Digest:
    """SHA-256 of bytes as they are, for comparison with sha256sum."""
    return hashlib.sha256(data).hexdigest()


def domain_digest(domain: str, *parts: bytes) -> Digest:
    """SHA-256 over a prefix that says what is hashed, then each part behind its length.

    The prefix is ``attestore/<domain>/v1`` and a newline; a length is 8 bytes, big-endian. Two lists of parts
    never share an encoding.
    """
    state = hashlib.sha256(f"attestore/{domain}/v1\n".encode())
    for part in parts:
        state.update(len(part).to_bytes(8, "big"))
        state.update(part)
    return state.hexdigest()


def as_text(value: object) -> str:
    """A decoded value that must be text.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is not text")
    return value


def as_whole(value: object) -> int:
    """A decoded value that must be a whole number; true and false are none.

    Raises:
        TypeError: it isn't.
    """
    if type(value) is not int:
        raise TypeError(f"{value!r} is not a whole number")
    return value


def as_count(value: object) -> int:
    """A decoded value that must be a whole number from 0.

    Raises:
        TypeError: it isn't.
    """
    number = as_whole(value)
    if number < 0:
        raise TypeError(f"{value!r} is not a count")
    return number


def as_flag(value: object) -> bool:
    """A decoded value that must be true or false.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is not true or false")
    return value


def as_list(value: object) -> list[object]:
    """A decoded value that must be an array.

    Raises:
        TypeError: it isn't.
    """
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def _check(value: object, depth: int = 0) -> bool:
    """Whether every key is ASCII; proofs of thousands of tables hold a million values, so most are told by one look."""
    if depth > _DEEPEST:
        raise TypeError(f"nested deeper than {_DEEPEST} levels")
    match value:
        case dict():
            for key in value:
                if type(key) is not str or not key.isascii():
                    _check_text(key)
            return _check_each(value.values(), depth) and all(map(str.isascii, value))
        case list():
            return _check_each(value, depth)
        case None | bool():
            return True
        case str():
            _check_text(value)
            return True
        case int():
            if abs(value) > _LARGEST:
                raise TypeError(f"integer {value} is outside ±(2^53 - 1)")
            return True
        case _:
            raise TypeError(f"{type(value).__name__} has no canonical form")


def _check_each(several: Collection[object], depth: int) -> bool:
    if several and depth == _DEEPEST:
        raise TypeError(f"nested deeper than {_DEEPEST} levels")
    plain = True
    for item in several:
        kind = type(item)
        if kind is str and item.isascii():  # type: ignore[attr-defined]
            continue
        if kind is bool or (kind is int and -_LARGEST <= item <= _LARGEST):  # type: ignore[operator]
            continue
        plain &= _check(item, depth + 1)
    return plain


def _check_text(text: object) -> None:
    if not isinstance(text, str):
        raise TypeError(f"key {text!r} is not a string")
    try:
        if not text.isascii():
            text.encode("utf-8")
    except UnicodeEncodeError as problem:
        raise TypeError(f"text is not valid Unicode: {problem.reason}") from problem


def _sorted(value: JSON) -> JSON:
    match value:
        case dict():
            return {key: _sorted(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
        case list():
            return [_sorted(item) for item in value]
        case _:
            return value


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    seen: dict[str, JSON] = {}
    for key, value in pairs:
        if key in seen:
            raise ValueError(f"key {key!r} appears twice")
        seen[key] = value
    return seen


def _refuse(literal: str) -> NoReturn:
    raise ValueError(f"{literal} is not an integer")


# made once: json makes a new one for every call that asks for more than the usual
_READER = json.JSONDecoder(object_pairs_hook=_unique, parse_float=_refuse, parse_constant=_refuse)
_BY_KEY, _AS_ORDERED = (
    json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, sort_keys=by_key)
    for by_key in (True, False)
)
