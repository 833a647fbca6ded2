"""The doors to the world: small Protocols, and the values that cross them.

The order of the cycle is typed: `Plain` → `SealedPart` → `StoredPart` → `FetchedPart` → `Plain`. A store takes nothing
plain, and what is restored can come only out of a store.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import NewType, Protocol

from attestore.canon import Digest
from attestore.errors import Error
from attestore.evidence import Locale, PartRecord
from attestore.gate import Probe
from attestore.proof import AUDIT, Behaviour, Change, IndexCheck, Proof, Sketches

__all__ = [
    "Attachment",
    "Clock",
    "Dumper",
    "Dumping",
    "Entropy",
    "FetchedPart",
    "Inspected",
    "Look",
    "Page",
    "Plain",
    "Planted",
    "Printer",
    "Restored",
    "Scratch",
    "SealedPart",
    "Sealer",
    "Seals",
    "Section",
    "Signed",
    "Signer",
    "Snapshot",
    "Source",
    "SourceFacts",
    "Stamped",
    "Stamps",
    "Store",
    "StoredPart",
    "Tap",
    "Target",
    "Texts",
    "Verifier",
    "Watcher",
    "Workspace",
]

Plain = NewType("Plain", Path)
"""A file or folder that anybody could read."""


@dataclass(frozen=True, slots=True)
class Look:
    """One thing that was looked at before anything happened: what was seen, and whatever stands in the way."""

    area: str
    """source, target, store, keys, programmes, paper or machine"""
    what: str
    """unique within its area"""
    seen: str
    """in words; holds no secret"""
    problems: tuple[Error, ...] = ()
    advice: str = ""
    """worth knowing, though it stands in nobody's way"""


# ── time and chance


class Clock(Protocol):
    """Wall time for the record, ticks for arithmetic."""

    def now(self) -> datetime:
        """This instant, in UTC."""
        ...

    def tick(self) -> int:
        """Milliseconds of a monotonic clock, from any start."""
        ...


class Entropy(Protocol):
    """Unguessable bytes."""

    def token(self, size: int) -> bytes:
        """`size` random bytes."""
        ...


# ── the server under care


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the source says of itself before anything happens."""

    database: str
    user: str
    version: str
    major: int
    identifier: str
    size: int
    locale: Locale
    extensions: tuple[tuple[str, str], ...]
    tables: int
    superuser: bool
    features: tuple[str, ...] = ()
    """what the target's programmes must have been built with: `icu`, `libxml`"""


class Source(Protocol):
    """One PostgreSQL database under care, read only."""

    def describe(self) -> SourceFacts:
        """What the source says of itself.

        Raises:
            UnreachableError: it does not answer.
            AuthenticationError: it refuses the credentials.
        """
        ...

    def problems(self) -> tuple[Error, ...]:
        """Everything that would make a backup incomplete: unreadable tables, row security, too few locks …"""
        ...

    def looks(self) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; `problems` are those of the looks."""
        ...

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """A locked, exported snapshot that lives as long as the block."""
        ...


class Snapshot(Protocol):
    """One exported snapshot, with every table locked in ACCESS SHARE mode."""

    @property
    def name(self) -> str:
        """What other sessions pass to SET TRANSACTION SNAPSHOT."""
        ...

    @property
    def taken(self) -> str:
        """UTC instant by the source's clock, RFC 3339 with milliseconds."""
        ...

    @property
    def lsn(self) -> str:
        """Write-ahead log position beside the snapshot."""
        ...

    def prove(
        self,
        key: bytes,
        *,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        method: str = AUDIT,
        sketches: Sketches | None = None,
    ) -> Proof:
        """What the database holds at this snapshot, rows fingerprinted under `key`; sketches of tables into `sketches`.

        By method `stream` rows are counted; `Texts.complete` adds the digests of what the dump wrote.
        """
        ...

    def tables(self) -> Mapping[int, tuple[str, str]]:
        """Schema and name of each relation that stores rows, by the OID that a dump's table of contents tells."""
        ...

    def globals(self) -> bytes:
        """Roles (never passwords), memberships, database and role settings: canonical bytes that a Target applies."""
        ...


