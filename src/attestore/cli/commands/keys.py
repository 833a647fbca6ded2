"""keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from attestore.cli.options import HOME, Home, Json, Roster

__all__ = ["app"]

app = typer.Typer()
_keys = typer.Typer(help="Make, look at, try and replace keys.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(_keys, name="keys")

_Key = Annotated[
    str, typer.Option("--key", help="Which key; default: the backup key of --home.", metavar="FINGERPRINT")
]
_Passphrase = Annotated[
    str,
    typer.Option(
        "--passphrase",
        help="Where the passphrase of private keys is: env:NAME or file:PATH. Never the passphrase itself.",
        metavar="REF",
    ),
]
_Expires = Annotated[
    str, typer.Option("--expires", help="90d, 2y, 2030-12-31, or 0 for never.", metavar="WHEN", show_default=True)
]
_Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write; default: standard output.", metavar="FILE")
]


@_keys.command(epilog="Example:  attestore keys new --name 'Attestore escrow' --home escrow --paper escrow.txt")
def new(  # noqa: PLR0913
    *,
    name: Annotated[
        str, typer.Option("--name", help="Its user id: Name, or Name <mail@example.org>.", metavar="NAME")
    ] = "",
    signing: Annotated[
        bool, typer.Option("--signing", help="A key that signs, for a person of the roster; else one that encrypts.")
    ] = False,
    expires: _Expires = "2y",
    passphrase: _Passphrase = "",
    paper: Annotated[Path | None, typer.Option("--paper", help="Write its paper backup, too.", metavar="FILE")] = None,
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Make a key that seals backups, or one that signs.

    RSA 4096 with an encryption subkey; one that signs is Ed25519. Without a name it is a backup key, and new backups are sealed to it unless the configuration names others.
    """
    from attestore.cli.keys import Order, make

    raise typer.Exit(
        make(Order(home, roster, passphrase, as_json), name=name, signing=signing, expires=expires, paper=paper)
    )


@_keys.command(name="list", epilog="Example:  attestore keys list --json")
def list_(*, home: Home = HOME, roster: Roster = None, as_json: Json = False) -> None:
    """List keys: use, strength, expiry, private part."""
    from attestore.cli.keys import Order, tell

    raise typer.Exit(tell(Order(home, roster, "", as_json)))


@_keys.command(epilog="Example:  attestore keys check --passphrase file:/run/secrets/backup-key")
def check(
    *,
    key: _Key = "",
    passphrase: _Passphrase = "",
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Try every key that is here.

    A nonce is sealed and opened again, signed and verified; expiry, strength and missing private parts are told. Exit code 71 when a key that is in use can't do what it is for.
    """
    from attestore.cli.keys import Order, check

    raise typer.Exit(check(Order(home, roster, passphrase, as_json), key=key))


@_keys.command(epilog="Example:  attestore keys rotate --expires 2y")
def rotate(  # noqa: PLR0913
    *,
    key: _Key = "",
    to: Annotated[
        str, typer.Option("--to", help="A key that is here already; default: a new one.", metavar="FINGERPRINT")
    ] = "",
    expires: _Expires = "2y",
    passphrase: _Passphrase = "",
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Seal new backups to a new key; keep the old one.

    The old one opens the backups that are sealed to it. Where attestore.yaml lists recipients, the fingerprint there is replaced. The next run enters the change in the ledger.
    """
    from attestore.cli.keys import Order, rotate

    raise typer.Exit(rotate(Order(home, roster, passphrase, as_json), key=key, to=to, expires=expires))


@_keys.command(epilog="Example:  attestore keys paper --output backup-key.txt")
def paper(
    *,
    key: _Key = "",
    output: _Output = None,
    passphrase: _Passphrase = "",
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Print a private key as lines to type back.

    Each line has a check of its own. Secret: print it, put it into a safe, and delete the file. attestore keys import reads it back.
    """
    from attestore.cli.keys import Order, on_paper

    raise typer.Exit(on_paper(Order(home, roster, passphrase, as_json), key=key, output=output))


@_keys.command(name="import", epilog="Example:  attestore keys import escrow-public.asc")
def import_(
    files: Annotated[
        list[Path], typer.Argument(help="Keys as gpg exports them, or a paper backup typed back.", metavar="FILE…")
    ],
    *,
    passphrase: _Passphrase = "",
    home: Home = HOME,
    roster: Roster = None,
    as_json: Json = False,
) -> None:
    """Bring in public or private keys, or a paper backup."""
    from attestore.cli.keys import Order, add

    raise typer.Exit(add(Order(home, roster, passphrase, as_json), files))


@_keys.command(epilog="Example:  attestore keys export --home escrow --output escrow-public.asc")
def export(
    *, key: _Key = "", output: _Output = None, home: Home = HOME, roster: Roster = None, as_json: Json = False
) -> None:
    """Give out a public key."""
    from attestore.cli.keys import Order, export

    raise typer.Exit(export(Order(home, roster, "", as_json), key=key, output=output))
