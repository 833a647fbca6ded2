"""What is said of a database as it is, and what a role without superuser rights sees of it."""

from __future__ import annotations

import psycopg
import pytest

from attestore.adapters.postgres import objects, world
from clusters import MAJORS, running_server
from schemas import create_rich
from servers import KEY

FINDINGS = [
    ("CREATE INDEX i ON t (a); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
     "Index public.i is not valid; a dump does not carry it as it is."),
    ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
     "Constraint public.t.c is NOT VALID: rows from before it were never checked."),
    (("CREATE TRIGGER x BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();"
     " ALTER TABLE t DISABLE TRIGGER x"), "Trigger public.t.x is disabled."),
    ("CREATE TABLE k (a int UNIQUE)", "Table public.k has no primary key: rows that differ cannot be named."),
    ("CREATE TABLE k (a int); CREATE UNIQUE INDEX ON k (a) WHERE a > 0",
     "Table public.k has no key at all: rows that differ cannot be named, and equal ones not told apart."),
    ("SELECT lo_create(7); UPDATE pg_largeobject_metadata SET lomowner = 4242 WHERE oid = 7",
     "Large object 7 belongs to a role that is no longer there, so nobody owns its copy."),
    ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE f (a int) SERVER s",
     "Foreign table public.f keeps its rows elsewhere; only its definition is backed up."),
    ("CREATE UNLOGGED TABLE u (a int PRIMARY KEY)",
     "Table public.u is unlogged: a crash empties it, and a standby never has its rows."),
    ("CREATE MATERIALIZED VIEW m AS SELECT 1 AS x WITH NO DATA", "Materialized view public.m is not populated."),
    ("ALTER EXTENSION plpgsql ADD TABLE t", "Table public.t belongs to extension plpgsql: its rows are not backed up."),
    ("CREATE TABLE information_schema.mine (a int PRIMARY KEY)",
     "Table information_schema.mine lies in a schema of the system: no dump carries it, and it is not compared."),
    ("SET LOCAL allow_system_table_mods = on; CREATE SEQUENCE pg_catalog.mine",
     "Sequence pg_catalog.mine lies in a schema of the system: no dump carries it, and it is not compared."),
    ("SET LOCAL allow_system_table_mods = on; CREATE FUNCTION pg_catalog.mine(int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
     "Function pg_catalog.mine(integer) lies in a schema of the system: no dump carries it, and it is not compared."),
    ("CREATE SUBSCRIPTION s CONNECTION 'host=/nowhere password=canary' PUBLICATION p WITH (connect = false); COMMENT ON SUBSCRIPTION s IS 'x'",
     "Subscription s (publications p, disabled) is not restored into an isolated copy, and is not compared."),
    ("CREATE TABLE k (a int PRIMARY KEY REFERENCES t); ALTER TABLE k DISABLE TRIGGER ALL",
     "Foreign key public.k.k_a_fkey is not enforced: triggers of it are disabled, which a dump does not carry."),
    (("CREATE TABLE k (a int PRIMARY KEY REFERENCES t); DO $$DECLARE n text; BEGIN FOR n IN SELECT tgname FROM pg_trigger"
     " WHERE tgrelid = 't'::regclass LOOP EXECUTE format('ALTER TABLE t ENABLE REPLICA TRIGGER %I', n); END LOOP; END$$"),
     "Foreign key public.k.k_a_fkey is not enforced: triggers of it are disabled, which a dump does not carry."),
    ("GRANT SET ON PARAMETER work_mem TO pg_monitor",
     "Privileges on parameter work_mem (pg_monitor) belong to the cluster: a backup of one database does not carry them."),
    ("REVOKE SELECT ON information_schema.columns FROM PUBLIC; GRANT SELECT ON information_schema.columns TO pg_monitor",
     "Privileges on information_schema.columns (PUBLIC, pg_monitor) were changed from those that it came with; a dump does not carry that."),
    ("GRANT USAGE ON SCHEMA information_schema TO pg_monitor WITH GRANT OPTION",
     "Privileges on information_schema (pg_monitor) were changed from those that it came with; a dump does not carry that."),
    ("REVOKE USAGE ON LANGUAGE sql FROM PUBLIC",
     "Privileges on language sql (PUBLIC) were changed from those that it came with; a dump does not carry that."),
    ("CREATE COLLATION c (locale = 'C'); UPDATE pg_collation SET collversion = '1.2' WHERE collname = 'c'",
     "Collation public.c was recorded with version 1.2, and the server now provides none."),
    ("UPDATE pg_database SET datcollversion = '0.1' WHERE datname = 'app'",
     "The database's default collation was recorded with version 0.1, and the server now provides"),
]  # fmt: skip


def test_each_finding_is_one_sentence_and_a_tidy_database_has_none() -> None:
    with running_server(MAJORS[0]) as server, server.connect() as session:
        session.execute("CREATE TABLE public.t (a int PRIMARY KEY)")
        assert objects.read(session, key=KEY)[1] == ()
        for cause, sentence in FINDINGS:
            with session.transaction(force_rollback=True):
                session.execute(cause.encode())
                defined, findings = objects.read(session, key=KEY)
            assert [found for found in findings if found.startswith(sentence)], (sentence, findings)
            assert len(findings) == 1
            assert "canary" not in repr((defined, findings))
            assert not [each for each in defined if each.identity.startswith("subscription ")]


