"""The audit's checks, each with a switch: a test turns one off and sees that an attack is then no longer named by it.

A check that can be removed without any test going red is a check that nobody needs, or one that does not work.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import timedelta
from typing import Final, TypeAlias

import pytest

from attestore import canon, gate
from attestore.archive.opened import Contents
from attestore.archive.opened import inspect as inspect_bundle
from attestore.audit import anchors, armour, bundle, chain, content, decided, plausible, reports, signed, times
from attestore.config import Roster
from attestore.errors import Error
from attestore.evidence import context, journal, manifest, sums
from attestore.evidence.statement import Statement
from attestore.ports import Inspected
from bundles import MIRA, ROSTER, START

__all__ = ["BY_CHECK", "SWITCHES", "off"]

Patch: TypeAlias = pytest.MonkeyPatch


def silent(room: object, name: str) -> Callable[[Patch], None]:
    """The check does nothing."""
    return lambda patch: patch.setattr(room, name, lambda *_, **__: None)


def forgiving(room: object, name: str) -> Callable[[Patch], None]:
    """The reader of hostile bytes refuses nothing: what it can't read is as if it were not there."""
    real: Callable[..., object] = getattr(room, name)

    def lenient(*words: object, **more: object) -> object:
        try:
            return real(*words, **more)
        except Error:
            return None

    return lambda patch: patch.setattr(room, name, lenient)


def answering(room: object, name: str, answer: Callable[..., object]) -> Callable[[Patch], None]:
    return lambda patch: patch.setattr(room, name, answer)


def _no_flaws(patch: Patch) -> None:
    real = inspect_bundle

    def inspect(*words: object, **more: object) -> tuple[Contents, tuple[()]]:
        contents, _ = real(*words, **more)  # type: ignore[arg-type]
        return contents, ()

    patch.setattr(bundle, "inspect", inspect)


def _all_listed(statement: Statement, **_: object) -> frozenset[str]:
    return frozenset(record.path for record in statement.files)


def _anybody(patch: Patch) -> None:
    """Every signature is a good one of the operator's."""
    accepted = Inspected(MIRA.fingerprint, START, MIRA.created, None, None, "", canon.sha256_hex(b""))
    patch.setattr(armour, "check", lambda *_, **__: None)
    patch.setattr(signed.Signatures, "look", lambda *_, **__: accepted)


def _any_role(patch: Patch) -> None:
    patch.setattr(Roster, "person_of", lambda *_, **__: ROSTER.people[0])
    patch.setattr(signed, "_key", lambda *_: ROSTER.people[0].keys[0])


def _twice(patch: Patch) -> None:
    """Of keys that are said twice, the last one counts."""
    patch.setattr(canon, "_READER", json.JSONDecoder())


def _unseen_folders(patch: Patch) -> None:
    real = reports._folders
    patch.setattr(
        reports,
        "_folders",
        lambda folder, *, named, book: [n for n in real(folder, named=named, book=type(book)("")) if n in named],
    )


def _unread_ledger(patch: Patch) -> None:
    patch.setattr(reports, "audit_ledger", lambda *_, **__: None)
    patch.setattr(reports, "standing_still", lambda *_: nullcontext())


def _unread_point(patch: Patch) -> None:
    patch.setattr(reports, "_checkpoint", lambda *_, **__: None)
    patch.setattr(chain, "reach", lambda *_, **__: True)


