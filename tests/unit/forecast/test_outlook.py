"""What is said of a series of drills: quietly nothing where there are too few, and never more than they tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attestore import instants
from attestore.evidence import Measured, Observation, Past
from attestore.facts import Value
from attestore.forecast import MOST, Drill, Forecast, Outlook, Target, forecast, measured, of_history, target
from attestore.gate import Check, Operator
from report_cases import gate_004

START = datetime(2026, 1, 5, 3, tzinfo=UTC)
SETTINGS = (("jobs", "4"), ("server", "15"), ("machine", "Linux, x86_64, 8 processors"))
TARGET = Target(1_800_000, 1_799_999)


def below(ms: int) -> Target:
    return Target(ms, ms - 1)


def drill(day: float, rto_ms: int, *, size: int = 10**9, settings: tuple[tuple[str, str], ...] = SETTINGS) -> Drill:
    taken = instants.text(START + timedelta(days=day))
    return Drill(rto_ms, size, Measured(taken, (0, 1000, 0, 0, rto_ms - 2000, 1000, 0), settings))


def growing(count: int = 8, *, every: float = 14, first: int = 1_000_000, step: int = 50_000) -> list[Drill]:
    return [drill(number * every, first + step * number, size=10**9 + 10**8 * number) for number in range(count)]


def day(written: str) -> float:
    return (instants.parse(written) - START).total_seconds() / 86_400


def test_a_growing_recovery_time_reaches_its_target_on_a_day() -> None:
    """1,000 s, 50 s more each fortnight, 1,800 s allowed: sixteen fortnights after the first, were there nothing else."""
    told = forecast(growing(10), target=below(1_600_000))
    assert (told.outlook, told.runs, told.days, told.left_out, told.others) == (Outlook.EXPECTED, 10, 10, 0, 0)
    assert day(told.about) == pytest.approx(12 * 14)
    assert day(told.horizon) == pytest.approx(2 * 9 * 14)
    assert told.monthly_ms == pytest.approx(50_000 * 30 / 14, abs=1)
    assert told.monthly_bytes == pytest.approx(10**8 * 30 / 14, abs=1)
    assert (told.phase, told.phase_monthly_ms) == ("data", told.monthly_ms)


def test_nothing_is_said_of_a_time_further_ahead_than_the_history_reaches_back() -> None:
    told = forecast(growing(8), target=below(3_000_000))
    assert (told.outlook, told.about, told.early, told.late) == (Outlook.BEYOND, "", "", "")
    assert day(told.horizon) == pytest.approx(2 * 7 * 14)


def test_an_early_breach_that_cannot_be_ruled_out_is_told_where_the_trend_itself_sees_none() -> None:
    scattered = (1_010_000, 1_020_000, 920_000, 980_000, 1_040_000, 1_040_000, 1_020_000, 990_000)
    told = forecast([drill(n * 14, rto_ms) for n, rto_ms in enumerate(scattered)], target=below(1_250_000))
    assert (told.outlook, told.about) == (Outlook.BEYOND, "")
    assert told.last < told.early < told.horizon


def test_a_recovery_time_that_shrinks_or_stays_has_no_breach_in_sight() -> None:
    assert forecast(growing(step=-50_000), target=TARGET).outlook is Outlook.LEVEL
    assert forecast(growing(step=0), target=TARGET).outlook is Outlook.LEVEL


def test_a_newest_run_over_its_target_has_broken_it_whatever_the_trend_says() -> None:
    told = forecast([*growing(8), drill(200, TARGET.ms)], target=TARGET)
    assert (told.outlook, told.newest_ms) == (Outlook.BROKEN, TARGET.ms)
    assert forecast([drill(0, TARGET.ms)], target=TARGET).outlook is Outlook.BROKEN


def test_a_trend_that_is_over_the_target_while_the_newest_run_met_it_is_expected_now() -> None:
    told = forecast([*growing(12, step=90_000), drill(170, 1_700_000)], target=TARGET)
    assert (told.outlook, told.about) == (Outlook.EXPECTED, told.last)


@pytest.mark.parametrize(
    ("drills", "days"),
    [([], 0), (growing(5), 5), (growing(30, every=0.01, step=100), 1), (growing(9, every=1), 9)],
    ids=["none", "five", "one afternoon", "nine days"],
)
def test_too_few_runs_or_days_say_nothing(drills: list[Drill], days: int) -> None:
    told = forecast(drills, target=TARGET)
    assert (told.outlook, told.days, told.about, told.trending) == (Outlook.TOO_FEW, days, "", False)


def test_many_drills_of_a_day_weigh_as_much_as_one() -> None:
    """Their median: an afternoon of trying things out draws no line."""
    told = growing(8)
    crowd = [drill(2 * 14 + number / 100, 1_100_000 + number % 3) for number in range(20)]
    one, many = (forecast(each, target=below(1_600_000)) for each in (told, [*told[:2], *crowd, *told[3:]]))
    assert (many.runs, many.days) == (27, 8)
    assert abs(day(one.about) - day(many.about)) < 1


def test_runs_that_restored_nothing_whole_are_counted_and_left_out() -> None:
    killed = Drill(None, None, None)
    quick = Drill(3, 10, None)
    told = growing(8)
    seen = forecast([killed, *told[:4], quick, killed, *told[4:], killed], target=TARGET)
    assert seen == replace(forecast(told, target=TARGET), left_out=4)


def test_runs_under_other_settings_are_another_series_and_it_is_said_what_changed() -> None:
    before = [
        replace(each, measured=replace(each.measured, settings=(("jobs", "2"), *SETTINGS[1:])))
        for each in growing(9, first=3_000_000)
        if each.measured
    ]
    after = [drill(200 + number * 14, 900_000) for number in range(3)]
    told = forecast([*before, *after], target=TARGET)
    assert (told.outlook, told.runs, told.others, told.changed) == (Outlook.TOO_FEW, 3, 9, (("jobs", "2", "4"),))


def test_a_single_run_under_other_settings_does_not_end_the_series() -> None:
    told = growing(8)
    tried = drill(60, 100_000, settings=(("jobs", "64"), *SETTINGS[1:]))
    assert replace(forecast([*told[:5], tried, *told[5:]], target=TARGET), others=0, changed=()) == forecast(
        told, target=TARGET
    )


def test_only_the_newest_runs_are_looked_at() -> None:
    told = growing(MOST + 7, first=10_000, step=700)
    assert forecast(told, target=TARGET) == forecast(told[7:], target=TARGET)


def test_a_clock_that_went_back_orders_nothing_anew_but_the_points() -> None:
    told = growing(9)
    mixed = [*told[:3], told[5], told[4], told[3], *told[6:]]
    assert forecast(mixed, target=TARGET) == forecast(told, target=TARGET)


HOSTILE = st.one_of(
    st.just(Drill(None, None, None)),
    st.builds(
        Drill,
        st.one_of(st.none(), st.integers(-5, 5), st.integers(0, 2**70)),
        st.one_of(st.none(), st.integers(0, 2**60)),
        st.builds(
            Measured,
            st.one_of(
                st.integers(-62_135_596_800, 253_402_300_799).map(
                    lambda at: instants.text(datetime.fromtimestamp(at, UTC))
                ),
                st.sampled_from(["", "NaN", "9999-99-99T00:00:00.000Z", "2026-01-01"]),
            ),
            st.lists(st.integers(0, 2**60), min_size=7, max_size=7).map(tuple) | st.just(()),
            st.sampled_from([(), SETTINGS]),
        ),
    ),
)


@given(st.lists(HOSTILE, max_size=40), st.integers(0, 2**60))
def test_whatever_a_history_says_a_forecast_is_bounded_and_in_order(drills: list[Drill], target_ms: int) -> None:
    told = forecast(drills, target=below(target_ms))
    assert told.runs + told.left_out + told.others == min(len(drills), MOST)
    ordered = [each for each in (told.early, told.about, told.late, told.horizon) if each]
    assert ordered == sorted(ordered)
    assert not told.about or (told.early and told.last <= told.about <= told.horizon)


@given(
    st.lists(st.integers(900_000, 1_700_000), min_size=8, max_size=20),
    st.integers(0, 400),
    st.integers(1_750_000, 4_000_000),
)
def test_a_shift_in_time_shifts_the_forecast_and_a_higher_target_never_comes_earlier(
    values: Sequence[int], shift: int, target: int
) -> None:
    def told(later: int, bound: int) -> Forecast:
        return forecast([drill(later + number * 9, value) for number, value in enumerate(values)], target=below(bound))

    here, moved, higher = told(0, target), told(shift, target), told(0, target + 100_000)
    assert here.outlook is moved.outlook
    for mine, other in ((here.about, moved.about), (here.early, moved.early), (here.horizon, moved.horizon)):
        assert bool(mine) == bool(other)
        assert not mine or day(other) - day(mine) == pytest.approx(shift)
    assert not higher.about or here.about <= higher.about


def seen(**changes: Value | None) -> list[Observation]:
    told: dict[str, Value | None] = {
        "run.completed": True, "restore.errors": 0, "tables.missing": 0, "restore.rto": 9, "restore.data": 4,
        "snapshot.taken": "2026-01-05T03:00:00.000Z", "restore.jobs": 4, "restore.durable": False, "target.version": "PostgreSQL 15.18 (Debian)",
        "run.host": "Linux 6.1.0-28-amd64, x86_64, 8 processors",
    }  # fmt: skip
    told |= {name.replace("__", "."): value for name, value in changes.items()}
    return [
        Observation("2026-01-05T03:00:00.000Z", 1, fact, "", value, "test")
        for fact, value in told.items()
        if value is not None
    ]


def test_of_a_whole_restore_is_kept_what_its_recovery_time_depends_on() -> None:
    """Not the day's patch of the kernel or the server: it would begin a new series every month."""
    assert measured(seen()) == Measured(
        "2026-01-05T03:00:00.000Z",
        (0, 0, 0, 0, 4, 0, 0),
        (("jobs", "4"), ("durable", "no"), ("server", "15"), ("machine", "Linux, x86_64, 8 processors")),
    )


