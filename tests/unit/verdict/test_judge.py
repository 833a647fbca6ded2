from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from attestore import canon, gate, resources, verdict
from attestore.evidence import Observation
from attestore.facts import FACTS, Kind, Value
from attestore.gate import Check, Gate, Operator, Probe, Severity
from attestore.verdict import CheckVerdict, GateVerdict, Outcome

GALLERY = gate.read(resources.gates_folder() / "examples" / "gallery" / "S9-PROD-004.yaml")
SEALED = gate.named("S9-PROD-003")


def saw(fact: str, value: Value, subject: str = "") -> Observation:
    return Observation("2026-11-22T20:00:00.000Z", 0, fact, subject, value, "test")


COMPLETED = saw("run.completed", value=True)


def gate_of(*checks: Check, probes: Sequence[Probe] = ()) -> Gate:
    return Gate("G-1", "t", "s", Severity.BLOCKING, None, (), checks, tuple(probes), None, (), b"text")


def judged(check: Check, *observations: Observation) -> CheckVerdict:
    return verdict.judge(gate_of(check), [COMPLETED, *observations]).checks[0]


RTO = Check("rto", "restore.rto", Operator.LESS, 1_800_000, "30m")
ROWS = Check("rows", "tables.rows.differing", Operator.EQUAL, 0, "0", of="tables.compared")
CIPHER = Check("cipher", "seal.cipher", Operator.EQUAL, "AES256", "AES256")
PROBE = Probe("front", "Front page", "SELECT 1", Operator.AT_LEAST, 2)


def healthy(judged: Gate) -> list[Observation]:
    """Evidence on which every check and probe of a gate passes."""
    seen: dict[tuple[str, str], Value] = {("run.completed", ""): True}
    for check in judged.checks:
        fact = FACTS[check.fact]
        for count in filter(None, (check.of, fact.per)):
            seen[count, ""] = 3
        for subject in ("a", "b", "c") if fact.per else ("",):
            seen[check.fact, subject] = _satisfying(check)
    seen["probes.asked", ""] = len(judged.probes)
    for probe in judged.probes:
        seen["probe.equal", probe.id] = True
        seen["probe.rows", probe.id] = probe.bound
        if probe.values:
            seen["probe.value", probe.id] = probe.values[0][1]
    return [saw(fact, value, subject) for (fact, subject), value in seen.items()]


def _satisfying(check: Check) -> Value:
    match check.operator:
        case Operator.LESS:
            return int(check.bound) - 1
        case Operator.MORE:
            return int(check.bound) + 1
        case Operator.UNEQUAL:
            return f"not {check.bound}" if isinstance(check.bound, str) else not check.bound
        case Operator.AT_MOST | Operator.AT_LEAST | Operator.EQUAL:
            return check.bound


GATES = st.sampled_from([GALLERY, SEALED])


@pytest.mark.parametrize("shipped", [GALLERY, SEALED], ids=["gallery", "sealed"])
def test_healthy_evidence_passes_the_shipped_gates(shipped: Gate) -> None:
    passed = verdict.judge(shipped, healthy(shipped))
    assert [check for check in passed.checks if check.outcome is not Outcome.PASS] == []
    assert passed.outcome is Outcome.PASS
    assert (passed.gate, passed.gate_digest, passed.reason) == (shipped.id, shipped.digest, "")


@given(GATES, st.data())
def test_without_any_part_of_what_it_needs_no_gate_passes(shipped: Gate, data: st.DataObject) -> None:
    """Less evidence is never a better verdict: every single observation of `healthy` is needed."""
    whole = [seen for seen in healthy(shipped) if seen.fact != "probes.asked"]
    removed = data.draw(st.sets(st.integers(0, len(whole) - 1), min_size=1, max_size=3))
    rest = [seen for number, seen in enumerate(whole) if number not in removed]
    assert verdict.judge(shipped, rest).outcome is not Outcome.PASS


CHANGES = ("absent", "twice", "another", "contradicted")
VALUES: dict[Kind, st.SearchStrategy[Value]] = {
    Kind.DURATION: st.integers(0, 3_600_000),
    Kind.SIZE: st.integers(0, 10),
    Kind.COUNT: st.integers(0, 4),
    Kind.FLAG: st.booleans(),
    Kind.TEXT: st.sampled_from(["AES256", "RSA", "none", "MDC"]),
    Kind.INSTANT: st.just("2026-11-22T20:00:00.000Z"),
}


