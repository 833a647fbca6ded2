"""Which backups stay: every rule that a policy may not break, whatever the backups are."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from attestore.config.retention import Policy
from attestore.retention import GRACE, Candidate, Dropped, Fate, Kept, Rule, State, decide

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)

COUNTS = st.integers(0, 12)
POLICIES = st.builds(
    Policy,
    daily=COUNTS,
    weekly=COUNTS,
    monthly=COUNTS,
    yearly=st.integers(0, 4),
    at_least=st.integers(1, 6),
    time_zone=st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia"]),
)
TAKEN = st.integers(-7 * 1440, 1400 * 1440).map(lambda minutes: NOW - timedelta(minutes=minutes))


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Up to thirty backups, most of them good ones; several may be of the same instant."""
    made = []
    for number in range(draw(st.integers(0, 30))):
        state = draw(st.sampled_from([State.COMPLETE] * 8 + list(State)))
        made.append(
            Candidate(
                backup=f"b{number:02d}",
                taken=draw(TAKEN) if draw(st.integers(0, 19)) else None,
                state=state,
                proved=draw(st.sampled_from(["", "", "a-drill"])),
                locks=draw(st.sampled_from([(), (), (), ("off-site, until 2027-01-01",)])),
                used=draw(st.sampled_from([(), (), (), ("a drill",)])),
            )
        )
    return made


def kept(fates: tuple[Fate, ...]) -> set[str]:
    return {fate.backup.backup for fate in fates if isinstance(fate, Kept)}


def dropped(fates: tuple[Fate, ...]) -> list[Candidate]:
    return [fate.backup for fate in fates if isinstance(fate, Dropped)]


def good(backups: list[Candidate]) -> list[Candidate]:
    """Those that count, newest first."""
    counting = [each for each in backups if each.state is State.COMPLETE and each.taken and each.taken <= NOW]
    return sorted(counting, key=lambda each: (each.taken, each.backup), reverse=True)


def rules(fates: tuple[Fate, ...], backup: str) -> list[Rule]:
    return [reason.rule for fate in fates if fate.backup.backup == backup for reason in fate.reasons]


@given(candidates(), POLICIES)
def test_what_is_locked_in_use_damaged_or_strange_is_never_dropped(backups: list[Candidate], policy: Policy) -> None:
    for each in dropped(decide(backups, policy, now=NOW)):
        assert (each.locks, each.used) == ((), ())
        assert each.state not in {State.DAMAGED, State.STRANGE}
        assert each.taken is None or each.taken <= NOW + timedelta(minutes=5) or each.state is State.BEGUN
        if each.state is State.INCOMPLETE:
            assert each.taken is not None
            assert NOW - each.taken >= GRACE


@given(candidates(), POLICIES)
def test_the_newest_and_the_last_proved_always_stay(backups: list[Candidate], policy: Policy) -> None:
    fates = decide(backups, policy, now=NOW)
    counting = good(backups)
    for first in (counting[:1], [each for each in counting if each.proved][:1]):
        assert {each.backup for each in first} <= kept(fates)


@given(candidates(), POLICIES)
def test_at_least_so_many_good_ones_remain(backups: list[Candidate], policy: Policy) -> None:
    remaining = kept(decide(backups, policy, now=NOW)) & {each.backup for each in good(backups)}
    assert len(remaining) >= min(policy.at_least, len(good(backups)))


@given(candidates(), POLICIES, st.data())
def test_a_bigger_policy_keeps_all_that_a_smaller_one_keeps(
    backups: list[Candidate], policy: Policy, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(["daily", "weekly", "monthly", "yearly", "at_least"]))
    more = data.draw(st.integers(0, 5))
    bigger = replace(policy, **{name: getattr(policy, name) + more})
    assert kept(decide(backups, policy, now=NOW)) <= kept(decide(backups, bigger, now=NOW))


@given(candidates(), POLICIES)
def test_what_was_pruned_once_has_nothing_left_to_prune(backups: list[Candidate], policy: Policy) -> None:
    staying = kept(decide(backups, policy, now=NOW))
    again = decide([each for each in backups if each.backup in staying], policy, now=NOW)
    assert dropped(again) == []


@given(candidates(), POLICIES, st.randoms(use_true_random=False))
def test_the_order_in_which_backups_are_listed_decides_nothing(
    backups: list[Candidate], policy: Policy, chance: object
) -> None:
    shuffled = backups.copy()
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis hands over a random.Random
    assert decide(shuffled, policy, now=NOW) == decide(backups, policy, now=NOW)


@given(candidates(), POLICIES)
def test_no_fate_without_a_reason_and_every_backup_has_one(backups: list[Candidate], policy: Policy) -> None:
    fates = decide(backups, policy, now=NOW)
    assert sorted(fate.backup.backup for fate in fates) == sorted(each.backup for each in backups)
    assert all(fate.reasons and all(reason.words for reason in fate.reasons) for fate in fates)


@given(candidates(), POLICIES)
def test_a_bad_backup_never_pushes_a_good_one_out(backups: list[Candidate], policy: Policy) -> None:
    without = decide(good(backups), policy, now=NOW)
    assert kept(without) <= kept(decide(backups, policy, now=NOW))


def daily(count: int, *, at: str = "02:00", until: datetime = NOW) -> list[Candidate]:
    hour, minute = map(int, at.split(":"))
    newest = until.replace(hour=hour, minute=minute)
    return [Candidate(f"{newest - n * DAY:%Y-%m-%d}", newest - n * DAY) for n in range(count)]


