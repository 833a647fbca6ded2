"""What definitions read as after one round trip through the restored server.

PostgreSQL deparses some expressions differently after their first restore (`CHECK (x IN (…))`) and never again. So
where a definition differs as text, both texts are loaded into the restored server, read back, and rolled back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import psycopg
from psycopg import sql

from attestore.adapters.postgres.objects.catalogue import pinned
from attestore.proof import Object, Reading

__all__ = ["read_back"]

_Cursor: TypeAlias = psycopg.Cursor[tuple[Any, ...]]

_NAME: Final = "attestore_reading"
"""of everything that is made here; nothing of it outlives its statement"""

_BATCH: Final = 200

# children of plain inheritance get a copy of their parent's check
_ADDED: Final = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY (%s) AND conislocal"

_QUIET: Final = (
    ("default_transaction_read_only", "off"),
    ("transaction_read_only", "off"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "5s"),
    ("row_security", "off"),
)
"""nothing waits for long"""


def read_back(
    connection: psycopg.Connection[Any], *, source: Sequence[Object], restored: Sequence[Object]
) -> tuple[Reading, ...]:
    """Readings for both texts of every object that is on both sides with different definitions, where it has one.

    Only classes that hold expressions are read; a definition that cannot be loaded has no reading, so its difference
    stands. The restored copy is left exactly as it was, and no trigger, event trigger or stored expression is run; where
    that can't be promised, nothing is read.

    Raises:
        psycopg.Error: the session was lost; whoever holds the connection says so in its own words.
    """
    theirs = {(o.klass, o.identity): o for o in restored}
    pairs = [
        (ours, other)
        for ours in source
        if (other := theirs.get((ours.klass, ours.identity))) is not None
        and ours.definition != other.definition
        and ours.klass in _READERS
    ]
    if not pairs:
        return ()
    with pinned(connection) as cursor:
        for name, value in _QUIET:
            cursor.execute("SELECT set_config(%s, %s, true)", (name, value))
        if not _silenced(cursor):
            return ()
        reads = _checks(cursor, [ours for ours, _ in pairs])
        for ours, other in pairs:
            if ours not in reads:
                reads[ours] = _reading(cursor, ours)
            # a text that is what the other one reads as is stable, and speaks for itself
            if reads[ours] != other.definition:
                reads[other] = _reading(cursor, other)
    return tuple(
        sorted(
            Reading(item.klass, item.identity, item.definition, text)
            for item, text in reads.items()
            if text is not None
        )
    )


def _checks(cursor: _Cursor, items: Sequence[Object]) -> dict[Object, str | None]:
    """Checks of tables many at a time, since every table may have one; those that refuse are left to be read alone."""
    checks = [item for item in items if item.klass == "constraint" and item.definition.startswith("CHECK")]
    reads: dict[Object, str | None] = {}
    for start in range(0, len(checks), _BATCH):
        batch = {f"{_NAME}_{place}": item for place, item in enumerate(checks[start : start + _BATCH])}
        try:
            with cursor.connection.transaction(force_rollback=True):
                with cursor.connection.pipeline():
                    for name, item in batch.items():
                        head = f"ALTER TABLE {_relation(item.identity)} ADD CONSTRAINT {name} "
                        _run(cursor, head, item.definition, " NOT VALID")
                rows = cursor.execute(_ADDED.encode(), (list(batch),)).fetchall()
        except psycopg.Error:
            if cursor.connection.closed:
                raise
            continue
        reads |= {batch[name]: str(text).removesuffix(" NOT VALID") for name, text in rows}
    return reads


def _silenced(cursor: _Cursor) -> bool:
    """Whether no trigger fires. Event triggers that are enabled always do in spite of session_replication_role; the roll-back wakes them."""
    cursor.execute(b"SELECT set_config('session_replication_role', 'replica', true)")
    names = cursor.execute(b"SELECT evtname FROM pg_event_trigger WHERE evtenabled <> 'D'").fetchall()
    if names and cursor.execute(b"SELECT current_setting('is_superuser') <> 'on'").fetchall()[0][0]:
        return False
    for (name,) in names:
        cursor.execute(sql.SQL("ALTER EVENT TRIGGER {} DISABLE").format(sql.Identifier(name)))
    return True


def _reading(cursor: _Cursor, item: Object) -> str | None:
    """The definition as the server reads it back, or None if it does not take it."""
    try:
        with cursor.connection.transaction(force_rollback=True):
            return _READERS[item.klass](cursor, item)
    except psycopg.Error:
        if cursor.connection.closed:
            raise
        return None


def _run(cursor: _Cursor, *statement: str) -> None:
    """One statement and never two, whatever the text says: the extended protocol refuses a second."""
    cursor.execute("".join(statement).encode(), binary=True)


def _value(cursor: _Cursor, question: str, *parameters: object) -> str | None:
    row = cursor.execute(question.encode(), parameters).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def _relation(identity: str) -> str:
    """`schema.table` of `schema.table.thing`, quoted as it was."""
    return ".".join(_parts(identity)[:2])


def _last(identity: str) -> str:
    """`thing` of `schema.table.thing`, quoted as it was."""
    return _parts(identity)[-1]


def _parts(identity: str) -> list[str]:
    return [str(part) for part in re.findall(r'"(?:[^"]|"")*"|[^".]+', identity)]


def _double(cursor: _Cursor, relation: str) -> str:
    """An empty temporary table with the same columns, so that no row of the copy is read."""
    _run(cursor, f"CREATE TEMPORARY TABLE {_NAME} (LIKE ", relation, ")")
    return f"pg_temp.{_NAME}"


def _constraint(cursor: _Cursor, item: Object) -> str | None:
    relation = _relation(item.identity)
    if item.definition.startswith("CHECK"):
        _run(cursor, "ALTER TABLE ", relation, f" ADD CONSTRAINT {_NAME} ", item.definition, " NOT VALID")
        read = _value(
            cursor,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
            _NAME,
            relation,
        )
        return None if read is None else read.removesuffix(" NOT VALID")
    if item.definition.startswith("EXCLUDE"):
        double = _double(cursor, relation)
        _run(cursor, "ALTER TABLE ", double, f" ADD CONSTRAINT {_NAME}_x ", item.definition)
        return _value(
            cursor,
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND conrelid = %s::regclass",
            f"{_NAME}_x",
            double,
        )
    return None


def _domain_constraint(cursor: _Cursor, item: Object) -> str | None:
    domain = _relation(item.identity)
    _run(cursor, "ALTER DOMAIN ", domain, f" ADD CONSTRAINT {_NAME} ", item.definition, " NOT VALID")
    read = _value(
        cursor,
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = %s AND contypid = %s::regtype",
        _NAME,
        domain,
    )
    return None if read is None else read.removesuffix(" NOT VALID")


def _default(cursor: _Cursor, item: Object) -> str | None:
    if item.state == "domain":
        _run(cursor, "ALTER DOMAIN ", item.identity, " SET DEFAULT ", item.definition)
        return _value(
            cursor, "SELECT pg_get_expr(typdefaultbin, 0) FROM pg_type WHERE oid = %s::regtype", item.identity
        )
    relation, column = _relation(item.identity), _last(item.identity)
    question = (
        "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attrdef d"
        " JOIN pg_attribute a ON a.attrelid = d.adrelid AND a.attnum = d.adnum"
        " WHERE d.adrelid = %s::regclass AND a.attname = %s"
    )
    if item.state.startswith("generated"):
        kind = _value(
            cursor,
            "SELECT format_type(atttypid, atttypmod) || CASE WHEN attcollation <> 0"
            " THEN ' COLLATE ' || attcollation::regcollation::text ELSE '' END"
            " FROM pg_attribute WHERE attrelid = %s::regclass AND quote_ident(attname) = %s",
            relation,
            column,
        )
        double = _double(cursor, relation)
        how = "VIRTUAL" if item.state.endswith("virtual") else "STORED"
        _run(
            cursor,
            "ALTER TABLE ",
            double,
            f" ADD COLUMN {_NAME} {kind} GENERATED ALWAYS AS (",
            item.definition,
            f") {how}",
        )
        return _value(cursor, question, double, _NAME)
    _run(cursor, "ALTER TABLE ONLY ", relation, " ALTER COLUMN ", column, " SET DEFAULT ", item.definition)
    return _value(cursor, question.replace("a.attname", "quote_ident(a.attname)"), relation, column)


def _index(cursor: _Cursor, item: Object) -> str | None:
    """The index is built on an empty double of its table, and read with the table's name put back."""
    table = _value(
        cursor, "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = %s::regclass", item.identity
    )
    head = re.compile(
        r"CREATE (?P<unique>UNIQUE )?INDEX "
        + re.escape(_last(item.identity))
        + r" ON (?P<only>ONLY )?"
        + re.escape(table or "")
        + " USING "
    )
    match = head.match(item.definition)
    if table is None or match is None:
        return None
    double = _double(cursor, table)
    unique, rest = match["unique"] or "", item.definition[match.end() :]
    _run(cursor, f"CREATE {unique}INDEX {_NAME}_x ON {double} USING ", rest)
    read = _value(
        cursor,
        "SELECT pg_get_indexdef(x.indexrelid) FROM pg_index x JOIN pg_class c ON c.oid = x.indexrelid"
        " WHERE x.indrelid = %s::regclass AND c.relname = %s",
        double,
        f"{_NAME}_x",
    )
    return None if read is None else match.group() + read.partition(" USING ")[2]


