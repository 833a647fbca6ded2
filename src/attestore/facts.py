"""The closed vocabulary: every thing a run can measure, with its kind, unit and meaning.

A fact has no pass or fail. Thresholds live in gates only.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeAlias

__all__ = ["FACTS", "RTO_PHASES", "Fact", "IndexCheck", "Kind", "Value"]

Value: TypeAlias = int | bool | str


class Kind(Enum):
    """What a value is, and so which Python type and which unit it has."""

    DURATION = "duration"
    """int, milliseconds of a monotonic clock"""
    SIZE = "size"
    """int, bytes"""
    COUNT = "count"
    """int, without a unit"""
    FLAG = "flag"
    """bool"""
    TEXT = "text"
    """str"""
    INSTANT = "instant"
    """str, UTC, RFC 3339 with milliseconds and a Z"""

    @property
    def type(self) -> type[int] | type[bool] | type[str]:
        """The exact Python type of a value of this kind (bool is not an int here)."""
        match self:
            case Kind.DURATION | Kind.SIZE | Kind.COUNT:
                return int
            case Kind.FLAG:
                return bool
            case Kind.TEXT | Kind.INSTANT:
                return str

    @property
    def unit(self) -> str:
        """`ms`, `B`, or nothing."""
        match self:
            case Kind.DURATION:
                return "ms"
            case Kind.SIZE:
                return "B"
            case Kind.COUNT | Kind.FLAG | Kind.TEXT | Kind.INSTANT:
                return ""


class IndexCheck(Enum):
    """How deep B-tree indexes are looked into; the value is what the command line takes."""

    AUTO = "auto"
    """`heap` for small databases, `structure` above"""
    NONE = "none"
    STRUCTURE = "structure"
    """order and links of an index's pages"""
    HEAP = "heap"
    """structure, and that every row of the table is in the index"""


@dataclass(frozen=True, slots=True)
class Fact:
    """One named thing that can be measured."""

    name: str
    kind: Kind
    meaning: str
    per: str = ""
    """Name of the COUNT fact that says how many subjects must have been observed; empty: one value, no subject."""


RTO_PHASES: Final = ("retrieve", "unseal", "prepare", "schema", "data", "indexes", "finalize")
"""The consecutive phases whose durations sum to `restore.rto`, in their order."""

