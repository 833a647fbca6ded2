"""Values that a restore computes anew, fingerprinted apart from what it brings back: generated columns, materialized views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import psycopg
from psycopg import errors as sqlstate

from attestore.adapters.postgres import fingerprint
from attestore.adapters.postgres.crew import BEGIN, WAIT, Crew, Question, batches, too_large
from attestore.adapters.postgres.quoting import literal
from attestore.adapters.postgres.relations import Column, Relation
from attestore.adapters.postgres.session import Session, abandon, ask, worded
from attestore.proof import Computed
from attestore.proof.computed import COLUMN, VIEW

__all__ = ["columns", "views"]

_NOTHING: Final = (0, 0, 0, 0, 0)
_TOO_LARGE: Final = "a row with it exceeds 1 GB"
"""told, not an error: a dump carries none of it"""
_BUSY: Final = (sqlstate.LockNotAvailable, sqlstate.UndefinedTable, sqlstate.ObjectNotInPrerequisiteState)
"""what somebody causes who refreshes or drops a view meanwhile: a dump reads its definition and locks it no longer"""


def columns(crew: Crew, relations: Sequence[Relation], *, key: bytes, shape: tuple[int, bool]) -> tuple[Computed, ...]:
    """Each stored generated column of tables that a dump carries, every value bound to the stored columns of its row.

    `shape` is the server's major and whether the database is encodingless.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a table cannot be read, or computing fails; it is named.
    """
    owners: dict[Question, tuple[Relation, Column]] = {}
    totals: dict[tuple[int, str], list[int]] = {}
    for relation in relations:
        for column in () if relation.uncovered else relation.generated:
            totals[relation.oid, column.name] = [*_NOTHING]
            bound = replace(relation, columns=(*relation.columns, column))
            subject = f"{relation.label}.{column.name}"
            asked = fingerprint.questions(bound, subject=subject, key=key, shape=shape, near=crew.near)
            owners |= dict.fromkeys(asked, (relation, column))
    refused: list[Question] = []
    for question, answer in crew.answers(batches(tuple(owners)), doing="fingerprint", refused=refused.append):
        relation, column = owners[question]
        so_far = totals[relation.oid, column.name]
        counted = fingerprint.counted(question, answer)
        totals[relation.oid, column.name] = [total + part for total, part in zip(so_far, counted, strict=True)]
    unread = {(relation.oid, column.name) for relation, column in (owners[question] for question in refused)}
    return tuple(
        _told(COLUMN, relation, _NOTHING, column=column.name, unread=_TOO_LARGE)
        if (relation.oid, column.name) in unread
        else _told(COLUMN, relation, totals[relation.oid, column.name], column=column.name)
        for relation in relations
        for column in (() if relation.uncovered else relation.generated)
    )


def views(
    session: Session, relations: Sequence[Relation], *, key: bytes, shape: tuple[int, bool], snapshot: str
) -> tuple[Computed, ...]:
    """The content of each materialized view, as the snapshot sees it; one that somebody refreshes says so.

    A refresh is not bound by snapshots: a view that was refreshed after this one shows what it holds since.

    Raises:
        PrivilegeError, UnreachableError, ProgramFailedError: a view cannot be read; its name is in the message.
    """
    major, encodingless = shape
    told = []
    for relation in relations:
        if relation.uncovered:
            told.append(_told(VIEW, relation, _NOTHING, unread=relation.uncovered))
            continue
        sql = fingerprint.statement(relation, encodingless=encodingless, major=major)
        with worded(f"fingerprint {relation.label}"):
            try:
                ask(session, BEGIN)
                ask(session, f"SET TRANSACTION SNAPSHOT {literal(snapshot)}")
                ask(session, f"SET LOCAL lock_timeout = '{WAIT}'")
                told.append(_told(VIEW, relation, [int(part) for part in ask(session, sql, (key,))[0]]))
            except psycopg.Error as problem:
                if too_large(problem):
                    told.append(_told(VIEW, relation, _NOTHING, unread=_TOO_LARGE))
                    continue
                if not isinstance(problem, _BUSY):
                    raise
                told.append(_told(VIEW, relation, _NOTHING, unread="somebody was refreshing, changing or dropping it"))
            finally:
                _ended(session)
    return tuple(told)


def _ended(session: Session) -> None:
    abandon(session)
    if not session.closed and session.info.transaction_status is not psycopg.pq.TransactionStatus.IDLE:
        session.rollback()


def _told(kind: str, relation: Relation, total: Sequence[int], *, column: str = "", unread: str = "") -> Computed:
    rows, first, second, third, fourth = total
    stored = tuple(each.name for each in relation.columns)
    return Computed(
        kind=kind,
        schema=relation.schema,
        name=relation.name,
        column=column,
        rows=rows,
        sums=(first, second, third, fourth),
        columns=(*stored, column) if column else stored,
        unread=unread,
    )
