"""Large objects by content."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from attestore.adapters.postgres.objects.catalogue import ask
from attestore.proof import Object

__all__ = ["read"]

_CHUNK: Final = 256 * 1024 * 1024
"""bytes; the server holds one chunk in memory, and a value can't be larger than 1 GiB"""

_LISTED: Final = """
SELECT m.oid, lo_lseek64(f.d, 0, 2), lo_close(f.d)
  FROM pg_largeobject_metadata m
 CROSS JOIN LATERAL (SELECT lo_open(m.oid, 262144) AS d OFFSET 0) f
 ORDER BY m.oid
"""

_SMALL: Final = """
SELECT o, encode(sha256(lo_get(o)), 'hex') FROM unnest(%s::oid[]) o
"""

_PART: Final = "SELECT sha256(lo_get(%s::oid, %s, %s))"

_WHOLE: Final = "SELECT encode(sha256(%s::bytea), 'hex')"


def read(cursor: psycopg.Cursor[tuple[Any, ...]]) -> list[Object]:
    """Every large object with size in bytes and SHA-256; above 256 MiB the SHA-256 over those of its 256 MiB chunks."""
    sizes = {oid: size for oid, size, _ in ask(cursor, _LISTED)}
    small = [oid for oid, size in sizes.items() if size <= _CHUNK]
    found: list[Object] = []
    for start in range(0, len(small), 10_000):
        cursor.execute(_SMALL, (small[start : start + 10_000],))
        found += [Object("large object", str(o), f"{sizes[o]} bytes; sha256 {digest}") for o, digest in cursor]
    for oid, size in sizes.items():
        if size > _CHUNK:
            parts = b""
            for offset in range(0, size, _CHUNK):
                row = cursor.execute(_PART, (oid, offset, _CHUNK)).fetchone()
                parts += b"" if row is None else row[0]
            row = cursor.execute(_WHOLE, (parts,)).fetchone()
            digest = "" if row is None else row[0]
            found.append(Object("large object", str(oid), f"{size} bytes; sha256 of chunks {digest}"))
    return found
