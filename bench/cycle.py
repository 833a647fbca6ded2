"""The whole cycle beside what people do by hand: the bare pipeline, which proves nothing, and the classic script."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from turns import Spent, compared, timed, turns
from world import attestore, mebibytes, postmaster, serving, table

from attestore.adapters.gallery import database as gallery
from attestore.adapters.postgres.cluster import Connection, scratch_settings
from attestore.adapters.postgres.programs import Installation

__all__ = ["measure", "shop"]

_JOBS = 2
_GALLERY = 200
"""times 7,305 rows are the 1.46 million that the ratios are owed for"""
_SHOP = 1_460_000
_BY_HAND = "by hand"
_CLASSIC = "classic"
_OWED = f"Owed are 1.25 × of `{_BY_HAND}` and 0.33 × of `{_CLASSIC}`."


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """All ways take turns, on a gallery of ten tables and on a shop whose largest table has 70 % of all rows."""
    told = []
    only = os.environ.get("BENCH_ONLY", "")
    for name, fill in (("gallery", _gallery), ("shop", shop)):
        if only not in {"", name}:
            continue
        here = folder / name
        here.mkdir()
        here.chmod(0o711)
        with _World.made(installation, here) as world:
            held = fill(world.source, scale)
            world.cycle("stream")  # makes keys and the configuration, which stay
            took = turns(world.ways(), int(os.environ.get("BENCH_ROUNDS", "3")))
        head = ("way", "wall", "processors", "by hand ×", "processors ×", "classic ×", "processors ×")
        told.append(f"### {name}, {held}\n\n{table(head, compared(took, (_BY_HAND, _CLASSIC)))}")
        shutil.rmtree(here, ignore_errors=True)
    return "\n\n".join(told) + (
        f"\n\n{_OWED} Medians; ratios are medians of the pairs of one round, with the least and the greatest.\n"
        f"`{_BY_HAND}`: `pg_dump -Fd -j{_JOBS}`, `tar | gpg` to a public key, `cp`, `gpg -d | tar x`, `pg_restore -j{_JOBS}` into "
        "a server that runs already with the settings of the isolated one. No proof, no statistics, no report.\n"
        f"`{_CLASSIC}`: `md5(string_agg(md5(t::text), '' ORDER BY …))` of each table, `pg_dump -Fc -Z9`, gpg's defaults, `cp`, "
        "`gpg -d`, `pg_restore` without `-j` into the same server, the digests again and compared.\n"
        "`audit` and `stream`: `attestore run --gate S9-PROD-004`, from the order to the exit of the process: both proofs, keys, "
        "sealing, store and every byte read back, initdb, restore, statistics, trials, negative control, reports and signatures. "
        "Processors: seconds of all processes of either way, servers included."
    )


class _World:
    """A filled source, an empty target with the isolated server's settings, and somebody's keyring."""

    def __init__(self, source: Connection, target: Connection, installation: Installation, folder: Path) -> None:
        self.source = source
        self._target = target
        self._installation = installation
        self._folder = folder
        self._pids = tuple(postmaster(each) for each in (source, target))
        self._gpg = folder / "gpg"
        self._gpg.mkdir(mode=0o700)
        self._shell("gpg --batch --quiet --passphrase '' --quick-generate-key bench@example.com rsa3072 encrypt never")

    @classmethod
    @contextmanager
    def made(cls, installation: Installation, folder: Path) -> Iterator[_World]:
        """All of it for a block; fsync is off on both servers."""
        settings = {name: str(value) for name, value in scratch_settings(_JOBS).items()}
        with serving(installation, folder) as source, serving(installation, folder, **settings) as target:
            world = cls(source, target, installation, folder)
            try:
                yield world
            finally:
                world._shell("gpgconf --kill gpg-agent")

    def ways(self) -> dict[str, Callable[[], Spent]]:
        """Everything that is compared, by its name."""
        hands = {_BY_HAND: self._bare, _CLASSIC: self._classic}
        return {name: partial(self._by_hand, work) for name, work in hands.items()} | {
            method: partial(self.cycle, method) for method in ("audit", "stream")
        }

    def _by_hand(self, work: Callable[[str], None]) -> Spent:
        with self._target.on("postgres").connect() as session:
            session.execute(b"DROP DATABASE IF EXISTS copy")
        (self._folder / "hand").mkdir()
        try:
            return timed(partial(work, shlex.quote(self._target.on("copy").conninfo)), servers=self._pids)
        finally:
            shutil.rmtree(self._folder / "hand")

    def _bare(self, copy: str) -> None:
        self._shell(f"{self._program('pg_dump')} -Fd -j{_JOBS} -f dump -d {self._from}")
        self._shell("tar cf - dump | gpg --batch -q --trust-model always -r bench@example.com -e > dump.tar.gpg")
        self._shell("cp dump.tar.gpg stored.gpg && rm -r dump dump.tar.gpg && cp stored.gpg fetched.gpg")
        self._shell("gpg --batch -q -d fetched.gpg | tar xf -")
        self._shell(f"{self._program('psql')} -qXc 'CREATE DATABASE copy TEMPLATE template0' -d {self._host}")
        self._shell(f"{self._program('pg_restore')} -j{_JOBS} -d {copy} dump")

    def _classic(self, copy: str) -> None:
        tables = self._tables()
        before = [self._digest(each, self._from) for each in tables]
        self._shell(f"{self._program('pg_dump')} -Fc -Z9 -f dump -d {self._from}")
        self._shell("gpg --batch -q --trust-model always -r bench@example.com -e dump")
        self._shell("cp dump.gpg stored.gpg && rm dump dump.gpg && cp stored.gpg fetched.gpg")
        self._shell("gpg --batch -q -o dump -d fetched.gpg")
        self._shell(f"{self._program('psql')} -qXc 'CREATE DATABASE copy TEMPLATE template0' -d {self._host}")
        self._shell(f"{self._program('pg_restore')} -d {copy} dump")
        if before != [self._digest(each, copy) for each in tables]:
            raise RuntimeError("the classic script found a difference")

    def _tables(self) -> list[tuple[str, str]]:
        with self.source.connect() as session:
            found = session.execute(
                b"SELECT c.oid::regclass::text, (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum)"
                b" FROM pg_attribute a WHERE a.attrelid = c.oid AND attnum = ANY (i.indkey)) FROM pg_class c"
                b" JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary"
                b" WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            ).fetchall()
        return [(str(name), str(key)) for name, key in found]

    def _digest(self, of: tuple[str, str], where: str) -> str:
        name, key = of
        asked = f"SELECT md5(string_agg(md5(t::text), '' ORDER BY {key})) FROM {name} t"
        return self._shell(f"{self._program('psql')} -qXAtc {shlex.quote(asked)} -d {where}")

    def cycle(self, method: str) -> Spent:
        """One whole run by our programme, whose backup is removed then."""
        words = ("--source", self.source.conninfo, "--method", method, "--gate", "S9-PROD-004", "--system", "bench")

        def work() -> None:
            done = attestore(self._folder, self._installation, "run", *words)
            if done.result["outcome"] != "PASS":
                raise RuntimeError(f"the cycle did not pass: {done.result}")

        spent = timed(work, servers=self._pids)
        for part in (self._folder / ".attestore" / "store").rglob("*.gpg"):
            part.unlink()
        return spent

    def _program(self, name: str) -> str:
        return shlex.quote(str(self._installation.program(name)))

    @property
    def _from(self) -> str:
        return shlex.quote(self.source.conninfo)

    @property
    def _host(self) -> str:
        return shlex.quote(self._target.on("postgres").conninfo)

    def _shell(self, words: str) -> str:
        """What a line of bash writes; it is bash's own `pipefail` that notices a programme that fails in the middle."""
        here = self._folder / "hand"
        done = subprocess.run(
            ["/bin/bash", "-euo", "pipefail", "-c", words],
            cwd=here if here.exists() else self._folder,
            env={**os.environ, "GNUPGHOME": str(self._gpg)},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return done.stdout.strip()


def _gallery(source: Connection, scale: float) -> str:
    """The demo's system: ten tables, the largest with 30 % of all rows."""
    gallery.create(source.conninfo, scale=max(1, round(_GALLERY * scale)))
    return _held(source)


def shop(source: Connection, scale: float) -> str:
    """Six tables with keys, the order lines with 70 % of all rows."""
    rows = _SHOP * scale
    counts = {name: max(10, int(rows * part)) for name, part in _SHARES.items()}
    with source.connect() as session:
        session.execute(_SHOP_SQL.format(**counts).encode())
        session.execute(b"VACUUM ANALYZE")
    return _held(source)


_SHARES = {"customers": 0.06, "products": 0.01, "orders": 0.13, "lines": 0.7, "payments": 0.09, "notes": 0.01}
_SHOP_SQL = """
CREATE TABLE customers (id bigint PRIMARY KEY, email text NOT NULL UNIQUE, name text NOT NULL, since timestamptz NOT NULL,
    about jsonb NOT NULL);
CREATE TABLE products (id bigint PRIMARY KEY, code text NOT NULL UNIQUE, title text NOT NULL, price numeric(10, 2) NOT NULL
    CHECK (price > 0), description text);
CREATE TABLE orders (id bigint PRIMARY KEY, customer bigint NOT NULL REFERENCES customers, placed timestamptz NOT NULL,
    state text NOT NULL, address text NOT NULL);
CREATE TABLE lines (id bigint PRIMARY KEY, "order" bigint NOT NULL REFERENCES orders, product bigint NOT NULL REFERENCES
    products, pieces int NOT NULL CHECK (pieces > 0), price numeric(10, 2) NOT NULL, note text);
CREATE TABLE payments (id bigint PRIMARY KEY, "order" bigint NOT NULL REFERENCES orders, paid timestamptz, amount
    numeric(12, 2) NOT NULL, reference uuid NOT NULL UNIQUE);
CREATE TABLE notes (id bigint PRIMARY KEY, customer bigint REFERENCES customers, words text NOT NULL);
INSERT INTO customers SELECT i, 'c' || i || '@example.com', 'Customer ' || md5(i::text), '2015-01-01'::timestamptz
    + i * interval '37 minutes', jsonb_build_object('city', left(md5(i::text), 8), 'points', i % 1000)
    FROM generate_series(1, {customers}::bigint) i;
INSERT INTO products SELECT i, 'P' || i, 'Product ' || md5(i::text), 1 + (i % 9000) / 100.0, repeat(md5((i + 7)::text), 12)
    FROM generate_series(1, {products}::bigint) i;
INSERT INTO orders SELECT i, 1 + (i * 7919) % {customers}, '2020-01-01'::timestamptz + i * interval '11 minutes',
    (ARRAY['new', 'paid', 'sent', 'back'])[1 + i % 4], md5(i::text) || ' Street ' || i % 100
    FROM generate_series(1, {orders}::bigint) i;
INSERT INTO lines SELECT i, 1 + (i * 104729) % {orders}, 1 + (i * 7919) % {products}, 1 + i % 5, 1 + (i % 9000) / 100.0,
    CASE WHEN i % 5 = 0 THEN 'gift for ' || md5(i::text) END FROM generate_series(1, {lines}::bigint) i;
INSERT INTO payments SELECT i, 1 + (i * 7919) % {orders}, '2020-01-02'::timestamptz + i * interval '13 minutes',
    1 + (i % 90000) / 100.0, md5(i::text)::uuid FROM generate_series(1, {payments}::bigint) i;
INSERT INTO notes SELECT i, 1 + (i * 31) % {customers}, repeat(md5(i::text) || ' ', 20) FROM generate_series(1, {notes}::bigint) i;
CREATE INDEX ON orders (customer);
CREATE INDEX ON orders (placed);
CREATE INDEX ON lines ("order");
CREATE INDEX ON lines (product);
CREATE INDEX ON payments ("order");
CREATE INDEX ON notes (customer);
"""


def _held(source: Connection) -> str:
    with source.connect() as session:
        size = session.execute(b"SELECT pg_database_size(current_database())").fetchone()
        names = [
            str(row[0])
            for row in session.execute(
                b"SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            )
        ]
        rows = sum((session.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() or (0,))[0] for name in names)
    return f"{rows:,} rows in {len(names)} tables, {mebibytes(size[0] if size else 0)}"
