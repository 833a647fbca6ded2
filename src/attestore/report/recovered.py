"""The record of a recovery: what was restored, where it stands, and what it was shown to be. One page, and the same as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from attestore import canon
from attestore.report import numbers
from attestore.report.blocks import (
    Align,
    Block,
    Bullets,
    Callout,
    Cell,
    Column,
    Document,
    Fact,
    Facts,
    Heading,
    Table,
    Text,
    Tone,
)
from attestore.report.words import prose

__all__ = ["FORMAT", "Differing", "RecoveryRecord", "recovery_document", "recovery_json"]

FORMAT: Final = "attestore/recovery/v1"
_MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Differing:
    """One thing that is not as it was backed up."""

    kind: str
    subject: str
    what: str
    detail: str


@dataclass(frozen=True, slots=True)
class RecoveryRecord:
    """What there is to tell of one recovery; None is what was not measured."""

    id: str
    result: str
    """EQUAL, DIFFERENT, INCOMPLETE or STOPPED"""
    verdict: tuple[str, ...]
    """the same in sentences, and what to do now"""
    started: str
    ended: str
    backup: str
    system: str
    digest: str
    taken: str
    vouched: str
    """who vouches for the manifest; empty: nobody"""
    store: str
    server: str
    database: str
    """what it is called by now; empty where there is none"""
    made: bool
    roles: tuple[str, ...]
    logins: tuple[str, ...]
    source_version: str
    target_version: str | None
    sealed: int
    plain: int
    phases: tuple[tuple[str, int], ...]
    """milliseconds of each phase that ended"""
    rto: int | None
    rpo: int | None
    verified: int | None
    """milliseconds that the comparison took"""
    compared: tuple[tuple[str, int, int], ...]
    """what, how many were compared, how many of them differ (of rows: how many tables have another number)"""
    differences: tuple[Differing, ...]
    errors: tuple[str, ...]
    findings: tuple[str, ...]
    versions: tuple[tuple[str, str], ...]
    host: str


def recovery_json(record: RecoveryRecord) -> canon.JSON:
    """The record as one JSON object."""
    return {
        "format": FORMAT,
        "id": record.id,
        "result": record.result,
        "verdict": list(record.verdict),
        "started": record.started,
        "ended": record.ended,
        "backup": {
            "id": record.backup,
            "system": record.system,
            "digest": record.digest,
            "taken": record.taken,
            "vouched": record.vouched or None,
            "store": record.store,
            "source_version": record.source_version,
            "sealed": record.sealed,
            "plain": record.plain,
        },
        "target": {
            "server": record.server,
            "database": record.database or None,
            "made": record.made,
            "version": record.target_version,
            "roles": list(record.roles),
            "logins": list(record.logins),
        },
        "phases_ms": [[name, took] for name, took in record.phases],
        "rto_ms": record.rto,
        "rpo_ms": record.rpo,
        "verify_ms": record.verified,
        "compared": [[what, number, differing] for what, number, differing in record.compared],
        "differences": [
            {"kind": each.kind, "subject": each.subject, "what": each.what, "detail": each.detail}
            for each in record.differences
        ],
        "errors": list(record.errors),
        "findings": list(record.findings),
        "versions": [[name, version] for name, version in record.versions],
        "host": record.host,
    }


def recovery_document(record: RecoveryRecord) -> Document:
    """The record as a page for people."""
    tone = {"EQUAL": Tone.GOOD, "DIFFERENT": Tone.BAD}.get(record.result, Tone.DOUBT)
    words: list[Text] = list(record.verdict)
    blocks: list[Block] = [Callout(tone, record.result, tuple(words), large=True)]
    if not record.vouched:
        blocks.append(
            Callout(
                Tone.BAD,
                "Not authenticated",
                (
                    "Nobody vouches for the backup that was restored: whoever could write to the store could have made it.",
                ),
            )
        )
    blocks.append(_what(record))
    blocks += _times(record)
    blocks += _differences(record)
    for title, anchor, items in (
        ("What the restore complained of", "complaints", record.errors),
        ("What the backup says of its source", "findings", record.findings),
    ):
        if items:
            blocks += [Heading(2, title, anchor), Bullets(items[:_MOST_LISTED])]
    blocks += [
        Heading(2, "Made with", "versions"),
        Facts(tuple(Fact(name, version) for name, version in (*record.versions, ("Machine", record.host)))),
    ]
    return Document(
        kind="Recovery record",
        title=prose("Recovery of {system}", system=record.system),
        plain_title=f"Recovery of {record.system}",
        subtitle=prose("{day}, into {server}", day=numbers.instant(record.started), server=record.server),
        running=record.id,
        ledger="",
        watermark="" if record.result == "EQUAL" else record.result,
        language="en",
        paper="A4",
        blocks=tuple(blocks),
    )


def _what(record: RecoveryRecord) -> Block:
    stands = f"{record.database} ({'made by this recovery' if record.made else 'was there before'})"
    return Facts(
        (
            Fact("Backup", record.backup, mono=True),
            Fact("Taken", numbers.instant(record.taken)),
            Fact("Digest", record.digest, mono=True),
            Fact("Vouched for", record.vouched or "by nobody"),
            Fact("Store", record.store),
            Fact("Server", record.server),
            Fact("Database", stands if record.database else "none was made"),
            Fact("Roles made", ", ".join(record.roles) or "none"),
            Fact("Of those, may log in", ", ".join(record.logins) or "none"),
            Fact("Source", f"PostgreSQL {record.source_version}"),
            Fact("Target", f"PostgreSQL {record.target_version or 'unknown'}"),
            Fact("Begun", numbers.instant(record.started)),
            Fact("Ended", numbers.instant(record.ended)),
        )
    )


def _times(record: RecoveryRecord) -> list[Block]:
    rows: list[tuple[Cell, ...]] = [(name, numbers.duration(took)) for name, took in record.phases]
    if not rows:
        return []
    total = ("Recovery time", numbers.duration(record.rto)) if record.rto is not None else ()
    lost = (
        "" if record.rpo is None else f"The backup was {numbers.duration(record.rpo)} old when the restore was ordered."
    )
    columns = (Column("Step", wide=True), Column("Took", Align.RIGHT))
    return [Heading(2, "Time", "time"), Table(columns, tuple(rows), total=total, note=lost)]


def _differences(record: RecoveryRecord) -> list[Block]:
    if not record.compared:
        return []
    columns = (Column("What", wide=True), Column("Compared", Align.RIGHT), Column("Differing", Align.RIGHT))
    rows: list[tuple[Cell, ...]] = [
        (what, numbers.count(number), numbers.count(differing)) for what, number, differing in record.compared
    ]
    blocks: list[Block] = [Heading(2, "Compared with the backup's own proof", "proof"), Table(columns, tuple(rows))]
    if record.differences:
        told: list[tuple[Cell, ...]] = [
            (f"{each.kind} {each.subject}", each.detail or each.what) for each in record.differences[:_MOST_LISTED]
        ]
        more = len(record.differences) - len(told)
        blocks += [
            Heading(2, "Differences", "differences"),
            Table(
                (Column("What"), Column("How it differs", wide=True)),
                tuple(told),
                note=f"{numbers.count(more)} more are in the JSON record." if more > 0 else "",
            ),
        ]
    return blocks
