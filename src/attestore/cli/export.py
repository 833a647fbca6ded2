"""export: a bundle in the form that another programme reads."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import typer
from rich.text import Text

from attestore import canon, compose
from attestore.archive import disk, read_bundle
from attestore.archive.record import read_record
from attestore.cli.configured import chosen, trusted
from attestore.cli.display import consoles
from attestore.errors import UsageError
from attestore.report.exports import Envelope, Record, What, encode_envelope, junit, oscal, table

__all__ = ["Format", "Request", "export_run"]


class Format(Enum):
    """What people type."""

    DSSE = "dsse"
    OSCAL = "oscal"
    JUNIT = "junit"
    CSV = "csv"
    PADES = "pades"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for on the command line."""

    run: str
    form: Format
    what: str
    reports: Path
    home: Path
    output: Path | None
    as_json: bool
    certificate: Path | None = None
    passphrase: str = ""


def export_run(asked: Request) -> int:
    """Write the export to a file or to standard output; 0."""
    if asked.as_json and asked.output is None:
        raise UsageError(
            "--json tells of a written file, and there is none", hint="Name it with --output FILE, or leave out --json."
        )
    record = read_record(_folder(asked))
    data = _made(record, asked)
    if asked.output is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    disk.replace(asked.output, data)
    digest = canon.sha256_hex(data)
    if asked.as_json:
        told: canon.JSON = {
            "run": record.statement.run,
            "format": asked.form.value,
            "file": str(asked.output),
            "bytes": len(data),
            "sha256": digest,
            "statement": record.digest,
        }
        typer.echo(canon.encode(told).decode())
    else:
        consoles()[1].print(
            Text(
                f"{asked.output}: {asked.form.value} of {record.statement.run}, {len(data):,} bytes\n  SHA-256 {digest}"
            )
        )
    return 0


def _folder(asked: Request) -> Path:
    """A run by its name below --reports, or a bundle by its path."""
    named, path = asked.reports / asked.run, Path(asked.run)
    if "/" not in asked.run and named.is_dir():
        return named
    if path.is_dir():
        return path
    raise UsageError(
        f"there is no run {asked.run!r} in {asked.reports}", hint="Name a folder in it, or give --reports DIR."
    )


def _made(record: Record, asked: Request) -> bytes:
    match asked.form:
        case Format.DSSE:
            plain = Envelope(record.text)
            with compose.sealing(asked.home, roster=trusted(asked.home), configured=chosen()) as seal:
                return encode_envelope(Envelope(record.text, (seal(plain.signed),)))
        case Format.OSCAL:
            return oscal(record)
        case Format.JUNIT:
            return junit(record)
        case Format.CSV:
            return table(record, _table(asked.what))
        case Format.PADES:
            return _certified(record, asked)


def _table(named: str) -> What:
    known = [each for each in What if each.value == (named or What.CHECKS.value)]
    if not known:
        raise UsageError(f"there is no table {named!r}", hint=f"--what {', '.join(each.value for each in What)}")
    return known[0]


def _certified(record: Record, asked: Request) -> bytes:
    """A PDF of the bundle, as its statement lists it, with a signature of its own behind it."""
    if asked.certificate is None:
        raise UsageError(
            "a PDF is signed with a certificate, and none is named",
            hint="Name a PKCS #12 file with --certificate FILE.p12, and its passphrase with --passphrase env:NAME or file:PATH.",
        )
    name = f"{asked.what or 'summary'}.pdf"
    if name not in {each.path for each in record.files}:
        known = ", ".join(sorted(each.path.removesuffix(".pdf") for each in record.files if each.path.endswith(".pdf")))
        raise UsageError(f"the bundle holds no {name}", hint=f"--what {known}")
    pdf = read_bundle(_folder(asked)).read(name)
    certify = compose.certifying(asked.certificate, passphrase=asked.passphrase)
    return certify(pdf, f"{name} of run {record.statement.run}, statement {record.digest}")
