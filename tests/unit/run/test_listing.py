"""What a store holds, told without a private key: who sealed, who signed, what is wrong, when it was last proved."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from typing_extensions import override

from attestore import gate, plan, resources
from attestore.archive import LedgerFile
from attestore.errors import DiskError
from attestore.evidence import journal
from attestore.evidence.ledger import RunFinished
from attestore.plan import Job
from attestore.run import execute
from attestore.run.listing import Listed, Listing, list_backups
from fakes import FINGERPRINT, STRANGER, FakeVerifier, FakeWatcher, World

GATES = tuple(gate.read(resources.gates_folder() / f"{name}.yaml") for name in ("S9-PROD-003", "S9-PROD-004"))


def ran(world: World, folder: Path, job: Job = Job.RUN, *, number: int = 1) -> None:
    gates = () if job is Job.BACKUP else GATES
    chosen = plan.make(job, run=f"20260301T02000{number}Z-gallery-00000{number}", system="gallery", gates=gates, jobs=2)
    tools = world.tools(folder, making=job is not Job.DRILL, drilling=job is not Job.BACKUP)
    execute(chosen, tools=tools, reports=folder / "reports")


def listed(world: World, folder: Path, *, system: str = "") -> tuple[Listed, ...]:
    doors = Listing(
        store=world.store, verifier=FakeVerifier(), roster=world.roster, reports=folder / "reports", work=folder
    )
    return list_backups(doors, system=system)


def test_a_backup_that_was_only_taken_was_never_proved(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    (only,) = listed(world, tmp_path)
    assert only.manifest is not None
    assert (only.system, only.signer, only.flaws, only.drilled) == ("gallery", FINGERPRINT, (), None)
    assert only.manifest.recipients == ("C" * 40,)
    assert only.stored > sum(part.size for part in only.manifest.parts)
    assert only.digest == only.manifest.digest
    assert only.age_ms(world.clock.now()) is not None


def test_the_newest_drill_tells_what_a_backup_is_worth(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path)
    (proved,) = listed(world, tmp_path)
    assert proved.drilled is not None
    assert (proved.drilled.run, proved.drilled.outcome) == ("20260301T020001Z-gallery-000001", "PASS")
    world.loses_row = True
    ran(world, tmp_path, Job.DRILL, number=2)
    (failed,) = listed(world, tmp_path)
    assert failed.drilled is not None
    assert (failed.drilled.run, failed.drilled.outcome) == ("20260301T020002Z-gallery-000002", "FAIL")


def test_a_pass_that_is_entered_again_does_not_take_the_place_of_a_later_failure(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path)
    world.loses_row = True
    ran(world, tmp_path, Job.DRILL, number=2)
    file = LedgerFile(tmp_path / "reports")
    passed = next(each for each in file.read().entries if isinstance(each, RunFinished))
    file.append(passed)
    (failed,) = listed(world, tmp_path)
    assert failed.drilled is not None
    assert (failed.drilled.outcome, failed.proved) == ("FAIL", None)


class Counting(FakeVerifier):
    """Knows what it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    @override
    def verify(self, signature: bytes, data: Path) -> str:
        self.asked.append(signature)
        return super().verify(signature, data)


def test_a_signature_that_several_stores_hold_is_verified_once_and_another_one_by_itself(tmp_path: Path) -> None:
    """What held is known by every byte of signature and manifest; what did not hold is asked again."""
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    counting = Counting()
    doors = Listing(world.store, counting, world.roster, tmp_path / "reports", tmp_path)
    first, again = list_backups(doors), list_backups(doors)
    assert (first, len(counting.asked)) == (again, 1)
    (key,) = (key for key in world.store.objects if key.endswith("manifest.json.asc"))
    world.store.objects[key] = world.store.objects[key].strip() + b"0"
    for expected in (2, 3):
        (altered,) = list_backups(doors)
        assert (altered.signer, len(counting.asked)) == ("", expected)


