"""A whole world in memory: every port answered, and what breaks is a constructor argument."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from typing_extensions import override

from attestore import canon, proof, resources
from attestore.config import Key, Roster
from attestore.config import Person as Somebody
from attestore.errors import ContendedError, Error, StoreError, TamperedError
from attestore.evidence import Locale, PartRecord, Person
from attestore.gate import Probe
from attestore.ports import (
    Again,
    Attachment,
    FetchedPart,
    Form,
    Hear,
    Inspected,
    Kept,
    Look,
    Page,
    Plain,
    Planted,
    Restored,
    SealedPart,
    Seals,
    Section,
    Signed,
    SourceFacts,
    StoredPart,
    Tap,
    Towards,
    Unfinished,
    Watcher,
)
from attestore.proof import Proof
from attestore.proof.sketch import Sketch
from attestore.report import load_templates
from attestore.run import Drilling, Making, NamedStore, Tools

FINGERPRINT = "A" * 40
STRANGER = "B" * 40


class FakeClock:
    """Every look at the clock moves it on by one millisecond."""

    def __init__(self, start: datetime = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)) -> None:
        self.start = start
        self.ticks = 0

    def now(self) -> datetime:
        self.ticks += 1
        return self.start + timedelta(milliseconds=self.ticks)

    def tick(self) -> int:
        self.ticks += 1
        return self.ticks


class FakeEntropy:
    def __init__(self) -> None:
        self.drawn = 0

    def token(self, size: int) -> bytes:
        self.drawn += 1
        return hashlib.sha256(str(self.drawn).encode()).digest()[:size]


class FakeWatcher:
    """Notes the phases; can break the run as one begins."""

    def __init__(self, *, breaks_in: str = "", error: Error | None = None) -> None:
        self.phases: list[str] = []
        self.said: list[str] = []
        self._breaks_in = breaks_in
        self._error = error

    def phase(self, name: str) -> None:
        self.phases.append(name)
        if name == self._breaks_in and self._error is not None:
            raise self._error

    def progress(self, done: int, total: int, *, unit: str) -> None:
        assert 0 <= done <= total, unit

    def say(self, text: str) -> None:
        assert text
        self.said.append(text)


class KilledError(BaseException):
    """As a SIGKILL would: no handler of the family sees it."""


class Killing:
    """A watcher that ends the process's work when a phase begins."""

    def __init__(self, phase: str) -> None:
        self._phase = phase

    def phase(self, name: str) -> None:
        if name == self._phase:
            raise KilledError

    def progress(self, done: int, total: int, *, unit: str) -> None:
        assert done <= total, unit

    def say(self, text: str) -> None:
        assert text


@dataclass
class FakeDatabase:
    """What a database holds: rows by table, and the indexes beside them."""

    tables: dict[str, list[str]]
    indexes: list[str]
    answers: dict[str, list[str]] = field(default_factory=dict)

    def copy(self) -> FakeDatabase:
        return FakeDatabase({name: list(rows) for name, rows in self.tables.items()}, list(self.indexes))

    def prove(self, side: str, key: bytes, probes: Sequence[Probe], *, method: str = "audit") -> Proof:
        return Proof(
            side=side,
            database="gallery",
            server="18.0",
            taken="2026-03-01T02:00:00.000Z",
            method=method,
            key_commitment=canon.domain_digest("fingerprint-key", key),
            session=(),
            tables=tuple(_table(name, rows, key, method) for name, rows in self.tables.items()),
            objects=tuple(proof.Object("index", name, f"CREATE INDEX {name}", "valid") for name in self.indexes),
            foreign_keys=(),
            sequences=(),
            probes=tuple(proof.ProbeResult(p.id, self._count(p.sql), self._answer(key, p.sql), p.sql) for p in probes),
            settings=(),
        )

    def _count(self, sql: str) -> int:
        return len(self.tables.get(sql, []))

    def _answer(self, key: bytes, sql: str) -> str:
        return canon.domain_digest("probe", key, *(row.encode() for row in self.tables.get(sql, [])))


def _table(name: str, rows: Sequence[str], key: bytes, method: str) -> proof.Table:
    if method == proof.STREAM:
        return proof.Table("public", name, "table", len(rows), (0, 0, 0, 0), text=_text(rows))
    return proof.Table(schema="public", name=name, kind="table", rows=len(rows), sums=_sums(key, rows))


