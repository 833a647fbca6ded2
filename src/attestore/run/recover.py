"""The bad day: a stored backup becomes the database that people wait for, and is shown to be what was backed up.

The path is a drill's, step by step; what differs is what is left out. Nothing is tried on the restored database, no
change is planted in it, nothing is torn down, and neither ledger nor roster has to be at hand.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from attestore import instants
from attestore.amounts import amount
from attestore.errors import DiskError, Error, PlanError, StoreError, TamperedError, UsageError
from attestore.evidence import Manifest, Observation
from attestore.ports import (
    Clock,
    FetchedPart,
    Landing,
    Look,
    Plain,
    Recovered,
    Sealer,
    Standing,
    Store,
    Verifier,
    Watcher,
    Workspace,
)
from attestore.proof import Comparison, Proof, compare, decode_sketches
from attestore.run.backup import Carried, uncarry
from attestore.run.book import Book
from attestore.run.drill import (
    LARGEST_SIGNATURE,
    Filled,
    Found,
    expected,
    fill,
    read,
    retrieve,
    tell_backup,
    unseal,
)
from attestore.run.preflight import Lookout, facts_of
from attestore.run.stores import opening
from attestore.run.written import written

__all__ = ["PHASES", "Recovery", "Rescue", "Result", "Surveyed", "Wanted", "recover", "survey"]

PHASES = ("survey", "retrieve", "unseal", "prepare", "schema", "data", "indexes", "finalize", "verify")
_DEPTH = 3
"""system/backup/file"""
_MOST_NAMED = 5
_EVERY_S = 0.5
_SMALL = ("globals", "proof")


class Result(Enum):
    """What became of a recovery."""

    EQUAL = "equal to the backup"
    DIFFERENT = "differs from the backup"
    INCOMPLETE = "not everything could be compared"
    STOPPED = "did not end"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which backup is to be restored, and how carefully."""

    backup: str
    """an id, `latest` or `oldest`"""
    system: str
    """whose; empty where the store holds backups of one system only"""
    jobs: int
    unauthenticated: bool = False
    """whether a manifest that nobody vouches for may be restored"""
    deep: bool = False
    """whether a survey fetches and opens everything"""


@dataclass(frozen=True, slots=True)
class Rescue:
    """The doors of a recovery."""

    clock: Clock
    workspace: Workspace
    sealer: Sealer
    store: Store
    verifier: Verifier | None
    """None where nobody was named whose signature counts"""
    trusted: Mapping[str, str]
    """whose signatures over manifests count: primary fingerprint and who that is"""
    watcher: Watcher
    landing: Callable[[int], Landing]
    """the server that takes the restore, for archives of that major"""
    settle: Callable[[], None]
    """called once the recovery has ended: from here on it is not to be interrupted"""
    opens: Callable[[tuple[str, ...]], tuple[Error, ...]]
    """whatever keeps parts from being opened that were sealed to these recipients, as far as the keyring tells"""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """Everything that was looked at before anything was written."""

    looks: tuple[Look, ...]
    found: Found | None
    landing: Landing | None
    vouched: str
    """who vouches for the manifest, in words; empty where nobody does"""
    doubt: str
    """why nobody does"""

    @property
    def problems(self) -> tuple[Error, ...]:
        """Everything that stands in the way."""
        return tuple(problem for look in self.looks for problem in look.problems)


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a recovery did, what stands on the server, and what the restored database was shown to be."""

    started: str
    ended: str
    found: Found
    vouched: str
    server: str
    standing: Standing
    phase: str
    """the last phase that was entered"""
    observations: tuple[Observation, ...]
    errors: tuple[str, ...]
    """complaints of pg_restore and of statements"""
    findings: tuple[str, ...]
    """what the backup says of its source that a restore can't bring back, or that somebody should look at"""
    comparison: Comparison | None
    stopped: Error | None

    @property
    def result(self) -> Result:
        """What became of it."""
        if self.comparison is None or self.stopped is not None:
            return Result.STOPPED
        if self.comparison.differences:
            return Result.DIFFERENT
        facts = {name: value for name, subject, value in self.comparison.facts if not subject}
        whole = facts["tables.compared"] == facts["tables.expected"] and facts["foreign_keys.unchecked"] == 0
        return Result.EQUAL if whole else Result.INCOMPLETE


class _Nowhere:
    """The book itself is all that is kept while a recovery goes on."""

    def observe(self, *observations: Observation) -> None:
        """Nothing more."""


