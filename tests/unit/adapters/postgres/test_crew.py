"""Which questions are asked in one statement."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from attestore.adapters.postgres.crew import Question, _lots

QUESTIONS = st.lists(
    st.builds(
        Question,
        subject=st.just("t"),
        sql=st.uuids().map(str),
        parameters=st.sampled_from([(), (b"key",), (b"key", 7)]),
        weight=st.sampled_from([0, 8192, 1 << 20]),
        form=st.sampled_from(["", "fingerprint", "cells"]),
    ),
    max_size=60,
).map(tuple)


@given(batch=QUESTIONS)
def test_each_question_is_asked_once_and_only_small_ones_alike_in_one_statement(batch: tuple[Question, ...]) -> None:
    lots = list(_lots(batch))
    assert tuple(question for lot in lots for question in lot) == batch
    for lot in lots:
        assert 1 <= len(lot) <= 10
        if len(lot) > 1:
            assert len({(each.form, each.parameters) for each in lot}) == 1
            assert lot[0].form != ""
            assert max(each.weight for each in lot) < 1 << 20


def test_thousands_of_small_questions_take_a_tenth_of_the_statements() -> None:
    assert len(list(_lots(tuple(Question("t", f"{n}", form="f") for n in range(200))))) == 20
