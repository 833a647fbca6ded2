"""Prune on real stores: a folder and a bucket lose a backup together, what is locked or in use stays, and the audit is content."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from attestore.adapters.directory_store import DirectoryStore
from attestore.adapters.postgres.cluster import Connection
from attestore.archive import using
from attestore.config.retention import Policy
from attestore.ports import Signed, Store
from attestore.retention import Kept, Rule
from attestore.run.prune import examine, prune
from badnet import bad_network
from clusters import MAJORS, running_server
from endpoints import MINUTE, Endpoint
from fakes import FINGERPRINT, FakeSigner
from programme import Desk, at_desk
from yard import Yard

POLICY = Policy(daily=2, at_least=1)


@pytest.fixture(scope="module")
def server() -> Iterator[Connection]:
    with running_server(MAJORS[-1]) as running:
        with running.connect() as session:
            session.execute("CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 200) i")
        yield running


@pytest.fixture
def desk(tmp_path: Path, server: Connection, s3_endpoint: Endpoint) -> Iterator[tuple[Desk, str]]:
    """A system with two backups in a folder and in a bucket that keeps versions."""
    bucket = s3_endpoint.bucket(versioned=True)
    with at_desk(tmp_path) as place:
        place.environment = {**place.environment, **s3_endpoint.environment}
        (place.folder / "attestore.yaml").write_text(
            "attestore: 1\n"
            "stores:\n"
            "  here: {kind: directory, path: backups}\n"
            f'  offsite: {{kind: s3, bucket: {bucket}, prefix: shop/, endpoint: "{s3_endpoint.url}", profile: minio,\n'
            '            access_key_id: "env:AWS_ACCESS_KEY_ID", secret_access_key: "env:AWS_SECRET_ACCESS_KEY"}\n'
            "systems:\n"
            f"  shop: {{source: '{server.conninfo}', retention: {{daily: 1}}, gates: []}}\n"
        )
        for _ in range(2):
            done = place.attestore("backup")
            assert done.code == 0, done.err
        yield place, bucket


def versions(endpoint: Endpoint, bucket: str) -> list[str]:
    found: dict[str, Any] = endpoint.client().list_object_versions(Bucket=bucket)
    return [each["Key"] for name in ("Versions", "DeleteMarkers") for each in found.get(name, [])]


def test_what_no_rule_keeps_goes_from_the_folder_and_every_version_from_the_bucket(
    desk: tuple[Desk, str], s3_endpoint: Endpoint
) -> None:
    place, bucket = desk
    listed = place.attestore("list", "--policy")
    assert listed.out.count("  stays: the newest · day ") == 2, listed.out + listed.err
    assert listed.out.count("  goes: day ") == 2
    looked = place.attestore("prune", "--dry-run", "--json")
    newest, older = (each["backup"] for each in looked.result["backups"])
    assert [each["fate"] for each in looked.result["backups"]] == ["keep", "drop"]

    with using(place.reports, "shop", older):
        held = place.attestore("prune")
    assert held.code == 0, held.err
    assert f"{older}: in use by a process of this machine" in held.out
    assert len([key for key in versions(s3_endpoint, bucket) if older in key]) == 5

    pruned = place.attestore("prune", "--json")
    assert pruned.code == 0, pruned.err
    (gone,) = pruned.result["deleted"]
    assert (gone["backup"], gone["stores"]) == (older, ["here", "offsite"])
    left = versions(s3_endpoint, bucket)
    assert [key for key in left if older in key] == [], "no version, no delete marker"
    assert len([key for key in left if newest in key]) == 5
    assert [path.name for path in (place.folder / "backups" / "shop").iterdir()] == [newest]

    audited = place.attestore("audit", "reports")
    assert audited.code == 0, audited.out
    assert "by the policy daily 1, at least 1, by the calendar of UTC" in " ".join(audited.out.split())


def test_a_prune_killed_between_two_deletions_is_ended_by_the_next(
    desk: tuple[Desk, str], s3_endpoint: Endpoint
) -> None:
    """The folder has lost its manifest and the bucket lists its own still when the programme dies."""
    place, bucket = desk
    newest, older = (each["backup"] for each in place.attestore("prune", "--dry-run", "--json").result["backups"])
    file = place.folder / "attestore.yaml"
    straight = file.read_text()
    with bad_network(s3_endpoint.url) as network:
        file.write_text(straight.replace(s3_endpoint.url, network.url))
        network.keeps_manifests = True
        killed = place.killed("prune", when=network.stuck)
    file.write_text(straight)
    assert killed == -signal.SIGKILL
    here = place.folder / "backups" / "shop" / older
    assert here.is_dir()
    assert not (here / "manifest.json").exists()
    assert any(key.endswith(f"{older}/manifest.json") for key in versions(s3_endpoint, bucket))

    audited = place.attestore("audit", "reports")
    assert audited.code == 0, audited.out
    ended = place.attestore("prune", "--json")
    assert ended.code == 0, ended.err
    (gone,) = ended.result["deleted"]
    assert (gone["backup"], gone["stores"]) == (older, ["here", "offsite"])
    assert [key for key in versions(s3_endpoint, bucket) if older in key] == []
    assert [path.name for path in (place.folder / "backups" / "shop").iterdir()] == [newest]
    assert place.attestore("audit", "reports").code == 0


def test_a_version_that_the_bucket_has_locked_keeps_every_copy(tmp_path: Path, s3_endpoint: Endpoint) -> None:
    yard = Yard(tmp_path / "yard", days=4)
    folder = DirectoryStore(tmp_path / "store")
    locked = s3_endpoint.store(s3_endpoint.bucket(locked=True), lock=MINUTE)
    plain = s3_endpoint.store(s3_endpoint.bucket(versioned=True))
    second = yard.backups[1]
    for store, backups in ((folder, yard.backups), (plain, yard.backups), (locked, [second])):
        _filled(
            store, {key: data for key, data in yard.local.objects.items() if key.split("/")[1] in backups}, tmp_path
        )
    doors = replace(yard.pruning(POLICY), stores={"here": folder, "offsite": plain, "immutable": locked})
    fates = {fate.backup.backup: fate for fate in examine(doors).fates}
    assert isinstance(fates[second], Kept)
    assert [reason.rule for reason in fates[second].reasons] == [Rule.LOCKED]
    assert fates[second].reasons[0].words.startswith("locked: immutable, until ")
    done = prune(doors, signer=FakeSigner(FINGERPRINT), by=FINGERPRINT)
    assert (done.removed, done.failed) == ((), ())
    assert len(plain.keys(f"gallery/{second}/")) == len(folder.keys(f"gallery/{second}/")) == 5
    unlocked = replace(doors, stores={"here": folder, "offsite": plain})
    assert [each.backup for each in prune(unlocked, signer=FakeSigner(FINGERPRINT), by=FINGERPRINT).removed] == [second]


def _filled(store: Store, objects: dict[str, bytes], folder: Path) -> None:
    for key, data in objects.items():
        path = folder / "object"
        path.write_bytes(data)
        store.put(key, Signed(path))
