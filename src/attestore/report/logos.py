"""A logo is somebody else's file: it is bounded, and an SVG may draw, and nothing else."""

from __future__ import annotations

import re
import struct
from typing import Final
from xml.etree import ElementTree as ET

from attestore.errors import UsageError

__all__ = ["check_logo"]

_MOST_BYTES: Final = 256 << 10
_MOST_ELEMENTS: Final = 2000
_MOST_PIXELS: Final = 4096
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_NAMESPACE: Final = "{http://www.w3.org/2000/svg}"
_DRAWING: Final = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "defs",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "title",
        "desc",
    ]
)
_ELSEWHERE: Final = re.compile(r"url\(\s*['\"]?(?!#)|javascript:|data:|@import|expression\(", re.IGNORECASE)


def check_logo(name: str, data: bytes) -> None:
    """Return if the file is a picture and nothing else.

    Raises:
        UsageError: it is too large, neither SVG nor PNG, or an SVG with scripts, text, images, links or references.
    """
    if len(data) > _MOST_BYTES:
        raise UsageError(f"the logo {name} has {len(data)} bytes; {_MOST_BYTES} is the most", hint="Make it smaller.")
    problem = _svg(data) if name.endswith(".svg") else _png(data)
    if problem:
        raise UsageError(
            f"the logo {name} can't be taken: {problem}", hint="Save it as a plain SVG (paths only), or as a PNG."
        )


def _png(data: bytes) -> str:
    if not data.startswith(_PNG) or data[12:16] != b"IHDR":
        return "it is no PNG"
    wide, tall = struct.unpack(">II", data[16:24])
    return "" if 0 < wide <= _MOST_PIXELS and 0 < tall <= _MOST_PIXELS else f"it measures {wide} × {tall} pixels"


def _svg(data: bytes) -> str:
    if b"<!" in data.replace(b"<!--", b"") or b"<?xml-stylesheet" in data:
        return "it declares a document type, entities or a style sheet"
    try:
        root = ET.fromstring(data)  # noqa: S314  bounded above, and declares no entities
    except (ET.ParseError, ValueError) as problem:
        return f"it is no SVG: {problem}"
    for count, element in enumerate(root.iter(), start=1):
        kind = str(element.tag).removeprefix(_NAMESPACE)
        if kind not in _DRAWING:
            return f"it holds an element {kind[:40]!r}"
        if count > _MOST_ELEMENTS:
            return f"it holds more than {_MOST_ELEMENTS} elements"
        for attribute, value in element.attrib.items():
            plain = attribute.rpartition("}")[2].lower()
            # a backslash is how a style writes letters that this would not see
            if plain.startswith("on") or plain == "href" or "\\" in value or _ELSEWHERE.search(value):
                return f"its attribute {plain[:40]!r} refers elsewhere or acts"
    return "" if str(root.tag) == f"{_NAMESPACE}svg" else "its first element is not svg"
