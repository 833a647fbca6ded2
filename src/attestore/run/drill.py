"""From the store to a proved copy: retrieve, unseal, restore, verify, negative control, teardown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from attestore import canon, instants
from attestore.archive import Bundle
from attestore.errors import Error, KeyringError, StoreError, TamperedError
from attestore.evidence import Manifest, manifest
from attestore.plan import Plan
from attestore.ports import (
    FetchedPart,
    Plain,
    Planted,
    Refuge,
    Scratch,
    Sealer,
    Section,
    Store,
    StoredPart,
    Target,
    Watcher,
)
from attestore.proof import (
    Change,
    Comparison,
    Located,
    Proof,
    Sketches,
    compare,
    decode,
    decode_sketches,
    encode,
    ordered,
    unplanned,
)
from attestore.run.backup import Carried, local_copy, locale_words, uncarry
from attestore.run.book import Book, Proved, Recovery
from attestore.run.stores import Checked, Opened, opening, tell_stores
from attestore.run.tools import NamedStore, Tools
from attestore.run.written import written

__all__ = [
    "LARGEST_SIGNATURE",
    "Filled",
    "Found",
    "choose",
    "expected",
    "fill",
    "find",
    "read",
    "restore",
    "retrieve",
    "tell_backup",
    "unseal",
]

_LARGEST_MANIFEST = 1 << 20
LARGEST_SIGNATURE = 1 << 16
_MOST_ERRORS = 50
_MOST_NAMED = 5
_MOST_LEFTOVERS = 20


@dataclass(frozen=True, slots=True)
class Found:
    """A stored backup whose manifest was authenticated."""

    manifest: Manifest
    data: bytes
    """the manifest's bytes as they are stored"""
    signature: bytes
    """over those bytes"""
    prefix: str
    signer: str
    """primary key fingerprint that signed the manifest; empty where a recovery was told to do without"""
    stores: tuple[NamedStore, ...] = ()
    """that have this very manifest, the first to be asked first; a recovery knows its one"""


def choose(plan: Plan, *, tools: Tools, wanted: str) -> str:
    """The id of the stored backup that is meant, whichever store has it.

    Raises:
        StoreError: there is no such backup, or no store can be listed.
    """
    ids = sorted({backup for _, held in _held(plan, tools=tools) for backup in held})
    where = ", ".join(each.store.location for each in tools.holding())
    if not ids:
        raise StoreError(
            f"{where} holds no backup of {plan.system}",
            hint="Take one with `attestore backup`, or name another --store or --system.",
        )
    match wanted:
        case "latest":
            return ids[-1]
        case "oldest":
            return ids[0]
        case "random":
            return ids[int.from_bytes(tools.entropy.token(8)) % len(ids)]
        case _ if wanted in ids:
            return wanted
        case _:
            raise StoreError(
                f"{where} holds no backup {wanted!r} of {plan.system}",
                hint=f"There are {len(ids)}; the newest: {', '.join(ids[: -_MOST_NAMED - 1 : -1])}.",
            )


def _held(plan: Plan, *, tools: Tools) -> list[tuple[NamedStore, tuple[str, ...]]]:
    """Each store that can be listed, with the ids of the backups whose manifest it has.

    Raises:
        StoreError: none can be listed.
    """
    found, problems = [], []
    for named in tools.holding():
        try:
            keys = named.store.keys(f"{plan.system}/")
        except StoreError as problem:
            problems.append(problem)
            tools.watcher.say(f"Store {named.name} is left out: {problem.message}")
            continue
        parts = [key.split("/") for key in keys]
        found.append((named, tuple(p[1] for p in parts if len(p) == 3 and p[2] == "manifest.json")))  # noqa: PLR2004  system/backup/file
    if problems and not found:
        raise problems[0]
    return found


def find(plan: Plan, *, tools: Tools, wanted: str) -> Found:
    """The stored backup that is meant, its manifest signed by an operator of the roster, in the first store that has it so.

    Raises:
        StoreError: there is no such backup.
        TamperedError: the manifest is not signed by an operator of the roster, or is of another backup or system.
    """
    chosen = choose(plan, tools=tools, wanted=wanted)
    holders = [named for named, ids in _held(plan, tools=tools) if chosen in ids]
    found: Found | None = None
    problems: list[StoreError | TamperedError] = []
    for named in holders:
        try:
            seen = _authenticated(tools, named=named, prefix=f"{plan.system}/{chosen}")
        except (StoreError, TamperedError) as problem:
            problems.append(problem)
            if len(holders) > 1:
                tools.watcher.say(f"Store {named.name} is left out: {problem.message}")
            continue
        if found is None:
            found = seen
        elif seen.data == found.data:
            found = replace(found, stores=(*found.stores, named))
    if found is None:
        raise problems[0] if problems else StoreError(f"the backup {chosen} of {plan.system} is gone")
    return found