def _text(rows: Sequence[str]) -> str:
    return canon.sha256_hex("\n".join(rows).encode())


def _sums(key: bytes, rows: Sequence[str]) -> tuple[int, int, int, int]:
    digests = [hashlib.sha256(key + row.encode()).digest() for row in rows]
    first, second, third, fourth = (
        sum(int.from_bytes(digest[at : at + 8], signed=True) for digest in digests) for at in (0, 8, 16, 24)
    )
    return first, second, third, fourth


FACTS = SourceFacts(
    database="gallery",
    user="gallery",
    version="18.0",
    major=18,
    identifier="7000000000000000001",
    size=1_000_000,
    locale=Locale("UTF8", "libc", "C", "C", ""),
    extensions=(("plpgsql", "1.0"),),
    tables=2,
    superuser=True,
)


class FakeSource:
    def __init__(self, database: FakeDatabase, *, problems: tuple[Error, ...], unreachable: Error | None) -> None:
        self._database = database
        self._problems = problems
        self._unreachable = unreachable

    def describe(self) -> SourceFacts:
        if self._unreachable is not None:
            raise self._unreachable
        return FACTS

    def problems(self) -> tuple[Error, ...]:
        return self._problems

    def looks(self) -> tuple[Look, ...]:
        return (Look("source", "reachable", "memory"), Look("source", "tables readable", "3 tables", self._problems))

    @contextmanager
    def snapshot(self) -> Iterator[FakeSnapshot]:
        yield FakeSnapshot(self._database)


class FakeSnapshot:
    name = "00000003-1"
    taken = "2026-03-01T02:00:00.000Z"
    lsn = "0/16B3748"
    encoding = "UTF8"

    def __init__(self, database: FakeDatabase) -> None:
        self.database = database

    def prove(  # noqa: PLR0913  the port's
        self,
        key: bytes,
        *,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        method: str = "audit",
        sketches: proof.Sketches | None = None,
        cleared: Callable[[], None] = lambda: None,
    ) -> Proof:
        assert sketches is not None
        cleared()
        for name in self.database.tables if method == "audit" else ():
            sketches.keep(Sketch("public", name, 31, (), integral=False, cells={}))
        watch.progress(jobs, jobs, unit="tables")
        seen = self.database.prove("source", key, probes, method=method)
        return replace(seen, tables=tuple(replace(table, text="") for table in seen.tables))

    def awaited(self) -> bool:
        return False

    def kept(self) -> None:
        return None

    def tables(self) -> Mapping[int, tuple[str, str]]:
        return {number: ("public", name) for number, name in enumerate(self.database.tables)}

    def globals(self) -> bytes:
        return b"{}"


class FakeDumper:
    version = "pg_dump 18.0"
    major = 18

    def __init__(self, *, rots: bool, contended: int, late: bool) -> None:
        self._rots = rots
        self._contended = contended
        self._late = late
        self.begun = 0
        self.form = Form.FOLDER

    @contextmanager
    def dumping(self, snapshot: object, into: Path, *, jobs: int, form: Form = Form.FOLDER) -> Iterator[FakeDumping]:
        assert isinstance(snapshot, FakeSnapshot)
        assert jobs > 0
        self.form = form
        held = snapshot.database.copy()
        if self._rots:
            table = next(name for name, rows in held.tables.items() if rows)
            held.tables[table][0] += " (rotten)"
        self.begun += 1
        yield FakeDumping(held, into / "archive", contended=self.begun <= self._contended, late=self._late)

    def texts(self, archive: Plain, snapshot: object) -> FakeTexts:
        assert isinstance(snapshot, FakeSnapshot)
        return FakeTexts(archive.name)


