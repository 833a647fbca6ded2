"""A backup's manifest: what was taken, from where, and every sealed part by digest. Its SHA-256 is the backup's digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from attestore import canon
from attestore.errors import TamperedError

__all__ = ["FORMAT", "Locale", "Manifest", "PartRecord", "decode", "encode"]

FORMAT: Final = "attestore/backup/v1"


@dataclass(frozen=True, slots=True)
class Locale:
    """What a new database needs to be like the source: encoding, collation, character type, provider."""

    encoding: str
    provider: str
    """libc, icu or builtin"""
    collate: str
    ctype: str
    locale: str
    """ICU or builtin locale; empty for libc"""


@dataclass(frozen=True, slots=True)
class PartRecord:
    """One sealed part: `role` is archive, globals or proof."""

    role: str
    name: str
    size: int
    """bytes as stored"""
    digest: canon.Digest
    """SHA-256 of the stored bytes"""
    plain_size: int
    plain_digest: canon.Digest
    """SHA-256 of the bytes before compression and encryption (of the tar stream, for the archive)"""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a stranger needs to fetch, check, open and restore a backup (but the key)."""

    backup: str
    """identity: UTC time, system, random suffix; sorts by time"""
    system: str
    run: str
    """the run that took it"""
    taken: str
    """UTC instant of the snapshot, by the source's clock"""
    snapshot: str
    lsn: str
    database: str
    source_version: str
    source_major: int
    source_identifier: str
    source_size: int
    locale: Locale
    extensions: tuple[tuple[str, str], ...]
    """name and version, as the source has them"""
    engine: str
    """programme and version that made the archive"""
    engine_major: int
    settings: tuple[tuple[str, str], ...]
    """settings of the engine: jobs, compression, format …"""
    recipients: tuple[str, ...]
    """primary key fingerprints the parts are sealed to"""
    key_commitment: canon.Digest
    proof_digest: canon.Digest
    """SHA-256 of the exact bytes of the proof that the sealed proof part carries"""
    parts: tuple[PartRecord, ...]

    @property
    def digest(self) -> canon.Digest:
        """The backup's digest."""
        return canon.sha256_hex(encode(self))

    def part(self, role: str) -> PartRecord:
        """The part of a role.

        Raises:
            TamperedError: there is none, or more than one.
        """
        found = [part for part in self.parts if part.role == role]
        if len(found) != 1:
            raise TamperedError(f"the manifest of {self.backup} lists {len(found)} parts of role {role!r}, not one")
        return found[0]


def encode(manifest: Manifest) -> bytes:
    """The exact bytes of `manifest.json`."""
    where = manifest.locale
    return canon.encode(
        {
            "format": FORMAT,
            "backup": manifest.backup,
            "system": manifest.system,
            "run": manifest.run,
            "taken": manifest.taken,
            "snapshot": manifest.snapshot,
            "lsn": manifest.lsn,
            "database": manifest.database,
            "source_version": manifest.source_version,
            "source_major": manifest.source_major,
            "source_identifier": manifest.source_identifier,
            "source_size": manifest.source_size,
            "locale": [where.encoding, where.provider, where.collate, where.ctype, where.locale],
            "extensions": [[name, version] for name, version in manifest.extensions],
            "engine": manifest.engine,
            "engine_major": manifest.engine_major,
            "settings": [[name, value] for name, value in manifest.settings],
            "recipients": list(manifest.recipients),
            "key_commitment": manifest.key_commitment,
            "proof_digest": manifest.proof_digest,
            "parts": [
                {
                    "role": part.role,
                    "name": part.name,
                    "size": part.size,
                    "digest": part.digest,
                    "plain_size": part.plain_size,
                    "plain_digest": part.plain_digest,
                }
                for part in manifest.parts
            ],
        }
    )


def decode(data: bytes, *, what: str = "manifest.json") -> Manifest:
    """Read a manifest that somebody else may have written.

    Raises:
        TamperedError: not canonical, another format, a field missing, extra or of the wrong type, or a part whose
            name is not a plain file name.
    """
    raw = cast("dict[str, object]", canon.decode(data, what=what))
    try:
        manifest = _read(raw)
        exact = encode(manifest) == data
    except (KeyError, TypeError, ValueError) as problem:
        raise TamperedError(f"{what} is not a manifest of format {FORMAT}: {problem}") from problem
    if not exact or raw["format"] != FORMAT:
        raise TamperedError(f"{what} is not in canonical form, or is not of format {FORMAT}")
    for part in manifest.parts:
        if "/" in part.name or part.name in {"", ".", ".."} or "\0" in part.name:
            raise TamperedError(f"{what} names a part {part.name!r}, which is not a plain file name")
    return manifest


def _read(raw: dict[str, object]) -> Manifest:
    def text(name: str) -> str:
        return canon.as_text(raw[name])

    def number(name: str) -> int:
        return canon.as_whole(raw[name])

    def pairs(name: str) -> tuple[tuple[str, str], ...]:
        return tuple((str(key), str(value)) for key, value in cast("list[list[str]]", raw[name]))

    return Manifest(
        backup=text("backup"),
        system=text("system"),
        run=text("run"),
        taken=text("taken"),
        snapshot=text("snapshot"),
        lsn=text("lsn"),
        database=text("database"),
        source_version=text("source_version"),
        source_major=number("source_major"),
        source_identifier=text("source_identifier"),
        source_size=number("source_size"),
        locale=Locale(*map(str, cast("list[str]", raw["locale"]))),
        extensions=pairs("extensions"),
        engine=text("engine"),
        engine_major=number("engine_major"),
        settings=pairs("settings"),
        recipients=tuple(map(str, cast("list[str]", raw["recipients"]))),
        key_commitment=text("key_commitment"),
        proof_digest=text("proof_digest"),
        parts=tuple(_part(part) for part in cast("list[dict[str, object]]", raw["parts"])),
    )


def _part(raw: dict[str, object]) -> PartRecord:
    return PartRecord(
        role=str(raw["role"]),
        name=str(raw["name"]),
        size=canon.as_whole(raw["size"]),
        digest=str(raw["digest"]),
        plain_size=canon.as_whole(raw["plain_size"]),
        plain_digest=str(raw["plain_digest"]),
    )
