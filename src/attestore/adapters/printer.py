"""WeasyPrint behind the Printer port: PDF/A-3 with the evidence attached, equal bytes for equal input on one machine."""

from __future__ import annotations

import ctypes
import ctypes.util
import errno
import gc
import hashlib
import io
import logging
import os
import threading
import warnings
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version as version_of
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pikepdf
from fontTools.ttLib import TTFont

from attestore.canon import domain_digest
from attestore.errors import DiskError, PrintError
from attestore.pages import Attachment, Page
from attestore.resources import templates_folder

__all__ = ["WeasyPrinter"]

_SCHEME: Final = "attestore:"
_VARIANT: Final = "pdf/a-3a"
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_FONT_TYPES: Final = {".otf": "font/otf", ".ttf": "font/ttf"}
_IMAGE_TYPES: Final = {".svg": "image/svg+xml", ".png": "image/png"}
_PANGO: Final = "apt-get install --no-install-recommends libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_EPOCH: Final = "SOURCE_DATE_EPOCH"
_LATIN: Final = 0x7E
_environment = threading.Lock()


class WeasyPrinter:
    """Makes PDF/A-3a from HTML that refers to nothing but the bundled fonts.

    Raises:
        PrintError: Pango or another library that WeasyPrint loads is missing.
    """

    def __init__(self, folder: Path | None = None) -> None:
        """`folder` holds the report templates and their fonts; by default the shipped ones."""
        self._fonts = (templates_folder() if folder is None else folder) / "fonts"
        self._weasyprint = _library()
        self._configuration: Any = None

    @property
    def version(self) -> str:
        """Programme and version."""
        return f"WeasyPrint {version_of('weasyprint')}"

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        """The PDF's bytes, equal for equal input on one machine.

        Raises:
            PrintError: the HTML refers to something outside, or cannot be laid out.
        """
        refused: list[str] = []
        fetcher = _fetcher(self._weasyprint, self._fonts, dict(page.images), refused)
        page = replace(page, html=_spelled(page.html, self._fonts))
        with _at(page.created):
            made = self._lay_out(page, attachments, fetcher)
        if refused:
            raise PrintError(
                f"the report refers to {refused[0]!r}, which is outside of it",
                hint="A template may name nothing but fonts below attestore:fonts/.",
            )
        return _mended(made, page, attachments)

    def _lay_out(self, page: Page, attachments: Sequence[Attachment], fetcher: object) -> bytes:
        library = self._weasyprint
        if self._configuration is None:
            self._configuration = library.text.fonts.FontConfiguration()
        carried = [
            library.Attachment(
                # what it carries is put in its place afterwards: WeasyPrint would take seven times as long to compress it;
                # it tells attachments apart by their bytes
                string=item.name.encode(),
                name=item.name,
                description=item.description,
                relationship=item.relationship,
                created=page.created,
                modified=page.created,
            )
            for item in attachments
        ]
        try:
            with warnings.catch_warnings(), _uncollected():
                # WeasyPrint leaves the file of its colour profile open until it is collected
                warnings.simplefilter("ignore", ResourceWarning)
                made = library.HTML(string=page.html, url_fetcher=fetcher).write_pdf(
                    pdf_variant=_VARIANT,
                    pdf_identifier=_identifier(page),
                    attachments=carried,
                    font_config=self._configuration,
                    uncompressed_pdf=True,
                )
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as problem:
            if isinstance(problem, OSError) and problem.errno in _FULL:
                raise DiskError(
                    f"the report {page.title!r} could not be laid out: {problem.strerror}",
                    hint="Free space where temporary files go (TMPDIR); the next command closes the run.",
                ) from problem
            raise PrintError(f"the report {page.title!r} could not be laid out: {problem}") from problem
        return bytes(made)


def _fetcher(library: ModuleType, fonts: Path, images: Mapping[str, bytes], refused: list[str]) -> object:
    """Answers for bundled fonts and the page's own images only, and remembers what else was asked for."""
    base: Any = library.urls.URLFetcher

    class Bundled(base):  # type: ignore[misc]
        def fetch(self, url: str, headers: object = None) -> object:
            del headers
            drawn = images.get(url.removeprefix(f"{_SCHEME}images/"))
            if drawn is not None and url.startswith(f"{_SCHEME}images/"):
                return library.urls.URLFetcherResponse(url, drawn, {"Content-Type": _IMAGE_TYPES[url[-4:]]})
            name = url.removeprefix(f"{_SCHEME}fonts/")
            path = fonts / name
            kind = _FONT_TYPES.get(path.suffix)
            if name == url or "/" in name or kind is None or not path.is_file():
                refused.append(url)
                raise ValueError("outside of the report")
            return library.urls.URLFetcherResponse(url, path.read_bytes(), {"Content-Type": kind})

    return Bundled()


def _spelled(html: str, fonts: Path) -> str:
    """The HTML with every character that no font can draw spelled as `‹U+1F98A›`: a box would hide which one it was."""
    foreign = {char for char in set(html) if ord(char) > _LATIN} - _drawn(fonts)
    missing = {ord(char): f"‹U+{ord(char):04X}›" for char in foreign if not _system_draws(char)}
    return html.translate(missing) if missing else html


@cache
def _drawn(fonts: Path) -> frozenset[str]:
    """What every bundled text font draws."""
    covered: list[set[int]] = []
    for path in sorted(fonts.iterdir()):
        if path.suffix in _FONT_TYPES:
            with TTFont(path, lazy=True) as font:
                covered.append(set(font.getBestCmap()))
    return frozenset(map(chr, set.intersection(*covered))) if covered else frozenset()


