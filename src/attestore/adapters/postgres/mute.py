"""Names and definitions that are no text of any encoding: a SQL_ASCII database may hold them, and no report can name them."""

from __future__ import annotations

from typing import Final

from attestore.adapters.postgres import relations
from attestore.adapters.postgres.session import Session, ask
from attestore.errors import PlanError
from attestore.ports import Look

__all__ = ["look"]

_NAMED: Final = 10
"""how many of several things a sentence names"""

# What a proof reads as text: kind, name, and whatever else of the thing is text. Only bytes leave the server.
_TEXTS: Final = f"""
WITH told (kind, name, words) AS (
  SELECT 'schema', n.nspname::text, '' FROM pg_namespace n WHERE {relations.OURS}
  UNION ALL
  SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'f' THEN 'table' WHEN 'S' THEN 'sequence'
                        WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' WHEN 'c' THEN 'type' ELSE 'index' END,
         n.nspname || '.' || c.relname,
         CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) WHEN c.relkind IN ('i', 'I') THEN pg_get_indexdef(c.oid)
              ELSE '' END
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {relations.OURS}
  UNION ALL
  SELECT 'column', n.nspname || '.' || c.relname || '.' || a.attname, coalesce(pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   WHERE {relations.OURS} AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind NOT IN ('i', 'I')
  UNION ALL
  SELECT 'constraint', n.nspname || '.' || k.conname, pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {relations.OURS}
  UNION ALL
  SELECT 'function', n.nspname || '.' || p.proname, p.prosrc || coalesce(pg_get_function_arguments(p.oid), '')
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {relations.OURS}
  UNION ALL
  SELECT 'trigger', n.nspname || '.' || c.relname || '.' || t.tgname, pg_get_triggerdef(t.oid)
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE {relations.OURS} AND NOT t.tgisinternal
  UNION ALL
  SELECT 'rule', n.nspname || '.' || c.relname || '.' || r.rulename, pg_get_ruledef(r.oid)
    FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE {relations.OURS} AND r.rulename <> '_RETURN'
  UNION ALL
  SELECT 'policy', n.nspname || '.' || c.relname || '.' || p.polname,
         coalesce(pg_get_expr(p.polqual, p.polrelid), '') || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '')
    FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
   WHERE {relations.OURS}
  UNION ALL
  SELECT 'type', n.nspname || '.' || t.typname, coalesce(t.typdefault, '')
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE {relations.OURS} AND t.typtype IN ('e', 'd', 'r')
  UNION ALL
  SELECT 'enum value', n.nspname || '.' || t.typname || '.' || e.enumlabel, ''
    FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace
   WHERE {relations.OURS}
  UNION ALL
  SELECT 'comment', 'on ' || i.type || ' ' || i.identity, d.description
    FROM pg_description d CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
   WHERE d.description ~ '[^\\x01-\\x7f]'
  UNION ALL
  SELECT 'setting', 'of ' || coalesce('role ' || r.rolname, 'the database'), array_to_string(s.setconfig, ' ')
    FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole
   WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
  UNION ALL
  SELECT 'role', rolname::text, '' FROM pg_roles
)
SELECT DISTINCT kind, convert_to(name, 'SQL_ASCII'), convert_to(words, 'SQL_ASCII') FROM told
 WHERE name ~ '[^\\x01-\\x7f]' OR words ~ '[^\\x01-\\x7f]' ORDER BY 1, 2, 3
"""


def look(session: Session) -> Look | None:
    """Whether everything that a proof has to name is text; None where the database's encoding vouches for it."""
    if ask(session, "SELECT current_setting('server_encoding')")[0][0] != "SQL_ASCII":
        return None
    found = list(dict.fromkeys(told for row in ask(session, _TEXTS) if (told := _mute(*row))))
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    problem = PlanError(
        f"the database is SQL_ASCII, and what a proof has to name is no UTF-8: {', '.join(found[:_NAMED])}{more}",
        hint="Rename it or define it anew in UTF-8, by a client that has SET client_encoding = 'SQL_ASCII'; rows may stay as they"
        " are. Or give the database the encoding that its text is in.",
    )
    return Look("source", "names", "SQL_ASCII: bytes of rows are compared as they are", (problem,) if found else ())


def _mute(kind: str, name: bytes, words: bytes) -> str:
    shown = f"{kind} {name.decode(errors='backslashreplace')}"
    if _text(name):
        return "" if _text(words) else f"{'' if kind in {'comment', 'setting'} else 'the definition of '}{shown}"
    return shown


def _text(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
