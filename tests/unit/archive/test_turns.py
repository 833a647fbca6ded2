"""Who is at work: one at a time, seen by other processes, and gone with whoever held it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from attestore.archive import in_use, turn, using, withdrawing
from attestore.errors import BusyError

SINCE = "2026-03-01T02:00:00.000Z"

HOLDER = """
import sys
from pathlib import Path
from attestore.archive import turn, using, withdrawing

what, reports = sys.argv[1], Path(sys.argv[2])
held = {
    "turn": lambda: turn(reports, "shop", "backup", since="2026-03-01T02:00:00.000Z"),
    "using": lambda: using(reports, "shop", "b1"),
    "withdrawing": lambda: withdrawing(reports, "shop", "b1"),
}[what]()
with held:
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another(what: str, reports: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, what, str(reports)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_is_told_who_is_at_it_and_a_dead_one_holds_nothing(tmp_path: Path) -> None:
    with another("turn", tmp_path) as process:
        with (
            pytest.raises(BusyError) as caught,
            turn(tmp_path, "shop", "backup", since=SINCE),
        ):
            pytest.fail("two at once")
        assert caught.value.message == (
            f"another backup of shop is under way (process {process.pid}, since 2026-03-01T02:00:00.000Z)"
        )
        with turn(tmp_path, "shop", "drill", since=SINCE), turn(tmp_path, "wiki", "backup", since=SINCE):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
        with turn(tmp_path, "shop", "backup", since=SINCE):
            pass


def test_what_another_process_uses_is_not_withdrawn_until_it_ends_or_dies(tmp_path: Path) -> None:
    with another("using", tmp_path) as process:
        assert in_use(tmp_path, "shop", "b1")
        assert not in_use(tmp_path, "shop", "b2")
        with using(tmp_path, "shop", "b1"), pytest.raises(BusyError), withdrawing(tmp_path, "shop", "b1"):
            pytest.fail("it is in use")
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=30)
    assert not in_use(tmp_path, "shop", "b1")
    with withdrawing(tmp_path, "shop", "b1"):
        assert in_use(tmp_path, "shop", "b1")
    assert list(tmp_path.iterdir()) == [], "a backup that is gone leaves no lock behind"


def _has_opened(process: subprocess.Popen[str], folder: Path) -> bool:
    """Whether the process has a file of that folder open."""
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            if link.readlink().is_relative_to(folder):
                return True
    return False


def test_whoever_waits_for_a_deletion_holds_a_lock_that_the_next_deletion_sees(tmp_path: Path) -> None:
    """The file it waited for has lost its name; it must not believe that it holds the one of that name."""
    with another("withdrawing", tmp_path) as deleting, subprocess.Popen(
        [sys.executable, "-c", HOLDER, "using", str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as waiting:  # fmt: skip
        assert deleting.stdin is not None
        while not _has_opened(waiting, tmp_path):
            assert waiting.poll() is None
        deleting.stdin.close()
        assert waiting.stdout is not None
        assert waiting.stdout.readline() == "held\n"
        assert in_use(tmp_path, "shop", "b1")
        waiting.kill()


def test_a_name_that_can_t_be_a_file_s_is_still_one_lock(tmp_path: Path) -> None:
    name = "../../etc/passwd\n| PASS"
    with (
        turn(tmp_path, name, "backup", since=SINCE),
        pytest.raises(BusyError),
        turn(tmp_path, name, "backup", since=SINCE),
    ):
        pytest.fail("two at once")
    assert [path.parent for path in tmp_path.rglob("*")] == [tmp_path]


def test_what_somebody_else_wrote_into_a_lock_is_not_repeated(tmp_path: Path) -> None:
    with turn(tmp_path, "shop", "backup", since=SINCE):
        (path,) = tmp_path.iterdir()
        path.write_text("\x1b[2Jpwned")
        with pytest.raises(BusyError, match=r"^another backup of shop is under way$"), turn(
            tmp_path, "shop", "backup", since=SINCE
        ):  # fmt: skip
            pytest.fail("two at once")


def test_where_there_are_no_reports_nobody_prunes_and_nothing_is_made(tmp_path: Path) -> None:
    with using(tmp_path / "none", "shop", "b1"):
        assert not (tmp_path / "none").exists()
