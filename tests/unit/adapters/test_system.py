"""Time, chance and environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from attestore.adapters.system import SystemClock, SystemEntropy, environment


def test_the_clock_tells_utc_and_ticks_forward() -> None:
    clock = SystemClock()
    assert clock.now().utcoffset() == timedelta(0)
    ticks = [clock.tick() for _ in range(100)]
    assert ticks == sorted(ticks)


def test_tokens_have_their_size_and_differ() -> None:
    entropy = SystemEntropy()
    assert [len(entropy.token(size)) for size in (1, 16, 32)] == [1, 16, 32]
    assert entropy.token(32) != entropy.token(32)


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "one")
    seen = environment()
    monkeypatch.setenv("CANARY", "two")
    assert seen["CANARY"] == "one"
