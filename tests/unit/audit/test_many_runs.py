"""What an audit does grows with the runs and with the ledger, never with both multiplied; what it keeps of a run is little."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import attestore.audit
import bundles
from attestore.archive import LedgerFile
from attestore.audit import status
from attestore.evidence import ledger
from attestore.evidence.ledger import Entry, RunFinished, RunStarted
from bundles import AUDITED, GLASS, ROSTER, START, Draft, audited, issue

if TYPE_CHECKING:
    from _typeshed import TraceFunction

_ROOM = str(Path(attestore.audit.__file__).parent)
_MORE = 200


def steps(work: Callable[[], object]) -> int:
    """How many lines of the audit's own code are carried out: no clock, the same every time."""
    count = 0

    def line(_: FrameType, event: str, __: object) -> TraceFunction | None:
        nonlocal count
        count += event == "line"
        return line

    def call(frame: FrameType, event: str, _: object) -> TraceFunction | None:
        return line if event == "call" and frame.f_code.co_filename.startswith(_ROOM) else None

    before = sys.gettrace()
    sys.settrace(call)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def archive(reports: Path, *, runs: int) -> Path:
    for number in range(runs):
        issue(reports, Draft(run=f"20260301T02000{number}Z-shop-0a1b", start=START + timedelta(seconds=number)))
    return reports


def lengthen(reports: Path) -> None:
    """Runs of another system whose bundles are gone."""
    known = LedgerFile(reports).read()
    start = next(each for each in known.entries if isinstance(each, RunStarted))
    end = next(each for each in known.entries if isinstance(each, RunFinished))
    more: list[Entry] = []
    for number in range(_MORE):
        run = f"20260301T030000Z-other-{number:04x}"
        more += [replace(start, run=run, system="other", gates=()), replace(end, run=run, outcomes=())]
    (reports / "ledger.jsonl").write_bytes(ledger.written([*known.entries, *more]))


def test_a_longer_ledger_costs_an_audit_the_same_whatever_number_of_bundles_there_is(tmp_path: Path) -> None:
    cost: dict[int, int] = {}
    for runs in (1, 4):
        reports = archive(tmp_path / str(runs), runs=runs)
        short = steps(lambda reports=reports: audited(reports))  # type: ignore[misc]
        lengthen(reports)
        cost[runs] = steps(lambda reports=reports: audited(reports)) - short  # type: ignore[misc]
    # each bundle that went through the longer ledger once would take 400 lines more
    assert abs(cost[4] - cost[1]) < _MORE


def test_a_longer_ledger_costs_the_status_the_same_whatever_number_of_runs_rests_on_it(tmp_path: Path) -> None:
    cost: dict[int, int] = {}
    for runs in (1, 4):
        reports = tmp_path / str(runs)
        for number in range(runs):
            start = START + timedelta(seconds=number)
            issue(reports, Draft(run=f"20260301T02000{number}Z-shop-0a1b", system=f"shop-{number}", start=start))

        def look(reports: Path = reports) -> None:
            status(reports, roster=ROSTER, verifier=GLASS, at=AUDITED, now=AUDITED)

        short = steps(look)
        lengthen(reports)
        cost[runs] = steps(look) - short
    assert abs(cost[4] - cost[1]) < _MORE


_APART = """
import sys
from functools import partial
from pathlib import Path
from attestore.adapters.spread import spread
from attestore.audit import audit
from bundles import AUDITED, GLASS, ROSTER
one = lambda **more: audit(Path(sys.argv[1]), roster=ROSTER, verifier=GLASS, at=AUDITED, **more)
alone, apart = one(), one(spread=partial(spread, jobs=2))
print(alone == apart, [f"{line.subject} {line.check}" for line in apart.problems])
"""


def test_an_audit_by_several_processes_finds_what_one_finds_in_the_same_order(tmp_path: Path) -> None:
    """In a process of its own: a test runner may have threads, and then there are no several."""
    reports = archive(tmp_path, runs=5)
    folder = sorted(path for path in reports.iterdir() if path.is_dir())[3]
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / "more.log").write_bytes(b"of nobody")
    done = subprocess.run(
        [sys.executable, "-c", _APART, reports], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": str(Path(bundles.__file__).parent)},
    )  # fmt: skip
    where = f"{folder.name}/logs/more.log"
    assert done.stdout == f"True {[f'{where} sums', f'{where} statement']}\n"
