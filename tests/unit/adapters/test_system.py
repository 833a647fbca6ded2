"""The environment; clock and chance keep tests/contract/test_workspace_contract.py."""

from __future__ import annotations

import threading

import pytest

from attestore.adapters.system import SystemClock, environment


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "one")
    seen = environment()
    monkeypatch.setenv("CANARY", "two")
    assert seen["CANARY"] == "one"


def test_who_is_woken_rests_no_longer() -> None:
    """A run that is stopped does not wait for the rest of a minute, or this test for a day."""
    woken = threading.Event()
    woken.set()
    SystemClock().rest(86_400_000, woken=woken)
