"""What came back: rows, fingerprints, keys, sequences, objects and edge cases; differences first and in full."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from attestore.gate import Probe
from attestore.proof import STREAM, Comparison, Difference, Proof, same_content, together, unasked
from attestore.proof import Table as Relation
from attestore.report import numbers
from attestore.report.blocks import (
    Align,
    Block,
    Bullets,
    Callout,
    Cell,
    Column,
    Heading,
    Mark,
    Para,
    Table,
    Tone,
)
from attestore.report.case import NOT_MEASURED, View
from attestore.report.computed import NOT_CARRIED, recomputed
from attestore.report.rows import differing_rows
from attestore.report.voice import among, retold, say
from attestore.report.words import prose

__all__ = ["differences", "edge_cases", "integrity", "objects", "scores"]

_EQUAL: Final = Mark("equal", Tone.GOOD)
_DIFFERS: Final = Mark("DIFFERS", Tone.BAD)
_UNMEASURED: Final = Mark(NOT_MEASURED, Tone.DOUBT)
_UNCOMPARED: Final = Mark("not compared", Tone.DOUBT)
_MOST: Final = 60
"""rows of equal things that are printed before the rest is folded into a sentence"""
_SHORT: Final = 16
_COUNTED_IN: Final = {
    "access method": "pg_am",
    "aggregate": "pg_proc, prokind a",
    "cast": "pg_cast",
    "collation": "pg_collation",
    "column": "pg_attribute, without dropped and system columns",
    "comment": "pg_description",
    "composite type": "pg_type, typtype c",
    "constraint": "pg_constraint of tables; NOT NULL is counted with columns",
    "conversion": "pg_conversion",
    "default": "pg_attrdef",
    "default privilege": "pg_default_acl",
    "domain": "pg_type, typtype d",
    "domain constraint": "pg_constraint of domains",
    "enum": "pg_type, typtype e",
    "event trigger": "pg_event_trigger",
    "extension": "pg_extension",
    "foreign data wrapper": "pg_foreign_data_wrapper",
    "foreign table": "pg_class, relkind f",
    "function": "pg_proc, functions and procedures",
    "index": "pg_index, those that back a key included",
    "language": "pg_language",
    "large object": "pg_largeobject_metadata",
    "materialized view": "pg_class, relkind m",
    "not null constraint": "pg_constraint, contype n, from PostgreSQL 18",
    "operator": "pg_operator",
    "operator class": "pg_opclass",
    "operator family": "pg_opfamily",
    "partition": "pg_inherits",
    "policy": "pg_policy",
    "privilege": "owners and access lists",
    "procedure": "pg_proc, prokind p",
    "publication": "pg_publication",
    "rule": "pg_rewrite, without those of views",
    "schema": "pg_namespace",
    "sequence": "pg_sequence",
    "server": "pg_foreign_server",
    "statistics": "pg_statistic_ext",
    "system privilege": "access lists that differ from pg_init_privs",
    "table": "pg_class, relkinds r and p",
    "trigger": "pg_trigger, without internal ones",
    "type support": "pg_type, functions of base types",
    "user mapping option": "pg_user_mapping, values as keyed digests",
    "view": "pg_class, relkind v",
}


def _sides(view: View, item: Difference) -> tuple[str, str]:
    """What was and what is. A setting that is empty and one that is absent read alike in a difference, and are told apart here."""
    if item.source != item.restored or view.case.source is None:
        return item.source, item.restored
    there = any(f"{each.scope}: {each.name}" == item.subject for each in view.case.source.settings)
    return ("", item.restored) if there else (item.source, "")


def differences(view: View) -> tuple[Block, ...]:
    """Every difference, each with both sides; or the sentence that there is none."""
    comparison = view.comparison
    heading = Heading(2, say("Differences"), "differences")
    errors = _errors(view)
    if comparison is None:
        return (
            heading,
            *errors,
            Para(prose("**{what}:** there are not two proofs to compare.", what=say(NOT_MEASURED).capitalize())),
        )
    found = comparison.differences
    if not found:
        return (
            heading,
            *errors,
            Para(
                say(
                    "None. The restored database equals the proof that the backup carries, in every respect that was compared."
                )
            ),
        )
    rows = tuple(
        (item.subject, say(item.kind), _what(item), *(retold(side) or "–" for side in _sides(view, item)))
        for item in found
    )
    return (
        heading,
        *errors,
        Callout(Tone.BAD, say("{differences} between backup and restore", differences=numbers.counted(len(found), "difference"))),
        Table(
            (
                Column(say("Where"), mono=True, wide=True),
                Column(say("Kind")),
                Column(say("What differs")),
                Column(say("In the backup"), mono=True, wide=True),
                Column(say("Restored"), mono=True, wide=True),
            ),
            rows,
        ),
        *differing_rows(comparison),
    )  # fmt: skip


def _pieces(told: str) -> str:
    """What the evidence counted, piece by piece in the language of the document."""
    return ", ".join(retold(piece) for piece in told.split(", "))


def _what(item: Difference) -> str:
    return f"{say(item.what)}: {_pieces(item.detail)}" if item.detail else say(item.what)


def _errors(view: View) -> tuple[Block, ...]:
    """What the restore complained of, in the programme's own words."""
    reading = view.reading
    told = tuple(reading.shown("restore.error", number) for number in reading.subjects("restore.error"))
    if not told:
        return ()
    count = prose("Errors while restoring: **{count}**.", count=reading.shown("restore.errors"))
    return Para(count), Bullets(told)


