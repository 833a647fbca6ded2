"""The one door for programmes: what goes in, what comes out, and that nothing is left behind."""

from __future__ import annotations

import os
import pwd
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.process import PIPE, Asked, Runner
from attestore.adapters.redacted import redact
from attestore.errors import DiskError, InterruptedRunError, MissingProgramError, ProgramFailedError


def sh(script: str) -> list[str]:
    return ["sh", "-c", script]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def await_that(condition: Callable[[], bool], *, seconds: float = 10) -> bool:
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.01)
    return True


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@contextmanager
def interrupted(after_s: float) -> Iterator[None]:
    """A signal handler raises in the main thread, as it does for Ctrl-C."""

    def handler(*_: object) -> None:
        raise InterruptedRunError("SIGALRM")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, after_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ── what goes in, what comes out


def test_both_streams_are_drained_however_much_is_written_to_either() -> None:
    """Reading one to its end before the other hangs at the 64 kB of a pipe."""
    ended = Runner().run(sh("head -c 200000 /dev/zero >&2; head -c 300000 /dev/zero; echo end >&2"), deadline_s=20)
    assert len(ended.stdout) == 300_000
    assert ended.stderr.endswith(b"end\n")
    assert len(ended.stderr) == 200_004


def test_what_a_programme_complains_about_is_kept_from_its_beginning_and_its_end_only() -> None:
    ended = Runner().run(sh("echo begin >&2; head -c 20000000 /dev/zero >&2; echo end >&2"), deadline_s=20)
    assert ended.stderr.startswith(b"begin\n")
    assert ended.stderr.endswith(b"end\n")
    assert len(ended.stderr) < 7_000_000


def test_a_programme_sees_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "canary")
    ended = Runner().run(["env"], deadline_s=10, env={"GIVEN": "yes"})
    names = {line.partition(b"=")[0] for line in ended.stdout.splitlines()}
    assert names == {b"LC_ALL", b"PATH", b"GIVEN"}


def test_a_programme_that_reads_nothing_is_given_nothing() -> None:
    assert Runner().run(["cat"], deadline_s=10).stdout == b""


def test_bytes_chunks_and_files_are_fed_whole(tmp_path: Path) -> None:
    runner, big = Runner(), b"x" * 300_000
    path = tmp_path / "file"
    path.write_bytes(big)
    assert runner.run(["cat"], deadline_s=10, stdin=big).stdout == big
    assert runner.run(["cat"], deadline_s=10, stdin=(big[:100_000] for _ in range(3))).stdout == big
    with path.open("rb") as file:
        assert runner.run(["cat"], deadline_s=10, stdin=file).stdout == big


def test_a_programme_may_stop_reading_early() -> None:
    assert Runner().run(["head", "-c", "3"], deadline_s=10, stdin=[b"abc" * 100_000] * 10).stdout == b"abc"


def test_a_source_that_breaks_ends_the_programme_and_says_why() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise DiskError("the source broke")

    with pytest.raises(DiskError, match="the source broke"):
        Runner().run(["cat"], deadline_s=10, stdin=chunks())


def test_streams_flow_through_a_programme_while_it_runs() -> None:
    with Runner().start(["cat"], deadline_s=10, stdin=PIPE) as running:
        running.stdin.write(b"one\n")
        running.stdin.flush()
        assert running.stdout.readline() == b"one\n"
        running.stdin.close()
        assert running.stdout.read() == b""
        assert running.wait().code == 0


