"""One GNUPGHOME of our own, and gpg at work in it: never the user's, and without an agent left behind.

gpg-agent makes sockets in the folder, and a socket's path must stay below 108 bytes. A folder with a longer path is
reached through a short, private symbolic link; GnuPG does not resolve it, so the sockets lie beside the keys and are
named by the short path.
"""

from __future__ import annotations

import contextlib
import copy
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from typing import IO, Final, Self

from attestore.adapters.durable import disk_errors
from attestore.adapters.gpg import status
from attestore.adapters.gpg.status import Status
from attestore.adapters.process import FULL, Feed, Runner, Running
from attestore.errors import DiskError, KeyringError, MissingProgramError, ProgramFailedError, VersionError

__all__ = ["DEADLINE_S", "Home", "Said", "Talk", "deadline_for", "find_programs", "program_version", "temporary_home"]

DEADLINE_S: Final = 120.0
"""Seconds for anything that does not grow with the size of a file."""

_LONGEST: Final = 80  # of 107, less "/S.gpg-agent.browser", the longest of the agent's sockets
_PATIENCE_S: Final = 3.0  # an agent finishes what others asked of it before it goes
_ANY: Final = tuple(range(256))
_BASE: Final = (
    "--batch",
    "--no-tty",
    "--no-options",
    "--no-greeting",
    "--display-charset",
    "utf-8",
    "--no-auto-key-retrieve",
    "--no-auto-key-locate",
    "--disable-dirmngr",
)
_ASKING: Final = (
    "HOME",
    "GPG_TTY",
    "TERM",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
)
_INSTALL: Final = "On Debian and Ubuntu: sudo apt-get install --yes gnupg"


def deadline_for(size: int) -> float:
    """Seconds after which a programme that works through `size` bytes hangs: it moved less than 1 MiB/s."""
    return DEADLINE_S + size / (1 << 20)


def find_programs() -> Path:
    """Where gpg is; its agent and gpgconf are there too.

    Raises:
        MissingProgramError: one of them is not on this machine.
    """
    for program in ("gpg", "gpgconf", "gpg-agent"):
        if shutil.which(program) is None:
            raise MissingProgramError(f"{program} (GnuPG) is not on this machine", hint=_INSTALL)
    return Path(str(shutil.which("gpg")))


def program_version(runner: Runner) -> str:
    """The programme and its version, e.g. `gpg 2.2.40`.

    Raises:
        MissingProgramError: gpg is not on this machine.
        VersionError: it is older than 2.2.
    """
    first = runner.run([find_programs(), "--version"], deadline_s=DEADLINE_S).stdout.decode().partition("\n")[0]
    number = first.rpartition(" ")[2]
    parts = number.split(".")
    if not all(part.isdecimal() for part in parts[:2]) or tuple(map(int, parts[:2])) < (2, 2):
        raise VersionError(f"{first!r} is too old or unknown; GnuPG 2.2 or newer is needed", hint=_INSTALL)
    return f"gpg {number}"


@dataclass(frozen=True, slots=True)
class Said:
    """How a gpg ended: exit code, status lines, output and its last words for people."""

    code: int
    status: Status
    stdout: bytes
    words: str


class Talk:
    """A gpg that runs."""

    def __init__(self, running: Running, reader: _Reader) -> None:
        self._running = running
        self._reader = reader

    @property
    def stdout(self) -> IO[bytes]:
        """What gpg writes."""
        return self._running.stdout

    def stop(self) -> None:
        """End it at once; from any thread, and of no effect where it has ended."""
        self._running.signal(Signals.SIGKILL)

    def end(self) -> Said:
        """Wait until gpg has ended; read `stdout` to its end first.

        Raises:
            ProgramFailedError: it was ended by a signal or by its deadline, or says what no gpg says.
            DiskError: it found no space for its own files.
        """
        ended = self._running.wait()
        return _said(ended.code, self._reader.data(), ended.stderr)


