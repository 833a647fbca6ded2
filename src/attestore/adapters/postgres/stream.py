"""Method `stream`: the digest of each table's COPY text as the dump holds it, taken while the dump is sealed.

The text of a restored table must be the same, byte by byte: the same columns in the same order, under the settings
that pg_dump spoke under. psql reads it, since it hands out blocks of many rows where a driver hands out one by one.
"""

from __future__ import annotations

import fcntl
import hashlib
import heapq
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import Signals
from types import MappingProxyType
from typing import Final, TypeVar

from attestore.adapters.durable import disk_errors
from attestore.adapters.postgres.crew import BEGIN, Crew, Question, batches
from attestore.adapters.postgres.fingerprint import origin
from attestore.adapters.postgres.piped import Hearer, Pipes, Text, read
from attestore.adapters.postgres.quoting import identifier, literal, qualified
from attestore.adapters.postgres.relations import Relation
from attestore.adapters.postgres.session import Connect, Session, ask, worded
from attestore.adapters.process import Runner, Running
from attestore.amounts import amount
from attestore.errors import ProgramFailedError
from attestore.proof import Proof, Setting, Table

__all__ = ["SPOKEN", "DumpedTexts", "Reader", "copying", "counted", "counting", "restored", "spoken"]

SPOKEN: Final[Mapping[str, str]] = MappingProxyType({"PGTZ": "UTC"})
"""what pg_dump is told of the one setting that it neither sets itself nor takes from connection, role or database"""

_TRAILER: Final = b"\\.\n\n\n"
"""what pg_dump writes behind the rows of a table in a file of a directory archive"""
_ENTRY: Final = re.compile(rb"^(\d+); \d+ (\d+) TABLE DATA ", re.MULTILINE)
_MARK: Final = b"\n\\.\n"
"""a line that no COPY text holds, since a backslash in it is always doubled or begins an escape"""
_CHUNK: Final = 1 << 20
_LONGEST_S: Final = 7 * 86_400.0
_SCOPE: Final = "text"
_MONEY: Final = "lc_monetary"
_ASKED: Final = ("bytea_output", _MONEY, "quote_all_identifiers")
"""settings that COPY text depends on and pg_dump leaves as the connection, the role or the database have them"""
_EACH: Final = 1 << 16
"""bytes that would take as long to read as the statement for one more table takes"""
_FIXED: Final = (
    ("DateStyle", "ISO"),
    ("IntervalStyle", "postgres"),
    ("extra_float_digits", "3"),
    ("synchronize_seqscans", "off"),
    ("row_security", "off"),
    ("search_path", ""),
    ("xmloption", "content"),
    ("jit", "off"),
    ("statement_timeout", "0"),
    ("lock_timeout", "0"),
)
"""what pg_dump sets itself, and what keeps a session from being ended"""


_S = TypeVar("_S", bound=Hearer)


class _Digest:
    """SHA-256 of a text, and its lines: one per row, since COPY writes a line break inside a value as an escape."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()
        self.rows = 0

    def add(self, chunk: bytes) -> None:
        self._state.update(chunk)
        self.rows += chunk.count(b"\n")

    @property
    def digest(self) -> str:
        return self._state.hexdigest()


class _Lines:
    """The multiset of a text's lines: the exact sum of their keyed digests (MSet-Add-Hash)."""

    def __init__(self, key: bytes) -> None:
        self._fresh = hashlib.blake2b(key=key, digest_size=32, person=b"attestore-lines")
        self._line = self._fresh.copy()
        self.total = 0

    def add(self, chunk: bytes) -> None:
        first, *others = chunk.split(b"\n")
        self._line.update(first)
        for piece in others:
            self.total += int.from_bytes(self._line.digest())
            self._line = self._fresh.copy()
            self._line.update(piece)


class _Member:
    """The text of a table inside a file of the archive: what stands before pg_dump's trailer."""

    def __init__(self, *sinks: Hearer) -> None:
        self._sinks = sinks
        self._tail = b""

    def add(self, chunk: bytes) -> None:
        held = len(_TRAILER)
        if len(chunk) < held:
            chunk = self._tail + chunk
        else:
            self._tell(self._tail)
        self._tell(chunk[:-held])
        self._tail = chunk[-held:]

    def end(self, name: str) -> None:
        if self._tail != _TRAILER:
            raise ProgramFailedError(
                f"{name} of the dump does not end as pg_dump ends the rows of a table",
                hint="Use --method audit, and report the version of pg_dump.",
            )

    def _tell(self, text: bytes) -> None:
        for sink in self._sinks if text else ():
            sink.add(text)


# ── the side of the dump


