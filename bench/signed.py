"""Reports folders of very many small runs whose every signature is real, made on all processors; they pass their audit.

Each is what `issue` of the tests seals, by the same steps, but a hundred at a time: their starts lie in the ledger before the
first of them ends, as those of a hundred systems at the same hour would. What all runs have alike lies on the disk once.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from moulds import SYSTEMS, Pen

from attestore import canon, forecast, gate, instants, report, resources, verdict
from attestore.adapters.spread import spread
from attestore.archive import LedgerFile
from attestore.evidence import Observation, Past, context, journal, ledger, manifest, statement, sums
from attestore.evidence.ledger import BackupStored, Entry, Head, RunFinished, RunStarted
from attestore.evidence.statement import FileRecord, GateOutcome
from attestore.proof import encode as encode_proof
from attestore.report import Case
from bundles import Draft, carrier, context_of, facts, listing

__all__ = ["sealed"]

_ABREAST = 100
_SHOWN = 50
"""earlier runs that a report shows"""


def sealed(reports: Path, count: int, *, pen: Pen) -> list[Path]:
    """So many runs of `SYSTEMS` systems in turn, in a ledger under its checkpoint; their folders."""
    mould = _Mould(reports, pen=pen)
    folders: list[Path] = []
    past: dict[str, tuple[Past, ...]] = {}
    head = ledger.read(b"").head
    text: list[bytes] = []

    def told(entry: Entry) -> Head:
        nonlocal head
        text.append(ledger.line(entry, number=len(text) + 1, previous=head))
        head = ledger.link(text[-1])
        return Head(len(text), head)

    for first in range(0, count, _ABREAST):
        now = datetime.now(UTC)
        drafts = [mould.draft(number, start=now) for number in range(first, min(first + _ABREAST, count))]
        begun = [_Begun(each, told(mould.started(each)), past.get(each.system, ())) for each in drafts]
        for ended in spread(mould.seal, begun):
            for entry in ended.entries:
                told(entry)
            folders.append(reports / ended.past.run)
            past[ended.system] = (ended.past, *past.get(ended.system, ()))[:_SHOWN]
    (reports / "ledger.jsonl").write_bytes(b"".join(text))
    LedgerFile(reports).checkpoint(pen.signer, at=instants.text(datetime.now(UTC)))
    return folders


@dataclass(frozen=True, slots=True)
class _Begun:
    """A run that has started."""

    draft: Draft
    head: Head
    past: tuple[Past, ...]


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a run that was sealed tells the ledger and the reports of those after it."""

    system: str
    entries: tuple[BackupStored, RunFinished]
    past: Past


