"""The copy is tried, not only compared: what refuses, what fires, what does neither, and that nothing of it remains."""

from __future__ import annotations

from functools import partial

import pytest

from attestore.adapters.postgres.exercise import exercise
from attestore.proof import Behaviour, Did, Exercise, IndexCheck, Proof, compare
from servers import Server

# A check for each way in which one can be violated; triggers and rules that would hide every one of them.
HEALTHY = (
    "CREATE EXTENSION btree_gist",
    "CREATE TYPE mood AS ENUM ('sad', 'ok', 'glad')",
    "CREATE DOMAIN email AS text NOT NULL CONSTRAINT at_sign CHECK (VALUE ~ '@')",
    "CREATE DOMAIN percent AS int CONSTRAINT in_range CHECK (VALUE BETWEEN 0 AND 100)",
    """CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, code varchar(5) NOT NULL,
         UNIQUE (code), UNIQUE (id, code))""",
    """CREATE TABLE child (
         id bigserial CONSTRAINT "child PK" PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY DEFERRED,
         up bigint REFERENCES child DEFERRABLE INITIALLY DEFERRED,
         a int NOT NULL, code varchar(5), mail email, score percent, m mood NOT NULL, tags text[] NOT NULL, j jsonb,
         "from" date, till date, doubled int GENERATED ALWAYS AS (a * 2) STORED,
         FOREIGN KEY (a, code) REFERENCES parent (id, code) MATCH FULL,
         CONSTRAINT alone CHECK (up <> id),
         CONSTRAINT a_positive CHECK (a > 0),
         CONSTRAINT double_enough CHECK (doubled > 0),
         CONSTRAINT ordered CHECK ("from" < till),
         CONSTRAINT not_sad CHECK (m <> 'sad'),
         CONSTRAINT tagged CHECK (cardinality(tags) >= 1),
         CONSTRAINT an_object CHECK (jsonb_typeof(j) = 'object'),
         CONSTRAINT both_or_none CHECK (("from" IS NULL) = (till IS NULL)),
         CONSTRAINT one_of CHECK (code IN ('x', 'y')),
         CONSTRAINT "odd "" name" CHECK (code <> 'zz'),
         CONSTRAINT stays EXCLUDE USING gist (a WITH =, daterange("from", till) WITH &&))""",
    "ALTER TABLE child ADD CONSTRAINT later CHECK (a < 1000) NOT VALID",
    "CREATE UNIQUE INDEX child_mail ON child (lower(mail)) WHERE a > 0",
    "INSERT INTO parent (code) VALUES ('x'), ('y')",
    """INSERT INTO child (place, up, a, code, mail, score, m, tags, j, "from", till) VALUES
         (1, NULL, 1, 'x', 'a@b', 5, 'ok', '{a}', '{}', '2026-01-01', '2026-02-01'),
         (2, 1, 2, 'y', 'c@d', 50, 'glad', '{b,c}', '{}', NULL, NULL)""",
    "CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE TRIGGER hides BEFORE INSERT OR UPDATE ON child FOR EACH ROW EXECUTE FUNCTION hide()",
    "ALTER TABLE child ENABLE ALWAYS TRIGGER hides",
    "CREATE RULE hidden AS ON INSERT TO parent DO INSTEAD NOTHING",
    "CREATE TABLE split (id int, k text NOT NULL, PRIMARY KEY (id, k), CHECK (id < 100)) PARTITION BY LIST (k)",
    "CREATE TABLE split_a PARTITION OF split FOR VALUES IN ('a')",
    "CREATE TABLE split_b PARTITION OF split FOR VALUES IN ('b')",
    "ALTER TABLE split ADD FOREIGN KEY (id) REFERENCES parent",
    "INSERT INTO split VALUES (1, 'a'), (2, 'b')",
    "CREATE TABLE heir (more int CHECK (more > 0)) INHERITS (parent)",
    "INSERT INTO heir (id, code, more) OVERRIDING SYSTEM VALUE VALUES (7, 'h', 1)",
)

