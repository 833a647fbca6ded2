"""How a report travels to the process that lays it out, and the PDF back: one line of JSON, then the bytes that it counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Final, TypeAlias, cast

from attestore import canon
from attestore.errors import DiskError, Error, PrintError
from attestore.pages import Attachment, Page

__all__ = ["Job", "Ready", "answered", "attached", "document", "failed", "job", "made", "ready"]

_ANSWER: Final = "the answer of the printing process"


@dataclass(frozen=True, slots=True)
class Ready:
    """Not a page, but the question whether one could be printed."""


Job: TypeAlias = Ready | tuple[Page, tuple[Attachment, ...]]
"""What a process that prints is asked: a page, and what it carries."""


def ready() -> bytes:
    """Asks whether a page could be printed."""
    return _line({"kind": "ready"})


def attached(attachments: Sequence[Attachment]) -> Iterator[bytes]:
    """What the page after it carries."""
    told: list[canon.JSON] = [
        [each.name, each.media_type, each.description, each.relationship, len(each.data)] for each in attachments
    ]
    yield _line({"kind": "attachments", "attachments": told})
    yield from (each.data for each in attachments)


def document(page: Page) -> Iterator[bytes]:
    """One page."""
    html = page.html.encode()
    yield _line(
        {
            "kind": "page",
            "title": page.title,
            "language": page.language,
            "identifier": page.identifier,
            "created": page.created.isoformat(),
            "images": [[name, len(data)] for name, data in page.images],
            "html": len(html),
        }
    )
    yield html
    yield from (data for _, data in page.images)


def job(stream: IO[bytes]) -> Job:
    """The next thing that the other side asks for, whole."""
    carried: tuple[Attachment, ...] = ()
    while True:
        told = cast("dict[str, object]", canon.decode(stream.readline()[:-1], what="a page"))
        match told["kind"]:
            case "attachments":
                carried = tuple(
                    Attachment(
                        name=canon.as_text(name),
                        media_type=canon.as_text(kind),
                        description=canon.as_text(about),
                        relationship=canon.as_text(how),
                        data=stream.read(canon.as_count(size)),
                    )
                    for name, kind, about, how, size in map(canon.as_list, canon.as_list(told["attachments"]))
                )
            case "page":
                html = stream.read(canon.as_count(told["html"])).decode()
                images = map(canon.as_list, canon.as_list(told["images"]))
                page = Page(
                    html=html,
                    title=canon.as_text(told["title"]),
                    language=canon.as_text(told["language"]),
                    identifier=canon.as_text(told["identifier"]),
                    created=datetime.fromisoformat(canon.as_text(told["created"])),
                    images=tuple((canon.as_text(name), stream.read(canon.as_count(size))) for name, size in images),
                )
                return page, carried
            case _:
                return Ready()


def made(pdf: bytes) -> tuple[bytes, bytes]:
    """The answer to a page, or nothing to the question before it."""
    return _line({"size": len(pdf)}), pdf


def failed(problem: Error) -> tuple[bytes, ...]:
    """The answer where there is none."""
    return (_line({"error": type(problem).__name__, "message": problem.message, "hint": problem.hint}),)


def answered(stream: IO[bytes]) -> bytes | None:
    """The bytes that were made; None if the other side is gone.

    Raises:
        PrintError, DiskError: what it says instead.
        TamperedError: it says something else.
    """
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    told = cast("dict[str, object]", canon.decode(line[:-1], what=_ANSWER))
    if "error" in told:
        kind = DiskError if told["error"] == DiskError.__name__ else PrintError
        raise kind(canon.as_text(told["message"]), hint=canon.as_text(told["hint"]))
    size = canon.as_count(told["size"])
    data = stream.read(size)
    return data if len(data) == size else None


def _line(told: dict[str, canon.JSON]) -> bytes:
    return canon.encode(told) + b"\n"
