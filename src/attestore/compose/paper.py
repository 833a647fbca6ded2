"""What prints."""

from __future__ import annotations

from attestore.ports import Printer

__all__ = ["printer"]


def printer() -> Printer:
    """The printer of PDFs."""
    from attestore.adapters.press import Press

    return Press()
