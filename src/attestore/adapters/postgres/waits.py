"""Who keeps whom waiting at the source, as its lock table says it: the server's words may be in any language."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attestore.adapters.postgres.session import Session, ask, worded
from attestore.errors import ProgramFailedError

__all__ = ["awaited", "holders", "kept", "too_long"]

_HERE: Final = (
    "l.locktype = 'relation' AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())"
)
# what is made meanwhile, as by a refresh, is not in our catalogue yet and has no name
_HOLDERS: Final = f"""
SELECT DISTINCT l.granted, format('process %s (%s, %s, since %s) %s %s on %s', coalesce(l.pid::text, 'of a prepared transaction'),
       coalesce(s.usename, '?'), coalesce(nullif(s.application_name, ''), 'no application name'),
       coalesce(to_char(s.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS "UTC"'), '?'),
       CASE WHEN l.granted THEN 'holds' ELSE 'waits for' END, l.mode, l.relation::regclass)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation LEFT JOIN pg_stat_activity s ON s.pid = l.pid
WHERE {_HERE} AND l.mode = 'AccessExclusiveLock' AND ($1::oid[] IS NULL OR l.relation = ANY ($1::oid[]))
ORDER BY 1 DESC, 2 LIMIT 3"""
_AWAITED: Final = f"""
SELECT EXISTS (
  SELECT FROM pg_locks l WHERE {_HERE} AND NOT l.granted AND l.mode = 'AccessExclusiveLock'
     AND EXISTS (SELECT FROM pg_locks h WHERE h.locktype = 'relation' AND h.database = l.database AND h.relation = l.relation
                    AND h.granted AND h.mode = 'AccessShareLock'))"""
# when a wait began is told from 14 on; what 13 tells of the statement is earlier at most
_KEPT: Final = f"""
SELECT array_agg(DISTINCT l.relation) FROM pg_locks l JOIN pg_stat_activity s ON s.pid = l.pid
WHERE {_HERE} AND NOT l.granted AND l.mode = 'AccessShareLock' AND s.usename = current_user
  AND coalesce((to_jsonb(l) ->> 'waitstart')::timestamptz, s.query_start) < clock_timestamp() - make_interval(secs => $1)"""


def awaited(session: Session) -> bool:
    """Whether somebody waits for the exclusive lock of a relation that others read."""
    with worded("look who waits for a lock"):
        return bool(ask(session, _AWAITED)[0][0])


def kept(session: Session, *, patience_s: int) -> list[int]:
    """Relations that a session of our own role waits for longer than that."""
    with worded("look who waits for a lock"):
        return list(ask(session, _KEPT, (patience_s,))[0][0] or ())


def holders(session: Session, oids: Sequence[int] | None) -> str:
    """Who holds, or waits for, the exclusive lock of those relations, or of any; empty when nobody does any more."""
    with worded("find who holds the lock"):
        return "; ".join(str(told) for _, told in ask(session, _HOLDERS, (None if oids is None else list(oids),)))


def too_long(what: str, who: str, *, patience_s: int) -> ProgramFailedError:
    """That something could not be locked within our patience, and who is in the way."""
    return ProgramFailedError(
        f"{what} could not be locked within {patience_s} s: {who or 'somebody held it until just now'}",
        hint="Wait for that transaction, or end it with pg_terminate_backend.",
    )
