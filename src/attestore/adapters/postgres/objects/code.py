"""Functions, types, operators and everything else that lives in a schema or in the database without being a relation."""

from __future__ import annotations

from typing import Final

__all__ = ["PUBLISHED", "QUESTIONS"]

_FUNCTIONS: Final = """
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, p.oid::regprocedure::text,
       pg_get_functiondef(p.oid), ''
  FROM pg_proc p JOIN space s ON s.oid = p.pronamespace
 WHERE p.prokind <> 'a'
   AND p.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_proc'::regclass)
"""

_AGGREGATES: Final = """
SELECT 'aggregate', p.oid::regprocedure::text,
       concat_ws('; ',
         '(' || pg_get_function_arguments(p.oid) || ') returns ' || format_type(p.prorettype, NULL),
         'kind ' || a.aggkind::text, 'direct ' || a.aggnumdirectargs, 'sfunc ' || a.aggtransfn::regprocedure::text,
         'stype ' || format_type(a.aggtranstype, NULL), 'sspace ' || a.aggtransspace, 'init ' || quote_literal(a.agginitval),
         'final ' || nullif(a.aggfinalfn, 0::regproc)::regprocedure::text, 'extra ' || a.aggfinalextra,
         'modify ' || a.aggfinalmodify::text, 'combine ' || nullif(a.aggcombinefn, 0::regproc)::regprocedure::text,
         'serial ' || nullif(a.aggserialfn, 0::regproc)::regprocedure::text,
         'deserial ' || nullif(a.aggdeserialfn, 0::regproc)::regprocedure::text,
         'msfunc ' || nullif(a.aggmtransfn, 0::regproc)::regprocedure::text,
         'minv ' || nullif(a.aggminvtransfn, 0::regproc)::regprocedure::text,
         'mstype ' || format_type(nullif(a.aggmtranstype, 0::oid), NULL), 'msspace ' || a.aggmtransspace,
         'minit ' || quote_literal(a.aggminitval),
         'mfinal ' || nullif(a.aggmfinalfn, 0::regproc)::regprocedure::text, 'mextra ' || a.aggmfinalextra,
         'mmodify ' || a.aggmfinalmodify::text, 'sort ' || nullif(a.aggsortop, 0::oid)::regoperator::text,
         'parallel ' || p.proparallel::text),
       ''
  FROM pg_proc p
  JOIN space s ON s.oid = p.pronamespace
  JOIN pg_aggregate a ON a.aggfnoid = p.oid
 WHERE p.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_proc'::regclass)
"""