class DumpedTexts:
    """The rows of each table as a directory archive holds them, digested on their way; `listing` is pg_restore's."""

    def __init__(self, listing: bytes, tables: Mapping[int, tuple[str, str]]) -> None:
        self._names: dict[tuple[str, str], str] = {}
        for number, oid in _ENTRY.findall(listing):
            if (table := tables.get(int(oid))) is not None:
                self._names[table] = f"{int(number)}.dat"
        self._wanted = frozenset(self._names.values())
        self._heard: dict[str, tuple[_Member, _Digest]] = {}

    def file(self, name: str) -> Callable[[bytes], None] | None:
        """What hears the bytes of that file; None for a file that holds no table."""
        if name not in self._wanted:
            return None
        digest = _Digest()
        member = _Member(digest)
        self._heard[name] = member, digest
        return member.add

    def complete(self, proof: Proof) -> Proof:
        """The proof with each table's digest, once every file went by.

        A table whose rows the dump does not hold stays without one, which is never equal to anything; so is one of
        which the dump holds another number of rows than the snapshot. Both are findings.

        Raises:
            ProgramFailedError: a file of the dump does not end as pg_dump ends it.
        """
        tables, findings = [], []
        for table in proof.tables:
            name = self._names.get((table.schema, table.name), "")
            if table.uncovered or name not in self._heard:
                if not table.uncovered:
                    findings.append(f"the dump holds no rows of {table.label}, which had {table.rows} at the snapshot")
                tables.append(table)
                continue
            member, digest = self._heard[name]
            member.end(name)
            if digest.rows != table.rows:
                findings.append(
                    f"pg_dump wrote {amount(digest.rows, 'row')} of {table.label}, which had {table.rows} at the snapshot"
                )
            tables.append(replace(table, text=digest.digest, member=name))
        return replace(proof, tables=tuple(tables), findings=(*proof.findings, *findings))


def counting(relation: Relation) -> str:
    """The SQL that counts a table's rows."""
    return f"SELECT count(*) FROM {origin(relation)}"


def counted(crew: Crew, relations: Sequence[Relation], *, told: Callable[[int], None]) -> tuple[Table, ...]:
    """Every relation counted at the crew's snapshot, its columns in COPY's order; `told` hears how many are done.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read; its name is in the message.
    """
    owners = {
        Question(subject=relation.label, sql=counting(relation), weight=relation.size, form="count"): relation
        for relation in relations
        if not relation.uncovered
    }
    rows: dict[int, int] = {}
    for question, answer in crew.answers(batches(tuple(owners)), doing="count the rows of"):
        rows[owners[question].oid] = int(answer[0][0])
        told(len(rows))
    return tuple(_table(relation, rows=rows.get(relation.oid, 0), columns=_ordered(relation)) for relation in relations)


def spoken(leader: Session) -> tuple[Setting, ...]:
    """The settings under which pg_dump's own session writes rows, beside those that it sets itself."""
    with worded("ask for the settings of a dump"):
        told = ask(
            leader, "SELECT name, reset_val FROM pg_settings WHERE name = ANY ($1) ORDER BY name", (list(_ASKED),)
        )
    return (Setting(_SCOPE, "TimeZone", "UTC"), *(Setting(_SCOPE, str(name), str(value)) for name, value in told))


# ── the restored side


@dataclass(frozen=True, slots=True)
class Reader:
    """How the restored rows are read as text, and where those of the dump lie."""

    runner: Runner
    psql: Path
    conninfo: str
    variables: Mapping[str, str]
    archive: Path
    """the dump, as it was unsealed"""
    connect: Connect | None = None
    pipes: Pipes | None = None
    """of a server that may write pipes of ours; psql reads from any other"""


def restored(
    leader: Session, relations: Sequence[Relation], *, like: Proof, reader: Reader, scene: tuple[str, bytes, int],
    told: Callable[[int], None],
) -> tuple[Table, ...]:  # fmt: skip
    """The text of every table of the restored database, digested; `scene` is the snapshot, the key and the sessions.

    Where as many rows give another digest, the lines of both texts are compared as multisets under the key, so that
    another order of the same rows is told apart from other rows.

    Raises:
        ProgramFailedError: a table cannot be read, in the server's words.
    """
    snapshot, key, jobs = scene
    known = {(table.schema, table.name): table for table in like.tables}
    with worded("ask for the database's encoding"):
        encoding = str(ask(leader, "SELECT current_setting('server_encoding')")[0][0])
    covered = [_Wanted.of(relation, known.get((relation.schema, relation.name)), encoding) for relation in relations
               if not relation.uncovered]  # fmt: skip
    opening = _Opening(snapshot, like=like, strict=any(c.base == "money" for r in relations for c in r.columns))
    texts = _Texts(reader=reader, opening=opening, jobs=jobs)
    digests = texts.read(covered, _Digest, told=told)
    found: dict[int, Table] = {}
    unlike: list[_Wanted] = []
    moved: set[tuple[str, str]] = set()
    for wanted, digest in zip(covered, digests, strict=True):
        table = _table(wanted.relation, rows=digest.rows, columns=wanted.columns, text=digest.digest)
        found[wanted.relation.oid] = table
        source = wanted.source
        if source is None or source.text in {"", table.text}:
            continue
        if wanted.relation.through is not None:
            moved.add(wanted.relation.through)
        elif source.rows == table.rows and table.rows > 1:
            unlike.append(wanted)
    for wanted, lines in zip(unlike, texts.read(unlike, lambda: _Lines(key), told=lambda _: None), strict=True):
        if wanted.source is not None and lines.total == _archived(wanted.source, reader.archive, key):
            table = found[wanted.relation.oid]
            found[wanted.relation.oid] = replace(table, permutes=wanted.source.text)
    for root in sorted(moved):
        parts = [wanted for wanted in covered if wanted.relation.through == root]
        for wanted in parts if _same_together(texts, parts, like=like, scene=(reader.archive, key)) else ():
            table = found[wanted.relation.oid]
            found[wanted.relation.oid] = replace(table, permutes=wanted.source.text if wanted.source else "")
    return tuple(found.get(relation.oid) or _table(relation, rows=0, columns=()) for relation in relations)


