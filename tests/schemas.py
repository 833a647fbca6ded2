"""A rich database for tests: hostile names and nearly every kind of object that a dump carries."""

from __future__ import annotations

from typing import Any, Final

import psycopg

__all__ = ["LONG", "QUIRKS_18_SQL", "QUIRKS_SQL", "RICH_SQL", "ROLES_SQL", "create_rich", "create_roles"]

LONG: Final = "n" * 63
"""the longest name PostgreSQL keeps whole"""

ROLES_SQL: Final = """
DO $roles$
DECLARE wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['rich_owner', 'rich_reader', 'Rich "Writer" | PASS', 'rich_group'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I', wanted);
    END IF;
  END LOOP;
END
$roles$;
ALTER ROLE rich_owner LOGIN CREATEDB PASSWORD 'canary-rich-password' CONNECTION LIMIT 7;
ALTER ROLE rich_reader NOINHERIT VALID UNTIL '2031-01-01 00:00:00+00';
GRANT rich_group TO rich_reader;
GRANT rich_group TO "Rich ""Writer"" | PASS" WITH ADMIN OPTION;
ALTER ROLE rich_reader SET search_path = "$user", "Weird Schema", public;
ALTER ROLE rich_reader SET statement_timeout = '90s';
COMMENT ON ROLE rich_group IS 'a group | of people';
"""
"""Roles of the cluster; may be run again."""