def _view(cursor: _Cursor, item: Object) -> str | None:
    _run(cursor, f"CREATE TEMPORARY VIEW {_NAME} AS ", item.definition)
    return _value(cursor, "SELECT pg_get_viewdef(%s::regclass)", f"pg_temp.{_NAME}")


_POLICY: Final = """
SELECT concat_ws(' ', 'USING (' || pg_get_expr(polqual, polrelid) || ')',
                 'WITH CHECK (' || pg_get_expr(polwithcheck, polrelid) || ')')
  FROM pg_policy WHERE polname = %s AND polrelid = %s::regclass
"""


def _policy(cursor: _Cursor, item: Object) -> str | None:
    relation = _relation(item.identity)
    head = re.match(
        r"AS \w+ FOR \w+ TO (?:\"(?:[^\"]|\"\")*\"|[^\"]+?)+?(?= USING \(| WITH CHECK \(|$)", item.definition
    )
    if head is None:
        return None
    _run(cursor, f"CREATE POLICY {_NAME} ON ", relation, " ", item.definition)
    read = _value(cursor, _POLICY, _NAME, relation)
    return None if read is None else f"{head.group()} {read}"


def _trigger(cursor: _Cursor, item: Object) -> str | None:
    relation, name = _relation(item.identity), _last(item.identity)
    _run(cursor, "DROP TRIGGER ", name, " ON ", relation)
    _run(cursor, item.definition)
    return _value(
        cursor,
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = %s::regclass AND quote_ident(tgname) = %s",
        relation,
        name,
    )


