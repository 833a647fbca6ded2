"""How two proofs differ: pure, symmetric where that makes sense, and every difference has a name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from attestore.facts import Value
from attestore.proof import behaviour as behaviours
from attestore.proof.behaviour import Did
from attestore.proof.computed import COLUMN, VIEW, Computed, Recomputed
from attestore.proof.computed import compared as computed_alike
from attestore.proof.located import Located
from attestore.proof.model import STREAM, UNENFORCED, Object, ProbeResult, Proof, Sequence, Table
from attestore.proof.together import together

__all__ = ["Comparison", "Difference", "What", "compare", "facts_of", "same_content", "unasked", "unplanned"]


class What(Enum):
    """The kind of a difference; the value is what reports print."""

    MISSING_TABLE = "table missing after restore"
    EXTRA_TABLE = "table only in the restore"
    ROWS = "another number of rows"
    FINGERPRINT = "same number of rows, other content"
    MISSING_OBJECT = "object missing after restore"
    EXTRA_OBJECT = "object only in the restore"
    DEFINITION = "other definition"
    STATE = "other state"
    ORPHANS = "rows without their parent"
    SEQUENCE = "sequence behind"
    PROBE = "probe answers differently"
    SETTING = "setting or role differs"
    ACCEPTED = "accepts a row that it forbids"
    SILENT = "does otherwise than its state says"
    CORRUPT = "index does not fit its table"
    GENERATED = "generated values differ although the stored columns are equal"


_OF_OBJECTS: Final = frozenset(
    what.value for what in (What.MISSING_OBJECT, What.EXTRA_OBJECT, What.DEFINITION, What.STATE, What.SETTING)
)


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference: what differs, where, and the two sides in words."""

    subject: str
    kind: str
    what: str
    source: str
    restored: str
    detail: str = ""

    @property
    def of_object(self) -> bool:
        """Whether an object or a setting itself differs, not what a table, a sequence or a trial of one showed."""
        return self.what in _OF_OBJECTS

    """more of it in words: for a table, how many of its rows differ and how"""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All differences between a backup's proof and a restored database, and what was compared to find them."""

    tables: tuple[tuple[Table, Table], ...]
    objects: tuple[tuple[Object, Object], ...]
    sequences: tuple[tuple[Sequence, Sequence], ...]
    differences: tuple[Difference, ...]
    facts: tuple[tuple[str, str, Value], ...]
    """(fact, subject, value) in a fixed order"""
    rows: tuple[Located, ...] = ()
    """of each compared table that differs, its differing rows, as far as they were found"""
    recomputed: tuple[Recomputed, ...] = ()
    """what the restore computed anew: generated values are differences where they differ, a view's content is told only"""


def facts_of(comparison: Comparison) -> dict[tuple[str, str], Value]:
    """The comparison's facts by name and subject."""
    return {(name, subject): value for name, subject, value in comparison.facts}


def compare(source: Proof, restored: Proof) -> Comparison:
    """Every difference between the proof a backup carries and what was restored from it.

    Tables whose data a dump does not carry are left out of both sides. Proofs taken with different keys or methods
    have no common fingerprint: every table then differs, which is the safe answer.
    """
    source, restored = together(source, restored)
    found: list[Difference] = []
    located: list[Located] = []
    tables = _tables(source, restored, found, located)
    objects = _objects(source, restored, found)
    settings = _settings(source, restored, found)
    sequences, behind = _sequences(source, restored, found)
    recomputed = _recomputed(source, restored, tables, found)
    orphans = _orphans(restored, found)
    asked = _asked(source, restored)
    probes = _probes(asked, found)
    behaved = _behaved(restored, found)
    expected = [t for t in source.tables if not t.uncovered]
    kinds = [difference.what for difference in found]
    facts: list[tuple[str, str, Value]] = [
        ("proof.method", "", source.method),
        ("tables.expected", "", len(expected)),
        ("tables.compared", "", len(tables)),
        ("tables.missing", "", kinds.count(What.MISSING_TABLE.value)),
        ("tables.extra", "", kinds.count(What.EXTRA_TABLE.value)),
        ("tables.rows.differing", "", sum(a.rows != b.rows for a, b in tables)),
        (
            "tables.fingerprints.differing",
            "",
            sum(not same_content(source, restored, a, b) for a, b in tables),
        ),
        ("tables.unlocated", "", sum(not each.whole for each in located)),
        ("rows.expected", "", source.rows),
        ("rows.restored", "", restored.rows),
        ("rows.changed", "", sum(each.changed for each in located)),
        ("rows.missing", "", sum(each.missing for each in located) + _alone(source, tables, side=0)),
        ("rows.extra", "", sum(each.extra for each in located) + _alone(restored, tables, side=1, beside=source)),
        ("objects.compared", "", len(objects) + len(settings)),
        (
            "objects.differing",
            "",
            sum(difference.of_object for difference in found),
        ),
        ("foreign_keys.checked", "", sum(f.checked for f in restored.foreign_keys)),
        ("foreign_keys.unchecked", "", _unchecked(source, restored)),
        ("foreign_keys.orphans", "", orphans),
        ("indexes.checked", "", sum(o.klass == "index" for o in restored.objects)),
        (
            "indexes.invalid",
            "",
            sum(a.klass == "index" and a.state == "valid" and b.state != "valid" for a, b in objects),
        ),
        *_recomputed_facts(recomputed),
        ("sequences.compared", "", len(sequences)),
        ("sequences.behind", "", behind),
        ("probes.asked", "", len(asked)),
        ("probes.valued", "", sum(a.value is not None for a, _ in asked)),
        *probes,
        *behaved,
    ]
    return Comparison(
        tables=tuple(tables),
        objects=tuple(objects),
        sequences=tuple(sequences),
        differences=tuple(found),
        facts=tuple(facts),
        rows=tuple(located),
        recomputed=recomputed,
    )