def _same_together(texts: _Texts, parts: Sequence[_Wanted], *, like: Proof, scene: tuple[Path, bytes]) -> bool:
    """Whether partitions hold the lines that they held at the source, whichever of them holds which."""
    archive, key = scene
    root = parts[0].relation.through
    sources = [wanted.source for wanted in parts if wanted.source is not None and wanted.source.text]
    there = {(each.schema, each.name) for each in like.tables if each.through == root}
    # lines of other columns' order would have to be written anew
    if len(sources) < len(parts) or len({each.columns for each in sources}) > 1:
        return False
    if there - {(each.schema, each.name) for each in sources}:
        return False
    lines = texts.read(parts, lambda: _Lines(key), told=lambda _: None)
    archived = [_archived(source, archive, key) for source in sources]
    return sum(each.total for each in lines) == sum(each for each in archived if each is not None)


def copying(relation: Relation, columns: Sequence[str] | None = None, *, encoding: str) -> str:
    """The SQL that writes a table as pg_dump does; its columns in their own order unless others are given."""
    return f"{_copy(relation, _ordered(relation) if columns is None else columns)} TO STDOUT {_encoded(encoding)}"


def _copy(relation: Relation, columns: Sequence[str]) -> str:
    listed = ", ".join(map(identifier, columns))
    if relation.condition:
        return f"COPY (SELECT {listed} FROM {qualified(relation.schema, relation.name)} {relation.condition})"
    names = f" ({listed})" if columns else ""
    return f"COPY {qualified(relation.schema, relation.name)}{names}"


