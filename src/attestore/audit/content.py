"""What a bundle says, computed again from what it saw: comparison, verdict, reports."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Protocol, TypeVar

from attestore import __version__, canon, gate, report, resources, verdict
from attestore.amounts import amount
from attestore.archive import Contents
from attestore.archive.layout import JOURNAL
from attestore.audit import pdf
from attestore.audit.findings import Notebook
from attestore.errors import ArchiveError
from attestore.evidence import Context, Journal, Manifest, context, journal, manifest
from attestore.evidence.statement import Statement
from attestore.gate import Gate
from attestore.proof import Proof, compare
from attestore.proof import decode as decode_proof
from attestore.report import Case, Renderer, Templates, numbers
from attestore.verdict import GateVerdict

__all__ = ["Evidence", "agree", "check", "read"]

_T = TypeVar("_T")


class Reader(Protocol):
    """The files of one bundle."""

    @property
    def contents(self) -> Contents:
        """Which there are."""
        ...

    @property
    def digests(self) -> Mapping[str, canon.Digest]:
        """SHA-256 by name."""
        ...

    def read(self, name: str) -> bytes:
        """A file whole."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What could be read of a bundle; None where a file is missing or a line says why it can't be read."""

    journal: Journal | None
    source: Proof | None
    restored: Proof | None
    manifest: Manifest | None
    context: Context | None
    gates: tuple[Gate, ...]
    verdicts: tuple[GateVerdict, ...]


def read(files: Reader, *, book: Notebook) -> Evidence:
    """Read all evidence strictly; whatever is not in its exact form becomes a line."""

    def known(name: str, decode: Callable[[bytes], _T], check: str) -> _T | None:
        return book.attempt(check, lambda: decode(files.read(name)), of=name) if name in files.contents else None

    told = known(JOURNAL, journal.read, "journal")
    gates: list[Gate] = []
    for name in sorted(files.contents.names):
        if name.startswith("gates/"):
            loaded = known(name, partial(_gate, where=name), "gate")
            if loaded is None:
                continue
            if book.expect(
                "gate",
                name == f"gates/{loaded.id}.yaml",
                f"{name} loads: {numbers.counted(len(loaded.checks), 'check')}.",
                otherwise=f"{name} holds gate {loaded.id}, not the one it is named after.",
                of=name,
            ):
                gates.append(loaded)
    gates.sort(key=lambda each: each.id)
    observations = () if told is None else told.observations
    return Evidence(
        journal=told,
        source=known("proof.source.json", lambda data: decode_proof(data, what="proof.source.json"), "proof"),
        restored=known("proof.restored.json", lambda data: decode_proof(data, what="proof.restored.json"), "proof"),
        manifest=known("manifest.json", manifest.decode, "manifest"),
        context=known("context.json", context.decode, "context"),
        gates=tuple(gates),
        verdicts=() if told is None else tuple(verdict.judge(each, observations) for each in gates),
    )


@lru_cache(maxsize=64)
def _gate(data: bytes, where: str) -> Gate:
    """The gate in a file; of a thousand runs that one judged, it is read once."""
    return gate.load(data, where=where)


def check(
    evidence: Evidence, *, statement: Statement | None, files: Reader, trusted: Collection[str], book: Notebook
) -> None:
    """Compute again whatever can be; `trusted` are names of files whose exact bytes an operator signed."""
    agree(evidence, statement=statement, files=files, book=book)
    with book.guarded("report"):
        _reports(evidence, files=files, trusted=trusted, book=book)
    _pictures(evidence, files=files, trusted=trusted, book=book)


def agree(evidence: Evidence, *, statement: Statement | None, files: Reader, book: Notebook) -> None:
    """Compare what needs no trust: the parts of the evidence with each other, and the verdict with both."""
    if evidence.journal is not None:
        _journal(evidence.journal, statement=statement, book=book)
    _proofs(evidence, book=book)
    _manifest(evidence, statement=statement, files=files, book=book)
    _verdict(evidence, statement=statement, files=files, book=book)
    if evidence.context is not None and statement is not None:
        _context(evidence.context, statement=statement, book=book)


def _journal(told: Journal, *, statement: Statement | None, book: Notebook) -> None:
    if statement is None:
        book.problem("journal", "The chain holds, but nothing says where it ends.", of=JOURNAL)
        return
    book.expect(
        "journal",
        (len(told), told.head) == (statement.journal_count, statement.journal_head),
        f"Each of {len(told)} lines is bound to the one before it; count and head are those of the statement.",
        otherwise=f"The chain holds, but ends after {amount(len(told), 'line')} at {told.head[:16]}…; the statement says "
        f"{amount(statement.journal_count, 'line')}, {statement.journal_head[:16]}….",
        of=JOURNAL,
    )


