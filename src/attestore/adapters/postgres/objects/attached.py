"""What hangs on a table or a domain: constraints, indexes, triggers, policies, rules, statistics."""

from __future__ import annotations

from typing import Final

from attestore.proof import UNENFORCED

__all__ = ["NOT_NULL", "QUESTIONS"]

# Left out: NOT NULL (a property of the column on every major), constraint triggers (they are triggers), and the foreign
# keys that PostgreSQL derives for partitions (their names depend on the order of attachment; the parent's key says all).
# What enforces a foreign key or a deferred unique key are triggers of the system; ALTER TABLE … DISABLE TRIGGER ALL silences
# them, and so does a restore of data alone that ended between doing so and undoing it. Partitions have triggers of their own.
_CONSTRAINTS: Final = f"""
, silent AS (
  WITH RECURSIVE upwards(oid) AS (
    SELECT g.tgconstraint FROM pg_trigger g WHERE g.tgisinternal AND g.tgconstraint <> 0 AND g.tgenabled IN ('D', 'R')
    UNION
    SELECT k.conparentid FROM pg_constraint k JOIN upwards u ON u.oid = k.oid WHERE k.conparentid <> 0)
  SELECT oid FROM upwards
)
SELECT 'constraint', r.identity || '.' || quote_ident(k.conname),
       CASE WHEN k.convalidated THEN d.text ELSE regexp_replace(d.text, ' NOT VALID$', '') END,
       CASE WHEN k.convalidated THEN 'validated' ELSE 'not valid' END
         || CASE WHEN k.oid IN (SELECT oid FROM silent) THEN '{UNENFORCED}' ELSE '' END
  FROM pg_constraint k
  JOIN relation r ON r.oid = k.conrelid
  CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(text)
 WHERE k.contype IN ('c', 'p', 'u', 'f', 'x') AND NOT (k.contype = 'f' AND k.conparentid <> 0)
UNION ALL
SELECT 'domain constraint', k.contypid::regtype::text || '.' || quote_ident(k.conname),
       CASE WHEN k.convalidated THEN d.text ELSE regexp_replace(d.text, ' NOT VALID$', '') END,
       CASE WHEN k.convalidated THEN 'validated' ELSE 'not valid' END
  FROM pg_constraint k
  JOIN pg_type t ON t.oid = k.contypid
  JOIN space s ON s.oid = t.typnamespace
  CROSS JOIN LATERAL pg_get_constraintdef(k.oid) AS d(text)
 WHERE k.contype = 'c'
   AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)
"""

# `invalid` is what a dump leaves out; an index of a partitioned table that misses some partition's is carried as it is.
_INDEXES: Final = """
SELECT 'index', r.identity, pg_get_indexdef(r.oid),
       CASE WHEN x.indisvalid AND x.indisready AND x.indislive THEN 'valid'
            WHEN r.relkind = 'I' THEN 'incomplete' ELSE 'invalid' END
  FROM relation r
  JOIN pg_index x ON x.indexrelid = r.oid
  JOIN relation t ON t.oid = x.indrelid
"""

# A trigger of a partitioned table is cloned to its partitions; the clone has only a name and a state of its own.
_TRIGGERS: Final = """
SELECT 'trigger', r.identity || '.' || quote_ident(t.tgname),
       CASE WHEN t.tgparentid = 0 THEN pg_get_triggerdef(t.oid)
            ELSE 'clone of ' || p.tgrelid::regclass::text || '.' || quote_ident(p.tgname) END,
       CASE t.tgenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replica'
                        ELSE 'enabled always' END
  FROM pg_trigger t
  JOIN relation r ON r.oid = t.tgrelid
  LEFT JOIN pg_trigger p ON p.oid = t.tgparentid
 WHERE NOT t.tgisinternal
"""

_POLICIES: Final = """
SELECT 'policy', r.identity || '.' || quote_ident(p.polname),
       concat_ws(' ',
         CASE WHEN p.polpermissive THEN 'AS PERMISSIVE' ELSE 'AS RESTRICTIVE' END,
         CASE p.polcmd WHEN 'r' THEN 'FOR SELECT' WHEN 'a' THEN 'FOR INSERT' WHEN 'w' THEN 'FOR UPDATE'
                       WHEN 'd' THEN 'FOR DELETE' ELSE 'FOR ALL' END,
         'TO ' || (SELECT string_agg(CASE WHEN o.role = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(o.role)) END,
                                     ', ' ORDER BY pg_get_userbyid(o.role) COLLATE "C")
                     FROM unnest(p.polroles) o(role)),
         'USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
         'WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
       ''
  FROM pg_policy p JOIN relation r ON r.oid = p.polrelid
"""

_RULES: Final = """
SELECT 'rule', r.identity || '.' || quote_ident(w.rulename), pg_get_ruledef(w.oid),
       CASE w.ev_enabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replica'
                         ELSE 'enabled always' END
  FROM pg_rewrite w JOIN relation r ON r.oid = w.ev_class
 WHERE NOT (w.rulename = '_RETURN' AND r.relkind IN ('v', 'm'))
"""

_STATISTICS: Final = """
SELECT 'statistics', s.name || '.' || quote_ident(x.stxname), pg_get_statisticsobjdef(x.oid),
       CASE WHEN coalesce(x.stxstattarget, -1) >= 0 THEN 'target ' || x.stxstattarget ELSE '' END
  FROM pg_statistic_ext x
  JOIN space s ON s.oid = x.stxnamespace
  JOIN relation r ON r.oid = x.stxrelid
"""

# Told by column: what is inherited comes back under another name, and as a constraint of the child's own.
_NOT_NULL: Final = """
SELECT 'not null constraint', r.identity || '.' || quote_ident(a.attname),
       concat_ws(' ', CASE WHEN k.coninhcount > 0 THEN 'inherited' ELSE 'CONSTRAINT ' || quote_ident(k.conname) END,
                 CASE WHEN k.connoinherit THEN 'NO INHERIT' END),
       CASE WHEN k.convalidated THEN 'validated' ELSE 'not valid' END
  FROM pg_constraint k
  JOIN relation r ON r.oid = k.conrelid
  JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
 WHERE k.contype = 'n'
"""

NOT_NULL: Final[dict[bool, tuple[str, ...]]] = {False: (), True: (_NOT_NULL,)}
"""Constraints of NOT NULL, which have names and states from PostgreSQL 18 (True)."""

QUESTIONS: Final = (_CONSTRAINTS, _INDEXES, _TRIGGERS, _POLICIES, _RULES, _STATISTICS)
"""Each answers with (class, identity, definition, state)."""
