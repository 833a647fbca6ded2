"""approve, reject, waive and decisions import: audit, draft, refuse or sign, enter or export."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import typer
from rich.text import Text

from attestore import canon, compose, instants
from attestore.archive import SignedRecord, disk, layout
from attestore.archive.opened import read_file
from attestore.audit import audit
from attestore.cli import dates
from attestore.cli.configured import chosen as configuration
from attestore.cli.configured import trusted
from attestore.cli.display import Quiet, consoles
from attestore.cli.log import concern
from attestore.errors import TamperedError, UsageError
from attestore.evidence import Person, decision
from attestore.evidence.decision import Decision, Meaning, Waiver
from attestore.report import numbers
from attestore.run import Entered, Wish, accept, draft, enter, read_sealed, superseded
from attestore.standing import wanted

__all__ = ["Order", "approving", "bring_in", "decide"]

_APPROVING: Final = {"reviewed": Meaning.REVIEWED, "approved": Meaning.APPROVED}


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for on the command line."""

    run: str
    gate: str
    person: str
    comment: str
    key: str
    gnupghome: Path | None
    home: Path
    roster: Path | None
    reports: Path
    export: Path | None
    as_json: bool

    @property
    def folder(self) -> Path:
        """Of the bundle: a path as it is, a run's name below the reports folder."""
        return Path(self.run) if "/" in self.run else self.reports / self.run


def approving(written: str) -> Meaning:
    """The meaning of an approval.

    Raises:
        UsageError: it has none of that name.
    """
    if written not in _APPROVING:
        raise UsageError(f"--meaning {written!r} is unknown", hint="--meaning reviewed, or --meaning approved")
    return _APPROVING[written]


def decide(order: Order, *, meaning: Meaning, waiver: tuple[str, str, str] | None) -> int:
    """Sign a decision as a person, and enter it where the ledger is kept; 0 when it counts."""
    folder = order.folder
    if not layout.is_run(folder.name) or not (folder / layout.STATEMENT).is_file():
        raise UsageError(
            f"there is no sealed bundle {folder}",
            hint=f"Name a finished run below {order.reports}, or a bundle's path.",
        )
    reports = folder.parent
    if order.export is None:
        _finish_what_was_begun(reports, folder.name, home=order.home)
    with compose.auditing(order.roster or trusted(order.home)) as trust:
        found = audit(folder, roster=trust.roster, verifier=trust.verifier, at=trust.clock.now())
        if found.problems:
            first = found.problems[0]
            raise TamperedError(
                f"{folder.name} is not intact, so nothing can be decided on it: {first.subject}: {first.sentence}",
                hint=f"Run `attestore audit {reports}`; it found {numbers.counted(len(found.problems), 'problem')}.",
            )
        someone = compose.named(trust.roster, order.person)
        sealed = read_sealed(folder, roster=trust.roster)
        earlier = _lying_there(folder)
        if order.export is None:
            superseded(reports, sealed, gate=order.gate)
        with compose.pen(
            someone, home=order.home, gnupghome=order.gnupghome, key=order.key, configured=configuration()
        ) as pen:
            now = trust.clock.now()
            person = Person(someone.id, someone.name, someone.roles, pen.signer.fingerprint)
            terms = None if waiver is None else Waiver(waiver[0], waiver[1], instants.text(_end(waiver[2], now=now)))
            chosen = draft(Wish(order.gate, meaning, order.comment, terms), sealed=sealed, person=person, at=now)
            accept(chosen, sealed=sealed, earlier=earlier, roster=trust.roster, at=now)
            unsigned = pen.folder / f"{chosen.name}.json"
            unsigned.write_bytes(decision.encode(chosen))
            signature = pen.signer.sign(unsigned).read_bytes()
            trust.verifier.verify(signature, unsigned)
            if order.export is not None:
                return _exported(order.export, chosen, signature, as_json=order.as_json)
            signed = SignedRecord(chosen.name, decision.encode(chosen), signature, unsigned)
            return _told(_enter(reports, folder.name, signed, home=order.home), order.as_json)