def restore(plan: Plan, *, found: Found, tools: Tools, scratch: Scratch, book: Book, bundle: Bundle) -> None:
    """Restore a stored backup into an isolated server, prove the copy, compare, prove that the comparison is awake.

    Raises:
        TamperedError: what the store gave back is not what was signed; the journal holds the facts.
        Error: any other of the family.
    """
    listing, home = found.manifest, tools.workspace.path / "drill"
    home.mkdir(mode=0o700)
    tell_backup(found, book=book)
    gone = not local_copy(tools).exists() and not tools.outbox.holds(plan.run)
    book.write("local.destroyed", gone, source="workspace")
    recovery = book.ordered()
    recovery.phase("retrieve")
    # the order has come, so the server is begun beside the fetching; what is left of that is waited for in `prepare`
    with scratch.ahead(), opening(tools.sealer, into=home) as opened:
        fetched = _retrieve(found, tools=tools, into=home, book=book, opened=opened)
        recovery.phase("unseal")
        plain = {part.record.role: unseal(part, sealer=tools.sealer, into=home, book=book) for part in fetched}
        carried = uncarry(plain["proof"].read_bytes())
        if tools.sealer.alone:
            book.write("unseal.alone", tools.sealer.alone, source=tools.sealer.version)
        proof = expected(carried, found=found, book=book)
        _keep(carried, found=found, bundle=bundle)
        recovery.phase("prepare")
        with (
            scratch.start(listing.locale, database_size=listing.source_size) as target,
            _torn_down(target, home=home, tools=tools, book=book),
        ):
            filled = fill(target, plain, recovery=recovery, jobs=plan.jobs)
            _tell(target, listing=listing, filled=filled, plan=plan, book=book)
            sketches = decode_sketches(carried.sketches)
            checking = _Checking(
                plan=plan,
                tools=tools,
                target=target,
                key=carried.key,
                expected=proof,
                digest=listing.proof_digest,
                sketches=sketches,
                book=book,
            )
            restored, compared = _verify(checking, bundle=bundle)
            # of a long run, what prints was let go; it begins again while the control waits for a disk
            tools.printer.prepare()
            _inspect(fetched, listing=listing, tools=tools, book=book)
            _control(checking, restored=restored, compared=compared)


@dataclass(frozen=True, slots=True)
class Filled:
    """What came of filling a database: whether it was empty before, and each complaint of pg_restore or a statement."""

    empty: bool
    errors: tuple[str, ...]


def fill(target: Refuge, plain: Mapping[str, Plain], *, recovery: Recovery, jobs: int) -> Filled:
    """Make the database and restore into it, section by section, until it has answered its first query.

    The phase `prepare` has begun; when this returns, the RTO clock has stopped.
    """
    world, archive = plain["globals"].read_bytes(), plain["archive"]
    errors = [*target.create(world).errors]
    empty = target.empty()
    for phase, section in (("schema", Section.SCHEMA), ("data", Section.DATA), ("indexes", Section.INDEXES)):
        recovery.phase(phase)
        errors += target.restore(archive, section, jobs=jobs).errors
    recovery.phase("finalize")
    errors += target.finalize(world).errors
    target.first_query()
    recovery.answered()
    return Filled(empty=empty, errors=tuple(errors))


@contextmanager
def _torn_down(target: Target, *, home: Path, tools: Tools, book: Book) -> Iterator[None]:
    """Whether everything that the restore made is gone is a fact, also of one that failed or was interrupted."""

    def destroyed() -> bool:
        gone = target.destroy()
        return tools.workspace.destroy(home) and gone

    try:
        yield
        with book.entering("teardown"):
            book.write("teardown.complete", destroyed(), source="workspace")
    except Error:
        # the phase that it stopped in stays the one that is told
        if all(seen.fact != "teardown.complete" for seen in book.observations):
            try:
                complete = destroyed()
            except Error:
                complete = False
            book.write("teardown.complete", complete, source="workspace")
        raise


