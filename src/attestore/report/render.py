"""Documents through templates: Markdown, re-rendered byte for byte by auditors, and HTML for the printer.

Templates come from a bundle as well as from us, so both environments are sandboxed, undefined names are errors, and
escaping happens behind the template's back: in Markdown as the finalizer of every expression, in HTML by autoescape.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import DictLoader, StrictUndefined, Template, TemplateError
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markdown_it import MarkdownIt
from markupsafe import Markup
from typing_extensions import override

from attestore import canon
from attestore.errors import ArchiveError, PrintError, UsageError
from attestore.report import blocks, pictures
from attestore.report.blocks import Cell, Code, Document, Gauge, Mark, Prose, Prospect, Span, Trend
from attestore.report.templates import Templates, held
from attestore.report.voice import say
from attestore.report.widths import column_widths
from attestore.report.words import escape, visible, visible_lines

__all__ = ["RENDERER", "html", "load_templates", "markdown", "templates"]

RENDERER: Final = "2"
"""Version of this renderer; a change of one byte of Markdown for the same evidence makes it another."""

_MARKDOWN: Final = "report.md.j2"
_HTML: Final = "report.html.j2"
_STYLE: Final = "report.css"
_FONTS: Final = "fonts.sha256"
_NEEDED: Final = (_HTML, _STYLE, _FONTS, _MARKDOWN)

_KNOWN: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2})?\.po|logo\.(svg|png)")
"""words of a language, the logo: there only where a report needs them"""

_INLINE: Final = MarkdownIt("js-default").disable(
    ["image", "link", "autolink", "html_inline", "entity", "linkify", "strikethrough", "newline"]
)


def templates(files: Mapping[str, bytes]) -> Templates:
    """Templates as a bundle archived them.

    Raises:
        ArchiveError: one is missing, not UTF-8, or larger than 1 MiB.
    """
    return held(files, needed=_NEEDED, known=tuple(name for name in sorted(files) if _KNOWN.fullmatch(name)))


def load_templates(folder: Path, *, own: Path | None = None, language: str = "en") -> Templates:
    """The templates of a folder, with the digests of the fonts beside them; of those that are in `own`, that one.

    Raises:
        ArchiveError: the folder lacks one or cannot be read.
        UsageError: neither folder holds the words of the language.
    """
    wanted = (_HTML, _STYLE, _MARKDOWN, *(() if language == "en" else (f"{language}.po",)))
    try:
        fonts = sorted(path for path in (folder / "fonts").iterdir() if path.is_file())
        lines = [f"{canon.sha256_hex(path.read_bytes())}  fonts/{path.name}\n" for path in fonts]
        files: dict[str, bytes] = {}
        for name in wanted:
            places = [place / name for place in (own, folder) if place is not None and (place / name).is_file()]
            if not places and name == f"{language}.po":
                known = sorted({"en", *(path.stem for place in (own, folder) if place for path in place.glob("*.po"))})
                raise UsageError(
                    f"there are no words of the language {language!r}", hint=f"There are: {', '.join(known)}."
                )
            files[name] = (places[0] if places else folder / name).read_bytes()
    except OSError as problem:
        raise ArchiveError(
            f"the report templates in {folder} cannot be read: {problem.strerror}",
            hint="Install Attestore again, or name a folder that holds them.",
        ) from problem
    return templates({**files, _FONTS: "".join(lines).encode()})


def markdown(document: Document, chosen: Templates) -> bytes:
    """The document as Markdown (CommonMark with GFM tables): equal bytes for equal input, on any machine.

    Raises:
        PrintError: a template refers to something that is not there, or does what the sandbox forbids.
    """
    text = _render(chosen, _MARKDOWN, document)
    lines = [line.rstrip(" ") for line in text.split("\n")]
    kept = [line for i, line in enumerate(lines) if line or (i and lines[i - 1])]
    return ("\n".join(kept).strip("\n") + "\n").encode("utf-8")


def html(document: Document, chosen: Templates) -> str:
    """The document as one HTML page; it refers to nothing but `attestore:` fonts, which only the printer resolves.

    Raises:
        PrintError: a template refers to something that is not there, or does what the sandbox forbids.
    """
    return _render(chosen, _HTML, document)


def _render(chosen: Templates, name: str, document: Document) -> str:
    style = Markup(chosen.text(_STYLE))  # noqa: S704 - a style sheet of ours, or one that an auditor compared
    try:
        return _compiled(name, chosen.text(name)).render(document=document, style=style)
    except TemplateError as problem:
        raise PrintError(
            f"the template {name} cannot be rendered: {problem.message or type(problem).__name__}"
        ) from problem
    except (ArithmeticError, MemoryError, RecursionError, TypeError, ValueError) as problem:
        raise PrintError(
            f"the template {name} cannot be rendered: {type(problem).__name__} {problem}".rstrip()
        ) from problem


_OURS: Final = frozenset(
    each
    for each in vars(blocks).values()
    if isinstance(each, type) and is_dataclass(each) and each.__module__ == blocks.__name__
)


class _Bounded(ImmutableSandboxedEnvironment):
    """Whoever audits a bundle renders its templates: none may take their memory or their day by one sum."""

    intercepted_binops = frozenset({"*", "**"})

    @override
    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        # of frozen values of ours only the name can be wrong; asking all that the sandbox asks of them took a tenth of an audit
        return not attr.startswith("_") if type(obj) in _OURS else super().is_safe_attribute(obj, attr, value)

    @override
    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        if operator == "**" or not (isinstance(left, int | float) and isinstance(right, int | float)):
            raise SecurityError(f"{operator} of {type(left).__name__} and {type(right).__name__} is not for templates")
        return super().call_binop(context, operator, left, right)


@lru_cache(maxsize=16)
def _compiled(name: str, text: str) -> Template:
    """A template, compiled once: an audit of many bundles renders the same text again and again."""
    environment = _Bounded(
        loader=DictLoader({name: text}),
        undefined=StrictUndefined,
        autoescape=name == _HTML,
        finalize=_as_html if name == _HTML else _as_markdown,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals.clear()
    filters: dict[str, Callable[..., object]] = {
        "fenced": _fenced,
        "gauge_text": _gauge_text,
        "gauge_svg": _gauge_svg,
        "trend_text": _trend_text,
        "trend_svg": _trend_svg,
        "prospect_svg": _prospect_svg,
        "cell": _cell_class,
        "widths": column_widths,
        "listing": _listing,
    }
    environment.filters.update(filters)
    return environment.get_template(name)


def _as_markdown(value: object) -> str:
    match value:
        case Prose():
            return value.markdown
        case Mark():
            return f"**{escape(say(value.word))}**"
        case Span():
            return pictures.span_text(value)
        case str():
            return escape(value)
        case int():
            return str(value)
        case _:
            raise PrintError(f"a template prints a {type(value).__name__}, which is no text")


def _as_html(value: object) -> object:
    match value:
        case Markup():
            return value
        case Prose():
            return Markup(_INLINE.renderInline(value.markdown))  # noqa: S704 - html is off, data was escaped
        case Mark():
            tone = value.tone
            return Markup('<span class="mark {}"><span class="sign">{}</span>{}</span>').format(
                tone.value, tone.sign, visible(say(value.word))
            )
        case Span():
            return Markup(pictures.span_svg(value))  # noqa: S704 - numbers only
        case str():
            return visible(value)
        case int():
            return str(value)
        case _:
            raise PrintError(f"a template prints a {type(value).__name__}, which is no text")


def _gauge_text(gauge: Gauge) -> Prose:
    return Prose(pictures.gauge_text(gauge))


def _gauge_svg(gauge: Gauge) -> Markup:
    return Markup(pictures.gauge_svg(gauge))  # noqa: S704 - numbers and an enum only


def _trend_text(trend: Trend) -> Prose:
    return Prose(pictures.trend_text(trend))


def _trend_svg(trend: Trend) -> Markup:
    return Markup(pictures.trend_svg(trend))  # noqa: S704 - numbers and an enum only


def _prospect_svg(prospect: Prospect) -> Markup:
    return Markup(pictures.prospect_svg(prospect))  # noqa: S704 - numbers only


def _listing(text: str) -> Markup:
    return Markup.escape(visible_lines(text).strip("\n"))


def _fenced(block: Code) -> Prose:
    """A fence that no line of the text can close."""
    text = visible_lines(block.text).strip("\n")
    longest = max((len(run) for run in _runs(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Prose(f"{fence}{block.language}\n{text}\n{fence}")


def _runs(text: str) -> list[str]:
    return [run for run in "".join(char if char == "`" else " " for char in text).split() if run]


def _cell_class(cell: Cell) -> str:
    match cell:
        case Mark():
            return f"judged {cell.tone.value}"
        case Span():
            return "drawn"
        case Prose() | str():
            return "text"