class Home:
    """A folder with keys. Leaving its block stops its agent; the folder stays.

    Where its path is too long for sockets, a short link to it is made below `work` (else where temporary files go).
    A `borrowed` folder is somebody's own: it is neither made nor changed, and an agent that was there before,
    which may hold a passphrase that was typed in, stays. A `passphrase` opens
    the keys that have one; it reaches gpg through a descriptor.
    """

    def __init__(
        self,
        folder: Path,
        *,
        runner: Runner,
        work: Path | None = None,
        borrowed: bool = False,
        passphrase: bytes = b"",
    ) -> None:
        self._gpg = find_programs()
        self._runner = runner
        self._link: Path | None = None
        self._borrowed = borrowed
        self._passphrase = passphrase
        """opens this folder's private keys, where they are locked; kept here as long as the folder is open"""
        self._foreign = False
        """Whether the agent was there before us"""
        if borrowed:
            if not folder.is_dir():
                raise KeyringError(f"there is no keyring {folder}", hint="Name your GNUPGHOME with --gnupghome DIR.")
            self.path = folder.absolute()
            self._foreign = _answers(self._agent())
            return
        with disk_errors(f"make the keyring {folder}"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            folder.chmod(0o700)
            settings = folder / "gpg-agent.conf"
            if not settings.exists():
                settings.write_text("disable-scdaemon\n", encoding="ascii")
        self.path = folder.absolute()
        """The folder as gpg is told it."""
        if len(os.fsencode(self.path)) > _LONGEST:
            self._link = _short_link(self.path, work)
            self.path = self._link
            # an agent that outlived a killed command knows the folder by a link that is gone, and finds no key there
            self._stop_agent()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def gpg(self) -> Path:
        """The programme."""
        return self._gpg

    @property
    def locks(self) -> bool:
        """Whether there is a passphrase, which new keys get, too."""
        return bool(self._passphrase)

    def using(self, runner: Runner) -> Home:
        """The same folder and agent with another runner; whoever opened the folder closes it."""
        other = copy.copy(self)
        other._runner, other._link = runner, None  # noqa: SLF001  its own class
        return other

    def run(self, *words: str | Path, stdin: Feed = None, agent: bool = True) -> Said:
        """Run gpg with small input and output; the exit code is the caller's to judge.

        Raises:
            ProgramFailedError: it was ended by a signal or by its deadline, or says what no gpg says.
        """
        with self.talk(*words, stdin=stdin, deadline_s=DEADLINE_S, agent=agent) as talk:
            output = talk.stdout.read()
            said = talk.end()
        return Said(said.code, said.status, output, said.words)

    @contextlib.contextmanager
    def talk(self, *words: str | Path, stdin: Feed, deadline_s: float, agent: bool = True) -> Iterator[Talk]:
        """A gpg that runs as long as the block at most, with a status pipe of its own."""
        start = () if agent else ("--no-autostart",)
        read_end, write_end = os.pipe()
        reader = _Reader(read_end)
        with contextlib.ExitStack() as open_ends:
            open_ends.callback(reader.close)
            written = open_ends.enter_context(_closing(write_end))
            asking, secret = open_ends.enter_context(self._unlocking())
            argv = [self._gpg, "--homedir", self.path, *_BASE, *asking, *start, "--status-fd", str(write_end), *words]
            with self._runner.start(
                argv,
                deadline_s=deadline_s,
                stdin=stdin,
                ok=_ANY,
                pass_fds=(write_end, *secret),
                env=self.environment(),
            ) as running:
                written.close()
                yield Talk(running, reader)

    def ask(self, *words: str | Path, stdin: IO[bytes], beside: bytes, deadline_s: float) -> Said:
        """What gpg, given `words`, says of a few bytes and of a file, in this order; no agent takes part, and nothing is written.

        Raises:
            ProgramFailedError: it was ended by a signal or by its deadline, or says what no gpg says.
        """
        read_end, write_end = os.pipe()
        try:
            given = _piped(beside)
            argv = [
                *(self._gpg, "--homedir", self.path, *_BASE, "--pinentry-mode", "error", "--no-autostart"),
                *("--status-fd", str(write_end), "--enable-special-filenames", *words, "--", f"-&{given}", "-"),
            ]
            asked = self._runner.ask(
                argv,
                answers=read_end,
                handed=(write_end, given),
                stdin=stdin,
                deadline_s=deadline_s,
                env=self.environment(),
            )
        finally:
            os.close(read_end)
        if len(asked.said) > status.LIMIT:
            raise ProgramFailedError(f"gpg said more than {status.LIMIT} bytes on its status descriptor")
        return _said(asked.code, asked.said, asked.stderr)

    @contextlib.contextmanager
    def _unlocking(self) -> Iterator[tuple[tuple[str, ...], tuple[int, ...]]]:
        """How gpg gets at the passphrase: from a descriptor, never an argument; without one, a locked key is refused at once."""
        if self._borrowed:
            yield (), ()
        elif not self._passphrase:
            yield ("--pinentry-mode", "error"), ()
        else:
            read_end, write_end = os.pipe()
            with _closing(read_end):
                with _closing(write_end):
                    os.write(write_end, self._passphrase + b"\n")
                yield ("--pinentry-mode", "loopback", "--passphrase-fd", str(read_end)), (read_end,)

    def environment(self) -> dict[str, str]:
        """What gpg is told of its surroundings; for a borrowed folder, where its agent is and how it asks for a passphrase."""
        if not self._borrowed:
            return {"HOME": str(self.path)}
        return {name: os.environ[name] for name in _ASKING if name in os.environ}

    def close(self) -> None:
        """Stop the agent of this folder, if one runs and is ours, and wait until it is gone."""
        try:
            if self.path.is_dir() and not self._foreign:
                self._stop_agent()
        finally:
            if self._link is not None:
                self._link.unlink(missing_ok=True)
                self._link.parent.rmdir()
                self._link = None

    def _agent(self) -> Path:
        """Where the folder's agent listens, if there is one."""
        asked = self._gpgconf("--list-dirs", "agent-socket").strip()
        return Path(asked) if asked else self.path / "S.gpg-agent"

    def _stop_agent(self) -> None:
        agent = self._agent()
        if not _answers(agent):
            return
        self._gpgconf("--kill", "all")
        give_up = time.monotonic() + _PATIENCE_S
        while _answers(agent) and time.monotonic() < give_up:
            time.sleep(0.005)

    def _gpgconf(self, *words: str) -> str:
        argv: list[str | Path] = ["gpgconf", "--homedir", self.path, *words]
        done = self._runner.run(argv, deadline_s=DEADLINE_S, ok=_ANY, env=self.environment())
        return done.stdout.decode(errors="replace")


@contextlib.contextmanager
def temporary_home(*, runner: Runner, below: Path | None = None, passphrase: bytes = b"") -> Iterator[Home]:
    """An empty home below a folder (else where temporary files go), gone with its agent when the block ends."""
    with disk_errors("make a temporary keyring"):
        folder = Path(tempfile.mkdtemp(prefix="attestore-gpg-", dir=below))
    try:
        with Home(folder, runner=runner, passphrase=passphrase) as home:
            yield home
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _piped(data: bytes) -> int:
    """The end of a pipe that holds so few bytes that nobody has to wait for a reader."""
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, data)
    finally:
        os.close(write_end)
    return read_end


