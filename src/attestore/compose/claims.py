"""A bundle as what a report is held against: looked at for integrity first, and for its signatures where a roster is named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Final

from attestore.audit import audit, look
from attestore.audit.content import Evidence
from attestore.claims.record import Record
from attestore.compose.check import auditing
from attestore.errors import TamperedError, UsageError
from attestore.facts import FACTS, RTO_PHASES, Kind

__all__ = ["Opened", "evidence_of"]

_FACTS: Final = {
    "rows": ("rows.restored", "rows.expected"),
    "tables": ("tables.compared", "tables.expected"),
    "foreign keys": ("foreign_keys.checked",),
    "indexes": ("indexes.checked",),
    "database size": ("source.size",),
    "backup size": ("backup.size.sealed", "backup.size.plain"),
    "sequences": ("sequences.compared",),
}
_CLASSES: Final = {
    "indexes": "index", "constraints": "constraint", "triggers": "trigger", "functions": "function", "views": "view", "sequences": "sequence",
    "extensions": "extension",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle's record, and how far it is to be believed."""

    record: Record
    trusted: bool
    sentence: str


def evidence_of(folder: Path, *, roster: Path | None) -> Opened:
    """The record of a bundle whose bytes are those that its own lists name.

    Raises:
        UsageError: there is no such folder.
        TamperedError: it isn't whole, or its signatures are not those of the roster.
    """
    if not folder.is_dir():
        raise UsageError(f"there is no bundle {folder}", hint="Name the folder of one run: reports/RUN.")
    evidence, found = look(folder)
    if found.problems:
        first = found.problems[0]
        raise TamperedError(
            f"{folder} is not whole: {first.subject}: {first.sentence}",
            hint=f"See everything that is wrong with it: attestore audit {folder}",
        )
    if roster is None:
        sentence = "Its bytes are those that it lists itself; who signed it is not known without --roster."
        return Opened(_record(folder.resolve().name, evidence), trusted=False, sentence=sentence)
    with auditing(roster) as trust:
        told = audit(folder, roster=trust.roster, verifier=trust.verifier, at=trust.clock.now())
    if told.problems:
        raise TamperedError(
            f"{folder} is not to be trusted: {told.problems[0].sentence}",
            hint=f"See all: attestore audit {folder} --roster {roster}",
        )
    return Opened(
        _record(folder.resolve().name, evidence),
        trusted=True,
        sentence=f"It is whole and signed by whom {roster} names.",
    )


def _record(run: str, evidence: Evidence) -> Record:
    observations = () if evidence.journal is None else evidence.journal.observations
    single = {o.fact: o.value for o in observations if not o.subject and type(o.value) is int}
    figures: dict[str, set[Fraction]] = {}
    for concept, facts in _FACTS.items():
        figures[concept] = {Fraction(single[fact]) for fact in facts if fact in single}
    for fact in (*(f"restore.{phase}" for phase in RTO_PHASES), "restore.rto"):
        if fact in single:
            figures["rto" if fact == "restore.rto" else fact] = {Fraction(single[fact], 1000)}
    for gate in evidence.gates:
        for check in gate.checks:
            if check.fact == "restore.rto" and type(check.bound) is int:
                figures.setdefault("rto target", set()).add(Fraction(check.bound, 1000))
    proof = evidence.restored or evidence.source
    rows: dict[str, int] = {}
    if proof is not None:
        kinds = Counter(each.klass for each in proof.objects)
        for concept, klass in _CLASSES.items():
            if kinds[klass]:
                figures.setdefault(concept, set()).add(Fraction(kinds[klass]))
        alone = Counter(table.name for table in proof.tables)
        rows = {f"{table.schema}.{table.name}": table.rows for table in proof.tables}
        rows |= {table.name: table.rows for table in proof.tables if alone[table.name] == 1}
    backup = "" if evidence.manifest is None else evidence.manifest.digest
    return Record(
        run=run,
        figures={concept: tuple(sorted(values)) for concept, values in figures.items() if values},
        rows=rows,
        digests=frozenset(_digests(evidence)),
        backup=backup,
        values={o.fact: o.value for o in observations if type(o.value) is int and FACTS[o.fact].kind is not Kind.FLAG},
    )


def _digests(evidence: Evidence) -> Iterator[str]:
    if evidence.manifest is not None:
        yield evidence.manifest.digest
        yield evidence.manifest.proof_digest
        yield evidence.manifest.key_commitment
        for part in evidence.manifest.parts:
            yield part.digest
            yield part.plain_digest
    yield from (gate.digest for gate in evidence.gates)
    if evidence.journal is not None:
        yield evidence.journal.head
        for observation in evidence.journal.observations:
            if isinstance(observation.value, str) and len(observation.value) == 64:  # noqa: PLR2004  a SHA-256
                yield observation.value
