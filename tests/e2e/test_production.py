"""The life of a system in production, by one configuration: two stores, one of them a locked bucket over HTTP.

Backups, a drill from the bucket, pruning against the lock, the loss of the first store, and a recovery from what is left.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from attestore.adapters.postgres.cluster import Connection
from clusters import running_server
from endpoints import Endpoint, endpoint
from programme import Desk, at_desk

SCHEMA = """
CREATE TABLE words (id int PRIMARY KEY, word text NOT NULL);
INSERT INTO words SELECT n, 'word ' || n FROM generate_series(1, 300) n;
"""


@dataclass(frozen=True)
class Site:
    desk: Desk
    source: Connection
    there: Connection
    service: Endpoint
    bucket: str

    def do(self, *arguments: str, code: int = 0) -> Any:
        ran = self.desk.attestore(*arguments, environment=self.service.environment)
        assert self.service.secret_access_key not in ran.out + ran.err
        assert ran.code == code, ran.out + ran.err
        return json.loads(ran.out) if "--json" in arguments else ran.out

    def keys(self, backup: str) -> list[str]:
        """Objects of a backup in the bucket."""
        listed = self.service.client().list_objects_v2(Bucket=self.bucket)
        return [each["Key"] for each in listed.get("Contents", []) if f"/{backup}/" in each["Key"]]

    def unlock(self, backup: str) -> None:
        """What an administrator may do under governance, and the passing of time under compliance."""
        client = self.service.client()
        past = datetime.now(UTC) - timedelta(days=1)
        for key in self.keys(backup):
            client.put_object_retention(
                Bucket=self.bucket,
                Key=key,
                Retention={"Mode": "GOVERNANCE", "RetainUntilDate": past},
                BypassGovernanceRetention=True,
            )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    folder = tmp_path / "endpoint"
    folder.mkdir()
    with endpoint(folder) as service, running_server() as source, running_server() as there, at_desk(tmp_path) as desk:
        bucket = service.bucket(locked=True)
        with source.connect() as session:
            session.execute(SCHEMA.encode())
        with there.on("postgres").connect() as session:
            session.execute("DROP DATABASE app")
        (desk.folder / "attestore.yaml").write_text(f"""\
attestore: 1
stores:
  near: {{kind: directory, path: near}}
  vault:
    {{kind: s3, bucket: {bucket}, prefix: backups/, endpoint: "{service.url}", region: us-east-1, profile: minio,
     access_key_id: "env:AWS_ACCESS_KEY_ID", secret_access_key: "env:AWS_SECRET_ACCESS_KEY", off_site: true,
     lock: {{mode: governance, for: 1h}}}}
systems:
  words:
    source: "{source.conninfo}"
    stores: [near, vault]
    gates: [S9-PROD-004]
    retention: {{at_least: 1}}
metrics: {{textfile: attestore.prom}}
""")
        yield Site(desk, source, there.on("postgres"), service, bucket)


def test_backup_drill_prune_and_restore_on_a_locked_bucket_and_a_second_store(site: Site) -> None:
    first = site.do("backup", "--json")["backup"]
    second = site.do("backup", "--json")["backup"]
    assert site.keys(first)
    assert site.keys(second)
    assert (site.desk.folder / "near" / "words" / second / "manifest.json").exists()

    drilled = site.do("drill", "--from", "vault", "--json")
    assert (drilled["outcome"], drilled["backup"]) == ("PASS", second)

    # the lock keeps what no rule keeps, in the other store too; the newest was proved
    fates = {each["backup"]: each for each in site.do("prune", "--dry-run", "--json")["backups"]}
    assert fates[first]["fate"] == "keep"
    assert "lock" in json.dumps(fates[first]["reasons"])
    site.do("prune")
    assert site.keys(first)

    site.unlock(first)
    site.do("prune")
    assert not site.keys(first)
    assert not (site.desk.folder / "near" / "words" / first).exists()
    assert site.keys(second)
    assert "backup.deleted" in (site.desk.reports / "ledger.jsonl").read_text()
    assert "problem" not in site.do("audit").lower().replace("0 problems", "").replace("no problem", "")

    told = (site.desk.folder / "attestore.prom").read_text()
    assert 'attestore_store_backups{store="vault",system="words"} 1.0' in told
    assert 'attestore_store_backups{store="near",system="words"} 1.0' in told

    # the near store burns, the source is gone
    shutil.rmtree(site.desk.folder / "near")
    recovered = site.do(
        "restore", "--store", f"s3://{site.bucket}/backups?endpoint={site.service.url}&region=us-east-1&profile=minio",
        "--system", "words", "--into", site.there.conninfo, "--json",
    )  # fmt: skip
    assert recovered["result"] == "EQUAL"
    with site.there.on(recovered["target"]["database"]).connect() as session:
        assert session.execute("SELECT count(*), min(word) FROM words").fetchall() == [(300, "word 1")]
