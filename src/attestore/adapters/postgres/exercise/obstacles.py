"""What stands in the way of an exercise: another constraint that refuses first."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from attestore.adapters.postgres.exercise.ground import Refusal

__all__ = ["drop"]

_DROPS: Final = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', k.conrelid::regclass, k.conname)
  FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND k.conname = %(name)s
UNION ALL
SELECT format('DROP INDEX %s CASCADE', i.oid::regclass)
  FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class i ON i.oid = x.indexrelid
 WHERE n.nspname = %(schema)s AND c.relname = %(table)s AND i.relname = %(name)s
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid)
UNION ALL
SELECT format('ALTER DOMAIN %s DROP CONSTRAINT %I', k.contypid::regtype, k.conname)
  FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
 WHERE n.nspname = %(schema)s AND t.typname = %(type)s AND k.conname = %(name)s
""".replace("%s", "%%s").replace("%I", "%%I")


def drop(cursor: psycopg.Cursor[TupleRow], refusal: Refusal) -> str | None:
    """SQL that takes what refused out of the way, until the roll-back; None where nobody knows what it was."""
    schema, name = refusal.table
    if refusal.column and not refusal.constraint:
        return (
            sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL")
            .format(sql.Identifier(schema, name), sql.Identifier(refusal.column))
            .as_string(cursor)
        )
    asked = {"schema": schema, "table": name, "type": refusal.datatype[1], "name": refusal.constraint}
    found = cursor.execute(_DROPS.encode(), asked).fetchall()
    return str(found[0][0]) if found else None
