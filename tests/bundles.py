"""A small, complete reports folder with doubles for keys and paper, to be tampered with.

`issue` seals a bundle in the order of a real run. `lies` change a file before it is signed: that is the operator who
holds the keys. Whoever does not hold them edits the folder afterwards.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pikepdf
from typing_extensions import override

from attestore import __version__, canon, gate, instants, report, resources, verdict
from attestore.archive import Bundle, LedgerFile, history, read_bundle
from attestore.archive.layout import UNSUMMED
from attestore.audit import Findings, audit
from attestore.audit.armour import crc24
from attestore.config import Key, Person, Roster, read_roster, roster_text
from attestore.errors import TamperedError
from attestore.evidence import (
    Context,
    Locale,
    Manifest,
    Observation,
    PartRecord,
    Past,
    Step,
    context,
    manifest,
    statement,
    sums,
)
from attestore.evidence import Person as Operator
from attestore.evidence.ledger import BackupStored, Head, RunClosed, RunFinished, RunStarted
from attestore.evidence.statement import GateOutcome
from attestore.facts import Value
from attestore.ports import Attachment, Inspected, Page, Verifier
from attestore.proof import ForeignKey, Object, Proof, Query, Setting, Table, compare
from attestore.proof import Sequence as Counter
from attestore.proof import encode as encode_proof
from attestore.report import Case
from fakes import OneByOne

GATE: Final = b"""\
gate: S9-PROD-004
title: Backup restoration tested
statement: A backup restores into an isolated server, complete and unchanged.
severity: blocking
cadence: 31d
controls:
  - {framework: soc2, id: A1.3}
checks:
  - {id: rto, fact: restore.rto, must: "< 30m"}
  - {id: rows, fact: tables.rows.differing, must: "== 0", of: tables.compared}
  - {id: content, fact: tables.fingerprints.differing, must: "== 0", of: tables.compared}