def _rule(cursor: _Cursor, item: Object) -> str | None:
    relation, name = _relation(item.identity), _last(item.identity)
    _run(cursor, "DROP RULE ", name, " ON ", relation)
    _run(cursor, item.definition)
    return _value(
        cursor,
        "SELECT pg_get_ruledef(oid) FROM pg_rewrite WHERE ev_class = %s::regclass AND quote_ident(rulename) = %s",
        relation,
        name,
    )


def _statistics(cursor: _Cursor, item: Object) -> str | None:
    _run(cursor, "DROP STATISTICS ", item.identity)
    _run(cursor, item.definition)
    return _value(
        cursor,
        "SELECT pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace"
        " WHERE quote_ident(n.nspname) || '.' || quote_ident(s.stxname) = %s",
        item.identity,
    )


def _function(cursor: _Cursor, item: Object) -> str | None:
    """Only where no library is loaded: functions in SQL and PL/pgSQL, whose bodies are not run or checked here."""
    language = _value(
        cursor,
        "SELECT l.lanname FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE p.oid = %s::regprocedure",
        item.identity,
    )
    if language not in {"sql", "plpgsql"} or f"\n LANGUAGE {language}\n" not in item.definition:
        return None
    _run(cursor, item.definition)
    return _value(cursor, "SELECT pg_get_functiondef(%s::regprocedure)", item.identity)


def _partition_key(cursor: _Cursor, item: Object) -> str | None:
    _run(cursor, f"CREATE TEMPORARY TABLE {_NAME} (LIKE ", item.identity, ") PARTITION BY ", item.definition)
    return _value(cursor, "SELECT pg_get_partkeydef(%s::regclass)", f"pg_temp.{_NAME}")


def _partition(cursor: _Cursor, item: Object) -> str | None:
    parent = _value(
        cursor, "SELECT inhparent::regclass::text FROM pg_inherits WHERE inhrelid = %s::regclass", item.identity
    )
    head = f"OF {parent} "
    if parent is None or not item.definition.startswith(head):
        return None
    key = _value(cursor, "SELECT pg_get_partkeydef(%s::regclass)", parent)
    _run(cursor, f"CREATE TEMPORARY TABLE {_NAME} (LIKE ", parent, f") PARTITION BY {key}")
    bound = item.definition[len(head) :]
    _run(cursor, f"CREATE TEMPORARY TABLE {_NAME}_x PARTITION OF pg_temp.{_NAME} ", bound)
    read = _value(
        cursor, "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = %s::regclass", f"pg_temp.{_NAME}_x"
    )
    return None if read is None else head + read


def _publication_table(cursor: _Cursor, item: Object) -> str | None:
    name = re.match(r'"(?:[^"]|"")*"|[^" ]+', item.identity)
    if name is None:
        return None
    publication, table = name.group(), item.identity[name.end() :].removeprefix(" TABLE ")
    _run(cursor, "ALTER PUBLICATION ", publication, " DROP TABLE ", table)
    _run(cursor, "ALTER PUBLICATION ", publication, " ADD TABLE ", table, " ", item.definition)
    columns = re.match(r'\((?:"(?:[^"]|"")*"|[^")])*\)(?= WHERE|$)', item.definition)
    read = _value(
        cursor,
        "SELECT 'WHERE (' || pg_get_expr(x.prqual, x.prrelid) || ')' FROM pg_publication_rel x"
        " JOIN pg_publication p ON p.oid = x.prpubid WHERE quote_ident(p.pubname) = %s AND x.prrelid = %s::regclass",
        publication,
        table,
    )
    return " ".join(part for part in (columns.group() if columns is not None else "", read or "") if part)


_READERS: Final[Mapping[str, Callable[[_Cursor, Object], str | None]]] = {
    "constraint": _constraint,
    "default": _default,
    "domain constraint": _domain_constraint,
    "function": _function,
    "index": _index,
    "materialized view": _view,
    "partition": _partition,
    "partition key": _partition_key,
    "policy": _policy,
    "procedure": _function,
    "publication table": _publication_table,
    "rule": _rule,
    "statistics": _statistics,
    "trigger": _trigger,
    "view": _view,
}
"""Classes whose definitions hold expressions, and how each is loaded and read."""
