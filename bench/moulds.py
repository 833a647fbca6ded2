"""Reports folders of very many runs, each as large as one of the demo; what all of them share lies on the disk once.

A run is moulded after the golden archive and sealed anew, but for its signatures; for runs whose every signature is real,
see `signed`.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from attestore import canon, instants, verdict  # noqa: E402
from attestore.adapters.gpg import GpgSigner  # noqa: E402
from attestore.adapters.process import Runner  # noqa: E402
from attestore.adapters.workspace import TemporaryWorkspace  # noqa: E402
from attestore.archive.record import read_record  # noqa: E402
from attestore.compose import Settings  # noqa: E402
from attestore.compose.people import opened_home  # noqa: E402
from attestore.evidence import context, journal, ledger, statement, sums  # noqa: E402
from attestore.evidence.ledger import BackupStored, Entry, RunFinished, RunStarted  # noqa: E402
from attestore.evidence.statement import FileRecord, GateOutcome  # noqa: E402
from attestore.facts import Value  # noqa: E402
from attestore.report.exports import Record  # noqa: E402
from bundles import Draft, issue  # noqa: E402

__all__ = ["SYSTEMS", "Mould", "Pen", "begun"]

SYSTEMS = 10
_GOLDEN = next(path for path in (ROOT / "tests/archives/0.1.0/reports").iterdir() if path.is_dir())
_ANEW = ("journal.jsonl", "context.json", "verdict.json", "statement.json", "statement.json.asc", "SHA256SUMS", "SHA256SUMS.asc", "decisions", "revisions")  # fmt: skip


@dataclass
class Pen:
    """A real signer in the form that the tests' bundles are sealed with."""

    signer: GpgSigner
    home: Path
    """of its keys"""
    name: str = "bench"

    @property
    def fingerprint(self) -> str:
        """Of its key."""
        return self.signer.fingerprint

    def at(self, _: datetime) -> Pen:
        """A real signature is of now."""
        return self

    def sign(self, path: Path) -> Path:
        """The signature beside the file."""
        return self.signer.sign(path)


@contextmanager
def begun(folder: Path) -> Iterator[tuple[Path, Pen]]:
    """An empty reports folder beside a home of its own, and who signs there."""
    reports, home = folder / "reports", folder / ".attestore"
    reports.mkdir(parents=True)
    settings = Settings(
        reports=reports, home=home, stores=(), source="", backup="", system="", jobs=1, pg_bin=None, operator="Bench"
    )  # fmt: skip
    runner = Runner()
    with (
        TemporaryWorkspace(folder) as workspace,
        opened_home(settings, runner=runner, say=print, work=workspace.path) as mine,
    ):
        signer = GpgSigner(mine.keyring, mine.operator.fingerprint, runner=runner)
        yield reports, Pen(signer, mine.keyring.home.path)


class Mould:
    """Makes runs of a reports folder that differ from the golden one in journal, verdict, context and statement."""

    def __init__(self, folder: Path) -> None:
        self._record: Record = read_record(_GOLDEN)
        self._shared = folder / "mould"
        shutil.copytree(_GOLDEN, self._shared, ignore=shutil.ignore_patterns(*_ANEW))
        self._files = [
            FileRecord(path.relative_to(self._shared).as_posix(), path.stat().st_size, canon.sha256_hex(path.read_bytes()))
            for path in sorted(self._shared.rglob("*"))
            if path.is_file()
        ]  # fmt: skip

    def fill(self, reports: Path, count: int, *, by: str, bundles: int | None = None) -> None:
        """So many runs of `SYSTEMS` systems, the newest of today; only the newest `bundles` have one, default all."""
        entries: list[Entry] = []
        now = datetime.now(UTC)
        for number in range(count):
            start = now - timedelta(hours=8 * (count - number))
            system = f"system-{number % SYSTEMS:02d}"
            run = f"{instants.compact(start)}-{system}-{number:06x}"
            slower = 100_000 * 60 if number % 97 == 0 else number * 37 % 900
            folder = None if bundles is not None and count - number > bundles else reports / run
            entries += self._cast(folder, run=run, system=system, start=start, by=by, slower=slower)
        (reports / "ledger.jsonl").write_bytes(ledger.written(entries))

    def newest(self, reports: Path, *, pen: Pen, system: str, like: Draft | None = None, name: str = "newest") -> Path:
        """One more run of a system, sealed by a real signature and in the ledger."""
        start = datetime.now(UTC)
        draft = replace(
            like or Draft(),
            run=f"{instants.compact(start)}-{system}-{name}",
            system=system,
            start=start,
            gates=tuple(each.text for each in self._record.case.gates),
            pen=pen,  # type: ignore[arg-type]
            told=_told(self._record),
        )
        return issue(reports, draft)

    def _cast(
        self, folder: Path | None, *, run: str, system: str, start: datetime, by: str, slower: int
    ) -> list[Entry]:
        case = self._record.case
        longer = {"restore.data", "restore.rto"}
        shifted = tuple(
            replace(
                each,
                at=instants.text(start + timedelta(milliseconds=each.tick)),
                value=int(each.value) + slower if each.fact in longer else each.value,
            )
            for each in case.observations
        )
        about = replace(
            case.context, run=run, system=system, started=instants.text(start), ended=shifted[-1].at, history=()
        )
        verdicts = tuple(verdict.judge(each, shifted) for each in case.gates)
        digest = canon.sha256_hex(run.encode())
        if folder is not None:
            shutil.copytree(self._shared, folder, copy_function=os.link)
            written = journal.written(shifted)
            own = {
                "journal.jsonl": written,
                "context.json": context.encode(about),
                "verdict.json": verdict.encode(verdicts),
            }
            files = [*self._files, *(FileRecord(name, len(data), canon.sha256_hex(data)) for name, data in own.items())]
            made = statement.build(
                about,
                journal.read(written),
                gates=[GateOutcome(each.gate, each.gate_digest, each.outcome.name) for each in verdicts],
                backup=None if case.manifest is None else (case.manifest.backup, case.manifest.digest),
                files=sorted(files, key=lambda each: each.path),
            )
            made = replace(made, operator=by)
            digest = made.digest
            own["statement.json"] = statement.encode(made)
            own["SHA256SUMS"] = sums.build({each.path: each.digest for each in files})
            for name, data in own.items():
                (folder / name).write_bytes(data)
            for name in ("statement.json.asc", "SHA256SUMS.asc"):
                shutil.copy(_GOLDEN / name, folder / name)
        return [
            RunStarted(
                at=about.started,
                run=run,
                system=system,
                operator=by,
                gates=tuple((each.id, each.digest) for each in case.gates),
            ),
            BackupStored(about.ended, f"backup-of-{run}", system, canon.sha256_hex(run.encode()), run),
            RunFinished(about.ended, run, digest, tuple((each.gate, each.outcome.name) for each in verdicts)),
        ]


def _told(record: Record) -> Callable[[list[tuple[str, str, Value]]], list[tuple[str, str, Value]]]:
    """As much as a run of the demo tells, where it does not contradict the small bundle."""

    def told(facts: list[tuple[str, str, Value]]) -> list[tuple[str, str, Value]]:
        known = {(fact, subject) for fact, subject, _ in facts} | {("run.completed", "")}
        families = ("seal.", "store", "probe", "target.", "source.", "phase.")
        more = [
            (each.fact, each.subject, each.value)
            for each in record.case.observations
            if (each.fact, each.subject) not in known and each.fact.startswith(families)
        ]
        return [*facts[:-1], *more, facts[-1]]

    return told
