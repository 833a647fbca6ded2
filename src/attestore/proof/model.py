"""What a database holds at one snapshot, as a value with exact bytes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError
from attestore.proof import behaviour as behaviours
from attestore.proof import computed as computed_things
from attestore.proof import located as located_rows
from attestore.proof.behaviour import Behaviour
from attestore.proof.computed import Computed
from attestore.proof.located import Located

__all__ = [
    "AUDIT",
    "FORMAT",
    "METHODS",
    "STREAM",
    "UNENFORCED",
    "ForeignKey",
    "Object",
    "ProbeResult",
    "Proof",
    "Query",
    "Reading",
    "Sequence",
    "Setting",
    "Table",
    "decode",
    "encode",
    "ordered",
]

FORMAT: Final = "attestore/proof/v1"

UNENFORCED: Final = "; not enforced: its triggers are disabled"
"""behind the state of a constraint; no dump carries it, so a source where it is so has a finding and no loss"""

AUDIT: Final = "audit"
"""keyed multiset of canonical rows, computed in the server: knows no order, finds the rows that differ"""
STREAM: Final = "stream"
"""SHA-256 of a table's COPY text as the dump holds it, digested while it is sealed: knows order, finds tables only"""
METHODS: Final = (AUDIT, STREAM)


@dataclass(frozen=True, slots=True, order=True)
class Table:
    """One relation that stores rows, counted and fingerprinted.

    `kind` is table, partition, unlogged or foreign; `sums` are the four exact sums
    of the 64-bit words of the keyed row digests (MSet-Add-Hash, Clarke et al., ASIACRYPT 2003), all 0 for an
    empty table. A table that is not `covered` by a dump carries the reason and is reported, never compared.
    """

    schema: str
    name: str
    kind: str
    rows: int
    sums: tuple[int, int, int, int]
    columns: tuple[str, ...] = ()
    uncovered: str = ""
    size: int = 0
    """bytes on disk on this side; never compared"""
    text: str = ""
    """method `stream`: SHA-256 of the table's COPY text, its columns in the order of `columns`"""
    member: str = ""
    """source side of `stream`: the archive's file that holds that text"""
    permutes: str = ""
    """restored side of `stream`: SHA-256 of a text of the same lines, where only the order or (`through`) the partition differs"""
    wide: str = ""
    """method `audit`, rows beyond 1 GB: the encoding of the source, in which each long value is digested by itself"""
    through: tuple[str, str] | None = None
    """schema and name of the partitioned table that a dump loads these rows through: some may come back in another partition"""

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return f"{self.schema}.{self.name}"

    @property
    def fingerprint(self) -> str:
        """SHA-256 over count and sums, or count and text: one short value to print; equal exactly when those are.

        Of a text whose lines only stand in another order, it is that of the text they were ordered like.
        """
        if self.text:
            return canon.domain_digest("table-text", str(self.rows).encode(), (self.permutes or self.text).encode())
        return canon.domain_digest("table-fingerprint", str(self.rows).encode(), *(str(s).encode() for s in self.sums))


@dataclass(frozen=True, slots=True, order=True)
class Object:
    """One catalogue object; `definition` is its canonical text, `state` the flags that matter beside it."""

    klass: str
    identity: str
    definition: str
    state: str = ""


@dataclass(frozen=True, slots=True, order=True)
class ForeignKey:
    """One foreign key; `orphans` are rows that miss their parent, counted where it was `checked` (the restored side)."""

    table: str
    name: str
    references: str
    validated: bool
    checked: bool
    orphans: int


@dataclass(frozen=True, slots=True, order=True)
class Sequence:
    """One sequence; `reached` is the last value handed out (or the start, when none was), `feeds` the largest key it feeds."""

    schema: str
    name: str
    reached: int
    called: bool
    increment: int = 1
    feeds: str = ""
    largest: int | None = None

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True, slots=True, order=True)
class ProbeResult:
    """What one probe returned: number of rows and a keyed digest of the whole result, in order.

    `value` is the one whole number that it answered, where a gate bounds it.
    """

    probe: str
    rows: int
    digest: str
    sql: str
    value: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Setting:
    """A database or role setting, or a role attribute: `scope` says whose."""

    scope: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, order=True)
class Reading:
    """What a definition reads as after one round trip through the target server.

    `CHECK (x IN (…))` deparses differently after its first restore and never again; both sides' definitions are
    loaded into the target (in a transaction that rolls back), read back, and the readings compared.
    """

    klass: str
    identity: str
    definition: str
    reads: str


@dataclass(frozen=True, slots=True, order=True)
class Query:
    """A statement that was executed to take the proof, for the report's annex."""

    name: str
    sql: str