TRIGGERS = (
    "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, b text UNIQUE, stamp timestamptz)",
    "INSERT INTO t (a, b) VALUES (1, 'x'), (2, 'y')",
    "CREATE TABLE child (t int REFERENCES t)",
    "INSERT INTO child VALUES (1)",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.stamp := now(); RETURN NEW; END'",
    "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    "CREATE FUNCTION never() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
    "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(60); RETURN NEW; END'",
    """CREATE FUNCTION bye() RETURNS trigger LANGUAGE plpgsql
         AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END'""",
    "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()",
    "CREATE TRIGGER of_b AFTER UPDATE OF b ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE TRIGGER changed AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.a IS DISTINCT FROM NEW.a) EXECUTE FUNCTION noted()",
    "CREATE TRIGGER impossible AFTER UPDATE ON t FOR EACH ROW WHEN (false) EXECUTE FUNCTION noted()",
    "CREATE TRIGGER inserted AFTER INSERT ON t REFERENCING NEW TABLE AS n FOR EACH STATEMENT EXECUTE FUNCTION noted()",
    "CREATE TRIGGER row_inserted AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE TRIGGER gone BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION never()",
    "CREATE TRIGGER emptied BEFORE TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION noted()",
    "CREATE TRIGGER same AFTER DELETE ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE TRIGGER off AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "ALTER TABLE t DISABLE TRIGGER off",
    "CREATE TRIGGER on_replica AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    "ALTER TABLE t ENABLE REPLICA TRIGGER on_replica",
    "CREATE TRIGGER built_in BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE TRIGGER sleeps BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION slow()",
    "CREATE TRIGGER ends BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION bye()",
    "CREATE TABLE nothing (a int)",
    "CREATE TRIGGER no_row AFTER DELETE ON nothing FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE TRIGGER no_matter AFTER DELETE ON nothing FOR EACH STATEMENT EXECUTE FUNCTION noted()",
    "CREATE VIEW v AS SELECT a, b FROM t",
    "CREATE TRIGGER instead INSTEAD OF UPDATE ON v FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE TABLE split (id int, k text) PARTITION BY LIST (k)",
    "CREATE TABLE split_a PARTITION OF split FOR VALUES IN ('a')",
    "INSERT INTO split VALUES (1, 'a')",
    "CREATE TRIGGER through AFTER UPDATE ON split FOR EACH ROW EXECUTE FUNCTION noted()",
    "CREATE FUNCTION watched() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END'",
    "CREATE FUNCTION forbidden() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'",
    "CREATE EVENT TRIGGER begun ON ddl_command_start EXECUTE FUNCTION watched()",
    "CREATE EVENT TRIGGER dropped ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION watched()",
    "CREATE EVENT TRIGGER rewritten ON table_rewrite EXECUTE FUNCTION watched()",
    "CREATE EVENT TRIGGER rare ON ddl_command_end WHEN TAG IN ('CREATE OPERATOR') EXECUTE FUNCTION watched()",
    "CREATE EVENT TRIGGER silenced ON ddl_command_end EXECUTE FUNCTION watched()",
    "ALTER EVENT TRIGGER silenced DISABLE",
    "CREATE EVENT TRIGGER forbids ON ddl_command_end EXECUTE FUNCTION forbidden()",
)
FIRED = {
    "public.split.through": "on UPDATE",
    "public.nothing.no_matter": "on DELETE",
    "public.t.built_in": "on UPDATE",
    "public.t.changed": "on UPDATE",
    "public.t.emptied": "on TRUNCATE",
    "public.t.gone": "on DELETE, which it refused with SQLSTATE P0001",
    "public.t.inserted": "on INSERT",
    "public.t.late": "on INSERT",
    "public.t.of_b": "on UPDATE",
    "public.t.on_replica": "on UPDATE",
    "public.t.row_inserted": "on INSERT",
    "public.t.same": "on DELETE",
    "public.t.sleeps": "on UPDATE, which it refused with SQLSTATE 57014",
    "public.t.touch": "on UPDATE",
    "public.v.instead": "on UPDATE",
    "begun": "on CREATE TABLE",
    "dropped": "on DROP TABLE",
    "rewritten": "on ALTER TABLE",
    "forbids": "on CREATE TABLE, which it refused with SQLSTATE P0001",
}
NOT_FIRED = {
    "public.nothing.no_row": (Did.COMPARED, "DELETE: the table is empty"),
    "public.t.ends": (Did.COMPARED, "INSERT: could not be tried: SQLSTATE 57P01"),
    "public.t.impossible": (Did.COMPARED, "UPDATE: no row that meets its condition could be derived"),
    "public.t.off": (Did.QUIET, "disabled: not called on UPDATE"),
    "rare": (Did.COMPARED, "no statement of CREATE OPERATOR could be tried"),
    "silenced": (Did.QUIET, "on CREATE TABLE"),
}

