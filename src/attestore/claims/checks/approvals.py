"""Who ran it and who approved it: the same, a role, or nobody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from attestore.claims.document import Document, Passage, Table
from attestore.claims.figures import sentences
from attestore.claims.labels import Named, alike, keyed, persons
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_RAN: Final = re.compile(
    r"^\W*(?:agent|operator|executor|execution|performer|ausführung|durchführung|implementer|assignee|tester|übungsleitung|testleitung|(?:test )?engineer|author|owner|performed|prepared|conducted|"
    r"(?:executed|performed|completed|run|ran|tested|prepared|conducted|carried out|submitted|reported|written|restored|done|created|drill|implemented) (?:by|through)|test(?:s)? (?:run|executed|performed) by|"
    r"(?:drill )?lead|durchgeführt von|durchgeführt|ausgeführt von|erstellt von|bearbeiter\w*|prüfer|verfasser\w*|autor\w*|by)\W*$",
    re.IGNORECASE,
)
_APPROVED: Final = re.compile(
    r"^\W*(?:approve[dr](?: by)?|approvals?|approver|sign(?:ed)?[- ]?off(?: by)?|signed(?: by)?|authori[sz]ed by|accepted by|released (?:for [\w ]{3,20} )?(?:by|through)|certified by|attested by|endorsed by|ratified by|closed by|reviewed and approved by|"
    r"(?:final|management|production|customer|client|owner'?s?|business) approval|verified and approved by|freigegeben(?: von| durch)?|freigabe(?: durch)?|genehmigt(?: von| durch)?|abgenommen von|abnahme)\W*$",
    re.IGNORECASE,
)
_SPOKEN: Final = re.compile(
    r"\b(?P<v>approved|certified|signed off|authori[sz]ed|freigegeben|genehmigt) (?:by|von|durch) (?:the )?(?P<who>(?:[\w+-]{1,40}(?:\.[\w+-]{1,40}){0,4}@[\w-]{1,40}(?:\.[\w-]{1,40}){1,5}|\b[a-z]{1,30}\.[a-z]{1,30}\b|\b[A-Z]\.|[^\n.;,()|]){2,60})",
    re.IGNORECASE,
)
_RAN_SPOKEN: Final = re.compile(
    r"\b(?:executed|performed|run|ran|conducted|carried out|tested|prepared|durchgeführt|ausgeführt)(?: for [^.\n:]{2,30},| to [^.\n:]{2,30},)? (?:by|von) (?:the )?(?P<who>(?:[\w+-]{1,40}(?:\.[\w+-]{1,40}){0,4}@[\w-]{1,40}(?:\.[\w-]{1,40}){1,5}|\b[a-z]{1,30}\.[a-z]{1,30}\b|\b[A-Z]\.|[^\n.;,()|]){2,60})",
    re.IGNORECASE,
)
_STATUS: Final = re.compile(
    r"(?:^|[:|*✅✔\s])(?:✅|✔️?|☑)?\s*(?:verified (?:and|&) )?(?:formally |fully |officially )?(?:APPROVED|approved|Approved|FREIGEGEBEN|Freigegeben|SIGNED OFF|Signed off)\b(?! (?:by|von|durch|\w+ by)|\s*:|\w)|\b(?:APPROVED|ACCEPTED) BY (?:THE )?(?:CUSTOMER|CLIENT|MANAGEMENT|BUSINESS|OWNER)\b",
)
_PASSIVE: Final = re.compile(
    r"\b(?:has|have|was|were|wurden?) (?:been )?(?:(?:formally |fully )?\w+ (?:and|und) )?(?:approved|signed off|freigegeben|genehmigt)\W*$|^\W*(?:approved|signed off|freigegeben)\.?\W*$",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"\b(?:status|production readiness|readiness|gate|decision|verdict|approval|release|result|outcome|go[/-]live|security gate|deployment)\b",
    re.IGNORECASE,
)
_PENDING: Final = re.compile(
    r"\b(?:pending|not|awaiting|await|until|once|if|when|to be|will|should|must|needs?|required|requires|pre-approved|waiting|noch|ausstehend|unless|before|only|by|von|"
    r"durch|approved (?:change|list|template|tool|vendor|policy|standard|window|recipients?|budget)|nobody|shall|can|may|who|version)\b",
    re.IGNORECASE,
)
_NEEDS: Final = "A signature or a record by a named person other than the one who ran it, with date and meaning."


@dataclass(frozen=True, slots=True)
class _Who:
    """Somebody on a line."""

    named: tuple[Named, ...]
    line: int
    written: str


def check(document: Document, book: Book) -> None:
    """Compare who ran it with who approved it."""
    ran = list(_runners(document))
    approved = list(_approvers(document))
    keys = {person.key for who in ran for person in who.named}
    valid = False
    for who in approved:
        valid |= _judge(who, ran, keys, book)
    if not any(not person.role for who in approved for person in who.named):
        for who in _reviewers(document):
            if who.named and all(_known(person, ran, keys) for person in who.named):
                book.found(
                    Kind.APPROVAL,
                    who.line,
                    f"Reviewed by “{who.written[:50]}”, who also ran it: nobody else has looked.",
                    needs=_NEEDS,
                )
    _by_oneself(document, book)
    _in_rows(document, book)
    _in_one_breath(document, book)
    blank = [who for who in approved if not who.named]
    for line, text in _stated(document):
        if valid:
            continue
        del text
        if blank:
            why = f"It is called approved, but line {blank[0].line} names nobody who approved it."
        elif approved:
            why = (
                f"It is called approved; no person did so: line {approved[0].line} names “{approved[0].written[:40]}”."
            )
        else:
            why = "It is called approved, but no person is named who approved it, nor when."
        book.found(Kind.APPROVAL, line, why, needs=_NEEDS)
    if ran and not valid and not any(who.named for who in approved):
        _unsigned(document, blank, book)


_ONESELF: Final = re.compile(
    r"\b(?:reviewed|approved|verified|checked|released|witnessed) by (?:the same (?:person|engineer|operator|administrator|dba)|(?:its|the) author\b|(?:him|her)self|"
    r"the (?:person|one|engineer|operator|dba|administrator) who (?:also )?(?:prepared|ran|performed|wrote|executed|restored|made|conducted|carried))",
    re.IGNORECASE,
)
_NOT_SO: Final = re.compile(
    r"\b(?:not|never|cannot|must|may|nobody|if|no longer|should|only when|prohibited|forbidden)\b", re.IGNORECASE
)


def _by_oneself(document: Document, book: Book) -> None:
    """Reviewed by the person who prepared it."""
    for passage in _short(document):
        for line, text in sentences(passage):
            found = _ONESELF.search(text)
            if found and not _NOT_SO.search(text):
                book.found(
                    Kind.APPROVAL, line + text.count("\n", 0, found.start()), "By its own words nobody else has looked.", needs=_NEEDS
                )  # fmt: skip


_OPERATES: Final = re.compile(
    r"^\W*(?:operator|executor|performed by|run by|executed by|tester|tested by|restored by|done by|durchgeführt(?: von)?)\W*$",
    re.IGNORECASE,
)
_LOOKS: Final = re.compile(
    r"^\W*(?:reviewer|reviewed by|approver|approved by|witness|verified by|checked by|second person|sign-?off|released by|geprüft(?: von)?|freigegeben(?: von)?)\W*$",
    re.IGNORECASE,
)


def _duty(table: Table) -> tuple[int, ...]:
    """The columns of who ran and who looked; none of both unless there is one of each."""
    columns = [[i for i, head in enumerate(table.head) if pattern.match(head)] for pattern in (_OPERATES, _LOOKS)]
    return (columns[0][0], columns[1][0]) if len(columns[0]) == 1 and len(columns[1]) >= 1 else ()


def _in_rows(document: Document, book: Book) -> None:
    """Each row's operator and reviewer; people take turns from row to row."""
    for table in document.tables:
        if not (columns := _duty(table)):
            continue
        for row in table.rows:
            ran, looked = (persons(row.cells[index]) for index in columns)
            if ran and looked and all(any(alike(one, other) for other in ran) for one in looked):
                book.found(
                    Kind.APPROVAL, row.line, f"“{row.cells[columns[1]].strip()[:50]}” is who ran it: nobody else has looked.", needs=_NEEDS
                )  # fmt: skip


