"""Each backup kept or dropped, with every rule that says so.

Rules count calendar buckets *that hold a backup*, newest first, and never look at the distance from today: when backups
stop, or a clock runs ahead, nothing is dropped for its age. See docs/adr/0040.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, TypeAlias

from attestore.config.retention import Policy, zone

__all__ = ["GRACE", "Candidate", "Dropped", "Fate", "Kept", "Reason", "Rule", "State", "decide"]

GRACE: Final = timedelta(hours=24)
"""An upload without a manifest is left alone for so long: somebody may still be at it"""

_LEEWAY: Final = timedelta(minutes=5)
"""clocks of two machines may differ by so much before a backup is dated in the future"""


class State(Enum):
    """What a backup is, before any policy looks at it."""

    COMPLETE = "complete"
    """signed, every part of the right size, and the ledger says that it was stored"""
    INCOMPLETE = "incomplete"
    """objects without a manifest, which the ledger never called a backup: an upload that has not ended"""
    DAMAGED = "damaged"
    """something is wrong with it that a person should see"""
    STRANGE = "strange"
    """nothing that this ledger ever heard of"""
    BEGUN = "begun"
    """the ledger says that it was deleted; some of it is still there"""


class Rule(Enum):
    """Why a backup stays or goes; the value is the word in tables and JSON."""

    NEWEST = "newest"
    PROVED = "last proved"
    AT_LEAST = "at least"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    YEARLY = "yearly"
    LOCKED = "locked"
    IN_USE = "in use"
    FUTURE = "future"
    YOUNG = "unfinished"
    DAMAGED = "damaged"
    STRANGE = "strange"
    BEGUN = "deletion begun"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class Reason:
    """One rule, and what it says of this backup in words."""

    rule: Rule
    words: str
    short: str = ""
    """a word for a narrow column: `2/7` (the second of seven), `newer` (its bucket has a newer one), `past` (beyond them)"""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One backup, or what is left of one, with all that is known when its fate is decided."""

    backup: str
    taken: datetime | None
    """instant of its snapshot; None where nothing says so"""
    state: State = State.COMPLETE
    about: str = ""
    """what is wrong with it, or when its deletion was begun"""
    proved: str = ""
    """the run that restored it and passed, if no later one failed"""
    locks: tuple[str, ...] = ()
    """stores that refuse to delete it, and until when: a retention or a legal hold"""
    used: tuple[str, ...] = ()
    """who is using it at this moment"""


