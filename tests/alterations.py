"""Single alterations of the rich database, and every difference that each of them is."""

from __future__ import annotations

from typing import Final

__all__ = ["ALTERATIONS"]

ALTERATIONS: Final[tuple[tuple[str, str, frozenset[str]], ...]] = (
    (
        "a check dropped",
        "ALTER TABLE app.users DROP CONSTRAINT users_price_check",
        frozenset({"- constraint app.users.users_price_check"}),
    ),
    (
        "a check altered",
        "ALTER TABLE app.users DROP CONSTRAINT born_later, ADD CONSTRAINT born_later CHECK (born > '1900-01-02')",
        frozenset({"~ constraint app.users.born_later"}),
    ),
    (
        "a list in a check altered, inherited",
        "ALTER TABLE app.animals DROP CONSTRAINT animals_name_check, ADD CONSTRAINT animals_name_check CHECK (name IN ('Rex', 'Tom', 'Max', 'Kit'))",
        frozenset({"~ constraint app.animals.animals_name_check", "~ constraint app.dogs.animals_name_check"}),
    ),
    (
        "a check no longer validated",
        "ALTER TABLE app.users DROP CONSTRAINT born_later, ADD CONSTRAINT born_later CHECK (born > '1900-01-01') NOT VALID",
        frozenset({"! constraint app.users.born_later"}),
    ),
    (
        "a check validated",
        "ALTER TABLE app.lines VALIDATE CONSTRAINT later",
        frozenset({"! constraint app.lines.later"}),
    ),
    (
        "a primary key dropped",
        "ALTER TABLE app.lines DROP CONSTRAINT lines_pkey",
        frozenset({"- constraint app.lines.lines_pkey", "- index app.lines_pkey"}),
    ),
    (
        "a unique key no longer NULLS NOT DISTINCT",
        "ALTER TABLE app.orders DROP CONSTRAINT orders_unique, ADD CONSTRAINT orders_unique UNIQUE (label, a)",
        frozenset({"~ constraint app.orders.orders_unique", "~ index app.orders_unique"}),
    ),
    (
        "an exclusion dropped",
        "ALTER TABLE app.orders DROP CONSTRAINT no_overlap",
        frozenset({"- constraint app.orders.no_overlap", "- index app.no_overlap"}),
    ),
    (
        "an exclusion's list altered",
        "ALTER TABLE app.orders DROP CONSTRAINT no_overlap, ADD CONSTRAINT no_overlap EXCLUDE USING gist (a WITH =, span WITH &&) WHERE (label IN ('x', 'z'))",
        frozenset({"~ constraint app.orders.no_overlap", "~ index app.no_overlap"}),
    ),
    (
        "a foreign key dropped",
        "ALTER TABLE app.lines DROP CONSTRAINT lines_fk",
        frozenset({"- constraint app.lines.lines_fk"}),
    ),
    (
        "a foreign key with another action",
        "ALTER TABLE app.orders DROP CONSTRAINT orders_user_id_fkey, ADD CONSTRAINT orders_user_id_fkey FOREIGN KEY (user_id) REFERENCES app.users ON DELETE CASCADE ON UPDATE CASCADE DEFERRABLE INITIALLY DEFERRED",
        frozenset({"~ constraint app.orders.orders_user_id_fkey"}),
    ),
    (
        "a foreign key no longer deferrable",
        "ALTER TABLE app.orders ALTER CONSTRAINT orders_user_id_fkey NOT DEFERRABLE",
        frozenset({"~ constraint app.orders.orders_user_id_fkey"}),
    ),
    (
        "a foreign key MATCH SIMPLE",
        "ALTER TABLE app.lines DROP CONSTRAINT lines_fk, ADD CONSTRAINT lines_fk FOREIGN KEY (b, a) REFERENCES app.orders (b, a)",
        frozenset({"~ constraint app.lines.lines_fk"}),
    ),
    (
        "a default altered",
        "ALTER TABLE app.users ALTER name SET DEFAULT 'other'",
        frozenset({"~ default app.users.name"}),
    ),
    ("a default dropped", "ALTER TABLE app.users ALTER mood DROP DEFAULT", frozenset({"- default app.users.mood"})),
    (
        "a default of a view dropped",
        'ALTER VIEW app.open_users ALTER "Display Name" DROP DEFAULT',
        frozenset({'- default app.open_users."Display Name"'}),
    ),
    ("NOT NULL dropped", "ALTER TABLE app.users ALTER tags DROP NOT NULL", frozenset({"~ column app.users.tags"})),
    (
        "a type altered",
        'ALTER TABLE "Weird Schema".q ALTER q TYPE varchar(10)',
        frozenset({'~ column "Weird Schema".q.q'}),
    ),
    (
        "a column dropped",
        'ALTER TABLE "Weird Schema".q DROP COLUMN "q.q"',
        frozenset({'- column "Weird Schema".q."q.q"', '~ table "Weird Schema".q'}),
    ),
    (
        "columns in another order",
        'ALTER TABLE "Weird Schema".q DROP COLUMN q; ALTER TABLE "Weird Schema".q ADD COLUMN q text',
        frozenset({'~ table "Weird Schema".q'}),
    ),
    (
        "a collation of a column altered",
        'ALTER TABLE "Weird Schema".q ALTER q TYPE text COLLATE "C"',
        frozenset({'~ column "Weird Schema".q.q'}),
    ),
    (
        "storage of a column",
        "ALTER TABLE app.users ALTER note SET STORAGE MAIN",
        frozenset({"~ column app.users.note"}),
    ),
    (
        "statistics target of a column",
        "ALTER TABLE app.users ALTER note SET STATISTICS 10",
        frozenset({"~ column app.users.note"}),
    ),
    (
        "options of a column",
        "ALTER TABLE app.users ALTER tags RESET (n_distinct)",
        frozenset({"~ column app.users.tags"}),
    ),
    (
        "compression of a column",
        "ALTER TABLE app.users ALTER note SET COMPRESSION DEFAULT",
        frozenset({"~ column app.users.note"}),
    ),
    (
        "statistics target of an index's column",
        "ALTER INDEX app.users_expr ALTER COLUMN 1 SET STATISTICS 5",
        frozenset({"~ column app.users_expr.expr"}),
    ),
    (
        "a generated column made plain",
        "ALTER TABLE app.users ALTER full_name DROP EXPRESSION",
        frozenset({"- default app.users.full_name"}),
    ),
    (
        "an identity dropped",
        "ALTER TABLE app.users ALTER id DROP IDENTITY",
        frozenset({"~ column app.users.id", "- privilege sequence app.users_id_seq", "- sequence app.users_id_seq"}),
    ),
    (
        "an identity made BY DEFAULT",
        "ALTER TABLE app.users ALTER id SET GENERATED BY DEFAULT",
        frozenset({"~ column app.users.id"}),
    ),
    ("a trigger dropped", "DROP TRIGGER always ON app.users", frozenset({"- trigger app.users.always"})),
    ("a trigger disabled", "ALTER TABLE app.users DISABLE TRIGGER touch", frozenset({"! trigger app.users.touch"})),
    ("a trigger enabled", "ALTER TABLE app.users ENABLE TRIGGER asleep", frozenset({"! trigger app.users.asleep"})),
    (
        "a list in a trigger altered",
        "CREATE OR REPLACE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW WHEN (OLD.status IN ('new') AND OLD.* IS DISTINCT FROM NULL) EXECUTE FUNCTION app.touch()",
        frozenset({"~ trigger app.users.touch"}),
    ),
    (
        "a trigger of one partition enabled",
        "ALTER TABLE app.events_2020 ENABLE TRIGGER events_touch",
        frozenset({"! trigger app.events_2020.events_touch"}),
    ),
    ("an index dropped", "DROP INDEX app.users_brin", frozenset({"- index app.users_brin"})),
    (
        "a unique index made plain",
        'DROP INDEX app."Users Mood"; CREATE INDEX "Users Mood" ON app.users (mood, id) WITH (fillfactor = 70)',
        frozenset({'~ index app."Users Mood"'}),
    ),
    (
        "a list in an index altered",
        'DROP INDEX "select"."index"; CREATE INDEX "index" ON "select"."table" ("order") WHERE "group" IN (1, 3)',
        frozenset({'~ index "select".index'}),
    ),
    (
        "an index no longer valid",
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'app.users_brin'::regclass",
        frozenset({"! index app.users_brin"}),
    ),
    ("an index too many", "CREATE INDEX extra ON app.users (born)", frozenset({"+ index app.extra"})),
    (
        "an index of one partition dropped",
        "DROP INDEX app.events_kind",
        frozenset(
            {
                "- index app.events_2020_kind_idx",
                "- index app.events_2021_click_kind_idx",
                "- index app.events_2021_kind_idx",
                "- index app.events_kind",
                "- index app.events_old_kind_idx",
                "- index app.events_rest_kind_idx",
                "- index partition app.events_2020_kind_idx",
                "- index partition app.events_2021_click_kind_idx",
                "- index partition app.events_2021_kind_idx",
                "- index partition app.events_old_kind_idx",
                "- index partition app.events_rest_kind_idx",
            }
        ),
    ),
    ("clustering forgotten", "ALTER TABLE app.users SET WITHOUT CLUSTER", frozenset({"~ table app.users"})),
    ("replica identity forgotten", "ALTER TABLE app.users REPLICA IDENTITY DEFAULT", frozenset({"~ table app.users"})),
    ("a policy dropped", "DROP POLICY strict ON app.users", frozenset({"- policy app.users.strict"})),
    (
        "a list in a policy altered",
        "ALTER POLICY own ON app.users USING (status IN ('new', 'closed'))",
        frozenset({"~ policy app.users.own"}),
    ),
    ("a policy for other roles", "ALTER POLICY own ON app.users TO rich_reader", frozenset({"~ policy app.users.own"})),
    ("row security off", "ALTER TABLE app.users DISABLE ROW LEVEL SECURITY", frozenset({"~ table app.users"})),
    ("row security forced", "ALTER TABLE app.users FORCE ROW LEVEL SECURITY", frozenset({"~ table app.users"})),
    ("a grant revoked", "REVOKE INSERT ON app.users FROM rich_reader", frozenset({"~ privilege table app.users"})),
    ("a grant too many", "GRANT SELECT ON app.animals TO PUBLIC", frozenset({"~ privilege table app.animals"})),
    (
        "a grant option lost",
        "REVOKE GRANT OPTION FOR EXECUTE ON FUNCTION app.to_int(app.mood) FROM rich_group",
        frozenset({"~ privilege function app.to_int(app.mood)"}),
    ),
    (
        "a grant on a column revoked",
        'REVOKE UPDATE (name) ON app.users FROM "Rich ""Writer"" | PASS"',
        frozenset({"- privilege column app.users.name"}),
    ),
    (
        "a right of everybody back",
        "GRANT USAGE ON TYPE app.address TO PUBLIC",
        frozenset({"~ privilege type app.address"}),
    ),
    ("a right on a schema", "GRANT CREATE ON SCHEMA app TO rich_reader", frozenset({"~ privilege schema app"})),
    (
        "an owner of a table",
        "ALTER TABLE app.animals OWNER TO rich_owner",
        frozenset({"~ privilege table app.animals"}),
    ),
    ("an owner of a schema", "ALTER SCHEMA app OWNER TO postgres", frozenset({"~ privilege schema app"})),
    (
        "an owner of a function",
        "ALTER FUNCTION app.lower_all(text, text[]) OWNER TO postgres",
        frozenset({"~ privilege function app.lower_all(text,text[])"}),
    ),
    (
        "an owner of an operator",
        "ALTER OPERATOR app.=== (app.address, app.address) OWNER TO rich_owner",
        frozenset({"~ privilege operator app.===(app.address,app.address)"}),
    ),
    (
        "a default privilege revoked",
        "ALTER DEFAULT PRIVILEGES FOR ROLE rich_owner IN SCHEMA app REVOKE SELECT ON TABLES FROM rich_reader",
        frozenset({"- default privilege rich_owner in app tables"}),
    ),
    (
        "a comment altered",
        "COMMENT ON COLUMN app.users.email IS 'other words'",
        frozenset({"~ comment table column app.users.email"}),
    ),
    (
        "a comment dropped",
        "COMMENT ON POLICY own ON app.users IS NULL",
        frozenset({"- comment policy own on app.users"}),
    ),
    ("a comment too many", "COMMENT ON SEQUENCE app.odd IS 'odd'", frozenset({"+ comment sequence app.odd"})),
    ("a step of a sequence", "ALTER SEQUENCE app.odd INCREMENT -4", frozenset({"~ sequence app.odd"})),
    (
        "a sequence that belongs to nobody",
        "ALTER SEQUENCE app.plain OWNED BY NONE",
        frozenset({"~ sequence app.plain"}),
    ),
    ("a sequence without cycle", "ALTER SEQUENCE app.odd NO CYCLE", frozenset({"~ sequence app.odd"})),
    (
        "a partition dropped",
        "DROP TABLE app.hashed_1",
        frozenset(
            {
                "- column app.hashed_1.k",
                "- partition app.hashed_1",
                "- privilege table app.hashed_1",
                "- table app.hashed_1",
            }
        ),
    ),
    (
        "a partition detached",
        "ALTER TABLE app.hashed DETACH PARTITION app.hashed_1",
        frozenset({"- partition app.hashed_1"}),
    ),
    (
        "a partition with other bounds",
        "ALTER TABLE app.events DETACH PARTITION app.events_old; ALTER TABLE app.events ATTACH PARTITION app.events_old FOR VALUES FROM ('2000-01-01') TO ('2020-01-01 00:00+00')",
        frozenset({"~ partition app.events_old"}),
    ),
    (
        "a view altered",
        "CREATE OR REPLACE VIEW app.open_users WITH (security_barrier = true) AS SELECT u.id, u.name AS \"Display Name\", u.email FROM app.users u WHERE u.status IN ('new', 'closed') WITH LOCAL CHECK OPTION",
        frozenset({"~ view app.open_users"}),
    ),
    (
        "a view without its barrier",
        "ALTER VIEW app.open_users RESET (security_barrier)",
        frozenset({"! view app.open_users"}),
    ),
    (
        "a view dropped",
        "DROP VIEW app.numbers",
        frozenset({"- column app.numbers.n", "- privilege view app.numbers", "- view app.numbers"}),
    ),
    (
        "a materialized view without data",
        "REFRESH MATERIALIZED VIEW app.summary WITH NO DATA",
        frozenset({"! materialized view app.summary"}),
    ),
    ("a rule dropped", "DROP RULE view_insert ON app.grouped", frozenset({"- rule app.grouped.view_insert"})),
    ("a rule enabled", "ALTER TABLE app.lines ENABLE RULE quiet", frozenset({"! rule app.lines.quiet"})),
    (
        "a list in a rule altered",
        "CREATE OR REPLACE RULE no_delete AS ON DELETE TO app.lines WHERE (OLD.a IN (1, 3)) DO INSTEAD NOTHING",
        frozenset({"~ rule app.lines.no_delete"}),
    ),
    ("a table parameter", "ALTER TABLE app.users RESET (fillfactor)", frozenset({"~ table app.users"})),
    ("a toast parameter", "ALTER TABLE app.users RESET (toast.autovacuum_enabled)", frozenset({"~ table app.users"})),
    ("a table made logged", "ALTER TABLE app.fleeting SET LOGGED", frozenset({"~ table app.fleeting"})),
    ("inheritance ended", "ALTER TABLE app.dogs NO INHERIT app.animals", frozenset({"~ table app.dogs"})),
    ("a typed table made plain", "ALTER TABLE app.pairs NOT OF", frozenset({"~ table app.pairs"})),
    ("a table too many", "CREATE TABLE app.extra ()", frozenset({"+ privilege table app.extra", "+ table app.extra"})),
    (
        "a table dropped",
        "DROP TABLE app.no_columns",
        frozenset({"- privilege table app.no_columns", "- table app.no_columns"}),
    ),
    (
        "a schema dropped",
        'DROP SCHEMA "select" CASCADE',
        frozenset(
            {
                '- column "select"."table"."group"',
                '- column "select"."table"."order"',
                '- index "select".index',
                '- privilege schema "select"',
                '- privilege table "select"."table"',
                '- publication schema whole SCHEMA "select"',
                '- schema "select"',
                '- table "select"."table"',
            }
        ),
    ),
    ("a large object altered", "SELECT lo_put(424242, 0, 'L')", frozenset({"~ large object 424242"})),
    ("a large object made longer", "SELECT lo_put(424243, 0, '\\x00')", frozenset({"~ large object 424243"})),
    (
        "a large object lost",
        "SELECT lo_unlink(424243)",
        frozenset({"- large object 424243", "- privilege large object 424243"}),
    ),
    (
        "an owner of a large object",
        "ALTER LARGE OBJECT 424242 OWNER TO postgres",
        frozenset({"~ privilege large object 424242"}),
    ),
    (
        "a function's body",
        "CREATE OR REPLACE FUNCTION app.rows_of(OUT a int, OUT b text) RETURNS SETOF record LANGUAGE sql ROWS 5 AS $$ SELECT 2, 'x' $$",
        frozenset({"~ function app.rows_of()"}),
    ),
    (
        "a list in a function's parsed body",
        "CREATE OR REPLACE FUNCTION app.in_list(x varchar) RETURNS bool LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT x IN ('a', 'b'); END",
        frozenset({"~ function app.in_list(character varying)"}),
    ),
    ("a function's setting", "ALTER FUNCTION app.touch() RESET search_path", frozenset({"~ function app.touch()"})),
    (
        "a procedure's security",
        "ALTER PROCEDURE app.do_it(int, text) SECURITY INVOKER",
        frozenset({"~ procedure app.do_it(integer,text)"}),
    ),
    (
        "a function dropped",
        'DROP FUNCTION "Weird Schema"."f""( | )"(int)',
        frozenset(
            {'- function "Weird Schema"."f""( | )"(integer)', '- privilege function "Weird Schema"."f""( | )"(integer)'}
        ),
    ),
    (
        "an aggregate's start",
        "DROP AGGREGATE app.longest(text); CREATE AGGREGATE app.longest(text) (sfunc = textcat, stype = text, initcond = 'x', parallel = safe)",
        frozenset({"~ aggregate app.longest(text)"}),
    ),
    (
        "an operator's commutator",
        "DROP OPERATOR app.=== (app.address, app.address); CREATE OPERATOR app.=== (leftarg = app.address, rightarg = app.address, function = app.cmp)",
        frozenset({"~ operator app.===(app.address,app.address)"}),
    ),
    ("a cast dropped", "DROP CAST (app.mood AS int)", frozenset({"- cast app.mood AS integer"})),
    (
        "an operator class dropped",
        "DROP OPERATOR CLASS app.text_rev USING btree",
        frozenset(
            {
                "- operator class app.text_rev USING btree",
                "~ operator family app.fam USING btree",
                "- privilege operator class app.text_rev USING btree",
            }
        ),
    ),
    (
        "a text search mapping",
        "ALTER TEXT SEARCH CONFIGURATION app.search DROP MAPPING FOR asciiword",
        frozenset({"~ text search configuration app.search"}),
    ),
    (
        "a dictionary's option",
        "ALTER TEXT SEARCH DICTIONARY app.dict (stopwords)",
        frozenset({"~ text search dictionary app.dict"}),
    ),
    (
        "a label of an enum renamed",
        "ALTER TYPE app.mood RENAME VALUE 'between' TO 'betwixt'",
        frozenset({"~ type app.mood"}),
    ),
    (
        "a label of an enum in another place",
        "UPDATE pg_enum SET enumsortorder = 100 WHERE enumlabel = 'between'",
        frozenset({"~ type app.mood"}),
    ),
    ("a composite type's attribute", "ALTER TYPE app.address DROP ATTRIBUTE lat", frozenset({"~ type app.address"})),
    (
        "a domain's check",
        "ALTER DOMAIN app.state DROP CONSTRAINT known; ALTER DOMAIN app.state ADD CONSTRAINT known CHECK (VALUE IN ('new', 'open'))",
        frozenset({"~ domain constraint app.state.known"}),
    ),
    ("a domain's default", "ALTER DOMAIN app.email DROP DEFAULT", frozenset({"- default app.email"})),
    ("a domain's NOT NULL", "ALTER DOMAIN app.state DROP NOT NULL", frozenset({"~ domain app.state"})),
    (
        "an extension's version",
        "UPDATE pg_extension SET extversion = '1.0' WHERE extname = 'citext'",
        frozenset({"~ extension citext"}),
    ),
    (
        "an extension dropped",
        "DROP EXTENSION pg_trgm CASCADE",
        frozenset({"- comment extension pg_trgm", "- extension pg_trgm", "- index app.users_note_trgm"}),
    ),
    (
        "a statistics object dropped",
        "DROP STATISTICS app.users_stats",
        frozenset(
            {
                "- comment statistics object app.users_stats",
                "- privilege statistics app.users_stats",
                "- statistics app.users_stats",
            }
        ),
    ),
    (
        "a statistics object's target",
        "ALTER STATISTICS app.users_stats SET STATISTICS 5",
        frozenset({"! statistics app.users_stats"}),
    ),
    (
        "a list in a statistics object",
        "DROP STATISTICS app.users_expr_stats; CREATE STATISTICS app.users_expr_stats ON (lower(name)), (status IN ('new', 'x')) FROM app.users",
        frozenset({"~ statistics app.users_expr_stats"}),
    ),
    (
        "an event trigger dropped",
        "DROP EVENT TRIGGER sleeper",
        frozenset({"- event trigger sleeper", "- privilege event trigger sleeper"}),
    ),
    ("an event trigger disabled", "ALTER EVENT TRIGGER watcher DISABLE", frozenset({"! event trigger watcher"})),
    (
        "a publication dropped",
        "DROP PUBLICATION whole",
        frozenset(
            {"- privilege publication whole", "- publication whole", '- publication schema whole SCHEMA "select"'}
        ),
    ),
    (
        "a publication's operations",
        "ALTER PUBLICATION everything SET (publish = 'insert')",
        frozenset({"~ publication everything"}),
    ),
    (
        "a publication's columns",
        "ALTER PUBLICATION part SET TABLE app.users (id), app.orders WHERE (label IN ('x', 'y') AND a > 0)",
        frozenset({"~ publication table part TABLE app.users"}),
    ),
    (
        "a list in a publication's filter",
        "ALTER PUBLICATION part SET TABLE app.users (id, email), app.orders WHERE (label IN ('x', 'z') AND a > 0)",
        frozenset({"~ publication table part TABLE app.orders"}),
    ),
    (
        "a server's option",
        "ALTER SERVER \"far away\" OPTIONS (SET host 'elsewhere')",
        frozenset({'~ server "far away"'}),
    ),
    (
        "a user mapping dropped",
        'DROP USER MAPPING FOR rich_owner SERVER "far away"',
        frozenset(
            {
                '- user mapping rich_owner ON "far away"',
                '- user mapping option rich_owner ON "far away": "user"',
                '- user mapping option rich_owner ON "far away": password',
            }
        ),
    ),
    (
        "a foreign table's option",
        "ALTER FOREIGN TABLE app.remote OPTIONS (SET table_name 'other')",
        frozenset({"~ table app.remote"}),
    ),
    (
        "a foreign column's option",
        "ALTER FOREIGN TABLE app.remote ALTER id OPTIONS (DROP column_name)",
        frozenset({"~ column app.remote.id"}),
    ),
    (
        "a setting of the database",
        "ALTER DATABASE copy RESET default_statistics_target",
        frozenset({"= setting database: set default_statistics_target"}),
    ),
    (
        "a list of names in another order",
        'ALTER DATABASE copy SET search_path = "Weird Schema", "$user", public',
        frozenset({"= setting database: set search_path"}),
    ),
    (
        "a setting of an extension",
        "ALTER DATABASE copy SET rich.custom = 'x'",
        frozenset({"= setting database: set rich.custom"}),
    ),
    (
        "a setting of a role",
        "ALTER ROLE rich_reader SET statement_timeout = '91s'",
        frozenset({"= setting role rich_reader: set statement_timeout"}),
    ),
    (
        "a setting of a role in the database",
        "ALTER ROLE rich_owner IN DATABASE copy RESET work_mem",
        frozenset({"= setting role rich_owner in database: set work_mem"}),
    ),
    (
        "an attribute of a role",
        "ALTER ROLE rich_owner NOCREATEDB",
        frozenset({"= setting role rich_owner: attributes"}),
    ),
    (
        "an end of a role",
        "ALTER ROLE rich_reader VALID UNTIL '2032-01-01 00:00:00+00'",
        frozenset({"= setting role rich_reader: valid until"}),
    ),
    (
        "a membership revoked",
        "REVOKE rich_group FROM rich_reader",
        frozenset({"= setting role rich_reader: member of rich_group"}),
    ),
    (
        "a membership without its admin option",
        'REVOKE ADMIN OPTION FOR rich_group FROM "Rich ""Writer"" | PASS"',
        frozenset({'= setting role "Rich ""Writer"" | PASS": member of rich_group'}),
    ),
    ("a comment of a role", "COMMENT ON ROLE rich_group IS NULL", frozenset({"= setting role rich_group: comment"})),
    (
        "the owner of the database",
        "ALTER DATABASE copy OWNER TO postgres",
        frozenset(
            {
                "= setting database: owner",
                "= setting database: rights of postgres",
                "= setting database: rights of rich_owner",
            }
        ),
    ),
    (
        "a right on the database",
        "GRANT TEMP ON DATABASE copy TO PUBLIC",
        frozenset({"= setting database: rights of PUBLIC"}),
    ),
    ("the comment of the database", "COMMENT ON DATABASE copy IS NULL", frozenset({"= setting database: comment"})),
)
"""(sentence, what is done to the copy, what must be found: - missing, + extra, ~ definition, ! state, = setting)."""
