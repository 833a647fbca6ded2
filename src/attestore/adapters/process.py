"""The one door for programmes: argument lists, an explicit environment, a deadline, and nothing left behind.

A programme runs in its own session, so that Ctrl-C reaches us first and we decide what ends and when. However a
block or a call ends (result, deadline, exception, a signal handler that raises), its process group is gone
afterwards. If we are killed outright, the kernel ends the programme (`setpriv --pdeathsig`, where it is present).
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import pwd
import re
import select
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import IO, Final, TypeAlias, cast

from attestore.adapters.redacted import redact
from attestore.errors import DiskError, Error, MissingProgramError, ProgramFailedError

__all__ = ["FULL", "PIPE", "Asked", "Completed", "Feed", "Runner", "Running", "Stop"]

FULL: Final = ("No space left on device", "Disk quota exceeded")
"""What programmes say of a full disk"""

PIPE: Final = subprocess.PIPE
"""As `stdin` of `Runner.start`: the caller writes to, and closes, `Running.stdin`."""

Feed: TypeAlias = bytes | Iterable[bytes] | IO[bytes] | int | None
"""What a programme reads: bytes, chunks, an open file, `PIPE`, or nothing (/dev/null)."""

Stop: TypeAlias = Sequence[tuple[Signals, float]]
"""Signals that end a programme, in order, and the seconds each is given; the last one also reaches it if we die."""

_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_KEEP: Final = 4 << 20
_LOGGED: Final = 128 << 10
_LAST_LINES: Final = 5
_COMPLAINT: Final = re.compile(r"\b(?:error|fatal|panic): ", re.IGNORECASE)
_CHUNK: Final = 1 << 16
_PIPE: Final = 1 << 20
_PATIENCE_S: Final = 2.0
_LISTEN_MS: Final = 200
_GENTLY: Final = ((Signals.SIGTERM, 5.0),)


@dataclass(frozen=True, slots=True)
class Completed:
    """How a programme ended: exit code (negative: the signal that ended it) and what it wrote.

    `stderr` is bounded to its first and last 2 MiB; `stdout` is empty when it was a stream or went to a file.
    """

    code: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a programme answered: exit code, what it said where it was told to, and what it complained about; both bounded."""

    code: int
    said: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


