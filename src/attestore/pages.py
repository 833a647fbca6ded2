"""A document on its way to whatever prints it; a process that only prints imports nothing else of ours for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

__all__ = ["Attachment", "Page"]


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
