"""tools/setup, run in a folder of its own with a PATH of stand-ins, so that nothing is really installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
REAL = ("bash", "cat", "cksum", "cp", "dirname", "env", "grep", "mkdir", "mktemp", "rm", "tail", "touch", "uname")
PYTHON = """#!/bin/sh
echo "python $*" >>"$CALLS"
case "$*" in
  "-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
  *--editable*) cp "$0" .venv/bin/attestore ;;
esac
"""
USER = "#!/bin/sh\necho 1000\n"
ROOT_USER = "#!/bin/sh\necho 0\n"


class Machine:
    """A checkout and a PATH that holds the stand-ins given, and the few programmes that every system has."""

    def __init__(self, folder: Path, **programmes: str) -> None:
        self.checkout = folder / "a checkout"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        self.calls.touch()
        self.bin.mkdir()
        for name in REAL:
            real = shutil.which(name)
            assert real, f"{name} is not on this machine"
            (self.bin / name).symlink_to(real)
        for name, text in programmes.items():
            self.has(name.replace("_", "-"), text)
        (self.checkout / "tools").mkdir(parents=True)
        for name in ("tools/setup", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
            shutil.copy(ROOT / name, self.checkout / name)

    def has(self, name: str, text: str = "#!/bin/sh\n") -> None:
        programme = self.bin / name
        programme.write_text(text)
        programme.chmod(0o755)

    def set_up(self, what: str = "run") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "bash"), "tools/setup", what],
            cwd=self.checkout,
            env={"PATH": str(self.bin), "CALLS": str(self.calls), "TMPDIR": str(self.calls.parent)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def forget_calls(self) -> None:
        self.calls.write_text("")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Has everything that `attestore` needs."""
    return Machine(tmp_path, python3=PYTHON, gpg="#!/bin/sh\n", gpg_agent="#!/bin/sh\n", id=USER)


def test_the_locked_packages_are_installed_by_hash_and_attestore_without_any_other(machine: Machine) -> None:
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    calls = machine.calls.read_text()
    assert "--require-hashes --only-binary :all: -r requirements.lock" in calls
    assert "--no-deps --no-build-isolation --editable ." in calls
    assert (machine.checkout / ".venv/bin/attestore").exists()


def test_a_second_set_up_does_and_says_nothing(machine: Machine) -> None:
    machine.set_up()
    machine.forget_calls()
    again = machine.set_up()
    assert (again.returncode, again.stdout, again.stderr, machine.calls.read_text()) == (0, "", "", "")


@pytest.mark.parametrize("browser", ["chromium", "chromium-browser", "google-chrome"])
def test_what_the_tests_need_includes_what_attestore_needs(machine: Machine, browser: str) -> None:
    machine.has("pdftotext")
    machine.has("jq")
    machine.has("systemd-analyze")
    machine.has("promtool")
    machine.has(browser)
    machine.set_up("dev")
    assert "-r requirements-dev.lock" in machine.calls.read_text()
    machine.forget_calls()
    machine.set_up("run")
    assert machine.calls.read_text() == ""


def test_without_a_browser_the_site_could_not_be_tested(machine: Machine) -> None:
    for name in ("pdftotext", "jq", "systemd-analyze", "promtool"):
        machine.has(name)
    done = machine.set_up("dev")
    assert done.returncode == 1
    assert "--no-install-recommends chromium" in done.stderr


def test_alert_rules_that_nothing_could_check_are_no_set_up(machine: Machine) -> None:
    """Where promtool can't be taken from the system's packages, somebody is told what is missing."""
    machine.has("pdftotext")
    machine.has("jq")
    machine.has("systemd-analyze")
    machine.has("chromium")
    done = machine.set_up("dev")
    assert done.returncode == 1
    assert "promtool (it checks the alert rules) could not be had" in done.stderr


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_file_sets_up_again(machine: Machine, changed: str) -> None:
    machine.set_up()
    machine.forget_calls()
    with (machine.checkout / changed).open("a") as file:
        file.write("# another byte\n")
    machine.set_up()
    assert "pip install" in machine.calls.read_text()


