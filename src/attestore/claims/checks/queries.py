"""SQL that cannot run on PostgreSQL as printed, and SQL that would prove nothing if it did."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from attestore.claims.catalogue import catalogue
from attestore.claims.document import Code, Document, Passage, Table
from attestore.claims.model import Book, Kind
from attestore.claims.parser import Parsed, Refused, Tree, parse, within
from attestore.claims.scopes import selects, troubles
from attestore.claims.transcripts import is_session, typed

__all__ = ["Query", "check", "queries"]

_LANGUAGES: Final = frozenset({"sql", "psql", "postgresql", "pgsql", "postgres"})
_SHELLS: Final = frozenset({"bash", "sh", "shell", "console", "zsh", "terminal", "shell-session", "text", ""})
_BEGINS: Final = re.compile(
    r"\s*(?:--[^\n]*\n\s*)*(?:SELECT|WITH|UPDATE|INSERT|DELETE|EXPLAIN|VACUUM|ANALYZE|SHOW|CHECK|CHECKSUM|DESCRIBE|REINDEX)\b",
    re.IGNORECASE,
)
_COMMAND: Final = re.compile(
    r"""\bpsql\b[^\n]*?\s(?:-\w*c|--command)[ =](?:"((?:[^"\\]|\\.)*)"|'([^']*)')(?=[\s;|)&>]|$)"""
)
_PSEUDO: Final = re.compile(
    r"\.\.\.|…|<[\w .:-]{1,40}>|\{[^{}\n]{0,60}\}|\$[({]?[A-Za-z_(]|(?<![:\w]):[\"']?\w+|(?<![:\w]):=|\[\w[\w ]*\]|%(?:s|I|L|\(\w+\)s)|\bTODO\b|\?|`|"
    r"(?<!\w)[@#]\w|\b(?:END (?:IF|LOOP)|RAISE (?:NOTICE|EXCEPTION|WARNING|INFO)|PERFORM|ELSIF|ELSEIF)\b",
)
_SHORTENED: Final = re.compile(
    r"--[^\n]*\b(?:etc|and so on|omitted|snip|left out|abridged|shortened|usw|gekürzt|analog\w*|likewise|remaining|more (?:columns|tables|rows))\b",
    re.IGNORECASE,
)
_OTHER_ENGINE: Final = re.compile(
    r"\b(?:MySQL|MariaDB|Oracle|SQL Server|MSSQL|SQLite|Db2|ClickHouse|BigQuery|Snowflake|Redshift|CockroachDB|PgBouncer|Spanner|T-SQL)\b",
    re.IGNORECASE,
)
_SAID_BROKEN: Final = re.compile(
    r"\b(?:this|it|which|that|the (?:query|statement|command)|following)(?: (?:query|statement|command|one))? (?:fails|failed|cannot run|can't run|"
    r"does(?: not|n't) (?:run|work|exist)|did(?: not|n't) (?:run|work)|is (?:wrong|invalid)|was (?:wrong|rejected|refused))\b|\bno such (?:column|function|table)\b",
    re.IGNORECASE,
)
_OLD: Final = re.compile(
    r"\b(?:PostgreSQL|Postgres|PG|server(?: version)?)[ -]?(?:v|version )?(?:8\.\d|9\.\d|1[0-4])\b(?!\.\d+\.\d)",
    re.IGNORECASE,
)
"""Majors of which the catalogue knows nothing"""
_NEEDS_RUN: Final = "The statement as it was really run, with the server's version and its output."


@dataclass(frozen=True, slots=True)
class Query:
    """SQL of the document: its text, and the line it begins on."""

    text: str
    line: int
    block: int
    """place of its block among the document's"""
    answered: bool = False
    """its result stands in the same block"""

    def line_at(self, offset: int) -> int:
        """Line of the source that a place of the text stands on."""
        return self.line + self.text.count("\n", 0, offset)

    @property
    def end(self) -> int:
        """Line of its last line."""
        return self.line + self.text.rstrip().count("\n")