class FakeTexts:
    """Digests rows as the archive's one file tells them on its way into the sealer, and not before."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._heard = b""

    def file(self, name: str) -> Callable[[bytes], None] | None:
        return self._hear if name == self._name else None

    def _hear(self, chunk: bytes) -> None:
        self._heard += chunk

    def complete(self, seen: Proof) -> Proof:
        held = json.loads(self._heard)["tables"]
        return replace(seen, tables=tuple(replace(t, text=_text(held[t.name])) for t in seen.tables))


class FakeDumping:
    """Goes on at once; can find somebody in the queue, at the beginning or at the end."""

    def __init__(self, held: FakeDatabase, path: Path, *, contended: bool, late: bool) -> None:
        self._held = held
        self._path = path
        self._contended = contended
        self._late = late

    def locked(self) -> None:
        if self._contended and not self._late:
            raise ContendedError("somebody waits for an exclusive lock")

    def finish(self) -> Plain:
        self._path.write_text(json.dumps({"tables": self._held.tables, "indexes": self._held.indexes}))
        if self._contended:
            raise ContendedError("somebody waits for an exclusive lock")
        return Plain(self._path)


class FakeSealer:
    """Seals by turning every byte over, which is enough to tell plain from sealed."""

    version = "fake 1"
    recipients = ("C" * 40,)
    alone = ""

    def __init__(self, *, seals: Seals, problems: tuple[Error, ...]) -> None:
        self._seals = seals
        self._problems = problems
        self.opening: dict[str, bytearray] = {}
        """what is heard of parts that are being fetched"""
        self.opened_ahead: list[str] = []

    def problems(self, *, decrypting: bool) -> tuple[Error, ...]:
        return self._problems if decrypting else ()

    def seal(
        self, plain: Plain, *, role: str, into: Path, tap: Tap | None = None, towards: Towards | None = None
    ) -> SealedPart:
        data = plain.read_bytes()
        if tap is not None and (told := tap.file(plain.name)) is not None:
            told(data)
        sealed = bytes(255 - byte for byte in data)
        path = into / f"{role}.sealed"
        path.write_bytes(sealed)
        if towards is not None:
            towards(path, len(sealed))(sealed)
        record = PartRecord(
            role=role,
            name=path.name,
            size=len(sealed),
            digest=canon.sha256_hex(sealed),
            plain_size=len(data),
            plain_digest=canon.sha256_hex(data),
        )
        return SealedPart(record=record, path=path)

    def unseal(self, part: FetchedPart, *, into: Path) -> Plain:
        sealed = part.path.read_bytes()
        if bytes(self.opening.pop(part.record.name, b"")) == sealed:
            self.opened_ahead.append(part.record.name)
        data = bytes(255 - byte for byte in sealed)
        if canon.sha256_hex(data) != part.record.plain_digest:
            raise TamperedError(f"{part.record.name} decrypts to something else")
        path = into / f"{part.record.role}.plain"
        path.write_bytes(data)
        return Plain(path)

    @contextmanager
    def ahead(self, record: PartRecord, *, into: Path) -> Iterator[Hear]:
        assert into.is_dir()
        heard = self.opening[record.name] = bytearray()
        try:
            yield heard.extend
        finally:
            self.opening.pop(record.name, None)

    def inspect(self, part: FetchedPart, *, allowed: tuple[str, ...] = ()) -> Seals:
        assert part.intact
        assert allowed == self.recipients
        return self._seals

    def refused(self, part: FetchedPart) -> bool:
        return part.intact


class FakeStore:
    """Keeps objects in a dictionary; `rots` flips a bit of every archive after it was read back."""

    location = "memory"

    def __init__(self, *, rots: bool, lies: bool, problems: tuple[Error, ...]) -> None:
        self.objects: dict[str, bytes] = {}
        self.locks: dict[str, Kept] = {}
        self.lock = Kept()
        self.leftovers: list[Unfinished] = []
        self.ahead_of: dict[str, bytearray] = {}
        """what travels ahead at this moment"""
        self.heard: list[str] = []
        """keys of whatever travelled ahead"""
        self.travelled: set[str] = set()
        """keys of what had travelled ahead when it was put"""
        self.away = False
        self._rots = rots
        self._lies = lies
        self._problems = problems

    def problems(self) -> tuple[Error, ...]:
        return self._problems

    def looks(self) -> tuple[Look, ...]:
        return (Look("store", "round trip of a nonce", self.location, self._problems),)

    @contextmanager
    def ahead(self, key: str, path: Path, *, most: int) -> Iterator[Hear | None]:
        heard = self.ahead_of[key] = bytearray()
        self.heard.append(key)
        try:
            yield heard.extend
        finally:
            assert len(heard) <= most, path
            del self.ahead_of[key]

    def digest(self, key: str) -> StoredPart:
        data = self.read(key, limit=1 << 40)
        return StoredPart(key=key, size=len(data), digest=canon.sha256_hex(data))

    def put(self, key: str, item: SealedPart | Signed) -> StoredPart:
        if self.away:
            raise StoreError("the endpoint can't be reached", hint="Look at the network.")
        data = item.path.read_bytes()
        assert self.ahead_of.get(key, data) == data, "what travels ahead is what is put"
        self.travelled |= {key} & self.ahead_of.keys()
        if self.objects.get(key, data) != data:
            raise StoreError(f"{key} is there already")
        digest = canon.sha256_hex(data)
        if self._rots and "archive" in key:
            data = bytes([data[0] ^ 1]) + data[1:]
        self.objects[key] = data
        return StoredPart(key=key, size=len(data), digest="0" * 64 if self._lies else digest)

    def keys(self, prefix: str) -> tuple[str, ...]:
        return tuple(sorted(key for key in self.objects if key.startswith(prefix)))

    def size(self, key: str) -> int | None:
        return len(self.objects[key]) if key in self.objects else None

    def read(self, key: str, *, limit: int) -> bytes:
        if key not in self.objects or len(self.objects[key]) > limit:
            raise StoreError(f"{key} can't be read")
        return self.objects[key]

    def fetch(self, key: str, record: PartRecord, *, into: Path, hear: Hear | None = None) -> FetchedPart:
        if key not in self.objects:
            raise StoreError(f"{key} is not there")
        data = self.objects[key]
        path = into / record.name
        if len(data) > record.size:
            path.touch()
            return FetchedPart(record=record, path=path, size=len(data), digest="")
        path.write_bytes(data)
        if hear is not None:
            hear(data)
        return FetchedPart(record=record, path=path, size=len(data), digest=canon.sha256_hex(data))

    def kept(self, key: str) -> Kept:
        return self.locks.get(key, self.lock)

    def delete(self, key: str) -> bool:
        kept = self.kept(key)
        if kept.held or kept.until is not None:
            raise StoreError(f"{key} is locked")
        return self.objects.pop(key, None) is not None

    def unfinished(self) -> tuple[Unfinished, ...]:
        return tuple(self.leftovers)

    def sweep(self, leftover: Unfinished) -> None:
        self.leftovers = [each for each in self.leftovers if each != leftover]


class FakeScratch:
    major = 18
    version = "18.0"

    def __init__(self, world: World) -> None:
        self._world = world
        self.running = 0

    def problems(self, facts: SourceFacts) -> tuple[Error, ...]:
        assert facts.major <= self.major
        return ()

    def looks(self, facts: SourceFacts) -> tuple[Look, ...]:
        return (Look("target", "version", self.version, self.problems(facts)),)

    @contextmanager
    def ahead(self) -> Iterator[None]:
        yield

    @contextmanager
    def start(self, locale: Locale, *, database_size: int) -> Iterator[FakeTarget]:
        assert locale.encoding
        assert database_size > 0
        self.running += 1
        try:
            yield FakeTarget(self._world)
        finally:
            self.running -= 1


class FakeTarget:
    version = "18.0"
    network = "none"
    durable = False
    settings: Mapping[str, str] = {"fsync": "off"}

    def __init__(self, world: World) -> None:
        self._world = world
        self._database = FakeDatabase({}, [])
        self._planted = ""
        self._proving: Callable[[], Proof] | None = None
        self.identifier = FACTS.identifier if world.same_server else "7000000000000000002"

    def create(self, world: bytes) -> Restored:
        assert world == b"{}"
        return Restored(())

    def empty(self) -> bool:
        return not self._database.tables

    def restore(self, archive: Plain, section: Section, *, jobs: int) -> Restored:
        assert jobs > 0
        held = json.loads(archive.read_text())
        if section is Section.DATA:
            self._database.tables = held["tables"]
            if self._world.loses_row:
                next(rows for rows in self._database.tables.values() if rows).pop()
        if section is Section.INDEXES:
            self._database.indexes = held["indexes"][1:] if self._world.loses_index else held["indexes"]
            return Restored(self._world.restore_errors)
        return Restored(())

    def finalize(self, world: bytes) -> Restored:
        assert world
        return Restored(())

    def first_query(self) -> int:
        return len(self._database.tables)

    def prove(  # noqa: PLR0913  the port's
        self,
        key: bytes,
        *,
        like: Proof,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        sketches: proof.Sketches | None = None,
        shown: bool = False,
    ) -> Proof:
        assert sketches is not None
        assert not shown
        assert like.side == "source"
        self._proving = partial(
            self.prove, key, like=like, probes=probes, jobs=jobs, watch=watch, sketches=sketches, shown=shown
        )
        watch.progress(jobs, jobs, unit="tables")
        seen = self._database.prove("restored", key, probes, method=like.method)
        if not self._planted or self._world.nearsighted or not len(sketches):
            return seen
        return replace(seen, located=(proof.Located("public", self._planted, 0, 1, 1, whole=True),))

    def prove_again(self, earlier: Proof) -> Again:
        assert earlier.side == "restored"
        assert self._proving is not None, "never proved before"
        seen = self._proving()
        return Again(seen, reread=len(seen.tables), transactions=7, committed=0)

    def exercise(self, depth: proof.IndexCheck) -> proof.Behaviour:
        if self._world.unexercised is not None:
            raise self._world.unexercised
        if self._world.untidy:
            list(self._database.tables.values())[-1].append("left behind")
        did = proof.Did.ACCEPTED if self._world.lax else proof.Did.REFUSED
        return proof.Behaviour(f"{depth.value}: a fake", (proof.Exercise("check", "public.users.age", did),))

    def plant(self, key: bytes, *, sketches: proof.Sketches) -> tuple[Planted, ...]:
        assert key
        assert isinstance(sketches, proof.Sketches)
        table = next(iter(self._database.tables))
        row = proof.Change.CHANGED if self._database.tables[table] else None
        if not self._world.sleeps:
            self._database.tables[table][-1:] = ["planted"]
            self._planted = table
        return (Planted(f"one row of {table} altered", f"public.{table}", row),)

    def destroy(self) -> bool:
        return True


class FakeSigner:
    """Signs with a digest and the name of the key; anybody could forge it, which is enough behind a port."""

    def __init__(self, fingerprint: str) -> None:
        self.fingerprint = fingerprint

    def problems(self) -> tuple[Error, ...]:
        return ()

    def sign(self, path: Path) -> Path:
        signature = path.with_name(path.name + ".asc")
        signature.write_text(f"{self.fingerprint} {canon.sha256_hex(path.read_bytes())}\n")
        return signature


class FakeVerifier:
    def verify(self, signature: bytes, data: Path) -> str:
        fingerprint, _, digest = signature.decode(errors="replace").strip().partition(" ")
        if digest != canon.sha256_hex(data.read_bytes()):
            raise TamperedError(f"the signature over {data.name} does not fit its bytes")
        return fingerprint

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        made = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
        return Inspected(self.verify(signature, data), made, made, None, None, "", canon.sha256_hex(data.read_bytes()))


class OneByOne:
    """A printer that prints one page after the other."""

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        raise NotImplementedError

    def prepare(self) -> None:
        pass

    @contextmanager
    def printing(
        self, pages: Sequence[Page], *, attachments: Sequence[Attachment]
    ) -> Iterator[Iterator[tuple[int, bytes]]]:
        yield ((number, self.print(page, attachments=attachments)) for number, page in enumerate(pages))


class FakePrinter(OneByOne):
    version = "fake 1"

    @override
    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        return b"%PDF-fake\n" + page.title.encode() + b"\n" + "\n".join(a.name for a in attachments).encode()


class FakeOutbox:
    """Folders below one; whoever still works in one is not known here, unless it is said."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, run: str) -> Path:
        path = self.root / run
        path.mkdir(parents=True, exist_ok=True)
        return path

    def pending(self) -> tuple[str, ...]:
        return tuple(sorted(path.name for path in self.root.iterdir())) if self.root.exists() else ()

    def holds(self, run: str) -> bool:
        return (self.root / run).exists()

    def clear(self, run: str) -> bool:
        shutil.rmtree(self.root / run, ignore_errors=True)
        return True


