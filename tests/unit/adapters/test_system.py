"""The environment; clock and chance keep tests/contract/test_workspace_contract.py."""

from __future__ import annotations

import pytest

from attestore.adapters.system import environment


def test_the_environment_is_a_copy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY", "one")
    seen = environment()
    monkeypatch.setenv("CANARY", "two")
    assert seen["CANARY"] == "one"