class Dumper(Protocol):
    """A programme that makes files which we seal and store."""

    @property
    def version(self) -> str:
        """Programme and version, e.g. `pg_dump 15.18`."""
        ...

    @property
    def major(self) -> int:
        """Major version."""
        ...

    def dumping(self, snapshot: Snapshot, into: Path, *, jobs: int) -> AbstractContextManager[Dumping]:
        """A dump of the whole database at that snapshot, begun; what still runs when the block ends is ended."""
        ...

    def texts(self, archive: Plain, snapshot: Snapshot) -> Texts:
        """What digests each table's rows as that dump holds them, while its files are sealed."""
        ...


class Dumping(Protocol):
    """A dump that goes on beside whoever waits for it."""

    def locked(self) -> None:
        """Return as soon as the dump holds a lock of every table.

        Raises:
            ContendedError: somebody waits for an exclusive lock of a table, and the dump would wait behind them for ever.
            ProgramFailedError, DiskError: the dump ended with an error.
        """
        ...

    def finish(self) -> Plain:
        """The dump, in directory format, uncompressed, in a new folder.

        Raises:
            ContendedError: as above; parallel dumps can meet it until their end.
            ProgramFailedError: pg_dump ended with an error; its last words are in the message.
            DiskError: no space left.
        """
        ...


# ── seal


class Tap(Protocol):
    """Somebody who looks at the files of a folder while they are sealed, so that nothing is read twice."""

    def file(self, name: str) -> Callable[[bytes], None] | None:
        """What hears the bytes of that file, chunk by chunk; None for a file that is of no interest."""
        ...


class Texts(Tap, Protocol):
    """The rows of each table as a dump holds them, digested on their way."""

    def complete(self, proof: Proof) -> Proof:
        """The proof with each table's digest, once every file went by.

        A table whose rows the dump does not hold stays without one, which is never equal to anything.

        Raises:
            ProgramFailedError: a file of the dump does not end as pg_dump ends it.
        """
        ...


@dataclass(frozen=True, slots=True)
class SealedPart:
    """A part after a cipher has had it."""

    record: PartRecord
    path: Path


@dataclass(frozen=True, slots=True)
class Seals:
    """What the packets of a sealed object say, read from its bytes."""

    recipients: int
    """public-key encrypted session key packets"""
    unexpected: int
    """of those, to a key that is not an allowed recipient (hidden recipients count as unexpected)"""
    algorithm: str
    """RSA, ECDH …; several joined by a comma"""
    bits: int
    """size of the smallest recipient key"""
    cipher: str
    """AES256 …, as gpg reports while it decrypts"""
    integrity: str
    """MDC, AEAD or none"""
    magic: int
    """plaintext or archive signatures found anywhere in the bytes"""


class Sealer(Protocol):
    """Compresses and encrypts; decrypts and unpacks."""

    @property
    def version(self) -> str:
        """Programme and version."""
        ...

    @property
    def recipients(self) -> tuple[str, ...]:
        """Primary key fingerprints that parts are sealed to."""
        ...

    def problems(self, *, decrypting: bool) -> tuple[Error, ...]:
        """Whatever stands in the way of sealing and, if `decrypting`, of unsealing a nonce."""
        ...

    def seal(self, plain: Plain, *, role: str, into: Path, tap: Tap | None = None) -> SealedPart:
        """A file, or a folder as one tar stream, compressed once and encrypted into a new file below `into`.

        `tap` looks at the files of a folder on their way.
        """
        ...

    def unseal(self, part: FetchedPart, *, into: Path) -> Plain:
        """The part's plain file or folder below `into`, after its plain digest was compared with the record.

        Raises:
            TamperedError: it does not decrypt, or decrypts to something else than the record says.
            KeyringError: the private key isn't here.
        """
        ...

    def inspect(self, part: FetchedPart) -> Seals:
        """What the stored bytes of a part say about how they are sealed."""
        ...

    def refused(self, part: FetchedPart) -> bool:
        """Whether a keyring without the private key refuses the part."""
        ...


# ── store


@dataclass(frozen=True, slots=True)
class Signed:
    """A file that may be stored in the clear because it holds no data: a manifest, or a signature over one."""

    path: Path


@dataclass(frozen=True, slots=True)
class StoredPart:
    """An object in a store, as it was read back: size in bytes and SHA-256."""

    key: str
    size: int
    digest: Digest


