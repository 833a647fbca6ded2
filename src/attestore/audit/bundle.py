"""One bundle: which files it holds, that every byte of them is signed, and by whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

from attestore import canon, instants
from attestore.archive import Contents, inspect, split
from attestore.archive.layout import STAMP, STATEMENT, SUMS, UNSTATED, UNSUMMED, required
from attestore.audit import content, plausible
from attestore.audit.content import Evidence
from attestore.audit.findings import Notebook
from attestore.audit.signed import Signatures
from attestore.audit.times import NOTHING, Proven, Witness, earlier
from attestore.errors import TamperedError
from attestore.evidence import sums
from attestore.evidence.statement import FileRecord, Statement, decode
from attestore.ports import Inspected

__all__ = ["Audited", "Files", "Witnesses", "audit_bundle", "audit_torso", "digested", "stated", "summed"]

Witnesses: TypeAlias = Callable[[canon.Digest], Witness]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a bundle, each read once; a file that changes between two looks is refused."""

    contents: Contents
    digests: Mapping[str, canon.Digest]

    def read(self, name: str) -> bytes:
        """A file whole, the same bytes that were digested.

        Raises:
            TamperedError: it is missing, too large, or changed meanwhile.
        """
        data = self.contents.read(name)
        if canon.sha256_hex(data) != self.digests.get(name):
            raise TamperedError(f"{name} changed while the audit went on")
        return data


@dataclass(frozen=True, slots=True)
class Audited:
    """What the audit of a bundle hands to the audit of the ledger."""

    run: str
    statement: Statement | None
    statement_digest: canon.Digest
    signer: str
    """fingerprint of the operator who signed the statement; empty where nobody did"""
    evidence: Evidence
    signed: Mapping[str, datetime] = field(default_factory=dict)
    """when the files were signed, by the signatures' own clocks"""
    files: Files | None = None
    """what was sealed"""
    trusted: frozenset[str] = frozenset()
    """names of sealed files whose exact bytes an operator signed"""
    added: Contents | None = None
    """decisions and revisions, which came later and are signed one by one"""


def audit_bundle(
    folder: Path, *, signatures: Signatures, witnesses: Witnesses, at: datetime, book: Notebook
) -> Audited | None:
    """Compare everything in one bundle that can be compared without the ledger; None where there is no bundle.

    `witnesses` says what is known, from elsewhere, about the age of a statement.
    """
    opened = book.attempt("structure", lambda: inspect(folder))
    if opened is None:
        return None
    whole, flaws = opened
    for flaw in flaws:
        book.problem("structure", f"{flaw.name} {flaw.why}.", of=flaw.name)
    contents, added = split(whole)
    files = Files(contents=contents, digests=digested(contents, book=book))
    evidence = content.read(files, book=book)
    _structure(files, evidence=evidence, book=book)
    sums_hold = summed(files, book=book)
    statement = book.attempt("statement", lambda: decode(files.read(STATEMENT)), of=STATEMENT)
    sealed = frozenset[str]() if statement is None else stated(statement, files=files, run=folder.name, book=book)
    when = _instant(statement.ended) if statement is not None else None
    witness = NOTHING if statement is None else witnesses(files.digests.get(STATEMENT, ""))
    stamped = _stamp(files, signatures=signatures, book=book)
    # what the sums list is as old as their signature; where they do not hold, a time stamp says nothing of the rest
    witness = earlier(witness, stamped if sums_hold else None)
    seen = _signers(files, at=when, signatures=signatures, witness=witness, book=book)
    signers = {name: each.fingerprint for name, each in seen.items()}
    signer = signers.get(STATEMENT, "")
    # a drill carries the manifest of an older run; what lies in folders comes later
    made = {name: each.made for name, each in seen.items() if name != "manifest.json" and "/" not in name}
    if statement is not None:
        plausible.signing(made, statement=statement, book=book)
    _one_hand(signers, statement=statement, book=book)
    # what nobody signed is not run: templates, PDF
    trusted = sealed if signer else frozenset[str]()
    content.check(evidence, statement=statement, files=files, trusted=trusted, book=book)
    plausible.check(evidence, statement=statement, at=at, book=book)
    digest = files.digests.get(STATEMENT, "")
    return Audited(folder.name, statement, digest, signer, evidence, made, files, trusted, added)


def audit_torso(folder: Path, *, book: Notebook) -> Audited:
    """Compare what a run that died and was not closed yet has left: its journal, gates and proofs, which nobody signed."""
    opened = book.attempt("structure", lambda: inspect(folder))
    contents, flaws = opened or (Contents(folder=folder, sizes={}), ())
    for flaw in flaws:
        book.problem("structure", f"{flaw.name} {flaw.why}.", of=flaw.name)
    files = Files(contents=contents, digests=digested(contents, book=book))
    evidence = content.read(files, book=book)
    return Audited(run=folder.name, statement=None, statement_digest="", signer="", evidence=evidence)


def digested(contents: Contents, *, book: Notebook) -> dict[str, canon.Digest]:
    """SHA-256 of every file that can be read."""
    digests: dict[str, canon.Digest] = {}
    for name in sorted(contents.names):
        with book.guarded("structure", of=name):
            digests[name] = contents.digest(name)
    return digests


