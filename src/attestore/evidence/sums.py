"""SHA256SUMS: digests in the form that `sha256sum -c` reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from attestore import canon
from attestore.errors import TamperedError

__all__ = ["build", "parse"]

_LINE: Final = re.compile(r"(\\?)([0-9a-f]{64})  (.+)", re.DOTALL)
_ESCAPES: Final = {"\\": "\\\\", "\n": "\\n", "\r": "\\r"}
_PLAIN: Final = {"\\": "\\", "n": "\n", "r": "\r"}


def build(digests: Mapping[str, canon.Digest]) -> bytes:
    """The exact bytes of `SHA256SUMS` for files by path, sorted, in GNU's text form.

    A name with a backslash, newline or carriage return is escaped and its line begins with a backslash, as coreutils
    do it.
    """
    return "".join(_line(path, digests[path]) for path in sorted(digests)).encode()


def parse(data: bytes, *, what: str = "SHA256SUMS") -> dict[str, canon.Digest]:
    """Digests by path, from bytes that somebody else may have written.

    Raises:
        TamperedError: not exactly what `build` writes for the same files, or a path that leaves the folder.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise TamperedError(f"{what} is not UTF-8: {problem.reason}") from problem
    digests: dict[str, canon.Digest] = {}
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise TamperedError(f"{what} line {number} is not a digest, two spaces and a path")
        path = _unescaped(match[3]) if match[1] else match[3]
        if any(part in {"", ".", ".."} or "\0" in part for part in path.split("/")):
            raise TamperedError(f"{what} line {number} names {path!r}, which is not a path inside a bundle")
        if path in digests:
            raise TamperedError(f"{what} lists {path!r} twice")
        digests[path] = match[2]
    if build(digests) != data:
        raise TamperedError(f"{what} is not in the form sha256sum writes: sorted, escaped, each line ended")
    return digests


def _line(path: str, digest: canon.Digest) -> str:
    escaped = "".join(_ESCAPES.get(char, char) for char in path)
    return f"{'' if escaped == path else chr(92)}{digest}  {escaped}\n"


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _PLAIN.get(match[1], match[0]), text, flags=re.DOTALL)
