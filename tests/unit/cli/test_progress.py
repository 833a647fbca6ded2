"""How far a phase of bytes is, how fast it goes, and how long it may still take."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Console

from attestore.cli.display import Screen


class Clock:
    """Stands still until it is told to move."""

    def __init__(self) -> None:
        self.ms = 0

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC)

    def tick(self) -> int:
        return self.ms


def shown(screen: Screen) -> str:
    console = Console(width=100, record=True, quiet=False, file=None, color_system=None)
    with console.capture() as held:
        console.print(screen)
    return held.get()


def test_bytes_are_told_with_their_rate_and_the_time_that_is_left() -> None:
    clock = Clock()
    screen = Screen(Console(), clock=clock, phases=("retrieve",), title="recovery")
    screen.phase("retrieve")
    screen.progress(0, 100 << 20, unit="B")
    assert "left" not in shown(screen)
    clock.ms = 4_000
    screen.progress(40 << 20, 100 << 20, unit="B")
    assert "40.0 MiB of 100.0 MiB, 10.0 MiB/s, about 6 s left" in " ".join(shown(screen).split())


def test_what_has_not_moved_or_is_no_size_says_nothing_of_time() -> None:
    clock = Clock()
    screen = Screen(Console(), clock=clock, phases=(), title="recovery")
    screen.phase("retrieve")
    screen.progress(7, 100, unit="B")
    clock.ms = 9_000
    screen.progress(7, 100, unit="B")
    assert "left" not in shown(screen)
    screen.phase("verify")
    screen.progress(1, 10, unit="tables")
    clock.ms = 20_000
    screen.progress(5, 10, unit="tables")
    assert "left" not in shown(screen)
