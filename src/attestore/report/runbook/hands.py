"""By hand: the same recovery with nothing but gpg, zstd and PostgreSQL's programmes, part by part, with what to expect."""

from __future__ import annotations

from attestore.evidence import Manifest
from attestore.evidence.manifest import Locale
from attestore.report import numbers
from attestore.report.blocks import Align, Cell, Column, Table
from attestore.report.runbook.commands import shell_word
from attestore.report.voice import say

__all__ = ["parts_table", "script"]

_FOLDER = ".tar.zst.gpg"
_FILE = ".zst.gpg"


def parts_table(listing: Manifest) -> Table:
    """What has to be fetched, and how it is known to be whole."""
    rows: list[tuple[Cell, ...]] = [(part.name, numbers.count(part.size), part.digest) for part in listing.parts]
    columns = (
        Column(say("Part"), mono=True),
        Column(say("Bytes"), Align.RIGHT),
        Column("SHA-256", mono=True, wide=True),
    )
    return Table(
        columns,
        tuple(rows),
        caption=say("The parts of the backup that was rehearsed; another backup's are in its own manifest.json"),
    )


def script(listing: Manifest, *, jobs: int) -> str:
    """Commands for a shell, to be given one by one; a name is quoted, whatever it is."""
    archive = listing.part("archive").name
    folder = archive.endswith(_FOLDER)
    plain = archive.removesuffix(_FOLDER if folder else _FILE)
    opened = f"{'tar -x -C' if folder else 'cat >'} {shell_word(f'work/{plain}')}"
    where = shell_word(f"work/{plain}")
    database = shell_word(listing.database)
    lines = [
        "cd $STORE/$SYSTEM/$BACKUP",
        f"gpg --verify manifest.json.asc manifest.json   # {say('must say: Good signature, by the fingerprint of section 2')}",
        f"sha256sum *.gpg                                # {say('must be the digests that manifest.json lists')}",
        f"mkdir -m 700 work{f' {where}' if folder else ''}",
        f"gpg --decrypt {shell_word(archive)} | zstd -d | {opened}",
        f"gpg --decrypt {shell_word(listing.part('globals').name)} | zstd -d > work/globals.json   # {say('roles and settings, as JSON')}",
        f"# {say('make the roles that globals.json lists and the server lacks: CREATE ROLE … NOLOGIN')}",
        f"createdb --template=template0 {_locale(listing.locale)} {database}",
    ]
    parallel = f" --jobs={jobs}" if jobs > 1 else ""
    lines += [
        f"pg_restore --section={section}{parallel} --no-subscriptions --no-tablespaces --dbname={database} {where}"
        for section in ("pre-data", "data", "post-data")
    ]
    lines += [
        f"vacuumdb --analyze-only --dbname={database}",
        f"# {say('give the database its owner, rights and settings out of globals.json: ALTER DATABASE …')}",
        "rm -r work",
    ]
    return "\n".join(lines)


def _locale(where: Locale) -> str:
    words = [f"--encoding={shell_word(where.encoding)}", f"--lc-collate={shell_word(where.collate)}"]
    words.append(f"--lc-ctype={shell_word(where.ctype)}")
    if where.provider != "libc":
        words.append(f"--locale-provider={where.provider} --{where.provider}-locale={shell_word(where.locale)}")
    return " ".join(words)
