"""What the configuration file says, for whatever the command line leaves open: flags win over the file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from attestore import gate
from attestore.config import FILE_NAME, Installation, SystemEntry, load_installation
from attestore.config.sections import examine
from attestore.errors import UsageError
from attestore.gate import Gate

__all__ = ["Configured", "check_sources", "configured", "gate_of"]


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration file, and the system in it that a command is about."""

    installation: Installation
    system: SystemEntry | None

    def options(self) -> Mapping[str, object]:
        """What the file says, by the option that would say it on the command line."""
        found: dict[str, object] = {
            "home": self.installation.home,
            "reports": self.installation.reports,
            "roster": self.installation.roster,
            "gates": self.installation.gates,
        }
        if (system := self.system) is not None:
            found |= {
                "system": system.name,
                "source": system.source,
                "gate": [gate_of(self.installation, name) for name in system.gates],
                "jobs": system.jobs,
                "source_jobs": system.source_jobs,
                "source_pause": system.source_pause,
                "method": system.method,
            }
        return {name: value for name, value in found.items() if value not in (None, "", [])}

    def gates(self) -> Mapping[str, tuple[Gate, ...]]:
        """The gates that judge each system of the file, whichever system the command is about.

        Raises:
            GateError, UsageError: one of them can't be read, or there is none of that id.
        """
        folders = () if self.installation.gates is None else (self.installation.gates,)
        return {
            system.name: tuple(gate.named(gate_of(self.installation, name), folders=folders) for name in system.gates)
            for system in self.installation.systems.values()
        }


def check_sources(installation: Installation) -> None:
    """Whether libpq understands every source that the file names.

    Raises:
        UsageError: it doesn't; the place in the file is named.
    """
    from attestore.adapters.postgres import dsn

    for system in installation.systems.values():
        try:
            if system.source:
                dsn.check(system.source)
        except UsageError as problem:
            raise UsageError(
                f"{installation.file}: systems.{system.name}.source: {problem.message}", hint=problem.hint
            ) from problem


def configured(file: Path | None, *, given: Mapping[str, object], needed: Collection[str]) -> Configured | None:
    """The file that was named, else attestore.yaml in this folder; None where there is neither.

    `given` are the options of the command line by name, `needed` those without which the command can't work. The only
    system of a file need not be named; a source from the command line is no system of the file unless it is named, too.

    Raises:
        GateError: the file can't be meant.
        UsageError: there is no such file or system, or several systems and none is named.
    """
    path = file or Path(FILE_NAME)
    if file is None and not path.is_file():
        return None
    installation = load_installation(path)
    examine(installation)
    return Configured(installation, _system(installation, given=given, needed=needed))


def _system(installation: Installation, *, given: Mapping[str, object], needed: Collection[str]) -> SystemEntry | None:
    asked, sourced = given.get("system"), "source" in given
    if asked:
        named = str(asked)
        found = installation.systems.get(named)
        return installation.system(named) if found is None and "source" in needed and not sourced else found
    if sourced or not needed or not installation.systems:
        return None
    first, *others = installation.systems.values()
    if others:
        raise UsageError(
            f"{installation.file} has several systems: {', '.join(installation.systems)}",
            hint=f"Name the one that is meant, e.g. --system {first.name}.",
        )
    return first


def gate_of(installation: Installation, name: str) -> str:
    """A gate's id as it is; the path of a gate file as the configuration means it."""
    return str(installation.path(name)) if "/" in name or name.endswith((".yaml", ".yml")) else name
