from __future__ import annotations

import dataclasses
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import gate
from attestore.errors import GateError
from attestore.facts import FACTS
from attestore.gate import Approval, Check, Control, Coverage, Operator, Probe, Severity

WHOLE = """\
gate: S9-PROD-004
title: Backup restoration tested
statement: >-
  A production backup restores
  within the objective.
severity: advisory
cadence: 31d
controls:
  - {framework: soc2, id: A1.3}
  - {framework: nist-800-53r5, id: CP-9(1), coverage: partial}
checks:
  - {id: rto, title: In time, fact: restore.rto, must: "< 30m"}
  - {id: rows, fact: tables.rows.differing, must: "== 0", of: tables.compared}
probes:
  - id: front
    title: Front page
    sql: |
      SELECT 1
    rows: "== 24"
    timeout: 5s
approval: {roles: [release-manager, security], people: 2}
labels: {sprint: "9", priority: P0}
"""

SMALL = """\
gate: G-1
title: One check
statement: It restores.
checks:
  - {id: rto, fact: restore.rto, must: "< 30m"}
"""


def refusal(text: str) -> GateError:
    with pytest.raises(GateError) as caught:
        gate.load(text.encode(), where="gates/G-1.yaml")
    return caught.value


def test_a_gate_is_read_whole() -> None:
    text = WHOLE.encode()
    loaded = gate.load(text, where="S9-PROD-004.yaml")
    assert loaded == gate.Gate(
        id="S9-PROD-004",
        title="Backup restoration tested",
        statement="A production backup restores within the objective.",
        severity=Severity.ADVISORY,
        cadence_ms=31 * 86_400_000,
        controls=(
            Control(
                "soc2",
                "A1.3",
                "Tests of recovery plan procedures, including integrity and completeness of back-up data",
                Coverage.DIRECT,
            ),
            Control(
                "nist-800-53r5", "CP-9(1)", "System Backup | Testing for Reliability and Integrity", Coverage.PARTIAL
            ),
        ),
        checks=(
            Check("rto", "restore.rto", Operator.LESS, 1_800_000, "30m", "", "In time"),
            Check("rows", "tables.rows.differing", Operator.EQUAL, 0, "0", "tables.compared"),
        ),
        probes=(Probe("front", "Front page", "SELECT 1", Operator.EQUAL, 24, 5_000),),
        approval=Approval(("release-manager", "security"), 2, not_the_operator=True),
        labels=(("sprint", "9"), ("priority", "P0")),
        text=text,
    )
    assert loaded.digest == hashlib.sha256(text).hexdigest()


def test_what_is_not_said_is_the_strict_choice() -> None:
    loaded = gate.load(SMALL.encode(), where="x")
    assert loaded.severity is Severity.BLOCKING
    assert (loaded.cadence_ms, loaded.controls, loaded.probes, loaded.approval) == (None, (), (), None)


def test_a_probe_asks_for_at_least_one_row_within_half_a_minute() -> None:
    text = SMALL + "probes: [{id: p, title: T, sql: SELECT 1}]\n"
    (probe,) = gate.load(text.encode(), where="x").probes
    assert (probe.operator, probe.bound, probe.timeout_ms) == (Operator.AT_LEAST, 1, 30_000)


def test_a_number_has_a_lower_and_an_upper_bound() -> None:
    text = SMALL + 'probes: [{id: p, title: T, sql: SELECT 1, value: ">= 1000, <= 5000"}]\n'
    (probe,) = gate.load(text.encode(), where="x").probes
    assert probe.values == ((Operator.AT_LEAST, 1000), (Operator.AT_MOST, 5000))
    assert probe.must == "equal, rows >= 1, value >= 1,000, value <= 5,000"