def test_the_newest_of_a_bucket_stands_for_it() -> None:
    fates = decide(daily(40), Policy(weekly=3, monthly=2), now=NOW)
    assert kept(fates) == {"2026-11-26", "2026-11-22", "2026-11-15", "2026-10-31"}
    assert rules(fates, "2026-11-26") == [Rule.NEWEST, Rule.WEEKLY, Rule.MONTHLY, Rule.AT_LEAST]
    told = {fate.backup.backup: [reason.words for reason in fate.reasons] for fate in fates}
    assert told["2026-11-22"] == ["week 2026-W47 (2 of 3)"]
    assert told["2026-11-14"] == [
        "week 2026-W46 has a newer one",
        "month 2026-11 has a newer one",
        "not among the newest 1",
    ]
    assert told["2026-10-20"][:2] == ["week 2026-W43 is not among the newest 3", "month 2026-10 has a newer one"]


def test_when_backups_stop_nothing_is_dropped_for_its_age() -> None:
    """Counted are buckets that hold a backup: a year later the same ones stand for them."""
    policy = Policy(daily=7, weekly=4, monthly=6)
    names = kept(decide(daily(400), policy, now=NOW))
    staying = [each for each in daily(400) if each.backup in names]
    assert dropped(decide(staying, policy, now=NOW + 365 * DAY)) == []


def test_a_clock_that_ran_ahead_drops_nothing_and_its_backup_counts_for_nothing() -> None:
    ahead = Candidate("2099", datetime(2099, 1, 1, tzinfo=UTC))
    fates = decide([*daily(3), ahead], Policy(at_least=1), now=NOW)
    assert kept(fates) == {"2099", "2026-11-26"}
    assert rules(fates, "2099") == [Rule.FUTURE]


def test_a_proof_keeps_only_the_last_that_was_proved() -> None:
    backups = [replace(each, proved="a-drill") if each.backup.endswith(("20", "10")) else each for each in daily(20)]
    fates = decide(backups, Policy(at_least=1), now=NOW)
    assert kept(fates) == {"2026-11-26", "2026-11-20"}
    assert rules(fates, "2026-11-20") == [Rule.PROVED]


def test_a_day_is_a_day_of_the_calendar_where_the_policy_is_counted() -> None:
    """23:30 and 00:30 UTC are two days in UTC and one day in Berlin."""
    evening, night = datetime(2026, 6, 1, 22, 30, tzinfo=UTC), datetime(2026, 6, 2, 0, 30, tzinfo=UTC)
    backups = [Candidate("evening", evening), Candidate("night", night)]
    assert kept(decide(backups, Policy(daily=2), now=NOW)) == {"evening", "night"}
    assert kept(decide(backups, Policy(daily=2, time_zone="Europe/Berlin"), now=NOW)) == {"night"}


def test_the_hour_that_summer_time_repeats_or_skips_moves_no_backup_to_another_day() -> None:
    """25 October 2026 in Berlin has 25 hours, 28 March 2027 has 23: hourly backups still stand for exactly those days."""
    for first, hours in ((datetime(2026, 10, 24, 22, tzinfo=UTC), 25), (datetime(2027, 3, 27, 23, tzinfo=UTC), 23)):
        hourly = [Candidate(f"{n:02d}", first + timedelta(hours=n)) for n in range(-1, hours + 1)]
        fates = decide(hourly, Policy(daily=3, time_zone="Europe/Berlin"), now=first + 3 * DAY)
        assert kept(fates) == {"-1", f"{hours - 1:02d}", f"{hours:02d}"}


def test_a_week_belongs_to_its_iso_year() -> None:
    """1 January 2027 is a Friday of week 53 of 2026; 29 December 2025 is a Monday of week 1 of 2026."""
    backups = [Candidate(at, datetime.fromisoformat(f"{at}T02:00:00+00:00")) for at in ("2026-12-31", "2027-01-01")]
    fates = decide(backups, Policy(weekly=5), now=NOW + 60 * DAY)
    assert kept(fates) == {"2027-01-01"}
    assert [r.words for f in fates for r in f.reasons if r.rule is Rule.WEEKLY] == [
        "week 2026-W53 (1 of 5)",
        "week 2026-W53 has a newer one",
    ]


def test_two_backups_of_one_instant_are_told_apart_by_their_names() -> None:
    twins = [Candidate(name, NOW - DAY) for name in ("a", "b")]
    assert kept(decide(twins, Policy(daily=7), now=NOW)) == {"b"}


def test_an_unfinished_upload_is_left_alone_for_a_day_and_what_was_begun_to_be_deleted_is_ended() -> None:
    fresh = Candidate("fresh", NOW - timedelta(hours=23), State.INCOMPLETE)
    stale = Candidate("stale", NOW - timedelta(hours=25), State.INCOMPLETE)
    begun = Candidate("begun", NOW - DAY, State.BEGUN, about="2026-11-25")
    locked = replace(begun, backup="locked", locks=("off-site",))
    fates = decide([fresh, stale, begun, locked], Policy(daily=7), now=NOW)
    assert kept(fates) == {"fresh", "locked"}
    assert rules(fates, "stale") == [Rule.ABANDONED]
    assert rules(fates, "begun") == [Rule.BEGUN]
