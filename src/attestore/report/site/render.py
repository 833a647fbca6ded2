"""Values become HTML: autoescape, undefined names are errors, and nothing runs or loads but what the policy names by digest."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from jinja2 import DictLoader, Environment, StrictUndefined, TemplateError
from markdown_it import MarkdownIt
from markupsafe import Markup

from attestore.errors import ArchiveError, PrintError
from attestore.report import numbers, wanting
from attestore.report.blocks import Mark, Prose, Span
from attestore.report.site import pictures
from attestore.report.site.names import FOLDER, Place, gate_page, run_page
from attestore.report.voice import say
from attestore.report.words import visible, visible_lines

__all__ = ["GENERATOR", "Dress", "load_dress"]

GENERATOR: Final = "Attestore site"
"""How the site knows a page for its own"""

_STYLE: Final = "site.css"
_SCRIPT: Final = "site.js"
_FONTS: Final = (
    "Inter-Regular.otf",
    "Inter-SemiBold.otf",
    "InterDisplay-SemiBold.otf",
    "JetBrainsMono-Regular.ttf",
    "OFL.txt",
)

_INLINE: Final = MarkdownIt("js-default").disable(
    ["image", "link", "autolink", "html_inline", "entity", "linkify", "strikethrough", "newline"]
)


@dataclass(frozen=True, slots=True)
class Dress:
    """How pages look, and the files that they need beside them."""

    _environment: Environment
    _style: str
    _script: str
    files: Mapping[str, bytes]
    """by their path below the folder of the index"""

    def page(self, template: str, place: Place, **values: object) -> bytes:
        """One page.

        Raises:
            PrintError: a template refers to something that is not there.
        """
        # the style stands in each page, since not every browser lets a page of files load another file by digest
        style = self._style.replace("@fonts/", f"{place.up}{FOLDER}/fonts/")
        frame = {
            "style": Markup(style),  # noqa: S704 - ours
            "script": Markup(self._script),  # noqa: S704 - ours
            "policy": _policy(style, self._script),
        }
        try:
            text = self._environment.get_template(template).render(place=place, **frame, **values)
        except TemplateError as problem:
            raise PrintError(
                f"the template site/{template} cannot be rendered: {problem.message or type(problem).__name__}"
            ) from problem
        return text.encode("utf-8")


def load_dress(folder: Path, *, language: str = "en", organisation: str = "") -> Dress:
    """The templates, style, script and fonts of the site, below the folder of all templates.

    Raises:
        ArchiveError: one is missing or cannot be read.
    """
    try:
        texts = {
            path.name: path.read_text("utf-8")
            for path in sorted((folder / "site").iterdir())
            if path.suffix in {".j2", ".css", ".js"}
        }
        fonts = {f"{FOLDER}/fonts/{name}": (folder / "fonts" / name).read_bytes() for name in _FONTS}
        style, script = texts.pop(_STYLE), texts.pop(_SCRIPT)
    except (OSError, KeyError, UnicodeDecodeError) as problem:
        raise ArchiveError(
            f"the templates of the site in {folder / 'site'} cannot be read: {problem}",
            hint="Install Attestore again, or name a folder that holds them.",
        ) from problem
    environment = Environment(
        loader=DictLoader(texts),
        undefined=StrictUndefined,
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.clear()
    environment.globals.update(
        say=say,
        language=language.replace("_", "-"),
        organisation=organisation,
        generator=GENERATOR,
        folder=FOLDER,
        run_page=run_page,
        gate_page=gate_page,
    )
    filters: dict[str, Callable[..., object]] = {
        "count": numbers.count,
        "instant": numbers.instant,
        "minute": numbers.minute,
        "day": numbers.day,
        "duration": numbers.duration,
        "size": numbers.size,
        "listing": _listing,
        "reason": wanting.reason,
        "gauge_svg": pictures.gauge,
        "prospect_svg": pictures.prospect,
    }
    environment.filters.update(filters)
    return Dress(environment, style, script, MappingProxyType(fonts))


@lru_cache(maxsize=8)
def _policy(style: str, script: str) -> str:
    """What a page may do: its own style and script by their digests, fonts and the icon; nothing else, from nowhere."""
    return (
        f"default-src 'none'; style-src '{_source(style)}'; script-src '{_source(script)}'; font-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def _source(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _shown(value: object) -> object:
    # most of them, asked first
    return visible(value) if type(value) is str else _other(value)


def _other(value: object) -> object:
    match value:
        case Markup():
            return value
        case Prose():
            return _inline(value.markdown)
        case Mark():
            return Markup('<span class="mark {}"><span class="sign" aria-hidden="true">{}</span>{}</span>').format(
                value.tone.value, value.tone.sign, visible(say(value.word))
            )
        case Span():
            return pictures.bar(value)
        case str():
            return visible(value)
        case int():
            return str(value)
        case _:
            raise PrintError(f"a template prints a {type(value).__name__}, which is no text")


@lru_cache(maxsize=4096)
def _inline(markdown: str) -> Markup:
    return Markup(_INLINE.renderInline(markdown))  # noqa: S704 - html is off, data was escaped


def _listing(text: str) -> Markup:
    return Markup.escape(visible_lines(text).strip("\n"))