class _Mould:
    """Seals runs that differ in name, system and time."""

    def __init__(self, reports: Path, *, pen: Pen) -> None:
        self._reports, self._pen = reports, pen
        self._gates = tuple(gate.load(text, where="gate") for text in Draft().gates)
        files = report.load_templates(resources.templates_folder()).files()
        alike = {f"templates/{name}": text for name, text in files.items()}
        alike |= {f"gates/{each.id}.yaml": each.text for each in self._gates}
        self._templates = report.templates(dict(files))
        self._alike = reports.parent / "alike"
        for name, data in alike.items():
            _write(self._alike, name, data)

    def draft(self, number: int, *, start: datetime) -> Draft:
        """The run of that number, a few milliseconds after the one before."""
        system = f"system-{number % SYSTEMS:02d}"
        begun = start + timedelta(milliseconds=number % _ABREAST)
        run = f"{instants.compact(begun)}-{system}-{number:06x}"
        return Draft(run=run, system=system, start=begun, pen=self._pen)  # type: ignore[arg-type]

    def started(self, draft: Draft) -> RunStarted:
        """Its first entry."""
        gates = tuple((each.id, each.digest) for each in self._gates)
        return RunStarted(draft.at(0), draft.run, draft.system, self._pen.fingerprint, gates)

    def seal(self, begun: _Begun) -> _Ended:
        """Its bundle, in the order of a real one."""
        draft, told = begun.draft, listing(begun.draft)
        folder = self._reports / draft.run
        shutil.copytree(self._alike, folder, copy_function=os.link)
        seen = _seen(draft)
        verdicts = tuple(verdict.judge(each, seen) for each in self._gates)
        about = context_of(draft, head=begun.head, ended=seen[-1].at, past=begun.past)
        case = Case(about, seen, draft.source, draft.restored, told, self._gates, verdicts)
        made = {
            "journal.jsonl": journal.written(seen),
            "proof.source.json": encode_proof(draft.source),
            "proof.restored.json": encode_proof(draft.restored),
            "manifest.json": manifest.encode(told),
            "verdict.json": verdict.encode(verdicts),
            "context.json": context.encode(about),
        }
        paper = carrier({**made, **{f"{each.id}.yaml": each.text for each in self._gates}})
        documents = {each.id: report.gate_document(case, each.id) for each in self._gates}
        documents["summary"] = report.summary_document(case)
        for name, document in documents.items():
            made |= {f"{name}.md": report.markdown(document, self._templates), f"{name}.pdf": paper}
        made["VERIFY.md"] = report.verify_page(case, self._templates)
        for name, data in made.items():
            _write(folder, name, data)
        self._sign(folder, [name for name in made if name == "manifest.json" or name.endswith((".md", ".pdf"))])
        sealing = statement.build(
            about,
            journal.read(made["journal.jsonl"]),
            gates=[GateOutcome(each.gate, each.gate_digest, each.outcome.name) for each in verdicts],
            backup=(told.backup, told.digest),
            files=_records(folder),
        )
        _write(folder, "statement.json", statement.encode(sealing))
        self._sign(folder, ["statement.json"])
        _write(folder, "SHA256SUMS", sums.build({each.path: each.digest for each in _records(folder)}))
        self._sign(folder, ["SHA256SUMS"])
        outcomes = tuple((each.gate, each.outcome.name) for each in verdicts)
        stored = BackupStored(draft.at(1100), told.backup, draft.system, told.digest, draft.run)
        finished = RunFinished(draft.at(1100), draft.run, sealing.digest, outcomes)
        return _Ended(draft.system, (stored, finished), _past(finished, seen))

    def _sign(self, folder: Path, names: list[str]) -> None:
        """All of them at a time, each by a gpg of its own, as every signature of a run is made."""
        words = ("gpg", "--homedir", str(self._pen.home), "--batch", "--quiet", "--no-options", "--lock-never", "--armor", "--digest-algo", "SHA256", "--local-user", self._pen.fingerprint, "--detach-sign")  # fmt: skip
        children = [os.posix_spawnp("gpg", (*words, str(folder / name)), os.environ) for name in names]
        ended = [os.waitpid(child, 0)[1] for child in children]
        if any(ended):
            raise SystemExit(f"gpg did not sign {folder}")


def _seen(draft: Draft) -> tuple[Observation, ...]:
    """What it observes; an RTO is told when it has passed."""
    told = facts(draft)
    ordered = [fact for fact, *_ in told].index("restore.ordered")
    ticks = [20 * number + (500 if number > ordered else 0) for number in range(len(told))]
    return tuple(Observation(draft.at(tick), tick, *each, "a test") for tick, each in zip(ticks, told, strict=True))


def _past(finished: RunFinished, seen: tuple[Observation, ...]) -> Past:
    """How later reports show it."""
    known = {each.fact: each.value for each in seen}
    (gate_id, outcome), *_ = finished.outcomes
    rto, size = int(known["restore.rto"]), int(known["backup.size.sealed"])
    return Past(finished.run, gate_id, finished.at, outcome, rto, size, forecast.measured(seen))


def _records(folder: Path) -> list[FileRecord]:
    return [
        FileRecord(path.relative_to(folder).as_posix(), path.stat().st_size, canon.sha256_hex(path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def _write(folder: Path, name: str, data: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
