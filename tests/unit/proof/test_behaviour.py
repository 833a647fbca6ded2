"""What was tried on a restored copy, as a value: its bytes, its facts, its differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import canon
from attestore.errors import TamperedError
from attestore.proof import Behaviour, Did, Exercise, Proof, compare, decode, encode, facts_of
from attestore.proof.behaviour import CONSTRAINTS, INDEX, TRIGGERS
from report_cases import proof

SOURCE = proof("source")
KINDS = (*CONSTRAINTS, *TRIGGERS, INDEX)
EXERCISES = st.builds(Exercise, st.sampled_from(KINDS), st.text(max_size=9), st.sampled_from(Did), st.text(max_size=9))


def tried(*exercises: Exercise) -> Proof:
    return dataclasses.replace(proof("restored"), behaviour=Behaviour("heap: as asked for", exercises))


def seen(*exercises: Exercise) -> dict[str, object]:
    return {name: value for (name, _), value in facts_of(compare(SOURCE, tried(*exercises))).items()}


@given(st.lists(EXERCISES, max_size=4))
def test_what_was_tried_is_read_back_as_it_was_written_in_any_order(several: list[Exercise]) -> None:
    written = encode(tried(*several))
    again = decode(written)
    assert again.behaviour is not None
    assert sorted(map(repr, again.behaviour.exercises)) == sorted(map(repr, several))
    assert encode(tried(*several[::-1])) == written


@pytest.mark.parametrize(
    ("old", "new"),
    [(b'"check"', b'"chuck"'), (b'"refused"', b'"REFUSED"'), (b'"depth":"heap', b'"depht":"heap'), (b'"note"', b"1")],
)
def test_a_kind_or_an_outcome_that_nobody_knows_is_tampering(old: bytes, new: bytes) -> None:
    whole = encode(tried(Exercise("check", "s.t.c", Did.REFUSED, "note")))
    assert old in whole
    with pytest.raises(TamperedError):
        decode(whole.replace(old, new))


def test_behaviour_that_is_no_object_is_tampering() -> None:
    raw = canon.decode(encode(SOURCE), what="proof")
    assert isinstance(raw, dict)
    with pytest.raises(TamperedError):
        decode(canon.encode({**raw, "behaviour": "fine"}))


def test_where_nothing_was_tried_no_fact_says_that_nothing_is_wrong() -> None:
    """Silence is not consent: 0 accepting of 0 that were never offered anything would be a lie."""
    facts = facts_of(compare(SOURCE, dataclasses.replace(proof("restored"), behaviour=None)))
    assert not [
        name for name, _ in facts if name.startswith(("constraints.", "triggers.")) or name == "indexes.corrupt"
    ]


def test_each_outcome_is_counted_where_it_belongs() -> None:
    facts = seen(
        Exercise("check", "a", Did.REFUSED),
        Exercise("unique", "b", Did.ACCEPTED),
        Exercise("domain", "c", Did.COMPARED, "why"),
        Exercise("trigger", "d", Did.FIRED),
        Exercise("trigger", "e", Did.QUIET),
        Exercise("event trigger", "f", Did.SILENT),
        Exercise("trigger", "g", Did.COMPARED),
        Exercise("index", "h", Did.SOUND),
        Exercise("index", "i", Did.CORRUPT),
        Exercise("index", "j", Did.COMPARED),
    )
    assert {name: value for name, value in facts.items() if name.startswith(("constraints.", "triggers."))} == {
        "constraints.exercised": 2,
        "constraints.accepting": 1,
        "constraints.compared_only": 1,
        "triggers.exercised": 3,
        "triggers.fired": 1,
        "triggers.silent": 1,
        "triggers.compared_only": 1,
    }
    assert (facts["indexes.verified"], facts["indexes.corrupt"], facts["indexes.compared_only"]) == (2, 1, 1)
    assert facts["indexes.depth"] == "heap: as asked for"


@pytest.mark.parametrize("did", Did)
def test_what_does_otherwise_than_defined_is_a_difference_and_nothing_else_is(did: Did) -> None:
    exercises: Sequence[Exercise] = [Exercise("trigger", "s.t.x", did, "how")]
    found = compare(SOURCE, tried(*exercises)).differences
    wrong = did in {Did.ACCEPTED, Did.SILENT, Did.CORRUPT}
    assert [(each.subject, each.kind) for each in found] == ([("s.t.x", "exercised trigger")] if wrong else [])
