"""What a database defines, object by object, in a text that is the same wherever the same thing is defined."""

from __future__ import annotations

from typing import Any

import psycopg

from attestore.adapters.postgres.objects import attached, blobs, code, findings, relations, rights
from attestore.adapters.postgres.objects.catalogue import SINCE_15, ask, pinned
from attestore.proof import Object

__all__ = ["read"]

_QUESTIONS = (*relations.QUESTIONS, *attached.QUESTIONS, *code.QUESTIONS, *rights.QUESTIONS)


def read(connection: psycopg.Connection[Any]) -> tuple[tuple[Object, ...], tuple[str, ...]]:
    """Every object of the database, sorted, and findings about the database as it is.

    Reads only, in a few dozen set-based questions, at the snapshot of the caller's transaction where there is one.
    Objects that an extension owns are left out (the extension stands for them), and so are system schemas.

    Raises:
        psycopg.Error: the role may not read something; whoever holds the connection says so in its own words.
    """
    version = connection.info.server_version
    published = code.PUBLISHED[version >= SINCE_15]
    with pinned(connection) as cursor:
        found = [Object(*row) for question in (*_QUESTIONS, published) for row in ask(cursor, question)]
        found += blobs.read(cursor)
        sentences = findings.read(cursor, version=version)
    return tuple(sorted(found)), sentences
