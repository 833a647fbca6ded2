"""Which relations store rows, of which columns, and which of them a dump does not carry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from psycopg.rows import TupleRow

from attestore.adapters.postgres.quoting import label
from attestore.adapters.postgres.session import Session, ask, worded

__all__ = ["LISTING", "OURS", "THROUGH", "Column", "Name", "Relation", "names", "read", "views"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column that a dump carries; `base` is its built-in type, below any domain, or empty for every other type."""

    name: str
    base: str
    domain: bool = False
    place: int = 0
    """where it stands in the table, as COPY and pg_dump order columns"""


class Name(NamedTuple):
    """A relation that stores rows."""

    oid: int
    schema: str
    name: str
    unnumbered: bool
    """whether rows may become others although no transaction did it: a crash empties what is unlogged, and another access
    method than heap may count in its own way"""


@dataclass(frozen=True, slots=True)
class Relation:
    """One relation that stores rows, or would if a dump carried it."""

    oid: int
    schema: str
    name: str
    kind: str
    columns: tuple[Column, ...]
    """by name, without generated ones: a restore computes those anew"""
    pages: int
    """blocks of the main fork"""
    size: int
    """bytes on disk with TOAST, without indexes"""
    heap: bool
    """whether rows have a physical address that ranges can be cut by"""
    uncovered: str
    """why a dump does not carry the rows; empty when it does"""
    key: tuple[str, ...] = ()
    """columns of the primary key, else of another unique key that holds no NULL; empty without either"""
    generated: tuple[Column, ...] = ()
    """columns whose stored values are computed from the others; by name"""
    condition: str = ""
    """SQL that follows the table's name where a dump carries some rows only, as pg_dump itself uses it"""
    dense: int = 0
    """rows of a block as the server last counted them; 0 where it never did"""
    wide: str = ""
    """where rows exceed 1 GB in canonical form: the encoding whose bytes of each long value are digested by themselves"""
    through: tuple[str, str] | None = None
    """schema and name of the partitioned table that a dump loads its rows through, since it is partitioned by a hash of an enum"""

    @property
    def label(self) -> str:
        """The identity as people write it."""
        return label(self.schema, self.name)


OURS: Final = r"n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"
"""SQL: schema `n` belongs to the database's users (names that begin with pg_ are reserved)"""

_BY_ENUM: Final = """
SELECT p.partrelid FROM pg_partitioned_table p
 WHERE p.partstrat = 'h' AND EXISTS (
   SELECT FROM pg_opclass o WHERE o.oid = ANY (p.partclass::oid[]) AND o.opcname = 'enum_ops'
                              AND o.opcnamespace = 'pg_catalog'::regnamespace)
""".strip()
# tables that are partitioned by a hash of an enum, among whose partitions a restore deals the rows out anew

THROUGH: Final = f"""
CASE WHEN c.relispartition AND EXISTS ({_BY_ENUM}) THEN (
         SELECT ARRAY[rn.nspname, r.relname]::text[] FROM pg_partition_ancestors(c.oid) WITH ORDINALITY AS a(relation, height)
           JOIN pg_class r ON r.oid = a.relation JOIN pg_namespace rn ON rn.oid = r.relnamespace
          WHERE r.oid IN ({_BY_ENUM}) ORDER BY a.height DESC LIMIT 1) END
""".strip()
"""SQL: schema and name of the highest table above `c` that is partitioned by a hash of an enum, or NULL"""

# pg_table_size would look into seven forks and an index of each, most of a proof's time where tables are many and small
LISTING: Final = f"""
SELECT c.oid, n.nspname, c.relname,
       CASE WHEN c.relkind = 'f' THEN 'foreign' WHEN c.relpersistence = 'u' THEN 'unlogged'
            WHEN c.relispartition THEN 'partition' ELSE 'table' END AS kind,
       CASE WHEN c.relkind = 'f' THEN 0
            ELSE pg_relation_size(c.oid) / current_setting('block_size')::int8 END AS pages,
       CASE WHEN c.relkind = 'f' THEN 0 ELSE coalesce(pg_relation_size(c.oid), 0)
            + coalesce(pg_relation_size(nullif(c.reltoastrelid, 0)), 0) END AS size,
       coalesce(a.amname = 'heap', false) AS heap,
       CASE WHEN c.relkind = 'f' THEN 'foreign table: its rows live on another server'
            WHEN e.extname IS NOT NULL AND NOT coalesce(c.oid = ANY (e.extconfig), false)
              THEN format('belongs to extension %s, which makes its rows anew', e.extname)
            WHEN c.relpersistence = 'u' AND pg_is_in_recovery() THEN 'unlogged: empty on a standby'
            ELSE '' END AS uncovered,
       coalesce(e.extcondition[array_position(e.extconfig, c.oid)], '') AS condition,
       CASE WHEN c.relpages > 0 AND c.reltuples > 0 THEN ceil(c.reltuples / c.relpages)::int8 ELSE 0 END AS estimated_rows_per_page,
       {THROUGH} AS loaded_through
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am a ON a.oid = c.relam
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_extension e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't' AND {OURS}
ORDER BY n.nspname, c.relname
""".strip()

_NAMES: Final = f"""
SELECT c.oid, n.nspname, c.relname, c.relkind = 'r' AND (c.relpersistence = 'u' OR a.amname IS DISTINCT FROM 'heap')
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_am a ON a.oid = c.relam
WHERE c.relkind IN ('r', 'f') AND c.relpersistence <> 't' AND {OURS}
ORDER BY n.nspname, c.relname
""".strip()

