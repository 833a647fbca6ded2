from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from types import FrameType

import pytest

from attestore.archive import LedgerFile, unfinished
from attestore.errors import ArchiveError
from attestore.evidence import ledger
from attestore.evidence.ledger import BackupStored, Head, RunFinished, decode_checkpoint
from bundles import GLASS, MIRA, RUN, START, SYSTEM, Draft, begin, issue, past_of, proof

AT = "2026-03-01T02:00:00.000Z"


def entry(name: str) -> BackupStored:
    return BackupStored(AT, name, SYSTEM, "0" * 64, RUN)


def test_an_entry_is_in_the_file_when_append_returns(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path / "reports")
    assert file.read().count == 0
    heads = [file.append(entry(name)) for name in "abc"]
    known = ledger.read((tmp_path / "reports" / "ledger.jsonl").read_bytes())
    assert heads == [Head(count, known.head_at(count)) for count in (1, 2, 3)]
    assert file.read() == known


def test_it_continues_after_a_torn_line(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    file.append(entry("a"))
    with (tmp_path / "ledger.jsonl").open("ab") as torn:
        torn.write(b'{"at":"2026')
    assert file.read().torn
    assert file.append(entry("b")).count == 2
    assert file.read().entries == (entry("a"), entry("b"))
    assert not file.read().torn


def test_many_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from attestore.archive import LedgerFile
from attestore.evidence.ledger import BackupStored
for n in range(15):
    LedgerFile(Path(sys.argv[1])).append(BackupStored("2026-03-01T02:00:00.000Z", f"{sys.argv[2]}-{n}", "s", "", "r"))
"""
    writers = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), str(number)]) for number in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    told = [e.backup for e in LedgerFile(tmp_path).read().entries if isinstance(e, BackupStored)]
    for number in range(3):
        assert [name for name in told if name.startswith(f"{number}-")] == [f"{number}-{n}" for n in range(15)]


def test_a_writer_killed_at_any_moment_leaves_a_ledger_that_continues(tmp_path: Path) -> None:
    """Meanwhile it is read again and again: what is being written is never taken for what was tampered with."""
    script = """
import sys
from pathlib import Path
from attestore.archive import LedgerFile
from attestore.evidence.ledger import BackupStored
for n in range(2000):
    LedgerFile(Path(sys.argv[1])).append(BackupStored("2026-03-01T02:00:00.000Z", str(n), "s", "", "r"))
"""
    LedgerFile(tmp_path).append(entry("first"))
    for _ in range(3):
        before = LedgerFile(tmp_path).read().count
        child = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)])
        try:
            while LedgerFile(tmp_path).read().count < before + 20:
                assert child.poll() is None
        finally:
            child.kill()
            child.wait()
        head = LedgerFile(tmp_path).append(entry("next"))
        assert LedgerFile(tmp_path).read().head == head.digest


def test_a_changed_ledger_is_not_continued(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    file.append(entry("a"))
    file.append(entry("b"))
    path = tmp_path / "ledger.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"backup":"a"', b'"backup":"c"'))
    with pytest.raises(ArchiveError, match="cannot be continued") as caught:
        file.append(entry("d"))
    assert "attestore audit" in caught.value.hint
    assert path.stat().st_size == len(whole)


@pytest.mark.parametrize("kept", ["size", "time"])
def test_a_middle_that_was_changed_since_this_process_read_it_is_not_continued(tmp_path: Path, kept: str) -> None:
    """What was read once is known by every byte of it, not by the size or the time of a file."""
    file, path = LedgerFile(tmp_path), tmp_path / "ledger.jsonl"
    for name in "abc":
        file.append(entry(name))
    state, lines = path.stat(), path.read_bytes().split(b"\n")
    lines[1] = lines[1].replace(b'"backup":"b"', b'"backup":"x"' if kept == "size" else b'"backup":"xyz"')
    path.write_bytes(b"\n".join(lines))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(ArchiveError, match="cannot be continued"):
        file.append(entry("d"))
    path.write_bytes(ledger.written([entry(name) for name in "pqrs"]))
    assert file.append(entry("t")).digest == ledger.read(ledger.written([entry(name) for name in "pqrst"])).head


def test_what_this_process_has_read_of_a_ledger_it_does_not_read_again(tmp_path: Path) -> None:
    """Counted in calls, the same every time: a run appends and asks a dozen times."""

    def calls(length: int) -> int:
        path = tmp_path / str(length) / "ledger.jsonl"
        path.parent.mkdir()
        path.write_bytes(ledger.written([entry("a")] * length))
        file, count = LedgerFile(path.parent), 0
        file.read()

        def call(frame: FrameType, event: str, _: object) -> None:
            nonlocal count
            count += event == "call" and frame.f_code.co_filename == ledger.__file__

        before = sys.getprofile()
        sys.setprofile(call)
        try:
            file.append(entry("b"))
            file.checkpoint(MIRA, at=AT)
            file.append(entry("c"))
        finally:
            sys.setprofile(before)
        return count

    assert calls(3) == calls(300)


def test_a_ledger_behind_its_checkpoint_is_not_continued(tmp_path: Path) -> None:
    """Whoever cut the tail would otherwise have it hidden by the next run."""
    file = LedgerFile(tmp_path)
    file.append(entry("a"))
    one = (tmp_path / "ledger.jsonl").stat().st_size
    file.append(entry("b"))
    file.checkpoint(MIRA, at=AT)
    os.truncate(tmp_path / "ledger.jsonl", one)
    with pytest.raises(ArchiveError, match="does not reach its checkpoint of 2"):
        file.append(entry("c"))


def test_another_ledger_than_its_checkpoints_is_not_continued(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    file.append(entry("a"))
    file.checkpoint(MIRA, at=AT)
    (tmp_path / "ledger.jsonl").write_bytes(ledger.written([entry("b"), entry("c")]))
    with pytest.raises(ArchiveError, match="another ledger"):
        file.append(entry("d"))


def test_a_checkpoint_signs_count_and_head(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    for name in "ab":
        head = file.append(entry(name))
        assert file.checkpoint(MIRA, at=AT) == head
        point = decode_checkpoint((tmp_path / "checkpoint").read_bytes())
        assert (point.count, point.head, point.at) == (head.count, head.digest, AT)
        assert GLASS.verify((tmp_path / "checkpoint.asc").read_bytes(), tmp_path / "checkpoint") == MIRA.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint", "checkpoint.asc", "ledger.jsonl"]


def test_a_run_that_died_is_unfinished_and_one_that_lives_is_not(tmp_path: Path) -> None:
    issue(tmp_path)
    living, _ = begin(tmp_path, Draft(run="20260301T030000Z-shop-live"))
    died, head = begin(tmp_path, Draft(run="20260301T030000Z-shop-dead"))
    lost, _ = begin(tmp_path, Draft(run="20260301T030000Z-shop-lost"))
    died.close()
    lost.close()
    (lost.folder / "journal.jsonl").unlink()
    with living:
        ((started, at_start),) = unfinished(tmp_path)
    assert started.run == "20260301T030000Z-shop-dead"
    assert at_start == head


def test_history_is_told_by_the_ledger_newest_first(tmp_path: Path) -> None:
    issue(tmp_path)
    failed = Draft(
        run="20260301T030000Z-shop-2c3d", start=START + timedelta(hours=1), restored=proof("restored", rows=2)
    )
    folder = issue(tmp_path, failed)
    issue(tmp_path, Draft(run="20260301T040000Z-blog-1111", system="blog", start=START + timedelta(hours=2)))
    past = past_of(tmp_path, SYSTEM)
    assert [(p.run, p.gate, p.outcome, p.rto_ms, p.sealed_bytes) for p in past] == [
        (failed.run, "S9-PROD-004", "FAIL", 500, 10),
        (RUN, "S9-PROD-004", "PASS", 500, 10),
    ]
    (folder / "journal.jsonl").unlink()
    assert [(p.outcome, p.rto_ms) for p in past_of(tmp_path, SYSTEM)] == [("FAIL", None), ("PASS", 500)]
    assert [p.run for p in past_of(tmp_path, SYSTEM, limit=1)] == [failed.run]
    assert [p.run for p in past_of(tmp_path, SYSTEM, at=START + timedelta(minutes=30))] == [RUN]


def test_backups_alone_push_no_drill_out_of_the_history(tmp_path: Path) -> None:
    issue(tmp_path)
    file = LedgerFile(tmp_path)
    for number in range(3):
        run = f"20260302T0{number}0000Z-shop-{number:04x}"
        file.append(ledger.RunStarted(AT, run, SYSTEM, "A" * 40, ()))
        file.append(RunFinished(AT, run, "0" * 64, ()))
    assert [p.run for p in past_of(tmp_path, SYSTEM, limit=1)] == [RUN]


def test_no_ledger_is_no_history(tmp_path: Path) -> None:
    assert past_of(tmp_path, SYSTEM) == ()
    assert unfinished(tmp_path) == ()


def test_a_ledger_may_name_runs_that_are_no_folders(tmp_path: Path) -> None:
    file = LedgerFile(tmp_path)
    file.append(ledger.RunStarted(AT, "../../etc", SYSTEM, "A" * 40, ()))
    assert unfinished(tmp_path) == ()
    file.append(RunFinished(AT, "../../etc", "0" * 64, (("G", "PASS"),)))
    assert [p.rto_ms for p in past_of(tmp_path, SYSTEM)] == [None]
