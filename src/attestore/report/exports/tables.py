"""CSV for spreadsheets (RFC 4180): whatever comes from data stays text, and no cell starts a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, TypeAlias

from attestore.facts import FACTS
from attestore.report.exports.record import Record, judged, spoken
from attestore.report.words import visible

__all__ = ["What", "cell", "table"]

_Cell: TypeAlias = str | int

# full-width twins of these are read as the plain ones by some spreadsheets; the apostrophe keeps the defence reversible
_STARTS: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20", "\t", "\r", "\n", "'")


class What(Enum):
    """Which table; the value is what people type."""

    CHECKS = "checks"
    OBSERVATIONS = "observations"
    DIFFERENCES = "differences"
    DECISIONS = "decisions"


def table(record: Record, what: What) -> bytes:
    """One table of the record, UTF-8, CRLF, with a header line."""
    made = io.StringIO(newline="")
    writer = csv.writer(made, lineterminator="\r\n")
    writer.writerows([cell(value) for value in row] for row in _rows(record, what))
    return made.getvalue().encode("utf-8")


def _rows(record: Record, what: What) -> Iterator[Iterable[_Cell]]:
    match what:
        case What.CHECKS:
            return _checks(record)
        case What.OBSERVATIONS:
            return _observations(record)
        case What.DIFFERENCES:
            return _differences(record)
        case What.DECISIONS:
            return _decisions(record)


def cell(value: _Cell) -> _Cell:
    """A number as it is; text in which nothing hides, behind an apostrophe where a spreadsheet would compute it."""
    if isinstance(value, int):
        return value
    shown = visible(value)
    return f"'{shown}" if value.startswith(_STARTS) else shown


def _checks(record: Record) -> Iterator[Iterable[_Cell]]:
    yield (
        "run", "system", "gate", "gate title", "gate outcome", "check", "title", "outcome", "fact", "unit", "criterion",
        "observed", "compared", "reason", "started", "ended", "statement sha256",
    )  # fmt: skip
    case, told = record.case, record.statement
    for gate in case.gates:
        outcome = case.verdict(gate.id).outcome.name
        for line in judged(case, gate.id):
            yield (
                told.run, told.system, gate.id, gate.title, outcome, line.id, line.title, line.outcome.name, line.fact,
                FACTS[line.fact].kind.unit if line.fact in FACTS else "", f"must be {line.must}", spoken(line.observed),
                spoken(line.of), line.reason, told.started, told.ended, record.digest,
            )  # fmt: skip


def _observations(record: Record) -> Iterator[Iterable[_Cell]]:
    yield ("run", "line", "at", "tick ms", "fact", "subject", "value", "unit", "source")
    for number, seen in enumerate(record.case.observations, start=1):
        value: _Cell = seen.value
        if isinstance(value, bool):
            value = str(value).lower()
        unit = FACTS[seen.fact].kind.unit if seen.fact in FACTS else ""
        yield (record.statement.run, number, seen.at, seen.tick, seen.fact, seen.subject, value, unit, seen.source)


def _differences(record: Record) -> Iterator[Iterable[_Cell]]:
    """Where there are not two proofs, a line that says so: an empty table would read as equality."""
    yield ("run", "subject", "kind", "what", "source", "restored")
    case, run = record.case, record.statement.run
    if case.comparison is None:
        yield (run, "", "", "not compared: the run did not come to two proofs", "", "")
        return
    for each in case.comparison.differences:
        yield (run, each.subject, each.kind, each.what, each.source, each.restored)


def _decisions(record: Record) -> Iterator[Iterable[_Cell]]:
    yield (
        "run", "gate", "verdict", "meaning", "person", "name", "roles", "key", "at", "comment", "waived until",
        "reason", "compensating control",
    )  # fmt: skip
    for each in record.decisions:
        waiver = each.waiver
        yield (
            each.run, each.gate, each.verdict, each.meaning.value, each.person.id, each.person.name,
            ", ".join(each.person.roles), each.person.fingerprint, each.at, each.comment,
            *((waiver.until, waiver.reason, waiver.control) if waiver is not None else ("", "", "")),
        )  # fmt: skip
