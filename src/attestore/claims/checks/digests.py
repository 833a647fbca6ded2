"""Digests that cannot be what they are said to be: length, alphabet, pattern, repetition."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from attestore.claims.document import Code, Document, Passage, Row, Table
from attestore.claims.labels import is_good, keyed
from attestore.claims.model import Book, Kind

__all__ = ["check"]

_LENGTHS: Final = {
    "md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128, "crc32": 8, "crc32c": 8,
    "sha3-256": 64, "blake3": 64, "xxh64": 16, "blake2b": 128, "blake2s": 64,
}  # fmt: skip
_SHAPES: Final = frozenset({32, 40, 56, 64, 96, 128})
_ALGORITHM: Final = re.compile(
    r"\b(MD5|SHA-?3-256|SHA-?(?:1|224|256|384|512)|CRC-?32C?|BLAKE3|BLAKE2[bs]|XXH64)(?:sums?)?\b", re.IGNORECASE
)
_ABOUT: Final = re.compile(
    r"\b(?:checksums?|digests?|hash(?:es)?|md5(?:sum)?|sha-?\d+(?:sum)?|fingerprints?|prüfsummen?)\b", re.IGNORECASE
)
_TOKEN: Final = re.compile(r"(?<![\w/.=+-])[0-9A-Za-z]{8,200}(?![\w/=+]|\.\w|-\w)")
_SHORTENED: Final = re.compile(r"(?<![\w/.])([0-9a-fA-F]{3,32})(?:…|\.{2,4})([0-9a-fA-F]{3,32})?(?!\w)")
_OPTION: Final = re.compile(r"(?:^|\s)--?[A-Za-z][\w-]*[ =]['\"]?$")
"""what is handed to a command is a reference to the thing, and does not name it"""
_NO_DIGEST: Final = re.compile(
    r"\b(?:commit|git|revision|branch|sha:? ?[0-9a-f]{7,12}|build|uuid|system identifier|key id|run|label|timeline|wal)\b",
    re.IGNORECASE,
)
_EMPTY: Final = {
    "d41d8cd98f00b204e9800998ecf8427e": "MD5",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709": "SHA-1",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855": "SHA-256",
}
_COPY: Final = re.compile(
    r"\b(?:source|restored?|before|after|original|copy|copies|target|fetched|local|remote|upload(?:ed)?|download(?:ed)?|primary|replica|standby|"
    r"backup|stored?|offsite|off-site|s3|quelle|ziel|pre|post|expected|actual|again|same|both|mirror|sealed|received|sent|recomputed|"
    r"recorded|computed|retrieved|manifest|catalogue|catalog|duplicate|identical|unchanged|second|read back)\b",
    re.IGNORECASE,
)
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_NEEDS: Final = "The full digest as the program printed it, with the command and the file it was taken of."
_MOST_PATTERN: Final = 0.45
_LEAST_HEX: Final = 0.82
_LEAST_DISTINCT: Final = 9


@dataclass(frozen=True, slots=True)
class _Seen:
    """A digest where it stands."""

    text: str
    line: int
    subject: str
    algorithm: str = ""
    about: bool = False
    """its surroundings call it a digest"""
    place: int = 0
    """table column, to compare like with like"""
    empty: bool = False
    """it may be that of nothing: zero rows, an empty file"""
    code: bool = False
    """it stands in a block of code"""


def check(document: Document, book: Book) -> None:
    """Look at each digest by itself, then at all of them together."""
    seen = list(_all(document))
    sound: list[_Seen] = []
    for each in seen:
        if why := _flaw(each):
            book.found(Kind.IMPOSSIBLE, each.line, why, needs=_NEEDS)
        else:
            sound.append(each)
    _unequal(document, book)
    _repeated(sound, book)
    _rotated(sound, book)
    _shortened(document, {each.text.lower() for each in seen}, book)


def _all(document: Document) -> Iterator[_Seen]:
    for block in document.blocks:
        match block:
            case Passage():
                yield from _of_text(list(block.lines), " ".join(block.section[-1:]))
            case Code() if block.language not in {"sql", "psql", "postgresql", "pgsql", "plpgsql"}:
                yield from (replace(each, code=True) for each in _of_text(list(block.lines), ""))
            case Table():
                for row in block.rows:
                    yield from _of_row(row, block)
            case _:
                pass


def _of_text(lines: list[tuple[int, str]], section: str) -> Iterator[_Seen]:
    command = ""
    for line, text in lines:
        named = _ALGORITHM.search(text)
        command = named[1] if named else command
        alone = re.fullmatch(r"[\s`]*[0-9A-Za-z]{20,}[\s`]*", text)  # the digest that the line before announces
        listed = re.match(r"\s*[0-9A-Za-z]{20,}\s+[*]?\S+\s*$", text)  # as sha256sum prints
        said = bool(_ABOUT.search(text))
        about = said or bool(_ABOUT.search(section) and not _NO_DIGEST.search(text))
        empty = bool(re.search(r"\b(?:empty|0 (?:bytes|rows|B))\b", text))
        for token in _TOKEN.finditer(text):
            around = f"{text[: token.start()]} {text[token.end() :]}".strip()
            label = keyed(text)
            if label is not None and token[0] in label[1]:
                around = label[0]
            if _OPTION.search(text[: token.start()]):
                around = ""
            algorithm = named[1] if named else command if listed or alone else ""
            yield _Seen(token[0], line, around, algorithm, about or bool(listed or (alone and command)), 0, empty)


def _of_row(row: Row, table: Table) -> Iterator[_Seen]:
    for column, cell in enumerate(row.cells):
        head = table.head[column]
        named = _ALGORITHM.search(head) or _ALGORITHM.search(cell) or _ALGORITHM.search(row.cells[0])
        about = bool(_ABOUT.search(head) or _ABOUT.search(row.cells[0]))
        if _NO_DIGEST.search(head) and not _ABOUT.search(head):
            continue
        # a cell of exactly "0" beside it, or the word
        empty = any(re.fullmatch(r"\W*0(?: rows?| B| bytes)?\W*|.*\bempty\b.*", other) for other in row.cells)
        for token in _TOKEN.finditer(cell):
            yield _Seen(token[0], row.line, row.cells[0], named[1] if named else "", about, column, empty)


def _flaw(each: _Seen) -> str:
    """Why it cannot be a digest; empty if it can, or is not said to be one."""
    text = each.text
    hexes = sum(letter in _HEX for letter in text)
    shaped = len(text) in _SHAPES
    wanted = _LENGTHS.get(re.sub(r"^(sha|crc)-(?!3)", r"\1", each.algorithm.lower()), 0)
    if hexes < len(text) * _LEAST_HEX or not (shaped or any(letter.isdigit() for letter in text)):
        return ""
    if not (each.about or wanted or shaped):
        return ""
    if hexes < len(text):
        odd = "".join(sorted({letter for letter in text if letter not in _HEX}))
        why = f"A digest in hexadecimal has only the digits 0-9 and a-f; this one contains {odd!r}."
        return why if shaped or len(text) >= 24 or (wanted and len(text) == wanted) else ""
    return _length(each, wanted) or _content(each, shaped=shaped)


def _length(each: _Seen, wanted: int) -> str:
    length = len(each.text)
    if wanted and length != wanted and (length >= 20 or (wanted == 8 and length > 8)):
        return f"A {each.algorithm.upper()} has {wanted} hexadecimal digits; this one has {length}."
    if not wanted and each.about and length not in _SHAPES and length > 20:
        return f"It has {length} hexadecimal digits; MD5 has 32, SHA-1 40, SHA-256 64, SHA-384 96, SHA-512 128."
    return ""


def _content(each: _Seen, *, shaped: bool) -> str:
    text = each.text.lower()
    if each.code and re.fullmatch(r"(?:0123456789abcdef)+(?:0123456789?a?b?c?d?e?|0123456?7?8?)?", text):
        return ""  # an example's placeholder
    if text in _EMPTY and not each.empty:
        return f"This is the {_EMPTY[text]} of no bytes at all: whatever was hashed was empty, or nothing was."
    return _patterned(text) if len(text) >= 16 and (shaped or each.about) else ""


def _patterned(text: str) -> str:
    values = [int(digit, 16) for digit in text]
    distinct = len(set(text))
    if len(text) >= 32 and distinct < _LEAST_DISTINCT:
        return f"{len(text)} hexadecimal digits, of which only {distinct} are different: a digest has nearly all 16."
    if len(text) >= 24 and all(a.isdigit() != b.isdigit() for a, b in itertools.pairwise(text)):
        return f"Letters and digits alternate through all {len(text)} places, as a digest never does; it was typed."
    for lag in range(1, len(text) // 2 + 1):
        steps = Counter((b - a) % 16 for a, b in zip(values, values[lag:], strict=False))
        step, times = steps.most_common(1)[0]
        share = times / (len(values) - lag)
        if share > _MOST_PATTERN and times >= 9:
            what = "repeats itself" if step == 0 else "counts up or down"
            return (
                f"It {what}: {times} of {len(values) - lag} digits follow from the one {lag} before them; in a digest about "
                f"one of 16 would."
            )
    return ""


def _repeated(seen: list[_Seen], book: Book) -> None:
    first: dict[tuple[str, int], _Seen] = {}
    for each in seen:
        text = each.text.lower()
        if len(text) < 16 or not set(text) <= _HEX or not any(letter.isdigit() for letter in text) or each.empty:
            continue
        if not (each.about or each.algorithm or len(text) in _SHAPES):
            continue
        other = first.setdefault((text, each.place), each)
        if other is each or other.line == each.line or not _differ(other.subject, each.subject):
            continue
        book.found(
            Kind.IMPOSSIBLE,
            each.line,
            f"The same digest stands on line {other.line} for something else ({_short(other.subject)}, here "
            f"{_short(each.subject)}); different content has different digests.",
            needs=_NEEDS,
        )


def _unequal(document: Document, book: Book) -> None:
    """Two digests of one row that differ, and a mark that says they don't."""
    for table in document.tables:
        columns = [index for index, head in enumerate(table.head) if _ABOUT.search(head) or _ALGORITHM.search(head)]
        if len(columns) != 2:
            continue
        for row in table.rows:
            first, second = (row.cells[index].strip(" `").lower() for index in columns)
            marks = [cell for index, cell in enumerate(row.cells) if index not in columns and index and is_good(cell)]
            if first != second and len(first) == len(second) >= 16 and set(first + second) <= _HEX and marks:
                alike = sum(a == b for a, b in zip(first, second, strict=True))
                book.found(
                    Kind.CONTRADICTION, row.line,
                    f"The two digests differ in {len(first) - alike} of {len(first)} digits, yet the row is marked {marks[0].strip()}.", needs=_NEEDS,
                )  # fmt: skip


