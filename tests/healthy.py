"""Healthy schemas of many shapes: none of them may raise an alarm after one dump and restore, nor after two."""

from __future__ import annotations

from typing import Final

__all__ = ["EXTENSIONS", "HEALTHY"]

EXTENSIONS: Final = ("btree_gist", "citext", "hstore", "pg_trgm", "unaccent")
"""installed once, in public, before the schemas are made"""

HEALTHY: Final[dict[str, str]] = {
    # ── tables and columns
    "no relation at all": "",
    "an empty table": "CREATE TABLE t (id int PRIMARY KEY)",
    "a table without columns, with rows": "CREATE TABLE t (); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
    "a table without a key, with duplicates": "CREATE TABLE t (a int, b text); INSERT INTO t SELECT 1, 'x' FROM generate_series(1, 50)",
    "a dropped column": "CREATE TABLE t (a int, gone text, b text); INSERT INTO t VALUES (1, 'x', 'y'); ALTER TABLE t DROP COLUMN gone",
    "a column added with a fast default": "CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 9); ALTER TABLE t ADD b text DEFAULT 'late' NOT NULL",
    "columns in an order of their own": "CREATE TABLE t (z int, a int, m int); INSERT INTO t VALUES (1, 2, 3)",
    "hostile names": 'CREATE TABLE "users | PASS" ("a|b" int, "new\nline" text, "q""uote" int); INSERT INTO "users | PASS" VALUES (1, E\'x\\ny\', 2)',
    "names of 63 bytes": f"CREATE TABLE {'n' * 63} ({'c' * 63} int PRIMARY KEY)",
    "reserved words as names": 'CREATE TABLE "select" ("from" int PRIMARY KEY, "table" text, "user" text); INSERT INTO "select" VALUES (1, \'x\', \'y\')',
    "a column named as its table": "CREATE TABLE t (t text); INSERT INTO t VALUES ('t')",
    "four hundred columns": "CREATE TABLE t (" + ", ".join(f"c{n} bool" for n in range(400)) + "); INSERT INTO t DEFAULT VALUES",
    "storage and compression": "CREATE TABLE t (a text, b text COMPRESSION pglz, c bytea); ALTER TABLE t ALTER a SET STORAGE EXTERNAL, ALTER c SET STORAGE MAIN; INSERT INTO t VALUES (repeat('a', 9000), repeat('b', 9000), decode(repeat('00', 9000), 'hex'))",
    "toast and fill factor": "CREATE TABLE t (a int) WITH (fillfactor = 70, autovacuum_enabled = off, toast.autovacuum_enabled = off)",
    "an unlogged table": "CREATE UNLOGGED TABLE t (a int); INSERT INTO t VALUES (1)",
    "a replica identity": "CREATE TABLE t (a int NOT NULL); CREATE UNIQUE INDEX u ON t (a); ALTER TABLE t REPLICA IDENTITY USING INDEX u",
    "a table clustered on an index": "CREATE TABLE t (a int PRIMARY KEY); INSERT INTO t SELECT generate_series(9, 1, -1); CLUSTER t USING t_pkey",
    # ── values
    "numbers at their ends": "CREATE TABLE t (a int2, b int8, c numeric, d float4, e float8); INSERT INTO t VALUES (-32768, 9223372036854775807, 1.00, '-0', 'NaN'), (NULL, -1, 1.0, 'Infinity', 5e-324)",
    "texts of all sorts": "CREATE TABLE t (a text, b varchar(5), c char(5)); INSERT INTO t VALUES ('', 'a', 'a'), (NULL, 'a ', 'a '), (E'\\\\N', E'\\t', ''), (U&'e\\0301', U&'\\00E9', '😀')",
    "times and intervals": "CREATE TABLE t (a timestamptz, b timestamp, c date, d timetz, e interval); INSERT INTO t VALUES ('2024-02-29 23:59:59.999999+02', 'infinity', '0044-03-15 BC', '24:00+05:30', '1 mon -1 day 00:00:00.000001')",
    "money in a locale": "CREATE TABLE t (a money); INSERT INTO t VALUES (1.5), (-92233720368547758.08)",
    "bytes": "CREATE TABLE t (a bytea); INSERT INTO t VALUES ('\\x'), ('\\x00'), ('\\x5c5c'), (NULL)",
    "documents": """CREATE TABLE t (a json, b jsonb, c jsonpath); INSERT INTO t VALUES ('{"a": 1, "a":2 }', '{"a": 1.0}', '$.a[*]'), ('null', 'null', NULL)""",
    "arrays": "CREATE TABLE t (a int[], b text[], c float8[][]); INSERT INTO t VALUES ('[2:3]={1,2}', '{NULL,\"NULL\",\"\"}', '{{0,-0},{1,NaN}}'), ('{}', NULL, '{}')",
    "ranges and multiranges": "CREATE TABLE t (a int4range, b numrange, c tstzmultirange); INSERT INTO t VALUES ('empty', '[1.0,1.00]', '{[2020-01-01,2021-01-01),[2022-01-01,)}')",
    "networks, bits and identifiers": "CREATE TABLE t (a inet, b cidr, c macaddr8, d varbit, e bit(3), f uuid, g pg_lsn, h xid8); INSERT INTO t VALUES ('10.0.0.1/8', '10.0.0.0/8', '08:00:2b:01:02:03:04:05', B'', B'101', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '0/16B3748', '7')",
    "geometry": "CREATE TABLE t (a point, b box, c path, d polygon, e circle, f line, g lseg); INSERT INTO t VALUES ('(1,-0)', '((0,0),(1,1))', '[(0,0),(1,1)]', '((0,0),(1,1),(2,0))', '<(1,2),3>', '{1,2,3}', '[(0,0),(1,1)]')",
    "text search": "CREATE TABLE t (a tsvector, b tsquery); INSERT INTO t VALUES ('fat:1A cat:2', 'fat & (cat | !dog)')",
    "object identifiers as values": "CREATE TABLE t (a regclass, b regtype, c regproc, d oid, e regrole); INSERT INTO t VALUES ('pg_class', 'int4', 'now', 1, 'pg_monitor')",
    "types of extensions": "CREATE TABLE t (a public.citext PRIMARY KEY, b public.hstore); INSERT INTO t VALUES ('Key', 'a=>1, b=>NULL')",
    "a value of four megabytes": "CREATE TABLE t (a text); INSERT INTO t VALUES (repeat('0123456789abcdef', 262144))",
    # ── types of one's own
    "an enum, extended and renamed": "CREATE TYPE mood AS ENUM ('sad', 'glad'); ALTER TYPE mood ADD VALUE 'ok' BEFORE 'glad'; ALTER TYPE mood RENAME VALUE 'sad' TO 'low'; CREATE TABLE t (a mood DEFAULT 'glad', b mood[])",
    "domains over domains": "CREATE DOMAIN natural_number AS int CHECK (VALUE >= 0); CREATE DOMAIN small AS natural_number DEFAULT 3 NOT NULL CHECK (VALUE < 10); CREATE TABLE t (a small); INSERT INTO t VALUES (DEFAULT), (9)",
    "composites, nested": "CREATE TYPE pair AS (a int, b text); CREATE TYPE pairs AS (one pair, many pair[]); CREATE TABLE t (a pairs); INSERT INTO t VALUES (ROW(ROW(1, NULL), ARRAY[ROW(2, '')::pair])), (NULL), (ROW(NULL, NULL))",
    "a range type of one's own": "CREATE TYPE span AS RANGE (subtype = float8, subtype_diff = float8mi); CREATE TABLE t (a span); INSERT INTO t VALUES ('[1.5,2.5)')",
    "a shell type and a cast": "CREATE TYPE shell; CREATE TYPE pair AS (a int, b int); CREATE FUNCTION told(pair) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1.a::text'; CREATE CAST (pair AS text) WITH FUNCTION told(pair)",
    # ── keys and constraints
    "checks with lists": "CREATE TABLE t (a text CHECK (a IN ('x', 'y', 'z')), b int CHECK (b = ANY (ARRAY[1, 2])), c varchar(9) CHECK (c IN ('p', 'q'))); INSERT INTO t VALUES ('x', 1, 'p')",
    "checks with every sort of expression": "CREATE TABLE t (a int, b int, c text, CONSTRAINT k CHECK (a BETWEEN 1 AND 9 AND b IS DISTINCT FROM a), CHECK (c ~ '^[a-z]+$' OR c IS NULL), CHECK (coalesce(length(c), 0) < 10), CHECK (CASE WHEN a > 5 THEN b > 5 ELSE true END)); INSERT INTO t VALUES (6, 7, 'abc')",
    "a check that is not valid": "CREATE TABLE t (a int); INSERT INTO t VALUES (-1); ALTER TABLE t ADD CONSTRAINT positive CHECK (a > 0) NOT VALID",
    "a foreign key that is not valid": "CREATE TABLE p (a int PRIMARY KEY); CREATE TABLE t (a int); INSERT INTO t VALUES (7); ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES p NOT VALID",
    "foreign keys in a circle": "CREATE TABLE p (a int PRIMARY KEY, b int); CREATE TABLE q (a int PRIMARY KEY REFERENCES p DEFERRABLE INITIALLY DEFERRED); ALTER TABLE p ADD FOREIGN KEY (b) REFERENCES q DEFERRABLE INITIALLY DEFERRED; BEGIN; INSERT INTO p VALUES (1, 1); INSERT INTO q VALUES (1); COMMIT",
    "a foreign key to itself": "CREATE TABLE t (a int PRIMARY KEY, up int REFERENCES t); INSERT INTO t VALUES (1, NULL), (2, 1), (3, 3)",
    "keys of several columns, MATCH FULL and SIMPLE": "CREATE TABLE p (a int, b text, PRIMARY KEY (b, a)); CREATE TABLE t (x int, y text, z int, FOREIGN KEY (y, x) REFERENCES p MATCH FULL, FOREIGN KEY (y, z) REFERENCES p ON DELETE SET NULL ON UPDATE CASCADE); INSERT INTO p VALUES (1, 'k'); INSERT INTO t VALUES (1, 'k', NULL), (NULL, NULL, 4)",
    "an exclusion constraint": "CREATE TABLE t (room int, during tsrange, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (room > 0)); INSERT INTO t VALUES (1, '[2020-01-01,2020-01-02)')",
    "unique keys, deferrable, NULLS NOT DISTINCT, INCLUDE": "CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED, b int, c int, UNIQUE NULLS NOT DISTINCT (b), UNIQUE (c) INCLUDE (a)); INSERT INTO t VALUES (1, NULL, 2)",
    # ── indexes
    "indexes of every method": "CREATE TABLE t (a int, b int4range, c tsvector, d text); CREATE INDEX ON t USING hash (a); CREATE INDEX ON t USING gist (b); CREATE INDEX ON t USING gin (c); CREATE INDEX ON t USING brin (a) WITH (pages_per_range = 4); CREATE INDEX ON t USING spgist (d); INSERT INTO t VALUES (1, '[1,2)', 'a', 'b')",
    "partial, expression and covering indexes": "CREATE TABLE t (a int, b text, c text); CREATE UNIQUE INDEX ON t (lower(b) text_pattern_ops DESC NULLS LAST) WHERE a > 0; CREATE INDEX ON t ((a % 2), c) INCLUDE (b); CREATE INDEX ON t USING gin (c public.gin_trgm_ops)",
    "an index with a collation": 'CREATE TABLE t (a text COLLATE "C"); CREATE INDEX ON t (a COLLATE "POSIX"); INSERT INTO t VALUES (\'b\'), (\'A\')',
    "statistics objects and targets": "CREATE TABLE t (a int, b int); CREATE STATISTICS s (ndistinct, dependencies, mcv) ON a, b FROM t; ALTER STATISTICS s SET STATISTICS 50; CREATE STATISTICS e ON (a + b), (a % 2) FROM t; ALTER TABLE t ALTER a SET STATISTICS 500",
    # ── sequences and identities
    "serials and identities": "CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY (START 100 INCREMENT 5), c bigint GENERATED BY DEFAULT AS IDENTITY); INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT VALUES",
    "sequences that go down, cycle or never ran": "CREATE SEQUENCE down INCREMENT -1; SELECT nextval('down'); CREATE SEQUENCE cycles MAXVALUE 3 CYCLE CACHE 20; SELECT nextval('cycles'); CREATE SEQUENCE still AS smallint START 7",
    "a sequence shared by two tables": "CREATE SEQUENCE s; CREATE TABLE t (a int DEFAULT nextval('s')); CREATE TABLE u (a int DEFAULT nextval('s')); INSERT INTO t DEFAULT VALUES; INSERT INTO u DEFAULT VALUES",
    "a sequence behind its keys": "CREATE TABLE t (a serial PRIMARY KEY); INSERT INTO t VALUES (1000)",
    "generated columns": "CREATE TABLE t (a int, b int GENERATED ALWAYS AS (a * 2) STORED, c text GENERATED ALWAYS AS (a::text || '!') STORED); INSERT INTO t VALUES (1), (NULL)",
    # ── partitions and inheritance
    "partitions by range, list and hash": "CREATE TABLE r (a int) PARTITION BY RANGE (a); CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (MINVALUE) TO (0); CREATE TABLE r2 PARTITION OF r DEFAULT; CREATE TABLE l (a text) PARTITION BY LIST (a); CREATE TABLE l1 PARTITION OF l FOR VALUES IN ('x', NULL); CREATE TABLE h (a int) PARTITION BY HASH (a); CREATE TABLE h0 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE h1 PARTITION OF h FOR VALUES WITH (MODULUS 2, REMAINDER 1); INSERT INTO r VALUES (-1), (5); INSERT INTO l VALUES ('x'), (NULL); INSERT INTO h SELECT generate_series(1, 20)",
    "partitions of partitions, keys and indexes": "CREATE TABLE p (a int, b int, c text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10) PARTITION BY LIST (b); CREATE TABLE p11 PARTITION OF p1 FOR VALUES IN (1); CREATE TABLE p12 PARTITION OF p1 DEFAULT; CREATE INDEX ON p (c); CREATE TABLE t (a int, b int, FOREIGN KEY (a, b) REFERENCES p); INSERT INTO p VALUES (1, 1, 'x'), (2, 2, 'y'); INSERT INTO t VALUES (1, 1)",
    "an attached partition with other columns' order": "CREATE TABLE p (id int, k text) PARTITION BY LIST (k); CREATE TABLE leaf (k text, gone int, id int); ALTER TABLE leaf DROP COLUMN gone; ALTER TABLE p ATTACH PARTITION leaf FOR VALUES IN ('a'); INSERT INTO p VALUES (1, 'a')",
    "inheritance": "CREATE TABLE parent (a int CHECK (a > 0)); CREATE TABLE child (b int) INHERITS (parent); CREATE TABLE grandchild () INHERITS (child); INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3); INSERT INTO grandchild VALUES (4, 5)",
    "several parents": "CREATE TABLE a (x int); CREATE TABLE b (x int, y int); CREATE TABLE c (z int) INHERITS (a, b); INSERT INTO c VALUES (1, 2, 3)",
    # ── code
    "functions of several languages": "CREATE FUNCTION one(int DEFAULT 1, VARIADIC rest text[] DEFAULT '{}') RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 7 AS 'SELECT $1'; CREATE FUNCTION two(OUT a int, OUT b text) LANGUAGE plpgsql AS $$ BEGIN a := 1; b := 'x'; END $$; CREATE FUNCTION three(int) RETURNS int LANGUAGE sql RETURN $1 + 1; CREATE FUNCTION one(text) RETURNS SETOF text LANGUAGE sql ROWS 5 SECURITY DEFINER SET search_path = pg_catalog AS 'SELECT $1'",
    "procedures and aggregates": "CREATE PROCEDURE p(INOUT a int) LANGUAGE plpgsql AS $$ BEGIN a := a + 1; COMMIT; END $$; CREATE AGGREGATE total(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0'); CREATE AGGREGATE pct(float8 ORDER BY int) (SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA)",
    "operators and classes": "CREATE FUNCTION same(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 = $2'; CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = same, COMMUTATOR = ===); CREATE OPERATOR FAMILY fam USING btree; CREATE OPERATOR CLASS cls FOR TYPE int USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int)",
    "triggers of every kind": "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$; CREATE TRIGGER b BEFORE INSERT OR UPDATE OF b ON t FOR EACH ROW WHEN (new.b > 0) EXECUTE FUNCTION f('x', 'y'); CREATE TRIGGER s AFTER TRUNCATE ON t EXECUTE FUNCTION f(); CREATE TRIGGER tt AFTER UPDATE ON t REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION f(); CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO t VALUES (1, 2)",
    "disabled, replica and always triggers": "CREATE TABLE t (a int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$; CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER b BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); CREATE TRIGGER c BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER a; ALTER TABLE t ENABLE REPLICA TRIGGER b; ALTER TABLE t ENABLE ALWAYS TRIGGER c",
    "a trigger that stamps rows": "CREATE TABLE t (a int, at timestamptz); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN new.at := clock_timestamp(); RETURN new; END $$; CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f(); INSERT INTO t VALUES (1), (2)",
    "rules": "CREATE TABLE t (a int); CREATE VIEW v AS SELECT a FROM t; CREATE RULE ins AS ON INSERT TO v DO INSTEAD INSERT INTO t VALUES (new.a) RETURNING a; CREATE RULE quiet AS ON DELETE TO t WHERE old.a < 0 DO INSTEAD NOTHING",
    # ── views
    "views upon views": "CREATE TABLE t (a int PRIMARY KEY, b text); CREATE VIEW v AS SELECT a, b FROM t WHERE b IN ('x', 'y') WITH CASCADED CHECK OPTION; CREATE VIEW w WITH (security_barrier, security_invoker) AS SELECT count(*) FILTER (WHERE a > 1) AS n, array_agg(b ORDER BY a DESC) AS l FROM v; CREATE RECURSIVE VIEW n (i) AS VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 5",
    "a view grouped by a key": "CREATE TABLE t (a int PRIMARY KEY, b text, c int); CREATE VIEW v AS SELECT a, b, sum(c) FROM t GROUP BY a; INSERT INTO t VALUES (1, 'x', 2)",
    "materialized views, populated and not": "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE MATERIALIZED VIEW m AS SELECT a FROM t; CREATE UNIQUE INDEX ON m (a); CREATE MATERIALIZED VIEW n AS SELECT a FROM m WITH NO DATA",
    "a materialized view that is stale": "CREATE TABLE t (a int); CREATE MATERIALIZED VIEW m AS SELECT a FROM t; INSERT INTO t VALUES (1)",
    # ── rights
    "grants, of columns too": "CREATE TABLE t (a int, b int); GRANT SELECT, INSERT (a), UPDATE (b) ON t TO corpus_reader; GRANT USAGE ON SCHEMA CURRENT_SCHEMA TO corpus_reader; CREATE SEQUENCE s; GRANT USAGE ON SEQUENCE s TO PUBLIC",
    "owners and revoked defaults": "CREATE TABLE t (a int); ALTER TABLE t OWNER TO corpus_owner; CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'; REVOKE ALL ON FUNCTION f() FROM PUBLIC; CREATE TYPE e AS ENUM ('a'); REVOKE ALL ON TYPE e FROM PUBLIC",
    "default privileges": "ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner IN SCHEMA CURRENT_SCHEMA GRANT SELECT ON TABLES TO corpus_reader",
    "row security": "CREATE TABLE t (a int, who name DEFAULT current_user); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; CREATE POLICY mine ON t FOR SELECT TO corpus_reader USING (who = current_user); CREATE POLICY strict ON t AS RESTRICTIVE FOR UPDATE USING (a > 0) WITH CHECK (a < 10); INSERT INTO t VALUES (1), (2)",
    "comments everywhere": "CREATE TABLE t (a int CONSTRAINT k CHECK (a > 0)); COMMENT ON TABLE t IS 'a | b\nc'; COMMENT ON COLUMN t.a IS 'x'; COMMENT ON CONSTRAINT k ON t IS 'y'; CREATE INDEX i ON t (a); COMMENT ON INDEX i IS ''''; CREATE TYPE e AS ENUM ('a'); COMMENT ON TYPE e IS 'z'",
    # ── elsewhere
    "foreign tables": "CREATE FOREIGN DATA WRAPPER corpus_wrapper; CREATE SERVER corpus_server FOREIGN DATA WRAPPER corpus_wrapper OPTIONS (host 'nowhere'); CREATE FOREIGN TABLE t (a int OPTIONS (column_name 'b')) SERVER corpus_server OPTIONS (table_name 'x')",
    "publications": "CREATE TABLE t (a int PRIMARY KEY, b int); CREATE PUBLICATION corpus_publication FOR TABLE t (a) WHERE (a > 1) WITH (publish = 'insert')",
    "an event trigger": "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER corpus_event ON ddl_command_end WHEN TAG IN ('CREATE AGGREGATE') EXECUTE FUNCTION f(); ALTER EVENT TRIGGER corpus_event DISABLE",
    "text search configurations": "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = pg_catalog.simple, accept = false); CREATE TEXT SEARCH CONFIGURATION c (COPY = pg_catalog.english); ALTER TEXT SEARCH CONFIGURATION c ALTER MAPPING FOR word WITH d, simple",
    "collations": "CREATE COLLATION same (provider = libc, locale = 'C'); CREATE TABLE t (a text COLLATE same); INSERT INTO t VALUES ('a')",
    "large objects": "SELECT lo_create(424242); SELECT lo_put(424242, 0, decode(repeat('cd', 5000), 'hex')); COMMENT ON LARGE OBJECT 424242 IS 'corpus'; GRANT SELECT ON LARGE OBJECT 424242 TO corpus_reader",
}  # fmt: skip
"""sentence → statements, run in a schema of its own that stands first in the search path"""