@dataclass(frozen=True, slots=True)
class Proof:
    """What a database holds; two proofs are compared by `attestore.proof.compare`."""

    side: str
    """`source` or `restored`"""
    database: str
    server: str
    taken: str
    """UTC instant, RFC 3339"""
    method: str
    """how rows were fingerprinted: `audit` or `stream`"""
    key_commitment: str
    """SHA-256 under domain `fingerprint-key` of the key K; K itself never enters a bundle"""
    session: tuple[Setting, ...]
    """session settings pinned while the proof was taken"""
    tables: tuple[Table, ...]
    objects: tuple[Object, ...]
    foreign_keys: tuple[ForeignKey, ...]
    sequences: tuple[Sequence, ...]
    probes: tuple[ProbeResult, ...]
    settings: tuple[Setting, ...]
    """database and role settings, roles"""
    queries: tuple[Query, ...] = ()
    """what was executed, one per kind of question (per-table statements: one example)"""
    readings: tuple[Reading, ...] = ()
    """restored side only: definitions that differ as text, each as the target reads it back"""
    findings: tuple[str, ...] = ()
    """sentences about the database as it is (invalid index, NOT VALID constraint …): findings, not losses"""
    behaviour: Behaviour | None = None
    """restored side only: what it did when it was tried; None where nothing was tried"""
    located: tuple[Located, ...] = ()
    """restored side only: differing rows of tables that differ, as far as a sketch of the source was there to find them"""
    computed: tuple[Computed, ...] = ()
    """what a restore computes anew: values of generated columns, content of materialized views"""
    asked: tuple[str, ...] = ()
    """classes of objects that were asked for beside those that every proof tells of; compared where both sides asked"""

    @property
    def rows(self) -> int:
        """Rows of all covered tables."""
        return sum(table.rows for table in self.tables if not table.uncovered)


def ordered(proof: Proof) -> Proof:
    """The same proof as it is read back from its bytes: a server tells things in any order."""
    return replace(
        proof,
        tables=tuple(sorted(proof.tables)),
        objects=tuple(sorted(proof.objects)),
        foreign_keys=tuple(sorted(proof.foreign_keys)),
        sequences=tuple(sorted(proof.sequences, key=lambda s: (s.schema, s.name))),
        probes=tuple(sorted(proof.probes, key=lambda p: (p.probe, p.rows, p.digest, p.sql))),
        settings=tuple(sorted(proof.settings)),
        readings=tuple(sorted(proof.readings)),
        behaviour=None if proof.behaviour is None else behaviours.ordered(proof.behaviour),
        located=tuple(sorted(proof.located, key=lambda each: (each.schema, each.name))),
        computed=tuple(sorted(proof.computed)),
        asked=tuple(sorted(proof.asked)),
    )


def encode(proof: Proof) -> bytes:
    """The exact bytes of a proof."""
    proof = ordered(proof)
    # only where there is something: most databases compute nothing, and older proofs were not asked for more
    further: dict[str, canon.JSON] = {}
    if proof.asked:
        further["asked"] = [*proof.asked]
    if proof.computed:
        further["computed"] = [computed_things.raw(each) for each in proof.computed]
    return canon.encode(
        further
        | {
            "format": FORMAT,
            "side": proof.side,
            "database": proof.database,
            "server": proof.server,
            "taken": proof.taken,
            "method": proof.method,
            "key_commitment": proof.key_commitment,
            "session": [[s.scope, s.name, s.value] for s in proof.session],
            "tables": [_raw_table(t) for t in proof.tables],
            "objects": [[o.klass, o.identity, o.definition, o.state] for o in proof.objects],
            "foreign_keys": [
                [f.table, f.name, f.references, f.validated, f.checked, f.orphans] for f in proof.foreign_keys
            ],
            "sequences": [
                {
                    "schema": s.schema,
                    "name": s.name,
                    "reached": str(s.reached),
                    "called": s.called,
                    "increment": str(s.increment),
                    "feeds": s.feeds,
                    "largest": None if s.largest is None else str(s.largest),
                }
                for s in proof.sequences
            ],
            "probes": [
                [p.probe, p.rows, p.digest, p.sql, *([] if p.value is None else [p.value])] for p in proof.probes
            ],
            "settings": [[s.scope, s.name, s.value] for s in proof.settings],
            "queries": [[q.name, q.sql] for q in proof.queries],
            "readings": [[r.klass, r.identity, r.definition, r.reads] for r in proof.readings],
            "findings": list(proof.findings),
            "behaviour": behaviours.raw(proof.behaviour),
            "located": [located_rows.raw(each) for each in proof.located],
        }
    )


def decode(data: bytes, *, what: str = "proof") -> Proof:
    """Read a proof that somebody else may have written.

    Raises:
        TamperedError: not canonical JSON, another format, or a field missing, extra or of the wrong type.
    """
    try:
        proof = _read(cast("dict[str, object]", canon.decode(data, what=what)))
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{what} is not a proof of format {FORMAT}: {problem}") from problem
    if encode(proof) != data:
        raise TamperedError(f"{what} is not in canonical form, or has fields that format {FORMAT} does not know")
    return proof