@dataclass(frozen=True, slots=True)
class _Checking:
    """What verification and its negative control share."""

    plan: Plan
    tools: Tools
    target: Target
    key: bytes
    expected: Proof
    digest: canon.Digest
    """of the bytes of what is expected"""
    sketches: Sketches
    book: Book

    def prove(self) -> Proof:
        return self.target.prove(
            self.key,
            like=self.expected,
            probes=self.plan.probes,
            jobs=self.plan.jobs,
            watch=self.tools.watcher,
            sketches=self.sketches,
            shown=self.plan.show_keys,
        )


def _authenticated(tools: Tools, *, named: NamedStore, prefix: str) -> Found:
    def signer_of(data: bytes, signature: bytes) -> str:
        path = written(tools.workspace.path / "manifest.json", data)
        try:
            fingerprint = tools.verifier.verify(signature, path)
        except TamperedError as problem:
            raise TamperedError(
                f"{prefix}: {problem.message}", hint="Restore another backup, or find out who wrote into the store."
            ) from problem
        finally:
            tools.workspace.destroy(path)
        if tools.roster.person_of(fingerprint, role="operator") is None:
            raise TamperedError(
                f"the manifest of {prefix} is signed by {fingerprint}, who is no operator of the roster",
                hint="Restore with the roster that was in force when the backup was taken.",
            )
        return fingerprint

    signature = named.store.read(f"{prefix}/manifest.json.asc", limit=LARGEST_SIGNATURE)
    found = read(prefix, signature=signature, store=named.store, signer_of=signer_of)
    return replace(found, stores=(named,))


def read(prefix: str, *, signature: bytes, store: Store, signer_of: Callable[[bytes, bytes], str]) -> Found:
    """What is stored at a prefix, once somebody has accepted the signature over its manifest and said whose it is.

    Raises:
        TamperedError: the manifest is of another backup or system, or no manifest.
        StoreError: there is none.
    """
    data = store.read(f"{prefix}/manifest.json", limit=_LARGEST_MANIFEST)
    signer = signer_of(data, signature)
    listing = manifest.decode(data, what=f"{prefix}/manifest.json")
    if f"{listing.system}/{listing.backup}" != prefix:
        raise TamperedError(f"the manifest at {prefix} is of backup {listing.backup} of {listing.system}")
    return Found(manifest=listing, data=data, signature=signature, prefix=prefix, signer=signer)


def tell_backup(found: Found, *, book: Book) -> None:
    """What the manifest says, where this run has not seen it itself, and who signed it."""
    listing = found.manifest
    if found.signer:
        book.write("backup.manifest.signer", found.signer, source="OpenPGP signature")
    for fact, value in (
        ("backup.id", listing.backup),
        ("backup.digest", listing.digest),
        ("backup.size.plain", sum(part.plain_size for part in listing.parts)),
        ("backup.size.sealed", sum(part.size for part in listing.parts)),
        ("source.version", listing.source_version),
        ("source.database", listing.database),
        ("source.identifier", listing.source_identifier),
        ("source.size", listing.source_size),
        ("source.encoding", locale_words(listing.locale)),
        ("snapshot.taken", listing.taken),
        ("snapshot.lsn", listing.lsn),
    ):
        book.know(fact, value, source="manifest.json")


def retrieve(
    found: Found, *, store: Store, watcher: Watcher, into: Path, book: Book, opened: Opened
) -> list[FetchedPart]:
    """Every part, sized and digested on its way, and being opened meanwhile.

    Raises:
        TamperedError: a part is not what the manifest says.
        StoreError: there is none, or the transfer failed.
    """
    parts, checked = _from(NamedStore("store", store), found, watcher=watcher, into=into, opened=opened)
    _tell_fetched(parts, checked, book=book)
    return parts


def _retrieve(found: Found, *, tools: Tools, into: Path, book: Book, opened: Opened) -> list[FetchedPart]:
    """Every part, whole, from the first store that gives it back so."""
    checked: list[Checked] = []
    parts: list[FetchedPart] = []
    for number, named in enumerate(found.stores):
        folder = into / str(number)
        folder.mkdir(mode=0o700)
        parts, one = _from(named, found, watcher=tools.watcher, into=folder, opened=opened)
        checked.append(one)
        if one.problem is None:
            break
        tools.workspace.destroy(folder)
        if number + 1 < len(found.stores):
            tools.watcher.say(f"Store {named.name} is left out: {one.problem.message}")
    last = checked[-1]
    book.write("fetched.from", last.named.name, source=last.named.store.location)
    book.write("fetched.damaged", sum(each.problem is not None for each in checked[:-1]), source="store")
    _tell_fetched(parts, last, book=book)
    if all(seen.fact != "stores.asked" for seen in book.observations):
        tell_stores(checked, book=book, now=tools.clock.now())
    return parts