def queries(document: Document) -> Iterator[Query]:
    """Every piece of SQL in the document's code."""
    for place, block in enumerate(document.blocks):
        if isinstance(block, Code):
            yield from _of_block(block, place)


def _of_block(block: Code, place: int) -> Iterator[Query]:
    text = block.text
    if len(text) > 200_000:
        return
    if block.language in _LANGUAGES or (
        block.language in _SHELLS and (is_session(text) or (block.language in {"", "text"} and _is_sql(text)))
    ):
        for each in typed(text):
            yield Query(each.text, block.line + text.count("\n", 0, each.offset), place, each.answered)
    elif block.language in _SHELLS:
        for found in _COMMAND.finditer(text):
            quoted = found[1].replace('\\"', '"').replace("\\$", "$") if found[1] is not None else found[2]
            if not quoted.lstrip().startswith("\\"):
                yield Query(quoted, block.line + text.count("\n", 0, found.start()), place)


def _is_sql(text: str) -> bool:
    """Whether a block without a language is SQL, and not a sentence that begins with such a word."""
    begins = _BEGINS.match(text)
    return begins is not None and ";" in text and (begins[0].split()[-1].isupper() or begins[0].split()[-1].islower())


def check(document: Document, book: Book) -> None:
    """Parse all of it, and look at what each statement would do."""
    old = _OLD.search(document.text[:200_000]) is not None
    for query in queries(document):
        if not query.text.strip() or _foreign(document, query):
            continue
        for start, part in _pieces(query.text):
            _piece(Query(part, query.line_at(start), query.block), document, book, old=old)


def _foreign(document: Document, query: Query) -> bool:
    """Whether what stands right before it says that it is of another engine, or that it does not run."""
    block = document.blocks[query.block]
    around = " ".join((_words_near(document, query.block), *block.section[-1:]))
    return bool(_OTHER_ENGINE.search(around) or _SAID_BROKEN.search(around))


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """The whole text if PostgreSQL takes it, else each statement up to a semicolon at a line's end."""
    if not isinstance(parse(text), Refused):
        yield 0, text
        return
    start = 0
    for found in re.finditer(r";[ \t]*(?:--[^\n]*)?(?:\n|\Z)", text):
        yield start, text[start : found.end()]
        start = found.end()
    if text[start:].strip():
        yield start, text[start:]


def _piece(query: Query, document: Document, book: Book, *, old: bool) -> None:
    parsed = parse(query.text)
    if isinstance(parsed, Refused):
        offset = min(parsed.offset, max(len(query.text.rstrip()) - 1, 0))
        line = query.line_at(offset)
        bare = re.sub(r"--[^\n]*|/\*.*?\*/", " ", query.text, flags=re.DOTALL)
        if not bare.strip():
            return
        if not parsed.judged or _PSEUDO.search(bare) or _SHORTENED.search(query.text):
            book.unjudged(
                line, "The SQL is incomplete as printed (placeholders or omissions), so that it can't be judged."
            )
        else:
            book.found(Kind.IMPOSSIBLE, line, f"PostgreSQL does not accept this: {parsed.why}.", needs=_NEEDS_RUN)
        return
    bad = False
    old = old and any(troubles(each.tree, catalogue()) for each in parsed)
    if old:
        book.unjudged(
            query.line, "It is of a major of PostgreSQL before 15, whose catalogue this reader does not have."
        )
    for statement in () if old else parsed:
        for trouble in {each.why: each for each in reversed(troubles(statement.tree, catalogue()))}.values():
            bad = True
            book.found(
                Kind.IMPOSSIBLE,
                query.line_at(trouble.offset),
                f"This cannot run on PostgreSQL: {trouble.why}.",
                needs=_NEEDS_RUN,
            )
    if not bad and not old and any(_reads(statement.tree) for statement in parsed):
        first = query.text[: parsed[0].start] + query.text[parsed[0].start :]
        lead = len(first) - len(re.sub(r"\A(?:\s+|--[^\n]*\n?|/\*.*?\*/)+", "", first, flags=re.DOTALL))
        book.holds(
            query.line_at(lead), "PostgreSQL's parser accepts it, and every system column in it exists.", end=query.end
        )
    for statement in parsed:
        _weak(statement, query, document, book)
    if re.search(r"--[^\n]*(?:\.\.\.|…)", query.text):
        at = re.search(r"--[^\n]*(?:\.\.\.|…)[^\n]*", query.text)
        line = query.line_at(at.start() if at else 0)
        book.found(
            Kind.UNSUPPORTED, line, "The rest of the query is left out here: what it says to have checked beyond the printed part can't be seen.",
            needs="The complete query, with its output.",
        )  # fmt: skip


