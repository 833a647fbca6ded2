"""What people changed of things that are not theirs: privileges on what the server or an extension brought along."""

from __future__ import annotations

from typing import Final

__all__ = ["QUESTIONS"]

# A dump carries what differs from the privileges that things came with. Those of an owner are left out: they follow the owner,
# and a later major has more of them. Of the system's schemas a dump looks
# into pg_catalog alone, of its languages at none that is built in.
_PRIVILEGES: Final = """
, theirs AS (
  SELECT oid FROM pg_namespace WHERE nspname = 'pg_catalog'
), item(kind, identity, owner, acl, type, class, oid, part) AS (
  SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END,
         p.oid::regprocedure::text, p.proowner, p.proacl, 'f'::"char", 'pg_proc'::regclass, p.oid, 0
    FROM pg_proc p
   WHERE p.proacl IS NOT NULL
     AND (p.pronamespace IN (SELECT oid FROM theirs)
          OR p.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_proc'::regclass))
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
         c.oid::regclass::text, c.relowner, c.relacl, CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END,
         'pg_class'::regclass, c.oid, 0
    FROM pg_class c
   WHERE c.relacl IS NOT NULL AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
     AND (c.relnamespace IN (SELECT oid FROM theirs)
          OR c.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_class'::regclass))
  UNION ALL
  SELECT 'column', c.oid::regclass::text || '.' || quote_ident(a.attname), c.relowner, a.attacl, 'c'::"char",
         'pg_class'::regclass, c.oid, a.attnum
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
   WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
     AND (c.relnamespace IN (SELECT oid FROM theirs)
          OR c.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_class'::regclass))
  UNION ALL
  SELECT 'schema', quote_ident(n.nspname), n.nspowner, n.nspacl, 'n'::"char", 'pg_namespace'::regclass, n.oid, 0
    FROM pg_namespace n
   WHERE n.nspacl IS NOT NULL
     AND (n.oid IN (SELECT oid FROM theirs)
          OR n.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_namespace'::regclass))
  UNION ALL
  SELECT 'type', format_type(t.oid, NULL), t.typowner, t.typacl, 'T'::"char", 'pg_type'::regclass, t.oid, 0
    FROM pg_type t
   WHERE t.typacl IS NOT NULL
     AND (t.typnamespace IN (SELECT oid FROM theirs)
          OR t.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass))
  UNION ALL
  SELECT 'language', quote_ident(l.lanname), l.lanowner, l.lanacl, 'l'::"char", 'pg_language'::regclass, l.oid, 0
    FROM pg_language l
   WHERE l.lanacl IS NOT NULL AND l.lanispl
     AND (l.oid < 16384 OR l.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_language'::regclass))
  UNION ALL
  SELECT 'foreign data wrapper', quote_ident(w.fdwname), w.fdwowner, w.fdwacl, 'F'::"char",
         'pg_foreign_data_wrapper'::regclass, w.oid, 0
    FROM pg_foreign_data_wrapper w
   WHERE w.fdwacl IS NOT NULL
     AND w.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_data_wrapper'::regclass)
  UNION ALL
  SELECT 'server', quote_ident(v.srvname), v.srvowner, v.srvacl, 'S'::"char", 'pg_foreign_server'::regclass, v.oid, 0
    FROM pg_foreign_server v
   WHERE v.srvacl IS NOT NULL
     AND v.oid IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_server'::regclass)
), changed AS (
  SELECT i.kind, i.identity, e.grantee, e.privilege_type || CASE WHEN e.now THEN '*' ELSE '' END AS what,
         CASE WHEN e.at_first IS NULL THEN 'granted' WHEN e.now IS NULL THEN 'revoked' ELSE 'changed' END AS how
    FROM item i
    LEFT JOIN pg_init_privs p ON p.classoid = i.class AND p.objoid = i.oid AND p.objsubid = i.part
   CROSS JOIN LATERAL (
     SELECT e.grantee, e.privilege_type, bool_or(e.is_grantable) FILTER (WHERE NOT e.first) AS now,
            bool_or(e.is_grantable) FILTER (WHERE e.first) AS at_first
       FROM (SELECT *, false AS first FROM aclexplode(i.acl)
             UNION ALL
             SELECT *, true FROM aclexplode(coalesce(p.initprivs, acldefault(i.type, i.owner)))) e
      WHERE e.grantee <> i.owner
      GROUP BY e.grantee, e.privilege_type) e
   WHERE e.now IS DISTINCT FROM e.at_first
)
SELECT 'system privilege', g.kind || ' ' || g.identity, string_agg(g.line, '; ' ORDER BY g.line COLLATE "C"), ''
  FROM (SELECT c.kind, c.identity, c.how || ' ' || CASE WHEN c.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(c.grantee)) END
               || '=' || string_agg(c.what, ',' ORDER BY c.what COLLATE "C") AS line
          FROM changed c GROUP BY c.kind, c.identity, c.how, c.grantee) g
 GROUP BY g.kind, g.identity
"""

# Beside those that every proof tells of a base type, which has an array type as no array has.
_TYPES: Final = """
SELECT 'type support', x.identity, x.definition, '' FROM (
SELECT format_type(t.oid, NULL) AS identity,
       concat_ws('; ', 'modifier input ' || nullif(t.typmodin, 0::regproc)::regprocedure::text,
         'modifier output ' || nullif(t.typmodout, 0::regproc)::regprocedure::text,
         'analyze ' || nullif(t.typanalyze, 0::regproc)::regprocedure::text,
         'subscript ' || nullif((to_jsonb(t) ->> 'typsubscript')::regproc, 0::regproc)::regprocedure::text,
         'collation ' || nullif(t.typcollation, 0::oid)::regcollation::text) AS definition
  FROM pg_type t JOIN space s ON s.oid = t.typnamespace
 WHERE t.typtype = 'b' AND t.typisdefined AND t.typarray <> 0
   AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)) x
 WHERE x.definition <> ''
"""

QUESTIONS: Final = (_PRIVILEGES, _TYPES)
"""Each answers with (class, identity, definition, state)."""
