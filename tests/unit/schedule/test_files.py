"""The files of every scheduler, held against the scheduler's own checks; no name of somebody else's becomes syntax."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from attestore import canon
from attestore.config.schedule import Every, Schedule, Timing
from attestore.errors import PlanError
from attestore.schedule import MARK, Lasted, Site, cron, kubernetes, stack, systemd, tasks, warnings

NASTY = '/opt/a b/50% $HOME/"quo\'ted"\\x;`id`'


def site(*, schedule: Schedule | None = None, config: str = "/etc/attestore/attestore.yaml", **changed: Any) -> Site:
    planned = tasks(
        schedule or Schedule(),
        system="goimg-production",
        config=Path(config),
        lasted=Lasted(backup=1500, drill=60),
        after={"backup": ("metrics",), "status": ("metrics", "notify")},
    )
    plain = Site(
        system="goimg-production",
        program=Path("/usr/bin/true"),
        config=Path(config),
        writable=(Path("/var/lib/attestore/reports"), Path("/srv/backups")),
        tasks=planned,
        secrets=("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),
        passfile=Path("/etc/attestore/pgpass"),
        stores=(("local", Path("/srv/backups")),),
    )
    return replace(plain, **changed)


def unit(files: tuple[Any, ...], name: str) -> str:
    return str(next(file.text for file in files if file.name == f"attestore-goimg-production-{name}"))


def documents(text: str) -> list[Any]:
    return [each for each in yaml.safe_load_all(text) if each is not None]


# --- systemd ---


def verified(folder: Path, files: tuple[Any, ...]) -> subprocess.CompletedProcess[str]:
    for file in files:
        (folder / file.name).write_text(file.text)
    paths = [str(folder / file.name) for file in files]
    return subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *paths], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("own", [False, True], ids=["system", "user"])
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path, own: bool) -> None:  # noqa: FBT001
    done = verified(tmp_path, systemd.files(site(), own=own))
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "")


def test_systemd_would_find_what_is_wrong(tmp_path: Path) -> None:
    """The test above can fail."""
    broken = tuple(
        replace(f, text=f.text.replace("OnCalendar=*-*-* 02:00:00", "OnCalendar=at noon"))
        for f in systemd.files(site())
    )
    assert "Failed to parse calendar" in verified(tmp_path, broken).stderr


@pytest.mark.parametrize(
    ("user", "name", "most"), [("", "backup", 30), ("", "drill", 40), ("nobody", "backup", 25), ("nobody", "drill", 30)]
)
def test_the_units_are_exposed_to_little(tmp_path: Path, user: str, name: str, most: int) -> None:
    """Tenths of systemd's own score, from 0 to 100; a bare service has 96."""
    files = systemd.files(site(user=user))
    path = tmp_path / f"attestore-goimg-production-{name}.service"
    path.write_text(unit(files, f"{name}.service"))
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", f"--threshold={most}", "--no-pager", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "SYSTEMD_COLORS": "0"},
    )
    assert done.returncode == 0, done.stdout[-200:]


def test_a_missed_time_is_caught_up_on_spread_out_and_given_up_in_time() -> None:
    files = systemd.files(site())
    timer, service = unit(files, "backup.timer"), unit(files, "backup.service")
    assert {"OnCalendar=*-*-* 02:00:00", "Persistent=true", "RandomizedDelaySec=600"} <= set(timer.splitlines())
    # four times 1,500 s; a drill that took a minute has two hours
    assert "TimeoutStartSec=6000" in service.splitlines()
    assert "TimeoutStartSec=7200" in unit(files, "drill.service").splitlines()
    assert "SuccessExitStatus=78" in service.splitlines()
    assert "LoadCredential=AWS_ACCESS_KEY_ID:/etc/attestore/credentials/AWS_ACCESS_KEY_ID" in service.splitlines()
    assert {"LoadCredential=pgpass:/etc/attestore/pgpass", "Environment=PGPASSFILE=%d/pgpass"} <= set(
        service.splitlines()
    )


def test_units_of_one_s_own_name_no_account_and_take_credentials_from_one_s_home() -> None:
    service = unit(systemd.files(site(user="attestore"), own=True), "drill.service").splitlines()
    assert not [line for line in service if line.startswith(("User=", "CapabilityBoundingSet="))]
    assert "PrivateUsers=yes" in service
    assert "LoadCredential=AWS_ACCESS_KEY_ID:%h/.config/attestore/credentials/AWS_ACCESS_KEY_ID" in service


def test_a_drill_as_root_may_change_its_account_and_other_tasks_may_not() -> None:
    files = systemd.files(site())
    assert "CAP_SETUID" in unit(files, "drill.service")
    assert "CAP_SETUID" not in unit(files, "backup.service")
    assert "CapabilityBoundingSet=\n" in unit(systemd.files(site(user="attestore")), "drill.service")