_BOTH: Final = re.compile(
    r"\b(?:run|performed|executed|carried out|done|prepared|written|restored) by (?P<a>[A-Z@][\w'.@-]*(?: [A-Z][\w'-]+){0,2})(?:,| and| and then|, and) (?:then |also )?"
    r"(?:reviewed|checked|approved|verified|signed|released) by (?P<b>[A-Z@][\w'@-]*(?:\.? [A-Z][\w'-]+){0,2})"
)


def _in_one_breath(document: Document, book: Book) -> None:
    """Run by Teo Lind and reviewed by Teo Lind."""
    for passage in _short(document):
        for found in _BOTH.finditer(passage.text.replace("\n", " ")):
            ran, looked = persons(found["a"])[:1], persons(found["b"])[:1]
            if ran and looked and alike(ran[0], looked[0]):
                book.found(
                    Kind.APPROVAL, passage.line_at(found.start("b")), f"“{found['b']}” ran it, too: nobody else has looked.", needs=_NEEDS, topic="breath"
                )  # fmt: skip


_OPEN: Final = re.compile(
    r"\b(?:draft|entwurf|template|vorlage|pending|ausstehend|awaiting|to be (?:signed|approved|reviewed|released|filled)|not (?:yet )?(?:been )?(?:approved|signed|released|accepted)|"
    r"unsigned|for approval|for review|for signature|zur freigabe|noch nicht|fill (?:in|out))\b",
    re.IGNORECASE,
)
_CLOSED: Final = re.compile(
    r"\b(?:certificate|zertifikat|acceptance|accepted|abnahme|final report|approved on|date of (?:approval|acceptance|release)|closed|completed|done|passed|pass)\b|✅",
    re.IGNORECASE,
)


