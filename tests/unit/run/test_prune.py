"""Prune: what is decided is what is deleted, from every store, and a death at any point leaves nothing half believed."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest

from attestore import instants, plan
from attestore.archive import Bundle, using
from attestore.audit import audit
from attestore.errors import StoreError
from attestore.evidence.ledger import RunStarted
from attestore.plan import Job
from attestore.ports import Kept as Lock
from attestore.ports import Unfinished
from attestore.retention import Dropped, Kept, Rule
from attestore.run import execute
from attestore.run.prune import Examined
from fakes import FINGERPRINT, FakeVerifier
from yard import FIRST, GATES, Died, Yard


@pytest.fixture
def yard(tmp_path: Path) -> Yard:
    return Yard(tmp_path)


def kept(examined: Examined) -> dict[str, list[Rule]]:
    return {
        fate.backup.backup: [reason.rule for reason in fate.reasons]
        for fate in examined.fates
        if isinstance(fate, Kept)
    }


def test_what_is_explained_is_what_goes_from_every_store(yard: Yard) -> None:
    first, second, third, fourth, fifth = yard.backups
    explained = yard.examined()
    assert kept(explained) == {
        fifth: [Rule.NEWEST, Rule.DAILY, Rule.AT_LEAST],
        fourth: [Rule.DAILY],
        first: [Rule.PROVED],
    }
    before = dict(yard.local.objects)
    done = yard.prune()
    assert [fate.backup.backup for fate in done.examined.fates if isinstance(fate, Dropped)] == [third, second]
    assert [(each.backup, each.stores) for each in done.removed] == [
        (second, ("local", "offsite")),
        (third, ("local", "offsite")),
    ]
    assert done.failed == ()
    for store in (yard.local, yard.offsite):
        assert yard.held(store) == {first, fourth, fifth}
        assert store.objects.items() <= before.items()


def test_a_dry_look_touches_nothing(yard: Yard) -> None:
    before = (dict(yard.local.objects), dict(yard.offsite.objects), yard.ledger.read().entries)
    assert any(isinstance(fate, Dropped) for fate in yard.examined().fates)
    assert (yard.local.objects, yard.offsite.objects, yard.ledger.read().entries) == before


def test_each_deletion_is_in_the_ledger_with_its_reason_and_the_audit_tells_it(yard: Yard) -> None:
    yard.prune()
    _, second, third, *_ = yard.backups
    assert [(entry.backup, entry.by) for entry in yard.deletions()] == [(second, FINGERPRINT), (third, FINGERPRINT)]
    assert yard.deletions()[0].reason == (
        "by the policy daily 2, at least 1, by the calendar of UTC: "
        "day 2026-03-02 is not among the newest 2; not among the newest 1"
    )
    findings = audit(yard.reports, roster=yard.world.roster, verifier=FakeVerifier(), at=yard.world.clock.now())
    told = [line.sentence for line in findings.lines if "was deleted" in line.sentence]
    assert len(told) == 2
    assert "by the policy daily 2" in told[0]
    assert not [line for line in findings.problems if "delet" in line.sentence]


def test_pruning_again_finds_nothing_to_do(yard: Yard) -> None:
    yard.prune()
    entries = yard.ledger.read().entries
    assert yard.prune().removed == ()
    assert yard.ledger.read().entries == entries


@pytest.mark.parametrize("where", ["local", "offsite"])
@pytest.mark.parametrize("after", range(12))
def test_a_death_at_any_deletion_leaves_no_half_backup_and_the_next_prune_ends_it(
    yard: Yard, after: int, where: str
) -> None:
    store = yard.local if where == "local" else yard.offsite
    store.left = after
    _, second, third, *_ = yard.backups
    try:
        yard.prune()
        dead = False
    except Died:
        dead = True
    assert dead == (after < 10)  # 2 backups of 5 objects
    begun = {entry.backup for entry in yard.deletions()}
    for held in (yard.local, yard.offsite):
        for backup in yard.backups:
            parts = [key for key in held.objects if key.startswith(f"gallery/{backup}/")]
            if f"gallery/{backup}/manifest.json" in parts:
                assert len(parts) == 5, "whatever has a manifest is whole"
            else:
                assert backup in begun, "whatever lost its manifest stands in the ledger"
    store.left = 10**9
    yard.prune()
    assert yard.held(yard.local) == yard.held(yard.offsite) == set(yard.backups) - {second, third}
    assert sorted(entry.backup for entry in yard.deletions()) == [second, third]


def test_a_store_that_can_t_be_asked_keeps_all_of_them(yard: Yard) -> None:
    def gone(step: str, key: str) -> None:
        raise StoreError(f"offsite does not answer about {key} ({step})")

    yard.offsite.meanwhile = gone
    before = dict(yard.local.objects)
    with pytest.raises(StoreError, match="does not answer"):
        yard.prune()
    assert yard.local.objects == before
    assert yard.deletions() == []


def test_a_store_that_refuses_on_the_way_is_told_and_the_next_prune_tries_again(yard: Yard) -> None:
    _, second, third, *_ = yard.backups
    yard.offsite.left, yard.offsite.end = 0, StoreError("503 Slow Down")
    done = yard.prune()
    assert [(each.backup, each.store, each.reason, each.locked) for each in done.failed] == [
        (second, "offsite", "503 Slow Down", False),
        (third, "offsite", "503 Slow Down", False),
    ]
    assert second not in yard.held(yard.local)
    assert {second, third} <= yard.held(yard.offsite)
    yard.offsite.left = 10**9
    again = yard.prune()
    assert (again.failed, [each.stores for each in again.removed]) == ((), [("offsite",), ("offsite",)])
    assert len(yard.deletions()) == 2


def test_a_lock_in_one_store_keeps_every_copy(yard: Yard) -> None:
    _, second, third, *_ = yard.backups
    until = FIRST + timedelta(days=90)
    yard.offsite.locks[f"gallery/{second}/manifest.json"] = Lock(until=until, mode="compliance")
    yard.offsite.locks[f"gallery/{third}/{third}"] = Lock(held=True)
    yard.offsite.objects[f"gallery/{third}/{third}"] = b""
    fates = {fate.backup.backup: fate for fate in yard.prune().examined.fates}
    assert [reason.words for reason in fates[second].reasons] == ["locked: offsite, until 2026-05-30 02:00 UTC"]
    assert [reason.words for reason in fates[third].reasons] == ["locked: offsite, legal hold"]
    assert yard.held(yard.local) == yard.held(yard.offsite) == set(yard.backups)
    yard.world.clock.start = until
    del yard.offsite.locks[f"gallery/{second}/manifest.json"]
    assert [each.backup for each in yard.prune().removed] == [second]


def test_a_lock_that_appears_after_the_decision_is_told_and_not_an_error(yard: Yard) -> None:
    _, second, third, *_ = yard.backups

    def locking(step: str, key: str) -> None:
        if (step, key) == ("delete", f"gallery/{second}/manifest.json"):
            yard.offsite.locks[key] = Lock(until=FIRST + timedelta(days=90), mode="compliance")

    yard.offsite.meanwhile = locking
    done = yard.prune()
    assert [(each.backup, each.locked) for each in done.failed] == [(second, True)]
    assert third not in yard.held(yard.offsite)
    assert len([name for name in yard.offsite.objects if second in name]) == 5, "the copy that is locked stays whole"


def test_a_backup_in_use_stays_and_goes_when_it_is_not(yard: Yard) -> None:
    _, second, third, *_ = yard.backups
    with using(yard.reports, "gallery", second), using(yard.reports, "gallery", second):
        done = yard.prune()
        assert kept(done.examined)[second] == [Rule.IN_USE]
        assert [each.backup for each in done.removed] == [third]
    assert [each.backup for each in yard.prune().removed] == [second]


def test_a_use_that_begins_between_decision_and_deletion_is_respected(yard: Yard) -> None:
    _, second, third, *_ = yard.backups
    with ExitStack() as stack:

        def drilling(step: str, key: str) -> None:
            if (step, key) == ("delete", f"gallery/{second}/manifest.json"):
                stack.enter_context(using(yard.reports, "gallery", third))

        yard.local.meanwhile = drilling
        done = yard.prune()
    assert [each.backup for each in done.removed] == [second]
    assert kept(done.examined)[third] == [Rule.IN_USE]
    assert third in yard.held(yard.local)


def test_a_run_that_ends_after_the_decision_stops_the_deletions(yard: Yard) -> None:
    """What was not the last proved one when it was decided may be it now."""
    chosen = plan.make(Job.BACKUP, run="20260306T020000Z-gallery-000009", system="gallery", gates=(), jobs=2)
    waiting = [chosen]

    def running(step: str, _: str) -> None:
        if step == "kept" and waiting:
            execute(waiting.pop(), tools=yard.world.tools(yard.folder), reports=yard.reports)

    yard.local.meanwhile = running
    done = yard.prune()
    assert (done.removed, yard.deletions(), waiting) == ((), [], [])
    assert all(rules == [Rule.IN_USE] for name, rules in kept(done.examined).items() if name in yard.backups[1:3])


def test_a_proof_is_lost_to_a_later_drill_that_failed(yard: Yard) -> None:
    yard.world.store.objects = {key: data for key, data in yard.local.objects.items() if yard.backups[0] in key}
    yard.world.loses_row = True
    chosen = plan.make(Job.DRILL, run="20260306T020000Z-gallery-000009", system="gallery", gates=GATES, jobs=2)
    execute(chosen, tools=yard.world.tools(yard.folder, making=False), reports=yard.reports)
    assert yard.backups[0] not in kept(yard.examined())


def test_uploads_that_never_ended_are_swept_when_they_are_a_day_old(yard: Yard) -> None:
    now = yard.world.clock.start
    for hours, name in ((23, "000aaa"), (25, "000bbb")):
        begun = now - timedelta(hours=hours)
        yard.offsite.objects[f"gallery/{instants.compact(begun)}-{name}/archive"] = b"half"
        leftover = Unfinished(key=f"gallery/{name}/archive", name=name, begun=begun, size=4)
        yard.offsite.leftovers.append(leftover)
    yard.offsite.leftovers.append(Unfinished(key="other/x/archive", name="other", begun=FIRST, size=4))
    done = yard.prune()
    assert done.swept == 1
    assert [each.name for each in yard.offsite.leftovers] == ["000aaa", "other"]
    assert [name[-6:] for name in sorted(yard.held(yard.offsite) - set(yard.backups))] == ["000aaa"]
    assert len(yard.deletions()) == 2, "what never was a backup is no deletion of one"


def test_an_upload_that_takes_longer_than_a_day_is_not_swept_while_its_run_is_under_way(yard: Yard) -> None:
    run, begun = "20260304T010000Z-gallery-00cafe", yard.world.clock.start - timedelta(hours=49)
    backup = f"{instants.compact(begun)}-00cafe"
    leftover = Unfinished(key=f"gallery/{backup}/archive", name="upload", begun=begun, size=None)
    yard.offsite.leftovers.append(leftover)
    yard.offsite.objects[f"gallery/{backup}/globals"] = b"whole"
    with Bundle.create(yard.reports, run):
        yard.ledger.append(RunStarted(instants.text(begun), run, "gallery", FINGERPRINT, ()))
        under_way = yard.prune()
    assert (under_way.swept, yard.offsite.leftovers) == (0, [leftover])
    assert kept(under_way.examined)[backup] == [Rule.IN_USE]
    dead = yard.prune()
    assert (dead.swept, yard.offsite.leftovers) == (1, [])
    assert backup not in yard.held(yard.offsite)


def test_what_is_damaged_or_unknown_stays_for_a_person(yard: Yard) -> None:
    _, second, third, *_ = yard.backups
    for store in (yard.local, yard.offsite):
        part = next(key for key in store.objects if second in key and "archive" in key)
        del store.objects[part]
        del store.objects[f"gallery/{third}/manifest.json"]
        for key in [key for key in store.objects if yard.backups[3] in key]:
            store.objects[key.replace(yard.backups[3], "20260201T020000Z-ffffff")] = store.objects[key]
        store.objects["gallery/notes/readme.txt"] = b"somebody's"
    fates = kept(yard.prune().examined)
    assert (fates[second], fates[third]) == ([Rule.DAMAGED], [Rule.DAMAGED])
    assert fates["20260201T020000Z-ffffff"] == [Rule.DAMAGED]  # its manifest is another backup's
    assert fates["notes"] == [Rule.STRANGE]


def test_a_good_copy_in_one_store_is_a_backup_whatever_another_store_lost(yard: Yard) -> None:
    fifth = yard.backups[-1]
    for key in [key for key in yard.offsite.objects if fifth in key and "manifest" in key]:
        del yard.offsite.objects[key]
    assert kept(yard.examined())[fifth] == [Rule.NEWEST, Rule.DAILY, Rule.AT_LEAST]


def test_a_backup_that_the_ledger_never_heard_of_counts_for_nothing_and_stays(tmp_path: Path) -> None:
    yard = Yard(tmp_path)
    elsewhere = Yard(tmp_path / "elsewhere", days=7)
    yard.local.objects |= {k: v for k, v in elsewhere.local.objects.items() if elsewhere.backups[-1] in k}
    fates = kept(yard.examined())
    assert fates[elsewhere.backups[-1]] == [Rule.STRANGE, Rule.FUTURE]
    assert fates[yard.backups[-1]] == [Rule.NEWEST, Rule.DAILY, Rule.AT_LEAST]