def _proofs(evidence: Evidence, *, book: Notebook) -> None:
    source, restored, told = evidence.source, evidence.restored, evidence.journal
    for proof, side, name in (
        (source, "source", "proof.source.json"),
        (restored, "restored", "proof.restored.json"),
    ):
        if proof is not None:
            book.expect(
                "proof",
                proof.side == side,
                f"In exact form: {numbers.counted(len(proof.tables), 'table')}, {numbers.counted(proof.rows, 'row')}, "
                f"{numbers.counted(len(proof.objects), 'object')}.",
                otherwise=f"It is the proof of the {proof.side} side, not of the {side} side.",
                of=name,
            )
    if source is None or restored is None or told is None:
        return
    computed = {(fact, subject): value for fact, subject, value in compare(source, restored).facts}
    names = {fact for fact, _ in computed}
    seen = [(o.fact, o.subject, o.value) for o in told.observations if o.fact in names]
    wrong = [(fact, subject, value) for fact, subject, value in seen if computed.get((fact, subject)) != value]
    absent = computed.keys() - {(fact, subject) for fact, subject, _ in seen}
    for fact, subject, value in wrong:
        again = computed.get((fact, subject), "nothing")
        book.problem(
            "comparison",
            f"The journal says {_label(fact, subject)} = {value}; the two proofs give {again}.",
            of=JOURNAL,
        )
    # a run that broke off, or one of a version with fewer facts, may tell less: its gates then know less, never more
    whole = any(o.fact == "run.completed" and o.value is True for o in told.observations)
    ours = evidence.context is not None and (evidence.context.attestore, evidence.context.closed_by) == (
        __version__,
        "",
    )
    tell = book.problem if whole and ours else book.note
    for fact, subject in sorted(absent):
        tell(
            "comparison",
            f"The two proofs give {_label(fact, subject)} = {computed[fact, subject]}; the journal does not tell it.",
            of=JOURNAL,
        )
    if not wrong and not absent:
        book.ok("comparison", f"The two proofs, compared again, give the journal's {len(computed)} facts.")


def _label(fact: str, subject: str) -> str:
    return f"{fact} of {subject}" if subject else fact


def _manifest(evidence: Evidence, *, statement: Statement | None, files: Reader, book: Notebook) -> None:
    listing, name = evidence.manifest, "manifest.json"
    if listing is None:
        if statement is not None and name not in files.contents:
            book.expect(
                "statement",
                (statement.subject, statement.subject_digest) == (JOURNAL, files.digests.get(JOURNAL)),
                "The run stopped before there was a backup; the statement speaks of its journal.",
                otherwise=f"The statement speaks of {statement.subject}, whose digest nothing here has.",
            )
        return
    digest = files.digests[name]
    if statement is not None:
        book.expect(
            "manifest",
            (statement.subject, statement.subject_digest) == (f"backup/{listing.backup}", digest),
            f"The statement speaks of backup {listing.backup}, and of this manifest by digest.",
            otherwise=f"The statement speaks of {statement.subject}, {statement.subject_digest[:16]}…; "
            f"this is the manifest of {listing.backup}, {digest[:16]}….",
            of=name,
        )
        if listing.system != statement.system:
            book.problem("manifest", f"It is of system {listing.system}; the run was on {statement.system}.", of=name)
    observations = () if evidence.journal is None else evidence.journal.observations
    for fact, value in (("backup.digest", digest), ("backup.id", listing.backup)):
        told = {o.value for o in observations if o.fact == fact}
        if told and told != {value}:
            book.problem("manifest", f"The journal says {fact} = {', '.join(sorted(map(str, told)))}.", of=name)
    carried = "proof.source.json"
    if carried in files.contents:
        book.expect(
            "manifest",
            files.digests[carried] == listing.proof_digest,
            "The archived proof of the source is the one that the backup carries, by the digest in the manifest.",
            otherwise="The archived proof of the source is not the one that the manifest names by digest.",
            of=carried,
        )
    for proof in (evidence.source, evidence.restored):
        if proof is not None and proof.key_commitment != listing.key_commitment:
            book.problem(
                "manifest", f"The {proof.side} proof was made with another key than the manifest says.", of=name
            )


def _verdict(evidence: Evidence, *, statement: Statement | None, files: Reader, book: Notebook) -> None:
    name = "verdict.json"
    if evidence.journal is None or name not in files.contents:
        return
    stored = book.attempt("verdict", lambda: files.read(name), of=name)
    if stored is None:
        return
    outcomes = ", ".join(f"{v.gate} {v.outcome.name}" for v in evidence.verdicts) or "no gate"
    book.expect(
        "verdict",
        verdict.encode(evidence.verdicts) == stored,
        f"Judged again from gates and journal, byte for byte the same: {outcomes}.",
        otherwise=f"Judged again from gates and journal, the verdict is another: {outcomes}.",
        of=name,
    )
    if statement is None:
        return
    stated = {(g.gate, g.digest, g.outcome) for g in statement.gates}
    judged = {(v.gate, v.gate_digest, v.outcome.name) for v in evidence.verdicts}
    book.expect(
        "gate",
        stated == judged,
        f"Gates, their digests and outcomes are those of the statement ({len(stated)}).",
        otherwise=f"The statement names {_gates(stated - judged)}; the bundle's gates give {_gates(judged - stated)}.",
    )