@pytest.mark.parametrize(
    ("old", "new", "words", "hint"),
    [
        ("restore.rto", "▸restore.rtt", "unknown fact 'restore.rtt'", "restore.rto"),
        ("restore.rto", "▸RESTORE.RTO", "unknown fact", "Did you mean restore.rto?"),
        ('"< 30m"', '▸"< 30"', "restore.rto is a duration", "< 30m"),
        ('"< 30m"', '▸"about 30m"', "does not begin with one of", ""),
        ('"< 30m"', "▸30", "must: 30 is not text", 'Write it in quotes: "30".'),
        ('restore.rto, must: "< 30m"', 'target.empty, must: ▸"< 30m"', "target.empty is a flag", "== true"),
        ('"< 30m"', '"< 30m", of: ▸restore.rto', "does not count", "tables.compared"),
        ('"< 30m"', '"< 30m", of: ▸probe.rows', "does not count", "tables.compared"),
        ('"< 30m"', '"< 30m", of: ▸tables.compare', "unknown fact", "Did you mean tables.compared?"),
        ("id: rto, fact", "id: rto, ▸facts", "unknown key 'facts'", "Did you mean fact?"),
        ("id: rto,", "id: ▸RTO,", "'RTO' is not an id", "small letters"),
        ("id: rto,", "id: ▸a/b,", "is not an id", "small letters"),
        ("gate: G-1", "gate: ▸g-1", "'g-1' is not an id", "capital letters"),
        ("gate: G-1", "gate: ▸../G-1", "is not an id", "capital letters"),
        ("gate: G-1", "gate: ▸G..1", "is not an id", "capital letters"),
        ("gate: G-1", "gate: ▸G-1.", "is not an id", "capital letters"),
        ("gate: G-1", "gate: ▸VERIFY", "name of another file of a bundle", ""),
        ("gate: G-1", "gate: ▸7", "gate: 7 is not text", "in quotes"),
        ("gate: G-1", "▸gates: G-1", "unknown key 'gates'", "Did you mean gate?"),
        ("title: One check", 'title: ▸" "', "title is empty", ""),
        ("title: One check", 'title: ▸""', "title is empty", ""),
        ("title: One check", 'title: ▸"a\\nb"', "longer than a line", ""),
        ("title: One check", f"title: ▸{'x' * 201}", "201 characters", ""),
        ("statement: It", "severity: ▸fatal\nstatement: It", "not one of blocking, advisory", "Known"),
        ("statement: It", "cadence: ▸31\nstatement: It", "cadence: 31 is not text", "in quotes"),
        ("statement: It", "cadence: ▸monthly\nstatement: It", "'monthly' is not a duration", ""),
        ("statement: It", "▸title: Two\nstatement: It", "appears twice", "line 2"),
        ("statement: It", "labels: {▸Sprint: a}\nstatement: It", "'Sprint' is not an id", "sprint"),
        ("statement: It", "labels: {sprint: ▸9}\nstatement: It", "9 is not text", '"9"'),
    ],
)
def test_a_mistake_is_refused_where_it_stands(old: str, new: str, words: str, hint: str) -> None:
    assert SMALL.count(old) == 1
    refused_at_mark(SMALL.replace(old, new), words, hint)