@dataclass(frozen=True, slots=True)
class FetchedPart:
    """A part that came out of a store: what the signed manifest says, and what the bytes are."""

    record: PartRecord
    path: Path
    size: int
    digest: Digest

    @property
    def intact(self) -> bool:
        """Whether size and digest are those of the record."""
        return self.size == self.record.size and self.digest == self.record.digest


class Store(Protocol):
    """Keeps objects by key; a key is written once and never again."""

    @property
    def location(self) -> str:
        """Where it is, for people; no secrets."""
        ...

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of a round trip (write, read back, delete a nonce)."""
        ...

    def put(self, key: str, item: SealedPart | Signed) -> StoredPart:
        """Store durably and atomically, then read every byte back.

        Raises:
            StoreError: the key exists, or the store refused or returned other bytes.
            DiskError: no space left.
        """
        ...

    def keys(self, prefix: str) -> tuple[str, ...]:
        """All keys below a prefix, sorted."""
        ...

    def size(self, key: str) -> int | None:
        """Bytes of an object as the store tells them without reading it; None where there is none."""
        ...

    def read(self, key: str, *, limit: int) -> bytes:
        """A small object whole.

        Raises:
            StoreError: there is none, or it is larger than `limit` bytes.
        """
        ...

    def fetch(self, key: str, record: PartRecord, *, into: Path) -> FetchedPart:
        """An object into a new file below `into`, sized and digested on the way; the caller asks whether it is intact.

        Raises:
            StoreError: there is none, or the transfer failed.
        """
        ...


# ── scratch


class Section(Enum):
    """The three sections of an archive, in pg_restore's words."""

    SCHEMA = "pre-data"
    DATA = "data"
    INDEXES = "post-data"


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore step reported: each error of pg_restore or of a statement, in its own words."""

    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Planted:
    """One deliberate change of the restored copy: what it was, and the subject whose difference must show it."""

    what: str
    subject: str
    row: Change | None = None
    """what became of the row, where one row was changed: it must be found as a row"""


class Scratch(Protocol):
    """Makes isolated servers for one run."""

    @property
    def major(self) -> int:
        """Major version of the servers it makes."""
        ...

    @property
    def version(self) -> str:
        """Version of the programmes."""
        ...

    def problems(self, facts: SourceFacts) -> tuple[Error, ...]:
        """Whatever stands in the way: missing extensions, unknown locale, no unprivileged user, no disk …"""
        ...

    def looks(self, facts: SourceFacts) -> tuple[Look, ...]:
        """Everything that was looked at, fine or not; `problems` are those of the looks."""
        ...

    def start(self, locale: Locale, *, database_size: int) -> AbstractContextManager[Target]:
        """A new, empty, isolated server with its own system identifier, gone when the block ends.

        Raises:
            ScratchError: initdb or postgres failed; the log's last words are in the message.
        """
        ...


class Target(Protocol):
    """An isolated server that holds the restored copy."""

    @property
    def version(self) -> str:
        """Server version."""
        ...

    @property
    def identifier(self) -> str:
        """System identifier of the cluster."""
        ...

    @property
    def network(self) -> str:
        """`none` (own network namespace), `socket-only`, or `existing server` (nothing is known of its network)."""
        ...

    @property
    def durable(self) -> bool:
        """Whether fsync and full_page_writes are on, as the server itself says."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """Server settings that differ from the default, as the server itself says."""
        ...

    def create(self, world: bytes) -> Restored:
        """Roles (no login, no password) and the empty, random-named database."""
        ...

    def empty(self) -> bool:
        """Whether the database holds no user relation."""
        ...

    def restore(self, archive: Plain, section: Section, *, jobs: int) -> Restored:
        """One section of the archive by pg_restore."""
        ...

    def finalize(self, world: bytes) -> Restored:
        """Database and role settings (never ones that load libraries), ANALYZE."""
        ...

    def first_query(self) -> int:
        """Number of user tables, answered by the restored database over a new session."""
        ...

    def prove(  # noqa: PLR0913  each is one decision about a proof
        self,
        key: bytes,
        *,
        like: Proof,
        probes: Sequence[Probe],
        jobs: int,
        watch: Watcher,
        sketches: Sketches | None = None,
        shown: bool = False,
    ) -> Proof:
        """What the restored database holds, with foreign keys checked and differing definitions of `like` read back.

        In tables that differ, the differing rows are found by the `sketches` of `like`; their keys are `shown` or not.
        """
        ...

    def exercise(self, depth: IndexCheck) -> Behaviour:
        """What the copy does when it is tried: constraints refuse, triggers fire, indexes fit; all of it rolled back."""
        ...

    def plant(self) -> tuple[Planted, ...]:
        """Change the restored copy deliberately: one value altered, one row deleted, one index dropped, as far as it has them."""
        ...

    def destroy(self) -> bool:
        """Stop the server and remove its files; whether nothing is left."""
        ...


# ── keys, paper, terminal, disk


class Signer(Protocol):
    """Makes detached OpenPGP signatures as one person."""

    @property
    def fingerprint(self) -> str:
        """Primary key fingerprint, 40 upper-case hexadecimal digits."""
        ...

    def problems(self) -> tuple[Error, ...]:
        """Whatever stands in the way of signing a nonce and verifying it."""
        ...

    def sign(self, path: Path) -> Path:
        """Write the armoured detached signature `<path>.asc` durably.

        Raises:
            KeyringError: the key is missing, locked, expired or revoked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Inspected:
    """One good signature over some bytes, with the times that bear on it; whether it counts is not decided here."""

    fingerprint: str
    """primary key fingerprint, 40 upper-case hexadecimal digits"""
    made: datetime
    """when it was signed, by the signer's own clock"""
    created: datetime
    """when the key that signed was made"""
    expires: datetime | None
    """from when on the key that signed, or its primary key, is expired; None for never"""
    revoked: datetime | None
    """when either was revoked, by the revocation's own word; None for never"""
    reason: str
    """why it was revoked, in words; empty where it was not"""