# pg_relation_size would wait for a refresh to end
_VIEWS: Final = f"""
SELECT c.oid, n.nspname, c.relname, 'materialized view' AS kind,
       c.relpages AS pages, c.relpages::int8 * current_setting('block_size')::int8 AS size, false AS heap,
       CASE WHEN has_table_privilege(c.oid, 'SELECT') THEN '' ELSE 'this role may not read it' END AS uncovered
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated AND {OURS}
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY n.nspname, c.relname
""".strip()

_COLUMNS: Final = f"""
WITH RECURSIVE resolved(oid, base) AS (
  SELECT oid, oid FROM pg_type WHERE typtype <> 'd'
  UNION ALL
  SELECT t.oid, r.base FROM pg_type t JOIN resolved r ON t.typbasetype = r.oid WHERE t.typtype = 'd')
SELECT c.oid, a.attname, CASE WHEN b.typnamespace = 'pg_catalog'::regnamespace THEN b.typname ELSE '' END,
       r.base <> a.atttypid, a.attnum, a.attgenerated <> ''
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated IN ('', 's')
JOIN resolved r ON r.oid = a.atttypid
JOIN pg_type b ON b.oid = r.base
WHERE c.relkind = '{{relkind}}' AND c.relpersistence <> 't' AND {OURS}
""".strip()


_KEYS: Final = f"""
SELECT DISTINCT ON (x.indrelid) x.indrelid,
       (SELECT array_agg(a.attname::text ORDER BY k.place) FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place)
          JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
         WHERE k.place <= x.indnkeyatts)
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid AND c.relkind = 'r' AND c.relpersistence <> 't'
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE x.indisunique AND x.indisvalid AND x.indpred IS NULL AND x.indexprs IS NULL AND {OURS}
  AND NOT EXISTS (SELECT FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k(number, place)
                  JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.number
                  WHERE k.place <= x.indnkeyatts AND (NOT a.attnotnull OR a.attgenerated <> ''
                     OR EXISTS (SELECT FROM pg_constraint v WHERE v.conrelid = x.indrelid AND v.contype = 'n'
                                   AND NOT v.convalidated AND k.number = ANY (v.conkey))))
ORDER BY x.indrelid, x.indisprimary DESC, x.indnkeyatts, x.indexrelid
""".strip()


def names(connection: Session) -> tuple[Name, ...]:
    """Every relation that `read` would tell of, by name alone: no file is asked for its size.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the catalogue cannot be read.
    """
    with worded("list the tables"):
        return tuple(Name(*row) for row in ask(connection, _NAMES))


def read(connection: Session, *, among: Sequence[int] | None = None) -> tuple[Relation, ...]:
    """Every relation that stores rows, in the order of their names, as the session's snapshot sees them; or some, by OID.

    Partitioned roots, views and materialized views store no rows that a dump carries and are not among them.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the catalogue cannot be read.
    """
    with worded("list the tables"):
        columns, generated = _columns(connection, relkind="r", among=among)
        listed = _asked(connection, LISTING, among)
        keys = {oid: tuple(names) for oid, names in _asked(connection, _KEYS, among)}
    return tuple(
        Relation(
            oid=oid,
            schema=schema,
            name=name,
            kind=kind,
            columns=columns.get(oid, ()),
            pages=int(pages),
            size=int(size),
            heap=heap,
            uncovered=uncovered,
            key=keys.get(oid, ()),
            generated=generated.get(oid, ()),
            condition=condition,
            dense=int(dense),
            through=None if through is None else (through[0], through[1]),
        )
        for oid, schema, name, kind, pages, size, heap, uncovered, condition, dense, through in listed
    )


def views(connection: Session) -> tuple[Relation, ...]:
    """Every populated materialized view that no extension owns, in the order of their names.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: the catalogue cannot be read.
    """
    with worded("list the materialized views"):
        listed = ask(connection, _VIEWS)
        columns, _ = _columns(connection, relkind="m") if listed else ({}, {})
    return tuple(
        Relation(
            oid=oid,
            schema=schema,
            name=name,
            kind=kind,
            columns=columns.get(oid, ()),
            pages=int(pages),
            size=int(size),
            heap=heap,
            uncovered=uncovered,
        )
        for oid, schema, name, kind, pages, size, heap, uncovered in listed
    )


def _asked(connection: Session, listing: str, among: Sequence[int] | None) -> list[TupleRow]:
    """A listing of relations `c`, of some of them if they are named."""
    if among is None:
        return ask(connection, listing)
    return ask(connection, listing.replace(OURS, f"{OURS} AND c.oid = ANY ($1::oid[])"), (list(among),))


def _columns(
    connection: Session, *, relkind: str, among: Sequence[int] | None = None
) -> tuple[dict[int, tuple[Column, ...]], dict[int, tuple[Column, ...]]]:
    """Stored and generated columns of each relation, by name."""
    stored: defaultdict[int, list[Column]] = defaultdict(list)
    generated: defaultdict[int, list[Column]] = defaultdict(list)
    for oid, name, base, domain, place, computed in _asked(connection, _COLUMNS.format(relkind=relkind), among):
        column = Column(name=name, base=base, domain=domain, place=place)
        (generated if computed else stored)[oid].append(column)
    return _named(stored), _named(generated)


def _named(columns: dict[int, list[Column]]) -> dict[int, tuple[Column, ...]]:
    return {oid: tuple(sorted(several, key=lambda column: column.name)) for oid, several in columns.items()}
