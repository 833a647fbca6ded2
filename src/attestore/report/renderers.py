"""Every renderer there ever was, by its version: a bundle is rendered again by the one that it names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from attestore.errors import UsageError
from attestore.report import content, one, render, verify
from attestore.report.case import Case
from attestore.report.languages import printed, written
from attestore.report.templates import Templates
from attestore.report.voice import speaking

__all__ = ["SUMMARY", "Renderer", "Sheet", "pages", "renderer"]

SUMMARY: Final = "summary"


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a printer takes: one page of HTML, and its title for metadata."""

    title: str
    html: str
    images: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Renderer:
    """From a case to its documents; a document is named by its gate, or `summary`."""

    version: str
    templates: Callable[[Mapping[str, bytes]], Templates]
    """reads them as a bundle archived them; raises ArchiveError"""
    markdown: Callable[[Case, str, Templates], bytes]
    """raises PrintError, and UsageError for a gate that the run did not judge"""
    sheet: Callable[[Case, str, Templates], Sheet]
    """the same document for the printer; raises what `markdown` raises"""
    verify: Callable[[Case, Templates], bytes]
    """VERIFY.md"""
    shipped: Mapping[str, frozenset[str]] | None
    """digests of the templates that came with it; None where they lie beside this package"""


def renderer(version: str) -> Renderer:
    """The renderer of that version.

    Raises:
        UsageError: this version of Attestore has none of that name.
    """
    found = _RENDERERS.get(version)
    if found is None:
        raise UsageError(
            f"its reports were made by renderer {version}; this version has {', '.join(sorted(_RENDERERS))}",
            hint="Take the version of Attestore that made it, or a newer one.",
        )
    return found


def pages(case: Case) -> tuple[str, ...]:
    """The documents of a case in the order in which they are made."""
    return (*(gate.id for gate in case.gates), SUMMARY)


def _one_markdown(case: Case, name: str, templates: Templates) -> bytes:
    return one.markdown(one.document(case, name), templates)


def _one_sheet(case: Case, name: str, templates: Templates) -> Sheet:
    made = one.document(case, name)
    return Sheet(made.plain_title, one.html(made, templates))


def _markdown(case: Case, name: str, templates: Templates) -> bytes:
    with speaking(written(templates, case.context.language)):
        return render.markdown(content.document(case, name), templates)


def _sheet(case: Case, name: str, templates: Templates) -> Sheet:
    with speaking(printed(templates, case.context.language)):
        made = content.document(case, name)
        html = render.html(made, templates)
    images = ((made.logo, templates.files()[made.logo]),) if made.logo in templates.files() else ()
    return Sheet(made.plain_title, html, images)


_RENDERERS: Final = {
    each.version: each
    for each in (
        Renderer("1", one.templates, _one_markdown, _one_sheet, one.verify_page, one.SHIPPED),
        Renderer(render.RENDERER, render.templates, _markdown, _sheet, verify.verify_page, None),
    )
}
