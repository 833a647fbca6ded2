"""Who owns what, who may do what, and what people wrote about it: privileges, default privileges, comments, labels."""

from __future__ import annotations

from typing import Final

__all__ = ["QUESTIONS"]

# An ACL that is NULL and one that spells the default out are the same right, so the default is expanded. An owner's
# default is written ALL: a later major has more rights in it (MAINTAIN), and a restore gives them to the owner, also to
# one that had given up others; so MAINTAIN is not listed for owners.
_RENDERED: Final = """
, distinct_acl AS (
  SELECT DISTINCT ON (i.type, i.owner, i.acl::text) i.type, i.owner, i.acl::text AS written, i.acl FROM item i
), entry AS (
  SELECT d.type, d.owner, d.written, e.grantee, e.grantor,
         count(*) AS rights, count(*) FILTER (WHERE e.is_grantable) AS grantable,
         string_agg(e.privilege_type || CASE WHEN e.is_grantable THEN '*' ELSE '' END, ','
                    ORDER BY e.privilege_type COLLATE "C")
           FILTER (WHERE NOT (e.privilege_type = 'MAINTAIN' AND e.grantee = d.owner)) AS listed
    FROM distinct_acl d
   CROSS JOIN LATERAL aclexplode(coalesce(d.acl, acldefault(d.type, d.owner))) e
   GROUP BY 1, 2, 3, 4, 5
), rendered AS (
  SELECT n.type, n.owner, n.written, string_agg(n.line, '; ' ORDER BY n.line COLLATE "C") AS line
    FROM (SELECT e.type, e.owner, e.written,
                 CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END
                 || '=' || CASE WHEN e.grantee = e.owner AND e.rights = a.rights AND e.grantable = 0 THEN 'ALL'
                                ELSE e.listed END
                 || CASE WHEN e.grantor <> e.owner THEN '/' || quote_ident(pg_get_userbyid(e.grantor)) ELSE '' END
                 AS line
            FROM entry e
            JOIN (SELECT k.type, count(x.privilege_type) AS rights
                    FROM (SELECT DISTINCT type FROM distinct_acl) k
                    LEFT JOIN LATERAL aclexplode(acldefault(k.type, 10)) x ON x.grantee = 10
                   GROUP BY k.type) a ON a.type = e.type) n
   GROUP BY n.type, n.owner, n.written
)
"""

_PRIVILEGES: Final = (
    """
, item(kind, identity, owner, acl, type) AS (
  SELECT CASE r.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'table' END,
         r.identity, r.relowner, r.relacl, CASE r.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END
    FROM relation r WHERE r.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
  UNION ALL
  SELECT 'schema', s.name, s.nspowner, s.nspacl, 'n'::"char" FROM space s
   WHERE s.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_namespace'::regclass)
  UNION ALL
  SELECT CASE p.prokind WHEN 'a' THEN 'aggregate' WHEN 'p' THEN 'procedure' ELSE 'function' END,
         p.oid::regprocedure::text, p.proowner, p.proacl, 'f'::"char"
    FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
   WHERE p.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_proc'::regclass)
     -- constructors of a range type belong to the cluster's first superuser, whatever its name; no dump carries them
     AND NOT EXISTS (SELECT FROM pg_depend i
                      WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')
  UNION ALL
  SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END,
         format_type(t.oid, NULL), t.typowner, t.typacl, 'T'::"char"
    FROM pg_type t JOIN space s ON s.oid = t.typnamespace
    LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE t.typtype <> 'm' AND (t.typrelid = 0 OR c.relkind = 'c')
     AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
     AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)
  UNION ALL
  SELECT 'language', quote_ident(l.lanname), l.lanowner, l.lanacl, 'l'::"char" FROM pg_language l
   WHERE l.oid >= 16384 AND l.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_language'::regclass)
  UNION ALL
  SELECT 'foreign data wrapper', quote_ident(f.fdwname), f.fdwowner, f.fdwacl, 'F'::"char"
    FROM pg_foreign_data_wrapper f
   WHERE f.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_data_wrapper'::regclass)
  UNION ALL
  SELECT 'server', quote_ident(v.srvname), v.srvowner, v.srvacl, 'S'::"char" FROM pg_foreign_server v
   WHERE v.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_server'::regclass)
  UNION ALL
  SELECT 'large object', m.oid::text, m.lomowner, m.lomacl, 'L'::"char" FROM pg_largeobject_metadata m
)
"""
    + _RENDERED
    + """
SELECT 'privilege', i.kind || ' ' || i.identity,
       concat_ws('; ', 'owner ' || quote_ident(pg_get_userbyid(i.owner)), x.line), ''
  FROM item i
  LEFT JOIN rendered x ON x.type = i.type AND x.owner = i.owner AND x.written IS NOT DISTINCT FROM i.acl::text
UNION ALL
SELECT 'privilege', o.kind || ' ' || o.identity, 'owner ' || quote_ident(pg_get_userbyid(o.owner)), ''
  FROM (
    SELECT 'collation', s.name || '.' || quote_ident(c.collname), c.collowner, 'pg_collation'::regclass, c.oid
      FROM pg_collation c JOIN space s ON s.oid = c.collnamespace
    UNION ALL
    SELECT 'operator', c.oid::regoperator::text, c.oprowner, 'pg_operator'::regclass, c.oid
      FROM pg_operator c JOIN space s ON s.oid = c.oprnamespace
     -- one that is only named, as a commutator or negator, belongs to whoever named it
     WHERE c.oprcode <> 0
    UNION ALL
    SELECT 'statistics', s.name || '.' || quote_ident(c.stxname), c.stxowner, 'pg_statistic_ext'::regclass, c.oid
      FROM pg_statistic_ext c JOIN space s ON s.oid = c.stxnamespace
    UNION ALL
    SELECT 'text search configuration', s.name || '.' || quote_ident(c.cfgname), c.cfgowner,
           'pg_ts_config'::regclass, c.oid
      FROM pg_ts_config c JOIN space s ON s.oid = c.cfgnamespace
    UNION ALL
    SELECT 'text search dictionary', s.name || '.' || quote_ident(c.dictname), c.dictowner,
           'pg_ts_dict'::regclass, c.oid
      FROM pg_ts_dict c JOIN space s ON s.oid = c.dictnamespace
    UNION ALL
    SELECT 'conversion', s.name || '.' || quote_ident(c.conname), c.conowner, 'pg_conversion'::regclass, c.oid
      FROM pg_conversion c JOIN space s ON s.oid = c.connamespace
    UNION ALL
    SELECT 'operator class', s.name || '.' || quote_ident(c.opcname) || ' USING ' || quote_ident(m.amname), c.opcowner,
           'pg_opclass'::regclass, c.oid
      FROM pg_opclass c JOIN space s ON s.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
    UNION ALL
    SELECT 'operator family', s.name || '.' || quote_ident(c.opfname) || ' USING ' || quote_ident(m.amname), c.opfowner,
           'pg_opfamily'::regclass, c.oid
      FROM pg_opfamily c JOIN space s ON s.oid = c.opfnamespace JOIN pg_am m ON m.oid = c.opfmethod
    UNION ALL
    SELECT 'event trigger', quote_ident(c.evtname), c.evtowner, 'pg_event_trigger'::regclass, c.oid
      FROM pg_event_trigger c
    UNION ALL
    SELECT 'publication', quote_ident(c.pubname), c.pubowner, 'pg_publication'::regclass, c.oid
      FROM pg_publication c
  ) o(kind, identity, owner, class, oid)
 WHERE (o.class, o.oid) NOT IN (SELECT classid, objid FROM owned_by_extension)
"""
)

