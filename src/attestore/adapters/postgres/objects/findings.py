"""Sentences about a database as it is: what a reader should know that no restore can lose or mend."""

from __future__ import annotations

from typing import Any, Final

import psycopg

from attestore.adapters.postgres.objects.catalogue import SINCE_15, ask

__all__ = ["UNAPPLIED", "read"]

UNAPPLIED: Final = frozenset(
    {
        "archive_cleanup_command",
        "archive_command",
        "archive_library",
        "dynamic_library_path",
        "extension_control_path",
        "jit_provider",
        "local_preload_libraries",
        "recovery_end_command",
        "restore_command",
        "session_preload_libraries",
        "shared_preload_libraries",
        "ssl_passphrase_command",
    }
)
"""Settings that load libraries or start programmes: carried by a backup, never applied, left out of comparisons."""

_INVALID: Final = """
SELECT 'Index ' || r.identity || ' is not valid; a dump does not carry it as it is.'
  FROM relation r JOIN pg_index x ON x.indexrelid = r.oid
 WHERE NOT (x.indisvalid AND x.indisready AND x.indislive)
UNION ALL
SELECT 'Constraint ' || r.identity || '.' || quote_ident(k.conname)
       || CASE WHEN to_jsonb(k) ->> 'conenforced' = 'false' THEN ' is NOT ENFORCED: rows are never checked.'
               ELSE ' is NOT VALID: rows from before it were never checked.' END
  FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid WHERE NOT k.convalidated AND k.conparentid = 0
UNION ALL
SELECT 'Trigger ' || r.identity || '.' || quote_ident(t.tgname) || ' is disabled.'
  FROM pg_trigger t JOIN relation r ON r.oid = t.tgrelid
 WHERE NOT t.tgisinternal AND t.tgenabled = 'D' AND t.tgparentid = 0
UNION ALL
SELECT 'Foreign key ' || r.identity || '.' || quote_ident(k.conname)
       || ' is not enforced: triggers of it are disabled, which a dump does not carry.'
  FROM pg_constraint k JOIN relation r ON r.oid = k.conrelid
 WHERE k.contype = 'f' AND EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgisinternal
                                      AND g.tgenabled IN ('D', 'R'))
UNION ALL
SELECT 'Event trigger ' || quote_ident(e.evtname) || ' is disabled.' FROM pg_event_trigger e WHERE e.evtenabled = 'D'
UNION ALL
SELECT 'Table ' || r.identity || CASE
         WHEN EXISTS (SELECT FROM pg_index x WHERE x.indrelid = r.oid AND x.indisunique AND x.indpred IS NULL AND x.indisvalid)
         THEN ' has no primary key: rows that differ cannot be named.'
         ELSE ' has no key at all: rows that differ cannot be named, and equal ones not told apart.' END
  FROM relation r
 WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition
   AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = r.oid AND k.contype = 'p')
UNION ALL
SELECT 'Table ' || r.identity || ' is unlogged: a crash empties it, and a standby never has its rows.'
  FROM relation r WHERE r.relkind IN ('r', 'p') AND r.relpersistence = 'u'
UNION ALL
SELECT 'Materialized view ' || r.identity || ' is not populated.'
  FROM relation r WHERE r.relkind = 'm' AND NOT r.relispopulated
UNION ALL
SELECT 'Large object ' || m.oid || ' belongs to a role that is no longer there, so nobody owns its copy.'
  FROM pg_largeobject_metadata m WHERE NOT EXISTS (SELECT FROM pg_roles o WHERE o.oid = m.lomowner)
UNION ALL
SELECT 'Foreign table ' || r.identity || ' keeps its rows elsewhere; only its definition is backed up.'
  FROM relation r WHERE r.relkind = 'f'
"""

