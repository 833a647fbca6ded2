"""What every measurement needs: a throw-away server, and the real `attestore` as a watched child."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from attestore.adapters.postgres.cluster import Cluster, Connection
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.process import Runner
from attestore.adapters.workspace import TemporaryWorkspace

__all__ = ["Cycle", "attestore", "mebibytes", "postmaster", "running", "serving", "table"]

_LOOK_S = 0.05
_OURS = "attestore"


@contextmanager
def serving(installation: Installation, folder: Path, **settings: str) -> Iterator[Connection]:
    """A server with an empty database `app`, in memory as stock as can be; fsync is off on both sides of a ratio."""
    with running(installation, folder, **settings) as cluster:
        yield cluster.connection.on("app")


@contextmanager
def running(installation: Installation, folder: Path, **settings: str) -> Iterator[Cluster]:
    """The same as the server itself."""
    chosen = {"fsync": "off", "max_wal_size": "8GB", "max_locks_per_transaction": "1024", **settings}
    with (
        TemporaryWorkspace(folder) as workspace,
        Cluster(installation, workspace=workspace, runner=Runner(), settings=chosen) as cluster,
    ):
        with cluster.connection.connect() as session:
            session.execute("CREATE DATABASE app TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'")
        yield cluster


def postmaster(server: Connection) -> int:
    """The process id of a server's first process."""
    with server.connect() as session:
        row = session.execute(b"SELECT pg_backend_pid()").fetchone()
        status = Path(f"/proc/{row[0] if row else 0}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))


@dataclass
class Cycle:
    """One run of the programme: how it ended, how long it took, and the peak memory of whoever took part, in bytes."""

    result: dict[str, Any]
    seconds: float
    peaks: dict[str, int] = field(default_factory=dict)


def attestore(folder: Path, installation: Installation, *words: str) -> Cycle:
    """Run the real programme as a child below `folder`, and watch it and all that it starts."""
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    temporary.chmod(0o711)
    environment = {**os.environ, "TMPDIR": str(temporary), "NO_COLOR": "1"}
    argv = [sys.executable, "-m", "attestore", *words, "--json", "--pg-bin", str(installation.bindir)]
    began = time.monotonic()
    with subprocess.Popen(
        argv, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        watched = _Watched(child.pid)
        out, err = child.communicate()
        watched.stop()
    seconds = time.monotonic() - began
    if child.returncode != 0:
        raise RuntimeError(f"attestore {' '.join(words)} ended with {child.returncode}: {out}{err}")
    return Cycle(result=json.loads(out), seconds=seconds, peaks=watched.peaks)


class _Watched:
    """Peak memory of a process (its VmHWM, as the kernel keeps it) and, apart, of what it starts, by programme.

    Of postgres, RssAnon is taken, the largest seen of one backend: pages of shared buffers are nobody's own.
    """

    def __init__(self, pid: int) -> None:
        self.peaks: dict[str, int] = defaultdict(int)
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._over.wait(_LOOK_S):
            parents = {pid: status for pid in _numbers() if (status := _status(pid))}
            for pid, status in parents.items():
                if pid == self._pid:
                    self._note(_OURS, status.get("VmHWM", 0))
                elif _below(pid, self._pid, parents):
                    name = str(status["Name"])
                    self._note(name, status.get("RssAnon" if name == "postgres" else "VmHWM", 0))

    def _note(self, name: str, kibibytes: Any) -> None:
        self.peaks[name] = max(self.peaks[name], int(kibibytes) * 1024)


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208


def _status(pid: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return found
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key in {"PPid", "VmHWM", "RssAnon"}:
            found[key] = int(value.split()[0])
        elif key == "Name":
            found[key] = value.strip()
    return found


def _below(pid: int, above: int, known: dict[int, dict[str, Any]]) -> bool:
    while pid > 1 and pid in known:
        pid = known[pid].get("PPid", 0)
        if pid == above:
            return True
    return False


def mebibytes(size: float) -> str:
    """Bytes for people."""
    return f"{size / 2**20:,.0f} MiB"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table, figures to the right."""
    lines = [head, ("---", *("---:" for _ in head[1:])), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
