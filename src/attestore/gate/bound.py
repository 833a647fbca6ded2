"""What `must:` says: an operator and a bound, with the unit that the fact has."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attestore import instants
from attestore.facts import Fact, Kind, Value
from attestore.gate.model import Operator

__all__ = ["MUST", "bound", "split"]

_SIZE: Final = r"(0|[1-9][0-9]{0,11})(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)"
_COUNT: Final = r"(0|[1-9][0-9]{0,14})"
_ORDER: Final = r"(<=|>=|<|>|==|!=)"
_SAME: Final = r"(==|!=)"

MUST: Final = {
    Kind.DURATION: f"^{_ORDER} ?{instants.DURATION}$",
    Kind.SIZE: f"^{_ORDER} ?{_SIZE}$",
    Kind.COUNT: f"^{_ORDER} ?{_COUNT}$",
    Kind.FLAG: f"^{_SAME} ?(true|false)$",
    Kind.TEXT: rf"^{_SAME} ?\S.*$",
}
"""What `must:` looks like for each kind of fact; an instant cannot be bounded."""

_BYTES: Final = {
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_LARGEST: Final = 2**53 - 1
_EXAMPLE: Final = {
    Kind.DURATION: '"< 30m" (units ms, s, m, h, d; one whole number, one unit)',
    Kind.SIZE: '"< 10GiB" (units B, kB, MB, GB, TB, KiB, MiB, GiB, TiB)',
    Kind.COUNT: '"== 0" (a whole number without a unit)',
    Kind.FLAG: '"== true"',
    Kind.TEXT: '"== AES256"',
}


def split(must: str) -> tuple[Operator, str]:
    """The operator and what stands behind it.

    Raises:
        ValueError: no operator, or nothing behind it.
    """
    found = re.fullmatch(rf"{_ORDER}\s*(.*)", must.strip(), flags=re.DOTALL)
    if found is None:
        raise ValueError(f"{must!r} does not begin with one of <, <=, >, >=, ==, !=")
    operator, written = Operator(found.group(1)), found.group(2).strip()
    if not written:
        raise ValueError(f"{must!r} has nothing behind its operator")
    return operator, written


def bound(fact: Fact, operator: Operator, written: str) -> Value:
    """The bound in the fact's own unit: milliseconds, bytes, a count, true or false, text.

    Raises:
        ValueError: the unit is missing or of another kind, the operator makes no sense for the kind, or the
            comparison could never fail or never hold.
    """
    if fact.kind is Kind.INSTANT:
        raise ValueError(
            f"{fact.name} is an instant, which no bound fits; durations such as restore.rpo can be bounded"
        )
    if re.fullmatch(MUST[fact.kind], f"{operator.value} {written}") is None:
        raise ValueError(f"{fact.name} is a {fact.kind.value}: write it as {_EXAMPLE[fact.kind]}")
    value = _value(fact.kind, written)
    if isinstance(value, int) and not isinstance(value, bool):
        if value > _LARGEST:
            raise ValueError(f"{written} is larger than any {fact.kind.value} can be")
        _can_fail(fact, operator, value)
    return value


def _value(kind: Kind, written: str) -> Value:
    match kind:
        case Kind.DURATION:
            return _scaled(written, instants.MILLISECONDS)
        case Kind.SIZE:
            return _scaled(written, _BYTES)
        case Kind.COUNT:
            return int(written)
        case Kind.FLAG:
            return written == "true"
        case Kind.TEXT | Kind.INSTANT:
            return written


def _scaled(written: str, units: Mapping[str, int]) -> int:
    number = written.rstrip("BKMGTiskmhd")
    return int(number) * units[written.removeprefix(number)]


def _can_fail(fact: Fact, operator: Operator, value: int) -> None:
    """Durations, sizes and counts are never negative: `>= 0` always holds and `< 0` never does."""
    if value == 0 and operator is Operator.AT_LEAST:
        raise ValueError(f"{fact.name} >= 0 always holds, so the check could not fail")
    if value == 0 and operator is Operator.LESS:
        raise ValueError(f"{fact.name} < 0 never holds, so the check could not pass")