def _read(raw: dict[str, object]) -> Proof:
    if raw["format"] != FORMAT:
        raise ValueError(f"format is {raw['format']!r}")
    return Proof(
        side=canon.as_text(raw["side"]),
        database=canon.as_text(raw["database"]),
        server=canon.as_text(raw["server"]),
        taken=canon.as_text(raw["taken"]),
        method=canon.as_text(raw["method"]),
        key_commitment=canon.as_text(raw["key_commitment"]),
        session=_settings(raw["session"]),
        tables=tuple(_table(cast("dict[str, object]", t)) for t in canon.as_list(raw["tables"])),
        objects=tuple(Object(*map(canon.as_text, canon.as_list(o))) for o in canon.as_list(raw["objects"])),
        foreign_keys=tuple(
            ForeignKey(
                canon.as_text(t),
                canon.as_text(n),
                canon.as_text(r),
                canon.as_flag(v),
                canon.as_flag(c),
                canon.as_count(o),
            )
            for t, n, r, v, c, o in map(canon.as_list, canon.as_list(raw["foreign_keys"]))
        ),
        sequences=tuple(_sequence(cast("dict[str, object]", s)) for s in canon.as_list(raw["sequences"])),
        probes=tuple(
            ProbeResult(
                canon.as_text(p), canon.as_count(r), canon.as_text(d), canon.as_text(s), *map(canon.as_count, v)
            )
            for p, r, d, s, *v in map(canon.as_list, canon.as_list(raw["probes"]))
        ),
        settings=_settings(raw["settings"]),
        queries=tuple(Query(*map(canon.as_text, canon.as_list(q))) for q in canon.as_list(raw["queries"])),
        readings=tuple(Reading(*map(canon.as_text, canon.as_list(r))) for r in canon.as_list(raw["readings"])),
        findings=tuple(map(canon.as_text, canon.as_list(raw["findings"]))),
        behaviour=behaviours.read(raw["behaviour"]),
        located=tuple(map(located_rows.read, canon.as_list(raw["located"]))),
        computed=tuple(map(computed_things.read, canon.as_list(raw.get("computed", [])))),
        asked=tuple(map(canon.as_text, canon.as_list(raw.get("asked", [])))),
    )


def _raw_table(table: Table) -> dict[str, canon.JSON]:
    raw: dict[str, canon.JSON] = {
        "schema": table.schema,
        "name": table.name,
        "kind": table.kind,
        "rows": table.rows,
        "sums": [str(s) for s in table.sums],
        "columns": list(table.columns),
        "uncovered": table.uncovered,
        "size": table.size,
    }
    # only where there is one: most tables have none of them
    further: tuple[tuple[str, canon.JSON], ...] = (
        ("text", table.text),
        ("member", table.member),
        ("permutes", table.permutes),
        ("wide", table.wide),
        ("through", [*(table.through or ())]),
    )
    return raw | {name: value for name, value in further if value}


def _table(raw: dict[str, object]) -> Table:
    first, second, third, fourth = (int(canon.as_text(s)) for s in canon.as_list(raw["sums"]))
    return Table(
        schema=canon.as_text(raw["schema"]),
        name=canon.as_text(raw["name"]),
        kind=canon.as_text(raw["kind"]),
        rows=canon.as_count(raw["rows"]),
        sums=(first, second, third, fourth),
        columns=tuple(map(canon.as_text, canon.as_list(raw["columns"]))),
        uncovered=canon.as_text(raw["uncovered"]),
        size=canon.as_count(raw["size"]),
        text=canon.as_text(raw.get("text", "")),
        member=canon.as_text(raw.get("member", "")),
        permutes=canon.as_text(raw.get("permutes", "")),
        wide=canon.as_text(raw.get("wide", "")),
        through=_through(raw.get("through")),
    )


def _through(raw: object) -> tuple[str, str] | None:
    if raw is None:
        return None
    schema, name = map(canon.as_text, canon.as_list(raw))
    return schema, name


def _sequence(raw: dict[str, object]) -> Sequence:
    largest = raw["largest"]
    return Sequence(
        schema=canon.as_text(raw["schema"]),
        name=canon.as_text(raw["name"]),
        reached=int(canon.as_text(raw["reached"])),
        called=canon.as_flag(raw["called"]),
        increment=int(canon.as_text(raw["increment"])),
        feeds=canon.as_text(raw["feeds"]),
        largest=None if largest is None else int(canon.as_text(largest)),
    )


def _settings(raw: object) -> tuple[Setting, ...]:
    return tuple(Setting(*map(canon.as_text, canon.as_list(s))) for s in canon.as_list(raw))
