"""What a database defines, object by object, in a text that is the same wherever the same thing is defined."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import psycopg

from attestore.adapters.postgres.objects import attached, blobs, code, findings, mappings, relations, rights, system
from attestore.adapters.postgres.objects.catalogue import SINCE_15, SINCE_18, ask, pinned
from attestore.adapters.postgres.session import abandon, stopped
from attestore.proof import Object

__all__ = ["classes", "read"]

_QUESTIONS = (
    *relations.QUESTIONS,
    *attached.QUESTIONS,
    *code.QUESTIONS,
    *rights.QUESTIONS,
    *system.QUESTIONS,
)


def classes(version: int) -> tuple[str, ...]:
    """Which classes a server of this version is asked for beside those that it was asked for from the first proof on."""
    return (
        *(("not null constraint",) if version >= SINCE_18 else ()),
        "system privilege",
        "type support",
        "user mapping option",
    )


def read(
    connection: psycopg.Connection[Any], *, key: bytes, beside: Sequence[psycopg.Connection[Any]] = ()
) -> tuple[tuple[Object, ...], tuple[str, ...]]:
    """Every object of the database, sorted, and findings about the database as it is.

    Reads only, in a few dozen set-based questions, at the snapshot of the caller's transaction where there is one. Sessions
    `beside` share the questions, at the same snapshot. What nobody may read in a proof is told by digests under `key`.
    Objects that an extension owns are left out (the extension stands for them), and so are system schemas; but privileges
    on them that somebody changed are not.

    Raises:
        psycopg.Error: the role may not read something; whoever holds the connection says so in its own words.
    """
    version = connection.info.server_version
    waiting: SimpleQueue[str] = SimpleQueue()
    for question in (*_QUESTIONS, code.PUBLISHED[version >= SINCE_15], *attached.NOT_NULL[version >= SINCE_18]):
        waiting.put(question)
    with ExitStack() as stack:
        cursor, *others = (stack.enter_context(pinned(each)) for each in (connection, *beside))
        pool = stack.enter_context(ThreadPoolExecutor(max(1, len(others)), thread_name_prefix="definitions"))
        elsewhere = [pool.submit(_answers, other, waiting) for other in others]
        try:
            found = _answers(cursor, waiting)
            found += blobs.read(cursor)
            found += mappings.read(cursor, key=key)
            sentences = findings.read(cursor, version=version)
            for each in elsewhere:
                found += each.result()
        except BaseException:
            # nothing new is asked; what is being asked is cancelled
            with suppress(Empty):
                while True:
                    waiting.get_nowait()
            for other, work in zip(others, elsewhere, strict=True):
                stopped(work, partial(abandon, other.connection))
            raise
    return tuple(sorted(found)), sentences


def _answers(cursor: psycopg.Cursor[tuple[Any, ...]], waiting: SimpleQueue[str]) -> list[Object]:
    """Of each question that nobody has taken yet."""
    found: list[Object] = []
    with suppress(Empty):
        while True:
            found += (Object(*row) for row in ask(cursor, waiting.get_nowait()))
    return found