@pytest.mark.parametrize(
    ("every", "calendar", "expression"),
    [
        (Timing(Every.HOURLY, minute=15), "*-*-* *:15:00", "15 * * * *"),
        (Timing(Every.DAILY, 2, 5), "*-*-* 02:05:00", "5 2 * * *"),
        (Timing(Every.WEEKLY, 4, 0, weekday=7), "Sun *-*-* 04:00:00", "0 4 * * 0"),
        (Timing(Every.WEEKLY, 4, 0, weekday=1), "Mon *-*-* 04:00:00", "0 4 * * 1"),
        (Timing(Every.MONTHLY, 5, 0, day=28), "*-*-28 05:00:00", "0 5 28 * *"),
    ],
)
def test_every_scheduler_says_the_same_time(every: Timing, calendar: str, expression: str) -> None:
    assert (systemd.calendar(every), cron.expression(every)) == (calendar, expression)
    done = subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True, text=True, check=False)
    assert done.returncode == 0


def test_what_is_never_done_has_no_unit() -> None:
    chosen = Schedule(drill=Timing(Every.NEVER))
    assert not [file.name for file in systemd.files(site(schedule=chosen)) if "drill" in file.name]


def test_a_nasty_path_is_one_word_to_systemd(tmp_path: Path) -> None:
    files = systemd.files(
        site(program=Path("/usr/bin/true"), config=NASTY, writable=(Path(NASTY),), passfile=Path(NASTY))
    )
    assert verified(tmp_path, files).returncode == 0
    start = next(line for line in unit(files, "status.service").splitlines() if line.startswith("ExecStart="))
    assert '"/opt/a b/50%% $$HOME/\\"quo\'ted\\"\\\\x;`id`"' in start


@pytest.mark.parametrize("where", ["config", "program", "writable", "user"])
@pytest.mark.parametrize("evil", ["/a\nExecStart=/bin/evil", "/a\u2028b", "/a\x1b[2J", "/a\u202eb"])
def test_what_would_forge_a_line_is_refused_by_every_scheduler(where: str, evil: str) -> None:
    changed: dict[str, Any] = {"program": Path(evil), "writable": (Path(evil),), "user": evil}
    forged = site(config=evil) if where == "config" else site(**{where: changed[where]})
    for make in (systemd.files, cron.files, lambda each: kubernetes.files(each, config=""), stack.files):
        with pytest.raises(PlanError, match="can't be printed"):
            make(forged)


def test_a_gate_that_would_expire_between_two_drills_is_told() -> None:
    monthly = site()
    assert warnings(monthly, [("S9-PROD-004", timedelta(days=35))]) == ()
    (told,) = warnings(monthly, [("S9-PROD-004", timedelta(days=31)), ("S9-PROD-003", timedelta(days=40))])
    assert told.startswith("goimg-production: S9-PROD-004 holds for 31 days, and up to 31 days lie between two drills")
    weekly = site(schedule=Schedule(drill=Timing(Every.WEEKLY, 5, 0)))
    assert warnings(weekly, [("S9-PROD-004", timedelta(days=31))]) == ()
    (never,) = warnings(site(schedule=Schedule(drill=Timing(Every.NEVER))), [("S9-PROD-004", timedelta(days=31))])
    assert never == "goimg-production: no drill is scheduled, and S9-PROD-004 holds for 31 days after one."


# --- cron ---


def lines(made: Site) -> list[tuple[str, str, str]]:
    """Time, account and command of each line, as cron reads them."""
    (file,) = cron.files(made)
    found = []
    for line in file.text.splitlines():
        if line and not line.startswith("#") and not re.match(r"[A-Z_]+=", line):
            *fields, user, command = line.split(" ", 6)
            assert len(fields) == 5
            assert not re.search(r"(?<!\\)%", command), "cron would cut the line there"
            found.append((" ".join(fields), user, command.replace("\\%", "%")))
    return found


def test_cron_s_tasks_find_the_secrets_that_the_configuration_names_by_variables() -> None:
    (file,) = cron.files(site())
    assert "CREDENTIALS_DIRECTORY=/etc/attestore/credentials" in file.text.splitlines()
    assert "AWS_SECRET_ACCESS_KEY" in file.text
    assert "CREDENTIALS_DIRECTORY" not in cron.files(site(secrets=()))[0].text


def test_the_lines_of_cron_are_read_as_they_are_meant() -> None:
    found = lines(site())
    assert [(time, user) for time, user, _ in found] == [
        ("0 2 * * *", "root"),
        ("0 4 * * 0", "root"),
        ("0 5 1 * *", "root"),
        ("0 8 * * *", "root"),
    ]
    for _, _, command in found:
        assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0