SWITCHES: Final[Mapping[str, Callable[[Patch], None]]] = {
    "evidence.journal.read": forgiving(journal, "read"),
    "audit.content._journal": silent(content, "_journal"),
    "audit.content._proofs": silent(content, "_proofs"),
    "proof.decode": forgiving(content, "decode_proof"),
    "evidence.manifest.decode": forgiving(manifest, "decode"),
    "audit.content._manifest": silent(content, "_manifest"),
    "audit.content._verdict": silent(content, "_verdict"),
    "gate.load": forgiving(gate, "load"),
    "audit.content.read": answering(
        content, "read", lambda *_, **__: content.Evidence(None, None, None, None, None, (), ())
    ),
    "evidence.context.decode": forgiving(context, "decode"),
    "audit.content._context": silent(content, "_context"),
    "audit.content._reports": silent(content, "_reports"),
    "audit.content._pictures": silent(content, "_pictures"),
    "archive.inspect": _no_flaws,
    "audit.bundle._structure": silent(bundle, "_structure"),
    "audit.bundle.summed": silent(bundle, "summed"),
    "evidence.sums.parse": forgiving(sums, "parse"),
    "audit.bundle.stated": answering(bundle, "stated", _all_listed),
    "evidence.statement.decode": forgiving(bundle, "decode"),
    "audit.armour.check": silent(armour, "check"),
    "audit.signed.Signatures.look": _anybody,
    "config.Roster.person_of": _any_role,
    "audit.times.rule": answering(times, "rule", lambda *_, **__: ""),
    "audit.bundle._one_hand": silent(bundle, "_one_hand"),
    "audit.plausible.signing": silent(plausible, "signing"),
    "audit.plausible._clocks": silent(plausible, "_clocks"),
    "audit.plausible._order": silent(plausible, "_order"),
    "audit.plausible._phases": silent(plausible, "_phases"),
    "audit.plausible.check": silent(plausible, "check"),
    "audit.chain.times": silent(chain, "times"),
    "audit.chain.reach": answering(chain, "reach", lambda *_, **__: True),
    "audit.reports._checkpoint": _unread_point,
    "audit.chain.agrees": silent(chain, "agrees"),
    "audit.chain._backups": silent(chain, "_backups"),
    "audit.chain._keys": silent(chain, "_keys"),
    "audit.chain.check": answering(chain, "check", lambda *_, **__: {}),
    "audit.reports.audit_ledger": _unread_ledger,
    "audit.reports._folders": _unseen_folders,
    "audit.reports._history": silent(reports, "_history"),
    "audit.decided._objections": answering(decided, "_objections", lambda *_, **__: []),
    "audit.decided._signed": answering(decided, "_signed", lambda *_, **__: True),
    "audit.decided._entered": answering(decided, "_entered", lambda *_: []),
    "audit.decided._misnamed": answering(decided, "_misnamed", lambda *_: []),
    "audit.decided._none_gone": silent(decided, "_none_gone"),
    "audit.decided.SLACK": lambda patch: patch.setattr(decided, "SLACK", timedelta(days=999)),
    "canon._unique": _twice,
    "audit.decided._follows": answering(decided, "_follows", lambda *_, **__: ()),
    "audit.decided._rendered": silent(decided, "_rendered"),
    "audit.decided._listed": silent(decided, "_listed"),
    "audit.decided._complete": silent(decided, "_complete"),
    "audit.decided._revisions": silent(decided, "_revisions"),
    "audit.anchors.hold": answering(anchors, "hold", lambda *_, **__: ()),
}
"""Each check by its place, and how it is switched off"""

BY_CHECK: Final[Mapping[str, tuple[str, ...]]] = {
    "journal": ("evidence.journal.read", "audit.content._journal"),
    "comparison": ("audit.content._proofs",),
    "proof": ("proof.decode", "audit.content._proofs"),
    "manifest": ("audit.content._manifest", "evidence.manifest.decode"),
    "verdict": ("audit.content._verdict",),
    "gate": ("audit.content._verdict", "gate.load", "audit.content.read"),
    "context": ("audit.content._context", "evidence.context.decode", "audit.reports._history"),
    "report": ("audit.content._reports",),
    "pdf": ("audit.content._pictures",),
    "structure": ("archive.inspect", "audit.bundle._structure"),
    "sums": ("audit.bundle.summed", "evidence.sums.parse"),
    "statement": ("audit.bundle.stated", "evidence.statement.decode", "audit.content._manifest"),
    "signature": (
        "audit.armour.check", "audit.signed.Signatures.look", "config.Roster.person_of", "audit.times.rule",
        "audit.bundle._one_hand",
    ),
    "time": (
        "audit.plausible._phases", "audit.plausible._clocks", "audit.plausible._order", "audit.plausible.signing",
        "audit.plausible.check", "audit.chain.times",
    ),
    "ledger": ("audit.chain.agrees", "audit.chain._backups", "audit.chain._keys", "audit.chain.check", "audit.reports.audit_ledger"),
    "checkpoint": ("audit.chain.reach", "audit.reports._checkpoint"),
    "completeness": ("audit.chain.check", "audit.reports._folders"),
    "anchor": ("audit.anchors.hold",),
    "decision": (
        "audit.decided._objections", "audit.decided._signed", "audit.decided._entered", "audit.decided._misnamed",
        "audit.decided._none_gone", "audit.decided.SLACK", "canon._unique",
    ),
    "revision": (
        "audit.decided._follows", "audit.decided._listed", "audit.decided._rendered", "audit.decided._complete",
        "audit.decided._revisions",
    ),
}  # fmt: skip
"""Checks by the word that their lines begin with"""


def off(check: str, found: Callable[[], bool]) -> str:
    """The one check that finds an attack: with it switched off, and nothing else, `found` is false.

    Raises:
        AssertionError: no single check is what finds it.
    """
    for name in BY_CHECK[check]:
        with pytest.MonkeyPatch.context() as patch:
            SWITCHES[name](patch)
            if not found():
                return name
    raise AssertionError(f"switching off any of {', '.join(BY_CHECK[check])} changes nothing")