def _unsigned(document: Document, blank: list[_Who], book: Book) -> None:
    """A form that is filled in and closed, but for the line of who approved it."""
    if _OPEN.search(document.text[:200_000]) or not _CLOSED.search(document.text[:200_000]):
        return
    for who in blank:
        book.found(
            Kind.APPROVAL,
            who.line,
            "It names nobody: what else is filled in here was approved by no person.",
            needs=_NEEDS,
        )


def _known(person: Named, ran: list[_Who], keys: set[str]) -> bool:
    """Whether somebody is one of those who ran it."""
    return person.key in keys or any(alike(person, other) for who in ran for other in who.named)


def _judge(who: _Who, ran: list[_Who], keys: set[str], book: Book) -> bool:
    """Whether an approval is one by a person who is not the executor."""
    if not who.named:
        return False
    known = [person for each in ran for person in each.named]
    others = [
        person
        for person in who.named
        if not any(alike(person, other) for other in known) and not _included(person, keys)
    ]
    if not others:
        mine = next(each for each in ran if any(_same(person, other) for person in each.named for other in who.named))
        book.found(
            Kind.APPROVAL, who.line,
            f"Approved by “{who.written[:50]}”, who also ran it (line {mine.line}: “{mine.written[:50]}”): nobody else has looked.",
            needs=_NEEDS,
        )  # fmt: skip
        return False
    if all(person.role for person in who.named):
        book.found(
            Kind.APPROVAL,
            who.line,
            f"“{who.written[:50]}” is a role, a team or a programme, no person: nobody can be asked, and nobody has signed.",
            needs=_NEEDS,
        )
        return False
    return True


def _same(one: Named, other: Named) -> bool:
    return alike(one, other) or _included(one, {other.key}) or _included(other, {one.key})


def _included(person: Named, keys: set[str]) -> bool:
    """`Backend Test Architect Agent` is `backend-test-architect`."""
    return (
        person.role
        and len(person.key) > 8
        and any(key in person.key or person.key in key for key in keys if len(key) > 8)
    )


def _pairs(document: Document) -> Iterator[tuple[int, str, str]]:
    for block in document.blocks:
        if isinstance(block, Passage) and not block.heading:
            for line, written in block.lines:
                text = re.sub(r"\s{4,}", "   ", written)
                pieces = re.split(
                    r"\s+[·•|]\s+|(?<!\s)\s{2,40}(?=[A-ZÄÖÜ][\w -]{2,25}: )|(?<=[a-z]{3}\.)\s+(?=[A-ZÄÖÜ][a-zäöü]+(?: [a-zäöü]+)?: )",
                    text,
                )
                if len(pieces) > 1:
                    yield from ((line, *pair) for piece in pieces if (pair := keyed(piece)) is not None)
                elif (pair := keyed(text)) is not None:
                    yield line, *pair
                elif found := re.fullmatch(r"\W*([A-Za-zäöü ]{4,30}?)\s*:\s*[_\s.]*", text):
                    yield line, found[1], ""
        elif isinstance(block, Table):
            yield from _of_table(block)


