"""Documents as an archive keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

__all__ = ["Attachment", "Page", "Printer"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried inside the PDF; `relationship` in the words of ISO 32000 (Data, Source, Supplement)."""

    name: str
    data: bytes
    media_type: str
    description: str
    relationship: str = "Data"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a printer needs to make one document reproducibly."""

    html: str
    title: str
    language: str
    identifier: str
    created: datetime
    images: tuple[tuple[str, bytes], ...] = ()
    """by file name, as the HTML names them below `attestore:images/`"""


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