_ALL = (
    # ── the run itself
    Fact("run.completed", Kind.FLAG, "every phase up to teardown was carried out"),
    Fact("run.stopped", Kind.TEXT, "phase in which the run stopped, and why"),
    Fact("run.operator", Kind.TEXT, "person of the roster who ran it"),
    Fact("run.system", Kind.TEXT, "system under care"),
    Fact("run.host", Kind.TEXT, "operating system and processor count of the machine that ran it"),
    Fact("phases.entered", Kind.COUNT, "phases that were entered"),
    Fact("phase.elapsed", Kind.DURATION, "time a phase took", per="phases.entered"),
    Fact("tools.recorded", Kind.COUNT, "programmes and libraries whose version was recorded"),
    Fact("tool.version", Kind.TEXT, "version of a programme or library used", per="tools.recorded"),
    # ── preflight
    Fact("preflight.checks", Kind.COUNT, "things looked at before anything happened"),
    Fact("preflight.check", Kind.TEXT, "a thing looked at: what was seen, and what stands in the way", per="preflight.checks"),
    Fact("preflight.problems", Kind.COUNT, "of those, found standing in the way"),
    # ── source
    Fact("source.version", Kind.TEXT, "version of the source server"),
    Fact("source.database", Kind.TEXT, "name of the source database"),
    Fact("source.identifier", Kind.TEXT, "system identifier of the source cluster (pg_control_system)"),
    Fact("source.size", Kind.SIZE, "size of the source database (pg_database_size)"),
    Fact("source.encoding", Kind.TEXT, "encoding, collation and locale provider of the source database"),
    Fact("source.uncovered", Kind.COUNT, "relations whose data this method does not carry (extension-owned, foreign)"),
    Fact("snapshot.taken", Kind.INSTANT, "instant of the exported snapshot, by the source's clock"),
    Fact("snapshot.lsn", Kind.TEXT, "write-ahead log position beside the snapshot"),
    Fact("snapshot.attempts", Kind.COUNT, "snapshots taken until a dump got every lock that it needed"),
    Fact("snapshot.held", Kind.DURATION, "how long the snapshot held back vacuum on the source"),
    # ── backup
    Fact("backup.id", Kind.TEXT, "identity of the backup"),
    Fact("backup.digest", Kind.TEXT, "SHA-256 of the backup's manifest, which lists every part by digest"),
    Fact("backup.manifest.signer", Kind.TEXT, "primary key fingerprint that signed the manifest"),
    Fact("backup.size.plain", Kind.SIZE, "bytes before compression and encryption"),
    Fact("backup.size.sealed", Kind.SIZE, "bytes as stored"),
    Fact("backup.roles", Kind.COUNT, "roles carried by the backup"),
    Fact("backup.settings", Kind.COUNT, "database and role settings carried by the backup"),
    Fact("dump.jobs", Kind.COUNT, "parallel jobs of pg_dump"),
    Fact("source.jobs", Kind.COUNT, "sessions that might be at work on the source at once; only where that was bounded (--source-jobs)"),
    Fact("source.pause", Kind.DURATION, "rest of each session that proved the source, between two chunks; only where one was chosen (--source-pause)"),
    # ── seal
    Fact("seal.parts", Kind.COUNT, "sealed parts of the backup"),
    Fact("seal.recipients", Kind.COUNT, "public-key packets found in a part", per="seal.parts"),
    Fact("seal.recipients.unexpected", Kind.COUNT, "recipients of a part that are not allowed", per="seal.parts"),
    Fact("seal.key.algorithm", Kind.TEXT, "public-key algorithm a part is sealed to", per="seal.parts"),
    Fact("seal.key.bits", Kind.COUNT, "size in bits of the smallest recipient key of a part", per="seal.parts"),
    Fact("seal.cipher", Kind.TEXT, "symmetric cipher of a part, as its packets say", per="seal.parts"),
    Fact("seal.integrity", Kind.TEXT, "integrity protection of a part: MDC, AEAD or none", per="seal.parts"),
    Fact("seal.decrypts", Kind.FLAG, "a part decrypts with the private key, to its recorded plain digest", per="seal.parts"),
    Fact("seal.refused", Kind.FLAG, "a part is refused by a keyring that holds no private key", per="seal.parts"),
    Fact("unseal.alone", Kind.TEXT, "primary fingerprint of the only private key that was at hand, and opened the backup"),
    Fact("seal.magic", Kind.COUNT, "plaintext or archive signatures found in a part's stored bytes", per="seal.parts"),
    # ── store
    Fact("store.location", Kind.TEXT, "where the backup is kept"),
    Fact("stored.parts", Kind.COUNT, "parts put into the store and read back"),
    Fact("stored.parts.differing", Kind.COUNT, "of those, read back with another digest"),
    Fact("stores.asked", Kind.COUNT, "stores that the backup had to be put into or was asked from"),
    Fact("store.place", Kind.TEXT, "where such a store is, and whether by the operator's word it is off-site", per="stores.asked"),
    Fact("store.verified", Kind.FLAG, "this run read every byte of the backup from that store, and they are those that the signed manifest lists", per="stores.asked"),
    Fact("stores.verified", Kind.COUNT, "of the stores asked, those of which that holds"),
    Fact("stores.off_site", Kind.COUNT, "of the stores verified, those that by the operator's word are somewhere else than the source"),
    Fact("stores.immutable", Kind.COUNT, "of the stores verified, those that say of every object of the backup that nobody may delete it yet"),
    Fact("store.lock", Kind.TEXT, "under which lock, and until when the first of the backup's objects is", per="stores.immutable"),
    Fact("store.versions", Kind.COUNT, "objects of the backup whose version a store told"),
    Fact("store.version", Kind.TEXT, "what a store calls the version of an object that was read back", per="store.versions"),
    Fact("fetched.from", Kind.TEXT, "name of the store that the restored backup was fetched from"),
    Fact("fetched.damaged", Kind.COUNT, "stores that were asked before it and gave the backup back damaged, incomplete or not at all"),
    Fact("local.destroyed", Kind.FLAG, "no byte of the local copy was left when the restore was ordered"),
    Fact("fetched.parts", Kind.COUNT, "parts fetched from the store and compared with the signed manifest"),
    Fact("fetched.parts.differing", Kind.COUNT, "of those, with another size or digest than the manifest says"),
    # ── restore
    Fact("restore.ordered", Kind.INSTANT, "instant at which the restore was ordered"),
    Fact("restore.rto", Kind.DURATION, "from the order to restore until the first query was answered, all keys, indexes and statistics in place"),
    Fact("restore.rpo", Kind.DURATION, "age of the backup's snapshot when the restore was ordered"),
    Fact("restore.retrieve", Kind.DURATION, "RTO phase: fetch sealed parts from the store, decrypt and unpack what has come"),
    Fact("restore.unseal", Kind.DURATION, "RTO phase: decrypt and unpack what is left"),
    Fact("restore.prepare", Kind.DURATION, "RTO phase: start the server that takes the restore (or reach it), roles, empty database"),
    Fact("restore.schema", Kind.DURATION, "RTO phase: pre-data section"),
    Fact("restore.data", Kind.DURATION, "RTO phase: data section"),
    Fact("restore.indexes", Kind.DURATION, "RTO phase: post-data section (indexes, keys, constraints, triggers)"),
    Fact("restore.finalize", Kind.DURATION, "RTO phase: settings, statistics, first query"),
    Fact("restore.errors", Kind.COUNT, "errors reported while restoring"),
    Fact("restore.error", Kind.TEXT, "an error of the restore, in the words of the programme", per="restore.errors"),
    Fact("restore.jobs", Kind.COUNT, "parallel jobs of pg_restore"),
    Fact("restore.durable", Kind.FLAG, "the target ran with fsync and full_page_writes on"),
    # ── target
    Fact("target.settings", Kind.COUNT, "settings of the target that were chosen for it"),
    Fact("target.setting", Kind.TEXT, "a setting of the target, as the server itself says it", per="target.settings"),
    Fact("target.version", Kind.TEXT, "version of the target server"),
    Fact("target.identifier", Kind.TEXT, "system identifier of the target cluster"),
    Fact("target.segregated", Kind.FLAG, "the target's system identifier differs from the source's"),
    Fact("target.empty", Kind.FLAG, "the target database was made by this run and held no relation before the restore"),
    Fact("target.network", Kind.TEXT, "network of the target: none (own network namespace), socket-only, or existing server (nothing is known of it)"),
    # ── comparison of the two proofs
    Fact("proof.method", Kind.TEXT, "how rows were fingerprinted: audit (keyed sums over rows, in any order) or stream (digest of the dump's own text)"),
    Fact("tables.expected", Kind.COUNT, "tables in the backup's proof"),
    Fact("tables.compared", Kind.COUNT, "tables found on both sides and compared"),
    Fact("tables.missing", Kind.COUNT, "tables in the backup's proof that the restore lacks"),
    Fact("tables.extra", Kind.COUNT, "tables in the restore that the backup's proof lacks"),
    Fact("tables.rows.differing", Kind.COUNT, "compared tables with another number of rows"),
    Fact("tables.fingerprints.differing", Kind.COUNT, "compared tables with another fingerprint"),
    Fact("tables.unlocated", Kind.COUNT, "compared tables that differ and whose differing rows were not all found: their rows are counted as at least so many"),
    Fact("rows.expected", Kind.COUNT, "rows in the backup's proof"),
    Fact("rows.restored", Kind.COUNT, "rows in the restored database"),
    Fact("rows.changed", Kind.COUNT, "rows whose key is on both sides and whose other values differ, over all tables; at least so many where tables.unlocated is not 0"),
    Fact("rows.missing", Kind.COUNT, "rows that the restore lacks, over all tables; at least so many where tables.unlocated is not 0"),
    Fact("rows.extra", Kind.COUNT, "rows only in the restore, over all tables; at least so many where tables.unlocated is not 0"),
    Fact("objects.compared", Kind.COUNT, "objects (definitions) found on both sides and compared"),
    Fact("objects.differing", Kind.COUNT, "objects missing, extra or with another definition"),
    Fact("foreign_keys.checked", Kind.COUNT, "foreign keys whose every row was looked up in the restored database"),
    Fact("foreign_keys.unchecked", Kind.COUNT, "foreign keys in the backup's proof that were not looked up after the restore"),
    Fact("foreign_keys.orphans", Kind.COUNT, "rows without their parent, over all foreign keys"),
    Fact("indexes.checked", Kind.COUNT, "indexes of the restored database that were looked at"),
    Fact("indexes.invalid", Kind.COUNT, "of those, not valid or not ready although the source's were"),
    Fact("indexes.depth", Kind.TEXT, "how deep B-tree indexes were looked into by amcheck: none, structure or heap, and why so"),
    Fact("indexes.verified", Kind.COUNT, "indexes that were read through and compared with their own rules"),
    Fact("indexes.corrupt", Kind.COUNT, "of those, indexes whose structure is broken or that miss rows of their table"),
    Fact("indexes.compared_only", Kind.COUNT, "indexes whose definition and validity were compared, and no more"),
    Fact("constraints.exercised", Kind.COUNT, "constraints of the restored copy to which a violating row was offered, in a transaction that was rolled back"),
    Fact("constraints.accepting", Kind.COUNT, "of those, constraints that did not refuse it"),
    Fact("constraints.compared_only", Kind.COUNT, "constraints whose definition was compared, because no violating row could be offered"),
    Fact("triggers.exercised", Kind.COUNT, "triggers and event triggers of the restored copy whose event was caused, in a transaction that was rolled back"),
    Fact("triggers.fired", Kind.COUNT, "of those, enabled ones that were called"),
    Fact("triggers.silent", Kind.COUNT, "of those, enabled ones that were not called, and disabled ones that were"),
    Fact("triggers.compared_only", Kind.COUNT, "triggers and event triggers whose definition was compared, because their event could not be caused"),
    Fact("generated.compared", Kind.COUNT, "stored generated columns whose values, computed anew by the restore, were compared with the source's"),
    Fact("generated.differing", Kind.COUNT, "of those, with other values although the stored columns of their table are equal"),
    Fact("generated.uncompared", Kind.COUNT, "stored generated columns of the source whose values were not compared: they could not be, or the stored rows of their table differ"),
    Fact("matviews.compared", Kind.COUNT, "materialized views whose content, computed anew by the restore, was compared with the source's"),
    Fact("matviews.recomputed.differing", Kind.COUNT, "of those, with other content: stale at the source, or computed from more than their tables"),
    Fact("matviews.uncompared", Kind.COUNT, "populated materialized views of the source whose content was not compared"),
    Fact("sequences.compared", Kind.COUNT, "sequences found on both sides and compared"),
    Fact("sequences.behind", Kind.COUNT, "sequences missing, behind the source's value, or behind the largest key they feed"),
    Fact("probes.asked", Kind.COUNT, "probes asked on both sides"),
    Fact("probe.equal", Kind.FLAG, "a probe's whole result is equal on both sides", per="probes.asked"),
    Fact("probe.rows", Kind.COUNT, "rows a probe returned on the source", per="probes.asked"),
    Fact("probes.valued", Kind.COUNT, "probes whose value a gate bounds, and that answered one whole number on the source"),
    Fact("probe.value", Kind.COUNT, "the whole number that such a probe answered on the source", per="probes.valued"),
    Fact("verify.elapsed", Kind.DURATION, "time of the comparison, not part of the RTO"),
    # ── negative control
    Fact("control.planted", Kind.COUNT, "changes deliberately made to the restored copy after the comparison"),
    Fact("control.noticed", Kind.COUNT, "of those, noticed by the same comparison"),
    Fact("control.unnoticed", Kind.COUNT, "of those planted, not noticed"),
    Fact("control.unplanned", Kind.COUNT, "differences between the restored copy before it was tried and after the control that no planted change accounts for: what a trial left behind"),
    Fact("control.leftover", Kind.TEXT, "such a difference; of many, the first 20", per="control.unplanned"),
    Fact("control.reread", Kind.COUNT, "tables of the restored copy whose rows were read again for the control: all of them, or those that the checker wrote to where the server's commit log shows that nobody else committed anything"),
    Fact("control.transactions", Kind.COUNT, "transactions and savepoints of the isolated server that could have changed something between the proof of the copy and the control's, by its commit log"),
    Fact("control.committed", Kind.COUNT, "of those, neither rolled back nor the checker's own: where there is any, the rows of every table were read again"),
    Fact("control.change", Kind.TEXT, "a planted change, and whether it was noticed", per="control.planted"),
    # ── teardown
    Fact("teardown.complete", Kind.FLAG, "everything that the restore made is gone: the isolated server with its files, or the database and roles"),
)  # fmt: skip

FACTS: Final = MappingProxyType({fact.name: fact for fact in _ALL})
"""Every fact by its name; there is no other."""
