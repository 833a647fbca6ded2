"""What was committed on a server since a mark: whatever changes a row there has a number, and of each the server knows its end.

A transaction gets its number when it first writes (PostgreSQL manual, "Transactions and Identifiers"), and its end is kept in
the commit log (`pg_xact`). Where every number since a mark is one of ours or was rolled back, no row of any table, large
object or catalogue is another than it was. Sequences stand outside, since they need no commit, and so do tables that a
crash empties or that another access method than heap keeps in its own way.

A crash takes back what was committed without waiting for the disk, and then gives the same numbers out again. No session
outlives one: so a mark holds as long as the session that took it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from attestore.adapters.postgres.session import Session, ask, worded

__all__ = ["Own", "Since", "mark", "numbers", "own", "since"]

_HORIZON: Final = """
SELECT pg_catalog.txid_snapshot_xmin(s), pg_catalog.txid_snapshot_xmax(s) FROM pg_catalog.txid_current_snapshot() s
"""
_ENDED: Final = """
SELECT x FROM pg_catalog.generate_series($1::int8, $2::int8 - 1) x
 WHERE pg_catalog.txid_status(x) IS DISTINCT FROM 'aborted'
"""
# a transaction holds the lock of its own number until it ends, and a savepoint until it is released
_NUMBERS: Final = """
SELECT transactionid::text::int8 FROM pg_catalog.pg_locks
 WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND pid = pg_catalog.pg_backend_pid()
"""
# Who writes a row holds this lock on its table until the transaction ends, whatever it is told to count. TRUNCATE and what
# rewrites a table take another, as dropping an index does; unlike that, they write the table's own row of the catalogue.
_TOUCHED: Final = """
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r'
   AND (c.xmin::text::int8 = ANY ($1::int8[])
        OR c.oid IN (SELECT l.relation FROM pg_catalog.pg_locks l
                      WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.pid = pg_catalog.pg_backend_pid()
                        AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())))
"""
_SURGEONS: Final = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_extension WHERE extname = 'pg_surgery')
"""
"""whose functions kill and revive rows without a number"""
_EPOCH: Final = 1 << 32
"""locks tell the lower half of a number"""


@dataclass(frozen=True, slots=True)
class Own:
    """A transaction of the checker's that was committed: its numbers, savepoints included, and the tables it wrote to."""

    numbers: frozenset[int]
    tables: frozenset[tuple[str, str]]
    """schema and name"""


@dataclass(frozen=True, slots=True)
class Since:
    """What became of the numbers that were given out since a mark."""

    numbers: int
    """transactions and savepoints that could have changed something"""
    others: int
    """of those, neither rolled back nor the checker's own: committed, or no longer known"""


def mark(session: Session) -> int | None:
    """The first number whose end is not known yet; None where one before it isn't either, or rows change without one.

    The session is pinned, and is the one to ask `since`.
    """
    with worded("ask which transactions are running"):
        least, following = ask(session, _HORIZON)[0]
        numberless = bool(ask(session, _SURGEONS)[0][0])
    return int(following) if least == following and not numberless else None


def since(session: Session, begun: int, ours: Iterable[Own]) -> Since:
    """What became of every transaction from a mark up to now, as far as this session's snapshot goes.

    Raises:
        UnreachableError: the session that took the mark was ended, perhaps by a crash: nothing is known of it any more.
    """
    with worded("ask which transactions were committed"):
        _, following = ask(session, _HORIZON)[0]
        known = {number for each in ours for number in each.numbers}
        ended = [int(number) for (number,) in ask(session, _ENDED, (begun, int(following)))]
    return Since(numbers=int(following) - begun, others=sum(number % _EPOCH not in known for number in ended))


def numbers(session: Session) -> frozenset[int]:
    """Of the transaction that is going on, and of the savepoints that it is in; modulo 2^32."""
    with worded("ask for the number of the transaction"):
        return frozenset(int(number) for (number,) in ask(session, _NUMBERS))


def own(session: Session, *, released: Iterable[int] = ()) -> Own:
    """The transaction that the session is about to commit.

    `released` are the numbers of savepoints that were released in it: nobody can be asked for them afterwards.
    """
    all_of_it = numbers(session) | frozenset(released)
    with worded("ask what the transaction has changed"):
        tables = frozenset((str(schema), str(name)) for schema, name in ask(session, _TOUCHED, (list(all_of_it),)))
    return Own(numbers=all_of_it, tables=tables)