@st.composite
def observations_about(draw: st.DrawFn, shipped: Gate) -> list[Observation]:
    """Healthy evidence in which some values are others, some are absent and some are told more than once."""
    whole = healthy(shipped)
    changes = draw(st.dictionaries(st.integers(0, len(whole) - 1), st.sampled_from(CHANGES), max_size=4))
    seen = []
    for number, observation in enumerate(whole):
        change = changes.get(number, "")
        if change not in {"absent", "another"}:
            seen.append(observation)
        if change == "twice":
            seen.append(observation)
        if change in {"another", "contradicted"}:
            value = draw(VALUES[FACTS[observation.fact].kind])
            seen.append(saw(observation.fact, value, observation.subject))
    return seen


def consistent(observations: Sequence[Observation]) -> bool:
    told = {(seen.fact, seen.subject, seen.value) for seen in observations}
    return len(told) == len({(fact, subject) for fact, subject, _ in told})


@given(GATES.flatmap(lambda shipped: st.tuples(st.just(shipped), observations_about(shipped))), st.data())
def test_hiding_anything_of_consistent_evidence_never_makes_a_pass(
    case: tuple[Gate, list[Observation]], data: st.DataObject
) -> None:
    """A contradiction is the exception: who removes one side of it removes the doubt; the journal's chain notices that."""
    shipped, whole = case
    assume(consistent(whole))
    hidden = data.draw(st.sets(st.integers(0, len(whole) - 1), max_size=5))
    some = [seen for number, seen in enumerate(whole) if number not in hidden]
    if verdict.judge(shipped, some).outcome is Outcome.PASS:
        assert verdict.judge(shipped, whole).outcome is Outcome.PASS


@given(GATES.flatmap(lambda shipped: st.tuples(st.just(shipped), observations_about(shipped))), st.randoms())
def test_a_verdict_does_not_depend_on_the_order_of_observations(
    case: tuple[Gate, list[Observation]], chance: random.Random
) -> None:
    shipped, whole = case
    shuffled = list(whole)
    chance.shuffle(shuffled)
    assert verdict.encode([verdict.judge(shipped, shuffled)]) == verdict.encode([verdict.judge(shipped, whole)])


@given(GATES.flatmap(lambda shipped: st.tuples(st.just(shipped), observations_about(shipped))))
def test_telling_a_thing_twice_changes_nothing(case: tuple[Gate, list[Observation]]) -> None:
    shipped, whole = case
    assert verdict.judge(shipped, whole + whole) == verdict.judge(shipped, whole)


@given(GATES.flatmap(lambda shipped: st.tuples(st.just(shipped), observations_about(shipped))))
def test_a_gate_is_the_worst_of_its_checks(case: tuple[Gate, list[Observation]]) -> None:
    shipped, whole = case
    found = verdict.judge(shipped, whole)
    worst = max((check.outcome for check in found.checks), key=lambda outcome: outcome.value)
    assert found.outcome is worst or (found.reason == "The run did not complete." and found.outcome is Outcome.UNKNOWN)
    assert all(bool(check.reason) is (check.outcome is not Outcome.PASS) for check in found.checks)


def test_a_bound_that_does_not_hold_fails() -> None:
    found = judged(RTO, saw("restore.rto", 1_800_000))
    assert (found.outcome, found.reason) == (Outcome.FAIL, "The bound does not hold.")
    assert found.observed == (("", 1_800_000),)


def test_a_fact_that_was_not_observed_is_unknown() -> None:
    assert judged(RTO).outcome is Outcome.UNKNOWN
    assert judged(RTO).reason == "restore.rto was not observed."


@pytest.mark.parametrize("values", [(10, 20), (20, 10), (10, 1_900_000), (1_900_000, 10)])
def test_contradictory_values_are_unknown_whoever_spoke_first(values: tuple[int, int]) -> None:
    found = judged(RTO, *(saw("restore.rto", value) for value in values))
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "restore.rto was observed with contradictory values.")
    assert found.observed == (("", min(values)), ("", max(values)))