def survey(wanted: Wanted, *, tools: Rescue) -> Surveyed:
    """Look at everything that a recovery needs; nothing is written, neither to the store nor to the server.

    The small parts of the backup are fetched and opened, which shows that the key is the right one; with `deep`, all are.

    Raises:
        InterruptedRunError: somebody wants to stop.
    """
    tools.watcher.phase("survey")
    lookout = Lookout()
    vouched: list[str] = []
    doubts: list[str] = []
    found = lookout.attempt("store", "backup", lambda: _found(wanted, tools=tools, vouched=vouched, doubts=doubts))
    if found is None:
        return Surveyed(tuple(lookout.looks), None, None, "", "")
    listing = found.manifest
    lookout.see(
        Look("store", "backup", f"{listing.backup} of {listing.system}, taken {listing.taken}"),
        Look("store", "manifest", vouched[0] if vouched else "NOT AUTHENTICATED", advice="; ".join(doubts)),
        _present(found, store=tools.store),
        Look("keys", "private key", f"for {', '.join(listing.recipients)}", tools.opens(listing.recipients)),
    )
    room = _room(listing, workspace=tools.workspace)
    opened = (
        None if lookout.problems or room.problems else _opened(found, tools=tools, lookout=lookout, deep=wanted.deep)
    )
    world, tables = (opened[0], [(each.schema, each.name) for each in opened[1].tables]) if opened else (None, [])
    lookout.see(room)
    landing = lookout.attempt("programmes", "pg_restore", lambda: tools.landing(listing.engine_major))
    if landing is not None:
        lookout.see(
            Look("programmes", "pg_restore", landing.version),
            *landing.looks(facts_of(listing), world=world, tables=tables),
        )
    return Surveyed(tuple(lookout.looks), found, landing, "; ".join(vouched), "; ".join(doubts))


def recover(surveyed: Surveyed, *, wanted: Wanted, tools: Rescue) -> Recovery:
    """Restore what was surveyed, and compare it with the proof that the backup carries.

    An error that stops it is in the result, not raised, with what stands on the server by then.

    Raises:
        PreflightError, Error: the survey found something that stands in the way.
    """
    lookout = Lookout(looks=list(surveyed.looks))
    lookout.refuse()
    found, landing = surveyed.found, surveyed.landing
    if found is None or landing is None:
        raise PlanError("there is nothing to restore, or nowhere to restore to")
    book = Book(_Nowhere(), clock=tools.clock, watcher=tools.watcher)
    going = _Going(found=found, landing=landing, book=book, wanted=wanted, tools=tools)
    started = instants.text(tools.clock.now())
    stopped: Error | None = None
    try:
        going.carry_out()
    except Error as problem:
        stopped = problem
    tools.settle()
    phase = book.phase
    book.close()
    return Recovery(
        started=started,
        ended=instants.text(tools.clock.now()),
        found=found,
        vouched=surveyed.vouched,
        server=landing.label,
        standing=going.standing,
        phase=phase,
        observations=book.observations,
        errors=going.errors,
        findings=going.findings,
        comparison=going.comparison,
        stopped=stopped,
    )


class _Going:
    """One recovery under way; whatever stops it, what it has come to can be asked."""

    def __init__(self, *, found: Found, landing: Landing, book: Book, wanted: Wanted, tools: Rescue) -> None:
        self._found = found
        self._landing = landing
        self._book = book
        self._wanted = wanted
        self._tools = tools
        self.standing = Standing(database="", made=False, roles=())
        self.errors: tuple[str, ...] = ()
        self.findings: tuple[str, ...] = ()
        self.comparison: Comparison | None = None

    def carry_out(self) -> None:
        """From the store to the comparison."""
        tools, book, listing = self._tools, self._book, self._found.manifest
        sealed, home = _folder(tools.workspace, "sealed"), _folder(tools.workspace, "plain")
        tell_backup(self._found, book=book)
        recovery = book.ordered()
        recovery.phase("retrieve")
        with opening(tools.sealer, into=home) as opened:
            with _measured(lambda: _bytes(sealed), sum(part.size for part in listing.parts), watcher=tools.watcher):
                fetched = retrieve(
                    self._found, store=tools.store, watcher=_Deaf(), into=sealed, book=book, opened=opened
                )
            recovery.phase("unseal")
            with _measured(lambda: _bytes(home), sum(part.plain_size for part in listing.parts), watcher=tools.watcher):
                plain = {part.record.role: self._unsealed(part, into=home) for part in fetched}
        carried = uncarry(plain["proof"].read_bytes())
        proof = expected(carried, found=self._found, book=book)
        self.findings = proof.findings
        recovery.phase("prepare")
        with self._landing.start(listing.locale, database=listing.database) as target:
            try:
                with _measured(target.size, listing.source_size, watcher=tools.watcher):
                    filled = fill(target, plain, recovery=recovery, jobs=self._wanted.jobs)
                self._tell(target, filled)
                self.errors = filled.errors
                self._verify(target, proof, carried)
            finally:
                self.standing = target.standing

    def _unsealed(self, part: FetchedPart, *, into: Path) -> Plain:
        """The plain part; its sealed copy is not needed again."""
        plain = unseal(part, sealer=self._tools.sealer, into=into, book=self._book)
        self._tools.workspace.destroy(part.path)
        return plain

    def _tell(self, target: Recovered, filled: Filled) -> None:
        book, server = self._book, f"target server {target.version}"
        book.write("restore.rpo", _since(self._found.manifest.taken, book=book), source="source clock and system clock")
        book.write("restore.errors", len(filled.errors), source="pg_restore")
        book.write("restore.jobs", self._wanted.jobs, source="pg_restore")
        book.write("restore.durable", target.durable, source=server)
        book.write("target.version", target.version, source=server)

    def _verify(self, target: Recovered, proof: Proof, carried: Carried) -> None:
        book, clock = self._book, self._tools.clock
        begun = clock.tick()
        with book.entering("verify"):
            restored = target.prove(
                carried.key,
                like=proof,
                probes=(),
                jobs=self._wanted.jobs,
                watch=self._tools.watcher,
                sketches=decode_sketches(carried.sketches),
            )
            book.write("verify.elapsed", clock.tick() - begun, source="monotonic clock")
        self.comparison = compare(proof, restored)
        book.write_all(self.comparison.facts, source="comparison of the two proofs")


