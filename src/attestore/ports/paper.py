"""Documents as an archive keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
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

    def prepare(self) -> None:
        """Pages will come soon: whatever takes a while to begin is begun; returns at once."""
        ...

    def printing(
        self, pages: Sequence[Page], *, attachments: Sequence[Attachment]
    ) -> AbstractContextManager[Iterator[tuple[int, bytes]]]:
        """The number of each page and its bytes, as they are done, which may be beside the work of the block.

        Raises:
            PrintError: as `print` does.
        """
        ...
