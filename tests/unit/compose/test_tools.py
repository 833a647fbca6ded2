"""What a run says of those that died before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from attestore import compose
from attestore.adapters import workspace
from attestore.adapters.press import Press
from attestore.cli.cycle import Order


class Heard:
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ((), []),
        (("attestore-run-a",), ["Removed attestore-run-a, left behind by a run that died."]),
        (("attestore-run-a", "attestore-run-b"), ["Removed 2 working folders, left behind by runs that died."]),
    ],
)
def test_folders_that_were_left_behind_are_told_in_one_line(
    gone: tuple[str, ...], said: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workspace, "sweep", lambda: gone)
    heard = Heard()
    order = Order(reports=tmp_path / "reports", home=tmp_path / "home")
    assert compose.close_died(order.settings, press=Press(), watcher=heard) == ()  # type: ignore[arg-type]
    assert heard.lines == said