def _structure(files: Files, *, evidence: Evidence, book: Notebook) -> None:
    observations = () if evidence.journal is None else evidence.journal.observations
    missing = required(observations, gates=[gate.id for gate in evidence.gates]) - files.contents.names
    for name in sorted(missing):
        book.problem("structure", f"{name} is missing; a bundle of this kind must hold it.", of=name)
    unsigned = [name for name in sorted(files.contents.names) if _needs_signature(name)]
    for name in unsigned:
        if f"{name}.asc" not in files.contents and name not in missing:
            book.problem("structure", f"{name} has no signature beside it ({name}.asc).", of=name)
    orphans = [n for n in sorted(files.contents.names) if n.endswith(".asc") and n[:-4] not in files.contents]
    for name in orphans:
        book.problem("structure", f"{name} is a signature over a file that is not there.", of=name)
    if not missing:
        book.ok("structure", f"All required files are there; {len(files.digests)} files, no links, nothing oversized.")


def _needs_signature(name: str) -> bool:
    if name in {STATEMENT, SUMS, "manifest.json"}:
        return True
    return "/" not in name and name.endswith((".md", ".pdf")) and name != "VERIFY.md"


def _stamp(files: Files, *, signatures: Signatures, book: Notebook) -> Proven | None:
    """The instant that a time stamp proves; None, and a line, where there is one that proves nothing."""
    if STAMP not in files.digests:
        return None
    stamps = signatures.stamps
    if stamps is None:
        book.note("time stamp", "Not checked: name the authority that you trust with --tsa-ca.", of=STAMP)
        return None
    with book.guarded("time stamp", of=STAMP):
        told = stamps.check(files.read(STAMP), files.read(f"{SUMS}.asc"))
        book.ok(
            "time stamp",
            f"{told.authority} says that the signature of {SUMS}, and so all that it lists, existed {instants.text(told.at)}.",
            of=STAMP,
        )
        return Proven(at=told.at, by=f"a time stamp of {told.authority}")
    return None


def summed(files: Files, *, book: Notebook) -> bool:
    """Whether SHA256SUMS lists exactly the files that are there."""
    listed = book.attempt("sums", lambda: sums.parse(files.read(SUMS)), of=SUMS)
    if listed is None:
        return False
    present = {name: digest for name, digest in files.digests.items() if name not in UNSUMMED}
    return _compare(listed, present, check="sums", lister=SUMS, book=book)


def stated(statement: Statement, *, files: Files, run: str, book: Notebook) -> frozenset[str]:
    """Names of the files whose bytes are those that the statement lists."""
    listed = {record.path: record.digest for record in statement.files}
    present = {name: digest for name, digest in files.digests.items() if name not in UNSTATED}
    _compare(listed, present, check="statement", lister=STATEMENT, book=book)
    for record in statement.files:
        if record.path in files.contents and record.size != files.contents.size(record.path):
            book.problem("statement", f"{record.path} has another size than {STATEMENT} says.", of=record.path)
    book.expect(
        "statement",
        statement.run == run,
        f"{STATEMENT} is of run {run}, like its folder.",
        otherwise=f"{STATEMENT} is of run {statement.run}, but lies in the folder of {run}.",
        of=STATEMENT,
    )
    return frozenset(
        record.path
        for record in statement.files
        if FileRecord(record.path, files.contents.sizes.get(record.path, -1), files.digests.get(record.path, ""))
        == record
    )


def _compare(listed: Mapping[str, str], present: Mapping[str, str], *, check: str, lister: str, book: Notebook) -> bool:
    sound = True
    for name in sorted(listed.keys() | present.keys()):
        expected, actual = listed.get(name, ""), present.get(name, "")
        if expected == actual:
            continue
        sound = False
        if not actual:
            book.problem(check, f"{lister} lists {name}, which is not there.", of=name)
        elif not expected:
            book.problem(check, f"{name} is there, but {lister} does not list it.", of=name)
        else:
            told = f"{actual[:16]}…, {lister} says {expected[:16]}…"
            book.problem(check, f"{name} was changed: its SHA-256 is {told}", of=name)
    if sound:
        book.ok(check, f"{lister} lists exactly the files that are there, each with its SHA-256 ({len(listed)} files).")
    return sound


def _signers(
    files: Files, *, at: datetime | None, signatures: Signatures, witness: Witness, book: Notebook
) -> dict[str, Inspected]:
    """The good signatures, by the file they are over."""
    signers: dict[str, Inspected] = {}
    for name in sorted(files.digests):
        signature = f"{name}.asc"
        if signature not in files.digests:
            continue
        data = book.attempt("signature", lambda signature=signature: files.read(signature), of=signature)  # type: ignore[misc]
        if data is None:
            continue
        seen = signatures.look(
            data,
            files.contents.path(name),
            name=name,
            # a backup may be older than the roster's oldest key of today's operator: its own instant counts
            at=None if name == "manifest.json" else at,
            digest=files.digests[name],
            witness=witness,
            book=book,
        )
        if seen is not None:
            signers[name] = seen
    return signers


def _one_hand(signers: Mapping[str, str], *, statement: Statement | None, book: Notebook) -> None:
    """One run is signed by one person: the operator, or who closed it."""
    hands = {who for name, who in signers.items() if who and name != "manifest.json"}
    if len(hands) > 1:
        book.problem("signature", f"The files of one run are signed by {len(hands)} keys: {', '.join(sorted(hands))}.")
    signer = signers.get(STATEMENT, "")
    if statement is None or not signer or statement.closed_by:
        return
    book.expect(
        "signature",
        signer == statement.operator,
        f"{STATEMENT} is signed by the operator it names.",
        otherwise=f"{STATEMENT} names operator {statement.operator}, but is signed by {signer}.",
        of=STATEMENT,
    )


def _instant(written: str) -> datetime | None:
    try:
        return instants.parse(written)
    except ValueError:
        return None