def _tell_fetched(parts: list[FetchedPart], checked: Checked, *, book: Book) -> None:
    location = checked.named.store.location
    if checked.problem is None or checked.differing:
        book.write("fetched.parts", len(parts), source=location)
        book.write("fetched.parts.differing", checked.differing, source=location)
    if checked.problem is not None:
        raise checked.problem


def _from(
    named: NamedStore, found: Found, *, watcher: Watcher, into: Path, opened: Opened
) -> tuple[list[FetchedPart], Checked]:
    records, parts = found.manifest.parts, list[FetchedPart]()
    try:
        for record in records:
            key = f"{found.prefix}/{record.name}"
            parts.append(named.store.fetch(key, record, into=into, hear=opened(record)))
            watcher.progress(len(parts), len(records), unit="parts")
    except StoreError as problem:
        return parts, Checked(named, problem=problem)
    broken = [part for part in parts if not part.intact]
    if broken:
        changed = TamperedError(
            broken[0].words,
            hint="This copy of the backup is damaged: restore another backup, or from another store.",
        )
        return parts, Checked(named, problem=changed, differing=len(broken))
    objects = tuple(
        StoredPart(key=f"{found.prefix}/{part.record.name}", size=part.size, digest=part.digest) for part in parts
    )
    return parts, Checked(named, objects=objects)


def unseal(part: FetchedPart, *, sealer: Sealer, into: Path, book: Book) -> Plain:
    """The plain file; that it decrypted to what was sealed is a fact, and so is that it did not."""
    name, record = sealer.version, part.record
    try:
        plain = sealer.unseal(part, into=into)
    except (TamperedError, KeyringError):
        book.write("seal.decrypts", False, source=name, subject=record.name)
        raise
    book.write("seal.decrypts", True, source=name, subject=record.name)
    return plain


def expected(carried: Carried, *, found: Found, book: Book) -> Proof:
    """The proof that a backup carries, if it is the one that the manifest names.

    Raises:
        TamperedError: it is another one, or was made with another key.
    """
    proof = decode(carried.proof, what="the backup's proof")
    if proof.key_commitment != found.manifest.key_commitment:
        raise TamperedError("the backup's proof was made with another key than its signed manifest commits to")
    if canon.sha256_hex(carried.proof) != found.manifest.proof_digest:
        raise TamperedError("the backup's proof is not the one that its signed manifest names by digest")
    book.know("backup.roles", sum(s.name == "attributes" for s in proof.settings), source="the backup's proof")
    book.know("backup.settings", len(proof.settings), source="the backup's proof")
    return proof


def _keep(carried: Carried, *, found: Found, bundle: Bundle) -> None:
    """What a run that did not take the backup itself has of it by now."""
    if not bundle.has("proof.source.json"):
        bundle.write("proof.source.json", carried.proof)
    if not bundle.has("manifest.json"):
        bundle.write("manifest.json", found.data)
        bundle.write("manifest.json.asc", found.signature)


def _tell(target: Target, *, listing: Manifest, filled: Filled, plan: Plan, book: Book) -> None:
    server, errors = f"target server {target.version}", filled.errors
    age = instants.parse(next(str(o.value) for o in book.observations if o.fact == "restore.ordered"))
    book.write("restore.rpo", _ms(listing.taken, instants.text(age)), source="source clock and system clock")
    book.write("restore.errors", len(errors), source="pg_restore")
    book.write("restore.jobs", plan.jobs, source="pg_restore")
    book.write("restore.durable", target.durable, source=server)
    book.write("target.version", target.version, source=server)
    book.write("target.identifier", target.identifier, source="pg_control_system()")
    book.write("target.segregated", target.identifier != listing.source_identifier, source="pg_control_system()")
    book.write("target.empty", filled.empty, source=server)
    book.write(
        "target.network", target.network, source="kernel" if target.network != "existing server" else "the order"
    )
    chosen = target.settings
    book.write("target.settings", len(chosen), source=server)
    book.write_all((("target.setting", name, value) for name, value in sorted(chosen.items())), source=server)
    for number, error in enumerate(errors[:_MOST_ERRORS], start=1):
        book.write("restore.error", error, source="pg_restore", subject=str(number))