def _of_table(table: Table) -> Iterator[tuple[int, str, str]]:
    """`Approved by | name`, or columns of that name."""
    who = next(
        (
            i
            for i, head in enumerate(table.head)
            if re.fullmatch(r"\W*(?:name|person|who|wer|signed by|printed name|by)\W*", head, re.IGNORECASE)
        ),
        None,
    )
    if len(_duty(table)) > 1:
        return  # row by row
    steps = any(re.search(r"\b(?:step|action|activity|schritt)\b", head, re.IGNORECASE) for head in table.head)
    for row in table.rows:
        for index, head in enumerate(table.head):
            if (
                index
                and (_APPROVED.match(head) or _RAN.match(head))
                and (steps or not re.fullmatch(r"\W*(?:owner|author|by|lead)\W*", head, re.IGNORECASE))
            ):
                yield row.line, head, row.cells[index]
        label = row.cells[0]
        if len(row.cells) > 1 and (_APPROVED.match(label) or _RAN.match(label) or _REVIEWED.match(label)):
            yield row.line, label, row.cells[who or 1]


def _runners(document: Document) -> Iterator[_Who]:
    for line, label, value in _pairs(document):
        if re.match(r"\W*prepared for\W*$", label, re.IGNORECASE) and (
            found := re.search(r", by (?P<who>.{2,60})$", value)
        ):
            yield _Who(persons(found["who"])[:1], line, found["who"].strip())
        if _RAN.match(label) and (named := persons(value)):
            yield _Who(named, line, value)
    for passage in _short(document):
        for found in _RAN_SPOKEN.finditer(passage.text):
            if named := persons(found["who"]):
                yield _Who(named[:1], passage.line_at(found.start()), found["who"].strip())
        for found in _ACTIVE_RAN.finditer(passage.text):
            yield _Who(persons(found["who"])[:1], passage.line_at(found.start()), found["who"])


_REVIEWED: Final = re.compile(
    r"^\W*(?:review(?:ed(?: by)?|er)|witness(?:ed by)?|(?:verified|checked|controlled|confirmed) by|countersigned(?: by)?|second (?:signature|person|pair of eyes|eyes)(?: for [\w ]{1,30})?|"
    r"independent (?:verification|review|check|control)|verification|geprüft(?: von| durch)?|prüfung durch|zweitprüfung(?: durch)?|"
    r"gegengezeichnet(?: von)?|gegengeprüft(?: von)?|vier-augen-prüfung|four[- ]eyes(?: check| review| principle)?)\W*$",
    re.IGNORECASE,
)


def _short(document: Document) -> Iterator[Passage]:
    """Passages of a length that people write."""
    return (passage for passage in document.passages if len(passage.text) <= 20_000)


_NAME: Final = r"(?P<who>(?:Dr\. |Prof\. )?[A-Z][\w'-]+(?: [A-Z][\w'-]+){0,2})"
_ACTIVE: Final = re.compile(
    rf"{_NAME} (?:(?:also|then|later|herself|himself) )?(?:approved|signed(?: off)?|authori[sz]ed) (?:it|this|the (?:\w+ )?(?:report|results?|restore|test|approval|release|sign-off|form|record)|both)\b"
)
_ACTIVE_RAN: Final = re.compile(rf"{_NAME} (?:ran|wrote|executed|performed|carried out) (?:it|this|the)\b")


_EYES: Final = re.compile(
    r"\b(?:four[- ]eyes?|4[- ]eyes?|two[- ]person|dual control|second pair of eyes|vier-augen\w*|independent(?:ly)?)\b",
    re.IGNORECASE,
)
_REVIEWED_SPOKEN: Final = re.compile(
    r"\b(?:reviewed|verified|checked|witnessed|confirmed|geprüft|gegengeprüft) (?:by|von|durch) (?P<who>@?[\w'-]+(?:[. ][A-Z@][\w'-]+){0,2})",
    re.IGNORECASE,
)


