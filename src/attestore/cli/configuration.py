"""init and config: write a configuration, show what holds."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import typer
from rich.table import Table
from rich.text import Text

from attestore import canon, compose, gate
from attestore.archive import disk
from attestore.cli.configured import chosen, said
from attestore.cli.display import consoles
from attestore.compose.configured import check_sources, configured
from attestore.compose.looks import looks
from attestore.compose.showing import Effective, effective, gates_of
from attestore.config.draft import Answers, draft
from attestore.config.sections import schema
from attestore.config.stores import named_stores
from attestore.errors import GateError, UsageError
from attestore.report.words import visible

__all__ = ["Wishes", "check", "print_schema", "tell", "write"]

_GATES: Final = ("S9-PROD-003", "S9-PROD-004")
_STORE: Final = "backups"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What options of init say; empty: nothing."""

    source: str
    system: str
    stores: tuple[str, ...]
    gates: tuple[str, ...]
    organisation: str


def write(wishes: Wishes, *, output: Path, ask: bool, as_json: bool) -> int:
    """A new configuration; nothing is overwritten."""
    if output.exists():
        raise UsageError(
            f"{output} is there already, and nothing is overwritten", hint="Name another file with --output."
        )
    if ask and sys.stdin.isatty() and sys.stderr.isatty():
        wishes = _asked(wishes)
    if not wishes.source:
        raise UsageError("no source is named", hint="Name it with --source service=NAME or another connection string.")
    answers = Answers(
        system=wishes.system or _system(wishes.source),
        source=wishes.source,
        stores=named_stores(wishes.stores or (_STORE,)),
        gates=tuple(_gate(name, output.parent) for name in wishes.gates or _GATES),
        organisation=wishes.organisation,
    )
    text = draft(answers)
    disk.write_new(output, text)
    if as_json:
        told: canon.JSON = {
            "file": str(output),
            "system": answers.system,
            "stores": [{"name": place.name, "location": place.location} for place in answers.stores],
            "gates": list(answers.gates),
        }
        typer.echo(canon.encode(told).decode())
        return 0
    named = "" if output == Path("attestore.yaml") else f" --config {output}"
    consoles()[0].print(
        Text(
            f"{output}: system {answers.system}, stores {', '.join(place.location for place in answers.stores)}\n\n"
            f" What is missing:     attestore doctor{named}\n"
            f" What would be done:  attestore run --dry-run{named}\n"
            f" Do it:               attestore run{named}\n"
            f" Every night:         attestore schedule print --systemd{named}"
        )
    )
    return 0


def tell(*, as_json: bool) -> int:
    """What holds."""
    found = chosen()
    values = effective(found, given=said())
    if as_json:
        told: canon.JSON = {
            "file": None if found is None else str(found.installation.file),
            "values": [
                {"key": each.key, "value": each.value, "from": each.origin}
                | ({} if each.found is None else {"found": each.found})
                for each in values
            ],
        }
        typer.echo(canon.encode(told).decode())
        return 0
    out, err = consoles()
    if found is None:
        err.print(Text("There is no attestore.yaml here; attestore init writes one. What holds without:"))
    else:
        out.print(Text(str(found.installation.file), style="bold"))
    table = Table.grid(padding=(0, 2))
    for _ in range(3):
        table.add_column(overflow="fold")
    for each in values:
        table.add_row(Text(each.key), Text(_shown(each)), Text(_place(each), style="dim"))
    out.print(table)
    return 0


def check(file: Path | None, *, as_json: bool) -> int:
    """The configuration, read with all that it names."""
    found = configured(file, given={}, needed=())
    if found is None:
        raise UsageError("there is no attestore.yaml here", hint="Name one, or have one written: attestore init.")
    looks(found)
    installation = found.installation
    check_sources(installation)
    folders = () if installation.gates is None else (installation.gates,)
    read = [(system, gate.named(name, folders=folders)) for system, _, name in gates_of(found)]
    if as_json:
        told: canon.JSON = {
            "file": str(installation.file),
            "systems": list(installation.systems),
            "stores": list(installation.stores),
            "gates": [{"system": system, "gate": loaded.id, "digest": loaded.digest} for system, loaded in read],
        }
        typer.echo(canon.encode(told).decode())
        return 0
    out, _ = consoles()
    out.print(
        Text(
            f"{installation.file} holds nothing that can't be meant: systems {', '.join(installation.systems) or 'none'}; stores "
            f"{', '.join(installation.stores) or 'none'}; gates {', '.join(sorted({each.id for _, each in read})) or 'none'}"
        )
    )
    return 0


def print_schema() -> int:
    """The JSON Schema."""
    typer.echo(canon.encode(schema()).decode())
    return 0


def _shown(each: Effective) -> str:
    if each.value is None:
        return "–"
    plain = [str(one).lower() if isinstance(one, bool) else str(one) for one in _list(each.value)]
    text = ", ".join(plain)
    state = "" if each.found is None else f" ({'there' if each.found else 'NOT there'})"
    return visible(f"{text or '–'}{state}")


def _list(value: canon.JSON) -> list[canon.JSON]:
    return value if isinstance(value, list) else [value]


def _place(each: Effective) -> str:
    """The line of the file, which is named above."""
    _, colon, line = each.origin.rpartition(":")
    return f"line {line}" if colon else each.origin


def _asked(wishes: Wishes) -> Wishes:
    """What no option says, asked on the terminal; an empty answer takes the default that is shown.

    An answer that could not stand in the file is asked for again, before the next question.
    """

    def prompt(question: str, default: str, tried: Callable[[str], Answers]) -> str:
        while True:
            answer = str(typer.prompt(question, default=default, err=True, show_default=bool(default))).strip()
            try:
                draft(tried(answer))
            except (GateError, UsageError) as problem:
                # the line of a file that is not there yet would help nobody
                told = re.sub(r"^attestore\.yaml:\d+:\d+: ", "", problem.message)
                typer.echo("\n  ".join(part for part in (f"  {told}", problem.hint) if part), err=True)
            else:
                return answer

    plain = Answers("main", "service=main", named_stores((_STORE,)), ())
    source = wishes.source or prompt(
        "Source (service=NAME, URI or connection string; no password)",
        "service=",
        lambda said: replace(plain, source=said),
    )
    system = wishes.system or prompt("Name of the system", _system(source), lambda said: replace(plain, system=said))
    stores = wishes.stores or tuple(
        prompt(
            "Where backups go (a folder, or s3://bucket/prefix?endpoint=…; several with spaces)",
            _STORE,
            lambda said: replace(plain, stores=named_stores(said.split())),
        ).split()
    )
    organisation = wishes.organisation or prompt(
        "Whose reports they are (may stay empty)", "", lambda said: replace(plain, organisation=said)
    )
    return replace(wishes, source=source, system=system, stores=stores, organisation=organisation)


def _system(source: str) -> str:
    """The service's or database's name, as far as it can be a system's."""
    try:
        return compose.system_of(source)
    except UsageError:
        return "main"


def _gate(name: str, folder: Path) -> str:
    """A gate as the configuration names it: a path is relative to the file, as is one of the command line to here."""
    gate.named(name)
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        return name
    path = Path(name).absolute()
    return str(path.relative_to(folder.absolute())) if path.is_relative_to(folder.absolute()) else str(path)
