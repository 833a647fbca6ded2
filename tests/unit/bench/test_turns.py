"""The arithmetic of ratios, and that every row of the bench can be asked for."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

_BENCH = Path(__file__).parents[3] / "bench"


@pytest.fixture(scope="module")
def turns() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_turns", _BENCH / "turns.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_row_is_imported_and_offered() -> None:
    """A module that does not import would end `make bench` hours later."""
    asked = subprocess.run(
        [sys.executable, str(_BENCH / "bench.py"), "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    for name in ("cycle", "fingerprint", "memory", "s3", "tables", "source", "start", "report", "site", "audit"):
        assert name in asked.stdout


def test_a_ratio_is_of_the_pairs_and_not_of_the_medians(turns: ModuleType) -> None:
    """The medians are 4 and 2; what a slow round does to both ways cancels in the pair."""
    assert turns.ratio([3.0, 10.0, 4.0], [1.0, 10.0, 2.0]) == (2.0, 1.0, 3.0)


def test_pairs_that_lack_a_partner_are_refused(turns: ModuleType) -> None:
    with pytest.raises(ValueError, match="shorter"):
        turns.ratio([1.0, 2.0], [1.0])


def test_each_round_begins_with_another_way(turns: ModuleType) -> None:
    """Whoever always goes last finds the caches that the others filled."""
    called: list[str] = []

    def way(name: str) -> object:
        called.append(name)
        return turns.Spent(1.0, 1.0)

    took = turns.turns({name: lambda name=name: way(name) for name in "abc"}, 2)
    assert called == [*"abc", *"bca"]
    assert [len(each) for each in took.values()] == [2, 2, 2]


def test_what_a_programme_computes_is_its_processor_time(turns: ModuleType) -> None:
    """Of what was started and waited for; a sleeper would cost nothing."""
    burn = "import time\nwhile time.process_time() < 0.4: pass"
    spent = turns.timed(lambda: subprocess.run([sys.executable, "-c", burn], check=True))
    assert spent.processor >= 0.4
    assert spent.wall > 0
