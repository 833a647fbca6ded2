"""runbook: the last drill of a system as pages for the bad day."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from attestore import canon, compose, instants, resources
from attestore.archive import disk
from attestore.archive.rehearsed import last_rehearsal
from attestore.cli.configured import trusted
from attestore.cli.display import consoles
from attestore.compose.paper import printer
from attestore.compose.people import trusted_roster
from attestore.errors import UsageError
from attestore.ports import Page
from attestore.report import html, load_templates, markdown
from attestore.report.runbook import runbook_document

__all__ = ["Wish", "write_runbook"]

_PAPERS = ("A4", "Letter")


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    system: str
    reports: Path
    home: Path
    roster: Path | None
    into: Path
    paper: str
    as_json: bool


def write_runbook(asked: Wish) -> int:
    """Write `<system>.runbook.md` and `.pdf` into a folder, replacing those of before; 0."""
    system, paper, roster, into = asked.system, asked.paper, asked.roster, asked.into
    if paper not in _PAPERS:
        raise UsageError(f"there is no paper {paper!r}", hint=f"--paper {' or '.join(_PAPERS)}")
    named = roster or trusted(asked.home)
    people = trusted_roster(named) if roster is not None or named.exists() else None
    now = instants.text(compose.clock().now())
    told = last_rehearsal(asked.reports, system, roster=people, now=now, paper=paper)
    document, templates = runbook_document(told), load_templates(resources.templates_folder())
    page = Page(
        html=html(document, templates),
        title=document.plain_title,
        language=document.language,
        identifier=f"{told.case.context.run}/runbook",
        created=instants.parse(now),
    )
    disk.make_folder(into, exist_ok=True)
    paths = {"markdown": into / f"{system}.runbook.md", "pdf": into / f"{system}.runbook.pdf"}
    disk.replace(paths["markdown"], markdown(document, templates))
    disk.replace(paths["pdf"], printer().print(page, attachments=()))
    if asked.as_json:
        whole: canon.JSON = {
            "system": system,
            "run": told.case.context.run,
            "rto_ms": told.reading.number("restore.rto"),
            "expires": told.expires,
            "expired": told.expired,
            "outcome": told.outcome.name,
            "files": {form: str(path) for form, path in paths.items()},
        }
        typer.echo(canon.encode(whole).decode())
        return 0
    _, err = consoles()
    for path in paths.values():
        typer.echo(str(path))
    if told.expired:
        err.print(f"The drill that it tells of is too old: {told.case.context.run}. Drill again, and print it again.")
    return 0