@dataclass
class FakeWorkspace:
    path: Path

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def free(self) -> int:
        return 1 << 40

    def destroy(self, path: Path) -> bool:
        for each in sorted(path.rglob("*"), reverse=True) if path.is_dir() else []:
            each.rmdir() if each.is_dir() else each.unlink()
        if path.is_dir():
            path.rmdir()
        else:
            path.unlink(missing_ok=True)
        return not path.exists()


SEALS = Seals(recipients=1, unexpected=0, algorithm="RSA", bits=4096, cipher="AES256", integrity="MDC", magic=0)


def _roster() -> Roster:
    """One operator, who owns FINGERPRINT."""
    key = Key(fingerprint=FINGERPRINT, public=b"")
    return Roster(people=(Somebody(id="olga", name="Olga Operator", roles=("operator",), keys=(key,)),), text=b"olga")


@dataclass
class World:
    """What there is, and what is wrong with it."""

    tables: dict[str, list[str]] = field(
        default_factory=lambda: {"users": ["ann", "bob"], "images": ["cat", "dog", "cat"], "empty": []}
    )
    stored_rots: bool = False
    """a bit of the stored archive flips after it was read back"""
    dump_rots: bool = False
    """a value changes between dump and seal"""
    contended: int = 0
    """as many dumps meet somebody who waits for an exclusive lock"""
    contended_late: bool = False
    """they meet them at their end, not at their beginning"""
    store_lies: bool = False
    """the store reads back other bytes than were put"""
    loses_row: bool = False
    loses_index: bool = False
    same_server: bool = False
    """the target says the source's own system identifier"""
    lax: bool = False
    """a constraint takes what it forbids"""
    untidy: bool = False
    """trying the copy leaves a row behind"""
    unexercised: Error | None = None
    """what keeps the copy from being tried"""
    sleeps: bool = False
    nearsighted: bool = False
    """tables that differ are noticed, their rows are not found"""
    """planted changes do not happen, so nothing can notice them"""
    restore_errors: tuple[str, ...] = ()
    source_problems: tuple[Error, ...] = ()
    store_problems: tuple[Error, ...] = ()
    unreachable: Error | None = None
    breaks_in: str = ""
    """phase in which `error` happens"""
    error: Error | None = None
    seals: Seals = SEALS
    signer: str = FINGERPRINT
    roster: Roster = field(default_factory=_roster)
    clock: FakeClock = field(default_factory=FakeClock)
    store: FakeStore = field(init=False)
    scratch: FakeScratch = field(init=False)
    watcher: FakeWatcher = field(init=False)
    settled: int = 0
    others: tuple[NamedStore, ...] = ()
    """stores besides the first"""

    def __post_init__(self) -> None:
        self.store = FakeStore(rots=self.stored_rots, lies=self.store_lies, problems=self.store_problems)
        self.scratch = FakeScratch(self)
        self.watcher = FakeWatcher(breaks_in=self.breaks_in, error=self.error)

    def tools(self, folder: Path, *, backup: str = "latest", making: bool = True, drilling: bool = True) -> Tools:
        """Tools with a workspace below `folder`."""
        workspace = FakeWorkspace(folder / "workspace")
        workspace.destroy(workspace.path)
        workspace.logs.mkdir(parents=True)
        (workspace.logs / "01-pg_dump.log").write_text("pg_dump\n")
        source = FakeSource(
            FakeDatabase(self.tables, ["users_pkey", "images_pkey"]),
            problems=self.source_problems,
            unreachable=self.unreachable,
        )
        dumper = FakeDumper(rots=self.dump_rots, contended=self.contended, late=self.contended_late)
        return Tools(
            clock=self.clock,
            entropy=FakeEntropy(),
            workspace=workspace,
            outbox=FakeOutbox(folder / "outbox"),
            sealer=FakeSealer(seals=self.seals, problems=()),
            stores=(NamedStore("local", self.store), *self.others),
            signer=FakeSigner(self.signer),
            verifier=FakeVerifier(),
            printer=FakePrinter(),
            watcher=self.watcher,
            templates=load_templates(resources.templates_folder()),
            operator=Person(id="olga", name="Olga Operator", roles=("operator",), fingerprint=self.signer),
            roster=self.roster,
            settle=self._settle,
            versions={"attestore": "0", "python": "3"},
            host="memory, 1 processor",
            making=Making(source=source, dumper=lambda _: dumper) if making else None,
            drilling=Drilling(scratch=lambda _: self.scratch, backup=backup) if drilling else None,
        )

    def _settle(self) -> None:
        self.settled += 1


__all__ = ["FACTS", "FINGERPRINT", "SEALS", "STRANGER", "KilledError", "Killing", "World"]