def unplanned(comparison: Comparison, planted: Iterable[str]) -> tuple[Difference, ...]:
    """Differences that changes planted under those subjects do not account for.

    What follows from a changed row is accounted for: answers of probes, orphans, the largest key of a sequence; and a
    sequence keeps what was handed out in a transaction that was rolled back. So is what hangs on an object that is
    gone, such as its comment, and the schema of one that was added.
    """
    names = set(planted)
    extra = {each.subject for each in comparison.differences if each.what == What.EXTRA_OBJECT.value}
    names |= {schema for name in names & extra if (schema := name.rpartition(".")[0]) in extra}
    return tuple(
        each
        for each in comparison.differences
        if each.kind not in _FOLLOWING and each.subject not in names and each.subject.rpartition(" ")[2] not in names
    )


_FOLLOWING: Final = frozenset(("probe", "foreign key", "sequence"))


def same_content(source: Proof, restored: Proof, a: Table, b: Table) -> bool:
    """Whether a table has the same columns, as many rows, and the same fingerprint by the same method and key.

    By method `stream`, texts of the same lines in another order are the same; a table without a text never is.
    """
    comparable = source.method == restored.method and source.key_commitment == restored.key_commitment
    if not comparable or a.rows != b.rows or a.columns != b.columns:
        return False
    if source.method == STREAM:
        return not {a.text, a.permutes}.isdisjoint({b.text, b.permutes} - {""})
    return (a.sums, a.wide) == (b.sums, b.wide)


def _rows_of(side: Table | ProbeResult | Computed) -> str:
    return _many(side.rows)


