"""The section `schedule`: what it may say, and what is refused with line and column."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore.config import read_installation
from attestore.config.schedule import Every, Schedule, Timing, read_schedule, timing
from attestore.errors import GateError


def read(section: str) -> Schedule:
    text = f"attestore: 1\nsystems:\n  shop:\n    schedule: {section}\n"
    node = read_installation(text.encode(), file=Path("attestore.yaml")).systems["shop"].schedule
    assert node is not None
    return read_schedule(node)


def test_what_is_left_out_has_the_default_of_its_job() -> None:
    assert read('{backup: "daily 02:00", prune: weekly, drill: monthly, status: daily}') == Schedule()
    assert read("{drill: weekly, status: never}") == Schedule(
        drill=Timing(Every.WEEKLY, 5, 0), status=Timing(Every.NEVER, 8, 0)
    )
    assert read('{backup: "hourly :15"}').backup == Timing(Every.HOURLY, 2, 15)
    assert read('{prune: "weekly Wed 23:59"}').prune == Timing(Every.WEEKLY, 23, 59, weekday=3)
    assert read('{drill: "monthly 28 01:00"}').drill == Timing(Every.MONTHLY, 1, 0, day=28)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ("{backup: dayly}", "attestore.yaml:4:24: backup: 'dayly' is no time; Did you mean daily?"),
        ('{backup: "daily 24:00"}', "attestore.yaml:4:24: backup: 'daily 24:00' is no time: '24:00' can't be meant"),
        ('{drill: "monthly 31"}', "attestore.yaml:4:23: drill: 'monthly 31' is no time: '31' can't be meant"),
        ('{prune: "weekly funday"}', "attestore.yaml:4:23: prune: 'weekly funday' is no time: 'funday' can't be meant"),
        ('{status: "never 02:00"}', "attestore.yaml:4:24: status: 'never 02:00' is no time"),
        ('{backup: "0 2 * * *"}', "attestore.yaml:4:24: backup: '0 2 * * *' is no time"),
        ("{restore: daily}", "attestore.yaml:4:16: unknown key 'restore'"),
    ],
)
def test_what_can_t_be_meant_is_refused_where_it_stands(section: str, sentence: str) -> None:
    with pytest.raises(GateError) as caught:
        read(section)
    assert caught.value.message.startswith(sentence)


@given(
    st.builds(
        Timing,
        st.sampled_from([Every.DAILY, Every.WEEKLY, Every.MONTHLY]),
        st.integers(0, 23),
        st.integers(0, 59),
        st.integers(1, 7),
        st.integers(1, 28),
    )
)
def test_the_words_of_a_time_say_the_time(meant: Timing) -> None:
    assert timing(meant.words, default=meant) == meant
