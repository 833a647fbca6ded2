"""Work in several processes: the same as in one, whatever becomes of them. In processes of their own, since a test runner may have threads."""

from __future__ import annotations

import subprocess
import sys

import pytest

_BEFORE = """
import os, signal, sys
from attestore.adapters.spread import spread
here = os.getpid()
"""


def told(script: str) -> str:
    """What a script prints, with every warning an error."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", _BEFORE + script], capture_output=True, text=True, timeout=60, check=False
    )
    return done.stdout + done.stderr


def test_results_come_in_the_order_of_tasks_and_from_other_processes() -> None:
    script = """
made = list(spread(lambda n: (n * n, os.getpid()), range(100), jobs=3))
print([value for value, _ in made] == [n * n for n in range(100)], len({pid for _, pid in made} - {here}), here in {pid for _, pid in made})
"""
    assert told(script) == "True 3 False\n"


def test_what_a_child_that_was_killed_leaves_is_done_here() -> None:
    """The kernel may take a process for its memory."""
    script = """
def work(n):
    if n == 11 and os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return n, "x" * 100_000, os.getpid() == here
made = list(spread(work, range(40), jobs=2))
print([n for n, _, _ in made] == list(range(40)), [n for n, _, mine in made if mine][:2], len(made[11][1]))
"""
    assert told(script) == "True [11, 13] 100000\n"


def test_half_an_answer_is_none() -> None:
    script = """
class Half:
    def __reduce__(self):
        os.kill(os.getpid(), signal.SIGKILL)
def work(n):
    if n == 11 and os.getpid() != here:
        return n, b"x" * 1_000_000, Half()
    return n, b"x", os.getpid() == here
made = list(spread(work, range(40), jobs=2))
print([n for n, _, _ in made] == list(range(40)), [n for n, _, mine in made if mine][:2], made[11][1])
"""
    assert told(script) == "True [11, 13] b'x'\n"


def test_what_work_raises_is_raised_here_by_the_task_that_raises_it() -> None:
    script = """
from attestore.errors import GateError
def work(n):
    if n == 5:
        raise GateError("no gate", where="gate.yaml", line=3, column=1, hint="Write one.")
    return n
seen = []
try:
    for each in spread(work, range(10), jobs=2):
        seen.append(each)
except GateError as problem:
    print(seen, problem.message, problem.hint)
"""
    assert told(script) == "[0, 1, 2, 3, 4] gate.yaml:3:1: no gate Write one.\n"


def test_nobody_is_left_behind_when_the_reader_stops_early() -> None:
    script = """
import time
several = spread(lambda n: (time.sleep(0.01 * n), os.getpid())[1], range(1000), jobs=2)
pids = {next(several) for _ in range(4)}
several.close()
gone = 0
for pid in pids:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        gone += 1
print(gone)
"""
    assert told(script) == "2\n"


def test_a_process_with_threads_is_not_copied() -> None:
    """A lock that another thread holds at that instant would be held for ever in the copy."""
    script = """
import threading
stop = threading.Event()
beside = threading.Thread(target=stop.wait)
beside.start()
print(set(spread(lambda n: os.getpid() == here, range(100), jobs=2)))
stop.set()
"""
    assert told(script) == "{True}\n"


@pytest.mark.parametrize("count", [0, 1, 5])
def test_little_work_is_done_here(count: int) -> None:
    script = f"print(list(spread(lambda n: os.getpid() == here, range({count}))))"
    assert told(script) == f"{[True] * count}\n"