def _verify(checking: _Checking, *, bundle: Bundle) -> tuple[Proof, Comparison]:
    book, clock = checking.book, checking.tools.clock
    begun = clock.tick()
    with book.entering("verify"):
        restored = checking.prove()
        book.write("verify.elapsed", clock.tick() - begun, source="monotonic clock")
    # triggers and sequences change data, so the copy is tried only after it was proved; whatever comes of that is evidence
    try:
        with book.entering("exercise"):
            restored = replace(restored, behaviour=checking.target.exercise(checking.plan.index_check))
    finally:
        restored = ordered(restored)
        data = encode(restored)
        bundle.write("proof.restored.json", data)
        compared = compare(checking.expected, restored)
        digests = checking.digest, canon.sha256_hex(data)
        book.proved = Proved(checking.expected, restored, compared, digests)
        book.write_all(compared.facts, source="comparison of the two proofs")
    return restored, compared


def _inspect(fetched: list[FetchedPart], *, listing: Manifest, tools: Tools, book: Book) -> None:
    """How the stored bytes are sealed, read from the bytes themselves and by trying without the key.

    Allowed is who the signed manifest lists: whom backups are sealed to changes, and older ones stay what they are.
    """
    with book.entering("inspect"):
        book.write("seal.parts", len(fetched), source="manifest.json")
        for part in fetched:
            seals = tools.sealer.inspect(part, allowed=listing.recipients)
            name = part.record.name
            facts = (
                ("seal.recipients", name, seals.recipients),
                ("seal.recipients.unexpected", name, seals.unexpected),
                ("seal.key.algorithm", name, seals.algorithm),
                ("seal.key.bits", name, seals.bits),
                ("seal.cipher", name, seals.cipher),
                ("seal.integrity", name, seals.integrity),
                ("seal.magic", name, seals.magic),
                ("seal.refused", name, tools.sealer.refused(part)),
            )
            book.write_all(facts, source="packets of the stored object")


def _control(checking: _Checking, *, restored: Proof, compared: Comparison) -> None:
    """The checker proves that it is awake: each planted change must show, under its own name, against the copy as it was.

    The copy was tried between the two proofs, so a difference that nobody planted is what a trial left behind. Of its rows
    those are read again that may be others by now.
    """
    book = checking.book
    with book.entering("control"):
        planted = checking.target.plant(checking.key, sketches=checking.sketches)
        again = checking.target.prove_again(restored)
        found = compare(restored, again.proof)
        named = {difference.subject for difference in found.differences}
        rows = {each.label: each for each in found.rows}
        # rows are found by the source's sketch, so only where the copy was equal to the source before
        unequal = {difference.subject for difference in compared.differences}
        sketched = {f"{each.schema}.{each.name}" for each in checking.sketches} - unequal
        seen = [
            _seen(change, rows.get(change.subject), named=change.subject in named, findable=change.subject in sketched)
            for change in planted
        ]
        noticed = [good for good, _ in seen]
        book.write("control.planted", len(planted), source="negative control")
        book.write("control.noticed", sum(noticed), source="negative control")
        book.write("control.unnoticed", len(planted) - sum(noticed), source="negative control")
        leftovers = unplanned(found, (change.subject for change in planted))
        book.write("control.unplanned", len(leftovers), source="negative control")
        book.write("control.reread", again.reread, source="negative control")
        if again.transactions is not None and again.committed is not None:
            log = f"commit log of target server {checking.target.version}"
            book.write("control.transactions", again.transactions, source=log)
            book.write("control.committed", again.committed, source=log)
        for number, each in enumerate(leftovers[:_MOST_LEFTOVERS], start=1):
            told = f"{each.kind} {each.subject}: {each.what}"
            book.write("control.leftover", told, source="negative control", subject=str(number))
        for number, (change, (_, words)) in enumerate(zip(planted, seen, strict=True), start=1):
            book.write("control.change", f"{change.what}: {words}", source="negative control", subject=str(number))


def _seen(change: Planted, rows: Located | None, *, named: bool, findable: bool) -> tuple[bool, str]:
    """Whether a planted change was noticed, and in words; one of a row must be found as a row wherever it can be."""
    if not named:
        return False, "NOT NOTICED"
    if change.row is None or not findable:
        return True, "noticed"
    if rows is None or not rows.whole or not (rows.missing or (change.row is Change.CHANGED and rows.changed)):
        return False, "noticed, but its row was NOT LOCATED"
    return True, f"noticed, {rows.words()}, located"


def _ms(earlier: str, later: str) -> int:
    took = instants.parse(later) - instants.parse(earlier)
    return max(0, round(took.total_seconds() * 1000))