def _differ(first: str, second: str) -> bool:
    """Whether two digests are for certain of different things; a file and its copy are not."""
    names = [
        set(re.findall(r"[\w-]+\.(?:dump|sql|gz|gpg|zst|tar|dat|bak|age|enc|csv|json|lz4|bz2|xz)\b", text))
        for text in (first, second)
    ]
    if names[0] and names[1]:
        return not names[0] & names[1] and not _COPY.search(re.sub(r"[\w./-]+\.\w+", " ", f"{first} {second}"))
    bare = [
        re.sub(r"[^\w]+", " ", _ALGORITHM.sub(" ", _ABOUT.sub(" ", text))).strip().lower() for text in (first, second)
    ]
    if any(len(text) > 60 or not _NAMING.search(text) for text in bare) or bare[0] == bare[1]:
        return False
    return not (_COPY.search(first) or _COPY.search(second))


_NAMING: Final = re.compile(
    r"(?<![^\W_])(?!(?:ok|of|in|the|and|for|file|done|good|verified|match(?:es|ed)?|computed|compared|checked|confirmed|value|utc|start|end|info|log|is|was)(?![^\W_]))(?:[^\W\d_][^\W_]+|[^\W_]{12,})"
)
"""A word that may name what was hashed; a time and an "ok" do not"""