RICH_SQL: Final = """
CREATE SCHEMA ext;
CREATE EXTENSION citext SCHEMA ext;
CREATE EXTENSION pg_trgm SCHEMA ext;
CREATE EXTENSION hstore SCHEMA ext;
CREATE EXTENSION btree_gist SCHEMA ext;
CREATE SCHEMA app AUTHORIZATION rich_owner;
CREATE SCHEMA "Weird Schema";
CREATE SCHEMA "select";
COMMENT ON SCHEMA app IS 'the application';
COMMENT ON EXTENSION citext IS 'our own words about citext';

-- types
CREATE TYPE app.mood AS ENUM ('sad', 'it''s ok', 'happy', '😀');
ALTER TYPE app.mood ADD VALUE 'between' AFTER 'sad';
CREATE TYPE app.address AS (street text, "Post Code" varchar(12), lat numeric(9,6));
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
DO $collations$
BEGIN
  CREATE COLLATION app.german (provider = icu, locale = 'de-u-co-phonebk');
  CREATE COLLATION app.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN feature_not_supported OR invalid_object_definition THEN  -- a build without ICU
  CREATE COLLATION app.german (locale = 'C');
  CREATE COLLATION app.blind (locale = 'POSIX');
END
$collations$;
CREATE DOMAIN app.email AS ext.citext DEFAULT 'nobody@example.org'
  CONSTRAINT has_at CHECK (VALUE OPERATOR(ext.~) '@'::ext.citext);
CREATE DOMAIN app.state AS varchar(20) NOT NULL CONSTRAINT known CHECK (VALUE IN ('new', 'open', 'closed'));
COMMENT ON TYPE app.mood IS 'moods';
COMMENT ON DOMAIN app.email IS 'addresses';
COMMENT ON CONSTRAINT has_at ON DOMAIN app.email IS 'an at sign';
GRANT USAGE ON TYPE app.mood TO rich_reader;
REVOKE USAGE ON TYPE app.address FROM PUBLIC;

-- functions
CREATE FUNCTION app.lower_all(a text, VARIADIC rest text[] DEFAULT '{}') RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT lower(a) || array_to_string(rest, '|') $$;
CREATE FUNCTION app.in_list(x varchar) RETURNS bool LANGUAGE sql IMMUTABLE
  BEGIN ATOMIC SELECT x IN ('a', 'b', 'c'); END;
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql SET search_path = app, "Weird Schema" COST 7
  AS $$ BEGIN NEW.updated_at := now(); RETURN NEW; END $$;
CREATE PROCEDURE app.do_it(INOUT n int, msg text DEFAULT 'hello;
world') LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN n := n + 1; END $$;
CREATE FUNCTION app.rows_of(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql ROWS 5
  AS $$ SELECT 1, 'x' $$;
CREATE FUNCTION "Weird Schema"."f""( | )"("arg one" int) RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
CREATE AGGREGATE app.longest(text) (sfunc = textcat, stype = text, initcond = '', parallel = safe);
CREATE FUNCTION app.cmp(app.address, app.address) RETURNS bool LANGUAGE sql IMMUTABLE
  AS $$ SELECT ($1).street = ($2).street $$;
CREATE OPERATOR app.=== (leftarg = app.address, rightarg = app.address, function = app.cmp, commutator = OPERATOR(app.===));
CREATE FUNCTION app.to_int(app.mood) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT length($1::text) $$;
CREATE CAST (app.mood AS int) WITH FUNCTION app.to_int(app.mood) AS ASSIGNMENT;
CREATE OPERATOR FAMILY app.fam USING btree;
CREATE OPERATOR CLASS app.text_rev FOR TYPE text USING btree FAMILY app.fam AS
  OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 bttextcmp(text, text);
CREATE TEXT SEARCH DICTIONARY app.dict (TEMPLATE = pg_catalog.simple, stopwords = 'english');
CREATE TEXT SEARCH CONFIGURATION app.search (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION app.search ALTER MAPPING FOR asciiword WITH app.dict, english_stem;
REVOKE EXECUTE ON FUNCTION app.to_int(app.mood) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.to_int(app.mood) TO rich_group WITH GRANT OPTION;
COMMENT ON FUNCTION app.touch() IS E'touches\\nrows';
ALTER FUNCTION app.lower_all(text, text[]) OWNER TO rich_owner;

-- sequences
CREATE SEQUENCE app.plain;
CREATE SEQUENCE app.odd AS smallint START 100 INCREMENT -3 MINVALUE -1000 MAXVALUE 100 CACHE 5 CYCLE;
SELECT nextval('app.plain'), nextval('app.odd');
GRANT USAGE ON SEQUENCE app.plain TO rich_reader;

-- tables
CREATE TABLE app.users (
  id bigint GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 5) PRIMARY KEY,
  email app.email UNIQUE,
  name varchar(40) COLLATE app.german DEFAULT 'na''me' NOT NULL,
  mood app.mood DEFAULT 'happy',
  home app.address,
  tags text[] DEFAULT '{}' NOT NULL,
  during tstzrange,
  spans app.span,
  attributes ext.hstore,
  status varchar(20) DEFAULT 'new' CONSTRAINT status_known CHECK (status IN ('new', 'open', 'closed')),
  full_name text GENERATED ALWAYS AS (name || ' <' || coalesce(status, 'none') || '>') STORED,
  born date DEFAULT '1970-01-01' CHECK (born > '1900-01-01'),
  seen timestamptz DEFAULT '2020-02-29 12:00:00.000001+00',
  price numeric(10,2) CHECK (price >= 0) NO INHERIT,
  updated_at timestamptz DEFAULT now(),
  note text
);
ALTER TABLE app.users OWNER TO rich_owner;
ALTER TABLE app.users ALTER COLUMN note SET STORAGE EXTERNAL, ALTER COLUMN note SET STATISTICS 500,
  ALTER COLUMN tags SET (n_distinct = -0.5), ALTER COLUMN note SET COMPRESSION pglz;
ALTER TABLE app.users SET (fillfactor = 80, autovacuum_enabled = off, toast.autovacuum_enabled = off);
ALTER TABLE app.users DROP COLUMN born;
ALTER TABLE app.users ADD COLUMN born date CONSTRAINT born_later CHECK (born > '1900-01-01');
INSERT INTO app.users (email, name, mood, home, tags, during, spans, attributes, status, price, note, born) VALUES
  ('a@example.org', 'Änne', 'sad', ROW('Weg 1', '0815', 1.5), '{a,"b c",NULL}', '[2020-01-01,2021-01-01)', '[1,2)',
   'k=>v', 'open', 1.50, repeat('x', 3000), '1980-05-05'),
  ('B@example.org', 'O''Neil | PASS', 'it''s ok', NULL, '{}', 'empty', NULL, NULL, NULL, 0, '', NULL),
  ('c@example.org', '用户 😀', '😀', NULL, '{x}', NULL, NULL, '', 'closed', NULL, NULL, '2000-01-01');
CREATE INDEX users_note_trgm ON app.users USING gin (note ext.gin_trgm_ops);
CREATE INDEX users_open ON app.users (lower(name), id DESC NULLS LAST) INCLUDE (price) WHERE status IN ('new', 'open');
CREATE UNIQUE INDEX "Users Mood" ON app.users (mood, id) WITH (fillfactor = 70);
CREATE INDEX users_brin ON app.users USING brin (seen);
CREATE INDEX users_expr ON app.users ((price * 2), (name || 'x') COLLATE "C");
ALTER INDEX app.users_expr ALTER COLUMN 1 SET STATISTICS 300;
ALTER TABLE app.users CLUSTER ON users_pkey;
ALTER TABLE app.users REPLICA IDENTITY USING INDEX users_pkey;
CREATE STATISTICS app.users_stats (ndistinct, dependencies) ON status, mood FROM app.users;
ALTER STATISTICS app.users_stats SET STATISTICS 77;
CREATE STATISTICS app.users_expr_stats ON (lower(name)), (status IN ('new', 'open')) FROM app.users;
COMMENT ON TABLE app.users IS 'people | PASS
second line';
COMMENT ON COLUMN app.users.email IS 'unique, case-blind';
COMMENT ON CONSTRAINT status_known ON app.users IS 'a list';
COMMENT ON INDEX app.users_open IS 'only open ones';
COMMENT ON STATISTICS app.users_stats IS 'correlated';
GRANT SELECT, INSERT ON app.users TO rich_reader;
GRANT ALL ON app.users TO rich_group;
GRANT SELECT (email), UPDATE (name) ON app.users TO "Rich ""Writer"" | PASS";

CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW
  WHEN (OLD.status IN ('new', 'open') AND OLD.* IS DISTINCT FROM NULL) EXECUTE FUNCTION app.touch();
CREATE TRIGGER asleep BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.users DISABLE TRIGGER asleep;
CREATE TRIGGER always BEFORE INSERT OR UPDATE OF name ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.users ENABLE ALWAYS TRIGGER always;
COMMENT ON TRIGGER touch ON app.users IS 'keeps time';
ALTER TABLE app.users ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON app.users FOR SELECT TO rich_reader, rich_group USING (status IN ('new', 'open'));
CREATE POLICY strict ON app.users AS RESTRICTIVE USING (id > 0) WITH CHECK (status IN ('new', 'open'));
COMMENT ON POLICY own ON app.users IS 'see your own';

CREATE TABLE app.orders (
  a int NOT NULL, b int NOT NULL, label text DEFAULT ('x' || 1)::text,
  state app.state DEFAULT 'new',
  user_id bigint REFERENCES app.users ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED,
  span tsrange, n int DEFAULT nextval('app.plain'),
  CONSTRAINT orders_pk PRIMARY KEY (a, b) DEFERRABLE,
  CONSTRAINT orders_unique UNIQUE NULLS NOT DISTINCT (label, a),
  CONSTRAINT no_overlap EXCLUDE USING gist (a WITH =, span WITH &&) WHERE (label IN ('x', 'y'))
);
ALTER SEQUENCE app.plain OWNED BY app.orders.n;
SET CONSTRAINTS ALL IMMEDIATE;
INSERT INTO app.orders (a, b, label, user_id, span) VALUES (1, 1, 'one', 10, '[2020-01-01,2020-02-01)'), (2, 1, 'two', 15, NULL);
CREATE TABLE app.lines (
  id serial PRIMARY KEY, a int, b int, qty smallserial,
  CONSTRAINT lines_order UNIQUE (a, b, id)
);
ALTER TABLE app.orders ADD CONSTRAINT orders_plain UNIQUE (b, a);
ALTER TABLE app.lines ADD CONSTRAINT lines_fk FOREIGN KEY (b, a) REFERENCES app.orders (b, a) MATCH FULL;
ALTER TABLE app.lines ADD CONSTRAINT later CHECK (qty < 100) NOT VALID;
INSERT INTO app.lines (a, b) VALUES (1, 1), (NULL, NULL);
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON app.lines DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION app.touch();
ALTER TABLE app.lines DISABLE TRIGGER checked;
CREATE RULE no_delete AS ON DELETE TO app.lines WHERE (OLD.a IN (1, 2)) DO INSTEAD NOTHING;
CREATE RULE quiet AS ON UPDATE TO app.lines DO ALSO NOTHING;
ALTER TABLE app.lines DISABLE RULE quiet;
COMMENT ON RULE no_delete ON app.lines IS 'kept';

-- partitions
CREATE TABLE app.events (
  id bigint GENERATED BY DEFAULT AS IDENTITY, at timestamptz NOT NULL, kind varchar(10) NOT NULL DEFAULT 'click'
    CHECK (kind IN ('click', 'view')), user_id bigint REFERENCES app.users, PRIMARY KEY (id, at, kind)
) PARTITION BY RANGE (at);
CREATE TABLE app.events_2020 PARTITION OF app.events FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00');
CREATE TABLE app.events_2021 PARTITION OF app.events FOR VALUES FROM ('2021-01-01 00:00+00') TO (MAXVALUE)
  PARTITION BY LIST (kind);
CREATE TABLE app.events_2021_click PARTITION OF app.events_2021 FOR VALUES IN ('click');
CREATE TABLE app.events_rest PARTITION OF app.events_2021 DEFAULT;
CREATE TABLE app.events_old (kind varchar(10) NOT NULL DEFAULT 'view' CONSTRAINT events_kind_check CHECK (kind IN ('click', 'view')), id bigint NOT NULL,
  user_id bigint, at timestamptz NOT NULL);
ALTER TABLE app.events ATTACH PARTITION app.events_old FOR VALUES FROM (MINVALUE) TO ('2020-01-01 00:00+00');
CREATE INDEX events_kind ON app.events (kind) WHERE kind IN ('click', 'view');
CREATE TRIGGER events_touch AFTER INSERT ON app.events FOR EACH ROW WHEN (NEW.kind IN ('a', 'b'))
  EXECUTE FUNCTION app.touch();
ALTER TABLE app.events_2020 DISABLE TRIGGER events_touch;
CREATE TABLE app.event_notes (event_id bigint, event_at timestamptz, event_kind varchar(10), body text,
  FOREIGN KEY (event_id, event_at, event_kind) REFERENCES app.events (id, at, kind));
INSERT INTO app.events (at, kind, user_id) VALUES ('2019-05-05', 'view', 10), ('2020-05-05', 'click', 10),
  ('2021-05-05', 'click', 15), ('2022-05-05', 'view', NULL);
CREATE TABLE app.hashed (k text) PARTITION BY HASH (lower(k));
CREATE TABLE app.hashed_0 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE app.hashed_1 PARTITION OF app.hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO app.hashed SELECT 'k' || i FROM generate_series(1, 10) i;

-- inheritance and typed tables
CREATE TABLE app.animals (id int PRIMARY KEY, name text NOT NULL CHECK (name IN ('Rex', 'Tom', 'Kit')));
CREATE TABLE app.dogs (breed text) INHERITS (app.animals);
ALTER TABLE app.animals ADD COLUMN legs int DEFAULT 4;
INSERT INTO app.animals VALUES (1, 'Tom', 4);
INSERT INTO app.dogs VALUES (2, 'Rex', 'pug', 3);
CREATE TYPE app.pair AS (x int, y text);
CREATE TABLE app.pairs OF app.pair (x WITH OPTIONS NOT NULL);
CREATE UNLOGGED TABLE app.fleeting (id int);
INSERT INTO app.fleeting VALUES (1);

-- hostile names
CREATE TABLE "Weird Schema"."users | PASS" ("id" int PRIMARY KEY, "select" text DEFAULT 'from', "a ""b"" 'c'" text,
  "line
break" text CHECK ("line
break" IN ('x', 'y')), "😀" int, "UPPER" int, "%s {0} \\" int);
INSERT INTO "Weird Schema"."users | PASS" VALUES (1, 'x', 'y', 'x', 1, 2, 3);
COMMENT ON COLUMN "Weird Schema"."users | PASS"."😀" IS 'it''s a "smile"; DROP TABLE x; --';
CREATE TABLE "select"."table" ("order" int, "group" int);
CREATE INDEX "index" ON "select"."table" ("order") WHERE "group" IN (1, 2);
CREATE TABLE "Weird Schema"."new
line" (a int);
CREATE TABLE "Weird Schema"."tab	le; DROP TABLE users; --" (a int);
CREATE TABLE "Weird Schema".q (q text, "q.q" text);
CREATE TABLE "Weird Schema"."q.q" (q text);
CREATE TABLE app.LONGNAME (LONGNAME int CONSTRAINT cONGNAME CHECK (LONGNAME > 0));
CREATE TABLE app.no_columns ();
INSERT INTO app.no_columns DEFAULT VALUES;

-- views
CREATE VIEW app.open_users WITH (security_barrier = true) AS
  SELECT u.id, u.name AS "Display Name", u.email FROM app.users u WHERE u.status IN ('new', 'open') WITH LOCAL CHECK OPTION;
CREATE VIEW app.view_of_view AS SELECT * FROM app.open_users WHERE email OPERATOR(ext.=) 'a@example.org'::ext.citext;
ALTER VIEW app.open_users ALTER COLUMN "Display Name" SET DEFAULT 'anon';
CREATE VIEW app.numbers AS WITH RECURSIVE r(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r;
CREATE VIEW app.grouped AS SELECT a.*, count(*) FROM app.animals a GROUP BY a.id;
CREATE MATERIALIZED VIEW app.summary AS SELECT status, count(*) AS n FROM app.users WHERE status IN ('new', 'open') GROUP BY 1;
CREATE UNIQUE INDEX ON app.summary (status);
CREATE MATERIALIZED VIEW app.hollow AS SELECT 1 AS x WITH NO DATA;
CREATE RULE view_insert AS ON INSERT TO app.grouped DO INSTEAD INSERT INTO app.animals VALUES (NEW.id, NEW.name);
COMMENT ON VIEW app.open_users IS 'open';
COMMENT ON MATERIALIZED VIEW app.summary IS 'sums';
GRANT SELECT ON app.summary TO PUBLIC;

-- foreign data
CREATE FOREIGN DATA WRAPPER nowhere;
CREATE SERVER "far away" TYPE 'x' VERSION '1' FOREIGN DATA WRAPPER nowhere OPTIONS (host 'h', password 'canary-server-password');
CREATE USER MAPPING FOR rich_owner SERVER "far away" OPTIONS (user 'u', password 'canary-mapping-password');
CREATE FOREIGN TABLE app.remote (id int OPTIONS (column_name 'x'), v text) SERVER "far away" OPTIONS (table_name 't');

-- large objects
SELECT lo_from_bytea(424242, 'large object content');
SELECT lo_from_bytea(424243, '');
ALTER LARGE OBJECT 424242 OWNER TO rich_owner;
GRANT SELECT ON LARGE OBJECT 424242 TO rich_reader;
COMMENT ON LARGE OBJECT 424242 IS 'large';

-- publications
CREATE PUBLICATION part FOR TABLE app.users (id, email), app.orders WHERE (label IN ('x', 'y') AND a > 0)
  WITH (publish = 'insert', publish_via_partition_root = true);
CREATE PUBLICATION whole FOR TABLES IN SCHEMA "select";
CREATE PUBLICATION everything FOR ALL TABLES;
COMMENT ON PUBLICATION everything IS 'all';

-- default privileges
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner IN SCHEMA app GRANT SELECT ON TABLES TO rich_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner GRANT USAGE ON SEQUENCES TO rich_group WITH GRANT OPTION;

-- event triggers, last because they watch
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE EVENT TRIGGER watcher ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE FUNCTION app.watch();
CREATE EVENT TRIGGER sleeper ON sql_drop EXECUTE FUNCTION app.watch();
ALTER EVENT TRIGGER sleeper DISABLE;
COMMENT ON EVENT TRIGGER watcher IS 'watches';
""".replace("LONGNAME", LONG).replace("cONGNAME", "c" + LONG[1:])
"""One script; needs the roles, a superuser, the contrib modules, and PostgreSQL 15 or newer."""

