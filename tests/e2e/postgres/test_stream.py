"""Method `stream`: the dump's own text, digested while it is sealed, against the text of the restored tables."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import psycopg
import pytest
from typing_extensions import override

from attestore.adapters.gpg.tarball import pack
from attestore.adapters.postgres.dump import PgDumper
from attestore.adapters.postgres.piped import Text
from attestore.adapters.postgres.piped import read as read_texts
from attestore.adapters.postgres.prove import prove_restored
from attestore.adapters.postgres.stream import Reader
from attestore.adapters.process import Runner
from attestore.errors import ProgramFailedError
from attestore.ports import Plain, Tap
from attestore.proof import STREAM, Proof, Table, compare
from clusters import installation
from servers import KEY, Nobody, Server

OF_EVERY_KIND = r'''
CREATE TABLE nothing ();
INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
CREATE TABLE bare ();
CREATE TABLE empty (id int, note text);
CREATE TABLE computed (id int, twice int GENERATED ALWAYS AS (id * 2) STORED, after text);
INSERT INTO computed (id, after) SELECT i, 'a' || i FROM generate_series(1, 50) i;
CREATE TABLE only_computed (three int GENERATED ALWAYS AS (1 + 2) STORED);
INSERT INTO only_computed DEFAULT VALUES;
CREATE TABLE reshaped (a int, gone text, b text, c int);
INSERT INTO reshaped SELECT i, 'x', 'b' || i, i FROM generate_series(1, 50) i;
ALTER TABLE reshaped DROP COLUMN gone;
ALTER TABLE reshaped ADD COLUMN gone timestamptz DEFAULT '2020-06-01 12:00:00+02';
CREATE TABLE parent (a int, b text);
CREATE TABLE child (own int) INHERITS (parent);
ALTER TABLE parent ADD COLUMN late int DEFAULT 7;
INSERT INTO parent VALUES (1, 'p', 2); INSERT INTO child (a, b, own, late) VALUES (3, 'c', 4, 5);
CREATE TABLE parted (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parted_old (day date, id int);
ALTER TABLE parted ATTACH PARTITION parted_old FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE parted_new PARTITION OF parted FOR VALUES FROM ('2021-01-01') TO ('2022-01-01');
INSERT INTO parted SELECT i, date '2020-06-01' + i * 10 FROM generate_series(1, 50) i;
CREATE SCHEMA "Weird ""Schema""";
CREATE TABLE "Weird ""Schema"""."; DROP --
\. :x 'tab'" ("a ""b"" :c" int, "\." text, "SELECT" text);
INSERT INTO "Weird ""Schema"""."; DROP --
\. :x 'tab'" VALUES (1, '\.', NULL), (2, '', '\N'), (3, E'line\nbreak\ttab\r\\', 'ü€😀');
CREATE TABLE large (id int, value text);
INSERT INTO large SELECT i, repeat(chr(64 + i), 2000000) FROM generate_series(1, 3) i;
CREATE TABLE binary_ (value bytea); INSERT INTO binary_ VALUES ('\x000a0d5c2e0a'), (''), (NULL);
CREATE TABLE nulls (a text, b text); INSERT INTO nulls VALUES (NULL, ''), ('', NULL), ('\N', E'\\N'), ('NULL', 'null');
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TYPE pair AS (x int, y text);
CREATE TABLE typed (f4 float4, f8 float8, n numeric, ts timestamptz, iv interval, m money, e mood, arr mood[], p pair,
                    j json, r int4range, cls regclass, tz timetz, b bit(3), cat "char");
INSERT INTO typed VALUES (0.1, '-0', 1.00, '2020-03-29 02:30:00.000001+01', '1 mon -1 day 00:00:01.5', 12.5, 'sad',
  '{sad,ok,NULL}', '(1,"a b")', '{"a" : 1.0}', '[1,5)', 'parent', '12:00+05:30', '101', 'x'),
  ('NaN', 'Infinity', 'NaN', '-infinity', '-00:00:00.000001', -1, NULL, '{}', '(,)', 'null', 'empty', NULL,
   '00:00-15:59', '000', '');