class _End:
    """One end of a pipe, closed once."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


@contextlib.contextmanager
def _closing(descriptor: int) -> Iterator[_End]:
    end = _End(descriptor)
    try:
        yield end
    finally:
        end.close()


class _Reader:
    """Drains a status pipe while gpg runs, so that gpg never waits for us."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._data = bytearray()
        self._thread = threading.Thread(target=self._drain, name="status of gpg", daemon=True)
        self._thread.start()

    def data(self) -> bytes:
        """Everything gpg said, once it has ended."""
        self._thread.join()
        if len(self._data) > status.LIMIT:
            raise ProgramFailedError(f"gpg said more than {status.LIMIT} bytes on its status descriptor")
        return bytes(self._data)

    def close(self) -> None:
        self._thread.join()
        os.close(self._descriptor)

    def _drain(self) -> None:
        while chunk := os.read(self._descriptor, 1 << 16):
            if len(self._data) <= status.LIMIT:
                self._data += chunk


def _answers(agent: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
        probe.connect(str(agent))
        return True
    return False


def _short_link(folder: Path, work: Path | None) -> Path:
    places = (work or tempfile.gettempdir(), tempfile.gettempdir(), "/tmp")  # noqa: S108  mkdtemp makes a private folder in it
    for place in dict.fromkeys(map(str, places)):
        with contextlib.suppress(OSError):
            holder = Path(tempfile.mkdtemp(prefix="ats-", dir=place))
            link = holder / "g"
            if len(os.fsencode(link)) <= _LONGEST:
                link.symlink_to(folder, target_is_directory=True)
                return link
            holder.rmdir()
    raise KeyringError(
        f"the path of the keyring {folder} is too long for gpg-agent's sockets, and no short link could be made",
        hint="Choose a shorter --home, or set TMPDIR to a short path.",
    )


def _said(code: int, told: bytes, stderr: bytes) -> Said:
    words = _last(stderr)
    # a keyring is locked by files beside it: for want of space, no key is missing
    if code != 0 and any(sign in words for sign in FULL):
        raise DiskError(f"gpg found no space left on a disk: {words}", hint="Free space where the keyring lies.")
    return Said(code, status.parse(told), b"", words)


def _last(stderr: bytes) -> str:
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return "; ".join(line.removeprefix("gpg: ") for line in lines[-3:])