def _short(text: str) -> str:
    return " ".join(text.split())[:40] or "no name"


def _rotated(seen: list[_Seen], book: Book) -> None:
    by_length: dict[int, list[_Seen]] = {}
    for each in seen:
        if len(each.text) in _SHAPES and set(each.text) <= _HEX and len(by_length.setdefault(len(each.text), [])) < 500:
            by_length[len(each.text)].append(each)
    for group in by_length.values():
        doubled: dict[str, _Seen] = {}
        for each in group:
            text = each.text.lower()
            least = min(text[turn:] + text[:turn] for turn in range(len(text)))
            for key, what in (
                (least, "the same digits turned round"),
                (min(least, _least(text[::-1])), "the same digits turned round or backwards"),
            ):
                other = doubled.setdefault(key, each)
                if other.text.lower() != text:
                    book.found(
                        Kind.IMPOSSIBLE,
                        each.line,
                        f"It is the digest of line {other.line} again, {what}.",
                        needs=_NEEDS,
                    )
                    break
        _near(group, book)


def _least(text: str) -> str:
    return min(text[turn:] + text[:turn] for turn in range(len(text)))


def _near(group: list[_Seen], book: Book) -> None:
    """Two digests of different content agree in about one digit of 16."""
    for number, each in enumerate(group[:120]):
        for other in group[:number]:
            a, b = each.text.lower(), other.text.lower()
            if a == b:
                continue
            alike = sum(x == y for x, y in zip(a, b, strict=True))
            if alike * 10 >= len(a) * 6:
                book.found(
                    Kind.IMPOSSIBLE,
                    each.line,
                    f"{alike} of {len(a)} digits equal those of the digest on line {other.line} at the same place; between two digests "
                    f"about {len(a) // 16} do. One of them was edited from the other.",
                    needs=_NEEDS,
                )
                break