def _gates(gates: set[tuple[str, str, str]]) -> str:
    return ", ".join(f"{name} ({digest[:12]}…) {outcome}" for name, digest, outcome in sorted(gates)) or "none"


def _context(about: Context, *, statement: Statement, book: Notebook) -> None:
    pairs = (
        ("run", about.run, statement.run),
        ("system", about.system, statement.system),
        ("start", about.started, statement.started),
        ("end", about.ended, statement.ended),
        ("operator", about.operator.fingerprint, statement.operator),
        ("closer", about.closed_by, statement.closed_by),
        ("version", about.attestore, statement.attestore),
        ("ledger count", str(about.ledger_count), str(statement.ledger_count)),
        ("ledger head", about.ledger_head, statement.ledger_head),
    )
    differing = [f"{what} ({ours} / {theirs})" for what, ours, theirs in pairs if ours != theirs]
    book.expect(
        "context",
        not differing,
        "Run, system, times, operator and ledger are those of the statement.",
        otherwise=f"Context and statement differ in {', '.join(differing)}.",
        of="context.json",
    )


def _reports(evidence: Evidence, *, files: Reader, trusted: Collection[str], book: Notebook) -> None:
    """Render the Markdown again from the bundle's own templates; templates that nobody signed are not run."""
    about = evidence.context
    if about is None or evidence.journal is None:
        return
    renderer = book.attempt("report", lambda: report.renderer(about.renderer))
    if renderer is None:
        return
    archived = {name.removeprefix("templates/"): name for name in files.contents.names if name.startswith("templates/")}
    if not archived or not set(archived.values()) <= set(trusted):
        book.problem(
            "report", "The templates are missing or not signed, so nothing was rendered again.", of="templates"
        )
        return
    texts = {short: files.read(name) for short, name in archived.items()}
    templates = renderer.templates(texts)
    if dict(templates.files()) != texts:
        book.problem("report", "There are templates here that the renderer does not know.", of="templates")
    _shipped(templates, renderer, book=book)
    case = Case(
        context=about,
        observations=evidence.journal.observations,
        source=evidence.source,
        restored=evidence.restored,
        manifest=evidence.manifest,
        gates=evidence.gates,
        verdicts=evidence.verdicts,
    )
    pages: dict[str, Callable[[], bytes]] = {
        f"{name}.md": partial(renderer.markdown, case, name, templates) for name in report.pages(case)
    }
    pages["VERIFY.md"] = lambda: renderer.verify(case, templates)
    for name, render in pages.items():
        if name not in files.contents:
            continue
        with book.guarded("report", of=name):
            book.expect(
                "report",
                render() == files.read(name),
                "Rendered again from the evidence, byte for byte the same.",
                otherwise="Rendered again from the evidence, the text is another.",
                of=name,
            )


def _shipped(templates: Templates, renderer: Renderer, *, book: Notebook) -> None:
    shipped = renderer.shipped
    if shipped is None:
        try:
            folder = resources.templates_folder()
            ours = {
                **report.load_templates(folder).files(),
                **{each.name: each.read_bytes() for each in folder.glob("*.po")},
            }
        except (ArchiveError, OSError):
            return
        shipped = {name: frozenset({canon.sha256_hex(data)}) for name, data in ours.items()}
    differing = sorted(
        name
        for name, text in templates.files().items()
        if not name.startswith("logo.") and canon.sha256_hex(text) not in shipped.get(name, ())
    )
    if differing:
        book.note(
            "report",
            f"Rendered with templates that differ from those shipped with this renderer ({', '.join(differing)}): "
            "read them before you trust the words of the report.",
            of="templates",
        )


def _pictures(evidence: Evidence, *, files: Reader, trusted: Collection[str], book: Notebook) -> None:
    """Each PDF carries the evidence; PDFs that nobody signed are not parsed."""
    carried = {name: name for name in pdf.CARRIED if name in files.contents}
    carried |= {f"{each.id}.yaml": f"gates/{each.id}.yaml" for each in evidence.gates}
    expected = {attached: files.digests.get(name, "") for attached, name in carried.items()}
    for name in sorted(files.contents.names):
        if not name.endswith(".pdf"):
            continue
        if name not in trusted:
            book.problem("pdf", "Nobody signed these bytes, so the attachments were not compared.", of=name)
            continue
        with book.guarded("pdf", of=name):
            pdf.check(files.read(name), expected=expected, name=name, book=book)
