from __future__ import annotations

import re

import pytest

from attestore.facts import FACTS, RTO_PHASES, Fact, Kind

EVERY = pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.name)


@EVERY
def test_a_fact_says_what_it_means(fact: Fact) -> None:
    assert len(fact.meaning) >= 10
    assert not fact.meaning.endswith(".")


@EVERY
def test_a_fact_has_a_dotted_lower_case_name(fact: Fact) -> None:
    assert re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", fact.name)


@EVERY
def test_a_fact_that_speaks_of_several_names_a_count_of_them(fact: Fact) -> None:
    if fact.per:
        count = FACTS[fact.per]
        assert (count.kind, count.per) == (Kind.COUNT, "")


def test_no_two_facts_mean_the_same() -> None:
    meanings = [fact.meaning for fact in FACTS.values() if not fact.meaning.startswith("of those")]
    assert len(set(meanings)) == len(meanings)


def test_names_are_keys_and_nobody_can_add_one() -> None:
    assert all(name == fact.name for name, fact in FACTS.items())
    with pytest.raises(TypeError):
        FACTS["restore.luck"] = FACTS["restore.rto"]  # type: ignore[index]


@pytest.mark.parametrize("phase", RTO_PHASES)
def test_each_phase_of_the_recovery_time_is_a_duration(phase: str) -> None:
    assert FACTS[f"restore.{phase}"].kind is Kind.DURATION


@pytest.mark.parametrize(
    ("kind", "value", "unit"),
    [
        (Kind.DURATION, 1, "ms"),
        (Kind.SIZE, 1, "B"),
        (Kind.COUNT, 1, ""),
        (Kind.FLAG, True, ""),
        (Kind.TEXT, "", ""),
        (Kind.INSTANT, "", ""),
    ],
)
def test_a_kind_has_one_type_and_one_unit(kind: Kind, value: object, unit: str) -> None:
    assert kind.type is type(value)
    assert kind.unit == unit