def _found(wanted: Wanted, *, tools: Rescue, vouched: list[str], doubts: list[str]) -> Found:
    prefix = _prefix(wanted, store=tools.store)

    def signer_of(data: bytes, signature: bytes) -> str:
        try:
            signer, words = _vouched(data, signature, prefix=prefix, tools=tools)
        except (TamperedError, UsageError) as problem:
            if not wanted.unauthenticated:
                raise
            doubts.append(problem.message)
            return ""
        vouched.append(words)
        return signer

    try:
        signature = tools.store.read(f"{prefix}/manifest.json.asc", limit=LARGEST_SIGNATURE)
    except StoreError:
        signature = b""
    return read(prefix, signature=signature, store=tools.store, signer_of=signer_of)


def _prefix(wanted: Wanted, *, store: Store) -> str:
    """Where the wanted backup lies."""
    held = {
        (parts[0], parts[1])
        for key in store.keys(f"{wanted.system}/" if wanted.system else "")
        if len(parts := key.split("/")) == _DEPTH and parts[2] == "manifest.json"
    }
    systems = sorted({system for system, _ in held})
    if not held:
        whose = f" of {wanted.system}" if wanted.system else ""
        raise StoreError(
            f"{store.location} holds no backup{whose}",
            hint="Check --store and --system: a store holds SYSTEM/BACKUP/manifest.json.",
        )
    named = sorted(system for system, backup in held if backup == wanted.backup)
    if len(named) == 1:
        return f"{named[0]}/{wanted.backup}"
    if len(systems) > 1:
        raise UsageError(
            f"{store.location} holds backups of {len(systems)} systems: {', '.join(systems[:_MOST_NAMED])}",
            hint="Say whose with --system NAME.",
        )
    ids = sorted(backup for _, backup in held)
    if wanted.backup in {"latest", "oldest"}:
        return f"{systems[0]}/{ids[-1 if wanted.backup == 'latest' else 0]}"
    raise StoreError(
        f"{store.location} holds no backup {wanted.backup!r} of {systems[0]}",
        hint=f"There are {len(ids)}; the newest: {', '.join(ids[: -_MOST_NAMED - 1 : -1])}.",
    )


def _vouched(data: bytes, signature: bytes, *, prefix: str, tools: Rescue) -> tuple[str, str]:
    """Who signed the manifest, and that in words.

    A key that has expired since then does not keep anybody from their data; a revoked one does.
    """
    if tools.verifier is None:
        raise UsageError(
            f"nobody was named whose signature over {prefix}/manifest.json counts",
            hint="Name them with --roster FILE or --signer FINGERPRINT. --unauthenticated restores what nobody vouches for.",
        )
    if not signature:
        raise TamperedError(
            f"there is no signature over {prefix}/manifest.json",
            hint="Restore another backup. --unauthenticated restores what nobody vouches for.",
        )
    path = written(tools.workspace.path / "manifest.json", data)
    try:
        seen = tools.verifier.inspect(signature, path)
    except TamperedError as problem:
        raise TamperedError(
            f"{prefix}: {problem.message}",
            hint=problem.hint or "Restore another backup. --unauthenticated restores what nobody vouches for.",
        ) from problem
    finally:
        tools.workspace.destroy(path)
    who = tools.trusted.get(seen.fingerprint)
    if who is None:
        raise TamperedError(
            f"the manifest of {prefix} is signed by {seen.fingerprint}, who was not named as an operator",
            hint="Name the roster that was in force when the backup was taken, or its signer.",
        )
    if seen.revoked is not None:
        raise TamperedError(
            f"the manifest of {prefix} is signed by {seen.fingerprint}, which was revoked ({seen.reason or 'no reason'})",
            hint="Find out why; --unauthenticated restores what nobody vouches for.",
        )
    ended = seen.expires is not None and seen.expires <= tools.clock.now()
    since = (
        f"; its key has expired since, on {instants.text(seen.expires)}" if ended and seen.expires is not None else ""
    )
    return seen.fingerprint, f"signed by {who} ({seen.fingerprint}) on {instants.text(seen.made)}{since}"