# damage that leaves every definition as it was → the exercise that must tell it
DAMAGED: dict[str, tuple[tuple[str, ...], Exercise]] = {
    "foreign key without its triggers": (
        (
            "DELETE FROM pg_depend WHERE classid = 'pg_trigger'::regclass AND objid IN (SELECT oid FROM pg_trigger WHERE tgrelid = 'c'::regclass)",
            "DELETE FROM pg_trigger WHERE tgrelid = 'c'::regclass",
        ),
        Exercise("foreign key", "public.c.c_p_fkey", Did.ACCEPTED),
    ),
    "check that the table forgot": (
        ("UPDATE pg_class SET relchecks = 0 WHERE relname = 'c'",),
        Exercise("check", "public.c.c_n_check", Did.ACCEPTED),
    ),
    "key whose index is no longer unique": (
        ("UPDATE pg_index SET indisunique = false WHERE indexrelid = 'p_pkey'::regclass",),
        Exercise("primary key", "public.p.p_pkey", Did.ACCEPTED),
    ),
    "trigger that the table forgot": (
        ("UPDATE pg_class SET relhastriggers = false WHERE relname = 'noted'",),
        Exercise("trigger", "public.noted.touch", Did.SILENT, "not called on UPDATE"),
    ),
    "row that its index misses": (
        (
            "UPDATE pg_index SET indisready = false WHERE indexrelid = 'c_n'::regclass",
            "INSERT INTO c VALUES (9, 1, 9)",
            "UPDATE pg_index SET indisready = true WHERE indexrelid = 'c_n'::regclass",
        ),
        Exercise("index", "public.c_n", Did.CORRUPT, "SQLSTATE XX001"),
    ),
}
SMALL = (
    "CREATE TABLE p (id int PRIMARY KEY)",
    "INSERT INTO p VALUES (1), (2)",
    "CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p, n int CHECK (n > 0))",
    "INSERT INTO c VALUES (1, 1, 1), (2, 2, 2)",
    "CREATE INDEX c_n ON c (n)",
    "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "CREATE TABLE noted (id int)",
    "INSERT INTO noted VALUES (1)",
    "CREATE TRIGGER touch BEFORE UPDATE ON noted FOR EACH ROW EXECUTE FUNCTION touch()",
)

