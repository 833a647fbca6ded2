from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from attestore.archive import Bundle, is_running, read_bundle
from attestore.archive.opened import inspect
from attestore.errors import ArchiveError, DiskError, TamperedError
from attestore.evidence import Observation, journal, sums

RUN = "20260301T020000Z-shop-0a1b"


def seen(number: int) -> Observation:
    return Observation("2026-03-01T02:00:00.000Z", number, "restore.rto", "", number, "a test")


def test_a_line_is_in_the_file_when_observe_returns(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        for number in range(3):
            bundle.observe(seen(number))
            told = journal.read((tmp_path / RUN / "journal.jsonl").read_bytes())
            assert told.observations[-1] == seen(number)
            assert bundle.journal() == told


def test_a_bundle_is_never_made_twice(tmp_path: Path) -> None:
    Bundle.create(tmp_path, RUN).close()
    with pytest.raises(ArchiveError, match="is there already"):
        Bundle.create(tmp_path, RUN)


@pytest.mark.parametrize("run", ["", ".", "..", "a/b", "../a", "a b", ".hidden", "a\n", "x" * 200])
def test_a_run_is_named_plainly(run: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="name a run"):
        Bundle.create(tmp_path / "reports", run)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        path = bundle.write("verdict.json", b"first")
        with pytest.raises(ArchiveError, match="nothing in an archive is replaced"):
            bundle.write("verdict.json", b"second")
        assert path.read_bytes() == bundle.read("verdict.json") == b"first"
        assert bundle.has("verdict.json")
        assert not bundle.has("context.json")
        assert bundle.files() == ("journal.jsonl", "verdict.json")


@pytest.mark.parametrize(
    "name",
    [
        "journal.jsonl",
        "proof.source.json",
        "proof.restored.json",
        "gates/S9-PROD-004.yaml",
        "verdict.json",
        "S9-PROD-004.md",
        "S9-PROD-004.md.asc",
        "S9-PROD-004.pdf",
        "S9-PROD-004.pdf.asc",
        "context.json",
        "templates/report.md.j2",
        "templates/fonts/a.otf",
        "logs/pg_restore.1.log",
        "manifest.json",
        "manifest.json.asc",
        "summary.md",
        "statement.json",
        "statement.json.asc",
        "SHA256SUMS",
        "SHA256SUMS.asc",
        "VERIFY.md",
    ],
)
def test_the_files_of_the_design_are_allowed(name: str, tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        assert bundle.path(name) == tmp_path / RUN / name


@pytest.mark.parametrize(
    "name",
    ["", "x", "../x", "/x", "logs/../verdict.json", "logs/", "logs//x", "gates/x.yml", "gates/a/b.yaml", "logs/.x",
     "proof.other.json", "verdict.json.asc", "verdict.json\n", "S9-PROD-004.html", "decisions/x.json"],
)  # fmt: skip
def test_a_bundle_has_no_other_files(name: str, tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle, pytest.raises(ValueError, match="no file called"):
        bundle.write(name, b"")


def test_a_folder_that_cannot_be_made_is_said_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "reports").write_bytes(b"a file")
    with pytest.raises(DiskError, match="cannot be written") as caught:
        Bundle.create(tmp_path / "reports", RUN)
    assert "--reports" in caught.value.hint


@pytest.mark.parametrize("several", [(1,), (1, 2)], ids=["one line", "two lines, the first of which has room"])
def test_a_full_disk_leaves_the_journal_whole(several: tuple[int, ...], tmp_path: Path) -> None:
    """A limit on file size stands for the full disk: the kernel refuses the rest of the last line."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from attestore.archive import Bundle
from attestore.errors import DiskError
from attestore.evidence import Observation
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
bundle = Bundle.create(Path(sys.argv[1]), {RUN!r})
line = lambda n: Observation("2026-03-01T02:00:00.000Z", n, "restore.rto", "", n, "a test")
bundle.observe(line(0))
size = (bundle.folder / "journal.jsonl").stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, ({len(several)} * size + 20, resource.RLIM_INFINITY))
try:
    bundle.observe(*map(line, {several!r}))
except DiskError as problem:
    print(problem.message)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
bundle.observe(line(3), line(4))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot be written" in done.stdout
    told = journal.read((tmp_path / RUN / "journal.jsonl").read_bytes())
    assert [o.tick for o in told.observations] == [0, 3, 4]


class TickError(Exception):
    """An interrupt, at whatever instant it comes."""


@pytest.mark.parametrize("together", [1, 7])
def test_an_interrupt_at_any_instant_leaves_a_journal_that_continues(together: int, tmp_path: Path) -> None:
    """A signal handler may raise between the write of lines and our note of them: all of a write are there, or none."""

    def interrupt(*_: object) -> None:
        raise TickError

    before = signal.signal(signal.SIGALRM, interrupt)
    interrupted = 0
    try:
        with Bundle.create(tmp_path, "run") as bundle:
            for number in range(300):
                with contextlib.suppress(TickError):
                    try:
                        signal.setitimer(signal.ITIMER_REAL, 0.00005 * (1 + number % 20))
                        bundle.observe(*[seen(number)] * together)
                    except TickError:
                        interrupted += 1
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)
            told = bundle.journal().observations
    finally:
        signal.signal(signal.SIGALRM, before)
    assert interrupted > 0
    ticks = [each.tick for each in told]
    assert ticks == sorted(ticks)
    assert 300 - interrupted <= len(set(ticks)) <= 300
    assert {ticks.count(each) for each in ticks} == {together}


def test_a_live_run_is_told_from_a_dead_one(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN):
        assert is_running(tmp_path, RUN)
        with pytest.raises(ArchiveError, match="still in progress"):
            Bundle.reopen(tmp_path, RUN)
    assert not is_running(tmp_path, RUN)
    assert not is_running(tmp_path, "never-was")


def test_a_killed_process_lets_its_run_go(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from attestore.archive import Bundle\n"
        f"bundle = Bundle.create(Path(sys.argv[1]), {RUN!r}); print('ready', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        assert is_running(tmp_path, RUN)
        child.kill()
        child.wait()
    assert not is_running(tmp_path, RUN)


def test_a_dead_run_continues_after_its_torn_line(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.observe(seen(0))
        bundle.write("gates/S9-PROD-004.yaml", b"gate")
        bundle.write("verdict.json", b"half a sealing")
        bundle.write("S9-PROD-004.md", b"half a sealing")
    path = tmp_path / RUN / "journal.jsonl"
    with path.open("ab") as file:
        file.write(b'{"at":"2026')
    (tmp_path / RUN / ".context.json.unfinished").write_bytes(b"{")
    with Bundle.reopen(tmp_path, RUN) as bundle:
        assert bundle.files() == ("gates/S9-PROD-004.yaml", "journal.jsonl")
        bundle.observe(seen(1))
        assert bundle.journal().observations == (seen(0), seen(1))


def test_a_bundle_that_is_gone_cannot_be_reopened(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="is gone"):
        Bundle.reopen(tmp_path, RUN)


def test_a_journal_that_somebody_changed_is_not_continued(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.observe(seen(0))
        path = tmp_path / RUN / "journal.jsonl"
        path.write_bytes(path.read_bytes().replace(b'"value":0', b'"value":1') + b"\n")
        with pytest.raises(TamperedError):
            bundle.journal()
    with pytest.raises(TamperedError):
        Bundle.reopen(tmp_path, RUN)


def test_a_journal_that_was_cut_behind_its_back_is_refused(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.observe(seen(0))
        os.truncate(tmp_path / RUN / "journal.jsonl", 0)
        with pytest.raises(ArchiveError, match="changed by somebody else"):
            bundle.journal()


def test_a_line_that_the_run_never_wrote_is_refused_though_it_follows_from_the_last(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.observe(seen(0))
        known = bundle.journal()
        with (tmp_path / RUN / "journal.jsonl").open("ab") as file:
            file.write(journal.line(seen(1), number=2, previous=known.head))
        with pytest.raises(ArchiveError, match="changed by somebody else"):
            bundle.observe(seen(2))


def test_sha256sum_accepts_the_sums_of_a_bundle(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.observe(seen(0))
        for name in ("statement.json", "statement.json.asc", "logs/pg_dump.log"):
            bundle.write(name, name.encode())
        path = bundle.write("SHA256SUMS", bundle.sums())
        assert set(sums.parse(path.read_bytes())) == set(bundle.files()) - {"SHA256SUMS"}
        stated = {record.path: record.size for record in bundle.statement_files()}
    assert stated == {"journal.jsonl": (tmp_path / RUN / "journal.jsonl").stat().st_size, "logs/pg_dump.log": 16}
    subprocess.run(["sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS"], cwd=tmp_path / RUN, check=True)


def test_a_file_that_changes_between_two_looks_is_refused(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        bundle.write("verdict.json", b"12345")
        contents = read_bundle(bundle.folder)
        contents.path("verdict.json").write_bytes(b"123456")
        for look in (contents.read, contents.digest):
            with pytest.raises(TamperedError, match="changed while it was read"):
                look("verdict.json")
        contents.path("verdict.json").unlink()
        contents.path("verdict.json").symlink_to("/etc/hostname")
        with pytest.raises(TamperedError, match="cannot be opened"):
            contents.read("verdict.json")
        with pytest.raises(TamperedError, match="is missing"):
            contents.read("context.json")


def test_a_link_in_a_bundle_stops_its_opening(tmp_path: Path) -> None:
    with Bundle.create(tmp_path, RUN) as bundle:
        (bundle.folder / "VERIFY.md").symlink_to("/etc/hostname")
        with pytest.raises(TamperedError, match=r"VERIFY\.md: is a symbolic link"):
            read_bundle(bundle.folder)


def test_too_many_files_are_not_counted_to_the_end(tmp_path: Path) -> None:
    for number in range(9):
        (tmp_path / f"G{number}.md").write_bytes(b"")
    contents, flaws = inspect(tmp_path, most=3)
    assert len(contents.sizes) == 3
    assert "more than 3 files" in flaws[0].why


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be read"):
        read_bundle(tmp_path / "nowhere")