QUIRKS_SQL: Final = r"""
-- schema public as an old major left it, and ACLs that are not the default
ALTER SCHEMA public OWNER TO postgres;
GRANT CREATE ON SCHEMA public TO PUBLIC;
COMMENT ON SCHEMA public IS NULL;
CREATE TABLE owned_by_other (id int PRIMARY KEY);
ALTER TABLE owned_by_other OWNER TO rich_owner;
REVOKE ALL ON owned_by_other FROM rich_owner;
GRANT SELECT ON owned_by_other TO rich_owner;
CREATE TABLE chain (id int PRIMARY KEY);
GRANT SELECT ON chain TO rich_group WITH GRANT OPTION;
SET SESSION AUTHORIZATION rich_group;
GRANT SELECT ON public.chain TO rich_reader;
RESET SESSION AUTHORIZATION;
CREATE FUNCTION secret() RETURNS int LANGUAGE sql AS 'SELECT 1';
REVOKE ALL ON FUNCTION secret() FROM PUBLIC, postgres;
CREATE TYPE explicit AS ENUM ();
GRANT USAGE ON TYPE explicit TO PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO rich_group;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC;
-- the language as pg_upgrade leaves it: with an OID of its own
DROP EXTENSION plpgsql; CREATE EXTENSION plpgsql;
-- types
CREATE DOMAIN base_domain AS int CHECK (VALUE > 0);
CREATE DOMAIN over_domain AS base_domain[] CHECK (cardinality(VALUE) < 9);
CREATE TYPE nested AS (a over_domain, b explicit[], c base_domain);
CREATE TYPE span AS RANGE (subtype = text, subtype_opclass = text_pattern_ops, collation = "C", multirange_type_name = spans);
CREATE TYPE shell;
CREATE CAST (explicit AS int) WITH INOUT AS IMPLICIT;
CREATE FUNCTION negate(int) RETURNS int LANGUAGE sql AS 'SELECT -$1';
CREATE OPERATOR !! (rightarg = int, function = negate);
-- tables
CREATE TABLE a (x int, y text DEFAULT 'a');
CREATE TABLE b (z int CHECK (z IN (1, 2)));
CREATE TABLE c (y text DEFAULT 'c', own int, CONSTRAINT own CHECK (own > 0) NO INHERIT) INHERITS (a, b);
ALTER TABLE a ADD CONSTRAINT late CHECK (x > 0) NOT VALID;
CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree DEFERRABLE, CHECK (tableoid IS NOT NULL), CHECK (tree.* IS NOT NULL));
CREATE TABLE g (a int, b int GENERATED ALWAYS AS (CASE WHEN a IN (1, 2) THEN 1 ELSE 2 END) STORED, n nested);
CREATE TABLE self_part (id int, up int, k int, PRIMARY KEY (id, k), FOREIGN KEY (up, k) REFERENCES self_part) PARTITION BY LIST (k);
CREATE TABLE self_part_1 PARTITION OF self_part FOR VALUES IN (1, NULL);
CREATE TABLE self_part_2 (k int NOT NULL, gone int, up int, id int NOT NULL);
ALTER TABLE self_part_2 DROP COLUMN gone;
ALTER TABLE self_part ATTACH PARTITION self_part_2 FOR VALUES IN (2);
ALTER TABLE self_part_2 ALTER up SET DEFAULT 7;
CREATE TABLE by_expr (d timestamptz, t text) PARTITION BY RANGE (lower(t) COLLATE "C", (d AT TIME ZONE 'UTC'));
CREATE TABLE by_expr_1 PARTITION OF by_expr FOR VALUES FROM ('a', MINVALUE) TO ('m', '2020-01-01');
CREATE INDEX lonely ON ONLY by_expr (t);
CREATE INDEX broken ON a (x);
COMMENT ON INDEX broken IS 'broken';
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'broken'::regclass;
CREATE INDEX opclass ON a (y text_pattern_ops DESC NULLS FIRST, y COLLATE "C");
CREATE INDEX spatial ON a USING spgist (y) WHERE NULL IS NULL;
-- views
CREATE VIEW v_join AS SELECT * FROM a NATURAL JOIN c FULL JOIN tree ON tree.id = a.x;
CREATE VIEW v_group AS SELECT x, y, grouping(x), count(*) FILTER (WHERE x IN (1, 2)), array_agg(y ORDER BY x DESC) FROM a GROUP BY ROLLUP (x, y) HAVING count(*) > 1;
CREATE VIEW v_window AS SELECT rank() OVER w, lag(x, 1, 0) OVER (ORDER BY y ROWS BETWEEN 1 PRECEDING AND CURRENT ROW EXCLUDE TIES) FROM a WINDOW w AS (PARTITION BY y ORDER BY x);
CREATE VIEW v_lateral WITH (security_invoker = true, check_option = cascaded) AS SELECT x, y FROM a WHERE EXISTS (SELECT FROM b WHERE b.z = a.x) AND y ~ 'x' AND x = ANY (ARRAY[1, 2]);
CREATE VIEW v_union AS (SELECT 1 AS n, 'a'::varchar(3) AS t UNION ALL VALUES (2, 'b')) INTERSECT SELECT x, y FROM a ORDER BY 1 LIMIT 5;
CREATE VIEW v_misc AS SELECT '1 day'::interval AS i, now() AT TIME ZONE 'UTC' AS t, 1.5e10::float8 AS f, E'\\x' AS e, ARRAY[[1, 2], [3, 4]] AS m, (SELECT x FROM a LIMIT 1) AS s, x IS DISTINCT FROM 2 AS d, y LIKE 'a%' AS l, extract(year FROM now()) AS yy, overlay('a' PLACING 'b' FROM 1) AS o FROM a TABLESAMPLE bernoulli (10) REPEATABLE (1);
CREATE VIEW v_func AS SELECT * FROM generate_series(1, 3) WITH ORDINALITY AS s(v, o), ROWS FROM (json_to_recordset('[]') AS (a int, b text)) AS j;
ALTER VIEW v_misc RENAME COLUMN f TO "renamed F";
ALTER TABLE a RENAME COLUMN y TO why;
CREATE FUNCTION body(OUT x int, IN y text DEFAULT 'a', VARIADIC z int[] DEFAULT ARRAY[1, 2]) LANGUAGE sql BEGIN ATOMIC SELECT 1 FROM public.a WHERE why IN ('a', 'b'); SELECT length($1); END;
CREATE FUNCTION tab(n int) RETURNS TABLE (a int, "B c" text) LANGUAGE sql STRICT LEAKPROOF STABLE AS $f$ SELECT 1, $$x$$ $f$;
CREATE PROCEDURE outs(OUT a int, IN b int) LANGUAGE plpgsql AS $$ BEGIN a := b; END $$;
CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER old_new AFTER UPDATE ON a REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION trg('x', 'it''s');
CREATE TRIGGER instead INSTEAD OF INSERT OR DELETE ON v_join FOR EACH ROW EXECUTE FUNCTION trg();
CREATE CONSTRAINT TRIGGER con AFTER INSERT ON a FROM b DEFERRABLE FOR EACH ROW WHEN (NEW.why IN ('a')) EXECUTE FUNCTION trg();
CREATE RULE r AS ON INSERT TO v_group DO INSTEAD (INSERT INTO a VALUES (NEW.x, NEW.y) RETURNING x, why, 1, 2::bigint, ARRAY['x']; NOTIFY someone);
CREATE MATERIALIZED VIEW mv WITH (fillfactor = 50) AS SELECT x, why IN ('a', 'b') AS c FROM a;
CREATE INDEX mv_x ON mv (x) WHERE c;
CREATE INDEX mv_all ON mv (x); CLUSTER mv USING mv_all;
CREATE UNLOGGED SEQUENCE us;
CREATE SEQUENCE neg INCREMENT -1 OWNED BY a.x;
CREATE STATISTICS st ON (x % 2), why FROM a;
SELECT lo_create(i) FROM generate_series(500000, 500020) i;
"""
"""What makes naive comparisons raise false alarms; needs the roles and a superuser."""

