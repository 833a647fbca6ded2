"""Several stores: all are written and read back, one that fails loses nothing, a drill takes the first whole copy or the named one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attestore import canon, gate
from attestore.archive import LedgerFile
from attestore.errors import DiskError, StoreError, UsageError
from attestore.evidence.ledger import BackupStored
from attestore.plan import Job, make
from attestore.ports import Kept, Plain, SealedPart, Store, Tap, Towards
from attestore.report.case import Reading
from attestore.run import NamedStore, Outcome, execute
from attestore.run.checkpoints import keep_checkpoint
from attestore.run.copy import Copying, copy_missing, finish_pending
from fakes import FakeOutbox, FakeSealer, FakeStore, FakeVerifier, FakeWatcher, World


def _store(*, lies: bool = False) -> FakeStore:
    return FakeStore(rots=False, lies=lies, problems=())


def _away() -> FakeStore:
    """Answers until the first byte is put."""
    store = _store()
    store.away = True
    return store


def _ran(world: World, folder: Path, job: Job = Job.RUN, *, number: int = 1, store: str = "") -> Outcome:
    plan = make(
        job,
        run=f"20260301T020000Z-shop-00000{number}",
        system="shop",
        gates=() if job is Job.BACKUP else (gate.named("S9-PROD-003"),),
        jobs=1,
    )
    tools = world.tools(folder, making=job is not Job.DRILL, drilling=job is not Job.BACKUP)
    if tools.drilling is not None:
        tools = replace(tools, drilling=replace(tools.drilling, store=store))
    return execute(plan, tools=tools, reports=folder / "reports")


def _reading(outcome: Outcome) -> Reading:
    return Reading(outcome.finished.case.observations)


def _others(*stores: tuple[str, Store]) -> tuple[NamedStore, ...]:
    return tuple(NamedStore(name, store, off_site=name == "offsite") for name, store in stores)


def test_a_backup_is_in_every_store_and_each_was_read_back(tmp_path: Path) -> None:
    offsite = _store()
    world = World(others=_others(("offsite", offsite)))
    outcome = _ran(world, tmp_path)
    assert outcome.stopped is None
    assert offsite.objects == world.store.objects
    read = _reading(outcome)
    assert (read.number("stores.asked"), read.number("stores.verified"), read.number("stores.off_site")) == (2, 2, 1)
    assert read.number("stores.immutable") == 0
    assert read.text("fetched.from") == "local"
    assert not (tmp_path / "outbox").exists() or not list((tmp_path / "outbox").iterdir())


def test_whatever_is_sealed_travels_into_every_store_before_it_is_put(tmp_path: Path) -> None:
    offsite = _store()
    world = World(others=_others(("offsite", offsite)))
    assert _ran(world, tmp_path).stopped is None
    sealed = {key for key in world.store.objects if key.endswith(".sealed")}
    assert len(sealed) == 3
    assert world.store.travelled == offsite.travelled == sealed


def test_whatever_is_fetched_is_being_opened_meanwhile_and_from_the_copy_that_is_whole(tmp_path: Path) -> None:
    """The first store's copy is damaged: what was opened of it is nobody's."""
    offsite = _store()
    world = World(others=_others(("offsite", offsite)))
    assert _ran(world, tmp_path, Job.BACKUP).stopped is None
    key = next(key for key in world.store.objects if "archive" in key)
    world.store.objects[key] = world.store.objects[key][:-1] + b"!"
    tools = world.tools(tmp_path, making=False, drilling=True)
    sealer = FakeSealer(seals=world.seals, problems=())
    gates = (gate.named("S9-PROD-003"),)
    plan = make(Job.DRILL, run="20260301T020000Z-shop-000002", system="shop", gates=gates, jobs=1)
    outcome = execute(plan, tools=replace(tools, sealer=sealer), reports=tmp_path / "reports")
    assert outcome.stopped is None
    assert _reading(outcome).text("fetched.from") == "offsite"
    assert sorted(sealer.opened_ahead) == ["archive.sealed", "globals.sealed", "proof.sealed"]
    assert sealer.opening == {}


class _Breaking(FakeSealer):
    """Seals one part, and has no room for the next."""

    def seal(  # type: ignore[explicit-override]  # typing has no override before 3.12
        self, plain: Plain, *, role: str, into: Path, tap: Tap | None = None, towards: Towards | None = None
    ) -> SealedPart:
        if role == "globals":
            raise DiskError("there is no space left")
        return super().seal(plain, role=role, into=into, tap=tap, towards=towards)


def test_what_travelled_ahead_of_a_run_that_breaks_is_given_up(tmp_path: Path) -> None:
    world = World()
    tools = world.tools(tmp_path, making=True, drilling=False)
    tools = replace(tools, sealer=_Breaking(seals=world.seals, problems=()))
    plan = make(Job.BACKUP, run="20260301T020000Z-shop-000001", system="shop", gates=(), jobs=1)
    outcome = execute(plan, tools=tools, reports=tmp_path / "reports")
    assert isinstance(outcome.stopped, DiskError)
    assert len(world.store.heard) == 1
    assert world.store.ahead_of == {}
    assert not any("manifest" in key or ".sealed" in key for key in world.store.objects)


def test_a_lock_counts_as_long_as_it_lasts(tmp_path: Path) -> None:
    locking = _store()
    until = datetime(2027, 1, 1, tzinfo=UTC)

    locking.lock = Kept(until, "compliance")
    outcome = _ran(World(others=_others(("offsite", locking))), tmp_path)
    assert _reading(outcome).number("stores.immutable") == 1
    plain = _store()
    plain.lock = Kept(datetime(2026, 1, 1, tzinfo=UTC), "compliance")
    again = _ran(World(others=_others(("offsite", plain))), tmp_path / "again")
    assert _reading(again).number("stores.immutable") == 0


def test_a_store_that_fails_stops_the_run_and_nothing_is_lost(tmp_path: Path) -> None:
    away = _away()
    world = World(others=_others(("offsite", away)))
    outcome = _ran(world, tmp_path)
    assert isinstance(outcome.stopped, StoreError)
    assert "have the backup: local; that lack it: offsite" in outcome.stopped.message
    assert any(key.endswith("/manifest.json") for key in world.store.objects)
    assert list((tmp_path / "outbox").iterdir()), "the sealed copy waits"
    entries = LedgerFile(tmp_path / "reports").read().entries
    assert any(isinstance(each, BackupStored) for each in entries)


def test_a_store_that_is_down_before_a_backup_begins_does_not_keep_the_others_from_having_it(tmp_path: Path) -> None:
    down = FakeStore(rots=False, lies=False, problems=(StoreError("there is no such bucket"),))
    world = World(others=_others(("offsite", down)))
    outcome = _ran(world, tmp_path, Job.BACKUP)
    assert isinstance(outcome.stopped, StoreError)
    assert outcome.stopped.message.startswith("there is no such bucket; stores that have the backup: local; ")
    assert any(key.endswith("/manifest.json") for key in world.store.objects)
    assert not any(key.startswith("shop/") for key in down.objects), "what was found to be wrong is not written to"
    assert list((tmp_path / "outbox").iterdir()), "the sealed copy waits"
    read = _reading(outcome)
    assert (read.flag("store.verified", "local"), read.flag("store.verified", "offsite")) == (True, False)


def test_where_no_store_has_it_there_is_no_backup_and_the_sealed_copy_waits(tmp_path: Path) -> None:
    world = World()
    world.store = _away()
    outcome = _ran(world, tmp_path, Job.BACKUP)
    assert isinstance(outcome.stopped, StoreError)
    assert not any(isinstance(each, BackupStored) for each in LedgerFile(tmp_path / "reports").read().entries)
    waiting = list((tmp_path / "outbox").iterdir())
    assert {path.name for path in waiting[0].iterdir()} >= {"manifest.json", "manifest.json.asc", "archive.sealed"}


def _copying(world: World, folder: Path) -> Copying:
    (folder / "work").mkdir(exist_ok=True)
    return Copying(
        stores=(NamedStore("local", world.store), *world.others),
        outbox=FakeOutbox(folder / "outbox"),
        verifier=FakeVerifier(),
        roster=world.roster,
        reports=folder / "reports",
        work=folder / "work",
        clock=world.clock,
        watcher=FakeWatcher(),
    )


def test_what_waits_is_stored_when_the_store_is_back_and_enters_the_ledger(tmp_path: Path) -> None:
    away = _away()
    world = World()
    world.store = away
    _ran(world, tmp_path, Job.BACKUP)
    with pytest.raises(StoreError):
        finish_pending(_copying(world, tmp_path), system="shop")
    assert list((tmp_path / "outbox").iterdir())
    away.away = False
    (done,) = finish_pending(_copying(world, tmp_path), system="shop")
    assert done.into == ("local",)
    assert not list((tmp_path / "outbox").iterdir())
    (stored,) = [e for e in LedgerFile(tmp_path / "reports").read().entries if isinstance(e, BackupStored)]
    assert stored.backup == done.backup
    assert canon.sha256_hex(away.objects[f"shop/{done.backup}/manifest.json"]) == stored.digest
    assert _ran(world, tmp_path, Job.DRILL, number=2).stopped is None


def test_what_died_before_it_was_signed_is_removed_and_never_stored(tmp_path: Path) -> None:
    world = World()
    waiting = tmp_path / "outbox" / "20260301T020000Z-shop-000009"
    waiting.mkdir(parents=True)
    (waiting / "archive.sealed").write_bytes(b"half")
    assert finish_pending(_copying(world, tmp_path), system="shop") == ()
    assert not waiting.exists()
    assert world.store.objects == {}


def test_the_ledgers_signed_end_is_in_every_store_after_each_run(tmp_path: Path) -> None:
    world = World(others=_others(("offsite", _store())))
    _ran(world, tmp_path, Job.BACKUP)
    _ran(world, tmp_path, Job.DRILL, number=2)
    for store in (world.store, world.others[0].store):
        kept = [key for key in store.keys("_checkpoints/") if key.endswith("/checkpoint")]
        assert len(kept) == 2
        assert store.read(kept[-1], limit=1 << 16) == (tmp_path / "reports" / "checkpoint").read_bytes()
        assert store.read(f"{kept[-1]}.asc", limit=1 << 16) == (tmp_path / "reports" / "checkpoint.asc").read_bytes()


def test_a_store_that_takes_no_checkpoint_undoes_no_run(tmp_path: Path) -> None:
    world = World()
    _ran(world, tmp_path, Job.BACKUP)
    world.store.away = True
    assert _ran(world, tmp_path, Job.DRILL, number=2).stopped is None


def test_a_disk_that_takes_no_checkpoint_undoes_no_run(tmp_path: Path) -> None:
    """The last file of a run that a full disk stopped has no room either: what stopped it is what people are to read."""
    world = World()
    _ran(world, tmp_path, Job.BACKUP)
    keep_checkpoint(
        tmp_path / "reports", stores=world.tools(tmp_path).stores, work=tmp_path / "no room", watcher=world.watcher
    )
    assert "put into no store" in world.watcher.said[-1]


def test_a_new_store_gets_what_the_others_have(tmp_path: Path) -> None:
    world = World()
    _ran(world, tmp_path, Job.BACKUP)
    new = _store()
    world.others = _others(("offsite", new))
    (copied,) = copy_missing(_copying(world, tmp_path), system="shop", wanted="all")
    assert (copied.source, copied.into) == ("local", ("offsite",))
    assert new.objects == {key: data for key, data in world.store.objects.items() if key.startswith("shop/")}
    assert copy_missing(_copying(world, tmp_path), system="shop", wanted="latest") == ()
    with pytest.raises(StoreError, match="no backup 'nope'"):
        copy_missing(_copying(world, tmp_path), system="shop", wanted="nope")


def test_a_damaged_copy_is_never_spread(tmp_path: Path) -> None:
    world = World()
    _ran(world, tmp_path, Job.BACKUP)
    key = next(key for key in world.store.objects if "archive" in key)
    world.store.objects[key] = b"\0" + world.store.objects[key][1:]
    new = _store()
    world.others = _others(("offsite", new))
    with pytest.raises(Exception, match="other bytes than its signed manifest"):
        copy_missing(_copying(world, tmp_path), system="shop", wanted="latest")
    assert new.objects == {}


def test_a_drill_takes_the_first_store_that_gives_the_backup_back_whole_and_says_so(tmp_path: Path) -> None:
    world = World(others=_others(("offsite", _store())))
    _ran(world, tmp_path, Job.BACKUP)
    key = next(key for key in world.store.objects if "archive" in key)
    world.store.objects[key] = b"\0" + world.store.objects[key][1:]
    outcome = _ran(world, tmp_path, Job.DRILL, number=2)
    assert outcome.stopped is None
    read = _reading(outcome)
    assert read.text("fetched.from") == "offsite"
    assert read.number("fetched.damaged") == 1
    assert (read.number("stores.asked"), read.number("stores.verified"), read.number("stores.off_site")) == (2, 1, 1)


def test_a_named_store_is_the_only_one_that_is_asked(tmp_path: Path) -> None:
    world = World(others=_others(("offsite", _store())))
    _ran(world, tmp_path, Job.BACKUP)
    outcome = _ran(world, tmp_path, Job.DRILL, number=2, store="offsite")
    assert _reading(outcome).text("fetched.from") == "offsite"
    key = next(key for key in world.store.objects if "archive" in key)
    world.store.objects[key] = b"\0" + world.store.objects[key][1:]
    assert _ran(world, tmp_path, Job.DRILL, number=3, store="local").stopped is not None
    stopped = _ran(world, tmp_path, Job.DRILL, number=4, store="nowhere").stopped
    assert isinstance(stopped, UsageError)
    assert "local, offsite" in stopped.hint
