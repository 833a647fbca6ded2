"""What programmes print, without what must not be kept: secrets, passwords, rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["redact"]

_HIDDEN: Final = "[hidden]"
_PATTERNS: Final = (
    (re.compile(r"(?i)(\b\w*password\w*\s*=\s*)('(?:[^'\\]|\\.)*'|\"[^\"]*\"|[^\s'\"&;]+)"), rf"\1{_HIDDEN}"),
    (re.compile(r"(?i)(\b\w*password\w*\s+)'(?:[^']|'')*'"), rf"\1{_HIDDEN}"),
    # what PostgreSQL adds to an error quotes rows
    (
        re.compile(r"(?ms)^(DETAIL|CONTEXT):.*?(?=^(?:Command was|pg_\w+|psql|[A-Z]{4,}(?: [A-Z]+)*):|\Z)"),
        rf"\1: {_HIDDEN}\n",
    ),
    (re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)[^\s@/]+@"), rf"\1{_HIDDEN}@"),
)


def redact(text: str, secrets: Sequence[str] = ()) -> str:
    """The text without given secrets, values of `password=`, passwords in URIs, and rows in PostgreSQL's messages."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