def bring_in(file: Path, *, home: Path, reports: Path, as_json: bool) -> int:
    """Enter a decision that arrived as a signed file; 0 when it counts."""
    record = read_file(file, limit=layout.LARGEST_SIGNATURE)
    signature = read_file(file.with_name(f"{file.name}.asc"), limit=layout.LARGEST_SIGNATURE)
    chosen = decision.decode(record, what=str(file))
    if not (reports / chosen.run / layout.STATEMENT).is_file() or not layout.is_run(chosen.run):
        raise UsageError(
            f"{file} decides on run {chosen.run}, which is not in {reports}", hint="Name its folder with --reports DIR."
        )
    _finish_what_was_begun(reports, chosen.run, home=home)
    with compose.auditing(trusted(home)) as trust:
        found = audit(reports / chosen.run, roster=trust.roster, verifier=trust.verifier, at=trust.clock.now())
        if found.problems:
            raise TamperedError(
                f"{chosen.run} is not intact, so nothing can be entered: {found.problems[0].sentence}",
                hint=f"Run `attestore audit {reports}`.",
            )
        # what was read, not what whoever brought the file puts there next
        signed = SignedRecord(chosen.name, record, signature, trust.aside(record))
        return _told(_enter(reports, chosen.run, signed, home=home), as_json)


def _finish_what_was_begun(reports: Path, run: str, *, home: Path) -> None:
    """What a command that died had begun is told and brought to its end, before anybody decides anew."""
    _, err = consoles()
    done = _enter(reports, run, None, home=home)
    for gone in done.removed:
        err.print(Text(f"Removed {gone}, left half made by a command that died."))
    for each in done.decisions:
        err.print(
            Text(
                f"Entered the {each.act.value} of {each.gate} by {each.person.name}, which a command that died had left."
            )
        )


def _enter(reports: Path, run: str, signed: SignedRecord | None, *, home: Path) -> Entered:
    concern(run)
    _, err = consoles()
    settings = compose.Settings(
        reports=reports,
        home=home,
        roster=trusted(home),
        configured=configuration(),
    )
    watcher = Quiet(err, clock=compose.clock())
    with compose.keeping(settings, watcher=watcher) as tools:
        entered = enter(reports, run, signed=signed, tools=tools)
        watcher.end()
    return entered


def _lying_there(folder: Path) -> tuple[Decision, ...]:
    """The decisions of a bundle, which the audit has found to count."""
    place = folder / layout.DECISIONS
    files = sorted(place.glob("*.json")) if place.is_dir() else []
    return tuple(decision.decode(read_file(path, limit=layout.LARGEST_SIGNATURE), what=path.name) for path in files)


def _end(written: str, *, now: datetime) -> datetime:
    """When a waiver ends: a time from now, a day's first moment, or an instant."""
    try:
        if dates.is_day(written) or "T" in written:
            return dates.instant(written, of_day="00:00:00.000")
        return now + timedelta(milliseconds=instants.duration_ms(written))
    except ValueError as problem:
        raise UsageError(
            f"--until {written!r} is no end of a waiver", hint="Write 14d, 2026-12-20 or 2026-12-20T12:00:00Z, in UTC."
        ) from problem


def _exported(file: Path, chosen: Decision, signature: bytes, *, as_json: bool) -> int:
    disk.write_new(file, decision.encode(chosen))
    disk.write_new(file.with_name(f"{file.name}.asc"), signature)
    if as_json:
        typer.echo(canon.encode({"decision": chosen.digest, "file": str(file), "signature": f"{file}.asc"}).decode())
        return 0
    out, _ = consoles()
    out.print(
        Text(f"{file}\n{file}.asc\n\n Bring both to where the ledger is kept: attestore decisions import {file.name}")
    )
    return 0


def _told(entered: Entered, as_json: bool) -> int:  # noqa: FBT001
    made = entered.revision
    if as_json:
        said: canon.JSON = {
            "decisions": [
                {"gate": d.gate, "act": d.act.value, "person": d.person.id, "record": d.digest}
                for d in entered.decisions
            ],
            "revision": None if made is None else made.number,
            "reports": None if entered.folder is None else str(entered.folder),
            "gates": [
                {
                    "gate": w.gate,
                    "standing": w.standing,
                    "until": w.until,
                    "missing_roles": list(w.missing),
                    "missing_people": w.more,
                }
                for w in (() if made is None else made.worth)
            ],
        }
        typer.echo(canon.encode(said).decode())
        return 0
    out, _ = consoles()
    for each in entered.decisions:
        out.print(Text(f"{each.person.name} {each.meaning.value} {each.gate} of {each.run}."))
    decided = {each.gate for each in entered.decisions}
    for worth in () if made is None else made.worth:
        if worth.gate in decided:
            until = f", until {numbers.instant(worth.until)}" if worth.until else ""
            needs = wanted(worth.missing, worth.more, so_far=bool(worth.people))
            still = f"; needs {needs}" if needs else ""
            out.print(Text(f"{worth.gate}: {worth.standing}{until}{still}."))
    if entered.folder is not None:
        out.print(Text(f"\n Reports, rendered again: {entered.folder}"))
    return 0
