"""A proof of what a database holds, taken the same way on both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Final, TypeAlias

from attestore import canon
from attestore.adapters.postgres import (
    cells,
    computed,
    fingerprint,
    keys,
    locate,
    objects,
    placed,
    readings,
    relations,
    sequences,
    stream,
    world,
)
from attestore.adapters.postgres import probes as questions
from attestore.adapters.postgres.crew import BEGIN, Crew, gathered
from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.session import (
    Connect,
    Session,
    abandon,
    ask,
    held,
    near,
    pin,
    pinned,
    stopped,
    worded,
)
from attestore.amounts import amount
from attestore.errors import ProgramFailedError
from attestore.gate import Probe
from attestore.ports import Rest, Watcher
from attestore.proof import (
    AUDIT,
    STREAM,
    Computed,
    ForeignKey,
    Located,
    Object,
    ProbeResult,
    Proof,
    Query,
    Setting,
    Sketches,
    Table,
)

__all__ = ["INSTANT", "Moment", "prove_again", "prove_restored", "prove_source"]

INSTANT: Final = """to_char(statement_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')"""
"""SQL: when the statement began, by the server's clock"""


@dataclass(frozen=True, slots=True)
class Moment:
    """One exported snapshot, the session that holds it, and the sequences as they stood right after it."""

    leader: Session
    snapshot: str
    taken: str
    """UTC instant, by the server's clock"""
    sequences: tuple[sequences.Reached, ...]
    patience_s: int = 0
    """how long definitions wait for what somebody else has locked, as who refreshes a view does; 0 for any time"""


def prove_source(  # noqa: PLR0913  each is one decision about a proof
    moment: Moment,
    connect: Connect,
    key: bytes,
    *,
    probes: Sequence[Probe],
    jobs: int,
    watch: Watcher,
    method: str = AUDIT,
    sketches: Sketches | None = None,
    rest: Rest | None = None,
    cleared: Callable[[], None] = lambda: None,
) -> Proof:
    """What the source holds at that moment; foreign keys are listed, not checked.

    By method `stream` rows are counted only: the dump's own text is digested while it is sealed. By method `audit` a
    sketch of each table is put into `sketches`, where that is given.

    `connect` opens further pinned sessions: `jobs` of them, then one for probes; all are closed before this returns. None is
    opened before `cleared` has returned; the leader reads the definitions meanwhile. Never are more than `jobs` at work, and each of those that read tables has its `rest` between two batches.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: something cannot be read; it is named.
    """
    prover = _Prover(
        moment=moment,
        connect=connect,
        key=key,
        probes=probes,
        jobs=jobs,
        watch=watch,
        method=method,
        sketches=sketches,
        rest=rest,
        cleared=cleared,
    )
    return prover.prove("source")


def prove_restored(  # noqa: PLR0913  each is one decision about a proof
    connect: Connect,
    key: bytes,
    *,
    like: Proof,
    probes: Sequence[Probe],
    jobs: int,
    watch: Watcher,
    reader: stream.Reader | None = None,
    sketches: Sketches | None = None,
    shown: bool = False,
) -> Proof:
    """What the restored database holds, every foreign key checked and every definition unlike `like` read back.

    Rows are fingerprinted by the method of `like`; for `stream`, a `reader` of texts is needed. In tables that differ,
    the differing rows are looked for by the `sketches` of `like`, and told by their keys if those may be `shown`.

    `connect` opens autocommit sessions as superuser; they are pinned here and closed before this returns.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: something cannot be read; it is named.
    """
    with _restored_moment(connect) as (moment, opened):
        prover = _Prover(
            moment=replace(moment, sequences=sequences.read(moment.leader)),
            connect=opened,
            key=key,
            probes=probes,
            jobs=jobs,
            watch=watch,
            method=like.method,
            like=like,
            reader=reader,
            sketches=sketches,
            shown=shown,
        )
        proof = prover.prove("restored")
    # definitions are loaded and rolled back again: the one session that may write
    with held(connect()) as writer:
        pin(writer, read_only=False)
        with worded("read definitions back"):
            read = readings.read_back(writer, source=like.objects, restored=proof.objects)
    return replace(proof, readings=read)


def prove_again(  # noqa: PLR0913  each is one decision about a proof
    connect: Connect,
    key: bytes,
    *,
    like: Proof,
    earlier: Proof,
    touched: AbstractSet[tuple[str, str]],
    jobs: int,
    watch: Watcher,
    reader: stream.Reader | None = None,
    sketches: Sketches | None = None,
    shown: bool = False,
) -> tuple[Proof, int]:
    """A restored database that was proved `earlier`, and in how many tables rows were read again.

    Those are the tables that were `touched` since, those that change without a transaction's number, and new ones. All other rows, and
    what was computed or asked of rows, are taken as they were: the caller knows that nothing else was committed. Definitions
    and settings are read anew, all of them.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: something cannot be read; it is named.
    """
    with _restored_moment(connect) as (moment, opened):
        prover = _Prover(
            moment=moment,
            connect=opened,
            key=key,
            probes=(),
            jobs=jobs,
            watch=watch,
            method=like.method,
            like=like,
            reader=reader,
            sketches=sketches,
            shown=shown,
        )
        return prover.prove_again(earlier, touched=touched)


@contextmanager
def _restored_moment(connect: Connect) -> Iterator[tuple[Moment, Connect]]:
    """A snapshot of the restored database, and what opens further sessions for it: pinned, and read-only."""

    def opened() -> Session:
        session = connect()
        try:
            pin(session)
        except BaseException:
            session.close()
            raise
        return session

    with held(opened()) as leader:
        with worded("take a snapshot of the restored database"):
            ask(leader, BEGIN)
            snapshot, taken = ask(leader, f"SELECT pg_export_snapshot(), {INSTANT}")[0]
        yield Moment(leader=leader, snapshot=snapshot, taken=taken, sequences=()), opened


_Defined: TypeAlias = tuple[tuple[Object, ...], tuple[str, ...], tuple[Setting, ...]]
"""objects, findings about them, and settings of roles and the database"""


@dataclass(frozen=True, slots=True)
class _Prover:
    """One proof being taken."""

    moment: Moment
    connect: Connect
    key: bytes
    probes: Sequence[Probe]
    jobs: int
    watch: Watcher
    method: str
    like: Proof | None = None
    reader: stream.Reader | None = None
    sketches: Sketches | None = None
    shown: bool = False
    rest: Rest | None = None
    cleared: Callable[[], None] = lambda: None

    def prove(self, side: str) -> Proof:
        leader = self.moment.leader
        database, server, major, encoding = self._described()
        encodingless = encoding == "SQL_ASCII"
        with self._catalogued() as defining:
            stored = relations.read(leader)
            declared = keys.read(leader, major=major)
            with gathered(leader, self.connect, snapshot=self.moment.snapshot, size=self.jobs, rest=self.rest) as crew:
                stored, tables = self._told(crew, stored, shape=(major, encodingless), encoding=encoding)
                anew = computed.columns(crew, stored, key=self.key, shape=(major, encodingless))
                reached = sequences.feed(crew, self.moment.sequences)
                foreign = keys.check(crew, declared) if side == "restored" else keys.listed(declared)
                # at the source no matter: a restore puts each row where it belongs
                astray = placed.misplaced(crew, leader, stored) if side == "restored" else frozenset[str]()
            defined, findings, settings = defining()
        anew += self._views(shape=(major, encodingless))
        proof = Proof(
            side=side,
            database=database,
            server=server,
            taken=self.moment.taken,
            method=self.method,
            key_commitment=canon.domain_digest("fingerprint-key", self.key),
            session=(*pinned(leader), *self._spoken()),
            tables=tables,
            objects=placed.marked(defined, astray),
            foreign_keys=foreign,
            sequences=reached,
            probes=self._asked(),
            settings=settings,
            queries=_queries(stored, declared, encoding=encoding, method=self.method, handed=near(leader)),
            findings=(*findings, *sequences.behind(reached), *_unvalidated(foreign), *_overheard(leader)),
            computed=anew,
            asked=objects.classes(leader.info.server_version),
        )
        return replace(proof, located=self._located(proof, stored, shape=(major, encodingless)))

    def prove_again(self, earlier: Proof, *, touched: AbstractSet[tuple[str, str]]) -> tuple[Proof, int]:
        leader = self.moment.leader
        _, _, major, encoding = self._described()
        shape = major, encoding == "SQL_ASCII"
        there = relations.names(leader)
        known = {(table.schema, table.name): table for table in earlier.tables}
        looked = relations.read(
            leader,
            among=[
                each.oid
                for each in there
                if each.unnumbered or (each.schema, each.name) not in known or (each.schema, each.name) in touched
            ],
        )
        with gathered(leader, self.connect, snapshot=self.moment.snapshot, size=min(self.jobs, len(looked))) as crew:
            _, tables = self._told(crew, looked, shape=shape, encoding=encoding)
        with ExitStack() as stack:
            # rows are few here, so the definitions have all the sessions
            beside = [stack.enter_context(self._scribe()) for _ in range(self.jobs - 1)]
            defined, _, settings = _defined(leader, self.key, beside=beside)
        astray = {each.identity for each in earlier.objects if each.state == placed.MISPLACED}
        seen = {(table.schema, table.name): table for table in tables}
        now = [seen.get(place) or known[place] for place in ((each.schema, each.name) for each in there)]
        proof = replace(
            earlier,
            taken=self.moment.taken,
            tables=tuple(now),
            objects=placed.marked(defined, astray),
            settings=settings,
            behaviour=None,
            located=self._located(replace(earlier, tables=tables), looked, shape=shape),
        )
        return proof, len(looked)

    def _described(self) -> tuple[str, str, int, str]:
        """Database, server's version, its major, encoding."""
        with worded("describe the database"):
            database, server, number, encoding = ask(
                self.moment.leader,
                "SELECT current_database(), current_setting('server_version'),"
                " current_setting('server_version_num')::int4, current_setting('server_encoding')",
            )[0]
        return str(database), str(server), int(number) // 10_000, str(encoding)

    @contextmanager
    def _catalogued(self) -> Iterator[Callable[[], _Defined]]:
        """The definitions, read by a session of their own while rows are read.

        At the source by the leader, first: whoever waits there for an exclusive lock would stop any other session, and
        a dump keeps the server busy as it is.
        """
        if self.like is None:
            with _defining(self.moment.leader, self.key, patience_s=self.moment.patience_s) as defined:
                self.cleared()
                read = defined()
            yield lambda: read
            return
        with self._scribe() as scribe, _defining(scribe, self.key) as defined:
            yield defined

    @contextmanager
    def _scribe(self) -> Iterator[Session]:
        """A session of its own at the same snapshot, which reads the catalogue."""
        with held(self.connect()) as scribe:
            with worded("read the definitions"):
                ask(scribe, BEGIN)
                ask(scribe, f"SET TRANSACTION SNAPSHOT {literal(self.moment.snapshot)}")
            yield scribe

    def _located(
        self, proof: Proof, stored: Sequence[relations.Relation], *, shape: tuple[int, bool]
    ) -> tuple[Located, ...]:
        """Sessions are asked for only where something differs: most drills need none of it."""
        if (
            self.like is None
            or self.sketches is None
            or self.method != AUDIT
            or {t.label: t.sums for t in self.like.tables} == {t.label: t.sums for t in proof.tables}
        ):
            return ()
        # of rows that may have moved between partitions, those of one partition are not a part of the others
        stored = [each for each in stored if each.through is None]
        wanted = locate.Wanted(self.sketches, self.key, shown=self.shown)
        with gathered(self.moment.leader, self.connect, snapshot=self.moment.snapshot, size=self.jobs) as crew:
            return locate.find(crew, stored, sides=(self.like, proof), wanted=wanted, shape=shape)

    def _told(
        self, crew: Crew, stored: Sequence[relations.Relation], *, shape: tuple[int, bool], encoding: str
    ) -> tuple[tuple[relations.Relation, ...], tuple[Table, ...]]:
        """Every table, and how it was told: the restored side follows the source, which decides where it must."""
        if self.like is not None:
            wide = {(table.schema, table.name): table.wide for table in self.like.tables}
            followed = tuple(replace(each, wide=wide.get((each.schema, each.name), "")) for each in stored)
            return followed, self._tables(crew, followed, shape=shape)
        refused: list[relations.Relation] = []
        tables = self._tables(crew, stored, shape=shape, refused=refused.append)
        if not refused:
            return tuple(stored), tables
        widened = {each.oid: replace(each, wide=encoding) for each in refused}
        tables += self._tables(crew, tuple(widened.values()), shape=shape)
        return tuple(widened.get(each.oid, each) for each in stored), tables

    def _tables(
        self,
        crew: Crew,
        stored: Sequence[relations.Relation],
        *,
        shape: tuple[int, bool],
        refused: Callable[[relations.Relation], None] | None = None,
    ) -> tuple[Table, ...]:
        covered = sum(not relation.uncovered for relation in stored)

        def told(done: int) -> None:
            self.watch.progress(done, covered, unit="tables")

        if self.method != STREAM and self.like is None and self.sketches is not None:
            return cells.take(
                crew, stored, key=self.key, shape=shape, told=told, sketches=self.sketches, refused=refused
            )
        if self.method != STREAM:
            return fingerprint.take(crew, stored, key=self.key, shape=shape, told=told, refused=refused)
        if self.like is None:
            return stream.counted(crew, stored, told=told)
        if self.reader is None:
            raise ProgramFailedError(
                "the backup's proof is of method stream, and nothing here can read the restored rows as text",
                hint="Install psql beside pg_restore.",
            )
        scene = self.moment.snapshot, self.key, self.jobs
        return stream.restored(self.moment.leader, stored, like=self.like, reader=self.reader, scene=scene, told=told)

    def _views(self, *, shape: tuple[int, bool]) -> tuple[Computed, ...]:
        stored = relations.views(self.moment.leader)
        if not stored:
            return ()
        with held(self.connect()) as session:
            return computed.views(session, stored, key=self.key, shape=shape, snapshot=self.moment.snapshot)

    def _spoken(self) -> tuple[Setting, ...]:
        """Method `stream`: the settings of the dump's own session, on both sides."""
        if self.method != STREAM:
            return ()
        if self.like is None:
            return stream.spoken(self.moment.leader)
        return tuple(each for each in self.like.session if each.scope == "text")

    def _asked(self) -> tuple[ProbeResult, ...]:
        if not self.probes:
            return ()
        with held(self.connect()) as session:
            return questions.answer(
                session, self.probes, leader=self.moment.leader, snapshot=self.moment.snapshot, key=self.key
            )


@contextmanager
def _defining(session: Session, key: bytes, *, patience_s: int = 0) -> Iterator[Callable[[], _Defined]]:
    """The definitions, being read by that session beside the block."""
    with ThreadPoolExecutor(1, thread_name_prefix="definitions") as pool:
        reading = pool.submit(_defined, session, key, patience_s=patience_s)
        try:
            yield reading.result
        except BaseException:
            stopped(reading, partial(abandon, session))
            raise


def _defined(session: Session, key: bytes, *, beside: Sequence[Session] = (), patience_s: int = 0) -> _Defined:
    with worded("read the definitions"):
        ask(session, f"SET LOCAL lock_timeout = '{patience_s}s'")
        defined, findings = objects.read(session, key=key, beside=beside)
        told = defined, findings, world.settings(session)
        # a proof tells what its session was pinned to
        ask(session, "SET LOCAL lock_timeout = 0")
        return told


def _unvalidated(foreign: Sequence[ForeignKey]) -> tuple[str, ...]:
    """Orphans that the source's own catalogue never ruled out came with the source."""
    return tuple(
        f"foreign key {key.name} of {key.table} is NOT VALID and leaves {amount(key.orphans, 'row')} without a parent in {key.references}"
        for key in foreign
        if key.orphans and not key.validated
    )


def _overheard(leader: Session) -> tuple[str, ...]:
    """Whether the fingerprint key may have been written to the server's log."""
    with worded("look whether statements are logged"):
        logged = ask(
            leader,
            "SELECT current_setting('log_parameter_max_length') <> '0' AND (current_setting('log_statement') = 'all'"
            " OR current_setting('log_duration') = 'on' OR current_setting('log_min_duration_statement') <> '-1'"
            " OR current_setting('log_min_duration_sample') <> '-1')",
        )[0][0]
    if not logged:
        return ()
    told = (
        "the server logs statements with their parameters, so its log may hold the fingerprint key;"
        " log_parameter_max_length = 0 for this role prevents it"
    )
    return (told,)


def _queries(
    stored: Sequence[relations.Relation], declared: Sequence[keys.Key], *, encoding: str, method: str, handed: bool
) -> tuple[Query, ...]:
    """What was executed, one example per kind."""
    covered = [relation for relation in stored if not relation.uncovered]
    queries = [Query("tables", relations.LISTING), Query("sequences", sequences.LISTING)]
    if covered:
        largest = max(covered, key=lambda relation: relation.size)
        if method == STREAM:
            queries += [
                Query(f"rows of {largest.label} at the source", stream.counting(largest)),
                Query(f"text of {largest.label}", stream.copying(largest, encoding=encoding)),
            ]
        else:
            asked = fingerprint.statement(largest, encodingless=encoding == "SQL_ASCII")
            queries.append(Query(f"fingerprint of {largest.label}", asked))
            if handed:
                named = f"the same where Attestore adds the words up: digests of the rows of {largest.label}"
                queries.append(Query(named, fingerprint.digesting(largest, encodingless=encoding == "SQL_ASCII")))
            queries += (
                Query(
                    f"fingerprint of {each.label}, whose rows exceed 1 GB: long values digested one by one",
                    fingerprint.statement(each, encodingless=encoding == "SQL_ASCII"),
                )
                for each in covered
                if each.wide and each is not largest
            )
    if declared:
        heaviest = max(declared, key=lambda key: key.weight)
        queries.append(Query(f"orphans of {heaviest.label}", keys.orphans(heaviest)))
    return tuple(queries)