class Running:
    """A programme that runs, inside the block of `Runner.start`."""

    def __init__(self, process: subprocess.Popen[bytes], *, judge: _Judge, reads: Feed, collect: bool) -> None:
        self._process = process
        self._judge = judge
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._expired = threading.Event()
        self._broken: list[BaseException] = []
        self._stdout = bytearray()
        self._stderr = _Bounded()
        self._code = 0
        """how it ended, as the kernel says; what Popen notes is lost when an interrupt falls into its waiting"""
        self._threads = [self._thread(self._drain, process.stderr, self._stderr.add)]
        if collect:
            self._threads.append(self._thread(self._drain, process.stdout, self._stdout.extend))
        if process.stdin is not None and not isinstance(reads, int):
            chunks = (reads,) if isinstance(reads, bytes) else reads
            self._threads.append(self._thread(self._feed, process.stdin, chunks))

    @property
    def pid(self) -> int:
        """The process id; also the id of its group and session."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """Where the programme reads from, when it was started with `PIPE`."""
        if self._process.stdin is None:
            raise ValueError(f"{self._judge.name} was not started with stdin=PIPE")
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """What the programme writes, unless it was sent to a file."""
        if self._process.stdout is None:
            raise ValueError(f"the output of {self._judge.name} goes to a file")
        return self._process.stdout

    @property
    def stderr(self) -> bytes:
        """What it has complained about so far, bounded."""
        return self._stderr.value

    @property
    def code(self) -> int:
        """How it ended, once it was waited for; negative: the signal that ended it."""
        return self._code

    @property
    def ended(self) -> bool:
        """Whether it has ended, by itself or by a signal."""
        return self._process.returncode is not None or _exited(self._process.pid)

    def signal(self, number: Signals) -> None:
        """Send a signal to the programme itself, not its group; nothing happens when it has ended."""
        with self._lock:
            if self._process.returncode is None:
                # not Popen's own: it would collect an ended programme, and its exit code with it
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self._process.pid, number)

    def gone_within(self, seconds: float) -> bool:
        """Whether it ends within that time; it is left alone if it does not."""
        give_up = time.monotonic() + seconds
        while not self.ended:
            if time.monotonic() >= give_up:
                return False
            time.sleep(0.005)
        return True

    def wait(self) -> Completed:
        """How it ended, once it has; read `stdout` to its end first.

        Raises:
            ProgramFailedError: an exit code that was not expected, or the deadline passed.
            DiskError: it complained about a full disk.
        """
        self._reap()
        self._join()
        if self._broken:
            raise self._broken[0]
        return self._judge(self._code, bytes(self._stdout), self._stderr.value, expired=self._expired.is_set())

    def expire(self, stop: Stop) -> None:
        """The deadline has passed: end it."""
        self._expired.set()
        self._end(stop)

    def close(self, stop: Stop) -> None:
        """End it if it still runs, and give back every pipe and thread."""
        if not self.ended:
            self._end(stop)
        self._reap()
        self._join()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def _end(self, stop: Stop) -> None:
        try:
            for number, patience_s in stop:
                self._kill(number)
                if self.gone_within(patience_s):
                    return
        finally:
            self._kill(Signals.SIGKILL)

    def _kill(self, number: Signals) -> None:
        with self._lock:
            if self._process.returncode is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)

    def _reap(self) -> None:
        if self._process.returncode is None:
            # an interrupt may fall between the collecting and Popen's note of it: nothing is left to wait for then
            with contextlib.suppress(ChildProcessError):
                # WNOWAIT: the group is ended while its leader is still a zombie, so its number cannot be another's yet
                left = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
                if left is not None:
                    self._code = left.si_status if left.si_code == os.CLD_EXITED else -left.si_status
                self._kill(Signals.SIGKILL)
            with self._lock:
                self._process.wait()

    def _join(self) -> None:
        self._over.set()
        for thread in self._threads:
            # a feeder may hang in its own source; its thread is a daemon and its pipe is closed next
            thread.join(_PATIENCE_S)

    def _thread(self, target: Callable[..., None], *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, name=f"pipe of {self._judge.name}", daemon=True)
        thread.start()
        return thread

    def _drain(self, pipe: IO[bytes], into: Callable[[bytes], None]) -> None:
        """Read to the end, or until the programme is over and a stranger who inherited the pipe says nothing."""
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        while True:
            if poll.poll(_LISTEN_MS):
                chunk = os.read(pipe.fileno(), _CHUNK)
                if not chunk:
                    return
                into(chunk)
            elif self._over.is_set():
                return

    def _feed(self, pipe: IO[bytes], reads: Iterable[bytes]) -> None:
        try:
            for chunk in reads:
                pipe.write(chunk)
        except BrokenPipeError:
            pass  # the programme has read enough, or has ended; its exit code says which
        except BaseException as problem:  # noqa: BLE001  raised again by wait(), in the thread that can act on it
            self._broken.append(problem)
            self._kill(Signals.SIGKILL)
        finally:
            with contextlib.suppress(OSError):
                pipe.close()


class Runner:
    """Runs programmes and keeps a redacted, bounded log of each in `logs`, when given."""

    def __init__(self, logs: Path | None = None, secrets: tuple[str, ...] = ()) -> None:
        self._logs = logs
        self._secrets = secrets
        self._numbers = itertools.count(1)

    def run(  # noqa: PLR0913  each is one decision about a programme
        self,
        argv: Sequence[str | Path],
        *,
        deadline_s: float,
        env: Mapping[str, str] | None = None,
        stdin: Feed = None,
        user: str | None = None,
        ok: tuple[int, ...] = (0,),
        cwd: Path | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> Completed:
        """Run to the end and return what was written; stdout is held in memory.

        Raises:
            MissingProgramError: the programme is not on this machine.
            ProgramFailedError: an exit code outside `ok`, or the deadline passed.
            DiskError: it complained about a full disk.
        """
        with self.start(
            argv,
            deadline_s=deadline_s,
            env=env,
            stdin=stdin,
            user=user,
            ok=ok,
            cwd=cwd,
            pass_fds=pass_fds,
            collect=True,
        ) as running:
            return running.wait()

    def ask(
        self,
        argv: Sequence[str | Path],
        *,
        answers: int,
        handed: tuple[int, ...],
        stdin: IO[bytes],
        deadline_s: float,
        env: Mapping[str, str],
    ) -> Asked:
        """Run a programme that reads files and says little, to its end, without a thread or another programme around it.

        `answers` is read to its end; `handed` are given to the programme and closed here. If we are killed outright, it goes on
        until its files are read.

        Raises:
            MissingProgramError, ProgramFailedError, DiskError: as `run`, for a signal or the deadline.
        """
        command = [os.fspath(part) for part in argv]
        judge = _Judge(Path(command[0]).name, tuple(range(256)), self._secrets, deadline_s)
        started = time.monotonic()
        said, complained = _Bounded(), _Bounded()
        try:
            process = subprocess.Popen(
                [_find(command[0], env), *command[1:]],
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=PIPE,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", _PATH), **env},
                pass_fds=handed,
                start_new_session=True,
                umask=0o077,
            )
        except OSError as problem:
            raise ProgramFailedError(f"{judge.name} can't be started: {problem.strerror}") from problem
        finally:
            for each in handed:
                os.close(each)
        until, ended = started + deadline_s, False
        try:
            with process:
                try:
                    _drain({answers: said, cast("IO[bytes]", process.stderr).fileno(): complained}, until=until)
                    process.wait(max(0.0, until - time.monotonic()))
                    ended = True
                except subprocess.TimeoutExpired:
                    pass  # it is judged below
                finally:
                    if not ended:
                        with contextlib.suppress(ProcessLookupError):
                            os.killpg(process.pid, Signals.SIGKILL)
        finally:
            self._log(command, process.returncode or 0, time.monotonic() - started, complained.value)
        done = judge(process.returncode, b"", complained.value, expired=not ended)
        return Asked(done.code, said.value, done.stderr)

    @contextlib.contextmanager
    def start(  # noqa: PLR0913
        self,
        argv: Sequence[str | Path],
        *,
        deadline_s: float | None,
        env: Mapping[str, str] | None = None,
        stdin: Feed = None,
        stdout: IO[bytes] | None = None,
        user: str | None = None,
        ok: tuple[int, ...] = (0,),
        cwd: Path | None = None,
        pass_fds: tuple[int, ...] = (),
        offline: bool = False,
        collect: bool = False,
        stop: Stop = _GENTLY,
    ) -> Iterator[Running]:
        """A programme that runs as long as the block at most; leaving the block ends whatever still runs.

        `stdout` is a pipe at `Running.stdout`, a file when one is given, or (`collect`) bytes of the result of
        `Running.wait`. `stop` are the signals that end it, with the seconds each is given; KILL follows.
        `offline` puts it into its own, empty network namespace, or fails. The caller owns `pass_fds` and closes its own
        copies of them. The thread that enters the block outlives it (the kernel's parent-death signal is per thread).

        Raises:
            MissingProgramError: the programme is not on this machine.
        """
        command = [os.fspath(part) for part in argv]
        program = _find(command[0], env)
        judge = _Judge(Path(program).name, ok, self._secrets, deadline_s)
        who = None if user is None or os.geteuid() != 0 else pwd.getpwnam(user)
        now = who if not offline else None  # a new network namespace has to be made before privileges are dropped
        started = time.monotonic()
        try:
            process = subprocess.Popen(
                [*_prefix(who if offline else None, offline=offline, orphaned=stop[-1][0]), program, *command[1:]],
                stdin=_stdin(stdin),
                stdout=PIPE if stdout is None else stdout,
                stderr=PIPE,
                env={"LC_ALL": "C", "PATH": os.environ.get("PATH", _PATH), **(env or {})},
                cwd=cwd,
                pass_fds=pass_fds,
                start_new_session=True,
                umask=0o077,
                user=None if now is None else now.pw_uid,
                group=None if now is None else now.pw_gid,
                extra_groups=None if now is None else [],
            )
        except OSError as problem:
            raise ProgramFailedError(f"{judge.name} can't be started: {problem.strerror}") from problem
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _widen(pipe)
        running = Running(process, judge=judge, reads=stdin, collect=collect)
        timer = None if deadline_s is None else threading.Timer(deadline_s, running.expire, (stop,))
        try:
            if timer is not None:
                timer.daemon = True
                timer.start()
            yield running
        finally:
            if timer is not None:
                timer.cancel()
            running.close(stop)
            if timer is not None and timer.is_alive():
                timer.join()
            self._log(command, running.code, time.monotonic() - started, running.stderr)

    def _log(self, command: Sequence[str], code: int, seconds: float, stderr: bytes) -> None:
        if self._logs is None:
            return
        text = _cut(redact(_text(stderr), self._secrets), _LOGGED)
        words = redact(" ".join(map(repr, command)), self._secrets)
        entry = f"command: {words}\nexit code: {code}\nduration: {round(seconds * 1000)} ms\n\n{text}"
        for number in self._numbers:
            name = f"{number:02d}-{Path(command[0]).name}.log"
            try:
                with (self._logs / name).open("x", encoding="utf-8") as file:
                    file.write(entry)
            except FileExistsError:
                continue
            except OSError:
                # a full disk takes the log, not what the programme did, nor the reason that is on its way up
                with contextlib.suppress(OSError):
                    (self._logs / name).unlink()
            return


@dataclass(frozen=True, slots=True)
class _Judge:
    """Decides what the end of a programme means."""

    name: str
    ok: tuple[int, ...]
    secrets: tuple[str, ...]
    deadline_s: float | None

    def __call__(self, code: int, stdout: bytes, stderr: bytes, *, expired: bool) -> Completed:
        if code in self.ok and not expired:
            return Completed(code, stdout, stderr)
        raise self._problem(code, redact(_text(stderr), self.secrets), expired=expired)

    def _problem(self, code: int, words: str, *, expired: bool) -> Error:
        lines = _last(words)
        last = ": " + "; ".join(lines) if lines else ""
        if any(sign in words for sign in FULL):
            return DiskError(f"{self.name} found no space left on a disk{last}", hint="Free space, or set TMPDIR.")
        if expired:
            return ProgramFailedError(f"{self.name} did not end within {self.deadline_s:g} s{last}")
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return ProgramFailedError(f"{self.name} {how}{last}")


def _last(words: str) -> list[str]:
    """The last lines; or, where a long statement stands behind an error, the error and what follows it."""
    lines = [line for line in words.splitlines() if line.strip()]
    begun = max((number for number, line in enumerate(lines) if _COMPLAINT.search(line)), default=len(lines))
    first = min(begun, max(0, len(lines) - _LAST_LINES))
    return lines[first : first + _LAST_LINES]


class _Bounded:
    """Bytes of which the first and the last half are kept."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = bytearray()
        self._lost = False

    def add(self, chunk: bytes) -> None:
        room = max(0, _KEEP // 2 - len(self._head))
        self._head += chunk[:room]
        self._tail += chunk[room:]
        if len(self._tail) > _KEEP:
            del self._tail[: len(self._tail) - _KEEP // 2]
            self._lost = True

    @property
    def value(self) -> bytes:
        gap = b"\n[...]\n" if self._lost else b""
        return bytes(self._head) + gap + bytes(self._tail)


def _drain(ends: Mapping[int, _Bounded], *, until: float) -> None:
    """Read several pipes to their ends, or until then."""
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    left = len(ends)
    while left and (wait := until - time.monotonic()) > 0:
        for end, _ in poll.poll(wait * 1000):
            chunk = os.read(end, _CHUNK)
            if chunk:
                ends[end].add(chunk)
            else:
                poll.unregister(end)
                left -= 1


def _find(program: str, env: Mapping[str, str] | None) -> str:
    path = (env or {}).get("PATH", os.environ.get("PATH", _PATH))
    found = shutil.which(program, path=path)
    if found is None:
        raise MissingProgramError(f"{program} is not on this machine", hint="Install it, or put it on the PATH.")
    return found


def _stdin(reads: Feed) -> int | IO[bytes]:
    if reads is None:
        return subprocess.DEVNULL
    return cast("IO[bytes]", reads) if hasattr(reads, "fileno") else PIPE


def _prefix(who: pwd.struct_passwd | None, *, offline: bool, orphaned: Signals) -> list[str]:
    """What stands before the programme, each replacing itself by the next: namespace, then identity, then death signal."""
    words: list[str] = []
    if offline:
        words += ["unshare", "--net", *([] if os.geteuid() == 0 else ["--user", "--map-current-user"]), "--"]
    if shutil.which("setpriv") is not None:
        words += ["setpriv", "--no-new-privs", "--pdeathsig", orphaned.name.removeprefix("SIG")]
        if who is not None:
            words += [f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]
        words.append("--")
    elif who is not None:
        raise MissingProgramError("setpriv is not on this machine", hint="Install util-linux.")
    return words


def _widen(pipe: IO[bytes]) -> None:
    """Let more than 64 KiB wait in a pipe, where the kernel allows it: each side is woken less often."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _cut(text: str, size: int) -> str:
    return text if len(text) <= size else text[: size // 2] + "\n[...]\n" + text[-size // 2 :]


def _exited(pid: int) -> bool:
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True  # another thread has just collected it
