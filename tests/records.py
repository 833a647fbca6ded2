"""Records to export: the cases of the reports' tests, each with a statement that lists its files."""

from __future__ import annotations

from attestore import canon
from attestore.evidence import Journal, Person, journal, statement
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.evidence.statement import FileRecord, GateOutcome
from attestore.report import Case
from attestore.report.exports import Record

__all__ = ["record_of"]


def record_of(case: Case, *, words: tuple[str, ...] = ()) -> Record:
    """The case as it would be read from its bundle; with `words`, its last gate was waived in those words."""
    told = Journal(observations=case.observations, head=canon.sha256_hex(b"head"))
    names = [
        "context.json", "verdict.json", "summary.md", "proof.source.json", "proof.restored.json", "manifest.json",
        *(f"gates/{gate.id}.yaml" for gate in case.gates), *(f"{gate.id}.md" for gate in case.gates),
    ]  # fmt: skip
    files = [FileRecord(name, len(name), canon.sha256_hex(name.encode())) for name in names]
    files.append(FileRecord("journal.jsonl", 1, canon.sha256_hex(journal.GENESIS.encode())))
    made = statement.build(
        case.context,
        told,
        gates=[GateOutcome(v.gate, v.gate_digest, v.outcome.name) for v in case.verdicts],
        backup=None if case.manifest is None else (case.manifest.backup, case.manifest.digest),
        files=files,
    )
    text = statement.encode(made)
    return Record(case=case, statement=made, text=text, decisions=waived(made, words) if words else ())


def waived(told: statement.Statement, words: tuple[str, ...]) -> tuple[Decision, ...]:
    """A waiver of the last gate whose every free field is one of the words."""
    gate, (first, *_, last) = told.gates[-1], words
    return (
        Decision(
            run=told.run,
            statement=told.digest,
            gate=gate.gate,
            gate_digest=gate.digest,
            verdict=gate.outcome,
            person=Person(first, last, words, first),
            meaning=Meaning.WAIVED,
            comment=first,
            at="2026-11-23T08:00:00.000Z",
            waiver=Waiver(reason=last, control=first, until="2026-12-01T00:00:00.000Z"),
        ),
    )