def _present(found: Found, *, store: Store) -> Look:
    """Whether every part is there in its size, without reading it."""
    problems: list[Error] = []
    for part in found.manifest.parts:
        size = store.size(f"{found.prefix}/{part.name}")
        if size is None:
            problems.append(StoreError(f"{found.prefix}/{part.name} is not in the store", hint="Try another store."))
        elif size != part.size:
            problems.append(
                TamperedError(
                    f"{found.prefix}/{part.name} has {size:,} bytes; the manifest says {part.size:,}",
                    hint="This copy is damaged: restore another backup, or from another store.",
                )
            )
    total = sum(part.size for part in found.manifest.parts)
    return Look(
        "store", "parts", f"{amount(len(found.manifest.parts), 'part')}, {amount(total, 'byte')}", tuple(problems)
    )


def _room(listing: Manifest, *, workspace: Workspace) -> Look:
    """The sealed parts and the plain ones lie side by side for a while."""
    needed = sum(part.size + part.plain_size for part in listing.parts)
    free = workspace.free()
    full = DiskError(
        f"{workspace.path} has {free:,} bytes free; fetching and opening this backup needs {needed:,}",
        hint="Set TMPDIR to a folder on a larger disk.",
    )
    seen = f"{free >> 20:,} MiB free, {(needed >> 20) + 1:,} MiB needed"
    return Look("machine", "disk", seen, (full,) if free < needed else ())


def _opened(found: Found, *, tools: Rescue, lookout: Lookout, deep: bool) -> tuple[bytes, Proof] | None:
    """Roles and settings, and the proof, out of the backup's small parts; everything is opened when it is asked for."""
    what = "everything fetched and opened" if deep else "key opens the backup"
    sealed, home = _folder(tools.workspace, "sealed-look"), _folder(tools.workspace, "plain-look")

    def look() -> tuple[bytes, Proof]:
        book = Book(_Nowhere(), clock=tools.clock, watcher=tools.watcher)
        plain: dict[str, Plain] = {}
        for record in found.manifest.parts:
            if deep or record.role in _SMALL:
                part = tools.store.fetch(f"{found.prefix}/{record.name}", record, into=sealed)
                plain[record.role] = unseal(part, sealer=tools.sealer, into=home, book=book)
                tools.workspace.destroy(part.path)
        for role in _SMALL:
            found.manifest.part(role)
        carried = uncarry(plain["proof"].read_bytes())
        return plain["globals"].read_bytes(), expected(carried, found=found, book=book)

    try:
        opened = lookout.attempt("keys", what, look)
    finally:
        for folder in (sealed, home):
            tools.workspace.destroy(folder)
    if opened is not None:
        lookout.see(
            Look("keys", what, f"promised: {amount(len(opened[1].tables), 'table')}, {amount(opened[1].rows, 'row')}")
        )
    return opened


def _folder(workspace: Workspace, name: str) -> Path:
    path = workspace.path / name
    path.mkdir(mode=0o700)
    return path


def _since(taken: str, *, book: Book) -> int:
    ordered = next(str(seen.value) for seen in book.observations if seen.fact == "restore.ordered")
    took = instants.parse(ordered) - instants.parse(taken)
    return max(0, round(took.total_seconds() * 1000))


class _Deaf:
    """Hears of parts while bytes are told."""

    def phase(self, name: str) -> None:
        """Nothing."""

    def progress(self, done: int, total: int, *, unit: str) -> None:
        """Nothing."""

    def say(self, text: str) -> None:
        """Nothing."""


@contextmanager
def _measured(size: Callable[[], int], total: int, *, watcher: Watcher) -> Iterator[None]:
    """While the block runs, how many bytes there are by now is told from another thread."""
    over = threading.Event()

    def tell() -> None:
        while not over.wait(_EVERY_S):
            watcher.progress(min(size(), total), total, unit="B")

    thread = threading.Thread(target=tell, name="how far", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        # a file may be gone, or renamed, by the time it is asked
        with suppress(OSError):
            if path.is_file():
                total += path.stat().st_size
    return total