@pytest.mark.parametrize(
    ("added", "words", "hint"),
    [
        ("controls: [{framework: ▸soc3, id: A1.3}]", "unknown framework 'soc3'", "Did you mean soc2?"),
        ("controls: [{framework: soc2, id: ▸A.1.3}]", "has no control 'A.1.3' here", "Did you mean A1.3?"),
        (
            "controls: [{framework: soc2, id: A1.3}, {framework: soc2, id: ▸A1.3}]",
            "soc2 A1.3 appears twice",
            "",
        ),
        (
            "controls: [{framework: soc2, id: A1.2, coverage: ▸direct}]",
            "claims more of soc2 A1.2",
            "The catalogue grants supporting",
        ),
        ("controls: [{framework: soc2, id: A1.2, coverage: ▸full}]", "not one of direct, partial, supporting", ""),
        ("approval: {roles: ▸[], people: 1}", "nobody could approve", "Name a role"),
        ("approval: {roles: [security, ▸security], people: 1}", "the role security appears twice", ""),
        ("approval: {roles: [▸a b], people: 1}", "is not an id", "release-manager"),
        ("approval: {roles: [a], people: ▸0}", "greater than or equal to 1", ""),
        ("approval: {roles: [a], people: ▸true}", "not a whole number", ""),
        ("approval: ▸{roles: [a]}", "'people' is missing", "Add people"),
        ('probes: [{id: p, title: T, sql: ▸"  "}]', "there is no query", "SELECT"),
        ("probes: [{id: p, title: T, sql: SELECT 1, rows: ▸some}]", "does not begin with", ""),
        ('probes: [{id: p, title: T, sql: SELECT 1, rows: ▸">= 0"}]', "always holds", ""),
        ('probes: [{id: p, title: T, sql: SELECT 1, rows: ▸"< 5m"}]', "is a count", ""),
        ('probes: [{id: p, title: T, sql: SELECT 1, value: ▸">= 0"}]', "always holds", ""),
        ('probes: [{id: p, title: T, sql: SELECT 1, value: ▸">= 1, some"}]', "does not begin with", ""),
        ('probes: [{id: p, title: T, sql: SELECT 1, value: ▸"> 1, > 2, > 3"}]', "more than two bounds", ">= 1000"),
        ("probes: [{id: p, title: T, sql: SELECT 1, timeout: ▸30}]", "30 is not text", ""),
        ("probes: [{id: p, title: T, sql: SELECT 1, expect: ▸similar}]", "not one of equal", "Known: equal."),
        (
            "probes: [{id: p, title: T, sql: SELECT 1}, {id: ▸p, title: T, sql: SELECT 2}]",
            "the probe id 'p' appears twice",
            "",
        ),
    ],
)
def test_a_mistake_in_an_optional_part_is_refused_where_it_stands(added: str, words: str, hint: str) -> None:
    refused_at_mark(f"{SMALL}{added}\n", words, hint)


def refused_at_mark(marked: str, words: str, hint: str) -> None:
    """The gate is refused at the place of the mark."""
    before = marked[: marked.index("▸")]
    refused = refusal(marked.replace("▸", ""))
    assert words in refused.message
    assert hint in f"{refused.hint} {refused.message}"
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    assert refused.message.startswith(f"gates/G-1.yaml:{line}:{column}: ")


def test_a_gate_without_checks_does_not_load() -> None:
    assert "'checks' is missing" in refusal(SMALL.split("checks:", maxsplit=1)[0]).message
    empty = refusal(SMALL.split("checks:", maxsplit=1)[0] + "checks: []\n")
    assert "a gate without checks proves nothing" in empty.message
    assert empty.line == 4


def test_two_checks_with_one_id_are_refused() -> None:
    refused = refusal(SMALL + '  - {id: rto, fact: restore.rpo, must: "< 1d"}\n')
    assert "the check id 'rto' appears twice" in refused.message
    assert refused.line == 6


@given(st.sampled_from(sorted(FACTS)), st.data())
def test_a_misspelt_fact_is_refused_with_the_right_one(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(1, len(name) - 1))
    misspelt = name[:at] + "zz" + name[at:]
    refused = refusal(SMALL.replace("restore.rto", misspelt))
    assert "unknown fact" in refused.message
    near = refused.hint.removeprefix("Did you mean ").removesuffix("?")
    assert near in FACTS


@given(st.integers(0, len(WHOLE) - 1), st.sampled_from(["", " ", "\n", "x", ":", '"', "{", "-", "0"]))
def test_any_slip_of_the_pen_loads_or_is_refused_in_the_family(at: int, slip: str) -> None:
    text = (WHOLE[:at] + slip + WHOLE[at + 1 :]).encode()
    try:
        loaded = gate.load(text, where="x")
    except GateError:
        return
    assert loaded.text == text
    assert len(loaded.checks) == 2


def test_a_gate_is_frozen() -> None:
    loaded = gate.load(SMALL.encode(), where="x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded.title = "another"  # type: ignore[misc]
