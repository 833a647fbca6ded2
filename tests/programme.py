"""The programme as people start it: a process with its own TMPDIR, so that what it leaves behind is seen."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from attestore import compose
from attestore.adapters.process import Runner
from attestore.compose.people import opened_home
from attestore.config.stores import DirectoryPlace

__all__ = ["Desk", "Ran", "at_desk"]


@dataclass(frozen=True)
class Ran:
    """How it ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def result(self) -> dict[str, Any]:
        """The JSON object on standard output."""
        value = json.loads(self.out)
        assert isinstance(value, dict)
        return value


@dataclass
class Desk:
    """A folder somebody works in: reports, home and store are made below it."""

    folder: Path
    temporary: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def store(self) -> Path:
        return self.folder / ".attestore" / "store"

    def attestore(self, *arguments: str, environment: Mapping[str, str] | None = None, timeout: float = 240) -> Ran:
        """Run it to its end."""
        done = subprocess.run(
            self._command(arguments),
            cwd=self.folder,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def signalled(
        self,
        *arguments: str,
        after: str,
        number: signal.Signals,
        timeout: float = 240,
        once: Callable[[subprocess.Popen[str]], None] = lambda _: None,
    ) -> Ran:
        """Run it, and send a signal as soon as it says that phase `after` has ended ("" : anything) and `once` has returned."""
        with subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self._environment(None),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            stdin=subprocess.DEVNULL,
        ) as process:
            assert process.stderr is not None
            said: list[str] = []
            for line in process.stderr:
                said.append(line)
                if line.startswith(after):
                    once(process)
                    process.send_signal(number)
                    break
            out, err = process.communicate(timeout=timeout)
            return Ran(process.returncode, out, "".join(said) + err)

    def killed(self, *arguments: str, when: threading.Event, timeout: float = 120) -> int:
        """Run it, and kill it without a word as soon as `when` is set; how it ended."""
        with subprocess.Popen(
            self._command(arguments),
            cwd=self.folder,
            env=self._environment(None),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        ) as process:
            assert when.wait(timeout), process.poll()
            process.kill()
            return process.wait(timeout)

    def left_behind(self) -> list[str]:
        """Folders in TMPDIR, and processes that still work below it."""
        folders = [str(path) for path in self.temporary.iterdir()]
        return folders + [f"process {pid}: {' '.join(command)}" for pid, command in self._processes()]

    def bundle(self) -> Path:
        """The newest bundle."""
        return max(path for path in self.reports.iterdir() if path.is_dir())

    def _processes(self) -> Iterator[tuple[int, list[str]]]:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
                place = str((entry / "cwd").readlink())
            except OSError:
                continue
            if str(self.temporary) in f"{place} {' '.join(command)}" or str(self.folder) in " ".join(command):
                yield int(entry.name), command

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "attestore", *arguments]

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return (
            kept
            | {"TMPDIR": str(self.temporary), "COLUMNS": "80", "ATTESTORE_LOG": "human"}
            | dict(self.environment)
            | dict(more or {})
        )


@cache
def _home() -> Path:
    """A home with keys and roster, made once: two RSA 4096 keys take seconds that only one test is about."""
    folder = Path(tempfile.mkdtemp(prefix="home-", dir="/tmp"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    settings = compose.Settings(
        reports=folder / "reports",
        home=folder / "home",
        stores=(DirectoryPlace("local", folder / "store"),),
        source="",
        backup="latest",
        system="",
        jobs=1,
        pg_bin=None,
        operator="Olga Operator",
    )
    with opened_home(settings, runner=Runner(), say=lambda _: None, work=folder):
        pass
    return settings.home


@contextmanager
def at_desk(folder: Path, *, keys: bool = True) -> Iterator[Desk]:
    """A desk whose TMPDIR is short enough for sockets and open to an unprivileged server; with keys, or for a first use."""
    if keys:
        shutil.copytree(_home(), folder / ".attestore", ignore=shutil.ignore_patterns("S.*"))
    with tempfile.TemporaryDirectory(prefix="desk-", dir="/tmp") as temporary:
        place = Path(temporary)
        place.chmod(0o711)
        desk = Desk(folder=folder, temporary=place)
        yield desk
        ends = time.monotonic() + 10
        while desk.left_behind() and time.monotonic() < ends:
            time.sleep(0.1)
        assert (left := desk.left_behind()) == [], left