@pytest.mark.parametrize("changes", [
    {"run__completed": None}, {"run__completed": False}, {"restore__errors": 1}, {"tables__missing": 1}, {"tables__missing": None},
    {"restore__rto": None}, {"snapshot__taken": None},
])  # fmt: skip
def test_a_restore_that_stopped_erred_or_lost_tables_measured_no_recovery_time(
    changes: dict[str, Value | None],
) -> None:
    assert measured(seen(**changes)) is None


def test_data_that_is_younger_than_its_own_restore_comes_from_a_wrong_clock() -> None:
    """One date of the year 2031 would move every forecast there."""
    assert measured(seen(restore__ordered="2026-01-05T02:30:00.000Z")) is not None
    assert measured(seen(restore__ordered="2020-01-05T03:00:00.000Z")) is None


def test_a_run_that_contradicts_itself_measured_nothing() -> None:
    assert measured([*seen(), *seen(restore__rto=10)]) is None
    assert measured([*seen(), *seen()]) == measured(seen())


def test_a_target_that_may_be_met_exactly_is_broken_a_millisecond_later() -> None:
    at_most = replace(gate_004(), checks=(Check("rto", "restore.rto", Operator.AT_MOST, 1_000, "1s"),))
    assert (target(gate_004()), target(at_most)) == (below(1_800_000), Target(1_000, 1_000))
    assert forecast([drill(0, 1_000)], target=Target(1_000, 1_000)).outlook is Outlook.TOO_FEW
    assert forecast([drill(0, 1_001)], target=Target(1_000, 1_000)).outlook is Outlook.BROKEN
    assert target(replace(at_most, checks=())) is None


def test_a_context_tells_its_runs_newest_first_and_those_of_other_gates_too() -> None:
    told = growing(8)
    past = [
        Past("r", gate, "", "PASS", each.rto_ms, each.sealed_bytes, each.measured)
        for each in reversed(told)
        for gate in ("S9-PROD-004", "other")
    ]
    assert of_history(past, gate_004()) == forecast(told, target=TARGET)
    many = [each for each in past if each.gate != "other"] * 20
    assert of_history(many, gate_004()) == of_history(many[:MOST], gate_004())
    assert of_history(past, replace(gate_004(), checks=())) is None
