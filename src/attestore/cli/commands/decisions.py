"""approve, reject, waive, decisions, status."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Home, Json, Reports, Roster

__all__ = ["app"]

app = typer.Typer()
_decisions = typer.Typer(
    help="Decisions that were made on another machine.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(_decisions, name="decisions")

_Run = Annotated[str, typer.Argument(help="A run in the reports folder, or the path of a bundle.", metavar="RUN")]
_Gate = Annotated[str, typer.Option("--gate", "-g", help="Which gate of the run.", metavar="ID")]
_Person = Annotated[str, typer.Option("--as", help="Who decides: an id of the roster.", metavar="PERSON")]
_Comment = Annotated[str, typer.Option("--comment", "-m", help="What was looked at, in a sentence.", metavar="TEXT")]
_Key = Annotated[
    str, typer.Option("--key", help="Which of the person's keys; default: the one that is here.", metavar="FINGERPRINT")
]
_Keyring = Annotated[
    Path | None,
    typer.Option(
        "--gnupghome",
        help="Keyring that holds the person's private key; default: --home's, then your own.",
        metavar="DIR",
    ),
]
_Export = Annotated[
    Path | None,
    typer.Option(
        "--export",
        help="Write the signed decision to FILE and FILE.asc instead, to be entered where the ledger is kept.",
        metavar="FILE",
    ),
]


@app.command(
    epilog="Example:  attestore approve RUN --gate S9-PROD-004 --as kim --meaning approved --comment 'Report read.'",
)
def approve(  # noqa: PLR0913
    run: _Run,
    *,
    gate: _Gate,
    person: _Person,
    comment: _Comment,
    meaning: Annotated[
        str, typer.Option("--meaning", help="reviewed (printed, does not count) or approved.", metavar="MEANING")
    ] = "approved",
    key: _Key = "",
    gnupghome: _Keyring = None,
    home: Home = HOME,
    roster: Roster = None,
    reports: Reports = REPORTS,
    export: _Export = None,
    as_json: Json = False,
) -> None:
    """Approve a gate of a run that passed, as a person.

    The bundle is audited first. The record is signed with the person's own key, entered in the ledger, and the reports
    are rendered again as a new revision.
    """
    from attestore.cli.decisions import Order, approving, decide

    order = Order(run, gate, person, comment, key=key, gnupghome=gnupghome, home=home, roster=roster, reports=reports, export=export, as_json=as_json)  # fmt: skip
    raise typer.Exit(decide(order, meaning=approving(meaning), waiver=None))


@app.command(
    epilog="Example:  attestore reject RUN --gate S9-PROD-004 --as kim --comment 'The backup is of the wrong cluster.'",
)
def reject(  # noqa: PLR0913
    run: _Run,
    *,
    gate: _Gate,
    person: _Person,
    comment: _Comment,
    key: _Key = "",
    gnupghome: _Keyring = None,
    home: Home = HOME,
    roster: Roster = None,
    reports: Reports = REPORTS,
    export: _Export = None,
    as_json: Json = False,
) -> None:
    """Reject a gate of a run, as a person.

    One person who holds a role of the gate is enough, and nothing but another run takes it back.
    """
    from attestore.cli.decisions import Order, decide
    from attestore.evidence.decision import Meaning

    order = Order(run, gate, person, comment, key=key, gnupghome=gnupghome, home=home, roster=roster, reports=reports, export=export, as_json=as_json)  # fmt: skip
    raise typer.Exit(decide(order, meaning=Meaning.REJECTED, waiver=None))


@app.command(
    epilog="Example:  attestore waive RUN --gate S9-PROD-004 --as kim --comment 'Disk ordered.' --reason 'RTO missed by "
    "2 min' --control 'Standby in B' --until 14d",
)
def waive(  # noqa: PLR0913
    run: _Run,
    *,
    gate: _Gate,
    person: _Person,
    comment: _Comment,
    reason: Annotated[str, typer.Option("--reason", help="Why it can be lived with.", metavar="TEXT")],
    control: Annotated[str, typer.Option("--control", help="What stands in for it meanwhile.", metavar="TEXT")],
    until: Annotated[
        str,
        typer.Option("--until", help="Its end, exclusive, UTC: 14d, 2026-12-20, 2026-12-20T12:00:00Z.", metavar="END"),
    ],
    key: _Key = "",
    gnupghome: _Keyring = None,
    home: Home = HOME,
    roster: Roster = None,
    reports: Reports = REPORTS,
    export: _Export = None,
    as_json: Json = False,
) -> None:
    """Live with a gate that did not pass, for a time, as a person.

    It counts when as many people waive it as would have to approve it. It is bound to this one run: the next finished
    run of the gate decides anew.
    """
    from attestore.cli.decisions import Order, decide
    from attestore.evidence.decision import Meaning

    order = Order(run, gate, person, comment, key=key, gnupghome=gnupghome, home=home, roster=roster, reports=reports, export=export, as_json=as_json)  # fmt: skip
    raise typer.Exit(decide(order, meaning=Meaning.WAIVED, waiver=(reason, control, until)))


@_decisions.command(
    name="import",
    epilog="Example:  attestore decisions import approval.json",
)
def decisions_import(
    file: Annotated[Path, typer.Argument(help="A decision; its signature lies beside it as FILE.asc.", metavar="FILE")],
    *,
    home: Home = HOME,
    reports: Reports = REPORTS,
    as_json: Json = False,
) -> None:
    """Enter a decision that was made elsewhere with --export.

    It is verified like one made here; what may not stand is refused, and nothing is written.
    """
    from attestore.cli.decisions import bring_in

    raise typer.Exit(bring_in(file, home=home, reports=reports, as_json=as_json))


@app.command(
    epilog="Example, a release gate in one line of CI:  attestore status S9-PROD-004 --system goimg --gates gates",
)
def status(  # noqa: PLR0913
    gate: Annotated[str, typer.Argument(help="A gate's id; default: all.", metavar="GATE")] = "",
    *,
    system: Annotated[str, typer.Option("--system", help="Of one system only.", metavar="NAME")] = "",
    at: Annotated[
        str,
        typer.Option(
            "--at", help="As at a date, by what was known then; a day is its last moment, UTC.", metavar="DATE"
        ),
    ] = "",
    gates: Annotated[
        Path | None,
        typer.Option(
            "--gates",
            help="Folder of the gates that count: what another gate of the same id judged is not trustworthy.",
            metavar="DIR",
        ),
    ] = None,
    anchor: Annotated[
        list[str] | None,
        typer.Option(
            "--anchor",
            help="A PDF report that you kept elsewhere; a ledger that was put back does not hold. May be repeated.",
            metavar="PDF[@DATE]",
        ),
    ] = None,
    reports: Reports = REPORTS,
    roster: Roster = None,
    home: Home = HOME,
    as_json: Json = False,
) -> None:
    """Tell what each gate is worth, system by system.

    Exit code 0 for PASS and WAIVED, 1 for FAIL and REJECTED, 3 for the rest; of several, the worst. What it rests on is
    audited first.
    """
    from attestore.cli.status import Question, tell_status

    question = Question(gate=gate, system=system, at=at, gates=gates, anchors=tuple(anchor or ()), reports=reports, roster=roster or home / "roster.yaml", as_json=as_json)  # fmt: skip
    raise typer.Exit(tell_status(question))
