"""Options that several commands share, each declared once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import typer

from attestore.facts import IndexCheck

__all__ = [
    "HOME",
    "REPORTS",
    "DryRun",
    "Escrow",
    "From",
    "Gate",
    "GatesFolder",
    "Home",
    "IndexDepth",
    "Into",
    "Jobs",
    "Json",
    "Key",
    "Language",
    "Method",
    "Operator",
    "Paper",
    "Passphrase",
    "Programs",
    "Reports",
    "Roster",
    "Source",
    "SourceJobs",
    "SourcePause",
    "Store",
    "System",
    "Timestamp",
]

REPORTS: Final = Path("reports")
HOME: Final = Path(".attestore")

Reports = Annotated[Path, typer.Option("--reports", help="Folder of bundles and ledger.", metavar="DIR")]
Home = Annotated[
    Path,
    typer.Option("--home", help="Keys, roster and default store.", metavar="DIR", envvar="ATTESTORE_HOME"),
]
Store = Annotated[
    list[str] | None,
    typer.Option(
        "--store",
        help="Folder, or s3://BUCKET/PREFIX?endpoint=…&region=…, that keeps backups; may be repeated, perhaps as "
        "NAME=…. Default: what attestore.yaml says, else store below --home.",
        metavar="STORE",
    ),
]
From = Annotated[
    str,
    typer.Option(
        "--from",
        help="Store that the backup is fetched from, and no other. Default: the first that has it whole.",
        metavar="NAME",
    ),
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", help="Parallel sessions of dump, proof and restore.", metavar="N")]
IndexDepth = Annotated[
    IndexCheck,
    typer.Option(
        "--index-check",
        help="How deep amcheck looks into restored indexes; auto: heap up to 1 GiB, structure above.",
        metavar="auto|none|structure|heap",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, in one line of standard output.")]
Gate = Annotated[
    list[str] | None,
    typer.Option("--gate", "-g", help="Gate id, or path of a gate file; may be repeated.", metavar="ID|FILE"),
]
GatesFolder = Annotated[
    Path | None, typer.Option("--gates", help="Folder of your own gate files, searched first.", metavar="DIR")
]
Roster = Annotated[
    Path | None, typer.Option("--roster", help="Whom to trust; default: roster.yaml below --home.", metavar="FILE")
]
System = Annotated[
    str, typer.Option("--system", help="Name of the system in reports; default: the database's.", metavar="NAME")
]
Source = Annotated[
    str,
    typer.Option(
        "--source",
        help="libpq connection string, URI or service. Passwords: PGPASSWORD or a passfile.",
        metavar="DSN",
    ),
]
SourceJobs = Annotated[
    int | None,
    typer.Option(
        "--source-jobs",
        help="Sessions at work on the source at once, at most; the dump then goes before the proof. Default: both beside "
        "each other, --jobs of each.",
        metavar="N",
    ),
]
SourcePause = Annotated[
    str,
    typer.Option(
        "--source-pause",
        help="Rest of each session that proves the source between two chunks (16 MiB or 200 tables), such as 50ms. pg_dump "
        "knows no rest. Default: none.",
        metavar="TIME",
    ),
]
Programs = Annotated[
    Path | None, typer.Option("--pg-bin", help="Folder of the PostgreSQL programmes to use.", metavar="DIR")
]
Operator = Annotated[
    str,
    typer.Option(
        "--operator",
        help="Who runs it, written into a new roster on first use of --home; default: your login name.",
        metavar="NAME",
        envvar="ATTESTORE_OPERATOR",
    ),
]
Method = Annotated[
    str,
    typer.Option(
        "--method",
        help="How rows are fingerprinted: audit (each row, in any order) or stream (the dump's own text).",
        metavar="audit|stream",
    ),
]
ShowKeys = Annotated[
    bool,
    typer.Option(
        "--show-keys",
        help="Write the keys of differing rows into the evidence as they are. Default: keyed digests only. Of a missing row "
        "only an integer key can be told.",
    ),
]
Into = Annotated[
    str,
    typer.Option(
        "--into",
        help="Restore into a new database of this existing server, never the source's. Restored code (triggers, "
        "functions) runs there, not isolated from the network. Default: a scratch server is made.",
        metavar="DSN",
    ),
]
Key = Annotated[
    str,
    typer.Option(
        "--key",
        help="Unseal with this private key and no other at hand; the evidence says so (unseal.alone).",
        metavar="FINGERPRINT",
    ),
]
Escrow = Annotated[
    Path | None,
    typer.Option("--escrow", help="Home that holds the key named by --key; default: --home.", metavar="DIR"),
]
Passphrase = Annotated[
    str,
    typer.Option(
        "--passphrase",
        help="Where the passphrase of --key, else of --home's keys, is: env:NAME or file:PATH.",
        metavar="REF",
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan; touch nothing.")]
Language = Annotated[
    str,
    typer.Option("--language", help="Language of the reports: en, de, or one that your templates add.", metavar="CODE"),
]
Paper = Annotated[str, typer.Option("--paper", help="Paper of the reports.", metavar="A4|Letter")]
Timestamp = Annotated[
    str,
    typer.Option(
        "--timestamp",
        help="Have the bundle time-stamped by this authority (RFC 3161).",
        metavar="URL",
        envvar="ATTESTORE_TIMESTAMP",
    ),
]