def _encoded(encoding: str) -> str:
    return f"(ENCODING {literal(encoding)})"


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A table to be read, as the source orders its columns where both sides have the same ones."""

    relation: Relation
    source: Table | None
    columns: tuple[str, ...]
    encoding: str

    @property
    def sql(self) -> str:
        """What psql is asked."""
        return copying(self.relation, self.columns, encoding=self.encoding)

    @classmethod
    def of(cls, relation: Relation, source: Table | None, encoding: str) -> _Wanted:
        columns = _ordered(relation)
        if source is not None and sorted(source.columns) == sorted(columns):
            columns = source.columns
        return cls(relation, source, columns, encoding)


@dataclass(frozen=True, slots=True)
class _Texts:
    """Several sessions, one snapshot: pipes that the server writes, else psql."""

    reader: Reader
    opening: _Opening
    jobs: int

    def read(self, wanted: Sequence[_Wanted], sink: Callable[[], _S], *, told: Callable[[int], None]) -> list[_S]:
        """What a new sink per table heard, in the order of the tables; `told` hears how many are done."""
        sinks = [sink() for _ in wanted]
        if self.reader.connect is not None and self.reader.pipes is not None:
            self._piped(wanted, sinks, connect=self.reader.connect, pipes=self.reader.pipes, told=told)
            return sinks
        shares = [share for share in _shares(wanted, self.jobs) if share]
        if not shares:
            return sinks
        lock, done, started = threading.Lock(), [0], list[Running]()

        def carry_out(share: list[int]) -> None:
            with self._started([wanted[number].sql for number in share]) as running:
                started.append(running)
                pipe = running.stdout.fileno()
                with suppress(OSError):  # a user has only so much; 64 KiB at a time take twice the CPU
                    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _CHUNK)
                parts = _parted(lambda: os.read(pipe, _CHUNK), [sinks[number] for number in share])
                for _ in parts:
                    with lock:
                        done[0] += 1
                        told(done[0])
                running.wait()

        with ThreadPoolExecutor(len(shares), thread_name_prefix="text") as pool:
            futures = [pool.submit(carry_out, share) for share in shares]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                for running in started:
                    running.signal(Signals.SIGTERM)
                raise
        return sinks

    def _piped(
        self,
        wanted: Sequence[_Wanted],
        sinks: Sequence[_S],
        *,
        connect: Connect,
        pipes: Pipes,
        told: Callable[[int], None],
    ) -> None:
        largest = sorted(zip(wanted, sinks, strict=True), key=lambda pair: -pair[0].relation.size)
        texts = [
            Text(each.relation.label, _copy(each.relation, each.columns), _encoded(each.encoding), sink)
            for each, sink in largest
        ]
        if texts:
            opening = self.opening.statements()
            read(texts, connect=connect, pipes=pipes, opening=opening, jobs=self.jobs, told=told)

    def _started(self, statements: Sequence[str]) -> AbstractContextManager[Running]:
        script = "".join((self.opening.script(), *(f"{statement};\n\\echo '\\\\.'\n" for statement in statements)))
        return self.reader.runner.start(
            [
                self.reader.psql,
                *("--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"),
                f"--dbname={self.reader.conninfo}",
            ],
            deadline_s=_LONGEST_S,
            env={**self.reader.variables, "PGCLIENTENCODING": "UTF8"},
            stdin=script.encode(),
        )


class _Opening:
    """How every session begins: the dump's settings, then the snapshot.

    A locale of money that this machine does not know stops it only where there is money.
    """

    def __init__(self, snapshot: str, *, like: Proof, strict: bool) -> None:
        told = [*_FIXED, *((s.name, s.value) for s in like.session if s.scope == _SCOPE and s.name != _MONEY)]
        self._money = [
            f"SET {_MONEY} = {literal(s.value)}" for s in like.session if (s.scope, s.name) == (_SCOPE, _MONEY)
        ]
        self._strict = strict
        self._rest = [
            *(f"SET {identifier(name)} = {literal(value)}" for name, value in told),
            BEGIN,
            f"SET TRANSACTION SNAPSHOT {literal(snapshot)}",
        ]

    def statements(self) -> list[str]:
        """For a session."""
        return [*(self._money if self._strict else ()), *self._rest]

    def script(self) -> str:
        """For psql."""
        money = [f"{each};" for each in self._money]
        if not self._strict:
            money = ["\\set ON_ERROR_STOP 0", *money, "\\set ON_ERROR_STOP 1"]
        return "\n".join((*money, *(f"{each};" for each in self._rest), ""))


def _shares(wanted: Sequence[_Wanted], jobs: int) -> list[list[int]]:
    """The tables, by number, shared out so that no reader has much more to read than another."""
    shares: list[list[int]] = [[] for _ in range(max(1, jobs))]
    loads = [(0, number) for number in range(len(shares))]
    for number in sorted(range(len(wanted)), key=lambda number: -wanted[number].relation.size):
        load, share = heapq.heappop(loads)
        shares[share].append(number)
        heapq.heappush(loads, (load + wanted[number].relation.size + _EACH, share))
    return shares


def _parted(read: Callable[[], bytes], sinks: Sequence[Hearer]) -> Iterator[None]:
    """Tell each sink the text of one table, and say so; a table ends with a line that is the mark alone."""
    # `at` is the first byte that nobody heard; the byte before it ends a line that was heard, or stands for one
    buffer, at = b"\n", 1
    for sink in sinks:
        while (end := buffer.find(_MARK, at - 1)) < 0:
            keep = max(at, len(buffer) - len(_MARK) + 1)
            sink.add(buffer[at:keep])
            chunk = read()
            if not chunk:
                return  # psql stopped, and its exit code says why
            buffer, at = buffer[keep - 1 :] + chunk, 1
        sink.add(buffer[at : end + 1])
        at = end + len(_MARK)
        yield


def _archived(source: Table, archive: Path, key: bytes) -> int | None:
    """The multiset of the lines of the dump's text, provided that it is the text of which the proof speaks."""
    lines, digest = _Lines(key), _Digest()
    member = _Member(lines, digest)
    path = archive / source.member
    with disk_errors(f"read {path}"), path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            member.add(chunk)
    member.end(source.member)
    return lines.total if digest.digest == source.text else None


def _ordered(relation: Relation) -> tuple[str, ...]:
    return tuple(column.name for column in sorted(relation.columns, key=lambda column: column.place))


def _table(relation: Relation, *, rows: int, columns: tuple[str, ...], text: str = "") -> Table:
    return Table(
        schema=relation.schema,
        name=relation.name,
        kind=relation.kind,
        rows=rows,
        sums=(0, 0, 0, 0),
        columns=columns,
        uncovered=relation.uncovered,
        size=relation.size,
        text=text,
        through=relation.through,
    )