_ELSEWHERE: Final = re.compile(
    r"\b(?:full|whole|complete|untruncated|vollständig\w*)\b|\b(?:attached|attachment|appendix|annex|see|stored in|listed in|anhang|siehe|manifest)\b",
    re.IGNORECASE,
)


def _shortened(document: Document, whole: set[str], book: Book) -> None:
    """Abbreviated digests that stand nowhere in full."""
    if _ELSEWHERE.search(" ".join(p.text for p in document.passages if _ABOUT.search(p.text))):
        return
    for block in document.blocks:
        lines: list[tuple[int, str, bool]] = []
        match block:
            case Passage():
                lines = [
                    (line, text, bool(_ABOUT.search(text) or _ALGORITHM.search(text))) for line, text in block.lines
                ]
            case Table():
                lines = [
                    (row.line, cell, bool(_ABOUT.search(head) or _ABOUT.search(row.cells[0])))
                    for row in block.rows
                    for head, cell in zip(block.head, row.cells, strict=False)
                ]
            case _:
                continue
        cut = [
            line
            for line, text, about in lines
            if about
            for found in _SHORTENED.finditer(text)
            if not any(
                each.startswith(found[1].lower()) and each.endswith((found[2] or "").lower())
                for each in whole
                if len(each) > len(found[1])
            )
        ]
        if cut:
            book.found(
                Kind.UNSUPPORTED,
                cut[0],
                "The digest is abbreviated and stands nowhere in full: nobody can compare it with a file.",
                needs="The digest in full, with its algorithm and the file it was taken of.",
                end=cut[-1],
            )