"""
RUN: Final = "20260301T020000Z-shop-0a1b"
SYSTEM: Final = "shop"
START: Final = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)
AUDITED: Final = datetime(2026, 3, 2, tzinfo=UTC)

_PHASES: Final = {"retrieve": 5, "unseal": 7, "prepare": 300, "schema": 40, "data": 90, "indexes": 30, "finalize": 28}
_BLOCK: Final = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{}\n-----END PGP PUBLIC KEY BLOCK-----\n"


class Pen:
    """Signs with a secret of its own, in the outer form of an armoured OpenPGP signature.

    `expires`, `revoked` and `reason` are what the key says of itself; `clock` is what its holder's clock says.
    """

    def __init__(
        self,
        name: str,
        *,
        expires: datetime | None = None,
        revoked: datetime | None = None,
        reason: str = "",
        clock: datetime | None = None,
        created: datetime | None = None,
    ) -> None:
        self.name = name
        self.secret = hashlib.sha256(name.encode()).digest()
        self.created = created or datetime(2025, 1, 1, tzinfo=UTC)
        self.expires, self.revoked, self.reason = expires, revoked, reason
        self.clock = clock or START

    def at(self, clock: datetime) -> Pen:
        """The same pen at another time."""
        return Pen(self.name, expires=self.expires, revoked=self.revoked, reason=self.reason, clock=clock)

    @property
    def fingerprint(self) -> str:
        return self.secret.hex()[:40].upper()

    def problems(self) -> tuple[()]:
        return ()

    def signature(self, data: bytes) -> bytes:
        made = int(self.clock.timestamp()).to_bytes(8, "big")
        return self._armoured(made, data)

    def matches(self, signature: bytes, data: bytes) -> datetime | None:
        """When a signature over `data` was made by this pen; None if it was not."""
        made = _packets(signature)[20:28]
        if not hmac.compare_digest(self._armoured(made, data), signature):
            return None
        return datetime.fromtimestamp(int.from_bytes(made, "big"), UTC)

    def sign(self, path: Path) -> Path:
        signature = path.with_name(f"{path.name}.asc")
        signature.write_bytes(self.signature(path.read_bytes()))
        return signature

    def _armoured(self, made: bytes, data: bytes) -> bytes:
        packets = bytes.fromhex(self.fingerprint) + made + hmac.digest(self.secret, made + data, "sha256")
        text = base64.b64encode(packets)
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        checksum = b"=" + base64.b64encode(crc24(packets).to_bytes(3, "big"))
        return b"\n".join(
            [b"-----BEGIN PGP SIGNATURE-----", b"", *lines, checksum, b"-----END PGP SIGNATURE-----", b""]
        )


def _packets(signature: bytes) -> bytes:
    lines = signature.split(b"\n")
    return base64.b64decode(b"".join(line for line in lines[2:-2] if not line.startswith(b"=")))


class Glass:
    """Accepts signatures of the pens it knows."""

    def __init__(self, *pens: Pen) -> None:
        self.pens = {pen.fingerprint: pen for pen in pens}

    def verify(self, signature: bytes, data: Path) -> str:
        seen = self.inspect(signature, data)
        if seen.expires is not None or seen.revoked is not None:
            raise TamperedError(f"the key of {data.name} has ended")
        return seen.fingerprint

    def inspect(self, signature: bytes, data: Path) -> Inspected:
        pen = self.pens.get(_packets(signature)[:20].hex().upper())
        made = None if pen is None else pen.matches(signature, data.read_bytes())
        if pen is None or made is None:
            raise TamperedError(f"{data.name} has no good signature by a key of the roster")
        return Inspected(
            pen.fingerprint,
            made,
            pen.created,
            pen.expires,
            pen.revoked,
            pen.reason,
            canon.sha256_hex(data.read_bytes()),
        )


class Press(OneByOne):
    """Prints a blank page that carries its attachments."""

    version = "press 1"

    @override
    def print(self, page: Page, *, attachments: Sequence[Attachment]) -> bytes:
        assert page.html
        return carrier({each.name: each.data for each in attachments})


def carrier(attachments: Mapping[str, bytes]) -> bytes:
    """A PDF that carries files."""
    made = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        for name, data in attachments.items():
            document.attachments[name] = data
        document.save(made, deterministic_id=True)
    return made.getvalue()


MIRA: Final = Pen("mira")
TOMAS: Final = Pen("tomas")
REVIEWER: Final = Pen("reviewer")
STRANGER: Final = Pen("stranger")
GLASS: Final = Glass(MIRA, TOMAS, REVIEWER)


def person(pen: Pen, *roles: str, since: datetime | None = None, until: datetime | None = None) -> Person:
    key = Key(fingerprint=pen.fingerprint, public=_BLOCK.format("mDME").encode(), since=since, until=until)
    return Person(id=pen.name, name=pen.name.title(), roles=roles, keys=(key,))


def roster(*people: Person) -> Roster:
    return read_roster(roster_text(people), where="roster.yaml")


ROSTER: Final = roster(person(MIRA, "operator"), person(TOMAS, "operator"), person(REVIEWER, "approver"))


def past_of(reports: Path, system: str = SYSTEM, *, limit: int = 50, at: datetime | None = None) -> tuple[Past, ...]:
    """The history that the next report of a system tells."""
    return history(reports, system, roster=ROSTER, verifier=GLASS, limit=limit, at=at)


def audited(path: Path, *, known: Roster = ROSTER, at: datetime = AUDITED, glass: Verifier = GLASS) -> Findings:
    """What the audit says of a folder."""
    return audit(path, roster=known, verifier=glass, at=at)


def proof(side: str, *, rows: int = 3, sums: tuple[int, int, int, int] = (11, 22, 33, 44)) -> Proof:
    return Proof(
        side=side,
        database="shop",
        server="PostgreSQL 15.18",
        taken="2026-03-01T02:00:00.400Z",
        method="audit",
        key_commitment=canon.sha256_hex(b"K"),
        session=(Setting("session", "TimeZone", "UTC"),),
        tables=(Table("public", "orders", "table", rows, sums, ("id", "total"), size=8192),),
        objects=(Object("index", "public.orders_pkey", "CREATE UNIQUE INDEX orders_pkey", "valid"),),
        foreign_keys=(ForeignKey("public.orders", "f", "public.people", validated=True, checked=True, orphans=0),),
        sequences=(Counter("public", "orders_id_seq", 3, called=True),),
        probes=(),
        settings=(),
        queries=(Query("rows", "SELECT count(*) FROM public.orders"),),
    )


@dataclass
class Draft:
    """What is sealed; a test changes it to tell another story."""

    run: str = RUN
    system: str = SYSTEM
    start: datetime = START
    gates: tuple[bytes, ...] = (GATE,)
    source: Proof = field(default_factory=lambda: proof("source"))
    restored: Proof = field(default_factory=lambda: proof("restored"))
    pen: Pen = MIRA
    told: Callable[[list[tuple[str, str, Value]]], list[tuple[str, str, Value]]] = field(default=lambda facts: facts)
    """the run's facts as the operator wants them in the journal"""
    clock: Callable[[int], tuple[int, int]] = field(default=lambda number: (number * 20, number * 20))
    """wall time and tick of each line, in ms since the start"""
    lies: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """files as the operator wants them signed"""
    carried: Mapping[str, Callable[[bytes], bytes]] = field(default_factory=dict)
    """attachments as the operator wants them in the PDFs"""
    about: Callable[[Context], Context] = field(default=lambda about: about)
    templates: report.Templates | None = None
    """other than the shipped ones"""
    closer: Pen | None = None
    signed: datetime | None = None
    """when it was signed, by the signer's clock, if not at the end"""

    def at(self, ms: int) -> str:
        return instants.text(self.start + timedelta(milliseconds=ms))