def _reviewers(document: Document) -> Iterator[_Who]:
    for line, label, value in _pairs(document):
        if _REVIEWED.match(label):
            yield _Who(persons(value), line, value.strip())
    for passage in _short(document):
        for line, text in passage.lines:
            if _EYES.search(text):
                for found in _REVIEWED_SPOKEN.finditer(text):
                    yield _Who(persons(found["who"]), line, found["who"])


def _approvers(document: Document) -> Iterator[_Who]:
    seen: set[int] = set()
    for line, label, value in _pairs(document):
        if _APPROVED.match(label) and not re.fullmatch(
            r"\W*(?:yes|no|✅|ok|approved|ja|nein|\d+ of \d+|required|not required)\W*", value, re.IGNORECASE
        ):
            if re.search(r"\b(?:policy|needs?|require[sd]?|people|not yet decided)\b", value):
                continue
            seen.add(line)
            yield _Who(persons(value), line, value.strip())
    yield from _spoken(document, seen)


def _spoken(document: Document, seen: set[int]) -> Iterator[_Who]:
    """Approvals told in prose, on lines that no label has."""
    for passage in _short(document):
        for found in _ACTIVE.finditer(passage.text):
            yield _Who(persons(found["who"]), passage.line_at(found.start()), found["who"])
    for passage in _short(document):
        for found in _SPOKEN.finditer(passage.text.replace("\n", " ")):
            line = passage.line_at(found.start())
            before = passage.text[max(0, found.start() - 40) : found.start()]
            if line in seen or re.search(
                r"\b(?:must|be|not|to|should|needs?|if|once|until|when|only|is|are|changes?|deviations?|tickets?|window|exception)\b(?!.*\b(?:was|been)\b)",
                before,
                re.IGNORECASE,
            ):
                continue
            who = re.split(
                r"\s(?:on|at|in|with|before|after|for|and then|am|via|under|as|who|without|because|during)\s",
                found["who"],
            )[0]
            if not re.search(r"\w", who) or re.match(
                r"(?:the same|whoever|our|his|her|their|its|all|both|a|an|any|each|whom|me)\b", who, re.IGNORECASE
            ):
                continue
            named = re.match(r",\s+([^\W\d_][\w'-]+ [^\W\d_][\w'-]+)(?=[,.;\s]|$)", passage.text[found.end() :])
            if named and all(person.role for person in persons(who)):
                who = named[1]  # the office, then the person
            yield _Who(persons(who), line, who.strip())


def _settled(text: str) -> bool:
    """Whether a line calls it approved, and not something that is to be."""
    said = re.sub(r"\b(?:APPROVED|ACCEPTED) BY (?:THE )?(?=[A-Z]{4})", "APPROVED ", text)
    said = re.sub(
        r"^[^.|]{0,40}\b(?:approval|freigabe)\s*:\s*(?:pending|open|outstanding|ausstehend|awaited)\.",
        "",
        said,
        flags=re.IGNORECASE,
    )
    return _PENDING.search(said) is None


def _stated(document: Document) -> Iterator[tuple[int, str]]:
    """Lines that call something approved without saying by whom."""
    for block in document.blocks:
        if isinstance(block, Passage):
            parts = [(line + at, part) for line, text in sentences(block) for at, part in enumerate(text.split("\n"))]
            for line, text in parts:
                if (
                    len(text) < 160
                    and _STATUS.search(text)
                    and _settled(text)
                    and (
                        block.heading
                        or _LABEL.search(text)
                        or re.search(r"APPROVED|ACCEPTED BY|FREIGEGEBEN|SIGNED OFF", text)
                        or block.ticked
                    )
                ) or (len(text) < 160 and _PASSIVE.search(text) and not _PENDING.search(text)):
                    yield line, text
        elif isinstance(block, Table):
            for row in block.rows:
                for cell in row.cells[1:]:
                    if re.fullmatch(
                        r"\W*(?:verified (?:and|&) )?(?:approved|signed off|freigegeben)\W*", cell, re.IGNORECASE
                    ) and not _names_person(row.cells, cell):
                        yield row.line, cell


def _names_person(cells: tuple[str, ...], status: str) -> bool:
    """Whether a row that says approved names a person, too."""
    return any(
        any(not person.role for person in persons(cell))
        and re.fullmatch(r"[^\W\d_]+\.? (?:[^\W\d_]+[. -]*){1,3}(?:\(.*\))?", cell.strip())
        for cell in cells
        if cell != status
    )