@cache
def _system_draws(char: str) -> bool:
    """Whether a font of the system draws it; Pango then falls back to that font."""
    try:
        fontconfig = ctypes.CDLL("libfontconfig.so.1")
    except OSError:
        return False
    for name in ("FcPatternCreate", "FcCharSetCreate", "FcObjectSetCreate", "FcFontList"):
        getattr(fontconfig, name).restype = ctypes.c_void_p
    pattern = ctypes.c_void_p(fontconfig.FcPatternCreate())
    charset = ctypes.c_void_p(fontconfig.FcCharSetCreate())
    wanted = ctypes.c_void_p(fontconfig.FcObjectSetCreate())
    fontconfig.FcCharSetAddChar(charset, ctypes.c_uint32(ord(char)))
    fontconfig.FcPatternAddCharSet(pattern, b"charset", charset)
    found = fontconfig.FcFontList(None, pattern, wanted)
    # struct FcFontSet begins with the number of fonts in it
    number = ctypes.c_int.from_address(found).value if found else 0
    if found:
        fontconfig.FcFontSetDestroy(ctypes.c_void_p(found))
    fontconfig.FcObjectSetDestroy(wanted)
    fontconfig.FcCharSetDestroy(charset)
    fontconfig.FcPatternDestroy(pattern)
    return number > 0


@cache
def _library() -> ModuleType:
    """WeasyPrint, imported when it is first needed: it loads Pango, and takes a moment.

    Raises:
        PrintError: one of its libraries is missing.
    """
    for name in ("weasyprint", "fontTools", "weasyprint.progress"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        logger.setLevel(logging.CRITICAL)
    try:
        with _named_libraries():
            import weasyprint  # noqa: PLC0415 - loads Pango; a run that prints nothing must not need it
            import weasyprint.text.fonts  # noqa: PLC0415
            import weasyprint.urls  # noqa: PLC0415
    except OSError as problem:
        raise PrintError(
            f"WeasyPrint cannot load a library that it needs: {str(problem).splitlines()[0]}",
            hint=f"Run: {_PANGO}",
        ) from problem
    library: ModuleType = weasyprint
    return library


@contextmanager
def _named_libraries() -> Iterator[None]:
    """Libraries are found by the names that the linker knows, and no compiler is asked where others may be.

    ctypes would start gcc and ld for each name of another system, some thirty processes that inherit our whole environment
    (a PGPASSWORD in it, too) and take longer than the import itself.
    """
    search = ctypes.util.find_library
    ctypes.util.find_library = _nowhere
    try:
        yield
    finally:
        ctypes.util.find_library = search


def _nowhere(name: str) -> str | None:
    del name
    return None


@contextmanager
def _uncollected() -> Iterator[None]:
    """Layout makes hundreds of thousands of values that live to its end; looking through them again and again frees nothing."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def _at(created: datetime) -> Iterator[None]:
    """SOURCE_DATE_EPOCH set while a font is subset, then as it was: fontTools reads nothing else."""
    with _environment:
        before = os.environ.get(_EPOCH)
        os.environ[_EPOCH] = str(int(created.timestamp()))
        try:
            yield
        finally:
            if before is None:
                del os.environ[_EPOCH]
            else:
                os.environ[_EPOCH] = before


def _identifier(page: Page) -> bytes:
    return bytes.fromhex(domain_digest("pdf-identifier", page.identifier.encode(), page.html.encode())[:32])


def _mended(data: bytes, page: Page, attachments: Sequence[Attachment]) -> bytes:
    """The same PDF with what WeasyPrint leaves undone for PDF/A-3.

    WeasyPrint lists each attached file twice in /AF, guesses media types from the machine's tables, and has no
    instant of creation unless the HTML carries one. The files' bytes are not in it yet.
    """
    waiting = {item.name: item for item in attachments}
    with pikepdf.open(io.BytesIO(data)) as pdf:
        files = sorted(
            (item for item in pdf.objects if isinstance(item, pikepdf.Dictionary) and item.get("/Type") == "/Filespec"),
            key=lambda item: str(item.get("/UF", "")),
        )
        for item in files:
            attached = waiting.pop(str(item.get("/UF", item.get("/F", ""))), None)
            if attached is not None:
                file = item["/EF"]["/F"]
                file.write(zlib.compress(attached.data), filter=pikepdf.Name.FlateDecode)
                file["/Params"]["/Size"] = len(attached.data)
                file["/Params"]["/CheckSum"] = hashlib.md5(attached.data, usedforsecurity=False).digest()
                file["/Subtype"] = pikepdf.Name(f"/{attached.media_type}")
                item["/EF"]["/UF"] = file
        if waiting:
            raise PrintError(f"the report {page.title!r} came out without {', '.join(sorted(waiting))}")
        if files:
            pdf.Root["/AF"] = pikepdf.Array(files)
        pdf.Root["/ViewerPreferences"] = pikepdf.Dictionary(DisplayDocTitle=True)
        stamp = page.created.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=True) as record:
            record["dc:title"] = page.title
            record["xmp:CreateDate"] = stamp
            record["xmp:ModifyDate"] = stamp
            record["xmp:CreatorTool"] = "Attestore"
            record["dc:identifier"] = page.identifier
        out = io.BytesIO()
        pdf.save(
            out, deterministic_id=True, compress_streams=True, object_stream_mode=pikepdf.ObjectStreamMode.generate
        )
    return out.getvalue()