def test_the_same_value_told_twice_is_no_contradiction() -> None:
    assert judged(RTO, saw("restore.rto", 10), saw("restore.rto", 10)).outcome is Outcome.PASS


@pytest.mark.parametrize("wrong", [True, "10", False])
def test_a_value_of_another_type_is_unknown_even_beside_a_good_one(wrong: Value) -> None:
    """A flag is not a number here, although Python thinks so."""
    assert judged(RTO, saw("restore.rto", wrong)).outcome is Outcome.UNKNOWN
    assert judged(RTO, saw("restore.rto", 10), saw("restore.rto", wrong)).outcome is Outcome.UNKNOWN


def test_nothing_compared_proves_nothing() -> None:
    found = judged(ROWS, saw("tables.rows.differing", 0), saw("tables.compared", 0))
    assert (found.outcome, found.reason) == (
        Outcome.UNKNOWN,
        "Nothing was compared (tables.compared is 0): 0 = 0 proves nothing.",
    )
    assert found.of == (("tables.compared", 0),)


def test_a_difference_fails_however_much_was_compared() -> None:
    for compared in ([], [saw("tables.compared", 0)], [saw("tables.compared", 9)]):
        assert judged(ROWS, saw("tables.rows.differing", 1), *compared).outcome is Outcome.FAIL


def test_how_much_was_compared_must_have_been_observed_once() -> None:
    assert judged(ROWS, saw("tables.rows.differing", 0)).outcome is Outcome.UNKNOWN
    doubt = judged(ROWS, saw("tables.rows.differing", 0), saw("tables.compared", 2), saw("tables.compared", 3))
    assert (doubt.outcome, doubt.of) == (Outcome.UNKNOWN, ())


def test_a_fact_of_each_part_must_be_observed_of_every_part() -> None:
    parts = [saw("seal.parts", 2), saw("seal.cipher", "AES256", "archive")]
    assert judged(CIPHER, *parts).reason == "1 of 2 were observed."
    assert judged(CIPHER, *parts, saw("seal.cipher", "AES256", "proof")).outcome is Outcome.PASS
    failed = judged(CIPHER, *parts, saw("seal.cipher", "CAST5", "proof"))
    assert (failed.outcome, failed.reason) == (Outcome.FAIL, "The bound does not hold for proof.")


def test_a_part_too_many_is_as_doubtful_as_one_too_few() -> None:
    parts = [saw("seal.parts", 1), saw("seal.cipher", "AES256", "archive"), saw("seal.cipher", "AES256", "proof")]
    assert judged(CIPHER, *parts).reason == "2 of 1 were observed."


def test_one_doubtful_part_does_not_hide_the_one_that_fails() -> None:
    parts = [
        saw("seal.parts", 2),
        saw("seal.cipher", "CAST5", "archive"),
        saw("seal.cipher", "AES256", "proof"),
        saw("seal.cipher", "AES192", "proof"),
    ]
    assert judged(CIPHER, *parts).reason == "The bound does not hold for archive."


@pytest.mark.parametrize(
    ("check", "observations"),
    [
        (RTO, [saw("restore.rto", 1, "other")]),
        (RTO, [saw("restore.rto", 1), saw("restore.rto", 1, "other")]),
        (CIPHER, [saw("seal.parts", 1), saw("seal.cipher", "AES256")]),
    ],
)
def test_what_was_observed_of_something_else_proves_nothing(check: Check, observations: list[Observation]) -> None:
    found = judged(check, *observations)
    assert (found.outcome, found.reason) == (
        Outcome.UNKNOWN,
        f"{check.fact} was observed of something else than it speaks of.",
    )


def probed(*observations: Observation) -> dict[str, Outcome]:
    found = verdict.judge(gate_of(RTO, probes=[PROBE]), [COMPLETED, saw("restore.rto", 1), *observations])
    return {check.id: check.outcome for check in found.checks if check.id != "rto"}


