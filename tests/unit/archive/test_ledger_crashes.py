"""A writer dies between any two writes, or two write at once: the ledger continues, and nobody is accused."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from attestore.archive import LedgerFile
from attestore.audit import Status
from attestore.evidence import Observation, ledger
from attestore.evidence.ledger import KeyChanged, RunStarted
from bundles import MIRA, TOMAS, Draft, audited, begin, finish

AT = "2026-03-01T02:00:00.000Z"
RUN = "20260301T020000Z-shop-0a1b"
CALLS = ("open", "write", "fsync", "link", "unlink", "replace", "rename", "ftruncate")


class DeadError(BaseException):
    """The process ends here."""


def dying(monkeypatch: pytest.MonkeyPatch, *, before: int) -> Callable[[], int]:
    """From now on the process dies before its n-th call that changes a disk; how many there were."""
    count = 0

    def wrapped(real: Callable[..., object]) -> Callable[..., object]:
        def call(*words: object, **more: object) -> object:
            nonlocal count
            count += 1
            if count > before:
                raise DeadError
            return real(*words, **more)

        return call

    for name in CALLS:
        monkeypatch.setattr(os, name, wrapped(getattr(os, name)))
    return lambda: count


def work(reports: Path) -> None:
    """Everything a run writes to the ledger, from its start to the end of its checkpoint."""
    file = LedgerFile(reports)
    keys = KeyChanged(AT, MIRA.fingerprint, "1" * 64, ("A" * 40,))
    file.begin(RunStarted(AT, RUN, "shop", MIRA.fingerprint, ()), keys=keys)
    file.checkpoint(MIRA, at=AT)
    file.append(ledger.BackupStored(AT, "b", "shop", "2" * 64, RUN))
    file.checkpoint(MIRA, at=AT)


def test_a_writer_that_dies_before_any_of_its_writes_leaves_a_ledger_that_continues(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every prefix of the writes, one by one; a signed end, once there is one, is never lost and never in doubt."""
    deaths = 0
    for before in range(1, 500):
        reports = tmp_path / str(before)
        reports.mkdir()
        LedgerFile(reports).append(ledger.BackupStored(AT, "first", "shop", "0" * 64, "r"))
        LedgerFile(reports).checkpoint(MIRA, at=AT)
        with monkeypatch.context() as patch:
            dying(patch, before=before)
            try:
                work(reports)
            except DeadError:
                deaths += 1
            else:
                break
        left = LedgerFile(reports).read().count
        lines = audited(reports).lines
        assert not [
            line
            for line in lines
            if line.check in {"ledger", "checkpoint", "signature"}
            and line.status is Status.PROBLEM
            and "never started" not in line.sentence
        ], lines
        assert any(line.sentence.startswith("The ledger holds the signed checkpoint") for line in lines)
        assert LedgerFile(reports).append(ledger.BackupStored(AT, "next", "shop", "3" * 64, "r")).count == left + 1
        LedgerFile(reports).checkpoint(MIRA, at=AT)
        point = ledger.decode_checkpoint((reports / "checkpoint").read_bytes())
        assert point.count == left + 1
        assert not [path.name for path in reports.iterdir() if path.name.startswith(".")]
        shutil.rmtree(reports)
    assert deaths > 20


def test_keys_are_told_once_and_again_when_they_change(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    for number, (roster, recipients) in enumerate((("1", "A"), ("1", "A"), ("2", "A"), ("2", "B"), ("2", "B"))):
        keys = KeyChanged(AT, "F" * 40, roster * 64, (recipients * 40,))
        file.begin(RunStarted(AT, f"r{number}", "shop", "F" * 40, ()), keys=keys)
    kinds = [type(entry) for entry in file.read().entries]
    assert kinds == [KeyChanged, RunStarted, RunStarted, KeyChanged, RunStarted, KeyChanged, RunStarted, RunStarted]


SCRIPT = """
import sys, time
from dataclasses import replace
from pathlib import Path
from attestore import gate, plan, resources
from attestore.plan import Job
from attestore.run import execute
from bundles import GLASS, MIRA, ROSTER, Press
from fakes import World

reports, work, run = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
gates = (gate.read(resources.gates_folder() / "S9-PROD-004.yaml"),)
made = World().tools(work)
who = replace(made.operator, id="mira", name="Mira", fingerprint=MIRA.fingerprint)
tools = replace(made, signer=MIRA, verifier=GLASS, printer=Press(), operator=who, roster=ROSTER)
while not (reports.parent / "go").exists():
    time.sleep(0.002)
for number in range(2):
    chosen = plan.make(Job.RUN, run=f"{run}{number}", system="gallery", gates=gates, jobs=1)
    execute(chosen, tools=tools, reports=reports)
"""


def test_two_processes_that_run_at_once_leave_one_whole_ledger(tmp_path: Path) -> None:
    tests = str(Path(__file__).parents[2])
    names = ("20260301T020000Z-gallery-aaaa0", "20260301T020000Z-gallery-bbbb0")
    running = []
    for name in names:
        work_folder = tmp_path / name
        work_folder.mkdir()
        words = [sys.executable, "-c", SCRIPT, str(tmp_path / "reports"), str(work_folder), name]
        running.append(
            subprocess.Popen(words, env={**os.environ, "PYTHONPATH": tests}, stderr=subprocess.PIPE, text=True)
        )
    (tmp_path / "go").touch()
    for process in running:
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
    findings = audited(tmp_path / "reports")
    assert findings.problems == ()
    assert any(line.sentence == "4 runs: 4 passed." for line in findings.lines)


def test_a_folder_of_a_run_that_died_before_its_first_entry_accuses_nobody(tmp_path: Path) -> None:
    bundle, head = begin(tmp_path, Draft())
    bundle.close()
    orphan = tmp_path / "20260301T030000Z-shop-dead"
    orphan.mkdir()
    (orphan / "journal.jsonl").touch()
    lines = [line for line in audited(tmp_path).lines if line.subject == orphan.name]
    assert [(line.status, line.check) for line in lines] == [(Status.NOTE, "completeness")]
    assert head.count == 1


def test_what_was_deleted_must_have_been_stored(tmp_path: Path) -> None:
    draft = Draft()
    bundle, head = begin(tmp_path, draft)
    bundle.observe(Observation(draft.at(5), 5, "run.system", "", "shop", "a test"))
    file = LedgerFile(tmp_path)
    file.append(ledger.BackupStored(draft.at(10), "one", "shop", "1" * 64, draft.run))
    file.append(ledger.BackupStored(draft.at(10), "two", "shop", "2" * 64, draft.run))
    for name, digest in (("one", "1"), ("two", "1"), ("three", "3"), ("one", "1")):
        file.append(
            ledger.BackupDeleted(draft.at(20), name, "shop", digest * 64, MIRA.fingerprint, "older than 35 days")
        )
    finish(tmp_path, bundle, replace(draft, closer=TOMAS), head=head)
    lines = audited(tmp_path).lines
    told = [line.sentence for line in lines if "delete" in line.sentence]
    assert told == [
        "Backup one was deleted 2026-03-01T02:00:00.020Z: older than 35 days",
        "Entry 5 deletes backup two by another digest than it had.",
        "Entry 6 deletes backup three, which is not stored before it.",
        "Entry 7 deletes backup one, which is not stored before it.",
    ]