_TYPES: Final = """
SELECT CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, format_type(t.oid, NULL),
       CASE t.typtype
         WHEN 'e' THEN 'enum (' || coalesce((SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder)
                                               FROM pg_enum e WHERE e.enumtypid = t.oid), '') || ')'
         WHEN 'c' THEN 'composite (' || coalesce((
              SELECT string_agg(concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
                       CASE WHEN a.attcollation <> y.typcollation
                            THEN 'COLLATE ' || a.attcollation::regcollation::text END), ', ' ORDER BY a.attnum)
                FROM pg_attribute a JOIN pg_type y ON y.oid = a.atttypid
               WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped), '') || ')'
         WHEN 'd' THEN concat_ws(' ', format_type(t.typbasetype, t.typtypmod),
              CASE WHEN t.typcollation <> b.typcollation THEN 'COLLATE ' || t.typcollation::regcollation::text END,
              CASE WHEN t.typnotnull THEN 'NOT NULL' END)
         WHEN 'r' THEN (
              SELECT concat_ws('; ', 'range of ' || format_type(g.rngsubtype, NULL),
                       'operator class ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(o.opcname)
                          FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace WHERE o.oid = g.rngsubopc),
                       'collation ' || nullif(g.rngcollation, 0::oid)::regcollation::text,
                       'canonical ' || nullif(g.rngcanonical, 0::regproc)::regprocedure::text,
                       'difference ' || nullif(g.rngsubdiff, 0::regproc)::regprocedure::text,
                       'multirange ' || format_type((to_jsonb(g) ->> 'rngmultitypid')::oid, NULL))
                FROM pg_range g WHERE g.rngtypid = t.oid)
         ELSE concat_ws('; ', CASE WHEN t.typisdefined THEN 'base' ELSE 'shell' END,
              'input ' || nullif(t.typinput, 0::regproc)::regprocedure::text,
              'output ' || nullif(t.typoutput, 0::regproc)::regprocedure::text,
              'receive ' || nullif(t.typreceive, 0::regproc)::regprocedure::text,
              'send ' || nullif(t.typsend, 0::regproc)::regprocedure::text,
              'length ' || t.typlen, 'by value ' || t.typbyval, 'align ' || t.typalign::text, 'storage ' || t.typstorage::text,
              'category ' || t.typcategory::text, 'preferred ' || t.typispreferred, 'delimiter ' || t.typdelim::text,
              'element ' || format_type(nullif(t.typelem, 0::oid), NULL), 'default ' || quote_literal(t.typdefault))
       END, ''
  FROM pg_type t
  JOIN space s ON s.oid = t.typnamespace
  LEFT JOIN pg_class c ON c.oid = t.typrelid
  LEFT JOIN pg_type b ON b.oid = t.typbasetype
 WHERE t.typtype <> 'm' AND (t.typrelid = 0 OR c.relkind = 'c')
   AND NOT EXISTS (SELECT FROM pg_type e WHERE e.typarray = t.oid)
   AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)
UNION ALL
SELECT 'default', format_type(t.oid, NULL), coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)), 'domain'
  FROM pg_type t JOIN space s ON s.oid = t.typnamespace
 WHERE t.typtype = 'd' AND t.typdefault IS NOT NULL
   AND t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_type'::regclass)
"""

# The version recorded beside a collation says which library built its indexes; a restore builds them anew, so a drift
# is a finding about the source and not a difference. ICU locale names moved from colliculocale (15) to colllocale (17).
# A copy of "C" is for every encoding until a restore makes it for that of its database, which are the same.
_COLLATIONS: Final = """
SELECT 'collation', s.name || '.' || quote_ident(c.collname),
       concat_ws('; ', 'provider ' || c.collprovider::text, 'encoding ' || CASE WHEN c.collprovider = 'c' AND c.collencoding = -1 THEN d.encoding ELSE c.collencoding END,
         'collate ' || quote_literal(c.collcollate), 'ctype ' || quote_literal(c.collctype),
         'locale ' || quote_literal(coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale')),
         'rules ' || quote_literal(to_jsonb(c) ->> 'collicurules'),
         CASE WHEN NOT c.collisdeterministic THEN 'not deterministic' END), ''
  FROM pg_collation c JOIN space s ON s.oid = c.collnamespace
  JOIN pg_database d ON d.datname = current_database()
 WHERE c.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_collation'::regclass)
"""

_EXTENSIONS: Final = """
SELECT 'extension', quote_ident(e.extname),
       'version ' || quote_literal(e.extversion) || ' in ' || quote_ident(n.nspname), ''
  FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
"""

_LANGUAGES: Final = """
SELECT 'language', quote_ident(l.lanname),
       concat_ws('; ', CASE WHEN l.lanpltrusted THEN 'trusted' END,
         'handler ' || nullif(l.lanplcallfoid, 0::oid)::regprocedure::text,
         'inline ' || nullif(l.laninline, 0::oid)::regprocedure::text,
         'validator ' || nullif(l.lanvalidator, 0::oid)::regprocedure::text), ''
  FROM pg_language l
 WHERE l.oid >= 16384 AND l.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_language'::regclass)
UNION ALL
SELECT 'access method', quote_ident(m.amname), 'type ' || m.amtype::text || '; handler ' || m.amhandler::regprocedure::text, ''
  FROM pg_am m
 WHERE m.oid >= 16384 AND m.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_am'::regclass)
UNION ALL
SELECT 'transform', 'for ' || format_type(f.trftype, NULL) || ' language ' || quote_ident(l.lanname),
       concat_ws('; ', 'from ' || nullif(f.trffromsql, 0::regproc)::regprocedure::text,
                 'to ' || nullif(f.trftosql, 0::regproc)::regprocedure::text), ''
  FROM pg_transform f JOIN pg_language l ON l.oid = f.trflang
 WHERE f.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_transform'::regclass)
"""

