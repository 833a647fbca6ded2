"""Reports of a sealed bundle, rendered again from it alone; what is sealed stays as it is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

from attestore import instants, report
from attestore.archive import disk, layout, read_bundle
from attestore.archive.opened import Contents
from attestore.archive.record import read_record
from attestore.compose.configured import Configured
from attestore.compose.looks import looks
from attestore.errors import UsageError
from attestore.evidence import revision
from attestore.evidence.decision import Decision
from attestore.evidence.revision import Revision
from attestore.ports import Page
from attestore.report import Case, Renderer, Templates

__all__ = ["Wanted", "render_again"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """How they are to look; nothing said: as they were sealed, by their own renderer and templates."""

    only: tuple[str, ...] = ()
    """ids of gates, or `summary`; empty: all of them"""
    language: str = ""
    paper: str = ""
    dressed: bool = False
    """house, logo, accent, language and paper as the configuration file says"""


def render_again(folder: Path, *, into: Path, wanted: Wanted, configured: Configured | None) -> tuple[Path, ...]:
    """Markdown and PDF of each report, written into a new folder; the newest revision's, where people have decided.

    Raises:
        ArchiveError, TamperedError: it is no sealed bundle, or its files are not those that its statement lists.
        UsageError: the folder is not new, or there is no such gate, language or paper.
        PrintError, DiskError: a page can't be printed or written.
    """
    from attestore.adapters.press import Press

    if into.exists() or folder.resolve() in into.resolve().parents:
        raise UsageError(f"{into} exists already, or lies in the bundle", hint="Name a new folder with --into.")
    if not into.parent.is_dir():
        raise UsageError(
            f"there is no folder {into.parent} to make {into.name} in", hint="Make it first, or name another."
        )
    contents = read_bundle(folder)
    case, records = _case(folder, contents)
    renderer, templates, case = _looks(case, contents, wanted=wanted, configured=configured)
    names = wanted.only or report.pages(case)
    for name in set(names) - {report.SUMMARY}:
        case.gate(name)
    carried = report.attachments(contents.read, names=contents.names, gates=case.gates)
    if case.revision is not None:
        carried = (*carried, *report.revision_attachments(case.revision, records))
    with Press().printing([_page(case, name, renderer, templates) for name in names], attachments=carried) as done:
        # what can't be printed leaves no folder that the next try would trip over
        texts = [renderer.markdown(case, name, templates) for name in names]
        printed = dict(done)
    disk.make_folder(into, exist_ok=False)
    written: list[Path] = []
    for number, (name, text) in enumerate(zip(names, texts, strict=True)):
        for path, data in ((into / f"{name}.md", text), (into / f"{name}.pdf", printed[number])):
            disk.write_new(path, data)
            written.append(path)
    return tuple(written)


def _page(case: Case, name: str, renderer: Renderer, templates: Templates) -> Page:
    sheet = renderer.sheet(case, name, templates)
    made = case.revision
    return Page(
        html=sheet.html,
        title=sheet.title,
        images=sheet.images,
        language=case.context.language,
        identifier=f"{case.context.run}/{name}/again",
        created=instants.parse(case.context.ended if made is None else made.at),
    )


def _case(folder: Path, contents: Contents) -> tuple[Case, tuple[tuple[str, bytes], ...]]:
    """The case as its newest revision tells it, and the files of the decisions that this one rests on."""
    record = read_record(folder)
    numbers = [n for n in range(1, len(contents.names)) if f"{layout.REVISIONS}/{n}/context.json" in contents]
    if not numbers:
        return record.case, ()
    made = revision.decode(contents.read(f"{layout.REVISIONS}/{max(numbers)}/context.json"))
    chosen = _chosen(made, record.decisions)
    files = tuple(
        (f"{each.name}{end}", contents.read(f"{layout.DECISIONS}/{each.name}{end}"))
        for each in chosen
        for end in (".json", ".json.asc")
    )
    return replace(record.case, revision=made, decisions=chosen), files


def _chosen(made: Revision, told: Collection[Decision]) -> tuple[Decision, ...]:
    by_digest = {each.digest: each for each in told}
    return tuple(by_digest[digest] for digest in made.decisions if digest in by_digest)


def _looks(
    case: Case, contents: Contents, *, wanted: Wanted, configured: Configured | None
) -> tuple[Renderer, Templates, Case]:
    if not (wanted.language or wanted.paper or wanted.dressed):
        renderer = report.renderer(case.context.renderer)
        archived = [name for name in contents.names if name.startswith("templates/")]
        files = {name.removeprefix("templates/"): contents.read(name) for name in archived}
        return renderer, renderer.templates(files), case
    about = case.context
    chosen = looks(
        configured if wanted.dressed else None,
        language=wanted.language or ("" if wanted.dressed else about.language),
        paper=wanted.paper or ("" if wanted.dressed else about.paper),
    )
    again = replace(
        about,
        renderer=report.RENDERER,
        language=chosen.language,
        paper=chosen.paper,
        branding=chosen.branding,
    )
    return report.renderer(report.RENDERER), chosen.templates, replace(case, context=again)
