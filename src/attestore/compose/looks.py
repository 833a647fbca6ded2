"""How reports look: what the command line says, else the configuration file, else what is shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from attestore import report, resources
from attestore.compose.configured import Configured
from attestore.config.branding import Branded, read_branding
from attestore.errors import UsageError
from attestore.evidence import Branding
from attestore.report import Templates
from attestore.report.logos import check_logo

__all__ = ["Looks", "looks"]

_PAPERS: Final = ("A4", "Letter")


@dataclass(frozen=True, slots=True)
class Looks:
    """Everything that decides the looks of a report."""

    templates: Templates
    branding: Branding
    language: str
    paper: str


def looks(configured: Configured | None, *, language: str = "", paper: str = "") -> Looks:
    """What was asked for, completed.

    Raises:
        GateError: the file's section report can't be meant.
        UsageError: there is no such language or paper, or the logo can't be taken.
        ArchiveError: templates can't be read.
    """
    node = None if configured is None else configured.installation.report
    said = Branded() if node is None else read_branding(node)
    folder = Path() if configured is None else configured.installation.file.parent
    chosen = paper or said.paper or "A4"
    if chosen not in _PAPERS:
        raise UsageError(f"there is no paper {chosen!r}", hint=f"--paper {' or '.join(_PAPERS)}")
    spoken = language or said.language or "en"
    own = None if said.templates is None else folder / said.templates
    if own is not None and not own.is_dir():
        raise UsageError(f"there is no folder of templates {own}", hint="Mend report: templates: in the configuration.")
    templates = report.load_templates(resources.templates_folder(), own=own, language=spoken)
    logo = ""
    if said.logo is not None:
        logo = f"logo{said.logo.suffix}"
        templates = report.templates({**templates.files(), logo: _logo(folder / said.logo)})
    return Looks(
        templates=templates,
        branding=Branding(organisation=said.organisation, accent=said.accent, logo=logo),
        language=spoken,
        paper=chosen,
    )


def _logo(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise UsageError(f"the logo {path} can't be read: {problem.strerror}") from problem
    check_logo(path.name, data)
    return data
