"""How reports look: whose they are, on which paper, in which language, with which templates."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from attestore.strictyaml import Node

__all__ = ["Branded", "ReportForm", "read_branding"]

_COLOUR: Final = re.compile(r"#[0-9a-fA-F]{6}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?")
_LOGOS: Final = (".svg", ".png")
_LONGEST: Final = 80
_READABLE: Final = 4.5
"""contrast on white paper that small text needs"""


class ReportForm(BaseModel):
    """What the section report may say."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    organisation: str | None = Field(default=None, description="Whose reports they are; stands at the head of each.")
    logo: str | None = Field(default=None, description="SVG or PNG, up to 256 KiB; relative to this file.")
    accent: str | None = Field(default=None, description="Colour of headings, as #1f4e8c.")
    paper: Literal["A4", "Letter"] | None = Field(default=None, description="A4 or Letter.")
    language: str | None = Field(default=None, description="en, de, or one that the templates add.")
    templates: str | None = Field(
        default=None, description="Folder of your own report.md.j2, report.html.j2, report.css, xx.po."
    )


@dataclass(frozen=True, slots=True)
class Branded:
    """What the file says; empty or None: nothing."""

    organisation: str = ""
    logo: Path | None = None
    """as written: relative to the file's folder"""
    accent: str = ""
    paper: str = ""
    language: str = ""
    templates: Path | None = None
    """as written: relative to the file's folder"""


def read_branding(node: Node) -> Branded:
    """The section report.

    Raises:
        GateError: an unknown key, a colour that is none or can't be read on paper, a logo of another kind.
    """
    form = node.read_as(ReportForm)
    if form.organisation is not None and not 0 < len(form.organisation.strip()) <= _LONGEST:
        raise node.error(f"organisation: has to be 1 to {_LONGEST} characters", at=("organisation",))
    if form.logo is not None and not form.logo.endswith(_LOGOS):
        raise node.error(f"the logo {form.logo!r} is neither .svg nor .png", at=("logo",))
    if form.accent is not None:
        _accent(form.accent, node)
    if form.language is not None and not _LANGUAGE.fullmatch(form.language):
        raise node.error(
            f"the language {form.language!r} is no language code", at=("language",), hint="Write en, de, or as fr_CA."
        )
    return Branded(
        organisation=form.organisation or "",
        logo=None if form.logo is None else Path(form.logo),
        accent=form.accent or "",
        paper=form.paper or "",
        language=form.language or "",
        templates=None if form.templates is None else Path(form.templates),
    )


def _accent(accent: str, node: Node) -> None:
    if not _COLOUR.fullmatch(accent):
        raise node.error(f"the accent {accent!r} is no colour", at=("accent",), hint='Write it as "#1f4e8c".')
    light = sum(
        weight * _linear(int(accent[at : at + 2], 16) / 255) for weight, at in ((0.2126, 1), (0.7152, 3), (0.0722, 5))
    )
    contrast = 1.05 / (light + 0.05)
    if contrast < _READABLE:
        raise node.error(
            f"the accent {accent} is too pale for headings: contrast {contrast:.1f} on white, {_READABLE} is the least",
            at=("accent",),
            hint="Take a darker shade of it.",
        )


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4  # noqa: PLR2004  sRGB