def test_a_moved_checkout_sets_up_again_because_programmes_in_it_know_their_path(machine: Machine) -> None:
    machine.set_up()
    machine.forget_calls()
    machine.checkout = machine.checkout.rename(machine.checkout.with_name("moved"))
    machine.set_up()
    assert "pip install" in machine.calls.read_text()


def test_a_set_up_that_broke_off_is_done_again(machine: Machine) -> None:
    machine.has(
        "python3", PYTHON + 'case "$*" in *--editable*) rm .venv/bin/attestore; echo no network; exit 1 ;; esac\n'
    )
    broken = machine.set_up()
    assert broken.returncode == 1
    assert "no network" in broken.stderr
    machine.has("python3", PYTHON)
    shutil.copy(machine.bin / "python3", machine.checkout / ".venv/bin/python")
    assert machine.set_up().returncode == 0


def test_without_the_right_to_install_what_is_missing_is_named_with_the_exact_command(tmp_path: Path) -> None:
    machine = Machine(tmp_path, python3=PYTHON, id=USER, apt_get='#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n')
    done = machine.set_up()
    assert done.returncode == 1
    assert "missing on this system, and not installed from here: gnupg\n" in done.stderr
    assert "sudo apt-get update && sudo apt-get install --no-install-recommends gnupg\n" in done.stderr
    assert "apt-get" not in machine.calls.read_text()
    assert not (machine.checkout / ".venv").exists()


def test_root_gets_what_is_missing_and_only_that(tmp_path: Path) -> None:
    apt_get = '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\ncp "$BIN/id" "$BIN/gpg"; cp "$BIN/id" "$BIN/gpg-agent"\n'
    machine = Machine(tmp_path, python3=PYTHON, id=ROOT_USER)
    machine.has("apt-get", apt_get.replace("$BIN", str(machine.bin)))
    done = machine.set_up()
    assert done.returncode == 0, done.stderr
    asked = [line for line in machine.calls.read_text().splitlines() if line.startswith("apt-get")]
    assert asked == ["apt-get install -y -q --no-install-recommends gnupg"]


def test_package_lists_are_fetched_only_when_the_ones_at_hand_do_not_know_the_package(tmp_path: Path) -> None:
    apt_get = '#!/bin/sh\necho "apt-get $*" >>"$CALLS"\n[ "$1" = update ] && { : >"$CALLS.lists"; exit; }\n[ -e "$CALLS.lists" ]\n'
    machine = Machine(tmp_path, python3=PYTHON, id=ROOT_USER, apt_get=apt_get)
    done = machine.set_up()
    asked = [line.split()[1] for line in machine.calls.read_text().splitlines() if line.startswith("apt-get")]
    assert asked == ["install", "update", "install"]
    assert done.returncode == 1, "apt-get claims success, but gpg is still not there"


def test_a_machine_without_python_is_told_which_packages_bring_it(tmp_path: Path) -> None:
    done = Machine(tmp_path, id=USER, gpg="#!/bin/sh\n", gpg_agent="#!/bin/sh\n").set_up()
    assert done.returncode == 1
    assert "install --no-install-recommends python3 python3-venv\n" in done.stderr


def test_a_newer_python_under_another_name_is_found(tmp_path: Path) -> None:
    too_old = "#!/bin/sh\nexit 1\n"
    machine = Machine(tmp_path, python3=too_old, python3_12=PYTHON, gpg="#!/bin/sh\n", gpg_agent="#!/bin/sh\n", id=USER)
    (machine.bin / "python3-12").rename(machine.bin / "python3.12")
    assert machine.set_up().returncode == 0


def test_an_unknown_purpose_is_refused(machine: Machine) -> None:
    assert machine.set_up("everything").returncode == 2
