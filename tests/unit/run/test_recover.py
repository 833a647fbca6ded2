"""A recovery in a world in memory: the order of its steps, what it refuses, and what it never does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attestore import plan
from attestore.errors import (
    Error,
    InterruptedRunError,
    PlanError,
    PreflightError,
    StoreError,
    TamperedError,
    UsageError,
)
from attestore.evidence import Locale
from attestore.facts import RTO_PHASES
from attestore.plan import Job
from attestore.ports import Inspected, Look, Place, Restored, SourceFacts, Standing
from attestore.run import Recovery, Rescue, Result, Tools, Wanted, execute, recover, survey
from attestore.run.recorded import recorded
from fakes import FINGERPRINT, STRANGER, FakeTarget, World

WANTED = Wanted(backup="latest", system="", jobs=2)


class FakeRecovered:
    """The database that people wait for; there is nothing here that tries, plants or drops."""

    def __init__(self, world: World) -> None:
        self._inner = FakeTarget(world)
        self._made = False
        self.version = self._inner.version
        self.identifier = self._inner.identifier
        self.durable = True
        self.settings: Mapping[str, str] = {}
        self.empty = self._inner.empty
        self.restore = self._inner.restore
        self.finalize = self._inner.finalize
        self.first_query = self._inner.first_query
        self.prove = self._inner.prove

    @property
    def standing(self) -> Standing:
        return Standing(database="gallery" if self._made else "", made=True, roles=("keeper",) if self._made else ())

    def create(self, world: bytes) -> Restored:
        self._made = True
        return self._inner.create(world)

    def size(self) -> int:
        return 1


class FakeLanding:
    """A server in memory; `problem` stands in the way."""

    label = "memory"
    version = "pg_restore 18.0"

    def __init__(self, world: World, *, problem: Error | None = None) -> None:
        self._world = world
        self._problem = problem
        self.seen: list[tuple[bytes | None, int]] = []
        self.started = 0

    def place(self, database: str) -> tuple[str, Place]:
        return database, Place.NEW

    def looks(self, facts: SourceFacts, *, world: bytes | None, tables: Sequence[tuple[str, str]]) -> tuple[Look, ...]:
        assert facts.database == "gallery"
        self.seen.append((world, len(tables)))
        return (Look("target", "fit", "memory", () if self._problem is None else (self._problem,)),)

    @contextmanager
    def start(self, locale: Locale, *, database: str) -> Iterator[FakeRecovered]:
        assert (locale.encoding, database) == ("UTF8", "gallery")
        self.started += 1
        yield FakeRecovered(self._world)


class Verifier:
    """A signature with times."""

    def __init__(self, tools: Tools, *, expires: datetime | None = None, revoked: datetime | None = None) -> None:
        self._inner = tools.verifier
        self._expires = expires
        self._revoked = revoked

    def verify(self, signature: bytes, data: Path) -> str:
        return self._inner.verify(signature, data)

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        return replace(self._inner.inspect(signature, data), expires=self._expires, revoked=self._revoked)


def backed_up(world: World, folder: Path) -> Tools:
    tools = world.tools(folder, drilling=False)
    run = "20260301T020000Z-gallery-000001"
    execute(plan.make(Job.BACKUP, run=run, system="gallery", gates=(), jobs=2), tools=tools, reports=folder / "reports")
    return world.tools(folder)


def rescue(world: World, tools: Tools, landing: FakeLanding, **changes: object) -> Rescue:
    doors = Rescue(
        clock=world.clock,
        workspace=tools.workspace,
        sealer=tools.sealer,
        store=world.store,
        verifier=tools.verifier,
        trusted={FINGERPRINT: "Olga Operator"},
        watcher=world.watcher,
        landing=lambda _: landing,
        settle=lambda: None,
        opens=lambda _: (),
    )
    return replace(doors, **changes)  # type: ignore[arg-type]  # fields by name


def recovered(
    world: World, folder: Path, *, wanted: Wanted = WANTED, spoil: Callable[[], None] | None = None
) -> Recovery:
    tools = backed_up(world, folder)
    if spoil is not None:
        spoil()
    doors = rescue(world, tools, FakeLanding(world))
    return recover(survey(wanted, tools=doors), wanted=wanted, tools=doors)


def test_it_goes_the_drills_way_and_compares_and_nothing_else(tmp_path: Path) -> None:
    world = World()
    done = recovered(world, tmp_path)
    assert (done.result, done.stopped) == (Result.EQUAL, None)
    phases = world.watcher.phases
    assert phases[phases.index("survey") :] == ["survey", *RTO_PHASES, "verify"]
    assert done.standing == Standing(database="gallery", made=True, roles=("keeper",))
    told = recorded(done, store="memory", versions={}, host="memory")
    assert sum(took for _, took in told.phases) == told.rto
    assert "is what was backed up" in told.verdict[0]


def test_what_is_lost_on_the_way_is_named(tmp_path: Path) -> None:
    done = recovered(World(loses_row=True), tmp_path)
    assert done.result is Result.DIFFERENT
    told = recorded(done, store="memory", versions={}, host="memory")
    assert [each.kind for each in told.differences] == ["table"]
    assert told.result == "DIFFERENT"


def test_whatever_stands_in_the_way_is_told_at_once_and_nothing_is_made(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    landing = FakeLanding(world, problem=PlanError("the target is not empty"))
    locked = StoreError("the key is another one")
    doors = rescue(world, tools, landing, opens=lambda _: (locked,))
    surveyed = survey(WANTED, tools=doors)
    with pytest.raises(PreflightError) as refused:
        recover(surveyed, wanted=WANTED, tools=doors)
    assert [each.message for each in refused.value.problems] == ["the key is another one", "the target is not empty"]
    assert landing.started == 0
    # without the key nothing was opened, so nothing is known of roles and tables
    assert landing.seen == [(None, 0)]


def test_the_survey_opens_the_small_parts_and_leaves_nothing_behind(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    landing = FakeLanding(world)
    surveyed = survey(replace(WANTED, deep=True), tools=rescue(world, tools, landing))
    assert surveyed.problems == ()
    assert landing.seen == [(b"{}", len(world.tables))]
    assert [path.name for path in tools.workspace.path.iterdir()] == ["logs"]


def test_a_part_that_is_missing_or_short_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    (archive,) = (key for key in world.store.objects if "archive" in key)
    world.store.objects[archive] = world.store.objects[archive][:-1]
    (proof_part,) = (key for key in world.store.objects if "/proof" in key)
    del world.store.objects[proof_part]
    problems = survey(WANTED, tools=rescue(world, tools, FakeLanding(world))).problems
    assert [type(each) for each in problems] == [TamperedError, StoreError]


def test_a_flipped_bit_stops_it_and_it_says_that_nothing_was_made(tmp_path: Path) -> None:
    world = World(stored_rots=True)
    done = recovered(world, tmp_path)
    assert done.result is Result.STOPPED
    assert isinstance(done.stopped, TamperedError)
    told = recorded(done, store="memory", versions={}, host="memory")
    assert told.database == ""
    (made,) = (sentence for sentence in told.verdict if "Nothing was made" in sentence)
    assert "restore another backup" in made, "the same command would come to the same"
    assert "same command" not in made


@pytest.mark.parametrize("phase", ["schema", "data", "indexes", "finalize", "verify"])
def test_whoever_stops_it_is_told_what_stands(tmp_path: Path, phase: str) -> None:
    done = recovered(World(breaks_in=phase, error=InterruptedRunError("SIGINT stopped the run")), tmp_path)
    assert (done.result, done.phase) == (Result.STOPPED, phase)
    told = recorded(done, store="memory", versions={}, host="memory")
    assert "gallery is left for you" in " ".join(told.verdict)
    assert "DROP DATABASE" in " ".join(told.verdict)


def test_a_stranger_an_unsigned_one_and_a_revoked_key_are_refused_unless_that_is_said(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    landing = FakeLanding(world)
    day = datetime(2026, 2, 1, tzinfo=UTC)
    for changes, kind in (
        ({"trusted": {STRANGER: "somebody"}}, TamperedError),
        ({"verifier": None}, UsageError),
        ({"verifier": Verifier(tools, revoked=day)}, TamperedError),
    ):
        doors = rescue(world, tools, landing, **changes)
        surveyed = survey(WANTED, tools=doors)
        assert [type(each) for each in surveyed.problems] == [kind]
        with pytest.raises(kind):
            recover(surveyed, wanted=WANTED, tools=doors)
        said = replace(WANTED, unauthenticated=True)
        surveyed = survey(said, tools=doors)
        assert (surveyed.problems, surveyed.vouched) == ((), "")
        assert surveyed.doubt
    assert landing.started == 0


def test_a_key_that_expired_since_keeps_nobody_from_their_data(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    doors = rescue(world, tools, FakeLanding(world), verifier=Verifier(tools, expires=datetime(2026, 2, 1, tzinfo=UTC)))
    surveyed = survey(WANTED, tools=doors)
    assert surveyed.problems == ()
    assert "has expired since" in surveyed.vouched


def test_which_backup_is_meant_is_never_guessed(tmp_path: Path) -> None:
    world = World()
    tools = backed_up(world, tmp_path)
    doors = rescue(world, tools, FakeLanding(world))
    (problem,) = survey(replace(WANTED, backup="yesterday"), tools=doors).problems
    assert "holds no backup 'yesterday' of gallery" in problem.message
    (problem,) = survey(replace(WANTED, system="elsewhere"), tools=doors).problems
    assert "holds no backup of elsewhere" in problem.message
    key = next(key for key in world.store.objects if key.endswith("manifest.json"))
    world.store.objects[key.replace("gallery/", "other/")] = world.store.objects[key]
    (problem,) = survey(WANTED, tools=doors).problems
    assert "2 systems: gallery, other" in problem.message
    assert survey(replace(WANTED, system="gallery"), tools=doors).problems == ()
    # a manifest under another system's name is not that system's backup
    (problem,) = survey(replace(WANTED, system="other"), tools=doors).problems
    assert isinstance(problem, TamperedError)
