"""Whether a server that exists can hold the database: its extensions, what it was built with, its locales."""

from __future__ import annotations

import re
from typing import Final

import psycopg

from attestore.adapters.postgres.restored import locale_clause
from attestore.adapters.postgres.session import Session, ask
from attestore.errors import Error, ScratchError
from attestore.evidence import Locale
from attestore.ports import Look, SourceFacts

__all__ = ["extensions", "features", "locale"]

_FEATURES: Final = {
    "icu": ("SELECT EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i')", "uses ICU collations"),
    "libxml": ("SELECT '<a/>'::xml IS NOT NULL", "has columns of type xml"),
}


def extensions(session: Session, facts: SourceFacts) -> Look:
    """Whether the server can make what the source has installed."""
    there: dict[str, str] = dict(ask(session, "SELECT name, default_version FROM pg_available_extensions"))
    names = [name for name, _ in facts.extensions]
    missing = [name for name in names if name not in there]
    other = [f"{name} {old} is {there[name]} there" for name, old in facts.extensions if there.get(name, old) != old]
    problem = ScratchError(
        f"the target lacks {', '.join(missing)}, which the source uses",
        hint="Install what holds it on the target's machine, or name another server.",
    )
    return Look(
        "target",
        "extensions",
        f"{len(names) - len(missing)} of {len(names)} are there",
        (problem,) if missing else (),
        advice=f"a restore will have other versions: {'; '.join(other)}" if other else "",
    )


def features(session: Session, facts: SourceFacts) -> Look:
    """Whether the server was built with what the source needs."""
    problems: list[Error] = []
    for name in facts.features:
        question, need = _FEATURES[name]
        try:
            has = bool(ask(session, question)[0][0])
        except psycopg.errors.FeatureNotSupported:
            has = False
        if not has:
            problems.append(
                ScratchError(
                    f"the target was built without {name}, and the source {need}",
                    hint="Name another server with --into.",
                )
            )
    return Look("target", "features", ", ".join(facts.features) or "none needed", tuple(problems))


def locale(session: Session, wanted: Locale, *, major: int) -> Look:
    """Whether the server can make a database of that encoding and locale, as far as its catalogue tells."""
    label = f"{wanted.encoding}, {wanted.provider}, {wanted.locale or wanted.collate}"
    try:
        locale_clause(wanted, major=major)
    except ScratchError as problem:
        return Look("target", "locale", label, (problem,))
    known = {_plain(row[0]) for row in ask(session, "SELECT collcollate FROM pg_collation WHERE collprovider = 'c'")}
    known |= {"c", "posix", *(_plain(row[0]) for row in ask(session, "SELECT datcollate FROM pg_database"))}
    unknown = sorted({name for name in (wanted.collate, wanted.ctype) if _plain(name) not in known})
    return Look(
        "target",
        "locale",
        label,
        advice=f"the target's catalogue does not list {', '.join(unknown)}: creating the database will tell"
        if unknown
        else "",
    )


def _plain(name: object) -> str:
    """Case and punctuation do not count in a codeset."""
    return re.sub(r"[^a-z0-9@_.]", "", str(name or "").lower())