def scores(view: View) -> Table:
    """Accuracy in four lines: rows, fingerprints, foreign keys, orphans."""
    reading = view.reading

    def line(label: str, good: int | None, whole: int | None, unit: str) -> tuple[Cell, ...]:
        if good is None or whole is None:
            return label, say(NOT_MEASURED), _UNMEASURED
        held = Mark("equal", Tone.GOOD) if good == whole and whole else _DIFFERS if good != whole else _UNMEASURED
        return label, f"{numbers.share(good, whole)} ({numbers.count(good)}/{numbers.count(whole)} {say(unit)})", held

    compared = reading.number("tables.compared")
    differing = reading.number("tables.fingerprints.differing")
    keys = view.case.restored.foreign_keys if view.case.restored else None
    orphans = reading.number("foreign_keys.orphans")
    matching = None if compared is None or differing is None else compared - differing
    whole_keys = None if keys is None else sum(key.checked for key in keys)
    sound = None if keys is None else sum(key.checked and not key.orphans for key in keys)
    orphaned: tuple[Cell, ...] = (say("Orphaned rows"), say(NOT_MEASURED), _UNMEASURED)
    if orphans is not None:
        orphaned = (
            say("Orphaned rows"),
            numbers.count(orphans),
            Mark("none", Tone.GOOD) if not orphans else Mark("FOUND", Tone.BAD),
        )
    return Table(
        (Column(say("Metric")), Column(say("Result"), Align.RIGHT, wide=True), Column(say("Comparison"))),
        (
            line(say("Row counts"), reading.number("rows.restored"), reading.number("rows.expected"), "rows"),
            line(say("Fingerprints"), matching, reading.number("tables.expected"), "tables"),
            line(say("Foreign keys without orphans"), sound, whole_keys, "keys"),
            orphaned,
        ),
        caption=say("Data integrity at a glance"),
    )  # fmt: skip


def integrity(view: View) -> tuple[Block, ...]:
    """Rows and fingerprints per table, foreign keys, sequences."""
    blocks: list[Block] = [
        Heading(2, say("Data integrity"), "integrity"),
        *_how(view.case.source),
        scores(view),
    ]
    if view.comparison is None:
        return tuple(blocks)
    blocks += _tables(view, view.comparison)
    blocks += recomputed(view.comparison)
    blocks += _foreign_keys(view.case.restored)
    blocks += _sequences(view.comparison)
    return tuple(blocks)


def _how(source: Proof | None) -> tuple[Block, ...]:
    """What the fingerprint method proves, and what it doesn't."""
    if source is None or source.method != STREAM:
        said = prose(
            "Method **{method}**: every row becomes a keyed, self-delimiting digest; a table's fingerprint is the row count and "
            "the exact sums of those digests, so it is independent of order and sensitive to every value and every duplicate.",
            method=source.method if source else say(NOT_MEASURED),
        )
        return (Para(said),)
    return (
        Para(
            prose(
                "Method **{method}**: a table's fingerprint is the SHA-256 of its rows as pg_dump wrote them, digested while they were "
                "sealed, and the number of rows at the snapshot. The restored table, written out the same way, must give the same text. "
                "Where only the order of its rows is another, the lines of both texts are compared as keyed multisets instead.",
                method=source.method,
            )
        ),
        Para(
            say(
                "It proves that the restored rows are the rows that the dump holds, and that these are as many as the source had. It "
                "does not prove that pg_dump read each value rightly: the source itself was only counted. It names tables that differ; "
                "method stream can't localise rows."
            )
        ),
    )