def _reads(tree: Tree) -> bool:
    return "SelectStmt" in tree


def _weak(statement: Parsed, query: Query, document: Document, book: Book) -> None:
    """What runs and shows nothing."""
    near = _words_near(document, query.block) + query.text
    _limits(statement.tree, query, book)
    told: set[str] = set()
    top = any("limitCount" in select and "sortClause" in select for select in selects(statement.tree))
    order = sorted(
        within(statement.tree), key=lambda each: int(each[1].get("location", 0) or 0) if each[0] == "ColumnRef" else 0
    )
    for kind, node in order:
        if kind == "SubLink" and node.get("subLinkType") == "ANY_SUBLINK":
            pass
        elif kind == "BoolExpr" and node.get("boolop") == "NOT_EXPR":
            _not_in(node, query, book)
        elif kind == "A_Expr":
            _never(node, query, book)
        elif kind == "ColumnRef" and not top:
            _estimate(node, query, near, told, book)
        elif kind == "FuncCall":
            _concatenated(node, statement.tree, query, book)
    _joined(statement.tree, query, book)


def _words_near(document: Document, place: int) -> str:
    words: list[str] = []
    for step in (-1, 1):
        block = document.blocks[place + step] if 0 <= place + step < len(document.blocks) else None
        if isinstance(block, Passage):
            words.append(block.text)
        elif isinstance(block, Table):
            words.append(" ".join(block.head))
    return " ".join(words)


def _limits(tree: Tree, query: Query, book: Book) -> None:
    for select in selects(tree):
        if "limitCount" not in select or "sortClause" in select or "fromClause" not in select:
            continue
        targets = [target.get("ResTarget", {}).get("val", {}) for target in select.get("targetList", [])]
        nothing = select["limitCount"].get("A_Const", {}).get("ival", {"ival": 0}) == {}
        if all("A_Const" in value for value in targets) or _counts(targets) or nothing:
            continue
        place = _location(select["limitCount"])
        line = query.line_at(place) if place else query.line
        book.found(
            Kind.VACUOUS, line,
            "LIMIT without ORDER BY: the server may return any rows, and others the next time, so that two results can't be compared.",
            needs="The same query with an ORDER BY that decides every tie, and its output on both sides.",
        )  # fmt: skip


def _counts(targets: list[Tree]) -> bool:
    return bool(targets) and all(
        "FuncCall" in value and "over" not in value["FuncCall"] and value["FuncCall"].get("agg_star")
        for value in targets
    )


def _location(node: Tree) -> int:
    for _, below in within({"x": node}):
        if below.get("location"):
            return int(below["location"])
    return 0


def _never(node: Tree, query: Query, book: Book) -> None:
    """`= NULL` is true of no row."""
    names = [part.get("String", {}).get("sval") for part in node.get("name", [])]
    sides = (node.get("lexpr", {}), node.get("rexpr", {}))
    if names[-1:] in (["="], ["<>"]) and any(side.get("A_Const", {}).get("isnull") for side in sides):
        book.found(
            Kind.VACUOUS, query.line_at(int(node.get("location", 0))), f"“{names[-1]} NULL” is true of no row, whatever the table holds: it could not have found one.",
            needs="The query with IS NULL or IS NOT NULL, and its output.",
        )  # fmt: skip


