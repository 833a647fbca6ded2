"""A system with a backup of each day in two stores, which die, refuse or lock where a test says."""

from __future__ import annotations

import atexit
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from attestore import canon, gate, instants, plan, resources
from attestore.archive import LedgerFile
from attestore.config.retention import Policy
from attestore.evidence import manifest
from attestore.evidence.ledger import BackupDeleted, BackupStored
from attestore.plan import Job
from attestore.ports import Kept as Lock
from attestore.run import execute
from attestore.run.prune import Examined, Pruned, Pruning, examine, prune
from fakes import FINGERPRINT, FakeSigner, FakeStore, FakeVerifier, World

__all__ = ["FIRST", "GATES", "POLICY", "Died", "Frail", "Yard"]

GATES = tuple(gate.read(resources.gates_folder() / f"{name}.yaml") for name in ("S9-PROD-003", "S9-PROD-004"))
RUN = "20260301T020000Z-gallery-000001"
FIRST = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
POLICY = Policy(daily=2, at_least=1)


class Died(BaseException):
    """Nobody catches it: as if the process had been killed."""


class Frail(FakeStore):
    """A store that dies, or refuses, at the n-th deletion."""

    def __init__(self) -> None:
        super().__init__(rots=False, lies=False, problems=())
        self.left = 10**9
        self.end: BaseException = Died()

        self.meanwhile: Callable[[str, str], None] = lambda _, __: None
        """what happens elsewhere just before a step on a key is done"""

    def delete(self, key: str) -> bool:  # type: ignore[explicit-override]  # typing has no override before 3.12
        self.meanwhile("delete", key)
        if self.left <= 0:
            raise self.end
        self.left -= 1
        return super().delete(key)

    def keys(self, prefix: str) -> tuple[str, ...]:  # type: ignore[explicit-override]  # typing has no override before 3.12
        self.meanwhile("keys", prefix)
        return super().keys(prefix)

    def kept(self, key: str) -> Lock:  # type: ignore[explicit-override]  # typing has no override before 3.12
        self.meanwhile("kept", key)
        return super().kept(key)


@cache
def _template() -> tuple[Path, Mapping[str, bytes]]:
    """The reports of one run that passed, and what it stored; made once, copied by every test."""
    folder = Path(mkdtemp(prefix="attestore-tests-prune-"))
    atexit.register(shutil.rmtree, folder)
    world = World()
    chosen = plan.make(Job.RUN, run=RUN, system="gallery", gates=GATES, jobs=2)
    execute(chosen, tools=world.tools(folder), reports=folder / "reports")
    return folder / "reports", dict(world.store.objects)


def _first_run(folder: Path) -> Mapping[str, bytes]:
    reports, objects = _template()
    shutil.copytree(reports, folder / "reports")
    return objects


@dataclass
class Yard:
    """A system with a good backup of each day, in two stores, known to the ledger; the first was drilled and passed."""

    folder: Path
    days: int = 5
    world: World = field(default_factory=World)
    local: Frail = field(default_factory=Frail)
    offsite: Frail = field(default_factory=Frail)
    backups: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        objects = _first_run(self.folder)
        first = next(key.split("/")[1] for key in objects if key.endswith("manifest.json"))
        self.backups.append(first)
        self._put(objects)
        known = manifest.decode(objects[f"gallery/{first}/manifest.json"])
        for day in range(1, self.days):
            taken = FIRST + timedelta(days=day)
            listing = replace(known, backup=f"{instants.compact(taken)}-00000{day + 1}", taken=instants.text(taken))
            data = manifest.encode(listing)
            self._put(
                {
                    **{f"gallery/{listing.backup}/{part.name}": b"x" * part.size for part in listing.parts},
                    f"gallery/{listing.backup}/manifest.json": data,
                    f"gallery/{listing.backup}/manifest.json.asc": f"{FINGERPRINT} {canon.sha256_hex(data)}\n".encode(),
                }
            )
            at = instants.text(taken + timedelta(minutes=5))
            self.ledger.append(BackupStored(at, listing.backup, "gallery", listing.digest, RUN))
            self.backups.append(listing.backup)
        self.world.clock.start = FIRST + timedelta(days=self.days)

    def _put(self, objects: Mapping[str, bytes]) -> None:
        for store in (self.local, self.offsite):
            store.objects.update(objects)

    @property
    def reports(self) -> Path:
        return self.folder / "reports"

    @property
    def ledger(self) -> LedgerFile:
        return LedgerFile(self.reports)

    def pruning(self, policy: Policy = POLICY) -> Pruning:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        return Pruning(
            stores={"local": self.local, "offsite": self.offsite},
            verifier=FakeVerifier(),
            roster=self.world.roster,
            reports=self.reports,
            work=work,
            clock=self.world.clock,
            system="gallery",
            policy=policy,
        )

    def examined(self, policy: Policy = POLICY) -> Examined:
        return examine(self.pruning(policy))

    def prune(self, policy: Policy = POLICY) -> Pruned:
        return prune(self.pruning(policy), signer=FakeSigner(FINGERPRINT), by=FINGERPRINT)

    def held(self, store: FakeStore) -> set[str]:
        """The backups of which a store still has something."""
        return {key.split("/")[1] for key in store.objects if not key.startswith("_")}

    def deletions(self) -> list[BackupDeleted]:
        return [entry for entry in self.ledger.read().entries if isinstance(entry, BackupDeleted)]