def listing(draft: Draft) -> Manifest:
    return Manifest(
        backup=f"backup-of-{draft.run}",
        system=draft.system,
        run=draft.run,
        taken=draft.at(100),
        snapshot="00000003-0000001B-1",
        lsn="0/1A2B3C8",
        database="shop",
        source_version="15.18",
        source_major=15,
        source_identifier="744100",
        source_size=12_004_352,
        locale=Locale("UTF8", "libc", "C", "C", ""),
        extensions=(),
        engine="pg_dump 15.18",
        engine_major=15,
        settings=(("jobs", "2"),),
        recipients=("0C9A55E1D2B34F7788AA90BB12CD34EF56AB78CD",),
        key_commitment=draft.source.key_commitment,
        proof_digest=canon.sha256_hex(encode_proof(draft.source)),
        parts=(PartRecord("archive", "archive.gpg", 10, canon.sha256_hex(b"s"), 20, canon.sha256_hex(b"p")),),
    )


def facts(draft: Draft) -> list[tuple[str, str, Value]]:
    """Everything a whole run observes."""
    told = listing(draft)
    return [
        ("run.system", "", draft.system),
        ("snapshot.taken", "", told.taken),
        ("backup.id", "", told.backup),
        ("backup.digest", "", told.digest),
        ("backup.size.sealed", "", 10),
        ("restore.ordered", "", draft.at(105)),
        *((f"restore.{phase}", "", took) for phase, took in _PHASES.items()),
        ("restore.rto", "", sum(_PHASES.values())),
        *compare(draft.source, draft.restored).facts,
        ("run.completed", "", True),
    ]


def issue(reports: Path, draft: Draft | None = None) -> Path:
    """A sealed bundle in `reports`, in the ledger and under its checkpoint; its folder."""
    draft = draft or Draft()
    bundle, head = begin(reports, draft)
    facts_told = draft.told(facts(draft))
    for number, (fact, subject, value) in enumerate(facts_told):
        # the RTO is told when it has passed
        wall, tick = draft.clock(number)
        late = 500 if number > [name for name, *_ in facts_told].index("restore.ordered") else 0
        bundle.observe(Observation(draft.at(wall + late), tick + late, fact, subject, value, "a test"))
    _write(bundle, draft, "proof.source.json", encode_proof(draft.source))
    _write(bundle, draft, "proof.restored.json", encode_proof(draft.restored))
    draft.pen.at(draft.start).sign(_write(bundle, draft, "manifest.json", manifest.encode(listing(draft))))
    LedgerFile(reports).append(
        BackupStored(draft.at(700), listing(draft).backup, draft.system, listing(draft).digest, draft.run)
    )
    finish(reports, bundle, draft, head=head)
    return bundle.folder


def begin(reports: Path, draft: Draft) -> tuple[Bundle, Head]:
    """An open bundle whose run is started."""
    bundle = Bundle.create(reports, draft.run)
    loaded = [gate.load(text, where="gate") for text in draft.gates]
    for each in loaded:
        _write(bundle, draft, f"gates/{each.id}.yaml", each.text)
    head = LedgerFile(reports).append(
        RunStarted(
            at=draft.at(0),
            run=draft.run,
            system=draft.system,
            operator=draft.pen.fingerprint,
            gates=tuple((each.id, each.digest) for each in loaded),
        )
    )
    return bundle, head