CREATE UNLOGGED TABLE fleeting (id int); INSERT INTO fleeting SELECT generate_series(1, 10);
CREATE TABLE many (id int PRIMARY KEY, note text);
INSERT INTO many SELECT i, 'note ' || i FROM generate_series(1, 20000) i;
CREATE MATERIALIZED VIEW seen AS SELECT count(*) FROM many;
'''


@dataclass(frozen=True, slots=True)
class Taken:
    """A dump with its proof by method `stream`."""

    proof: Proof
    archive: Path


def take(server: Server, database: str, folder: Path, *, spoil: Callable[[Path], None] | None = None) -> Taken:
    """Snapshot, counts, pg_dump, and its files packed once, as a sealer does."""
    dumper = PgDumper(installation(server.major), environment=server.environment(database), runner=Runner())
    with server.source(database).snapshot() as snapshot, dumper.dumping(snapshot, folder, jobs=2) as dumping:
        proof = snapshot.prove(KEY, probes=(), jobs=2, watch=Nobody(), method=STREAM)
        archive = dumping.finish()
        if spoil is not None:
            spoil(archive)
        texts = dumper.texts(archive, snapshot)
    read(archive, texts)
    return Taken(texts.complete(proof), archive)


def read(archive: Plain, tap: Tap) -> None:
    assert sum(len(chunk) for chunk in pack(archive, tap)) > 0


@contextmanager
def restored(server: Server, taken: Taken, *, like: str = "", sections: tuple[str, ...] = ("",)) -> Iterator[str]:
    """A new database, `like` CREATE DATABASE says, with the archive restored into it, whole or section by section."""
    with server.database() as copy:
        if like:
            server.run("postgres", f"DROP DATABASE {copy}", f"CREATE DATABASE {copy} TEMPLATE template0 {like}")
        program = str(installation(server.major).program("pg_restore"))
        words = [program, "--exit-on-error", "--jobs=2", "-d", server.conninfo(copy), str(taken.archive)]
        for section in sections:
            subprocess.run([*words, *([f"--section={section}"] if section else [])], check=True)
        yield copy


def proved(server: Server, copy: str, taken: Taken) -> Proof:
    """Read by psql, and through pipes that the server writes: both read the same."""
    environment, connect = server.environment(copy), partial(server.connect, copy)
    plain = Reader(
        runner=Runner(),
        psql=installation(server.major).program("psql"),
        conninfo=environment.conninfo,
        variables=environment.variables,
        archive=taken.archive,
    )
    by_psql, by_pipes = (
        prove_restored(connect, KEY, like=taken.proof, probes=(), jobs=2, watch=Nobody(), reader=reader)
        for reader in (plain, replace(plain, connect=connect, pipes=server.pipe))
    )
    assert by_pipes.tables == by_psql.tables
    return by_pipes


def differing(one: Proof, other: Proof) -> list[tuple[str, str]]:
    return [(each.subject, each.kind) for each in compare(one, other).differences]


def of(proof: Proof, name: str) -> Table:
    return next(table for table in proof.tables if table.name == name)


def test_tables_of_every_kind_come_back_equal_and_one_changed_value_is_found_in_each(
    server: Server, tmp_path: Path
) -> None:
    """No false alarm on any of them; and no table whose one change is not noticed under its own name."""
    with server.database(OF_EVERY_KIND) as database:
        taken = take(server, database, tmp_path)
        with restored(server, taken) as copy:
            sound = proved(server, copy, taken)
            assert differing(taken.proof, sound) == []
            assert [t.label for t in sound.tables if t.permutes] == [], "pg_restore keeps the order of rows"
            assert all(t.text and t.member for t in taken.proof.tables)
            assert [t.rows for t in taken.proof.tables] == [t.rows for t in sound.tables]
            server.run(copy, *CHANGES.values())
            changed = proved(server, copy, taken)
        assert {subject for subject, _ in differing(taken.proof, changed)} == set(CHANGES)
        assert {subject for subject, _ in differing(sound, changed)} == set(CHANGES), "as the negative control asks"


CHANGES = {
    "public.nothing": "INSERT INTO nothing DEFAULT VALUES",
    "public.empty": "INSERT INTO empty VALUES (NULL, NULL)",
    "public.computed": "UPDATE computed SET after = 'A7' WHERE id = 7",
    "public.reshaped": "UPDATE reshaped SET gone = gone + interval '1 microsecond' WHERE a = 3",
    "public.child": "UPDATE child SET late = 6",
    "public.parted_old": "UPDATE parted_old SET id = 0 WHERE id = 1",
    "public.large": "UPDATE large SET value = value || 'x' WHERE id = 2",
    "public.binary_": "UPDATE binary_ SET value = NULL WHERE value = ''",
    "public.nulls": "UPDATE nulls SET a = '' WHERE b = ''",
    "public.typed": "UPDATE typed SET f8 = 0.0 WHERE f8 = 0",
    "public.fleeting": "DELETE FROM fleeting WHERE id = 10",
    "public.many": "UPDATE many SET note = 'note 20000' WHERE id = 19999",
}


def test_rows_in_another_order_are_no_difference_and_say_so(server: Server, tmp_path: Path) -> None:
    """The lines of the dump and of the copy are compared as multisets, so order alone can't be a failure."""
    with server.database(
        "CREATE TABLE t (id int, note text); INSERT INTO t SELECT i, 'n' || i % 7 FROM generate_series(1, 5000) i"
    ) as database:
        taken = take(server, database, tmp_path)
        with restored(server, taken) as copy:
            server.run(copy, "CREATE TABLE other AS SELECT * FROM t ORDER BY id DESC", "TRUNCATE t")
            server.run(copy, "INSERT INTO t SELECT * FROM other", "DROP TABLE other")
            turned = proved(server, copy, taken)
            assert differing(taken.proof, turned) == []
            assert of(turned, "t").permutes == of(taken.proof, "t").text != of(turned, "t").text
            assert of(turned, "t").fingerprint == of(taken.proof, "t").fingerprint
            server.run(copy, "UPDATE t SET note = 'n' || (id + 1) % 7 WHERE id = 77")
            wrong = proved(server, copy, taken)
            assert differing(taken.proof, wrong) == [("public.t", "table")]
            assert differing(turned, wrong) == [("public.t", "table")], "a negative control on a turned copy"


def test_a_restore_by_sections_changes_the_order_of_rows_of_uneven_width_and_nothing_else(
    server: Server, tmp_path: Path
) -> None:
    """Data that is restored apart from its table fills the gaps in earlier pages; a drill does so to time its phases."""
    uneven = (
        "CREATE TABLE t AS SELECT i, repeat(md5(i::text), 1 + (i * 7919) % 60) AS p FROM generate_series(1, 5000) i"
    )
    with server.database(uneven) as database:
        taken = take(server, database, tmp_path)
        with restored(server, taken, sections=("pre-data", "data", "post-data")) as copy:
            back = proved(server, copy, taken)
        assert of(back, "t").permutes == of(taken.proof, "t").text
        assert differing(taken.proof, back) == []


def test_settings_of_the_source_that_change_the_text_are_no_difference(server15: Server, tmp_path: Path) -> None:
    """A zone, an escape format and a quoting rule that the database prefers; the copy prefers none of them."""
    with server15.database(
        "CREATE TABLE t (at timestamptz, raw bytea, cls regclass, iv interval);"
        r"INSERT INTO t VALUES ('2020-01-01 00:00+00', '\x00ff5c', 't', '1 day 2 hours')"
    ) as database:
        server15.run(
            database,
            *(
                f"ALTER DATABASE {database} SET {setting}"
                for setting in (
                    "timezone = 'Asia/Kathmandu'",
                    "bytea_output = 'escape'",
                    "quote_all_identifiers = on",
                    "datestyle = 'SQL, DMY'",
                    "intervalstyle = 'iso_8601'",
                    "extra_float_digits = 0",
                )
            ),
        )
        taken = take(server15, database, tmp_path)
        assert {(s.name, s.value) for s in taken.proof.session if s.scope == "text"} >= {
            ("TimeZone", "UTC"),
            ("bytea_output", "escape"),
            ("quote_all_identifiers", "on"),
        }
        with restored(server15, taken) as copy:
            found = differing(taken.proof, proved(server15, copy, taken))
        assert {kind for _, kind in found} == {"setting"}, "pg_restore alone leaves the database's settings behind"


@pytest.mark.parametrize(
    ("encoding", "value"), [("SQL_ASCII", r"'\xfffe0a5c2e'::bytea"), ("LATIN1", r"convert_to('ü©é', 'LATIN1')")]
)
def test_a_database_whose_bytes_are_not_utf_8_is_compared_as_it_is(
    server15: Server, tmp_path: Path, encoding: str, value: str
) -> None:
    like = f"ENCODING '{encoding}' LOCALE 'C'"
    with server15.database() as database:
        server15.run("postgres", f"DROP DATABASE {database}", f"CREATE DATABASE {database} TEMPLATE template0 {like}")
        server15.run(database, "CREATE TABLE t (v text)", f"INSERT INTO t SELECT convert_from({value}, '{encoding}')")
        taken = take(server15, database, tmp_path)
        with restored(server15, taken, like=like) as copy:
            assert differing(taken.proof, proved(server15, copy, taken)) == []
            server15.run(copy, "UPDATE t SET v = v || 'x'")
            assert differing(taken.proof, proved(server15, copy, taken)) == [("public.t", "table")]


def test_a_dump_with_fewer_rows_than_the_snapshot_is_a_finding_and_never_equal(
    server15: Server, tmp_path: Path
) -> None:
    """What was dumped came back exactly; the count at the snapshot says that it is not everything."""

    def filtered(archive: Path) -> None:
        member = max(archive.glob("*.dat"), key=lambda path: (path.name != "toc.dat", path.stat().st_size))
        member.write_bytes(member.read_bytes().split(b"\n", 1)[1])

    with server15.database("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 9)") as database:
        taken = take(server15, database, tmp_path, spoil=filtered)
        assert "pg_dump wrote 8 rows of public.t, which had 9 at the snapshot" in taken.proof.findings
        with restored(server15, taken) as copy:
            assert differing(taken.proof, proved(server15, copy, taken)) == [("public.t", "table")]


def test_a_dump_cut_short_or_without_a_table_gives_no_proof_that_could_pass(server15: Server, tmp_path: Path) -> None:
    def cut(archive: Path) -> None:
        member = max(archive.glob("*.dat"), key=lambda path: (path.name != "toc.dat", path.stat().st_size))
        member.write_bytes(member.read_bytes()[:-1])

    def lost(archive: Path) -> None:
        next(path for path in archive.glob("*.dat") if path.name != "toc.dat").unlink()

    with server15.database("CREATE TABLE t (id int); INSERT INTO t SELECT generate_series(1, 9)") as database:
        (tmp_path / "cut").mkdir()
        with pytest.raises(ProgramFailedError, match="does not end as pg_dump ends"):
            take(server15, database, tmp_path / "cut", spoil=cut)
        (tmp_path / "lost").mkdir()
        none = take(server15, database, tmp_path / "lost", spoil=lost).proof
        assert "the dump holds no rows of public.t, which had 9 at the snapshot" in none.findings
        assert differing(none, replace(none, side="restored")) == [("public.t", "table")], "nothing equals nothing"


def test_an_error_while_reading_stops_in_the_servers_words(server15: Server, tmp_path: Path) -> None:
    with server15.database("CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'x')") as database:
        taken = take(server15, database, tmp_path)
        with restored(server15, taken) as copy:
            like = replace(
                taken.proof, session=tuple(
                    replace(s, value="off the map") if s.name == "bytea_output" and s.scope == "text" else s
                    for s in taken.proof.session
                ),
            )  # fmt: skip
            with pytest.raises(ProgramFailedError, match=r"psql ended.*bytea_output"):
                proved(server15, copy, replace(taken, proof=like))


def test_money_under_a_locale_that_this_machine_lacks_stops_only_where_there_is_money(
    server15: Server, tmp_path: Path
) -> None:
    for column, stops in (("text", False), ("money", True)):
        folder = tmp_path / column
        folder.mkdir()
        with server15.database(f"CREATE TABLE t (v {column}); INSERT INTO t VALUES ('1.50')") as database:
            taken = take(server15, database, folder)
            session = tuple(replace(s, value="xx_XX") if s.name == "lc_monetary" else s for s in taken.proof.session)
            far = replace(taken, proof=replace(taken.proof, session=session))
            with restored(server15, taken) as copy:
                if stops:
                    with pytest.raises(ProgramFailedError, match="lc_monetary"):
                        proved(server15, copy, far)
                else:
                    assert differing(far.proof, proved(server15, copy, far)) == []


def test_an_interrupt_leaves_no_reader_behind(server15: Server, tmp_path: Path) -> None:
    """Whoever watches may raise (Ctrl-C); the psql that still read are ended with it."""

    class Interrupting:
        def phase(self, name: str) -> None:
            raise AssertionError(name)

        def progress(self, done: int, total: int, *, unit: str) -> None:
            assert (total, unit) == (2, "tables")
            assert 1 <= done <= total
            raise KeyboardInterrupt

        def say(self, text: str) -> None:
            raise AssertionError(text)

    with server15.database(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE u AS SELECT generate_series(1, 200000) AS id"
    ) as database:
        taken = take(server15, database, tmp_path)
        with restored(server15, taken) as copy:
            environment = server15.environment(copy)
            reader = Reader(
                Runner(), installation(15).program("psql"), environment.conninfo, environment.variables, taken.archive
            )
            with pytest.raises(KeyboardInterrupt):
                prove_restored(
                    partial(server15.connect, copy), KEY, like=taken.proof, probes=(), jobs=2, watch=Interrupting(),
                    reader=reader,
                )  # fmt: skip
            with server15.connect() as session:
                asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND application_name = 'psql'"
                count: psycopg.Cursor[tuple[int]] = session.execute(asked, (copy,))
                assert count.fetchall() == [(0,)]


def test_of_a_configuration_table_the_text_that_pg_dump_wrote_is_compared(server: Server, tmp_path: Path) -> None:
    """pg_extension_config_dump with a condition: pg_dump writes the rows that meet it, and so do we."""
    made = (
        "CREATE EXTENSION postgres_fdw",
        "CREATE TABLE owned (id int PRIMARY KEY, standard bool, note text)",
        "INSERT INTO owned VALUES (1, true, 'as shipped')",
        "ALTER EXTENSION postgres_fdw ADD TABLE owned",
        "SET allow_system_table_mods = on",
        "UPDATE pg_extension SET extconfig = ARRAY['public.owned'::regclass::oid] WHERE extname = 'postgres_fdw'",
        "UPDATE pg_extension SET extcondition = ARRAY['WHERE NOT standard'] WHERE extname = 'postgres_fdw'",
    )
    with server.database(*made) as database, server.database(*made) as copy:
        server.run(database, "INSERT INTO owned VALUES (7, false, 'ours'), (8, false, 'ours, too')")
        taken = take(server, database, tmp_path)
        program = str(installation(server.major).program("pg_restore"))
        words = [program, "--exit-on-error", "--data-only", "-d", server.conninfo(copy), str(taken.archive)]
        subprocess.run(words, check=True)
        server.run(copy, "UPDATE owned SET note = 'as a later version ships it' WHERE standard")
        sound = proved(server, copy, taken)
        server.run(copy, "UPDATE owned SET note = 'theirs' WHERE id = 8")
        changed = proved(server, copy, taken)
    assert (of(taken.proof, "owned").rows, of(taken.proof, "owned").uncovered) == (2, "")
    assert [each for each in differing(taken.proof, sound) if each[1] == "table"] == []
    assert [each for each in differing(taken.proof, changed) if each[1] == "table"] == [("public.owned", "table")]


def test_an_interrupt_ends_what_the_server_is_writing_into_a_pipe(server15: Server, tmp_path: Path) -> None:
    class Interrupting(Nobody):
        @override
        def progress(self, done: int, total: int, *, unit: str) -> None:
            del done, total, unit
            raise KeyboardInterrupt

    with server15.database(
        "CREATE TABLE t (id int); INSERT INTO t VALUES (1); CREATE TABLE u AS SELECT generate_series(1, 500000) AS id"
    ) as database:
        taken = take(server15, database, tmp_path)
        with restored(server15, taken) as copy:
            environment, connect = server15.environment(copy), partial(server15.connect, copy)
            reader = Reader(
                Runner(),
                Path("no-psql"),
                environment.conninfo,
                environment.variables,
                taken.archive,
                connect,
                server15.pipe,
            )
            with pytest.raises(KeyboardInterrupt):
                prove_restored(connect, KEY, like=taken.proof, probes=(), jobs=2, watch=Interrupting(), reader=reader)
            assert (
                list(
                    server15.connection.host.parent.with_name(f"{server15.connection.host.parent.name}-pipes").iterdir()
                )
                == []
            )
            with server15.connect() as session:
                asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND state = 'active'"
                count: psycopg.Cursor[tuple[int]] = session.execute(asked, (copy,))
                assert count.fetchall() == [(0,)]


def test_a_table_that_cannot_be_read_through_a_pipe_is_named(server15: Server) -> None:
    """Refused before the pipe was opened, and after half of the rows were written."""
    statements = (
        "CREATE TABLE good AS SELECT generate_series(1, 10) AS id",
        "CREATE FUNCTION spoil(i int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN IF i > 40000 THEN RAISE 'spoiled'; END IF; RETURN i; END $$",
        "CREATE VIEW half AS SELECT spoil(i) FROM generate_series(1, 50000) i",
    )
    with server15.database(*statements) as database:
        for copy, words in (("COPY gone", "does not exist"), ("COPY (SELECT * FROM half)", "spoiled")):
            heard = Heard()
            texts = [Text("public.good", "COPY good", "", heard), Text("public.bad", copy, "", Heard())]
            with pytest.raises(ProgramFailedError, match=f"cannot read the rows of public.bad: .*{words}"):
                read_texts(
                    texts,
                    connect=partial(server15.connect, database),
                    pipes=server15.pipe,
                    opening=(),
                    jobs=1,
                    told=lambda _: None,
                )
            assert heard.text == b"".join(b"%d\n" % number for number in range(1, 11))


class Heard:
    def __init__(self) -> None:
        self.text = b""

    def add(self, chunk: bytes) -> None:
        self.text += chunk


def test_rows_that_a_restore_deals_out_anew_among_partitions_are_the_same_and_a_changed_one_is_not(
    server15: Server, tmp_path: Path
) -> None:
    """By a hash of an enum, which is one of an OID; and a row that went elsewhere is found there."""
    with server15.database(
        "CREATE TYPE mood AS ENUM ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h')",
        "CREATE TABLE visit (mood mood, id int) PARTITION BY HASH (mood)",
        *(f"CREATE TABLE visit_{n} PARTITION OF visit FOR VALUES WITH (MODULUS 3, REMAINDER {n})" for n in range(3)),
        "INSERT INTO visit SELECT (enum_range(NULL::mood))[1 + i % 8], i FROM generate_series(1, 400) i",
    ) as database:
        taken = take(server15, database, tmp_path)
    with restored(server15, taken) as copy:
        back = proved(server15, copy, taken)
        assert {t.label: t.text for t in back.tables} != {t.label: t.text for t in taken.proof.tables}, "none moved"
        assert differing(taken.proof, back) == []
        server15.run(copy, "UPDATE visit SET id = 401 WHERE id = 400")
        assert differing(taken.proof, proved(server15, copy, taken)) == [("public.visit", "table")]


def test_what_a_database_sets_for_its_clients_encoding_changes_nothing(server15: Server, tmp_path: Path) -> None:
    """Not every name and value can be written in it, and those that can would be other bytes."""
    with server15.database(
        'CREATE TABLE "Währung €" (sign text)', "INSERT INTO \"Währung €\" VALUES ('€'), ('é')"
    ) as database:
        server15.run("postgres", f"ALTER DATABASE {database} SET client_encoding = 'LATIN1'")
        taken = take(server15, database, tmp_path)
    with restored(server15, taken) as copy:
        found = differing(taken.proof, proved(server15, copy, taken))
        assert found == [("database: set client_encoding", "setting")], "which nothing has applied here"
