"""One command in a process of its own: the clock, processor time, and peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Used", "alone", "attestore"]

_AROUND = """\
import json, os, sys, time
began = time.monotonic()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, used = os.wait4(child, 0)
print(json.dumps([os.waitstatus_to_exitcode(status), time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss]))
"""
"""A small process in between: a large one would lend its child its own peak until it becomes the command."""


@dataclass(frozen=True, slots=True)
class Used:
    """What a command took, together with all that it started and waited for."""

    wall: float
    processor: float
    peak_kib: int
    """of its largest process"""

    def __str__(self) -> str:
        """For people."""
        return f"{self.wall:.2f} s, processors {self.processor:.2f} s, {self.peak_kib / 1024:.0f} MiB"


def attestore(*words: str | Path, folder: Path) -> Used:
    """`attestore` with these words, beside its home in `folder`."""
    programme = str(Path(sys.executable).with_name("attestore"))
    return alone((programme, *map(str, words)), folder=folder)


def alone(command: Sequence[str], *, folder: Path) -> Used:
    """Run it to its end; one that fails ends the measuring."""
    done = subprocess.run(
        (sys.executable, "-S", "-E", "-c", _AROUND, *command),
        check=True,
        capture_output=True,
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "NO_COLOR": "1"},
    )
    code, wall, processor, peak = json.loads(done.stdout.splitlines()[-1])
    if code:
        raise SystemExit(f"{' '.join(command)} ended with {code}: {done.stderr.decode()[-2000:]}")
    used = Used(wall, processor, peak)
    print(f"{' '.join(Path(each).name for each in command[:3])}: {used}, load {os.getloadavg()[0]:.1f}", flush=True)
    return used
