"""Canary secrets of one real backup and one real, failing run are in no output, whatever form they could have taken."""

from __future__ import annotations

import base64
import json
import os
import secrets
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from canaries import Seen, forms, leaks, unpacked, watching_processes
from clusters import running_server
from endpoints import Endpoint
from programme import Desk, Ran, at_desk

FORMATS = ("dsse", "oscal", "junit", "csv")
TOKEN = secrets.token_hex(6)
PASSWORD = f"Pw+/={TOKEN}?ünd%41"
NATURAL_KEY = f"key-{TOKEN}@example.org"
ROW = f"row {TOKEN} <&> 'quoted' Ж"
PASSPHRASE = f"opens {TOKEN} ü"
REFUSED_ROW = f"refused-{TOKEN}"
GATE = """\
gate: CANARY-1
title: Canaries
statement: Rows stay where they are.
severity: blocking
checks:
  - {id: rows, fact: tables.rows.differing, must: "== 0", of: tables.compared}
probes:
  - {id: people, title: People, sql: "SELECT mail, said FROM public.person ORDER BY mail", rows: ">= 1"}
"""
CONFIGURATION = """\
attestore: 1
keys: {{passphrase: "file:unlocks"}}
stores:
  near: {{kind: directory, path: .attestore/store}}
  far: {{kind: s3, bucket: {bucket}, endpoint: "{url}", region: us-east-1, access_key_id: "env:S3_ID", secret_access_key: "file:s3"}}
systems:
  shop: {{source: "{host}", gates: [./gate.yaml]}}
"""


@dataclass(frozen=True)
class Scene:
    """What two commands were given, and all that they left."""

    desk: Desk
    ran: tuple[Ran, ...]
    seen: Seen
    log: bytes
    secrets: Mapping[str, bytes]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, s3_endpoint: Endpoint) -> Iterator[Scene]:
    """A backup with the password in a passfile, then a run with it in the environment, that fails on a row.

    Keys are locked, a bucket is the second store, and what the run says on standard error is for programmes.
    """
    with at_desk(tmp_path_factory.mktemp("desk"), keys=False) as desk, running_server(logging_collector="on") as server:
        with server.connect() as session:
            session.execute("CREATE TABLE person (mail text PRIMARY KEY, said text)")
            session.execute("INSERT INTO person VALUES (%s, %s), ('x', 'y')", (NATURAL_KEY, ROW))
            # holds here and nowhere else: the restore is refused this row, and PostgreSQL quotes it
            session.execute(
                "CREATE FUNCTION at_home() RETURNS bool LANGUAGE sql AS $$ SELECT current_database() = 'app' $$;"
                "CREATE TABLE vault (id int PRIMARY KEY, secret text, CHECK (at_home()))"
            )
            session.execute("INSERT INTO vault VALUES (1, %s)", (REFUSED_ROW,))
            session.execute(sql.SQL("CREATE ROLE canary SUPERUSER LOGIN PASSWORD {}").format(sql.Literal(PASSWORD)))
        logs = server.host.parent / "data" / "log"
        before = {path: path.stat().st_size for path in logs.iterdir()}
        (desk.folder / "gate.yaml").write_text(GATE)
        (desk.folder / "unlocks").write_text(PASSPHRASE)
        (desk.folder / "s3").write_text(s3_endpoint.secret_access_key)
        desk.environment = {"S3_ID": s3_endpoint.access_key_id}
        place = conninfo_to_dict(server.conninfo)
        host = f"host={place['host']} port={place['port']} user=canary dbname=app sslmode=disable"
        (desk.folder / "attestore.yaml").write_text(
            CONFIGURATION.format(host=host, url=s3_endpoint.url, bucket=s3_endpoint.bucket())
        )
        passfile = desk.folder / "pgpass"
        passfile.write_text(f"*:*:*:canary:{PASSWORD}\n")
        passfile.chmod(0o600)
        with watching_processes() as seen:
            ran: tuple[Ran, ...] = (
                desk.attestore("backup", environment={"PGPASSFILE": str(passfile)}),
                desk.attestore("run", environment={"PGPASSWORD": PASSWORD, "ATTESTORE_LOG": "json"}),
            )  # fmt: skip
        ran += tuple(desk.attestore("export", desk.bundle().name, "--format", each) for each in FORMATS)
        ran += tuple(
            desk.attestore("export", desk.bundle().name, "--format", "csv", "--what", each)
            for each in ("observations", "differences")
        )
        ran += (desk.attestore("audit", "reports"), desk.attestore("config", "show"))
        written = b"".join(path.read_bytes()[before.get(path, 0) :] for path in sorted(logs.iterdir()))
        keys = fingerprint_keys(desk)
        yield Scene(
            desk=desk,
            ran=ran,
            seen=seen,
            log=written,
            secrets={
                "password": PASSWORD.encode(),
                "natural key": NATURAL_KEY.encode(),
                "row value": ROW.encode(),
                "refused row": REFUSED_ROW.encode(),
                "passphrase": PASSPHRASE.encode(),
                "secret of the bucket": s3_endpoint.secret_access_key.encode(),
            }
            | {f"fingerprint key {number}": key for number, key in enumerate(keys)},
        )