def _tables(view: View, comparison: Comparison) -> list[Block]:
    source, restored = view.case.source, view.case.restored
    judged: list[tuple[bool, Relation, Relation]] = []
    for a, b in comparison.tables:
        equal = source is not None and restored is not None and same_content(source, restored, a, b)
        judged.append((equal, a, b))
    bad = [item for item in judged if not item[0]]
    good = [item for item in judged if item[0]]
    if len(good) > _MOST:
        good = sorted(good, key=lambda item: (-item[1].rows, item[1].label))[: _MOST // 3]
    shown = [*bad, *good]
    rows: list[tuple[Cell, ...]] = [
        (
            a.label,
            numbers.count(a.rows),
            numbers.count(b.rows),
            a.fingerprint[:_SHORT],
            b.fingerprint[:_SHORT],
            _EQUAL if equal else _DIFFERS,
        )
        for equal, a, b in shown
    ]
    if source is not None and restored is not None:
        source, restored = together(source, restored)
    lost, gained = _alone(source, comparison.tables, 0), _alone(restored, comparison.tables, 1)
    one_sided: list[tuple[Cell, ...]] = [
        *((t.label, numbers.count(t.rows), "–", t.fingerprint[:_SHORT], "–", Mark("MISSING", Tone.BAD)) for t in lost),
        *((t.label, "–", numbers.count(t.rows), "–", t.fingerprint[:_SHORT], Mark("EXTRA", Tone.BAD)) for t in gained),
    ]
    rows = [*one_sided, *rows]
    every = len(judged) + len(one_sided)
    folded = len(judged) - len(shown)
    note = say("Fingerprints are printed to 16 of 64 digits; the proofs carry them whole.")
    if folded:
        rest = sum(a.rows for _, a, _ in judged) - sum(a.rows for _, a, _ in shown)
        told = say(
            "All equal: {tables} more, with {rows}; the full list is in the attached proofs.",
            tables=numbers.counted(folded, "table"), rows=numbers.counted(rest, "row"),
        )  # fmt: skip
        note = f"{told} {note}"
    wide = [a.label for _, a, _ in judged if a.wide]
    if wide:
        told = say(
            "Rows of {tables}{more} are beyond 1 GB in canonical form: their long values were digested one by one, on both sides alike.",
            tables=", ".join(wide[:_MOST]), more=say(" and others") if len(wide) > _MOST else "",
        )  # fmt: skip
        note = f"{told} {note}"
    missing = [t for t in (source.tables if source else ()) if t.uncovered]
    blocks: list[Block] = [
        Table(
            (
                Column(say("Table"), mono=True, wide=True),
                Column(say("Rows in backup"), Align.RIGHT),
                Column(say("Restored"), Align.RIGHT),
                Column(say("Fingerprint in backup"), mono=True),
                Column(say("Restored"), mono=True),
                Column(say("Content")),
            ),
            tuple(rows),
            caption=say("Rows and fingerprints of {tables}", tables=numbers.counted(every, "table")),
            total=(
                numbers.counted(every, "table"),
                numbers.count(sum(a.rows for _, a, _ in judged) + sum(t.rows for t in lost)),
                numbers.count(sum(b.rows for _, _, b in judged) + sum(t.rows for t in gained)),
                "",
                "",
                _DIFFERS if bad or one_sided else _EQUAL if judged else _UNMEASURED,
            ),
            note=note,
        )
    ]
    if missing:
        blocks.append(Para(say("Relations whose data this method does not carry, and why:")))
        blocks.append(Bullets(tuple(f"{t.label}: {among(t.uncovered, NOT_CARRIED)}" for t in missing)))
    return blocks


def _alone(proof: Proof | None, pairs: Sequence[tuple[Relation, Relation]], side: int) -> list[Relation]:
    """Tables of one side that the other has not."""
    both = {pair[side].label for pair in pairs}
    return [table for table in (proof.tables if proof else ()) if table.label not in both and not table.uncovered]


def _foreign_keys(restored: Proof | None) -> list[Block]:
    keys = sorted(restored.foreign_keys, key=lambda key: (-key.orphans, key)) if restored else []
    if not keys:
        return [Heading(3, say("Foreign keys"), "foreign-keys"), Para(say("The restored database has no foreign key."))]
    shown = keys if len(keys) <= _MOST else [key for key in keys if key.orphans or not key.checked]
    folded = len(keys) - len(shown)

    def judged(orphans: int, *, checked: bool, validated: bool) -> Mark:
        if not checked:
            return Mark("not checked", Tone.DOUBT)
        if not orphans:
            return Mark("sound", Tone.GOOD)
        return Mark("ORPHANS", Tone.BAD) if validated else Mark("NOT VALID at the source", Tone.DOUBT)

    return [
        Heading(3, say("Foreign keys"), "foreign-keys"),
        Table(
            (
                Column(say("Child table"), mono=True),
                Column(say("Foreign key"), mono=True, wide=True),
                Column(say("References"), mono=True),
                Column(say("Orphans"), Align.RIGHT),
                Column(say("State")),
            ),
            tuple(
                (
                    key.table,
                    key.name,
                    key.references,
                    numbers.count(key.orphans) if key.checked else say(NOT_MEASURED),
                    judged(key.orphans, checked=key.checked, validated=key.validated),
                )
                for key in shown
            ),
            total=(
                numbers.counted(len(keys), "key"),
                say("{n} checked row by row", n=numbers.count(sum(key.checked for key in keys))),
                "",
                numbers.count(sum(key.orphans for key in keys)),
                "",
            ),
            note=say("{n} further foreign keys are sound.", n=numbers.count(folded)) if folded else "",
        ),
    ]


def _sequences(comparison: Comparison) -> list[Block]:
    behind = {item.subject for item in comparison.differences if item.kind == "sequence"}
    pairs = sorted(comparison.sequences, key=lambda pair: (pair[0].label not in behind, pair[0].label))
    if not pairs:
        return [Heading(3, say("Sequences"), "sequences"), Para(say("There is no sequence to compare."))]
    shown = pairs if len(pairs) <= _MOST else [pair for pair in pairs if pair[0].label in behind]
    folded = len(pairs) - len(shown)
    return [
        Heading(3, say("Sequences"), "sequences"),
        Table(
            (
                Column(say("Sequence"), mono=True, wide=True),
                Column(say("In backup"), Align.RIGHT),
                Column(say("Restored"), Align.RIGHT),
                Column(say("Largest key it feeds"), Align.RIGHT),
                Column(say("State")),
            ),
            tuple(
                (
                    a.label,
                    numbers.count(a.reached),
                    numbers.count(b.reached),
                    "–" if b.largest is None else numbers.count(b.largest),
                    Mark("BEHIND", Tone.BAD) if a.label in behind else Mark("kept up", Tone.GOOD),
                )
                for a, b in shown
            ),
            note=say("{n} further sequences kept up.", n=numbers.count(folded)) if folded else "",
        ),
    ]


def objects(view: View) -> tuple[Block, ...]:
    """Objects by class, counted on both sides, and how many differ."""
    comparison, source, restored = view.comparison, view.case.source, view.case.restored
    heading = Heading(2, say("Database objects"), "objects")
    if comparison is None or source is None or restored is None:
        return heading, Para(prose("Objects: **{what}**.", what=say(NOT_MEASURED)))
    ours, theirs = Counter(item.klass for item in source.objects), Counter(item.klass for item in restored.objects)
    differing = Counter(item.kind for item in comparison.differences if item.of_object)
    rows: list[tuple[Cell, ...]] = []
    left_out = unasked(source, restored)
    for klass in sorted(ours.keys() | theirs.keys(), key=lambda klass: (not differing[klass], klass)):
        same = ours[klass] == theirs[klass] and not differing[klass]
        rows.append(
            (
                say(klass),
                numbers.count(ours[klass]),
                numbers.count(theirs[klass]),
                numbers.count(differing[klass]),
                _UNCOMPARED if klass in left_out else _EQUAL if same else _DIFFERS,
                say(_COUNTED_IN.get(klass, "the catalogue of its class")),
            )
        )
    if source.settings or restored.settings:
        wrong = differing["setting"]
        rows.append(
            (
                say("role and database setting"),
                numbers.count(len(source.settings)),
                numbers.count(len(restored.settings)),
                numbers.count(wrong),
                _DIFFERS if wrong else _EQUAL,
                "pg_roles, pg_auth_members, pg_db_role_setting",
            )
        )
    return (
        heading,
        Table(
            (
                Column(say("Class")),
                Column(say("In backup"), Align.RIGHT),
                Column(say("Restored"), Align.RIGHT),
                Column(say("Differing"), Align.RIGHT),
                Column(say("Definitions")),
                Column(say("Counted in"), wide=True),
            ),
            tuple(rows),
            total=(
                say("All"),
                numbers.count(len(source.objects) + len(source.settings)),
                numbers.count(len(restored.objects) + len(restored.settings)),
                view.reading.shown("objects.differing"),
                "",
                "",
            ),
            note=say("Definitions are compared as PostgreSQL prints them, after one round trip through the target where they differ as text. "
            "Comparing a definition does not exercise it."),
        ),
        *_left_out(left_out),
        Para(
            prose(
                "Indexes looked at: {checked}; not valid although the source’s were: {invalid}.",
                checked=view.reading.shown("indexes.checked"), invalid=view.reading.shown("indexes.invalid"),
            )
        ),
    )  # fmt: skip


def _left_out(classes: frozenset[str]) -> tuple[Block, ...]:
    if not classes:
        return ()
    told = ", ".join(say(klass) for klass in sorted(classes))
    return (Para(prose("Not compared, since only one side was asked for them: {classes}.", classes=told)),)


def edge_cases(view: View) -> tuple[Block, ...]:
    """The gate's probes: asked of the source at its snapshot and of the restored database."""
    if not view.gate.probes:
        return ()
    restored = {probe.probe: probe for probe in view.case.restored.probes} if view.case.restored else {}
    rows: list[tuple[Cell, ...]] = []
    valued = any(probe.values for probe in view.gate.probes)
    for probe in view.gate.probes:
        equal, seen = view.reading.flag("probe.equal", probe.id), view.reading.number("probe.rows", probe.id)
        answer = restored.get(probe.id)
        state = _UNMEASURED if equal is None or not seen else _EQUAL if equal else _DIFFERS
        rows.append(
            (
                probe.title or probe.id,
                f"{probe.operator.value} {numbers.count(probe.bound)}",
                say(NOT_MEASURED) if seen is None else numbers.count(seen),
                say(NOT_MEASURED) if answer is None else numbers.count(answer.rows),
                *((_valued(view, probe),) if valued else ()),
                state,
            )
        )
    worst_first = sorted(rows, key=lambda row: row[-1] == _EQUAL)
    return (
        Heading(2, say("Edge cases"), "edge-cases"),
        Table(
            (
                Column(say("Edge case"), wide=True),
                Column(say("Rows asked for"), Align.RIGHT),
                Column(say("Rows in source"), Align.RIGHT),
                Column(say("Restored"), Align.RIGHT),
                *((Column(say("Number in source"), Align.RIGHT),) if valued else ()),
                Column(say("Answers")),
            ),
            tuple(worst_first),
            total=(_equal(rows), *[""] * (5 if valued else 4)),
            note=say("Each is a query on the source at its snapshot and on the restored database; whole results are compared. The SQL is in the annex."),
        ),
    )  # fmt: skip


def _equal(rows: Sequence[tuple[Cell, ...]]) -> str:
    """How many answers are equal; none is said to differ that nobody saw."""
    good, unmeasured = sum(row[-1] == _EQUAL for row in rows), sum(row[-1] == _UNMEASURED for row in rows)
    n, every = numbers.count(good), numbers.count(len(rows))
    if unmeasured:
        return say(
            "{n} of {all} equal, {unmeasured} not measured", n=n, all=every, unmeasured=numbers.count(unmeasured)
        )
    return say("{n} of {all} equal", n=n, all=every)


def _valued(view: View, probe: Probe) -> Cell:
    """The number that a probe answered, and its bounds."""
    if not probe.values:
        return "–"
    seen = view.reading.number("probe.value", probe.id)
    bounds = ", ".join(f"{operator.value} {numbers.count(bound)}" for operator, bound in probe.values)
    return f"{say(NOT_MEASURED) if seen is None else numbers.count(seen)} ({bounds})"