_DEFAULT_PRIVILEGES: Final = (
    """
, item(identity, owner, acl, type) AS (
  SELECT concat_ws(' ', quote_ident(pg_get_userbyid(a.defaclrole)),
                   'in ' || quote_ident(n.nspname),
                   CASE a.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
                        WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN 'large objects'
                        ELSE a.defaclobjtype::text END),
         a.defaclrole, a.defaclacl, CASE a.defaclobjtype WHEN 'S' THEN 's'::"char" ELSE a.defaclobjtype END
    FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
)
"""
    + _RENDERED
    + """
SELECT 'default privilege', i.identity, coalesce(x.line, ''), ''
  FROM item i
  LEFT JOIN rendered x ON x.type = i.type AND x.owner = i.owner AND x.written = i.acl::text
"""
)

_COLUMN_PRIVILEGES: Final = """
SELECT 'privilege', 'column ' || r.identity || '.' || quote_ident(a.attname),
       string_agg(CASE WHEN e.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(e.grantee)) END
                  || '=' || e.privilege_type || CASE WHEN e.is_grantable THEN '*' ELSE '' END
                  || CASE WHEN e.grantor <> r.relowner THEN '/' || quote_ident(pg_get_userbyid(e.grantor)) ELSE '' END,
                  '; ' ORDER BY pg_get_userbyid(e.grantee) COLLATE "C", e.privilege_type COLLATE "C", e.grantor), ''
  FROM relation r
  JOIN pg_attribute a ON a.attrelid = r.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
  CROSS JOIN LATERAL aclexplode(a.attacl) e
 GROUP BY r.identity, a.attname
"""

# Extensions are told by name: pg_upgrade gives even plpgsql an OID that a new cluster does not. An index that is not
# valid is not dumped, and neither is what is said of it; a subscription is not restored into an isolated copy.
_COMMENTS: Final = """
SELECT 'comment', i.type || ' ' || i.identity, d.description, ''
  FROM pg_description d
 CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
 WHERE (d.objoid >= 16384 OR d.classoid = 'pg_extension'::regclass
        OR (d.classoid = 'pg_namespace'::regclass AND d.objoid IN (SELECT oid FROM space)))
   AND (d.classoid, d.objoid) NOT IN (SELECT classid, objid FROM owned_by_extension)
   AND d.classoid <> 'pg_subscription'::regclass
   AND NOT (d.classoid = 'pg_class'::regclass AND d.objoid IN (
         SELECT x.indexrelid FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid
          WHERE c.relkind = 'i' AND NOT (x.indisvalid AND x.indisready AND x.indislive)))
   AND i.identity IS NOT NULL AND i.schema IS DISTINCT FROM 'pg_toast' AND coalesce(i.schema, '') !~ '^pg_temp'
"""

_LABELS: Final = """
SELECT 'security label', l.objtype || ' ' || l.objname || ' by ' || l.provider, l.label, ''
  FROM pg_seclabels l
 WHERE l.objtype NOT IN ('database', 'role', 'tablespace')
"""

QUESTIONS: Final = (_PRIVILEGES, _DEFAULT_PRIVILEGES, _COLUMN_PRIVILEGES, _COMMENTS, _LABELS)
"""Each answers with (class, identity, definition, state)."""