QUIRKS_18_SQL: Final = """
CREATE TABLE named (a int CONSTRAINT "a is there" NOT NULL, b int, c int NOT NULL NO INHERIT);
INSERT INTO named VALUES (1, NULL, 1);
ALTER TABLE named ADD CONSTRAINT later NOT NULL b NOT VALID;
CREATE TABLE named_child (d int) INHERITS (named);
CREATE TABLE lax (a int PRIMARY KEY, b int CHECK (b IN (1, 2)) NOT ENFORCED, c int REFERENCES lax NOT ENFORCED);
CREATE EXTENSION btree_gist;
CREATE TABLE period (id int, valid daterange, PRIMARY KEY (id, valid WITHOUT OVERLAPS));
CREATE TABLE within (id int, during daterange, FOREIGN KEY (id, PERIOD during) REFERENCES period (id, PERIOD valid));
CREATE TABLE virtual (a int, b int GENERATED ALWAYS AS (CASE WHEN a IN (1, 2) THEN 1 END) VIRTUAL);
CREATE TABLE counted (id int GENERATED ALWAYS AS IDENTITY, k int) PARTITION BY LIST (k);
CREATE TABLE counted_1 PARTITION OF counted FOR VALUES IN (1);
"""
"""The same for what PostgreSQL 18 brought."""

