"""From the source to the store: snapshot, proof, dump, seal, store, disaster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from attestore import canon, instants
from attestore.archive import Bundle
from attestore.errors import ContendedError, Error, TamperedError
from attestore.evidence import Locale, Manifest, manifest
from attestore.plan import Plan
from attestore.ports import (
    Dumper,
    Form,
    Plain,
    SealedPart,
    Source,
    SourceFacts,
    Tap,
    Texts,
    Towards,
)
from attestore.proof import STREAM, Proof, Sketches, encode
from attestore.run.book import Book
from attestore.run.stores import Checked, Sealings, names_of, put_everywhere, tell_stores, travelling
from attestore.run.tools import Tools
from attestore.run.written import written

__all__ = ["Carried", "Ready", "Taken", "carry", "form_of", "local_copy", "locale_words", "take", "uncarry"]

_KEY_BYTES = 32
_ATTEMPTS = 4
_PARTS = 3
_SMALL = 256 << 20
"""bytes of a database that one session dumps about as fast as several do"""
_SMALL_TABLE = 128 << 10
"""bytes; an empty table with a key and a long column takes 24 KiB"""
_CARRIED = "attestore/carried-proof/v1"


@dataclass(frozen=True, slots=True)
class Ready:
    """A source that stood up to preflight, and the programme that dumps it."""

    facts: SourceFacts
    source: Source
    dumper: Dumper
    barred: Mapping[str, Error] = field(default_factory=dict)
    """stores that can't take the backup now, by name, where another one can"""


@dataclass(frozen=True, slots=True)
class Taken:
    """A backup that is stored: its manifest, and what the source was."""

    manifest: Manifest
    unstored: Error | None
    """what keeps a store from having it; None where all have it"""


@dataclass(frozen=True, slots=True)
class Carried:
    """What a backup carries sealed: its proof, the key K of its fingerprints, and a sketch of each table's rows."""

    key: bytes
    proof: bytes
    sketches: bytes = b""
    """none where rows were fingerprinted otherwise"""


def local_copy(tools: Tools) -> Path:
    """Where a backup lies while it is made, and must not lie when it is restored."""
    return tools.workspace.path / "backup"


def carry(carried: Carried) -> bytes:
    """The bytes of the sealed proof part: a line with the key, a line with the proof as it is, lines of sketches."""
    head: canon.JSON = {"format": _CARRIED, "key": carried.key.hex()}
    return b"\n".join((canon.encode(head), carried.proof, carried.sketches))


def uncarry(data: bytes) -> Carried:
    """What a sealed proof part holds.

    Raises:
        TamperedError: it is not of this format.
    """
    first, _, rest = data.partition(b"\n")
    # canonical JSON holds no line feed
    proof, _, sketches = rest.partition(b"\n")
    match canon.decode(first, what="the sealed proof"):
        case {"format": str(form), "key": str(key)} if form == _CARRIED and len(key) == 2 * _KEY_BYTES:
            return Carried(key=bytes.fromhex(key), proof=proof, sketches=sketches)
        case _:
            raise TamperedError("the sealed proof is not of a format that this version reads")


def _describe(facts: SourceFacts, *, book: Book) -> None:
    where = facts.locale
    book.write("source.version", facts.version, source="source server")
    book.write("source.database", facts.database, source="source server")
    book.write("source.identifier", facts.identifier, source="pg_control_system()")
    book.write("source.size", facts.size, source="pg_database_size()")
    book.write("source.encoding", locale_words(where), source="pg_database")


def locale_words(where: Locale) -> str:
    """Encoding, provider and locale as the evidence tells them."""
    return f"{where.encoding}, {where.provider}, {where.locale or where.collate}"