class Verifier(Protocol):
    """Accepts detached OpenPGP signatures by the rule of docs/adr, with a keyring that holds the roster's keys only."""

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        """The one good signature over the file's bytes, be its key expired or revoked since.

        Raises:
            TamperedError: as `verify`, but not for an expired or a revoked key.
        """
        ...

    def verify(self, signature: bytes, data: Path) -> str:
        """Primary key fingerprint of the one good signature over the file's bytes.

        Raises:
            TamperedError: anything but exactly one valid, unexpired, unrevoked signature (class 00, SHA-2) by a key of
                the keyring.
        """
        ...


@dataclass(frozen=True, slots=True)
class Stamped:
    """What a time stamp proves: the bytes existed by then."""

    at: datetime
    authority: str


class Stamps(Protocol):
    """Checks time stamps against authorities that somebody outside the archive trusts."""

    def check(self, token: bytes, data: bytes) -> Stamped:
        """When `data` was stamped, and by whom.

        Raises:
            TamperedError: it is no time stamp over `data` by an authority that is trusted.
        """
        ...


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file carried inside the PDF; `relationship` in the words of ISO 32000 (Data, Source, Supplement)."""

    name: str
    data: bytes
    media_type: str
    description: str
    relationship: str = "Data"


@dataclass(frozen=True, slots=True)
class Page:
    """Everything a printer needs to make one document reproducibly."""

    html: str
    title: str
    language: str
    identifier: str
    created: datetime


class Printer(Protocol):
    """Makes PDF/A from HTML that refers to nothing outside."""

    @property
    def version(self) -> str:
        """Programme and version."""
        ...

    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        """The PDF's bytes, equal for equal input on one machine.

        Raises:
            PrintError: the HTML refers to something outside, or the printer's libraries are missing.
        """
        ...


class Watcher(Protocol):
    """Somebody who watches a run: a terminal, a log, nobody."""

    def phase(self, name: str) -> None:
        """A phase begins; the one before it, if any, has ended."""
        ...

    def progress(self, done: int, total: int, *, unit: str) -> None:
        """How far the phase is; `unit` is B, rows, tables or parts."""
        ...

    def say(self, text: str) -> None:
        """A sentence for people."""
        ...


class Workspace(Protocol):
    """A private folder of one run, removed with everything in it when the run ends, however it ends."""

    @property
    def path(self) -> Path:
        """The folder."""
        ...

    @property
    def logs(self) -> Path:
        """Where programmes' redacted output is kept until it is copied into the bundle."""
        ...

    def free(self) -> int:
        """Bytes free on its disk."""
        ...

    def destroy(self, path: Path) -> bool:
        """Remove a file or folder below it; whether nothing is left."""
        ...