def test_what_is_not_enforced_is_told_apart_from_what_is_not_valid() -> None:
    with running_server(max(MAJORS)) as server, server.connect() as session:
        session.execute(
            """CREATE TABLE t (a int PRIMARY KEY, CONSTRAINT ne CHECK (a > 0) NOT ENFORCED);
            CREATE TABLE k (a int PRIMARY KEY, CONSTRAINT fk FOREIGN KEY (a) REFERENCES t NOT ENFORCED);
            ALTER TABLE k ADD CONSTRAINT nv CHECK (a > 0) NOT VALID"""
        )
        assert set(objects.read(session, key=KEY)[1]) == {
            "Constraint public.t.ne is NOT ENFORCED: rows are never checked.",
            "Constraint public.k.fk is NOT ENFORCED: rows are never checked.",
            "Constraint public.k.nv is NOT VALID: rows from before it were never checked.",
        }


def test_passwords_of_servers_and_mappings_are_not_read() -> None:
    with running_server(MAJORS[0]) as server, server.connect() as session:
        create_rich(session)
        assert "canary" not in repr(objects.read(session, key=KEY))


@pytest.mark.parametrize("major", MAJORS)
def test_several_sessions_find_what_one_finds_and_one_that_is_gone_is_told(major: int) -> None:
    with running_server(major) as server, server.connect() as session, server.connect() as beside:
        create_rich(session)
        alone = objects.read(session, key=KEY)
        assert len(alone[0]) > 100
        assert objects.read(session, key=KEY, beside=[beside]) == alone
        with server.connect() as third:
            assert objects.read(session, key=KEY, beside=[beside, third]) == alone
        session.execute("SELECT pg_terminate_backend(%s)", (beside.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            objects.read(session, key=KEY, beside=[beside])
        assert objects.read(session, key=KEY) == alone


@pytest.mark.parametrize("major", MAJORS)
def test_a_role_that_may_only_read_sees_the_same(major: int) -> None:
    """But for large objects, which nobody reads without a grant (that is refused and not passed over), and what others log in with."""
    with running_server(major) as server, server.connect() as session:
        create_rich(session)
        session.execute("CREATE ROLE humble; GRANT pg_read_all_data TO humble; GRANT humble TO CURRENT_USER")
        session.execute("SELECT lo_unlink(oid) FROM pg_largeobject_metadata")
        expected = objects.read(session, key=KEY), world.read(session)
        session.execute("SET ROLE humble; SET search_path = app, public; SET quote_all_identifiers = on")
        (defined, findings), around = objects.read(session, key=KEY), world.read(session)
        ((all_defined, all_findings), all_around) = expected
        assert {each.klass for each in set(all_defined) ^ set(defined)} == {"user mapping option"}
        hidden = 'Options of user mapping rich_owner ON "far away" are hidden from the role that takes the backup: a dump by it'
        assert set(findings) - set(all_findings) == {f"{hidden} leaves them out."}
        assert around == all_around
        assert session.execute("SHOW quote_all_identifiers").fetchone() == ("on",)
        session.execute("RESET ROLE; SELECT lo_from_bytea(77, 'x')")
        session.execute("REVOKE pg_read_all_data FROM humble; SET ROLE humble")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            objects.read(session, key=KEY)


@pytest.mark.parametrize("major", MAJORS)
def test_whose_options_of_a_mapping_are_hidden_is_told_as_the_server_hides_them(major: int) -> None:
    """Who owns a server sees those of PUBLIC and its own, and of nobody else."""
    with running_server(major) as server, server.connect() as session:
        session.execute(
            """CREATE ROLE keeper; CREATE ROLE guest; GRANT keeper, guest TO CURRENT_USER;
            CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; ALTER SERVER s OWNER TO keeper;
            CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'a');
            CREATE USER MAPPING FOR keeper SERVER s OPTIONS (password 'a');
            CREATE USER MAPPING FOR guest SERVER s OPTIONS (password 'a')"""
        )
        for role, seen in (("keeper", {"PUBLIC", "keeper"}), ("guest", set())):
            session.execute(f"SET ROLE {role}".encode())
            defined, findings = objects.read(session, key=KEY)
            session.execute("RESET ROLE")
            assert {o.identity.partition(" ")[0] for o in defined if o.klass == "user mapping option"} == seen
            hidden = {each.split()[4] for each in findings if each.startswith("Options of user mapping ")}
            assert hidden == {"PUBLIC", "keeper", "guest"} - seen
        defined, findings = objects.read(session, key=KEY)
        digests = [o.definition for o in defined if o.klass == "user mapping option"]
        assert len(set(digests)) == len(digests) == 3, "nobody learns that two roles have one password"
        assert findings == ()