# What a hasty trial would call broken: values that are rounded as they are stored, rows that become their own parent,
# triggers that are rightly quiet.
TRICKY = (
    """CREATE TABLE n (a numeric(10,0) CHECK (a = trunc(a)), b varchar(3) CHECK (length(b) < 4), c timestamp(0) CHECK (c = date_trunc('second', c)), d numeric(4,1) CHECK (d <> 0.04))""",
    """INSERT INTO n VALUES (1, 'x', now(), 1)""",
    """CREATE TABLE s (tenant int, id int, up int, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, up) REFERENCES s (tenant, id), FOREIGN KEY (tenant, id) REFERENCES s (tenant, id))""",
    """INSERT INTO s VALUES (1, 1, 1)""",
    "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
    """CREATE TABLE g (a int, b int, c int GENERATED ALWAYS AS (b + 1) STORED)""",
    """INSERT INTO g VALUES (1, 1)""",
    """CREATE TRIGGER of_c AFTER UPDATE OF c ON g FOR EACH ROW EXECUTE FUNCTION noted()""",
    """CREATE VIEW v AS SELECT a, b FROM g""",
    """CREATE TRIGGER st AFTER UPDATE ON v FOR EACH STATEMENT EXECUTE FUNCTION noted()""",
    """CREATE VIEW w AS SELECT a, b FROM g""",
    """CREATE TRIGGER st AFTER UPDATE ON w FOR EACH STATEMENT EXECUTE FUNCTION noted()""",
    """CREATE TRIGGER row1 INSTEAD OF UPDATE ON w FOR EACH ROW EXECUTE FUNCTION noted()""",
    """CREATE VIEW x AS SELECT a, b FROM g""",
    """CREATE TRIGGER row1 INSTEAD OF DELETE ON x FOR EACH ROW EXECUTE FUNCTION noted()""",
    """CREATE RULE r AS ON DELETE TO x DO INSTEAD NOTHING""",
    """CREATE TABLE p (id int, k text) PARTITION BY LIST (k)""",
    """CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a')""",
    """INSERT INTO p VALUES (1, 'a')""",
    """CREATE TRIGGER p_i AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION noted()""",
    """CREATE TRIGGER p_d AFTER DELETE ON p FOR EACH ROW EXECUTE FUNCTION noted()""",
    """CREATE TRIGGER p_s AFTER INSERT OR UPDATE OR DELETE ON p FOR EACH STATEMENT EXECUTE FUNCTION noted()""",
    """CREATE TRIGGER p_t AFTER TRUNCATE ON p FOR EACH STATEMENT EXECUTE FUNCTION noted()""",
    """CREATE FOREIGN DATA WRAPPER fw""",
    """CREATE SERVER sv FOREIGN DATA WRAPPER fw""",
    """CREATE FOREIGN TABLE f (a int) SERVER sv""",
    """CREATE TRIGGER ft AFTER INSERT ON f FOR EACH ROW EXECUTE FUNCTION noted()""",
)


def tried(server: Server, database: str, depth: IndexCheck = IndexCheck.AUTO, *, budget_ms: int = 60_000) -> Behaviour:
    return exercise(partial(server.connect, database), depth=depth, budget_ms=budget_ms, jobs=2)


def proved(server: Server, database: str) -> Proof:
    return server.prove_restored(database, server.prove(database))


def test_every_constraint_refuses_in_its_own_name_whatever_else_stands_in_the_way(server: Server) -> None:
    """Triggers that swallow rows, rules that replace them, other constraints that refuse first: none may hide one."""
    with server.database(*HEALTHY) as database:
        seen = tried(server, database, IndexCheck.NONE)
    others = [each for each in seen.exercises if each.did is not Did.REFUSED and each.kind != "trigger"]
    assert others == [
        Exercise("not null", "public.split.k", Did.COMPARED, "refused with SQLSTATE 23514"),
    ]  # fmt: skip
    kinds = {each.kind for each in seen.exercises}
    assert kinds == {
        "check", "domain", "exclusion", "foreign key", "not null", "primary key", "trigger", "unique", "unique index",
    }  # fmt: skip
    assert {each.subject for each in seen.of("check")} == {
        f"public.child.{name}"
        for name in (
            "a_positive", "alone", "an_object", "both_or_none", "double_enough", "later", "not_sad", '"odd "" name"',
            "one_of", "ordered", "tagged",
        )
    } | {"public.split.split_id_check", "public.heir.heir_more_check"}  # fmt: skip
    assert {each.subject for each in seen.of("domain")} == {
        "public.email NOT NULL", "public.email.at_sign", "public.percent.in_range",
    }  # fmt: skip


def test_every_trigger_fires_under_its_own_name_or_says_why_it_was_only_compared(server: Server) -> None:
    """Several share one function, so only the executor's count of each trigger can tell them apart."""
    with server.database(*TRIGGERS) as database:
        seen = tried(server, database, IndexCheck.NONE).of("trigger", "event trigger")
    assert {each.subject: each.note for each in seen if each.did is Did.FIRED} == FIRED
    assert {each.subject: (each.did, each.note) for each in seen if each.did is not Did.FIRED} == NOT_FIRED