def fingerprint_keys(desk: Desk) -> list[bytes]:
    """K of each backup, as only the holder of the private key can know it."""
    home = desk.folder / ".attestore" / "gnupg"
    keys = []
    for part in sorted(desk.store.rglob("proof*.gpg")):
        plain = subprocess.run(
            [
                "gpg",
                "--homedir",
                home,
                "--batch",
                "--quiet",
                "--pinentry-mode",
                "loopback",
                "--passphrase-file",
                desk.folder / "unlocks",
                "--decrypt",
                part,
            ],
            capture_output=True,
            check=True,
            timeout=60,
        ).stdout
        with zstandard.ZstdDecompressor().stream_reader(plain) as reader:
            keys.append(bytes.fromhex(json.loads(reader.read().split(b"\n")[0])["key"]))
    subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], check=False, timeout=30)
    return keys


def files(folder: Path) -> dict[str, bytes]:
    return {
        name: data
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        for name, data in unpacked(str(path.relative_to(folder)), path.read_bytes()).items()
    }


def test_the_scene_is_the_one_that_could_leak(scene: Scene) -> None:
    backup, run, *others = scene.ran
    assert backup.code == 0, backup.err
    assert run.code == 1, run.out + run.err
    told = (scene.desk.bundle() / "CANARY-1.md").read_text().replace("\\", "")
    assert "violates check constraint" in told, "the restore was refused a row, and the report says so"
    assert [each.code for each in others] == [0] * len(others), [
        each.out[:1500] + each.err for each in others if each.code
    ]
    assert len([name for name in scene.secrets if name.startswith("fingerprint key")]) == 2
    said = [json.loads(line) for line in run.err.splitlines()]
    assert {line["run"] for line in said} == {scene.desk.bundle().name}
    assert {"dump", "store", "teardown"} <= {line.get("phase") for line in said}
    for programme in ("pg_dump", "pg_restore", "gpg", "postgres"):
        assert scene.seen.named(programme) > 0


def test_reports_bundles_ledger_pdfs_and_attachments_hold_no_secret(scene: Scene) -> None:
    outputs = files(scene.desk.reports)
    assert sum("stream" in name for name in outputs) > 20
    assert leaks(scene.secrets, outputs) == []


def test_the_store_holds_no_secret(scene: Scene) -> None:
    outputs = files(scene.desk.store)
    assert len(outputs) >= 8
    assert leaks(scene.secrets, outputs) == []


def test_nothing_that_is_printed_or_exported_holds_a_secret(scene: Scene) -> None:
    outputs = {f"{number} out": ran.out.encode() for number, ran in enumerate(scene.ran)}
    outputs |= {f"{number} err": ran.err.encode() for number, ran in enumerate(scene.ran)}
    assert leaks(scene.secrets, outputs) == []


def test_no_process_is_handed_a_secret_in_its_arguments_or_environment(scene: Scene) -> None:
    """But the environment of the one to which we gave the password there."""
    assert scene.seen.named("pg_dump")
    assert leaks(scene.secrets, scene.seen.outputs(without=b"\0attestore\0run\0")) == []


def test_the_log_of_the_source_holds_no_secret(scene: Scene) -> None:
    assert leaks(scene.secrets, {"log": scene.log}) == []


def test_what_is_left_at_home_holds_no_secret_but_in_the_files_that_hold_it(scene: Scene) -> None:
    outputs = {name: data for name, data in files(scene.desk.folder).items() if name not in {"pgpass", "unlocks", "s3"}}
    assert leaks(scene.secrets, outputs) == []


@pytest.mark.parametrize("form", sorted(forms(ROW.encode())))
def test_the_search_finds_each_form_wherever_it_stands(form: str) -> None:
    for before in (b"", b"a", b"ab"):
        written = {"raw": before + ROW.encode() + b"tail"}
        assert leaks({"row": ROW.encode()}, {"x": before + forms(ROW.encode())[form] + b"tail"})
        assert leaks({"row": ROW.encode()}, written)


def test_the_search_finds_base64_in_any_phase_and_what_a_pdf_hides() -> None:
    for length in range(6):
        assert leaks({"row": ROW.encode()}, {"x": base64.b64encode(os.urandom(length) + ROW.encode() + os.urandom(5))})
