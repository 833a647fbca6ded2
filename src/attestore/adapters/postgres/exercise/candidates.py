"""Values that a rule about a column may forbid: the ends of its type, and what its own text mentions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from attestore.adapters.postgres.quoting import literal

__all__ = ["values"]

_MOST: Final = 60
_LONGEST: Final = 100_000

_TEXTS: Final = ("", " ", "~", "a", "A", "0", "-1", "attestore", "x@y", "\n", "\u00e9")
_NUMBERS: Final = ("0", "-1", "1", "-1000000", "1000000000")
_TIMES: Final = ("-infinity", "infinity", "0001-01-01", "9999-12-31", "1970-01-01", "2000-01-01")

_ENDS: Final[dict[str, tuple[str, ...]]] = {
    "int2": ("0", "-1", "1", "32766", "-32768"),
    "int4": ("0", "-1", "1", "2147483646", "-2147483648"),
    "int8": ("0", "-1", "1", "9223372036854775806", "-9223372036854775808"),
    "numeric": (*_NUMBERS, "0.5", "99", "NaN"),
    "float4": (*_NUMBERS, "0.5", "NaN", "Infinity", "-Infinity"),
    "float8": (*_NUMBERS, "0.5", "NaN", "Infinity", "-Infinity"),
    "money": ("0", "-1", "1000000"),
    "text": _TEXTS,
    "varchar": _TEXTS,
    "bpchar": _TEXTS,
    "name": _TEXTS,
    "citext": _TEXTS,
    "bool": ("f", "t"),
    "date": _TIMES,
    "timestamp": _TIMES,
    "timestamptz": _TIMES,
    "time": ("00:00", "24:00", "12:00"),
    "timetz": ("00:00+00", "24:00+00", "12:00+00"),
    "interval": ("0", "-1 day", "1000 years"),
    "uuid": ("ffffffff-ffff-4fff-bfff-fffffffffffe", "00000000-0000-0000-0000-000000000000"),
    "bytea": ("\\x", "\\x00", "\\xffffffff"),
    "json": ("null", "{}", "[]", "1", '"x"', "true", '{"attestore": 1}'),
    "jsonb": ("null", "{}", "[]", "1", '"x"', "true", '{"attestore": 1}'),
    "inet": ("1.1.1.1", "255.255.255.254", "::1", "10.0.0.0/8"),
    "cidr": ("0.0.0.0/0", "255.255.255.254/32", "::1/128", "10.0.0.0/8"),
    "macaddr": ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:fe"),
    "bit": ("0", "1"),
    "varbit": ("", "0", "1"),
    "int4range": ("empty", "[2147483000,2147483001)", "(,)"),
    "int8range": ("empty", "[9223372036854775000,9223372036854775001)", "(,)"),
    "numrange": ("empty", "[1000000000,1000000001)", "(,)"),
    "daterange": ("empty", "[9999-01-01,9999-01-02)", "(,)"),
    "tsrange": ("empty", "[9999-01-01,9999-01-02)", "(,)"),
    "tstzrange": ("empty", "[9999-01-01,9999-01-02)", "(,)"),
    "point": ("(0,0)", "(-1000000,1000000)"),
    "xml": ("", "<x/>"),
}  # fmt: skip

_WHOLE: Final = frozenset({"int2", "int4", "int8"})
_NUMERIC: Final = frozenset({"int2", "int4", "int8", "numeric", "float4", "float8", "money"})
_TEXTUAL: Final = frozenset({"text", "varchar", "bpchar", "name", "citext"})

_QUOTED: Final = re.compile(r"'((?:[^']|'')*)'")
_NUMBER: Final = re.compile(r"(?<![\w.'])-?\d{1,18}(?:\.\d{1,9})?(?![\w.])")


def values(base: str, *, rule: str = "", labels: tuple[str, ...] = ()) -> tuple[str, ...]:
    """SQL literals of a type (as `base` in the catalogue; arrays as `_base`) that `rule` may forbid, likely ones first.

    `labels` are those of an enumeration. Not every one is a value of the type: the server says so.
    """
    return tuple(dict.fromkeys(literal(value) for value in _values(base, rule, labels)))[:_MOST]


def _values(base: str, rule: str, labels: tuple[str, ...]) -> Iterator[str]:
    quoted = [text.replace("''", "'") for text in _QUOTED.findall(rule)]
    numbers = [number for number in _NUMBER.findall(_QUOTED.sub(" ", rule)) + quoted if _NUMBER.fullmatch(number)]
    if labels:
        yield from labels
    elif base in _NUMERIC:
        for number in dict.fromkeys(numbers):
            yield from _beside(number, whole=base in _WHOLE)
        yield from _ENDS[base]
    elif base in _TEXTUAL:
        yield from _TEXTS
        for number in dict.fromkeys(numbers):
            if number.isdigit() and int(number) < _LONGEST:
                yield from ("x" * (int(number) + 1), "x" * max(0, int(number) - 1), "x" * int(number))
        yield from (text + "~" for text in quoted)
        yield from quoted
        yield "x" * 1000
    elif base.startswith("_"):
        yield from ("{}", "{NULL}", "{NULL,NULL}")
        yield from (_array(value) for value in _ENDS.get(base.removeprefix("_"), ()))
    else:
        yield from _ENDS.get(base, ())
        yield from quoted


def _beside(number: str, *, whole: bool) -> Iterator[str]:
    """A number's neighbours, and itself: whichever side a bound forbids."""
    if "." in number:
        head = int(number.partition(".")[0])
        yield from (str(head - 1), str(head + 1), str(head + 2))
        if not whole:
            yield number
        return
    for step in (-1, 1, 0):
        yield str(int(number) + step)


def _array(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped + '"}'