_OPERATORS: Final = """
SELECT 'operator', o.oid::regoperator::text,
       concat_ws('; ', 'function ' || nullif(o.oprcode, 0::regproc)::regprocedure::text,
         'returns ' || format_type(nullif(o.oprresult, 0::oid), NULL),
         'commutator ' || nullif(o.oprcom, 0::oid)::regoperator::text,
         'negator ' || nullif(o.oprnegate, 0::oid)::regoperator::text,
         'restrict ' || nullif(o.oprrest, 0::regproc)::regprocedure::text,
         'join ' || nullif(o.oprjoin, 0::regproc)::regprocedure::text,
         CASE WHEN o.oprcanhash THEN 'hashes' END, CASE WHEN o.oprcanmerge THEN 'merges' END), ''
  FROM pg_operator o JOIN space s ON s.oid = o.oprnamespace
 WHERE o.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_operator'::regclass)
UNION ALL
SELECT 'cast', format_type(c.castsource, NULL) || ' AS ' || format_type(c.casttarget, NULL),
       concat_ws('; ', 'method ' || c.castmethod::text, 'context ' || c.castcontext::text,
                 'function ' || nullif(c.castfunc, 0::oid)::regprocedure::text), ''
  FROM pg_cast c
 WHERE c.oid >= 16384 AND c.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_cast'::regclass)
UNION ALL
SELECT 'operator family', s.name || '.' || quote_ident(f.opfname) || ' USING ' || quote_ident(m.amname),
       concat_ws('; ',
         (SELECT string_agg('operator ' || o.amopstrategy || ' ' || o.amopopr::regoperator::text
                   || coalesce(' order by ' || (SELECT quote_ident(n.nspname) || '.' || quote_ident(y.opfname)
                        FROM pg_opfamily y JOIN pg_namespace n ON n.oid = y.opfnamespace
                       WHERE y.oid = nullif(o.amopsortfamily, 0::oid)), ''), ', '
                   ORDER BY o.amopstrategy, o.amopopr::regoperator::text COLLATE "C")
            FROM pg_amop o WHERE o.amopfamily = f.oid),
         (SELECT string_agg('function ' || p.amprocnum || ' (' || format_type(p.amproclefttype, NULL) || ', '
                   || format_type(p.amprocrighttype, NULL) || ') ' || p.amproc::regprocedure::text, ', '
                   ORDER BY p.amprocnum, p.amproclefttype::regtype::text COLLATE "C",
                            p.amprocrighttype::regtype::text COLLATE "C")
            FROM pg_amproc p WHERE p.amprocfamily = f.oid)), ''
  FROM pg_opfamily f JOIN space s ON s.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
 WHERE f.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_opfamily'::regclass)
UNION ALL
SELECT 'operator class', s.name || '.' || quote_ident(o.opcname) || ' USING ' || quote_ident(m.amname),
       concat_ws('; ', CASE WHEN o.opcdefault THEN 'default' END, 'for ' || format_type(o.opcintype, NULL),
                 'storage ' || format_type(nullif(o.opckeytype, 0::oid), NULL),
                 'family ' || quote_ident(n.nspname) || '.' || quote_ident(f.opfname)), ''
  FROM pg_opclass o JOIN space s ON s.oid = o.opcnamespace JOIN pg_am m ON m.oid = o.opcmethod
  JOIN pg_opfamily f ON f.oid = o.opcfamily JOIN pg_namespace n ON n.oid = f.opfnamespace
 WHERE o.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_opclass'::regclass)
UNION ALL
SELECT 'conversion', s.name || '.' || quote_ident(c.conname),
       concat_ws('; ', CASE WHEN c.condefault THEN 'default' END, 'for ' || pg_encoding_to_char(c.conforencoding),
                 'to ' || pg_encoding_to_char(c.contoencoding), 'function ' || c.conproc::regprocedure::text), ''
  FROM pg_conversion c JOIN space s ON s.oid = c.connamespace
 WHERE c.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_conversion'::regclass)
"""