_SETTINGS_SQL: Final = """
DO $settings$
BEGIN
  EXECUTE format('ALTER DATABASE %I SET search_path = "$user", "Weird Schema", public', current_database());
  EXECUTE format('ALTER DATABASE %I SET default_statistics_target = 123', current_database());
  EXECUTE format('ALTER DATABASE %I SET rich.custom = ''it''''s, a "value"''', current_database());
  EXECUTE format('ALTER ROLE rich_owner IN DATABASE %I SET work_mem = ''7MB''', current_database());
  EXECUTE format('ALTER DATABASE %I OWNER TO rich_owner', current_database());
  EXECUTE format('REVOKE TEMP ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO rich_reader WITH GRANT OPTION', current_database());
  EXECUTE format('COMMENT ON DATABASE %I IS ''the rich | one''', current_database());
END
$settings$;
"""


def create_roles(connection: psycopg.Connection[Any]) -> None:
    """The roles that the rich database refers to; may be called again on the same cluster."""
    connection.execute(ROLES_SQL.encode())


def create_rich(connection: psycopg.Connection[Any], *, icu: bool = True) -> None:
    """Fill an empty database of a superuser's autocommit connection; creates the roles, too.

    Without `icu`, collations are those that a server built without ICU can restore.
    """
    create_roles(connection)
    connection.execute((RICH_SQL if icu else RICH_SQL.replace("provider = icu", "provider = none")).encode())
    connection.execute(_SETTINGS_SQL.encode())
    if connection.info.server_version >= 180_000:
        connection.execute(b"ALTER TABLE app.lines ADD COLUMN double int GENERATED ALWAYS AS (qty * 2) VIRTUAL")
