"""A site of very many runs: how long a build takes, how large the index is, how much memory it needs.

    .venv/bin/python bench/site.py [RUNS [FOLDER]]

FOLDER is filled where it is not there yet, and kept, so that what is timed can be started when the machine is quiet.
Every run is as large as one of the demo: its journal, proofs, gates, reports and PDFs are those of the golden archive, each under
a run of its own. The newest run of each system is signed by a real gpg; that is what standings rest on.
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
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
from attestore.evidence import Journal, context, journal, ledger, statement, sums  # noqa: E402
from attestore.evidence.ledger import BackupStored, Entry, RunFinished, RunStarted  # noqa: E402
from attestore.evidence.statement import FileRecord, GateOutcome  # noqa: E402
from attestore.facts import Value  # noqa: E402
from attestore.report.exports import Record  # noqa: E402
from bundles import Draft, issue  # noqa: E402

SYSTEMS = 10
MOULD = next(path for path in (ROOT / "tests/archives/0.1.0/reports").iterdir() if path.is_dir())
SEALED = ("journal.jsonl", "context.json", "statement.json", "statement.json.asc", "SHA256SUMS", "SHA256SUMS.asc", "decisions", "revisions")  # fmt: skip


@dataclass
class Pen:
    """A real signer in the form that the tests' bundles are sealed with."""

    signer: GpgSigner
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


def cast(  # noqa: PLR0913
    reports: Path, record: Record, *, run: str, system: str, start: datetime, by: str, slower: int
) -> list[Entry]:
    """One more run, moulded after the golden one and sealed anew but for the signatures; its entries of the ledger."""
    folder = reports / run
    shutil.copytree(MOULD, folder, ignore=shutil.ignore_patterns(*SEALED))
    longer = {"restore.data", "restore.rto"}
    shifted = tuple(
        replace(
            each,
            at=instants.text(start + timedelta(milliseconds=each.tick)),
            value=int(each.value) + slower if each.fact in longer else each.value,
        )
        for each in record.case.observations
    )
    written = journal.written(shifted)
    told: Journal = journal.read(written)
    about = replace(
        record.case.context, run=run, system=system, started=instants.text(start), ended=shifted[-1].at, history=()
    )
    (folder / "journal.jsonl").write_bytes(written)
    (folder / "context.json").write_bytes(context.encode(about))
    verdicts = tuple(verdict.judge(each, told.observations) for each in record.case.gates)
    (folder / "verdict.json").write_bytes(verdict.encode(verdicts))
    files = [
        FileRecord(path.relative_to(folder).as_posix(), path.stat().st_size, canon.sha256_hex(path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    manifest = record.case.manifest
    made = statement.build(
        about,
        told,
        gates=[GateOutcome(each.gate, each.gate_digest, each.outcome.name) for each in verdicts],
        backup=None if manifest is None else (manifest.backup, manifest.digest),
        files=files,
    )
    made = replace(made, operator=by)
    (folder / "statement.json").write_bytes(statement.encode(made))
    (folder / "SHA256SUMS").write_bytes(sums.build({each.path: each.digest for each in files}))
    for name in ("statement.json.asc", "SHA256SUMS.asc"):
        shutil.copy(MOULD / name, folder / name)
    gates = tuple((each.id, each.digest) for each in record.case.gates)
    outcomes = tuple((each.gate, each.outcome.name) for each in verdicts)
    return [
        RunStarted(at=about.started, run=run, system=system, operator=by, gates=gates),
        BackupStored(about.ended, f"backup-of-{run}", system, canon.sha256_hex(run.encode()), run),
        RunFinished(about.ended, run, made.digest, outcomes),
    ]


def fill(folder: Path, count: int) -> Path:
    """A reports folder with so many runs of ten systems, one every eight hours, the newest of today."""
    reports, home = folder / "reports", folder / ".attestore"
    reports.mkdir()
    record = read_record(MOULD)
    now = datetime.now(UTC)
    settings = Settings(
        reports=reports, home=home, stores=(), source="", backup="", system="", jobs=1, pg_bin=None, operator="Bench"
    )  # fmt: skip
    runner = Runner()
    with (
        TemporaryWorkspace(folder) as workspace,
        opened_home(settings, runner=runner, say=print, work=workspace.path) as mine,
    ):
        pen = Pen(GpgSigner(mine.keyring, mine.operator.fingerprint, runner=runner))
        entries: list[Entry] = []
        for number in range(count - SYSTEMS):
            start = now - timedelta(hours=8 * (count - number))
            system = f"system-{number % SYSTEMS:02d}"
            run = f"{instants.compact(start)}-{system}-{number:06x}"
            slower = 100_000 * 60 if number % 97 == 0 else number * 37 % 900
            entries += cast(reports, record, run=run, system=system, start=start, by=pen.fingerprint, slower=slower)
        (reports / "ledger.jsonl").write_bytes(ledger.written(entries))
        for number in range(SYSTEMS):
            start = datetime.now(UTC)
            draft = Draft(
                run=f"{instants.compact(start)}-system-{number:02d}-newest",
                system=f"system-{number:02d}",
                start=start,
                gates=tuple(each.text for each in record.case.gates),
                pen=pen,  # type: ignore[arg-type]
                told=_told(record),
            )
            issue(reports, draft)
    return reports


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


def build(folder: Path) -> tuple[float, float, int]:
    """Seconds, seconds of processor time (gpg's included), and peak memory of one `attestore site`."""
    began = time.monotonic()
    child = os.posix_spawn(
        sys.executable,
        [
            sys.executable,
            "-m",
            "attestore",
            "site",
            "--reports",
            str(folder / "reports"),
            "--home",
            str(folder / ".attestore"),
        ],
        {**os.environ, "NO_COLOR": "1"},
    )
    _, status, used = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit("attestore site failed")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss


def main() -> None:
    """Fill, build three times from nothing, once again over what is there, and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(name) / "archive"  # noqa: PLR2004
        reports = folder / "reports"
        if not folder.exists():
            folder.mkdir()
            fill(folder, count)
        first: list[float] = []
        busy: list[float] = []
        peak = 0
        for _ in range(int(os.environ.get("BENCH_ROUNDS", "3"))):
            shutil.rmtree(reports / "_site", ignore_errors=True)
            (reports / "index.html").unlink(missing_ok=True)
            seconds, processor, used = build(folder)
            first.append(seconds)
            busy.append(processor)
            peak = max(peak, used)
        again, _, _ = build(folder)
        pages = [reports / "index.html", *(reports / "_site").rglob("*.html")]
        size = sum(page.stat().st_size for page in pages)
        print("| runs | pages | from nothing | of it processor | again | index | all pages | peak memory |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        print(
            f"| {count:,} | {len(pages):,} | {statistics.median(first):.1f} s ({min(first):.1f}–{max(first):.1f}) | {statistics.median(busy):.1f} s | {again:.1f} s | "
            f"{(reports / 'index.html').stat().st_size / 1000:.0f} kB | {size / 1e6:.0f} MB | {peak / 1024:.0f} MiB |"
        )


if __name__ == "__main__":
    main()
