"""Every report of a case, as Markdown and PDF, each signed: the same at the end of a run and after a decision."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from attestore import report
from attestore.ports import Attachment, Page, Printer, Signer, Watcher
from attestore.report import Case, Templates

__all__ = ["Issuer", "render"]


class Issuer(Protocol):
    """What a report needs besides its case."""

    @property
    def printer(self) -> Printer:
        """Makes the PDFs."""
        ...

    @property
    def signer(self) -> Signer:
        """Signs both forms."""
        ...

    @property
    def watcher(self) -> Watcher:
        """Hears how many are done."""
        ...


def render(  # noqa: PLR0913  each is one decision about a document
    case: Case,
    templates: Templates,
    *,
    issue: str,
    created: datetime,
    carried: Sequence[Attachment],
    write: Callable[[str, bytes], Path],
    by: Issuer,
) -> None:
    """Write and sign each document; `issue` is what tells this edition from others of the same run in a PDF's identifier.

    Raises:
        PrintError, DiskError: a page can't be printed or written.
        KeyringError: it can't be signed.
    """
    renderer, names = report.renderer(case.context.renderer), report.pages(case)

    def page(name: str) -> Page:
        sheet = renderer.sheet(case, name, templates)
        return Page(
            html=sheet.html,
            title=sheet.title,
            images=sheet.images,
            language=case.context.language,
            identifier=f"{case.context.run}/{name}{issue}",
            created=created,
        )

    with by.printer.printing([page(name) for name in names], attachments=carried) as printed:
        # the layout takes longest: all else is done beside it
        for name in names:
            by.signer.sign(write(f"{name}.md", renderer.markdown(case, name, templates)))
        for done, (number, pdf) in enumerate(printed, 1):
            by.signer.sign(write(f"{names[number]}.pdf", pdf))
            by.watcher.progress(done, len(names), unit="parts")