def _many(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'}"


def _tables(
    source: Proof, restored: Proof, found: list[Difference], located: list[Located]
) -> list[tuple[Table, Table]]:
    ours = {(t.schema, t.name): t for t in source.tables if not t.uncovered}
    skipped = {(t.schema, t.name) for t in source.tables if t.uncovered}
    theirs = {(t.schema, t.name): t for t in restored.tables if not t.uncovered and (t.schema, t.name) not in skipped}
    pairs: list[tuple[Table, Table]] = []
    for key in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(key), theirs.get(key)
        if a is None and b is not None:
            found.append(Difference(b.label, "table", What.EXTRA_TABLE.value, "absent", _rows_of(b)))
        elif a is not None and b is None:
            found.append(Difference(a.label, "table", What.MISSING_TABLE.value, _rows_of(a), "absent"))
        elif a is not None and b is not None:
            pairs.append((a, b))
            if same_content(source, restored, a, b):
                continue
            rows = _rows(source, restored, a, b)
            located.append(rows)
            what, ours_say, theirs_say = (
                (What.FINGERPRINT, a.fingerprint[:16], b.fingerprint[:16])
                if a.rows == b.rows
                else (What.ROWS, _rows_of(a), _rows_of(b))
            )
            words = _UNLOOKED if source.method == STREAM else rows.words()
            found.append(Difference(a.label, "table", what.value, ours_say, theirs_say, words))
    return pairs


_UNLOOKED: Final = "rows are not looked for by method stream"


def _rows(source: Proof, restored: Proof, a: Table, b: Table) -> Located:
    """The differing rows of a table as the restored side found them; without that, what the row counts alone say.

    Counts that claim to be whole and do not explain the difference of the row counts are not believed.
    """
    net = a.rows - b.rows
    for each in restored.located:
        if (each.schema, each.name) == (a.schema, a.name) and source.key_commitment == restored.key_commitment:
            if each.whole and each.net == net and each.changed + each.missing + each.extra:
                return each
            return replace(
                each,
                missing=max(each.missing, each.extra + net),
                extra=max(each.extra, each.missing - net),
                whole=False,
            )
    return Located(a.schema, a.name, changed=0, missing=max(net, 0), extra=max(-net, 0), whole=False)


def _recomputed(
    source: Proof, restored: Proof, tables: list[tuple[Table, Table]], found: list[Difference]
) -> tuple[Recomputed, ...]:
    """A stale view rightly differs after a restore; a generated value is what an application reads."""
    recomputed = computed_alike(
        source.computed,
        restored.computed,
        alike={a.label for a, b in tables if same_content(source, restored, a, b)},
        one_key=source.key_commitment == restored.key_commitment,
    )
    for each in recomputed:
        a, b = each.source, each.restored
        if a.kind == COLUMN and b is not None and each.equal is False:
            sides = (f"{_rows_of(a)}, {a.fingerprint[:16]}", f"{_rows_of(b)}, {b.fingerprint[:16]}")
            found.append(Difference(a.label, COLUMN, What.GENERATED.value, *sides))
    return recomputed


def _recomputed_facts(recomputed: tuple[Recomputed, ...]) -> list[tuple[str, str, Value]]:
    columns = [each.equal for each in recomputed if each.source.kind == COLUMN]
    views = [each.equal for each in recomputed if each.source.kind == VIEW]
    return [
        ("generated.compared", "", len(columns) - columns.count(None)),
        ("generated.differing", "", columns.count(False)),
        ("generated.uncompared", "", columns.count(None)),
        ("matviews.compared", "", len(views) - views.count(None)),
        ("matviews.recomputed.differing", "", views.count(False)),
        ("matviews.uncompared", "", views.count(None)),
    ]


def _alone(proof: Proof, pairs: list[tuple[Table, Table]], *, side: int, beside: Proof | None = None) -> int:
    """Rows of covered tables that only one proof has; tables that the proof `beside` doesn't cover are left out."""
    known = {pair[side].label for pair in pairs}
    left_out = {t.label for t in beside.tables if t.uncovered} if beside else set()
    elsewhere = known | left_out
    return sum(t.rows for t in proof.tables if not t.uncovered and t.label not in elsewhere)


def unasked(source: Proof, restored: Proof) -> frozenset[str]:
    """Classes of objects that only one side was asked for: they are not compared, and whoever reports says so."""
    return frozenset(source.asked) ^ frozenset(restored.asked)


def _objects(source: Proof, restored: Proof, found: list[Difference]) -> list[tuple[Object, Object]]:
    left_out = unasked(source, restored)
    theirs = {(o.klass, o.identity): o for o in restored.objects if o.klass not in left_out}
    # a dump leaves an index out that is not valid: a finding about the source, not a loss
    undumped = {("index", o.identity) for o in source.objects if o.klass == "index" and o.state == "invalid"}
    undumped -= theirs.keys()
    ours = {
        key: o for o in source.objects if o.klass not in left_out and (key := (o.klass, o.identity)) not in undumped
    }
    readings = {(r.klass, r.identity, r.definition): r.reads for r in restored.readings}
    pairs: list[tuple[Object, Object]] = []
    for key in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(key), theirs.get(key)
        klass, identity = key
        if a is None and b is not None:
            found.append(Difference(identity, klass, What.EXTRA_OBJECT.value, "absent", b.definition))
        elif a is not None and b is None:
            found.append(Difference(identity, klass, What.MISSING_OBJECT.value, a.definition, "absent"))
        elif a is not None and b is not None:
            pairs.append((a, b))
            if a.definition != b.definition and _reading(a, readings) != _reading(b, readings):
                found.append(Difference(identity, klass, What.DEFINITION.value, a.definition, b.definition))
            # a key that nothing enforced is enforced after a restore: a finding about the source
            if b.state not in {a.state, a.state.removesuffix(UNENFORCED)}:
                found.append(Difference(identity, klass, What.STATE.value, a.state, b.state))
    return pairs


def _reading(item: Object, readings: dict[tuple[str, str, str], str]) -> str:
    return readings.get((item.klass, item.identity, item.definition), item.definition)


def _settings(source: Proof, restored: Proof, found: list[Difference]) -> list[str]:
    ours = {(s.scope, s.name): s.value for s in source.settings}
    theirs = {(s.scope, s.name): s.value for s in restored.settings}
    shared: list[str] = []
    for key in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(key), theirs.get(key)
        label = f"{key[0]}: {key[1]}"
        if a is not None and b is not None:
            shared.append(label)
        if a != b:
            found.append(Difference(label, "setting", What.SETTING.value, a or "absent", b or "absent"))
    return shared


def _sequences(source: Proof, restored: Proof, found: list[Difference]) -> tuple[list[tuple[Sequence, Sequence]], int]:
    theirs = {(s.schema, s.name): s for s in restored.sequences}
    pairs: list[tuple[Sequence, Sequence]] = []
    behind = 0
    for a in sorted(source.sequences, key=lambda s: (s.schema, s.name)):
        b = theirs.get((a.schema, a.name))
        if b is None:
            behind += 1
            found.append(Difference(a.label, "sequence", What.SEQUENCE.value, str(a.reached), "absent"))
            continue
        pairs.append((a, b))
        if not _kept_up(a, b):
            behind += 1
            largest = "" if b.largest is None else f", largest key {b.largest}"
            found.append(Difference(a.label, "sequence", What.SEQUENCE.value, str(a.reached), f"{b.reached}{largest}"))
    return pairs, behind


def _kept_up(source: Sequence, restored: Sequence) -> bool:
    """Sequences stand outside snapshots: the restored one may be ahead of the proof, never behind it or its keys.

    A sequence that was already behind its keys at the source is a finding about the source, not a loss.
    """
    step = 1 if restored.increment > 0 else -1
    forward = restored.reached * step >= source.reached * step
    # at the same value, a sequence that has handed it out is ahead of one that has not
    if restored.reached == source.reached:
        forward = restored.called or not source.called
    if restored.largest is None:
        return forward
    was_behind = source.largest is not None and source.reached * step < source.largest * step
    return forward and (was_behind or restored.reached * step >= restored.largest * step)


def _unchecked(source: Proof, restored: Proof) -> int:
    checked = {(key.table, key.name) for key in restored.foreign_keys if key.checked}
    return len({(key.table, key.name) for key in source.foreign_keys} - checked)


def _orphans(restored: Proof, found: list[Difference]) -> int:
    """Orphans under a key that is NOT VALID came with the source: the prover tells them as a finding."""
    total = 0
    for key in restored.foreign_keys:
        if not key.validated:
            continue
        total += key.orphans
        if key.orphans:
            found.append(
                Difference(f"{key.table}.{key.name}", "foreign key", What.ORPHANS.value, "0", _many(key.orphans))
            )
    return total


def _asked(source: Proof, restored: Proof) -> list[tuple[ProbeResult, ProbeResult]]:
    """The probes asked on both sides: a drill may judge by other gates than the backup was made for."""
    theirs = {p.probe: p for p in restored.probes}
    return [(a, theirs[a.probe]) for a in sorted(source.probes, key=lambda p: p.probe) if a.probe in theirs]


def _probes(asked: list[tuple[ProbeResult, ProbeResult]], found: list[Difference]) -> list[tuple[str, str, Value]]:
    """What was asked on one side only is no fact, so that a gate which asks knows nothing."""
    facts: list[tuple[str, str, Value]] = []
    for a, b in asked:
        equal = (a.rows, a.digest, a.sql) == (b.rows, b.digest, b.sql)
        facts += [("probe.equal", a.probe, equal), ("probe.rows", a.probe, a.rows)]
        if a.value is not None:
            facts.append(("probe.value", a.probe, a.value))
        if not equal:
            sides = (f"{_rows_of(a)}, {a.digest[:16]}", f"{_rows_of(b)}, {b.digest[:16]}")
            found.append(Difference(a.probe, "probe", What.PROBE.value, *sides))
    return facts


_WRONG: Final = {Did.ACCEPTED: What.ACCEPTED, Did.SILENT: What.SILENT, Did.CORRUPT: What.CORRUPT}


def _behaved(restored: Proof, found: list[Difference]) -> list[tuple[str, str, Value]]:
    """Nothing was tried: no fact, so that a gate which asks knows nothing."""
    if restored.behaviour is None:
        return []
    for each in sorted(restored.behaviour.exercises, key=lambda e: (e.kind, e.subject)):
        if each.did in _WRONG:
            what = _WRONG[each.did].value
            found.append(Difference(each.subject, f"exercised {each.kind}", what, "as defined", each.note))
    return behaviours.facts(restored.behaviour)
