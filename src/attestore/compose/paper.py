"""What prints."""

from __future__ import annotations

from attestore.ports import Printer

__all__ = ["printer"]


def printer() -> Printer:
    """The printer of PDFs.

    Raises:
        PrintError: its libraries are missing.
    """
    from attestore.adapters.printer import WeasyPrinter

    return WeasyPrinter()
