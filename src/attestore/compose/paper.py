"""What prints."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attestore.ports import Printer

if TYPE_CHECKING:
    from attestore.adapters.press import Press

__all__ = ["pressing", "printer"]


def printer() -> Printer:
    """The printer of PDFs."""
    from attestore.adapters.press import Press

    return Press()


@contextmanager
def pressing() -> Iterator[Press]:
    """What prints, being begun while the block goes on, and kept for its length."""
    from attestore.adapters.press import Press

    with Press().kept() as press:
        yield press
