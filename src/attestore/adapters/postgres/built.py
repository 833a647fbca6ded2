"""What an installation on this machine was built with: extensions with their versions, ICU, libxml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from attestore.adapters.postgres.programs import Installation
from attestore.adapters.process import Runner
from attestore.errors import Error, MissingProgramError, ProgramFailedError, ScratchError
from attestore.ports import Look, SourceFacts

__all__ = ["looks"]

_SOON_S: Final = 30.0
_ICU_BY_DEFAULT: Final = 16
_DEFAULT: Final = re.compile(r"^\s*default_version\s*=\s*'([^']*)'", re.MULTILINE)
_NEED: Final = {
    "icu": "uses ICU collations",
    "libxml": "has columns of type xml",
}


def looks(server: Installation, runner: Runner, facts: SourceFacts) -> tuple[Look, ...]:
    """Whether the installation has the extensions that the source uses, and every feature that its data needs."""
    folder = _told(server, runner, "--sharedir")
    options = _told(server, runner, "--configure")
    return (_extensions(server, facts, Path(folder) / "extension"), _features(server, facts, options))


def _told(server: Installation, runner: Runner, question: str) -> str:
    try:
        return runner.run([server.program("pg_config"), question], deadline_s=_SOON_S).stdout.decode().strip()
    except (MissingProgramError, ProgramFailedError):
        return ""


def _extensions(server: Installation, facts: SourceFacts, folder: Path) -> Look:
    names = [name for name, _ in facts.extensions]
    if not folder.is_dir():
        return Look("target", "extensions", "not known before the restore: there is no pg_config")
    missing = [name for name in names if not (folder / f"{name}.control").is_file()]
    problem = ScratchError(
        f"PostgreSQL {server.version} on this machine lacks {', '.join(missing)}, which the source uses",
        hint=f"Install what holds it (postgresql-contrib, postgresql-{server.major}-…), or give --pg-bin.",
    )
    other = [
        f"{name} {version} is {ours} here"
        for name, version in facts.extensions
        if name not in missing and (ours := _default_version(folder / f"{name}.control")) not in {"", version}
    ]
    return Look(
        "target",
        "extensions",
        f"{len(names) - len(missing)} of {len(names)} are here",
        (problem,) if missing else (),
        # CREATE EXTENSION takes the default version: a copy can't have another
        advice=f"a restore will have other versions: {'; '.join(other)}" if other else "",
    )


def _default_version(control: Path) -> str:
    try:
        match = _DEFAULT.search(control.read_text("utf-8", "replace"))
    except OSError:
        return ""
    return match[1] if match is not None else ""


def _features(server: Installation, facts: SourceFacts, options: str) -> Look:
    if not options:
        return Look("target", "features", "not known before the restore: there is no pg_config")
    has = {
        "icu": "--with-icu" in options or (server.major >= _ICU_BY_DEFAULT and "--without-icu" not in options),
        "libxml": "--with-libxml" in options,
    }
    problems: tuple[Error, ...] = tuple(
        ScratchError(
            f"PostgreSQL {server.version} on this machine was built without {name}, and the source {_NEED[name]}",
            hint=f"Install a PostgreSQL that has it: apt-get install postgresql-{server.major}, or give --pg-bin.",
        )
        for name in facts.features
        if not has[name]
    )
    return Look("target", "features", ", ".join(facts.features) or "none needed", problems)
