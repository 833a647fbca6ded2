"""keys: what was done, in words or as JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.padding import Padding
from rich.text import Text

from attestore import canon, compose, instants
from attestore.cli.configured import chosen
from attestore.cli.display import consoles
from attestore.cli.doctor import looks_json, print_looks
from attestore.compose import keys
from attestore.compose.keys import Listed, Written
from attestore.compose.secrets import told
from attestore.errors import DiskError, KeyringError, UsageError

__all__ = ["Order", "add", "check", "export", "make", "on_paper", "rotate", "tell"]


@dataclass(frozen=True, slots=True)
class Order:
    """Which keys, and what unlocks them."""

    home: Path
    roster: Path | None
    passphrase: str
    as_json: bool

    @property
    def settings(self) -> compose.Settings:
        """The part that decides the tools."""
        configured = chosen()
        return compose.Settings(
            reports=self.home,
            home=self.home,
            roster=self.roster,
            configured=configured,
            passphrase=told("--passphrase", self.passphrase) if self.passphrase else None,
        )


def make(order: Order, *, name: str, signing: bool, expires: str, paper: Path | None) -> int:
    """Make a key and say what comes next."""
    if signing and not name:
        raise UsageError("a key that signs speaks for a person", hint="Say whose: --name 'Kim Example'.")
    _refuse_existing(paper)
    made = keys.make(order.settings, signing=signing, name=name, expires=expires)
    if paper is not None:
        _write_secret(paper, keys.on_paper(order.settings, wanted=made.fingerprint).text)
    if order.as_json:
        return _json({"key": _as_json(made), "paper": None if paper is None else str(paper)})
    out, _ = consoles()
    _print((made,))
    if paper is not None:
        out.print(Text(f"\n Paper backup: {paper}. Print it, put it into a safe, and delete the file."))
    elif not signing:
        out.print(Text("\n Losing it loses the backups. On paper: attestore keys paper --output FILE"))
    if signing:
        out.print(Text(f"\n To trust it, list it in the roster: attestore keys export --key {made.fingerprint}"))
    elif not made.recipient:
        out.print(Text(" Backups are not sealed to it: add its fingerprint to keys: recipients: in attestore.yaml."))
    return 0


def tell(order: Order) -> int:
    """Every key of the home."""
    found = keys.listed(order.settings)
    if order.as_json:
        return _json({"keys": [_as_json(each) for each in found]})
    _print(found)
    return 0


def check(order: Order, *, key: str) -> int:
    """Every key tried; 0, or 71 when one that is in use can't do what it is for."""
    looks = keys.checked(order.settings, wanted=key)
    if order.as_json:
        _json(looks_json(looks))
    else:
        print_looks(looks)
    return KeyringError.exit_code if any(look.problems for look in looks) else 0


def rotate(order: Order, *, key: str, to: str, expires: str) -> int:
    """Replace a recipient."""
    done = keys.rotate(order.settings, wanted=key, to=to, expires=expires)
    if order.as_json:
        file = None if done.file is None else str(done.file)
        return _json({"old": done.old, "new": _as_json(done.new), "configuration": file, "kept": done.kept})
    out, _ = consoles()
    _print((done.new,))
    kept = (
        f"{done.old} stays in the keyring: it opens the backups that are sealed to it."
        if done.kept
        else f"The private key of {done.old} is elsewhere: keep it as long as there are backups sealed to it."
    )
    changed = "" if done.file is None else f"\n {done.file} names the new key now."
    out.print(
        Text(
            f"\n New backups are sealed to {done.new.fingerprint}.{changed}\n {kept}\n"
            " The next run enters the change in the ledger. On paper: attestore keys paper --output FILE"
        )
    )
    return 0


def on_paper(order: Order, *, key: str, output: Path | None) -> int:
    """The page, to a file that only its owner reads or to standard output."""
    _refuse_existing(output)
    page = keys.on_paper(order.settings, wanted=key)
    if output is not None:
        _write_secret(output, page.text)
    if order.as_json or output is None:
        return _given(page, order, output)
    consoles()[1].print(Text(f"{output}: print it, put it into a safe, and delete the file."))
    return 0


def add(order: Order, files: Sequence[Path]) -> int:
    """Bring keys in."""
    found = keys.add(order.settings, files)
    if order.as_json:
        return _json({"keys": [_as_json(each) for each in found]})
    _print(found)
    return 0


def export(order: Order, *, key: str, output: Path | None) -> int:
    """A public key, to a file or to standard output."""
    _refuse_existing(output)
    public = keys.exported(order.settings, wanted=key)
    if output is not None:
        try:
            output.write_text(public.text, encoding="ascii")
        except OSError as problem:
            raise DiskError(f"{output} can't be written: {problem.strerror}") from problem
    return _given(public, order, output) if order.as_json or output is None else 0


def _given(key: Written, order: Order, output: Path | None) -> int:
    """The key itself, or as JSON: whose it is, and the file that holds it or its text."""
    if not order.as_json:
        typer.echo(key.text, nl=False)
        return 0
    where = {"text": key.text} if output is None else {"file": str(output)}
    return _json({"fingerprint": key.fingerprint, **where})


def _refuse_existing(file: Path | None) -> None:
    if file is not None and file.exists():
        raise UsageError(f"{file} is there already", hint="Name another file; nothing is overwritten.")


def _write_secret(file: Path, text: str) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as problem:
        raise DiskError(f"{file} can't be written: {problem.strerror}") from problem


def _print(found: Sequence[Listed]) -> None:
    out, _ = consoles()
    now = compose.clock().now()
    for each in found:
        used = "bold" if each.recipient or each.people else ""
        out.print(Text(each.fingerprint, style=used))
        for part in keys.words(each, now=now).split("; "):
            out.print(Padding(Text(part), (0, 0, 0, 2)))


def _as_json(each: Listed) -> dict[str, canon.JSON]:
    now = compose.clock().now()
    return {
        "fingerprint": each.fingerprint,
        "user_ids": list(each.user_ids),
        "algorithms": list(each.algorithms),
        "created": instants.text(each.created),
        "expires": None if each.expires is None else instants.text(each.expires),
        "days": each.days(now),
        "revoked": each.revoked,
        "private": each.private,
        "locked": each.locked,
        "recipient": each.recipient,
        "people": [{"person": person, "roles": list(roles)} for person, roles in each.people],
    }


def _json(value: canon.JSON) -> int:
    typer.echo(canon.encode(value).decode())
    return 0
