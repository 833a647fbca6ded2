"""runbook: the last drill of a system as pages for the bad day."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import typer

from attestore import canon, compose, instants, resources
from attestore.archive import disk
from attestore.archive.rehearsed import last_rehearsal
from attestore.cli.configured import chosen, trusted
from attestore.cli.display import consoles
from attestore.compose.looks import looks
from attestore.compose.paper import printer
from attestore.compose.people import trusted_roster
from attestore.ports import Page
from attestore.report import html, markdown
from attestore.report.languages import catalogue, printed, written
from attestore.report.runbook import runbook_document
from attestore.report.voice import Voice, speaking

__all__ = ["Wish", "write_runbook"]


@dataclass(frozen=True, slots=True)
class Wish:
    """What was asked for on the command line."""

    system: str
    reports: Path
    home: Path
    roster: Path | None
    into: Path
    paper: str
    language: str
    as_json: bool


def write_runbook(asked: Wish) -> int:
    """Write `<system>.runbook.md` and `.pdf` into a folder, replacing those of before; 0."""
    system, roster, into = asked.system, asked.roster, asked.into
    dressed = looks(chosen(), language=asked.language, paper=asked.paper)
    named = roster or trusted(asked.home)
    people = trusted_roster(named) if roster is not None or named.exists() else None
    now = instants.text(compose.clock().now())
    told = replace(
        last_rehearsal(asked.reports, system, roster=people, now=now),
        paper=dressed.paper,
        language=dressed.language,
        branding=dressed.branding,
    )
    templates = dressed.templates
    with speaking(_with_ours(written(templates, dressed.language), dressed.language)):
        text = markdown(runbook_document(told), templates)
    with speaking(_with_ours(printed(templates, dressed.language), dressed.language)):
        document = runbook_document(told)
        page = Page(
            html=html(document, templates),
            title=document.plain_title,
            language=document.language,
            identifier=f"{told.case.context.run}/runbook",
            created=instants.parse(now),
            images=((document.logo, templates.files()[document.logo]),) if document.logo else (),
        )
    disk.make_folder(into, exist_ok=True)
    paths = {"markdown": into / f"{system}.runbook.md", "pdf": into / f"{system}.runbook.pdf"}
    disk.replace(paths["markdown"], text)
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


def _with_ours(voice: Voice, language: str) -> Voice:
    """The voice with the runbook's own words, where that language has them."""
    ours = resources.templates_folder() / "runbook" / f"{language}.po"
    return replace(voice, words={**voice.words, **catalogue(ours.read_bytes())}) if ours.is_file() else voice