@pytest.mark.parametrize(
    ("code", "said", "ends"),
    [(0, "", 0), (78, "", 0), (1, '50% of it: a "mess"\n', 1), (124, '50% of it: a "mess"\n', 124)],
)
def test_a_line_of_cron_is_silent_when_all_is_well_and_says_everything_when_not(
    tmp_path: Path, code: int, said: str, ends: int
) -> None:
    folder = tmp_path / "50% $HOME 'x'"
    folder.mkdir()
    program = folder / "attestore"
    program.write_text(
        f'#!/bin/sh\necho \'50% of it: a "mess"\' >&2\necho "$1" >>\'{tmp_path}/asked\'\n[ "$1" = backup ] || exit 9\nexit {code}\n'
    )
    program.chmod(0o755)
    _, _, command = lines(site(program=program, user="nobody"))[0]
    command = command.replace("sleep $(shuf -n 1 -i 0-600)", ":")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (ends, said, "")
    assert (tmp_path / "asked").read_text() == "backup\nmetrics\n"


def test_a_line_that_cron_would_cut_is_refused() -> None:
    with pytest.raises(PlanError, match="cron reads 998"):
        cron.files(site(config="/" + "x" * 900))


# --- Kubernetes ---


def manifests(made: Site) -> list[Any]:
    (file,) = kubernetes.files(made, config='attestore: 1\n# it\'s "quoted": {here}\n')
    assert file.text.startswith(MARK)
    return documents(file.text)


def test_the_manifests_are_what_kubernetes_takes() -> None:
    found = manifests(site())
    for each in found:
        kubernetes_validate.validate(each, "1.30", strict=True)
    names = [each["metadata"]["name"].removeprefix("attestore-goimg-production") for each in found]
    assert names == ["", "", "-backup", "-prune", "-drill", "-status", "-metrics", "-notify"]
    assert found[0]["data"]["attestore.yaml"] == 'attestore: 1\n# it\'s "quoted": {here}\n'
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**found[2], "spec": {**found[2]["spec"], "concurencyPolicy": "Forbid"}}, "1.30", strict=True
        )


def test_a_pod_has_no_root_no_writable_root_and_no_second_at_once() -> None:
    for job in manifests(site())[2:]:
        assert job["spec"]["concurrencyPolicy"] == "Forbid"
        assert job["spec"]["startingDeadlineSeconds"] == 3600
        pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert all(set(each) == {"name", "valueFrom"} for each in container["env"]), "no secret in the clear"
        assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"} == {
            each["name"] for each in container["env"]
        }
        assert {"name": "tmp", "emptyDir": {}} in pod["volumes"]


@pytest.mark.parametrize("name", ["A" * 64, "a_b", "a-b", "Shop", "shop-"])
def test_any_name_of_a_system_is_a_name_that_kubernetes_takes(name: str) -> None:
    found = manifests(site(system=name))
    for each in found:
        assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", each["metadata"]["name"])
        assert len(each["metadata"]["name"]) <= 52
    assert len({each["metadata"]["name"] for each in found[1:]}) == len(found) - 1


def test_two_systems_never_share_a_name() -> None:
    names = {manifests(site(system=name))[0]["metadata"]["name"] for name in ("a_b", "a-b", "A-b", "A" * 64, "A" * 63)}
    assert len(names) == 5


# --- compose ---


def composed(made: Site) -> Any:
    (file,) = stack.files(made)
    (document,) = documents(file.text)
    return document


def test_the_compose_file_is_what_the_specification_takes() -> None:
    text = resources.files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_bytes()
    schema = canon.decode(text, what="schema")
    document = composed(site())
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**document, "servises": {}}, schema)
    assert set(document["services"]) == {"postgres", "s3", "backup", "prune", "drill", "status", "metrics", "notify"}


def test_compose_tasks_have_no_root_and_no_secret_in_the_clear() -> None:
    document = composed(site())
    for name, service in document["services"].items():
        if name in {"postgres", "s3"}:
            continue
        assert (service["user"], service["read_only"], service["cap_drop"]) == ("10001:10001", True, ["ALL"])
        assert service["profiles"] == ["tasks"]
        assert set(service["secrets"]) <= set(document["secrets"])
    assert all(set(each) == {"file"} for each in document["secrets"].values())


def test_compose_keeps_dump_and_restored_copy_on_a_disk() -> None:
    """In memory they would take that of the machine."""
    document = composed(site())
    assert "tmpfs" not in document["services"]["backup"]
    assert "work:/tmp" in document["services"]["backup"]["volumes"]
    assert "work" in document["volumes"]


def test_a_nasty_path_is_one_word_to_compose_and_kubernetes() -> None:
    made = site(stores=(("local", Path(NASTY)),))
    mounts = composed(made)["services"]["backup"]["volumes"]
    assert mounts[-1]["target"] == NASTY.replace("$", "$$")
    pod = manifests(made)[2]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert NASTY in [each["mountPath"] for each in pod["containers"][0]["volumeMounts"]]


def test_the_checkers_are_there() -> None:
    assert shutil.which("systemd-analyze"), "tools/setup dev installs it"