def finish(reports: Path, bundle: Bundle, draft: Draft, *, head: Head) -> None:
    """Seal in the order of a real run; `draft.closer` seals a run that died."""
    ledger, journal = LedgerFile(reports), bundle.journal()
    signer = (draft.closer or draft.pen).at(draft.signed or draft.start + timedelta(milliseconds=890))
    names = bundle.files()
    gates = tuple(gate.load(bundle.read(n), where=n) for n in names if n.startswith("gates/"))
    verdicts = tuple(verdict.judge(each, journal.observations) for each in gates)
    _write(bundle, draft, "verdict.json", verdict.encode(verdicts))
    past = past_of(reports, draft.system)
    about = draft.about(context_of(draft, head=head, ended=journal.observations[-1].at, past=past))
    _write(bundle, draft, "context.json", context.encode(about))
    templates = draft.templates or report.load_templates(resources.templates_folder())
    for name, text in templates.files().items():
        _write(bundle, draft, f"templates/{name}", text)
    templates = report.templates({n: bundle.read(f"templates/{n}") for n in templates.files()})
    whole = "proof.restored.json" in names
    case = Case(
        context=about,
        observations=journal.observations,
        source=draft.source if whole else None,
        restored=draft.restored if whole else None,
        manifest=listing(draft) if whole else None,
        gates=gates,
        verdicts=verdicts,
    )
    documents = {each.id: report.gate_document(case, each.id) for each in gates}
    documents["summary"] = report.summary_document(case)
    for name, document in documents.items():
        signer.sign(_write(bundle, draft, f"{name}.md", report.markdown(document, templates)))
        signer.sign(_write(bundle, draft, f"{name}.pdf", _paper(bundle, draft)))
    _write(bundle, draft, "VERIFY.md", report.verify_page(case, templates))
    sealed = statement.build(
        about,
        journal,
        gates=[GateOutcome(v.gate, v.gate_digest, v.outcome.name) for v in verdicts],
        backup=(listing(draft).backup, listing(draft).digest) if whole else None,
        files=bundle.statement_files(),
    )
    signer.sign(_write(bundle, draft, "statement.json", statement.encode(sealed)))
    signer.sign(_write(bundle, draft, "SHA256SUMS", bundle.sums()))
    digest = canon.sha256_hex(bundle.read("statement.json"))
    outcomes = tuple((v.gate, v.outcome.name) for v in verdicts)
    if draft.closer is None:
        ledger.append(RunFinished(draft.at(900), draft.run, digest, outcomes))
    else:
        ledger.append(RunClosed(draft.at(900), draft.run, draft.closer.fingerprint, digest, outcomes))
    ledger.checkpoint(signer, at=draft.at(901))
    bundle.close()


def reseal(folder: Path, pen: Pen) -> None:
    """Sums and signatures made again over what is there now, by whoever holds `pen`; the statement stays."""
    for path in [folder / "statement.json", *folder.glob("*.md"), *folder.glob("*.pdf")]:
        if path.name != "VERIFY.md":
            pen.sign(path)
    contents = read_bundle(folder)
    (folder / "SHA256SUMS").write_bytes(
        sums.build({name: contents.digest(name) for name in contents.names if name not in UNSUMMED})
    )
    pen.sign(folder / "SHA256SUMS")


def _write(bundle: Bundle, draft: Draft, name: str, data: bytes) -> Path:
    lie = draft.lies.get(name)
    return bundle.write(name, data if lie is None else lie(data))


def context_of(draft: Draft, *, head: Head, ended: str, past: tuple[Past, ...] = ()) -> Context:
    """What a report of the run tells beside its evidence."""
    who = ROSTER.person_of(draft.pen.fingerprint)
    return Context(
        run=draft.run,
        system=draft.system,
        scenario="Loss of the server",
        started=draft.at(0),
        ended=ended,
        operator=Operator(draft.pen.name, who.name if who else "?", ("operator",), draft.pen.fingerprint),
        closed_by="" if draft.closer is None else draft.closer.name,
        roster_digest=ROSTER.digest,
        ledger_count=head.count,
        ledger_head=head.digest,
        plan=(Step("dump", "pg_dump", "workspace"),),
        history=past,
        attestore=__version__,
        renderer=report.RENDERER,
        language="en",
        paper="A4",
    )


def _paper(bundle: Bundle, draft: Draft) -> bytes:
    """A one-page PDF that carries the evidence."""
    names: Sequence[str] = [
        name
        for name in bundle.files()
        if name.endswith(".json") or name == "journal.jsonl" or name.startswith("gates/")
    ]
    carried: dict[str, bytes] = {}
    for name in names:
        data, lie = bundle.read(name), draft.carried.get(name)
        carried[name.removeprefix("gates/")] = data if lie is None else lie(data)
    return carrier(carried)