def _not_in(node: Tree, query: Query, book: Book) -> None:
    for argument in node.get("args", []):
        link = argument.get("SubLink", {})
        if link.get("subLinkType") != "ANY_SUBLINK" or link.get("operName"):
            continue
        select = link.get("subselect", {}).get("SelectStmt", {})
        if "whereClause" in select and any(name == "NullTest" for name, _ in within(select["whereClause"])):
            continue
        line = query.line_at(int(link.get("location", 0)))
        book.found(
            Kind.VACUOUS, line,
            "NOT IN (SELECT …) is true for no row as soon as the subquery returns one NULL: it then counts 0 whatever the data, and NULLs "
            "on the left are never counted.",
            needs="The count by NOT EXISTS or an anti-join, beside the number of child rows looked at.",
        )  # fmt: skip


_ESTIMATES: Final = {
    "n_live_tup": "the statistics collector's estimate",
    "reltuples": "the planner's estimate",
    "n_dead_tup": "an estimate",
}
_ADMITTED: Final = re.compile(
    r"\bestimat|\bapprox|\bschätz|\broughly|\bstatistics only|\bbloat|\bvacuum|\bautovacuum", re.IGNORECASE
)


def _estimate(node: Tree, query: Query, near: str, told: set[str], book: Book) -> None:
    fields = [part.get("String", {}).get("sval", "") for part in node.get("fields", [])]
    name = fields[-1] if fields else ""
    if name in {"n_live_tup", "reltuples"} and name not in told and not _ADMITTED.search(near):
        told.add(name)
        book.found(
            Kind.VACUOUS, query.line_at(int(node.get("location", 0))),
            f"{name} is {_ESTIMATES[name]}, not a count of rows; after a restore it is whatever ANALYZE last sampled, or 0.",
            needs="count(*) of each table on both sides.",
        )  # fmt: skip


def _concatenated(node: Tree, tree: Tree, query: Query, book: Book) -> None:
    """md5(string_agg(…)) whose order nobody fixes, or that folds digests of `t::text` by an alias."""
    name = _function(node)
    if name not in {"md5", "sha256", "sha512", "digest", "hashtext", "sha224", "sha384"}:
        return
    for kind, inner in within(node.get("args", [])):
        if kind != "FuncCall" or _function(inner) not in {"string_agg", "array_agg"}:
            continue
        line = query.line_at(int(node.get("location", 0)))
        if "agg_order" in inner or "aggOrder" in inner:
            return
        ordered = [select for select in selects(tree) if "sortClause" in select]
        first = any(_by_place(select) for select in ordered)
        why = (
            "the order inside a subquery's ORDER BY 1 decides nothing between rows whose first column is equal"
            if first
            else "without ORDER BY inside string_agg the rows come in any order"
            if not ordered
            else "string_agg itself has no ORDER BY, so that the order of ties is not defined"
        )
        book.found(
            Kind.VACUOUS, line,
            f"The checksum is not well defined: {why}; equal tables may give different values. Rows are joined without a separator, "
            "and a NULL row text would be left out.",
            needs="A checksum whose order is total (string_agg(… ORDER BY a unique key), or an order-independent one), with both values printed.",
        )  # fmt: skip
        return


def _by_place(select: Tree) -> bool:
    return any("A_Const" in each.get("SortBy", {}).get("node", {}) for each in select.get("sortClause", []))


def _function(node: Tree) -> str:
    names = [part.get("String", {}).get("sval", "") for part in node.get("funcname", [])]
    return str(names[-1]).lower() if names else ""


def _joined(tree: Tree, query: Query, book: Book) -> None:
    """information_schema joined by the constraint's name alone: names are unique only within a table."""
    for select in selects(tree):
        text = str(select.get("fromClause", ""))
        if (
            "constraint_column_usage" in text
            and "constraint_name" in text
            and "constraint_schema" not in text
            and "table_schema" not in text
        ):
            place = next(
                (
                    int(node.get("location", 0))
                    for name, node in within(select.get("fromClause", []))
                    if name == "RangeVar"
                ),
                0,
            )
            book.found(
                Kind.VACUOUS, query.line_at(place),
                "Constraints are joined by name alone, which is unique only within one table, and columns of a multi-column key are "
                "multiplied: the rows listed are not the number of foreign keys.",
                needs="The list from pg_constraint (contype = 'f'), one row per foreign key.",
            )  # fmt: skip