@pytest.mark.parametrize("damage", DAMAGED)
def test_what_no_definition_shows_is_found_by_trying(server: Server, damage: str) -> None:
    statements, told = DAMAGED[damage]
    with server.database(*SMALL) as database:
        source = server.prove(database)
        server.run(database, "SET allow_system_table_mods = on", *statements)
        copy = server.prove_restored(database, source)
        seen = tried(server, database, IndexCheck.HEAP)
    bad = [each for each in seen.exercises if each.did in {Did.ACCEPTED, Did.SILENT, Did.CORRUPT}]
    assert bad == [told]
    assert not [each for each in compare(source, copy).differences if each.subject == told.subject]


def test_what_is_rounded_rewritten_or_rightly_quiet_raises_no_alarm(server: Server) -> None:
    with server.database(*TRICKY) as database:
        seen = tried(server, database)
    assert [each for each in seen.exercises if each.did in {Did.ACCEPTED, Did.SILENT, Did.CORRUPT}] == []
    assert {e.subject for e in seen.of("trigger") if e.did is Did.FIRED} == {
        "public.p.p_d", "public.p.p_i", "public.p.p_s", "public.p.p_t", "public.w.row1", "public.w.st",
    }  # fmt: skip
    assert "its table keeps its rows elsewhere" in {each.note for each in seen.of("trigger")}


def test_who_ends_the_session_ends_only_what_was_tried_in_it(server: Server) -> None:
    """Many constraints are tried in one round trip; those beside the one that is fatal still get their verdicts."""
    with server.database(
        """CREATE FUNCTION fatal(int) RETURNS bool LANGUAGE plpgsql AS
           $$ BEGIN IF $1 < 0 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF; RETURN true; END $$""",
        *(f"CREATE TABLE t{n} (id int PRIMARY KEY, n int NOT NULL UNIQUE CHECK (n < 10))" for n in range(20)),
        "CREATE TABLE trap (id int PRIMARY KEY, n int CHECK (fatal(n)))",
        *(f"INSERT INTO t{n} VALUES (1, 1)" for n in range(20)),
        "INSERT INTO trap VALUES (1, 1)",
    ) as database:
        seen = tried(server, database, IndexCheck.NONE)
    unsettled = {each.subject for each in seen.exercises if each.did is not Did.REFUSED}
    assert unsettled == {"public.trap.trap_n_check"}
    assert len(seen.exercises) == 20 * 5 + 3


def test_a_missing_row_is_beyond_a_look_at_the_structure_alone(server: Server) -> None:
    with server.database(*SMALL) as database:
        server.run(database, *DAMAGED["row that its index misses"][0])
        shallow = tried(server, database, IndexCheck.STRUCTURE)
        unasked = tried(server, database, IndexCheck.NONE)
    assert {each.did for each in shallow.of("index")} == {Did.SOUND}
    assert shallow.depth == "structure: as asked for"
    assert (unasked.depth, unasked.of("index")) == ("none: not asked for", ())


def test_nothing_remains_of_all_that_was_tried(server: Server) -> None:
    """Rows, objects and settings are what they were; sequences may have advanced."""
    with server.database(*HEALTHY, *TRIGGERS[5:6]) as database:
        before = proved(server, database)
        tried(server, database)
        after = proved(server, database)
    assert compare(before, after).differences == ()


def test_what_the_budget_does_not_reach_is_said_to_be_compared_only(server: Server) -> None:
    with server.database(*SMALL) as database:
        seen = tried(server, database, IndexCheck.NONE, budget_ms=0)
    assert {(each.did, each.note) for each in seen.exercises} == {(Did.COMPARED, "not reached within 0 s")}
    assert len(seen.exercises) == 7


def test_an_empty_database_has_nothing_to_try(server: Server) -> None:
    with server.database() as database:
        assert tried(server, database).exercises == ()


def test_what_was_tried_is_told_without_a_value_of_any_row(server: Server) -> None:
    with server.database(
        "CREATE TABLE s (secret text PRIMARY KEY CHECK (length(secret) > 3))", "INSERT INTO s VALUES ('hunter2')"
    ) as database:
        told = tried(server, database)
    assert {each.did for each in told.of("check", "primary key")} == {Did.REFUSED}
    assert "hunter2" not in repr(told)