def take(plan: Plan, *, ready: Ready, tools: Tools, book: Book, bundle: Bundle) -> Taken:
    """Take, seal and store one backup, then destroy every local copy.

    Raises:
        Error: any of the family; nothing of the backup is left in the workspace then, and a backup without a manifest
            in the store is no backup.
    """
    facts, dumper = ready.facts, ready.dumper
    _describe(facts, book=book)
    key = tools.entropy.token(_KEY_BYTES)
    home = local_copy(tools)
    home.mkdir(mode=0o700)
    begun = tools.clock.tick()
    seen = _look_until_uncontended(plan, ready=ready, tools=tools, key=key, book=book)
    book.write("snapshot.held", tools.clock.tick() - begun, source="monotonic clock")
    book.write("snapshot.taken", seen.taken, source="source server")
    book.write("snapshot.lsn", seen.lsn, source="source server")
    book.write("snapshot.attempts", seen.attempt, source="attestore")
    book.write("dump.jobs", seen.jobs, source=dumper.version)
    if plan.source_jobs is not None:
        book.write("source.jobs", plan.source_jobs, source="attestore")
    if plan.source_pause_ms:
        book.write("source.pause", plan.source_pause_ms, source="attestore")
    book.write("source.uncovered", sum(bool(t.uncovered) for t in seen.proof.tables), source="pg_class")
    named = f"{instants.compact(instants.parse(seen.taken))}-{plan.run.rsplit('-', 1)[-1]}"
    open_to = [each for each in tools.stores if each.name not in ready.barred]
    with travelling(open_to, prefix=f"{plan.system}/{named}") as towards:
        with book.entering("seal"), _kept_if_signed(plan.run, tools=tools):
            sealing = _Sealing(tools=tools, folder=tools.outbox.folder(plan.run), towards=towards)
            archive = sealing.seal(seen.archive, role="archive", tap=seen.texts)
            # a proof by method stream is whole only now that the dump went by
            proof = seen.proof if seen.texts is None else seen.texts.complete(seen.proof)
            proved = encode(proof)
            bundle.write("proof.source.json", proved)
            carried = carry(Carried(key=key, proof=proved, sketches=seen.sketches))
            parts = [
                archive,
                sealing.seal(_file(home / "globals.json", seen.world), role="globals"),
                sealing.seal(_file(home / "proof.json", carried), role="proof"),
            ]
            _tell_sealed(parts, version=tools.sealer.version, book=book)
        listing = Manifest(
            backup=named,
            system=plan.system,
            run=plan.run,
            taken=seen.taken,
            snapshot=seen.name,
            lsn=seen.lsn,
            database=facts.database,
            source_version=facts.version,
            source_major=facts.major,
            source_identifier=facts.identifier,
            source_size=facts.size,
            locale=facts.locale,
            extensions=facts.extensions,
            engine=dumper.version,
            engine_major=dumper.major,
            settings=(
                ("format", seen.form.value),
                ("compression", "zstd"),
                ("jobs", str(seen.jobs)),
                ("method", plan.method),
            ),
            recipients=tools.sealer.recipients,
            key_commitment=proof.key_commitment,
            proof_digest=canon.sha256_hex(proved),
            parts=tuple(part.record for part in parts),
        )
        sealed = _signed(listing, parts, tools=tools)
        tools.workspace.destroy(home)
        unstored = _store(sealed, tools=tools, book=book, barred=ready.barred)
    bundle.write("manifest.json", sealed.path.read_bytes())
    bundle.write("manifest.json.asc", sealed.signature.read_bytes())
    if unstored is None:
        with book.entering("disaster"):
            tools.outbox.clear(plan.run)
    return Taken(manifest=listing, unstored=unstored)


@contextmanager
def _kept_if_signed(run: str, *, tools: Tools) -> Iterator[None]:
    """What is sealed when somebody stops us waits for nobody: without a signed manifest it is no backup."""
    try:
        yield
    except Error:
        tools.outbox.clear(run)
        raise


def _signed(listing: Manifest, parts: Sequence[SealedPart], *, tools: Tools) -> Sealings:
    path = written(tools.outbox.folder(listing.run) / "manifest.json", manifest.encode(listing))
    return Sealings(listing, parts, path, tools.signer.sign(path))


@dataclass(frozen=True, slots=True)
class _Seen:
    """What one snapshot showed: the proof and the dump of the same instant."""

    name: str
    taken: str
    lsn: str
    attempt: int
    jobs: int
    form: Form
    proof: Proof
    sketches: bytes
    archive: Plain
    world: bytes
    texts: Texts | None
    """by method `stream`: what digests the dump's rows while they are sealed"""


def _look_until_uncontended(plan: Plan, *, ready: Ready, tools: Tools, key: bytes, book: Book) -> _Seen:
    """A TRUNCATE or DDL that waits for our lock makes every later reader wait behind it: we let it pass, and look again.

    The first dump is parallel, whose workers lock each table anew; later ones read in the session that holds the locks.
    """
    for attempt in range(1, _ATTEMPTS):
        try:
            return _look(plan, ready=ready, tools=tools, key=key, book=book, attempt=attempt)
        except ContendedError:
            tools.watcher.say("Somebody waits for an exclusive lock: they go first, then a new snapshot is taken.")
            _forget_dump(tools)
    return _look(plan, ready=ready, tools=tools, key=key, book=book, attempt=_ATTEMPTS)


def form_of(method: str, facts: SourceFacts) -> Form:
    """One file where there is little to share among sessions, or so many small tables that a file for each costs more.

    Method `stream` digests the rows of each table in a file of its own.
    """
    small = facts.size <= max(_SMALL, facts.tables * _SMALL_TABLE)
    return Form.FILE if small and method != STREAM else Form.FOLDER


