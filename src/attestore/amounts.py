"""How many of something, in English words: what the run writes down, and what people read on a terminal.

Sentences of reports are said in the language of the document instead: `report.numbers`.
"""

from __future__ import annotations

__all__ = ["amount"]


def amount(number: int, one: str, several: str = "") -> str:
    """`1 table`, `7,305 tables`; `several` where an s does not make the plural."""
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"
