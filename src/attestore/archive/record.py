"""A sealed bundle as a value to export: every file is the one that its statement lists, and the verdict follows from it."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from attestore import gate, verdict
from attestore.archive import layout
from attestore.archive.opened import Contents, read_bundle
from attestore.errors import ArchiveError, TamperedError
from attestore.evidence import context, decision, journal, manifest
from attestore.evidence.decision import Decision
from attestore.evidence.statement import Statement, decode
from attestore.gate import Gate
from attestore.proof import Proof
from attestore.proof import decode as decode_proof
from attestore.report import Case
from attestore.report.exports import Record

__all__ = ["read_outline", "read_record"]


def read_record(folder: Path) -> Record:
    """The record of a sealed bundle, by its own digests; whose signature it carries, the audit says.

    Raises:
        ArchiveError: there is no such bundle, or its run was not sealed yet.
        TamperedError: a file is missing, added, changed, or not in its exact form; or the verdict does not follow.
    """
    return _read(folder, proofs=("proof.source.json", "proof.restored.json"))


def read_outline(folder: Path) -> Record:
    """The record without its proofs, whose bytes are compared all the same: for readers of very many bundles.

    Raises:
        ArchiveError, TamperedError: as `read_record`.
    """
    return _read(folder, proofs=())


def _read(folder: Path, *, proofs: Collection[str]) -> Record:
    contents = read_bundle(folder)
    if layout.STATEMENT not in contents:
        raise ArchiveError(
            f"{folder} holds no {layout.STATEMENT}: its run goes on, or died",
            hint="Wait for its end; a run that died is closed by the next backup, drill or run.",
        )
    text = contents.read(layout.STATEMENT)
    statement = decode(text)
    _compare(contents, statement)
    case = _case(contents, proofs=proofs)
    if verdict.encode(case.verdicts) != contents.read("verdict.json"):
        raise TamperedError(f"{folder}: judged again from gates and journal, the verdict is another")
    return Record(case=case, statement=statement, text=text, decisions=_decisions(contents, statement))


def _decisions(contents: Contents, statement: Statement) -> tuple[Decision, ...]:
    names = [n for n in contents.names if n.startswith(f"{layout.DECISIONS}/") and n.endswith(".json")]
    found = [decision.decode(contents.read(name), what=name) for name in sorted(names)]
    for each in found:
        if (each.run, each.statement) != (statement.run, statement.digest):
            raise TamperedError(f"{contents.folder}: the decision {each.name} is about another run or statement")
    return tuple(sorted(found, key=lambda each: (each.at, each.name)))


@lru_cache(maxsize=64)
def _gate(text: bytes, name: str) -> Gate:
    """A gate from its bytes: archives hold the same few again and again."""
    return gate.load(text, where=name)


def _compare(contents: Contents, statement: Statement) -> None:
    listed = {each.path: each.digest for each in statement.files}
    present = {name for name in contents.names - layout.UNSTATED if not layout.is_added(name)}
    for name in sorted(listed.keys() ^ present):
        raise TamperedError(f"{contents.folder}: {name} is {'missing' if name in listed else 'not in the statement'}")
    for name, digest in listed.items():
        if contents.digest(name) != digest:
            raise TamperedError(f"{contents.folder}: {name} is not the file that {layout.STATEMENT} lists")


def _case(contents: Contents, *, proofs: Collection[str]) -> Case:
    def proof(name: str) -> Proof | None:
        return decode_proof(contents.read(name), what=name) if name in contents and name in proofs else None

    told = journal.read(contents.read(layout.JOURNAL))
    gates = tuple(_gate(contents.read(n), n) for n in sorted(contents.names) if n.startswith("gates/"))
    return Case(
        context=context.decode(contents.read("context.json")),
        observations=told.observations,
        source=proof("proof.source.json"),
        restored=proof("proof.restored.json"),
        manifest=manifest.decode(contents.read("manifest.json")) if "manifest.json" in contents else None,
        gates=gates,
        verdicts=tuple(verdict.judge(each, told.observations) for each in gates),
    )