# An extension's own tables are dumped only if the extension declares them as its configuration.
_EXTENSION_DATA: Final = """
SELECT 'Table ' || quote_ident(n.nspname) || '.' || quote_ident(c.relname) || ' belongs to extension '
       || quote_ident(e.extname) || CASE WHEN c.oid = ANY (e.extconfig)
          THEN ': only the rows that the extension declares as configuration are backed up.'
          ELSE ': its rows are not backed up.' END
  FROM pg_depend d
  JOIN pg_class c ON c.oid = d.objid AND c.relkind IN ('r', 'p', 'm')
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_extension e ON e.oid = d.refobjid
 WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
"""

_SYSTEM: Final = "(n.nspname = 'information_schema' OR n.nspname ~ '^pg_' AND n.nspname !~ '^pg_(toast|temp)')"

# Whatever initdb makes has a number below 16384, but the standard's own tables when somebody made their schema anew, as notes
# of minor releases have asked for; views and functions of that schema can't be told from its own then.
_OUT_OF_PLACE: Final = f"""
SELECT CASE c.relkind WHEN 'S' THEN 'Sequence ' WHEN 'v' THEN 'View ' WHEN 'm' THEN 'Materialized view '
                      WHEN 'f' THEN 'Foreign table ' ELSE 'Table ' END || quote_ident(n.nspname) || '.' || quote_ident(c.relname)
       || ' lies in a schema of the system: no dump carries it, and it is not compared.'
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE {_SYSTEM} AND c.oid >= 16384 AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p', 'm', 'f', 'S', 'v')
   AND NOT (n.nspname = 'information_schema' AND (c.relkind = 'v' OR c.relkind = 'r' AND c.relname IN
            ('sql_features', 'sql_implementation_info', 'sql_parts', 'sql_sizing')))
   AND NOT EXISTS (SELECT FROM owned_by_extension e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid)
UNION ALL
SELECT 'Function ' || quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid)
       || ') lies in a schema of the system: no dump carries it, and it is not compared.'
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE {_SYSTEM} AND p.oid >= 16384 AND n.nspname <> 'information_schema'
   AND NOT EXISTS (SELECT FROM owned_by_extension e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid)
"""

# As the view pg_user_mappings shows options, and pg_dump reads them there: nobody else is told that there are any. Not even
# who owns the server sees those of another role.
_MAPPINGS: Final = """
SELECT 'Options of user mapping ' || CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END || ' ON '
       || quote_ident(u.srvname) || ' are hidden from the role that takes the backup: a dump by it leaves them out.'
  FROM pg_user_mappings u JOIN pg_foreign_server v ON v.oid = u.srvid
 WHERE NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
   AND NOT (pg_has_role(v.srvowner, 'USAGE') AND (u.umuser = 0 OR u.usename = current_user))
   AND NOT (u.umuser <> 0 AND u.usename = current_user AND has_server_privilege(v.oid, 'USAGE'))
"""

_COLLATIONS: Final = """
SELECT 'Collation ' || quote_ident(n.nspname) || '.' || quote_ident(c.collname) || ' was recorded with version '
       || c.collversion || ', and the server now provides ' || coalesce(pg_collation_actual_version(c.oid), 'none') || '.'
  FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
 WHERE c.collversion IS NOT NULL AND c.collversion IS DISTINCT FROM pg_collation_actual_version(c.oid)
   AND c.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
"""

_DATABASE_COLLATION: Final = """
SELECT 'The database''s default collation was recorded with version ' || datcollversion
       || ', and the server now provides ' || coalesce(pg_database_collation_actual_version(oid), 'none') || '.'
  FROM pg_database
 WHERE datname = current_database() AND datcollversion IS DISTINCT FROM pg_database_collation_actual_version(oid)
   AND datcollversion IS NOT NULL
"""

_SUBSCRIPTIONS: Final = """
SELECT 'Subscription ' || quote_ident(s.subname) || ' (publications '
       || (SELECT string_agg(quote_ident(p), ', ' ORDER BY p COLLATE "C") FROM unnest(s.subpublications) p)
       || CASE WHEN s.subenabled THEN ', enabled' ELSE ', disabled' END
       || ') is not restored into an isolated copy, and is not compared.'
  FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())
"""

