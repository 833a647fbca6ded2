"""restore, runbook: the bad day."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, REPORTS, Home, Json, Language, Paper, Programs, Reports, Roster

__all__ = ["app"]

app = typer.Typer()


@app.command(
    epilog="Example:  attestore restore --backup latest --store /mnt/backups --into 'host=db2 user=postgres dbname=postgres' "
    "--key backup-key.asc --signer 0123456789ABCDEF0123456789ABCDEF01234567 --signer-key operator.asc --dry-run",
)
def restore(  # noqa: PLR0913
    *,
    into: Annotated[
        str,
        typer.Option(
            "--into",
            help="The server that takes the restore, as libpq connection string, URI or service; it names a database "
            "that is there, such as postgres. Passwords: PGPASSWORD or a passfile.",
            metavar="DSN",
        ),
    ],
    backup: Annotated[
        str, typer.Option("--backup", help="latest, oldest, or a backup's id.", metavar="WHICH")
    ] = "latest",
    store: Annotated[
        str,
        typer.Option(
            "--store",
            help="Where the backups are; a name of attestore.yaml, too. Default: the first store there, else store below --home.",
            metavar="DIR|s3://…",
        ),
    ] = "",
    system: Annotated[
        str, typer.Option("--system", help="Whose backup, where the store holds several systems.", metavar="NAME")
    ] = "",
    create: Annotated[
        str, typer.Option("--create", help="Name of the new database; default: the source's.", metavar="NAME")
    ] = "",
    database: Annotated[
        str, typer.Option("--database", help="Fill this one, which is there and empty.", metavar="NAME")
    ] = "",
    allow_non_empty: Annotated[
        bool,
        typer.Option(
            "--allow-non-empty",
            help="Restore beside what --database holds; refused where a table of the backup is there. Drops nothing.",
        ),
    ] = False,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="File of the private key, used in a keyring that is thrown away.", metavar="FILE"),
    ] = None,
    passphrase: Annotated[
        str, typer.Option("--passphrase", help="What opens --key.", metavar="env:NAME|file:PATH")
    ] = "",
    gnupghome: Annotated[
        Path | None, typer.Option("--gnupghome", help="Keyring that holds the private key.", metavar="DIR")
    ] = None,
    roster: Roster = None,
    signer: Annotated[
        str,
        typer.Option(
            "--signer", help="Without a roster: whose signature over the backup counts.", metavar="FINGERPRINT"
        ),
    ] = "",
    signer_key: Annotated[
        Path | None,
        typer.Option(
            "--signer-key", help="The signer's public key; default: from --key or the keyring.", metavar="FILE"
        ),
    ] = None,
    unauthenticated: Annotated[
        bool,
        typer.Option("--unauthenticated", help="Restore a backup that nobody vouches for. It is told and recorded."),
    ] = False,
    logins: Annotated[
        bool,
        typer.Option("--logins", help="Roles that are made get LOGIN and password back, where the backup knows them."),
    ] = False,
    home: Home = HOME,
    jobs: Annotated[int, typer.Option("--jobs", "-j", help="Parallel sessions of restore and proof.", metavar="N")] = 2,
    pg_bin: Programs = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Leave a record of the recovery in this folder.", metavar="DIR")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Check everything, down to opening the backup's small parts; write nothing."),
    ] = False,
    deep: Annotated[
        bool, typer.Option("--deep", help="Before anything is written, fetch and open every part.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup for good: the bad day.

    Needs the store, the private key and the programmes; no configuration, ledger or source. What is restored is
    compared with the proof that the backup carries. Nothing that was there before is dropped or altered.
    """
    from attestore.cli.configured import chosen
    from attestore.cli.recovery import place_of
    from attestore.cli.recovery import restore as carry_out
    from attestore.compose.recovery import Salvage

    order = Salvage(
        backup=backup,
        store=place_of(store, home=home),
        into=into,
        home=home,
        system=system,
        create=create,
        database=database,
        allow_non_empty=allow_non_empty,
        roster=roster,
        signer=signer,
        signer_key=signer_key,
        unauthenticated=unauthenticated,
        key=key,
        passphrase=passphrase,
        gnupghome=gnupghome,
        configured=chosen(),
        jobs=jobs,
        pg_bin=pg_bin,
        logins=logins,
        deep=deep,
    )
    raise typer.Exit(carry_out(order, record=record, dry_run=dry_run, as_json=as_json))


@app.command(
    epilog="Example:  attestore runbook goimg --into runbooks",
)
def runbook(  # noqa: PLR0913
    system: Annotated[str, typer.Argument(help="Whose recovery.", metavar="SYSTEM")],
    *,
    into: Annotated[Path, typer.Option("--into", help="Folder for the pages.", metavar="DIR")] = Path("runbooks"),
    reports: Reports = REPORTS,
    home: Home = HOME,
    roster: Roster = None,
    language: Language = "",
    paper: Paper = "",
    as_json: Json = False,
) -> None:
    """Write a disaster-recovery runbook from the last drill.

    Steps as they were carried out, with commands and measured durations, keys, people, decisions, what to verify and
    to tell; as Markdown and PDF. Without a drill that restored a backup there is none: it would be guesswork.
    """
    from attestore.cli.runbook import Wish, write_runbook

    wish = Wish(
        system=system,
        reports=reports,
        home=home,
        roster=roster,
        into=into,
        paper=paper,
        language=language,
        as_json=as_json,
    )
    raise typer.Exit(write_runbook(wish))
