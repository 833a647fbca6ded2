"""Fills an empty database with the demo system."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import psycopg

from attestore.errors import Error, ScratchError, UnreachableError, UsageError

__all__ = ["ROWS", "create", "sql"]

ROWS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "users": 100,
        "sessions": 187,
        "images": 500,
        "image_variants": 2000,
        "albums": 50,
        "album_images": 342,
        "tags": 100,
        "image_tags": 847,
        "likes": 2156,
        "comments": 1023,
    }
)
"""Rows of each table at scale 1."""

_LARGEST: Final = 10_000


def sql(scale: int = 1) -> str:
    """The whole demo system as one script, `scale` times its rows; it needs an empty schema `public`.

    Raises:
        UsageError: the scale is not between 1 and 10,000.
    """
    if not 1 <= scale <= _LARGEST:
        raise UsageError(f"scale {scale} is not between 1 and {_LARGEST}", hint="Scale 1 makes 7,305 rows.")
    script = (Path(__file__).parent / "gallery.sql").read_text(encoding="utf-8")
    return re.sub(r"(?<!:):scale\b", f"{scale}::bigint", script)


def create(conninfo: str, *, scale: int = 1) -> None:
    """Fill the empty database that `conninfo` names; nothing remains of it if that fails.

    Raises:
        UsageError: the database already holds tables, or the scale is out of range.
        UnreachableError: the server does not answer or refuses the credentials.
        ScratchError: the server refuses the script.
    """
    script = sql(scale)
    refused: Error
    try:
        connection = psycopg.connect(conninfo, autocommit=True, prepare_threshold=None)
    except psycopg.Error as problem:
        refused = UnreachableError(f"the demo system's server does not answer: {_words(problem)}")
    else:
        with connection:
            try:
                if _holds_tables(connection):
                    raise UsageError(
                        f"the database {connection.info.dbname} already holds tables",
                        hint="The demo system needs an empty database; create a new one.",
                    )
                connection.execute(script.encode())
            except psycopg.Error as problem:
                refused = ScratchError(f"the demo system could not be loaded: {_words(problem)}")
            else:
                return
    raise refused


def _holds_tables(connection: psycopg.Connection) -> bool:
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema')"
    ).fetchone()
    return row is not None and row[0] is True


def _words(problem: psycopg.Error) -> str:
    return " ".join(str(problem.diag.message_primary or problem).split())