def test_output_may_go_to_a_file(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file, Runner().start(sh("echo hi"), deadline_s=10, stdout=file) as running:
        running.wait()
    assert (tmp_path / "out").read_bytes() == b"hi\n"


def test_further_pipes_reach_a_programme() -> None:
    reads, writes = os.pipe()
    with Runner().start(sh(f"echo status > /proc/self/fd/{writes}"), deadline_s=10, pass_fds=(writes,)) as running:
        os.close(writes)
        with os.fdopen(reads, "rb") as status:
            assert status.read() == b"status\n"
        running.wait()


def test_privileges_are_dropped_when_asked() -> None:
    told = Runner().run(["id", "-u"], deadline_s=10, user="nobody").stdout
    assert int(told) == (pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else os.geteuid())


# ── how it fails


def test_an_unexpected_exit_code_shows_the_programmes_last_words() -> None:
    with pytest.raises(ProgramFailedError, match=r"^sh ended with exit code 3: one; two$"):
        Runner().run(sh("echo one >&2; echo two >&2; exit 3"), deadline_s=10)


@pytest.mark.parametrize(
    "begin", ["pg_dump: error: query failed: ERROR:  no", "psql:s.sql:3: ERROR:  no", "FATAL:  no"]
)
def test_the_last_words_are_the_error_and_not_the_end_of_the_statement_that_it_quotes(begin: str) -> None:
    script = f"for n in 1 2 3; do echo quiet $n; done; echo '{begin}'; for n in $(seq 9); do echo $n; done"
    with pytest.raises(ProgramFailedError, match=rf"code 1: {begin}; 1; 2; 3; 4$"):
        Runner().run(sh(f"{{ {script}; }} >&2; exit 1"), deadline_s=10)


def test_an_expected_exit_code_is_a_result() -> None:
    assert Runner().run(sh("exit 3"), deadline_s=10, ok=(0, 3)).code == 3


def asked(script: str, *, deadline_s: float = 10, runner: Runner | None = None) -> Asked:
    """`script` writes its answer to descriptor $1, and reads bytes from $2."""
    answers, writing = os.pipe()
    given, giving = os.pipe()
    os.write(giving, b"beside")
    os.close(giving)
    try:
        with Path("/etc/hostname").open("rb") as file:
            argv = ["bash", "-c", f"answer=$1; beside=$2; {script}", "bash", str(writing), str(given)]
            return (runner or Runner()).ask(
                argv, answers=answers, handed=(writing, given), stdin=file, deadline_s=deadline_s, env={}
            )
    finally:
        os.close(answers)


def test_a_programme_that_is_asked_answers_where_it_was_told_to() -> None:
    before = open_descriptors()
    done = asked('cat <&"$beside" >&"$answer"; cat >/dev/null; echo printed; echo trouble >&2; exit 3')
    assert (done.code, done.said, done.stderr) == (3, b"beside", b"trouble\n")
    assert open_descriptors() == before


def test_a_programme_that_is_asked_and_never_answers_is_ended_by_its_deadline() -> None:
    """Closed pipes are no end: whoever waits for the process itself waits for the deadline, too."""
    for script in ("sleep 60", 'eval "exec $answer>&- 2>&-"; sleep 60'):
        began = time.monotonic()
        with pytest.raises(ProgramFailedError, match=r"did not end within 0\.3 s"):
            asked(script, deadline_s=0.3)
        assert time.monotonic() - began < 30


def test_what_a_programme_answers_is_bounded_and_its_signal_named(tmp_path: Path) -> None:
    flood = asked('head -c 20000000 /dev/zero >&"$answer"')
    assert len(flood.said) < 10_000_000
    with pytest.raises(ProgramFailedError, match="signal 9"):
        asked("kill -9 $$", runner=Runner(tmp_path))
    assert "exit code: -9" in (tmp_path / "01-bash.log").read_text()


def test_a_signal_is_named() -> None:
    with pytest.raises(ProgramFailedError, match="was ended by signal 9"):
        Runner().run(sh("kill -9 $$"), deadline_s=10)


def test_a_missing_programme_is_named() -> None:
    with pytest.raises(MissingProgramError, match="no-such-programme is not on this machine"):
        Runner().run(["no-such-programme"], deadline_s=10)


def test_a_full_disk_is_its_own_kind_of_error() -> None:
    with pytest.raises(DiskError, match="dd found no space left"):
        Runner().run(["dd", "if=/dev/zero", "of=/dev/full", "bs=1k", "count=1"], deadline_s=10)


def test_the_deadline_ends_the_programme_and_its_children() -> None:
    begun = time.monotonic()
    with Runner().start(sh("sleep 1000 & echo $!; wait"), deadline_s=0.3) as running:
        grandchild = int(running.stdout.readline())
        with pytest.raises(ProgramFailedError, match=r"sh did not end within 0\.3 s"):
            running.wait()
    assert not alive(running.pid)
    assert await_that(lambda: not alive(grandchild))
    assert time.monotonic() - begun < 8


def test_a_programme_that_ignores_the_polite_signal_is_killed() -> None:
    with pytest.raises(ProgramFailedError, match="did not end within"):
        Runner().run(sh("trap '' TERM; while :; do sleep 0.1; done"), deadline_s=0.2)


def test_a_stranger_who_keeps_the_pipes_open_does_not_hold_us() -> None:
    """A daemon in a session of its own outlives the group; its copy of a pipe must not."""
    begun = time.monotonic()
    ended = Runner().run(sh("setsid sleep 20 & echo $!"), deadline_s=15)
    stranger = int(ended.stdout)
    try:
        assert time.monotonic() - begun < 3
    finally:
        os.kill(stranger, signal.SIGKILL)


# ── nothing is left behind


def test_an_interrupt_ends_the_programme_and_its_children() -> None:
    children: list[int] = []

    def run() -> None:
        with Runner().start(sh("sleep 1000 & echo $!; wait"), deadline_s=60) as running:
            children.extend((running.pid, int(running.stdout.readline())))
            with interrupted(0.2):
                running.wait()

    with pytest.raises(InterruptedRunError):
        run()
    child, grandchild = children
    assert not alive(child)
    assert await_that(lambda: not alive(grandchild))


def test_an_interrupt_between_the_collecting_and_its_note_loses_neither_exit_code_nor_calm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    collect = os.waitpid
    fallen: list[int] = []

    def interrupted(pid: int, options: int) -> tuple[int, int]:
        left = collect(pid, options)
        if not fallen:
            fallen.append(pid)
            raise KeyboardInterrupt
        return left

    monkeypatch.setattr(os, "waitpid", interrupted)
    with Runner().start(sh("exit 3"), deadline_s=10) as running:
        with pytest.raises(KeyboardInterrupt):
            running.wait()
        with pytest.raises(ProgramFailedError, match="exit code 3"):
            running.wait()
    assert fallen == [running.pid]


def test_leaving_the_block_ends_what_still_runs() -> None:
    with Runner().start(["sleep", "1000"], deadline_s=60) as running:
        assert alive(running.pid)
    assert not alive(running.pid)


def test_no_thread_and_no_descriptor_is_left() -> None:
    runner = Runner()
    runner.run(["true"], deadline_s=10)
    threads, descriptors = threading.active_count(), open_descriptors()
    for _ in range(5):
        runner.run(["cat"], deadline_s=10, stdin=b"x")
    assert threading.active_count() <= threads
    assert open_descriptors() <= descriptors


def test_a_programme_dies_when_we_are_killed_outright() -> None:
    script = (
        "from attestore.adapters.process import Runner\n"
        "with Runner().start(['sleep', '1000'], deadline_s=None) as running:\n"
        "    print(running.pid, flush=True)\n"
        "    running.wait()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        # from here on: setpriv has asked the kernel, and has become what it was to start
        assert await_that(lambda: Path(f"/proc/{child}/comm").read_text() == "sleep\n")
        parent.kill()
        parent.wait()
    assert await_that(lambda: not alive(child))


# ── logs and secrets


def test_every_run_is_logged_in_order_without_its_secrets(tmp_path: Path) -> None:
    runner = Runner(tmp_path, secrets=("canary-one",))
    runner.run(sh("echo canary-one postgresql://u:canary-two@h/d password=canary-three >&2"), deadline_s=10)
    with pytest.raises(ProgramFailedError) as failed:
        runner.run(sh("echo canary-one >&2; exit 1"), deadline_s=10)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["01-sh.log", "02-sh.log"]
    text = "".join(path.read_text() for path in tmp_path.iterdir())
    assert "exit code: 1" in text
    assert "canary" not in text + str(failed.value)


def test_two_runners_share_a_folder_of_logs(tmp_path: Path) -> None:
    for _ in range(2):
        Runner(tmp_path).run(["true"], deadline_s=10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01-true.log", "02-true.log"]


def test_a_log_that_cannot_be_written_takes_nothing_with_it(tmp_path: Path) -> None:
    """A full disk: what stopped the run is told, and not that its log found no place either."""
    runner = Runner(tmp_path / "gone")
    assert runner.run(sh("echo done"), deadline_s=10).stdout == b"done\n"
    with pytest.raises(DiskError, match="No space left on device"):
        runner.run(sh("echo 'write failed: No space left on device' >&2; exit 1"), deadline_s=10)


def test_a_log_is_bounded(tmp_path: Path) -> None:
    Runner(tmp_path).run(sh("head -c 3000000 /dev/zero | tr '\\0' x >&2"), deadline_s=10)
    assert (tmp_path / "01-sh.log").stat().st_size < 200_000


@pytest.mark.parametrize(
    "text",
    [
        "password=canary",
        "PGPASSWORD=canary",
        "host=h password = canary dbname=d",
        "password='ca\\'canary'",
        'sslpassword="x canary"',
        "CREATE USER MAPPING FOR a SERVER b OPTIONS (user 'x', password 'ca''canary')",
        "postgresql://user:canary@host/db",
        "postgres://:canary@host",
        "ERROR:  duplicate key\nDETAIL:  Key (a)=(canary\ncanary) already exists.\nCommand was: x",
        "ERROR:  bad\nDETAIL:  Key (a)=(x\nname: canary) is there.",
        "ERROR:  bad\nCONTEXT:  COPY t, line 1: canary",
    ],
)
def test_what_must_not_be_told_is_hidden(text: str) -> None:
    assert "canary" not in redact(text)


def test_what_may_be_told_stays() -> None:
    text = "could not connect to postgresql://user@host:5432/db: see https://example.org/a@b"
    assert redact(text) == text


@given(st.text(), st.text(min_size=4), st.text())
def test_a_known_secret_never_survives(before: str, secret: str, after: str) -> None:
    assert secret not in redact(before + secret + after, (secret,)).replace("[hidden]", "")
