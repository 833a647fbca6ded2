"""Makes docs/samples: PDFs of real runs on the demo's gallery, from a pass to a run that was killed (`tools/samples`)."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from attestore import compose, gate, resources
from attestore.adapters.gpg import Keyring
from attestore.adapters.process import Runner
from attestore.cli.display import Quiet, consoles
from attestore.config import Key, Person, read_roster, roster_text
from attestore.config.stores import DirectoryPlace
from attestore.plan import Job
from attestore.run import Tools, execute

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "docs/samples"
GATE = "S9-PROD-004"
PEOPLE = (("Kim Example", "release-manager"), ("Sam Sample", "security"))
LOGO = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 40">'
    '<path d="M4 36V12L32 3l28 9v24z" fill="#1f4e8c"/><path d="M18 22l10 10 20-22" fill="none" stroke="#fff" stroke-width="5"/></svg>'
)


def _settings(system: str, source: str) -> compose.Settings:
    return compose.Settings(
        reports=Path("reports"),
        home=Path("home"),
        stores=(DirectoryPlace("local", Path("home/store")),),
        source=source,
        backup="latest",
        system=system,
        jobs=2,
        pg_bin=None,
        operator="Demo Operator",
    )


def _gates() -> tuple[gate.Gate, ...]:
    folder = resources.gates_folder()
    return gate.read(folder / "S9-PROD-003.yaml"), gate.read(folder / "examples/gallery/S9-PROD-004.yaml")


def _run(system: str, source: str, *, damaged: bool = False) -> Path:
    """One run; a damaged one restores another file name than it dumped, and nothing complains."""
    settings = _settings(system, source)
    plan = compose.planned(Job.RUN, settings, gates=_gates())
    watcher = Quiet(consoles()[1], clock=compose.clock())
    with (
        compose.pressing() as press,
        compose.tools(plan, settings, press=press, watcher=watcher, settle=lambda: None) as tools,
    ):
        chosen = _rotten(tools) if damaged else tools
        return execute(plan, tools=chosen, reports=settings.reports).finished.folder


def _rotten(tools: Tools) -> Tools:
    place = ROOT / "tests/e2e/test_cycle.py"
    spec = importlib.util.spec_from_file_location("cycle_of_tests", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    changed: Tools = module.changing(tools, old=b"IMG_1035.jpg", new=b"IMG_1036.jpg")
    return changed


def _attestore(*words: str, **more: str) -> None:
    command = [sys.executable, "-m", "attestore", *words]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env={**os.environ, **more})


def _killed(system: str, source: str) -> Path:
    """A run that is killed while it restores data, and closed by the next command."""
    gates = [
        word
        for each in ("S9-PROD-003.yaml", "examples/gallery/S9-PROD-004.yaml")
        for word in ("--gate", str(resources.gates_folder() / each))
    ]
    command = [
        sys.executable,
        "-m",
        "attestore",
        "run",
        "--source",
        source,
        "--system",
        system,
        "--home",
        "home",
        "--reports",
        "reports",
    ]
    running = subprocess.Popen(
        [*command, *gates], stderr=subprocess.PIPE, text=True, env={**os.environ, "ATTESTORE_LOG": "human"}
    )
    assert running.stderr is not None
    for line in running.stderr:
        if line.startswith("schema"):
            break
    running.send_signal(signal.SIGKILL)
    running.wait()
    with compose.pressing() as press:
        compose.close_died(_settings(system, source), press=press, watcher=Quiet(consoles()[1], clock=compose.clock()))
    return next(path for path in Path("reports").iterdir() if path.is_dir() and f"-{system}-" in path.name)


def _people() -> None:
    with Keyring.open(Path("home"), runner=Runner()) as keyring:
        made = [(name, role, keyring.create_signing_key(name).fingerprint) for name, role in PEOPLE]
        known = read_roster(Path("home/roster.yaml").read_bytes(), where="roster.yaml").people
        more = [
            Person(name.split()[0].lower(), name, (role,), (Key(mine, keyring.public(mine)),))
            for name, role, mine in made
        ]
    Path("home/roster.yaml").write_bytes(roster_text([*known, *more]))


def _decide(verb: str, run: Path, *words: str) -> None:
    for who, comment in (
        ("kim", "Report read; digests compared with the store."),
        ("sam", "Signatures and checkpoint checked."),
    ):
        _attestore(
            verb,
            run.name,
            "--gate",
            GATE,
            "--as",
            who,
            "--comment",
            comment,
            "--home",
            "home",
            "--reports",
            "reports",
            *words,
        )


def _keep(name: str, path: Path) -> None:
    shutil.copyfile(path, SAMPLES / f"{name}.pdf")


def main() -> None:
    """Every sample anew; about two minutes."""
    SAMPLES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        with compose.gallery(_settings("gallery", ""), scale=1, say=lambda _: None) as source:
            failed = _run("gallery-staging", source, damaged=True)
            _people()
            _run("gallery", source, damaged=True)
            _run("gallery", source)
            _run("gallery", source)
            passed = _run("gallery", source)
            unknown = _killed("gallery-standby", source)
        _keep("pass", passed / f"{GATE}.pdf")
        _keep("encryption", passed / "S9-PROD-003.pdf")
        _keep("summary", passed / "summary.pdf")
        _keep("fail", failed / f"{GATE}.pdf")
        _keep("unknown", unknown / f"{GATE}.pdf")
        _decide("approve", passed)
        _keep("approved", passed / f"revisions/2/{GATE}.pdf")
        _decide(
            "waive", failed, "--reason", "The altered value came from a test of the storage, which is out of service.",
            "--control", "A standby in the other building replays every minute.", "--until", "14d",
        )  # fmt: skip
        _keep("waived", failed / f"revisions/2/{GATE}.pdf")
        audit = [sys.executable, "-m", "attestore", "audit", "reports", "--roster", "home/roster.yaml"]
        subprocess.run(audit, check=True, stdout=subprocess.DEVNULL)
        Path("logo.svg").write_text(LOGO, encoding="utf-8")
        Path("attestore.yaml").write_text(
            "attestore: 1\nhome: home\nreport:\n  organisation: Beispiel AG\n  logo: logo.svg\n  accent: '#1f4e8c'\n  paper: Letter\n  language: de\n",
            encoding="utf-8",
        )
        bundle = str(Path("reports") / failed.name)
        _attestore("report", bundle, "--only", GATE, "--dressed", "--into", "bericht", "--config", "attestore.yaml")
        _keep("fail.de.letter", Path("bericht") / f"{GATE}.pdf")
        os.chdir(ROOT)


if __name__ == "__main__":
    main()
