"""What was typed and what was printed, in a block of code that has both: only the first is SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Typed", "is_session", "typed"]

_PROMPT: Final = re.compile(
    r"(?P<name>(?:\[[\w.-]{1,40}\] )?[\w.@:/-]{0,80}?)(?P<state>[=^!(*'\"$-])(?P<open>[*!?]?)[#>](?= |$) ?|(?P<sql>psql|sql)> ?"
)
_STARTS: Final = re.compile(
    r"\s*(?:\(*\s*(?:SELECT|WITH|VALUES)|UPDATE|INSERT|DELETE|MERGE|EXPLAIN|VACUUM|ANALY[ZS]E|SHOW|CHECK|CHECKSUM|DESC|DESCRIBE|REINDEX|CREATE|ALTER|DROP|"
    r"GRANT|REVOKE|SET|RESET|BEGIN|START|COMMIT|ROLLBACK|ABORT|SAVEPOINT|RELEASE|END|COPY|TRUNCATE|DO|CALL|COMMENT|LOCK|CLUSTER|REFRESH|TABLE|LISTEN|"
    r"NOTIFY|UNLISTEN|PREPARE|EXECUTE|DEALLOCATE|DECLARE|FETCH|CLOSE|MOVE|SECURITY|IMPORT|REASSIGN|DISCARD|CHECKPOINT|LOAD|USE)\b(?! *[=:|,.])",
    re.IGNORECASE,
)
_COMMENT: Final = re.compile(r"\s*(?:--(?!-+(?:\+-+)*\s*$)|/\*)")
_TAG: Final = re.compile(
    r"\s*(?:INSERT \d+ \d+|(?:SELECT|UPDATE|DELETE|COPY|MOVE|FETCH|MERGE) \d+|SET(?: CONSTRAINTS)?|RESET|SHOW|BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|"
    r"START TRANSACTION|VACUUM|ANALYZE|REINDEX|CLUSTER(?: VERBOSE)?|CHECKPOINT|GRANT(?: ROLE)?|REVOKE(?: ROLE)?|TRUNCATE TABLE|LOCK TABLE|DO|CALL|COMMENT|"
    r"LISTEN|NOTIFY|PREPARE|EXPLAIN|DISCARD ALL|LOAD|(?:CREATE|ALTER|DROP|REFRESH|IMPORT|SECURITY)(?: [A-Z]+){1,4}|COPY_?FAILED)\s*"
)
_RULE: Final = re.compile(r"\s*(?:-{3,}(?:\+-+)*|-{1,2}(?:\+-+)+|\+[-=]+(?:\+[-=]+)*\+|[─┼├┤]{3,})\s*")
_RECORD: Final = re.compile(r"\s*-\[ ?RECORD \d+ ?\][-+]*\s*|\s*\* Record \d+\s*", re.IGNORECASE)
_FOOTER: Final = re.compile(r"\s*\(\d+ (?:rows?|Zeilen?)\)\s*")
_FAILED: Final = re.compile(r"\s*(?:psql:\S+ |pg_\w+: )?(?:error:\s*)?(?:ERROR|FATAL|PANIC|FEHLER):")
_MESSAGE: Final = re.compile(
    r"\s*(?:psql:\S+ )?(?:NOTICE|WARNING|INFO|LOG|DEBUG|DETAIL|HINT|CONTEXT|STATEMENT|LOCATION|QUERY|LINE \d+|HINWEIS|WARNUNG):|\s*(?:Time|Zeit): \d"
)
_META_END: Final = re.compile(r"\\(?:gexec|gset|gdesc|gx|g|watch|crosstabview)\b.*$")
_COPYING: Final = re.compile(r"\bFROM\s+stdin\b[^;]*;\s*$", re.IGNORECASE)
_TOKEN: Final = re.compile(r"--|/\*|'|\"|\$\w*\$|;|\s+|[^\s'\";$/-]+|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Typed:
    """SQL as it was typed, with everything else blank, so that each place keeps its line; and where it began."""

    text: str
    offset: int
    answered: bool
    """what the server said to it stands in the same block"""


def is_session(text: str) -> bool:
    """Whether a block shows psql with its prompts."""
    for line in text.split("\n"):
        prompt = _PROMPT.match(line)
        if prompt is None or (prompt["sql"] is None and prompt["state"] not in "=^!"):
            continue
        rest = line[prompt.end() :]
        if not rest.strip() or rest.lstrip().startswith(("\\", "--")) or _STARTS.match(rest):
            return True
    return False


def typed(text: str) -> Iterator[Typed]:
    """The SQL of a block: of a session each statement by itself, else all of it at once."""
    session = is_session(text)
    reader = _Reader(text.split("\n"), session)
    reader.read()
    blanked = "\n".join(reader.kept)
    if session:
        yield from (Typed(blanked[start:end], start, answered=True) for start, end in reader.spans(blanked))
    elif blanked.strip():
        yield Typed(blanked, 0, reader.answered)


@dataclass(slots=True)
class _Reader:
    """Goes through a block line by line, and keeps what belongs to statements."""

    lines: list[str]
    session: bool
    kept: list[str] = field(default_factory=list)
    quote: str = ""
    """what ends the string or comment that is open"""
    is_open: bool = False
    """a statement has begun, and its semicolon is still to come"""
    began: list[int] = field(default_factory=list)
    """the lines on which statements begin"""
    answered: bool = False
    ends: list[int] = field(default_factory=list)
    """for each line, that behind the footer or before the blank line below it"""

    def __post_init__(self) -> None:
        end = len(self.lines)
        self.ends = [end] * end
        for number in range(end - 1, -1, -1):
            line = self.lines[number]
            end = number if not line.strip() else number + 1 if _FOOTER.fullmatch(line) else end
            self.ends[number] = end

    def read(self) -> None:
        """All lines; each leaves one of the same length."""
        number = 0
        while number < len(self.lines):
            number = self._take(number)

    def spans(self, blanked: str) -> Iterator[tuple[int, int]]:
        """Where the statements that were finished begin and end in the text."""
        starts, place = [0], 0
        for line in self.kept:
            place += len(line) + 1
            starts.append(place)
        for number, begin in enumerate(self.began):
            after = self.began[number + 1] if number + 1 < len(self.began) else len(self.kept)
            piece = blanked[starts[begin] : starts[after]].rstrip()
            if ";" in piece:
                yield starts[begin], starts[begin] + len(piece)

    def _take(self, number: int) -> int:
        line = self.lines[number]
        prompt = _PROMPT.match(line) if self.session else None
        if prompt is not None and not self.quote and prompt["state"] in {"=", "^", "!", None}:
            if self.is_open:
                self._drop()  # given up with Ctrl-C, or cut out
            self.is_open = False
        if prompt is None and not self.quote:
            if end := self._printed(number):
                self.answered = True
                return self._blank(number, end, ends=self.is_open)
            if _FAILED.match(line):
                self._drop()  # the document shows itself that it failed
                self.is_open = False
                return self._blank(number, number + 1)
            if _MESSAGE.match(line):
                return self._blank(number, number + 1, ends=self.is_open)
        body = line if prompt is None else line[prompt.end() :]
        if not self.is_open and not self.quote and not self._begins(body, prompted=prompt is not None):
            self.answered |= bool(body.strip()) and not body.lstrip().startswith("\\")
            return self._blank(number, number + 1)
        return self._keep(number, body)

    def _begins(self, body: str, *, prompted: bool) -> bool:
        """Whether a statement begins here, or a comment about one."""
        if self.session and not prompted:
            return False
        if _COMMENT.match(body):
            return True
        return _STARTS.match(body) is not None and _TAG.fullmatch(body) is None

    def _keep(self, number: int, body: str) -> int:
        was_open, lead = self.is_open, len(self.lines[number]) - len(body)
        if not self.quote and (found := _META_END.search(body)):
            body = body[: found.start()] + ";" + " " * (len(found[0]) - 1)
        self._scan(body)
        if not was_open and (self.is_open or ";" in body) and not _COMMENT.match(body):
            self.began.append(number)
        self.kept.append(" " * lead + body)
        if not self.is_open and _COPYING.search(body):
            end = number + 1
            while end < len(self.lines) and self.lines[end].rstrip() != "\\.":
                end += 1
            return self._blank(number + 1, min(end + 1, len(self.lines)))
        return number + 1

    def _scan(self, text: str) -> None:
        place = 0
        while place < len(text):
            if self.quote:
                end = text.find(self.quote, place)
                if end < 0:
                    return
                place, self.quote = end + len(self.quote), ""
                continue
            token = _TOKEN.match(text, place)
            if token is None or token[0] == "--":
                return
            place = token.end()
            if token[0] == "/*":
                self.quote = "*/"
            elif token[0] == ";":
                self.is_open = False
            elif token[0].strip():
                self.is_open = True
                if token[0] in {"'", '"'} or re.fullmatch(r"\$\w*\$", token[0]):
                    self.quote = token[0]

    def _printed(self, number: int) -> int:
        """The line behind a result that begins here; 0: none does."""
        line = self.lines[number]
        if _RECORD.fullmatch(line):
            end = number + 1
            while end < len(self.lines) and ("|" in self.lines[end] or _RECORD.fullmatch(self.lines[end])):
                end += 1
            return end
        rule = self.lines[number + 1] if number + 1 < len(self.lines) else ""
        if not line.strip() or line.rstrip().endswith(";") or _COMMENT.match(line) or not _RULE.fullmatch(rule):
            return 0
        end = self.ends[number + 2] if number + 2 < len(self.lines) else len(self.lines)
        sure = _FOOTER.fullmatch(self.lines[end - 1]) is not None or "+" in rule or "|" in line
        return end if sure or not self.is_open else 0

    def _blank(self, begin: int, end: int, *, ends: bool = False) -> int:
        """Nothing of these lines is SQL; `ends`: a statement whose semicolon was left out ends before them."""
        for number in range(begin, end):
            self.kept.append(" " * len(self.lines[number]))
        if ends:
            self.answered = True
            if self.lines[begin]:
                self.kept[begin] = ";" + self.kept[begin][1:]
            self.is_open = False
        return end

    def _drop(self) -> None:
        """The last statement is taken out."""
        if not self.began:
            return
        begin = self.began.pop()
        self.kept[begin:] = [" " * len(line) for line in self.kept[begin:]]
        self.quote = ""
