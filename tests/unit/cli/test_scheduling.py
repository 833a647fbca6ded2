"""schedule: what is installed, what is left alone, and what a configuration has to say."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from attestore import instants
from attestore.archive import LedgerFile
from attestore.cli.app import app
from attestore.errors import UsageError
from attestore.evidence.ledger import BackupStored, RunFinished, RunStarted
from attestore.schedule import MARK

CONFIG = """\
attestore: 1
reports: reports
stores:
  local: {kind: directory, path: backups}
  offsite: {kind: s3, bucket: backups, access_key_id: "env:KEY_ID", secret_access_key: "env:KEY_SECRET"}
systems:
  shop: {source: service=shop, retention: {daily: 7}, schedule: {drill: never}}
  wiki: {source: service=wiki, stores: [offsite]}
metrics: {textfile: metrics/attestore.prom}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    (tmp_path / "attestore.yaml").write_text(CONFIG)
    return tmp_path


def said(desk: Path, *words: str) -> str:
    done = CliRunner().invoke(app, ["schedule", *words, "--config", str(desk / "attestore.yaml")])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0
    return done.stdout


def installed(desk: Path, *words: str) -> dict[str, str]:
    told = json.loads(said(desk, "install", "--systemd", "--dir", str(desk / "units"), "--json", *words))
    return {Path(each["path"]).name: each["what"] for each in told["files"]}


def test_each_system_has_the_units_of_its_own_schedule(desk: Path) -> None:
    """Without a policy there is nothing to prune by; a drill that is never done has no unit."""
    names = {name.removesuffix(".timer") for name in installed(desk) if name.endswith(".timer")}
    assert names == {f"attestore-shop-{job}" for job in ("backup", "prune", "status")} | {
        f"attestore-wiki-{job}" for job in ("backup", "drill", "status")
    }
    service = (desk / "units" / "attestore-shop-backup.service").read_text()
    assert f"--config {desk}/attestore.yaml --system shop" in service
    for folder in ("reports", "backups", "metrics"):
        assert f"ReadWritePaths=-{desk}/{folder}" in service.splitlines()
    assert "LoadCredential=KEY_ID:/etc/attestore/credentials/KEY_ID" in service
    assert f"{desk}/backups" not in (desk / "units" / "attestore-wiki-backup.service").read_text()


def test_a_dry_run_writes_nothing_and_a_second_install_changes_nothing(desk: Path) -> None:
    assert set(installed(desk, "--dry-run").values()) == {"written"}
    assert not (desk / "units").exists()
    assert set(installed(desk).values()) == {"written"}
    assert set(installed(desk).values()) == {"unchanged"}
    (desk / "attestore.yaml").write_text(CONFIG.replace("drill: never", 'drill: never, backup: "daily 03:00"'))
    changed = {name for name, what in installed(desk).items() if what != "unchanged"}
    assert changed == {"attestore-shop-backup.timer"}


@pytest.mark.parametrize("how", ["file", "link"])
def test_what_somebody_else_put_there_is_never_replaced(desk: Path, how: str) -> None:
    (desk / "units").mkdir()
    foreign = desk / "units" / "attestore-wiki-status.timer"
    if how == "file":
        foreign.write_text("[Timer]\nOnCalendar=hourly\n")
    else:
        (desk / "elsewhere").write_text(f"{MARK}\n")
        foreign.symlink_to(desk / "elsewhere")
    before = foreign.read_bytes()
    with pytest.raises(UsageError, match="was not made by attestore schedule; nothing was written"):
        installed(desk)
    assert [path.name for path in (desk / "units").iterdir()] == [foreign.name]
    assert foreign.read_bytes() == before


def test_a_unit_that_is_no_longer_in_the_schedule_is_told(desk: Path) -> None:
    installed(desk)
    (desk / "attestore.yaml").write_text(CONFIG.replace("drill: never", "drill: never, status: never"))
    told = json.loads(said(desk, "install", "--systemd", "--dir", str(desk / "units"), "--json"))
    assert told["stale"] == [str(desk / "units" / "attestore-shop-status.timer")]
    assert told["commands"][0] == "systemctl daemon-reload"


def test_a_job_may_take_four_times_as_long_as_it_took(desk: Path) -> None:
    ledger = LedgerFile(desk / "reports")
    begun = instants.parse("2026-03-01T02:00:00.000Z")
    for number, minutes in enumerate((90, 20, 21, 22, 50, 24), start=1):
        run = f"20260301T02000{number}Z-shop-00000{number}"
        ledger.append(RunStarted(instants.text(begun), run, "shop", "A" * 40, ()))
        ledger.append(BackupStored(instants.text(begun), f"b{number}", "shop", "1" * 64, run))
        ledger.append(RunFinished(instants.text(begun + timedelta(minutes=minutes)), run, "2" * 64, ()))
    text = said(desk, "print", "--systemd", "--system", "shop")
    service = text.split("# ==> attestore-shop-backup.service <==")[1].split("# ==>")[0]
    assert f"TimeoutStartSec={4 * 50 * 60}" in service.splitlines(), "the newest five count"


def test_one_file_is_printed_as_it_is(desk: Path) -> None:
    text = said(desk, "print", "--kubernetes", "--system", "shop", "--image", "example/attestore:1")
    assert text.startswith(f"{MARK}\n")
    assert 'image: "example/attestore:1"' in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["print"], "none was given"),
        (["print", "--cron", "--systemd"], "--systemd and --cron was given"),
        (["print", "--cron", "--system", "shoop"], "has no system 'shoop'"),
    ],
)
def test_what_can_t_be_meant_is_refused(desk: Path, words: list[str], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        said(desk, *words)


def test_what_no_container_would_find_is_told_before_it_is_missed(desk: Path) -> None:
    file = desk / "attestore.yaml"
    file.write_text(file.read_text() + 'keys: {passphrase: "file:/run/unlock"}\n')

    def doubts(kind: str) -> str:
        told = said(desk, "install", f"--{kind}", "--dir", str(desk / kind), "--dry-run", "--json")
        return " ".join(json.loads(told)["doubts"])

    for kind in ("kubernetes", "compose"):
        assert "shop: the source names a service, and a container has no service file" in doubts(kind)
        assert "the secret file:/run/unlock is not in the container" in doubts(kind)
    assert "container" not in doubts("systemd")