@dataclass(frozen=True, slots=True)
class Kept:
    """A backup that stays, by at least one rule."""

    backup: Candidate
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A backup that goes: what each rule that counts says about it."""

    backup: Candidate
    reasons: tuple[Reason, ...]


Fate: TypeAlias = Kept | Dropped


def decide(backups: Iterable[Candidate], policy: Policy, *, now: datetime) -> tuple[Fate, ...]:
    """The fate of every backup of one system, newest first; the order in which they are handed over does not matter.

    What is locked, in use, damaged, strange, dated in the future or younger than `GRACE` and unfinished stays, and counts
    for no rule: it can't push a good backup out.
    """
    known = sorted(backups, key=lambda each: (_sortable(each), each.backup), reverse=True)
    counted = [each for each in known if _counts(each, now)]
    places = {each.backup: number for number, each in enumerate(counted)}
    proved = next((each.backup for each in counted if each.proved), None)
    counting = _Counting(policy=policy, rules=tuple(_rules(counted, policy)), places=places, proved=proved)
    return tuple(_fate(each, counting=counting, now=now) for each in known)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """One bucket rule applied: which backup stands for each of the newest buckets."""

    rule: Rule
    count: int
    bucket: Callable[[datetime], str]
    """the name of the bucket in which an instant lies"""
    unit: str
    standing: Mapping[str, tuple[int, str]]
    """for each of the newest buckets its place from 1, and the id of the backup that stands for it"""

    def keeps(self, backup: Candidate) -> Iterator[Reason]:
        """What the rule says of a backup, if it keeps it: its place among the buckets."""
        if backup.taken is not None:
            name = self.bucket(backup.taken)
            place, standing = self.standing.get(name, (0, ""))
            if standing == backup.backup:
                words = f"{self.unit} {name} ({place} of {self.count})"
                yield Reason(self.rule, words, f"{place}/{self.count}")

    def passes_over(self, taken: datetime) -> Reason:
        """Why the rule does not keep a backup of that instant."""
        name = self.bucket(taken)
        if name in self.standing:
            return Reason(self.rule, f"{self.unit} {name} has a newer one", "newer")
        return Reason(self.rule, f"{self.unit} {name} is not among the newest {self.count}", "past")


def _rules(counted: Sequence[Candidate], policy: Policy) -> Iterator[_Calendar]:
    where = zone(policy.time_zone)

    def week(local: datetime) -> str:
        year, number, _ = local.isocalendar()
        return f"{year:04d}-W{number:02d}"

    names: tuple[tuple[Rule, int, str, Callable[[datetime], str]], ...] = (
        (Rule.DAILY, policy.daily, "day", lambda local: local.date().isoformat()),
        (Rule.WEEKLY, policy.weekly, "week", week),
        (Rule.MONTHLY, policy.monthly, "month", lambda local: local.date().isoformat()[:7]),
        (Rule.YEARLY, policy.yearly, "year", lambda local: local.date().isoformat()[:4]),
    )
    for rule, count, unit, named in names:
        if not count:
            continue

        def bucket(taken: datetime, named: Callable[[datetime], str] = named) -> str:
            return named(taken.astimezone(where))

        standing: dict[str, tuple[int, str]] = {}
        for each in counted:
            if each.taken is not None and len(standing) < count:
                # newest first: whoever comes first in a bucket stands for it
                standing.setdefault(bucket(each.taken), (len(standing) + 1, each.backup))
        yield _Calendar(rule=rule, count=count, bucket=bucket, unit=unit, standing=standing)


@dataclass(frozen=True, slots=True)
class _Counting:
    """The policy applied to all that counts."""

    policy: Policy
    rules: tuple[_Calendar, ...]
    places: Mapping[str, int]
    """of each backup that counts, by id: 0 for the newest"""
    proved: str | None
    """id of the newest that was proved"""

    def keeps(self, backup: Candidate) -> Iterator[Reason]:
        """Every rule that keeps a backup, for what it is among the others."""
        place = self.places.get(backup.backup)
        if place is None:
            return
        if place == 0:
            yield Reason(Rule.NEWEST, "the newest")
        if backup.backup == self.proved:
            yield Reason(Rule.PROVED, f"the last that was proved, by {backup.proved}")
        for rule in self.rules:
            yield from rule.keeps(backup)
        if place < self.policy.at_least:
            least = self.policy.at_least
            yield Reason(Rule.AT_LEAST, f"{place + 1} of at least {least}", f"{place + 1}/{least}")


def _fate(backup: Candidate, *, counting: _Counting, now: datetime) -> Fate:
    reasons = (*_untouchable(backup, now), *counting.keeps(backup))
    return Kept(backup, reasons) if reasons else Dropped(backup, tuple(_expendable(backup, counting)))


def _untouchable(backup: Candidate, now: datetime) -> Iterator[Reason]:
    """What keeps a backup whatever the policy says."""
    for lock in backup.locks:
        yield Reason(Rule.LOCKED, f"locked: {lock}")
    for user in backup.used:
        yield Reason(Rule.IN_USE, f"in use by {user}")
    if backup.state is State.DAMAGED:
        yield Reason(Rule.DAMAGED, f"damaged, for a person to look at: {backup.about}")
    if backup.state is State.STRANGE or (backup.taken is None and backup.state is not State.BEGUN):
        yield Reason(Rule.STRANGE, backup.about or "this ledger never heard of it")
    if backup.taken is not None and backup.taken > now + _LEEWAY and backup.state is not State.BEGUN:
        yield Reason(Rule.FUTURE, "dated in the future: a clock is or was wrong")
    elif backup.state is State.INCOMPLETE and backup.taken is not None and now - backup.taken < GRACE:
        yield Reason(Rule.YOUNG, f"unfinished, and begun less than {GRACE // timedelta(hours=1)} hours ago")


def _expendable(backup: Candidate, counting: _Counting) -> Iterator[Reason]:
    """Why nothing keeps a backup."""
    if backup.state is State.BEGUN:
        yield Reason(Rule.BEGUN, f"its deletion was begun {backup.about}".rstrip())
    elif backup.state is State.INCOMPLETE:
        yield Reason(Rule.ABANDONED, "an upload that never ended; no backup")
    elif backup.taken is not None:
        yield from (rule.passes_over(backup.taken) for rule in counting.rules)
        yield Reason(Rule.AT_LEAST, f"not among the newest {counting.policy.at_least}", "past")


def _counts(backup: Candidate, now: datetime) -> bool:
    """Whether it is a good backup of this system, which may stand for its day, week, month or year."""
    return backup.state is State.COMPLETE and backup.taken is not None and backup.taken <= now + _LEEWAY


def _sortable(backup: Candidate) -> float:
    return backup.taken.timestamp() if backup.taken is not None else float("-inf")
