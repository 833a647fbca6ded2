"""A recovery as a record: figures out of what was observed, and what they mean in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from attestore import instants
from attestore.facts import RTO_PHASES
from attestore.report import numbers
from attestore.report.case import Reading
from attestore.report.recovered import Differing, RecoveryRecord
from attestore.run.recover import Recovery, Result

__all__ = ["recorded"]

_COMPARED: Final = (
    ("tables", "tables.compared", "tables.fingerprints.differing"),
    ("rows", "rows.restored", "tables.rows.differing"),
    ("definitions, roles and settings", "objects.compared", "objects.differing"),
    ("foreign keys", "foreign_keys.checked", "foreign_keys.orphans"),
    ("sequences", "sequences.compared", "sequences.behind"),
)


def recorded(recovery: Recovery, *, store: str, versions: Mapping[str, str], host: str) -> RecoveryRecord:
    """The record of a recovery that has ended, one way or the other."""
    reading, listing, standing = Reading(recovery.observations), recovery.found.manifest, recovery.standing
    compared = recovery.comparison
    return RecoveryRecord(
        id=f"{instants.compact(instants.parse(recovery.started))}-{listing.system}-recovery",
        result=recovery.result.name,
        verdict=tuple(_verdict(recovery)),
        started=recovery.started,
        ended=recovery.ended,
        backup=listing.backup,
        system=listing.system,
        digest=listing.digest,
        taken=listing.taken,
        vouched=recovery.vouched,
        store=store,
        server=recovery.server,
        database=standing.database,
        made=standing.made,
        roles=standing.roles,
        logins=standing.logins,
        source_version=listing.source_version,
        target_version=reading.text("target.version"),
        sealed=sum(part.size for part in listing.parts),
        plain=sum(part.plain_size for part in listing.parts),
        phases=tuple((name, took) for name in RTO_PHASES if (took := reading.number(f"restore.{name}")) is not None),
        rto=reading.number("restore.rto"),
        rpo=reading.number("restore.rpo"),
        verified=reading.number("verify.elapsed"),
        compared=()
        if compared is None
        else tuple((what, reading.number(a) or 0, reading.number(b) or 0) for what, a, b in _COMPARED),
        differences=()
        if compared is None
        else tuple(Differing(each.kind, each.subject, each.what, each.detail) for each in compared.differences),
        errors=recovery.errors,
        findings=recovery.findings,
        versions=tuple(sorted(versions.items())),
        host=host,
    )


def _verdict(recovery: Recovery) -> Iterator[str]:
    reading, standing = Reading(recovery.observations), recovery.standing
    name = standing.database
    match recovery.result:
        case Result.EQUAL:
            tables, rows = reading.number("tables.compared") or 0, reading.number("rows.restored") or 0
            yield (
                f"Database {name} is what was backed up: {numbers.counted(tables, 'table')} with "
                f"{numbers.counted(rows, 'row')} compared, and every definition, none differs."
                if tables
                else f"Database {name} is what was backed up: it held no table, and no definition differs."
            )
        case Result.DIFFERENT:
            count = len(recovery.comparison.differences) if recovery.comparison is not None else 0
            yield f"Database {name} was restored, and differs from the backup in {numbers.counted(count, 'thing')}: each is named."
            yield "Decide whether people can work with it; nothing was undone."
        case Result.INCOMPLETE:
            yield f"Database {name} was restored. Nothing that was compared differs, but not everything could be compared."
        case Result.STOPPED:
            why = recovery.stopped.message if recovery.stopped is not None else "nobody knows why"
            yield f"The recovery stopped in phase {recovery.phase}: {why.rstrip('.')}."
            yield from _stands(recovery)
    if standing.roles and len(standing.logins) < len(standing.roles) and recovery.result is not Result.STOPPED:
        yield "Roles that were made can't log in, and have no password, unless they are named as able to: ALTER ROLE … LOGIN PASSWORD …"


def _stands(recovery: Recovery) -> Iterator[str]:
    """What is there after a recovery that did not end, and how to go on."""
    standing = recovery.standing
    hint = recovery.stopped.hint if recovery.stopped is not None else ""
    if not standing.database:
        yield f"Nothing was made on the target. {hint or 'Remedy the cause and give the same command again.'}"
        return
    if hint:
        yield hint
    if standing.made:
        yield f"Database {standing.database} is left for you to look into: it is not whole, and nothing drops it by itself."
        yield "To go on: give the same command again, which makes another one. To clean up: DROP DATABASE, by that name."
    else:
        yield f"Database {standing.database} was there before and holds whatever was restored until then. Empty it before the next try."
    if standing.roles:
        yield f"Roles that were made stay, too: {', '.join(standing.roles)}."