def _forget_dump(tools: Tools) -> None:
    for path in local_copy(tools).iterdir():
        tools.workspace.destroy(path)


def _look(plan: Plan, *, ready: Ready, tools: Tools, key: bytes, book: Book, attempt: int) -> _Seen:
    again = f" ({attempt})" if attempt > 1 else ""
    form = form_of(plan.method, ready.facts)
    at_once = plan.source_jobs or plan.jobs
    jobs = at_once if attempt == 1 and form is Form.FOLDER else 1
    sketches = Sketches()
    with ExitStack() as stack:
        with book.entering(f"snapshot{again}"):
            snapshot = stack.enter_context(ready.source.snapshot())
            # begun at once: whoever queues for a lock between ours and the dump's stops the dump
            dumping = stack.enter_context(ready.dumper.dumping(snapshot, local_copy(tools), jobs=jobs, form=form))
            if plan.source_jobs is not None:
                dumping.locked()

        def proved(cleared: Callable[[], None]) -> Proof:
            with book.entering(f"proof{again}"):
                return snapshot.prove(
                    key,
                    probes=plan.probes,
                    jobs=at_once,
                    watch=tools.watcher,
                    method=plan.method,
                    sketches=sketches,
                    cleared=cleared,
                )

        def dumped() -> tuple[Plain, bytes, Texts | None]:
            with book.entering(f"dump{again}"):
                archive, world = dumping.finish(), snapshot.globals()
                return archive, world, ready.dumper.texts(archive, snapshot) if plan.method == STREAM else None

        if plan.source_jobs is None:
            # what needs no lock of its own is read while the dump takes its locks
            proof, (archive, world, texts) = proved(dumping.locked), dumped()
        else:
            # the dump goes on since the locks were had, so it is the proof that waits
            (archive, world, texts), proof = dumped(), proved(lambda: None)
        return _Seen(
            name=snapshot.name,
            taken=snapshot.taken,
            lsn=snapshot.lsn,
            attempt=attempt,
            jobs=jobs,
            form=form,
            proof=proof,
            sketches=sketches.encode(),
            archive=archive,
            world=world,
            texts=texts,
        )


@dataclass(slots=True)
class _Sealing:
    """Parts being sealed into one folder, each plain copy gone as soon as it is."""

    tools: Tools
    folder: Path
    towards: Towards
    done: int = 0

    def seal(self, plain: Plain, *, role: str, tap: Tap | None = None) -> SealedPart:
        part = self.tools.sealer.seal(plain, role=role, into=self.folder, tap=tap, towards=self.towards)
        self.tools.workspace.destroy(plain)
        self.done += 1
        self.tools.watcher.progress(self.done, _PARTS, unit="parts")
        return part


def _tell_sealed(parts: Sequence[SealedPart], *, version: str, book: Book) -> None:
    book.write("seal.parts", len(parts), source=version)
    book.write("backup.size.plain", sum(part.record.plain_size for part in parts), source=version)
    book.write("backup.size.sealed", sum(part.record.size for part in parts), source=version)


def _store(sealed: Sealings, *, tools: Tools, book: Book, barred: Mapping[str, Error]) -> Error | None:
    """Put the backup into every store; what kept it from some of them, after all were asked.

    Raises:
        StoreError, DiskError: no store has it.
    """
    stores, parts = tools.stores, len(sealed.parts)
    with book.entering("store"):
        checked = put_everywhere(
            sealed,
            stores,
            watcher=tools.watcher,
            progress=partial(tools.watcher.progress, unit="parts"),
            barred=barred,
        )
        failed = [each for each in checked if each.problem is not None]
        book.write("store.location", stores[0].store.location, source="store")
        if len(failed) < len(checked) or any(each.differing for each in checked):
            book.write("stored.parts", parts, source="store")
            book.write("stored.parts.differing", max(each.differing for each in checked), source="store")
        tell_stores(checked, book=book, now=tools.clock.now())
        problem = _unstored(checked)
        if problem is not None and len(failed) == len(checked):
            raise problem
        book.write("backup.id", sealed.manifest.backup, source="attestore")
        book.write("backup.digest", sealed.manifest.digest, source="manifest.json")
    return problem


def _unstored(checked: Sequence[Checked]) -> Error | None:
    """The first failure, with what is known of the other stores."""
    failed = [each for each in checked if each.problem is not None]
    if not failed or failed[0].problem is None:
        return None
    first = failed[0].problem
    if len(checked) == 1:
        return first
    there = names_of(each.named for each in checked if each.problem is None)
    missing = names_of(each.named for each in failed)
    return type(first)(
        f"{first.message}; stores that have the backup: {there}; that lack it: {missing}", hint=first.hint
    )


def _file(path: Path, data: bytes) -> Plain:
    return Plain(written(path, data))