def test_only_drills_of_what_is_stored_are_looked_into_and_none_before_one_that_decides(tmp_path: Path) -> None:
    """Counted in journals that are read, the same every time: ten thousand runs leave ten thousand bundles."""
    world = World()
    ran(world, tmp_path)

    def journals(look: Callable[[], object]) -> int:
        count = 0

        def call(frame: FrameType, event: str, _: object) -> None:
            nonlocal count
            code = frame.f_code
            count += event == "call" and (code.co_filename, code.co_name) == (journal.__file__, "read")

        before = sys.getprofile()
        sys.setprofile(call)
        try:
            look()
        finally:
            sys.setprofile(before)
        return count

    for number in (2, 3):
        ran(world, tmp_path, Job.DRILL, number=number)
    assert journals(lambda: listed(world, tmp_path)) == 1
    (only,) = listed(world, tmp_path)
    assert only.drilled is not None
    assert only.drilled.run.endswith("000003")
    assert only.proved == only.drilled
    world.store.objects.clear()
    assert journals(lambda: listed(world, tmp_path)) == 0


@pytest.mark.parametrize("exchanged", [(), ("journal.jsonl",), ("journal.jsonl", "statement.json")], ids=len)
def test_a_restore_that_stopped_proves_nothing_whatever_evidence_is_put_in_its_place(
    tmp_path: Path, exchanged: tuple[str, ...]
) -> None:
    """The stopped run's own ledger entry names its statement, and that the journal."""
    world = World()
    ran(world, tmp_path)
    world.watcher = FakeWatcher(breaks_in="control", error=DiskError("No space left on device"))
    ran(world, tmp_path, Job.DRILL, number=2)
    good, stopped = sorted(path for path in (tmp_path / "reports").iterdir() if path.is_dir())
    for name in exchanged:
        (stopped / name).chmod(0o600)
        (stopped / name).write_bytes((good / name).read_bytes())
    (only,) = listed(world, tmp_path)
    assert only.drilled is not None
    assert only.drilled.run == good.name


def test_a_manifest_that_was_exchanged_loses_signature_and_proof(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path)
    key = next(key for key in world.store.objects if key.endswith("manifest.json"))
    world.store.objects[key] = world.store.objects[key].replace(b'"database":"gallery"', b'"database":"gallerz"')
    (only,) = listed(world, tmp_path)
    assert (only.signer, only.drilled) == ("", None)
    assert "does not fit" in only.flaws[0]


def test_a_stranger_s_signature_is_told(tmp_path: Path) -> None:
    world = World(signer=STRANGER)
    ran(world, tmp_path, Job.BACKUP)
    (only,) = listed(world, tmp_path)
    assert only.signer == ""
    assert f"signed by {STRANGER}, who is no operator" in only.flaws[0]


@pytest.mark.parametrize("damage", ["missing", "longer"])
def test_a_part_that_is_missing_or_of_another_size_is_named(tmp_path: Path, damage: str) -> None:
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    key = next(key for key in world.store.objects if "archive" in key)
    if damage == "missing":
        del world.store.objects[key]
    else:
        world.store.objects[key] += b"!"
    (only,) = listed(world, tmp_path)
    (flaw,) = only.flaws
    assert flaw.startswith(key.rpartition("/")[2])
    assert ("is missing" in flaw) == (damage == "missing")


def test_parts_without_a_manifest_are_no_backup(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    for key in [key for key in world.store.objects if "manifest" in key]:
        del world.store.objects[key]
    (only,) = listed(world, tmp_path)
    assert only.manifest is None
    assert only.flaws == ("incomplete: 3 objects without a manifest, so it is no backup",)
    assert only.age_ms(world.clock.now()) is None


def test_the_newest_stands_first_and_a_system_sees_its_own(tmp_path: Path) -> None:
    world = World()
    ran(world, tmp_path, Job.BACKUP)
    (first,) = listed(world, tmp_path)
    for key, data in list(world.store.objects.items()):
        world.store.objects[key.replace(first.backup, "99991231T000000Z-ffffff").replace("gallery/", "other/")] = data
    both = listed(world, tmp_path)
    assert [each.system for each in both] == ["other", "gallery"]
    assert f"its manifest is of backup {first.backup} of gallery" in both[0].flaws
    assert [each.backup for each in listed(world, tmp_path, system="gallery")] == [first.backup]
