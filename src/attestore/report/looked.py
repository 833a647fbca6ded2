"""What a run looked at before anything happened: sentences of the evidence, in the reader's language.

What was seen is known apart from the names and figures in it. A problem is quoted as it was told: in those words whoever ran it
saw it on the terminal, and many of them are a server's own.
"""

from __future__ import annotations

from typing import Final

from attestore.report.voice import among, later, say

__all__ = ["look_told"]

_AREAS: Final = (
    later("source"),
    later("target"),
    later("store"),
    later("keys"),
    later("programmes"),
    later("machine"),
)
_FINE: Final = later("fine")
_PROBLEM: Final = "IN THE WAY: "
_ADVICE: Final = "note: "
_RECIPIENTS: Final = (later("{n} recipients"), later("1 recipient"))
_EITHER: Final = (later("yes"), later("no"))
_UNKNOWN: Final = later("not known before the restore: there is no pg_config")
_SEEN: Final[dict[str, tuple[str, ...]]] = {
    later("sealing and unsealing a nonce"): _RECIPIENTS,
    later("sealing a nonce"): _RECIPIENTS,
    later("signing a nonce"): (),
    later("reachable"): (later("{database} at {place}"),),
    later("server"): (),
    later("backup"): (later("{backup}, its signature holds"),),
    later("role"): (later("{role}, a superuser"), later("{role}, no superuser")),
    later("names"): (later("SQL_ASCII: bytes of rows are compared as they are"),),
    later("tables readable"): (later("{n} tables"), later("1 table")),
    later("sequences readable"): (later("{n} sequences"), later("1 sequence")),
    later("large objects readable"): (later("{n} large objects"), later("1 large object")),
    later("row level security"): (later("hides no row from this role"),),
    later("standby"): _EITHER,
    later("locks"): (later("{n} needed, about {kept} kept"),),
    later("damaged pages"): (later("are errors"),),
    later("logical slots"): (),
    later("clock"): (
        later("agrees with this machine's"),
        later("ahead of this machine's by {n} ms"),
        later("behind this machine's by {n} ms"),
    ),
    later("version"): (),
    later("another server than the source"): (),
    later("may create a database"): _EITHER,
    later("may write"): _EITHER,
    later("may keep triggers quiet"): _EITHER,
    later("extensions"): (later("{n} of {all} are here"), later("{n} of {all} are there"), _UNKNOWN),
    later("features"): (later("none needed"), _UNKNOWN),
    later("locale"): (),
    later("network"): (later("existing server"),),
    later("disk"): (later("{free} MiB free, {needed} MiB needed"), later("not asked")),
    later("left by earlier runs"): (
        later("nothing"),
        later("{database} ({n} sessions)"),
        later("{database} (1 session)"),
    ),
    later("account of the isolated server"): (later("no account"), later("this one, which is not root")),
    later("network of the isolated server"): (
        later("none (a network namespace of its own)"),
        later("sockets only"),
    ),
    later("round trip of a nonce"): (),
    later("never writes over an object"): (
        *_EITHER,
        later("no: it takes no condition, so each name is looked up before and after it is written"),
    ),
    later("compares SHA-256 sums"): (
        *_EITHER,
        later("no: it doesn't; each request is signed with its own SHA-256, and every byte is read back"),
    ),
    later("keeps versions"): _EITHER,
    later("lock"): (
        later("{lock} and a legal hold; a locked version was tried to be deleted, and the store refused"),
        later("{lock}; a locked version was tried to be deleted, and the store refused"),
    ),
}
"""by what was looked at: what can have been seen"""
_WORTH_KNOWING: Final = (
    later("a long backup may be cancelled (hot_standby_feedback = off, max_standby_streaming_delay = {delay})"),
    later("replication slots are no part of any dump: make them anew after a recovery"),
    later("the age of a backup (RPO) is told by both clocks: synchronise them"),
    later("a restore will have other versions: {versions}"),
    later("the target's catalogue does not list {names}: creating the database will tell"),
    later("this kernel gives us no network namespace: restored code could reach the network"),
    later("restored code (defaults, triggers, functions) can reach whatever that server can reach"),
    later("the free space of an existing server can't be asked for"),
    later("a run still works there, or its programmes do; the next run removes what nobody uses"),
    later("owners, languages, event triggers and publications of others can't be restored: each will be named"),
    later(
        "roles can not be made; owners, languages, event triggers and publications of others can't be restored: each will be "
        "named"
    ),
    later("without TLS: whoever sits between can read names and sizes, and alter what is listed"),
    later("set this machine's clock"),
    later("other than is known of {service}"),
)


def look_told(subject: str, told: str) -> tuple[str, str]:
    """`area: what` and what was seen of it, both in the language of the document."""
    area, _, what = subject.partition(": ")
    place, colon, thing = what.rpartition(": ")
    spoken = f"{place}{colon}{among(thing, _SEEN)}"
    return f"{among(area, _AREAS)}: {spoken}", "; ".join(_pieces(told, _SEEN.get(thing, ())))


def _pieces(told: str, sentences: tuple[str, ...]) -> list[str]:
    seen, problem, more = _cut(told, _PROBLEM)
    if problem:
        # its own words, to the end: what stands in the way may say anything
        return [*(_said(seen, sentences) if seen else ()), say("IN THE WAY: {problem}", problem=more)]
    seen, advice, more = _cut(told, _ADVICE)
    if advice:
        return [
            *(_said(seen, sentences) if seen else ()),
            say("note: {advice}", advice="; ".join(_said(more, _WORTH_KNOWING))),
        ]
    return [say(_FINE)] if told == _FINE else _said(told, sentences)


def _cut(told: str, mark: str) -> tuple[str, str, str]:
    return ("", mark, told.removeprefix(mark)) if told.startswith(mark) else told.partition(f"; {mark}")


def _said(text: str, sentences: tuple[str, ...]) -> list[str]:
    whole = among(text, [each for each in sentences if "; " in each])
    return [among(each, sentences) for each in text.split("; ")] if whole == text else [whole]