_TEXT_SEARCH: Final = """
SELECT 'text search configuration', s.name || '.' || quote_ident(c.cfgname),
       'parser ' || quote_ident(n.nspname) || '.' || quote_ident(p.prsname) || coalesce('; ' || (
         SELECT string_agg(x.token || ' ' || x.dictionary, ', ' ORDER BY x.token COLLATE "C", x.step)
           FROM (SELECT (SELECT k.alias FROM ts_token_type(p.oid) k WHERE k.tokid = m.maptokentype) AS token,
                        m.mapdict::regdictionary::text AS dictionary, m.mapseqno AS step
                   FROM pg_ts_config_map m WHERE m.mapcfg = c.oid) x), ''), ''
  FROM pg_ts_config c JOIN space s ON s.oid = c.cfgnamespace
  JOIN pg_ts_parser p ON p.oid = c.cfgparser JOIN pg_namespace n ON n.oid = p.prsnamespace
 WHERE c.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_ts_config'::regclass)
UNION ALL
SELECT 'text search dictionary', s.name || '.' || quote_ident(d.dictname),
       'template ' || quote_ident(n.nspname) || '.' || quote_ident(t.tmplname) || coalesce('; ' || d.dictinitoption, ''), ''
  FROM pg_ts_dict d JOIN space s ON s.oid = d.dictnamespace
  JOIN pg_ts_template t ON t.oid = d.dicttemplate JOIN pg_namespace n ON n.oid = t.tmplnamespace
 WHERE d.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_ts_dict'::regclass)
UNION ALL
SELECT 'text search parser', s.name || '.' || quote_ident(p.prsname),
       concat_ws('; ', 'start ' || p.prsstart::regprocedure::text, 'token ' || p.prstoken::regprocedure::text,
                 'end ' || p.prsend::regprocedure::text, 'headline ' || nullif(p.prsheadline, 0::regproc)::regprocedure::text,
                 'types ' || p.prslextype::regprocedure::text), ''
  FROM pg_ts_parser p JOIN space s ON s.oid = p.prsnamespace
 WHERE p.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_ts_parser'::regclass)
UNION ALL
SELECT 'text search template', s.name || '.' || quote_ident(t.tmplname),
       concat_ws('; ', 'init ' || nullif(t.tmplinit, 0::regproc)::regprocedure::text,
                 'lexize ' || t.tmpllexize::regprocedure::text), ''
  FROM pg_ts_template t JOIN space s ON s.oid = t.tmplnamespace
 WHERE t.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_ts_template'::regclass)
"""

