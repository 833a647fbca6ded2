"""Orders that prose tells: a backup made after it was restored, an approval given before there was anything to approve."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import combinations
from typing import Final

from attestore.claims.checks.dates import Event, events, pair
from attestore.claims.checks.same import subject
from attestore.claims.document import Document, Passage
from attestore.claims.figures import sentences
from attestore.claims.labels import keyed
from attestore.claims.model import Book
from attestore.claims.moments import Moment, moments

__all__ = ["check"]

_BACKUP: Final = re.compile(
    r"\b(?:backup|dump|snapshot|sicherung)\b[^.;\n]{0,70}?\b(?:taken|completed|made|created|finished|written|dated|erstellt|gezogen)\b"
    r"|\b(?:backup|dump|snapshot|sicherung) (?:of|from|vom|dated)(?= $| \w+, $)",
    re.IGNORECASE,
)
_TEST: Final = re.compile(
    r"\b(?:was|were|we|had been|been|wurden?|I) (?:\w+ )?(?:restored|recovered|played back|wiederhergestellt|zurückgespielt)\b"
    r"|\b(?:restored?|drill|exercise|restore test|restoration|test) (?:took place|(?:was|were) (?:held|performed|conducted|executed|carried out|run|done))\b",
    re.IGNORECASE,
)
_APPROVAL: Final = re.compile(
    r"\b(?:results?|report|protocol|outcome|test|drill|restore|record)\b[^.;\n]{0,40}?\b(?:approved|signed off|signed|countersigned|accepted|released)\b",
    re.IGNORECASE,
)
_ASIDE: Final = re.compile(
    r"\b(?:previous\w*|last (?:year|quarter|month)|next|planned|plan|scheduled|will|would|should|could|due|earlier|older|oldest|another|again|second|first|attempt|"
    r"retention|deleted|expire\w*|not|never|unless|until|if|since|old|staging|change|request\w*|previously|former\w*|vorherig\w*|geplant|nächst\w*)\b",
    re.IGNORECASE,
)
_PREPARED: Final = re.compile(
    r"\W*(?:prepared|written|issued|compiled|erstellt|verfasst) (?:by|von) [^,\n\d]{3,50}, (?:den |the |on )?",
    re.IGNORECASE,
)
_LETTER: Final = re.compile(r"\W*(?:date|datum|dated)\W*", re.IGNORECASE)
_NEAR: Final = 90


def check(document: Document, book: Book) -> None:
    """Hold the days that sentences tell against each other, and against those of labels."""
    told = list(_told(document))
    told += _dated(document)
    if not told:
        return
    known = [*told, *(event for event in events(document) if not subject(event.section))]
    single: list[Event] = []
    for role in ("backup", "test", "approval", "report"):
        mine = [event for event in known if event.role == role]
        days = {event.moment.at.date() for event in mine}
        if len(days) == 1:
            single += [next((event for event in mine if event in told), mine[0])]
    for one, two in combinations(single, 2):
        if one in told or two in told:
            pair(_by_day(one), _by_day(two), book)


def _by_day(event: Event) -> Event:
    """Prose is held to its days only."""
    at = event.moment.at.replace(hour=0, minute=0, second=0)
    return Event(
        event.role,
        Moment(at, timedelta(days=1), event.moment.text, event.moment.start),
        event.line,
        event.section,
        event.label,
    )


def _told(document: Document) -> Iterator[Event]:
    for passage in document.passages:
        if passage.heading or subject(passage.section):
            continue
        for line, text in sentences(passage):
            found = moments(text) if len(text) < 1_000 else ()
            if len({each.at.date() for each in found}) != 1 or _ASIDE.search(text):
                continue
            if event := _event(passage, line, text, found[0]):
                yield event


def _event(passage: Passage, line: int, text: str, at: Moment) -> Event | None:
    """What a sentence says to have happened on its one day."""
    before, behind = text[max(0, at.start - _NEAR) : at.start], text[at.start : at.start + 2 * _NEAR]
    opening = re.search(r"(?:^\W*(?:\d+[.)]\W*)?|\b(?:on|am)\s)\W*$", text[: at.start], re.IGNORECASE) is not None
    for role, pattern in (("approval", _APPROVAL), ("backup", _BACKUP), ("test", _TEST)):
        said = None
        for found in pattern.finditer(before):
            said = found
        said = said or (pattern.search(behind) if opening else None)
        if said is not None:
            label = " ".join(said[0].split())[-60:]
            return Event(role, at, line + text.count("\n", 0, at.start), passage.section, label)
    return None


def _dated(document: Document) -> Iterator[Event]:
    """The date of a letter or memo, beside its From and To."""
    for passage in document.passages:
        for line, text in passage.lines:
            prepared = _PREPARED.match(text)
            days = moments(text[prepared.end() :]) if prepared else ()
            if prepared and len(days) == 1 and days[0].start <= 1:
                yield Event("report", days[0], line, passage.section, " ".join(prepared[0].split())[:40])
    for passage in list(document.passages)[:8]:
        pairs = [(line, *pair_) for line, text in passage.lines if (pair_ := keyed(text)) is not None]
        labels = {label.lower().strip(" *_") for _, label, _ in pairs}
        if not labels & {"from", "von", "to", "an"}:
            continue
        for line, label, value in pairs:
            found = moments(value)
            if _LETTER.fullmatch(label) and len(found) == 1:
                yield Event("report", found[0], line, passage.section, label)