# Privileges on parameters exist from PostgreSQL 15 and belong to the cluster, as its configuration does.
_PARAMETERS: Final = """
SELECT 'Privileges on parameter ' || quote_ident(p.parname) || ' (' || string_agg(
         DISTINCT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END, ', ')
       || ') belong to the cluster: a backup of one database does not carry them.'
  FROM pg_parameter_acl p CROSS JOIN LATERAL aclexplode(p.paracl) e
 WHERE e.grantee <> 10
 GROUP BY p.parname
"""

# A dump looks for changed privileges in pg_catalog and at languages that were added, and nowhere else. What information_schema
# came with is nowhere recorded; it is the same on every major.
_UNCARRIED: Final = """
SELECT 'Privileges on ' || i.identity || ' (' || string_agg(
         DISTINCT CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END, ', ')
       || ') were changed from those that it came with; a dump does not carry that.'
  FROM (
    SELECT c.oid::regclass::text AS identity, c.relowner AS owner, c.relacl AS acl,
           ARRAY[makeaclitem(0, c.relowner, 'SELECT', false)] AS first
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'information_schema' AND c.relkind IN ('r', 'v')
    UNION ALL
    SELECT n.nspname, n.nspowner, n.nspacl, ARRAY[makeaclitem(0, n.nspowner, 'USAGE', false)] FROM pg_namespace n
     WHERE n.nspname = 'information_schema'
    UNION ALL
    SELECT concat_ws(' ', 'language', quote_ident(l.lanname)), l.lanowner, l.lanacl, acldefault('l', l.lanowner) FROM pg_language l
     WHERE NOT l.lanispl) i
 CROSS JOIN LATERAL (
   SELECT e.grantee FROM (
     SELECT *, true AS now FROM aclexplode(i.acl) UNION ALL SELECT *, false FROM aclexplode(i.first)) e
    WHERE e.grantee <> i.owner
    GROUP BY e.grantee, e.privilege_type, e.is_grantable
   HAVING count(DISTINCT e.now) = 1) e
 WHERE i.acl IS NOT NULL
 GROUP BY i.identity
"""

_TABLESPACES: Final = """
SELECT initcap(CASE r.relkind WHEN 'i' THEN 'index' WHEN 'I' THEN 'index' WHEN 'm' THEN 'materialized view' ELSE 'table' END)
       || ' ' || r.identity || ' lies in tablespace ' || quote_ident(t.spcname) || '; where files lie is not compared.'
  FROM relation r JOIN pg_class c ON c.oid = r.oid JOIN pg_tablespace t ON t.oid = c.reltablespace
"""

_CODE: Final = """
SELECT 'Setting ' || split_part(c.line, '=', 1) || ' of '
       || concat_ws(' in ', CASE WHEN s.setrole <> 0 THEN 'role ' || quote_ident(pg_get_userbyid(s.setrole)) END,
                    CASE WHEN s.setdatabase <> 0 THEN 'the database' WHEN s.setrole = 0 THEN 'every role' END)
       || ' loads code: it is never applied to an isolated copy, and not compared.'
  FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) c(line)
 WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
   AND lower(split_part(c.line, '=', 1)) = ANY (%s)
"""

_QUESTIONS: Final = (
    *(_INVALID, _EXTENSION_DATA, _OUT_OF_PLACE, _MAPPINGS, _COLLATIONS),
    *(_SUBSCRIPTIONS, _UNCARRIED, _TABLESPACES),
)
_SINCE_15: Final = (_DATABASE_COLLATION, _PARAMETERS)


def read(cursor: psycopg.Cursor[tuple[Any, ...]], *, version: int) -> tuple[str, ...]:
    """Findings in a fixed order; `version` is the server's, as libpq counts it."""
    questions = _QUESTIONS + (_SINCE_15 if version >= SINCE_15 else ())
    rows = [row for question in questions for row in ask(cursor, question)]
    rows += cursor.execute(_CODE.encode(), (sorted(UNAPPLIED),)).fetchall()
    return tuple(sorted(str(row[0]) for row in rows))