# Values of options whose name smells of a password never leave the server; of user mappings only the pair is told.
_FOREIGN: Final = """
SELECT 'foreign data wrapper', quote_ident(w.fdwname),
       concat_ws('; ', 'handler ' || nullif(w.fdwhandler, 0::oid)::regprocedure::text,
                 'validator ' || nullif(w.fdwvalidator, 0::oid)::regprocedure::text,
                 'options (' || (SELECT string_agg(quote_ident(o.option_name) || ' ' || CASE
                     WHEN o.option_name ~* 'pass|secret|token|credential' THEN '(hidden)'
                     ELSE quote_literal(o.option_value) END, ', ' ORDER BY o.option_name COLLATE "C")
                   FROM pg_options_to_table(w.fdwoptions) o) || ')'), ''
  FROM pg_foreign_data_wrapper w
 WHERE w.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_data_wrapper'::regclass)
UNION ALL
SELECT 'server', quote_ident(v.srvname),
       concat_ws('; ', 'wrapper ' || quote_ident(w.fdwname), 'type ' || quote_literal(v.srvtype),
                 'version ' || quote_literal(v.srvversion),
                 'options (' || (SELECT string_agg(quote_ident(o.option_name) || ' ' || CASE
                     WHEN o.option_name ~* 'pass|secret|token|credential' THEN '(hidden)'
                     ELSE quote_literal(o.option_value) END, ', ' ORDER BY o.option_name COLLATE "C")
                   FROM pg_options_to_table(v.srvoptions) o) || ')'), ''
  FROM pg_foreign_server v JOIN pg_foreign_data_wrapper w ON w.oid = v.srvfdw
 WHERE v.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_foreign_server'::regclass)
UNION ALL
SELECT 'user mapping', CASE WHEN u.umuser = 0 THEN 'PUBLIC' ELSE quote_ident(u.usename) END || ' ON ' || quote_ident(u.srvname),
       'user mapping', ''
  FROM pg_user_mappings u
"""

_EVENTS: Final = """
SELECT 'event trigger', quote_ident(e.evtname),
       concat_ws(' ', 'ON ' || e.evtevent,
         'WHEN TAG IN (' || (SELECT string_agg(quote_literal(t), ', ' ORDER BY t COLLATE "C") FROM unnest(e.evttags) t) || ')',
         'EXECUTE FUNCTION ' || e.evtfoid::regprocedure::text),
       CASE e.evtenabled WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'enabled on replica'
                         ELSE 'enabled always' END
  FROM pg_event_trigger e
 WHERE e.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_event_trigger'::regclass)
"""

_PUBLICATIONS: Final = """
SELECT 'publication', quote_ident(p.pubname),
       concat_ws('; ', CASE WHEN p.puballtables THEN 'all tables' END,
         CASE WHEN (to_jsonb(p) ->> 'puballsequences')::bool THEN 'all sequences' END,
         CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
         CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END,
         CASE WHEN p.pubviaroot THEN 'via root' END,
         'generated columns ' || nullif(to_jsonb(p) ->> 'pubgencols', 'n')), ''
  FROM pg_publication p
 WHERE p.oid NOT IN (SELECT objid FROM owned_by_extension WHERE classid = 'pg_publication'::regclass)
"""

_PUBLISHED: Final = """
SELECT 'publication table', quote_ident(p.pubname) || ' TABLE ' || x.prrelid::regclass::text,
       concat_ws(' ',
         '(' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attname COLLATE "C")
                   FROM pg_attribute a WHERE a.attrelid = x.prrelid AND a.attnum = ANY (x.prattrs::int2[])) || ')',
         'WHERE (' || pg_get_expr(x.prqual, x.prrelid) || ')'), ''
  FROM pg_publication_rel x JOIN pg_publication p ON p.oid = x.prpubid
UNION ALL
SELECT 'publication schema', quote_ident(p.pubname) || ' SCHEMA ' || quote_ident(n.nspname), 'published', ''
  FROM pg_publication_namespace x JOIN pg_publication p ON p.oid = x.pnpubid JOIN pg_namespace n ON n.oid = x.pnnspid
"""

_PUBLISHED_14: Final = """
SELECT 'publication table', quote_ident(p.pubname) || ' TABLE ' || x.prrelid::regclass::text, '', ''
  FROM pg_publication_rel x JOIN pg_publication p ON p.oid = x.prpubid
"""

QUESTIONS: Final = (
    _FUNCTIONS,
    _AGGREGATES,
    _TYPES,
    _COLLATIONS,
    _EXTENSIONS,
    _LANGUAGES,
    _OPERATORS,
    _TEXT_SEARCH,
    _FOREIGN,
    _EVENTS,
    _PUBLICATIONS,
)
"""Each answers with (class, identity, definition, state)."""

PUBLISHED: Final = {False: _PUBLISHED_14, True: _PUBLISHED}
"""What publications publish; column lists, filters and schemas exist from PostgreSQL 15 (True)."""
