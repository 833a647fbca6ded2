"""list: what the store holds, for people and for scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path

import typer
from rich.text import Text

from attestore import canon, compose, instants
from attestore.cli.display import consoles
from attestore.compose.listing import listing
from attestore.config import Roster
from attestore.config.stores import StorePlace
from attestore.errors import Error, StoreError
from attestore.report import numbers
from attestore.report.words import visible
from attestore.retention import Dropped, Fate, Kept
from attestore.run.listing import Listed, list_backups

__all__ = ["Fates", "list_stores"]

_SHORT = 16


Fates = Mapping[tuple[str, str], Fate]
"""what a policy makes of a backup, by system and id"""


def list_stores(
    *,
    stores: tuple[StorePlace, ...],
    reports: Path,
    roster: Path,
    system: str,
    as_json: bool,
    fates: Callable[[], Fates] | None = None,
) -> int:
    """Print every backup of each store, newest first; 0, whatever is found, or the code of a store that can't be listed.

    `fates` says what becomes of them; None where nobody asked.
    """
    decided = {} if fates is None else fates()
    now = compose.clock().now()
    out, err = consoles()
    told: list[canon.JSON] = []
    problem: Error | None = None
    with listing(reports=reports, roster=roster) as doors:
        for place in stores:
            try:
                opened = doors(place)
                found = list_backups(opened, system=system)
            except StoreError as refused:
                if len(stores) == 1:
                    raise
                problem = problem or refused
                err.print(Text(f"{place.name}: {refused.message}", style="bold red"))
                continue
            told += [
                {
                    "store": place.name,
                    **_as_json(each, opened.roster, now),
                    **_fate_json(each, decided, asked=fates is not None),
                }
                for each in found
            ]
            if as_json:
                continue
            if len(stores) > 1:
                out.print(Text(f"{place.name}  {place.location}{', off-site' if place.off_site else ''}", style="bold"))
            if not found:
                whose = f" of {system}" if system else ""
                err.print(Text(f"{place.location} holds no backup{whose}. Take one with `attestore backup`."))
            for each in found:
                for line in (*_lines(each, opened.roster, now), *_fate(each, decided, asked=fates is not None)):
                    out.print(line)
    if as_json:
        typer.echo(canon.encode(told).decode())
    return 0 if problem is None else problem.exit_code


def _lines(each: Listed, roster: Roster, now: datetime) -> list[Text]:
    about = each.manifest
    age = each.age_ms(now)
    head = Text.assemble((each.backup, "bold"), f"  {each.system}  ")
    if age is None or about is None:
        head.append("INCOMPLETE", style="bold yellow")
        lines = [head]
    else:
        head.append(f"{numbers.duration(age)} old, {numbers.size(sum(p.size for p in about.parts))} sealed")
        lines = [head, Text(f"  {about.engine} of PostgreSQL {about.source_version}, database {about.database}")]
        lines.append(Text(f"  sealed to {', '.join(_who(key, roster) for key in about.recipients)}"))
        signed = (
            f"signed by {_who(each.signer, roster)}, the signature holds" if each.signer else "SIGNATURE DOES NOT HOLD"
        )
        lines.append(Text(f"  {signed}", style="" if each.signer else "bold red"))
    lines += [Text(f"  ✘ {flaw}", style="bold red") for flaw in each.flaws]
    if about is not None:
        lines.append(_proved(each))
    return lines


def _fate(each: Listed, decided: Fates, *, asked: bool) -> Iterator[Text]:
    """What becomes of it by the policy, where somebody asked."""
    fate = decided.get((each.system, each.backup))
    if fate is not None:
        words = " · ".join(visible(reason.words) for reason in fate.reasons)
        yield Text(f"  stays: {words}") if isinstance(fate, Kept) else Text(f"  goes: {words}", style="yellow")
    elif asked:
        yield Text("  stays: its system has no policy")


def _fate_json(each: Listed, decided: Fates, *, asked: bool) -> dict[str, canon.JSON]:
    if not asked:
        return {}
    fate = decided.get((each.system, each.backup))
    reasons = [] if fate is None else [reason.words for reason in fate.reasons]
    return {"fate": "drop" if isinstance(fate, Dropped) else "keep", "reasons": list(reasons)}


def _proved(each: Listed) -> Text:
    if each.drilled is None:
        return Text("  never proved", style="yellow")
    word = "proved" if each.drilled.outcome == "PASS" else f"drilled: {each.drilled.outcome}"
    at = numbers.instant(each.drilled.at)
    return Text(f"  {word} {at} by {each.drilled.run}", style="green" if each.drilled.outcome == "PASS" else "bold red")


def _who(fingerprint: str, roster: Roster) -> str:
    person = roster.person_of(fingerprint)
    return person.name if person is not None else f"key {fingerprint[-_SHORT:]}"


def _as_json(each: Listed, roster: Roster, now: datetime) -> dict[str, canon.JSON]:
    about = each.manifest
    person = roster.person_of(each.signer) if each.signer else None
    return {
        "backup": each.backup,
        "system": each.system,
        "complete": about is not None and not each.flaws,
        "flaws": list(each.flaws),
        "digest": each.digest or None,
        "taken": about.taken if about else None,
        "age_ms": each.age_ms(now),
        "listed": instants.text(now),
        "size_sealed": sum(part.size for part in about.parts) if about else None,
        "size_stored": each.stored,
        "engine": about.engine if about else None,
        "source_version": about.source_version if about else None,
        "database": about.database if about else None,
        "recipients": list(about.recipients) if about else [],
        "signer": each.signer or None,
        "signer_name": person.name if person else None,
        "drilled": None
        if each.drilled is None
        else {"run": each.drilled.run, "at": each.drilled.at, "outcome": each.drilled.outcome},
    }
