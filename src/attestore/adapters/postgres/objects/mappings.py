"""With what a role logs in elsewhere: options of user mappings, whose values nobody may read in a proof."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from attestore.proof import Object

__all__ = ["read"]

_OPTIONS: Final = """
SELECT CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END || ' ON ' || quote_ident(u.srvname)
       || ': ' || quote_ident(o.option_name),
       encode(sha256(%s::bytea || convert_to(concat_ws(' ', CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END,
         quote_ident(u.srvname), quote_ident(o.option_name), o.option_value), 'UTF8')), 'hex')
  FROM pg_user_mappings u CROSS JOIN LATERAL pg_options_to_table(u.umoptions) o
"""

_SHOWN: Final = 16
"""hexadecimal digits: enough to tell two values apart"""


def read(cursor: psycopg.Cursor[tuple[Any, ...]], *, key: bytes) -> list[Object]:
    """Every option that the role may read, its value as a digest under `key`.

    Whoever has not the key learns nothing of it, nor that two roles log in with one password.
    """
    rows = cursor.execute(_OPTIONS.encode(), (key,)).fetchall()
    return [
        Object("user mapping option", identity, f"a value with the keyed digest {digest[:_SHOWN]}")
        for identity, digest in rows
    ]