@pytest.mark.parametrize(
    ("equal", "rows", "outcomes"),
    [
        (True, 2, (Outcome.PASS, Outcome.PASS)),
        (False, 2, (Outcome.FAIL, Outcome.PASS)),
        (True, 1, (Outcome.PASS, Outcome.FAIL)),
        (True, 0, (Outcome.UNKNOWN, Outcome.UNKNOWN)),
        (False, 0, (Outcome.FAIL, Outcome.UNKNOWN)),
        (None, 2, (Outcome.UNKNOWN, Outcome.PASS)),
        (True, None, (Outcome.UNKNOWN, Outcome.UNKNOWN)),
        (None, None, (Outcome.UNKNOWN, Outcome.UNKNOWN)),
        (1, 2, (Outcome.UNKNOWN, Outcome.PASS)),
        (True, "2", (Outcome.UNKNOWN, Outcome.UNKNOWN)),
    ],
)
def test_a_probe_must_be_equal_and_have_rows(
    equal: Value | None, rows: Value | None, outcomes: tuple[Outcome, Outcome]
) -> None:
    told = [saw("probes.asked", 1)]
    told += [] if equal is None else [saw("probe.equal", equal, "front")]
    told += [] if rows is None else [saw("probe.rows", rows, "front")]
    assert probed(*told) == {"front/equal": outcomes[0], "front/rows": outcomes[1]}


def test_another_probes_answer_is_not_this_ones() -> None:
    assert set(probed(saw("probe.equal", value=True, subject="x"), saw("probe.rows", 5, "x")).values()) == {
        Outcome.UNKNOWN
    }


@pytest.mark.parametrize(
    "told",
    [[], [saw("run.completed", value=False)], [COMPLETED, saw("run.completed", value=False)]],
    ids=["silent", "stopped", "both"],
)
def test_a_run_that_did_not_complete_never_passes(told: list[Observation]) -> None:
    found = verdict.judge(gate_of(RTO), [saw("restore.rto", 1), *told])
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "The run did not complete.")
    assert found.checks[0].outcome is Outcome.PASS
    assert verdict.judge(gate_of(RTO), [saw("restore.rto", 1_900_000), *told]).outcome is Outcome.FAIL


def test_the_worst_of_nothing_is_unknown() -> None:
    assert verdict.worst([]) is Outcome.UNKNOWN
    assert verdict.worst([Outcome.PASS, Outcome.UNKNOWN]) is Outcome.UNKNOWN
    assert verdict.worst([Outcome.FAIL, Outcome.UNKNOWN, Outcome.PASS]) is Outcome.FAIL


def test_verdict_json_is_canonical_and_sorted_by_gate() -> None:
    found = [verdict.judge(shipped, healthy(shipped)) for shipped in (GALLERY, SEALED)]
    data = verdict.encode(found)
    decoded = canon.decode(data, what="verdict.json")
    assert canon.encode(decoded) == data
    assert isinstance(decoded, dict)
    assert [item["gate"] for item in decoded["gates"]] == ["S9-PROD-003", "S9-PROD-004"]  # type: ignore[index,union-attr,call-overload]
    assert decoded["outcome"] == "PASS"
    assert data == verdict.encode(reversed(found))


def test_the_verdict_of_no_gate_is_unknown() -> None:
    assert b'"outcome":"UNKNOWN"' in verdict.encode(list[GateVerdict]())


@pytest.mark.parametrize(
    ("value", "outcomes"),
    [
        (9, [Outcome.FAIL, Outcome.PASS]),
        (10, [Outcome.PASS, Outcome.PASS]),
        (20, [Outcome.PASS, Outcome.PASS]),
        (21, [Outcome.PASS, Outcome.FAIL]),
        (None, [Outcome.UNKNOWN, Outcome.UNKNOWN]),
    ],
)
def test_the_number_of_a_probe_keeps_within_its_bounds(value: int | None, outcomes: list[Outcome]) -> None:
    """An answer that was no number is not observed, and so is unknown."""
    bounded = replace(PROBE, values=((Operator.AT_LEAST, 10), (Operator.AT_MOST, 20)))
    seen = [saw("run.completed", True), saw("probes.asked", 1)]
    seen += [saw("probe.equal", True, "front"), saw("probe.rows", 2, "front")]
    if value is not None:
        seen += [saw("probes.valued", 1), saw("probe.value", value, "front")]
    judged = verdict.judge(replace(GALLERY, checks=(), probes=(bounded,)), seen)
    assert [(check.id, check.outcome) for check in judged.checks[2:]] == [
        ("front/value", outcomes[0]),
        ("front/value-2", outcomes[1]),
    ]
