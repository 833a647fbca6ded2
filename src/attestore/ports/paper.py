"""Documents as an archive keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from attestore.pages import Attachment, Page

__all__ = ["Attachment", "Page", "Printer"]


class Printer(Protocol):
    """Makes PDF/A from HTML that refers to nothing outside."""

    @property
    def version(self) -> str:
        """Programme and version."""
        ...

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        """The PDF's bytes, equal for equal input on one machine.

        Raises:
            PrintError: the HTML refers to something outside, or the printer's libraries are missing.
        """
        ...

    def print_all(
        self, pages: Iterable[Page], *, attachments: Sequence[Attachment], told: Callable[[int], None] = lambda _: None
    ) -> list[bytes]:
        """Each page's bytes, in order; pages may still be made while others are printed. `told` hears how many are done.

        Raises:
            PrintError: as `print` does.
        """
        ...
