"""OSCAL assessment results: the record for tools of governance, by NIST's model of the same name.

What OSCAL has two words for, satisfied and not-satisfied, we have three: UNKNOWN is not-satisfied and says why. A
finding is about the gate, never about a control: which controls a gate answers, and how far, stands beside it.
"""

from __future__ import annotations

import re
import uuid  # noqa: TID251 - version 5 only: named by content, nothing random
from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from attestore import canon
from attestore.errors import UsageError
from attestore.evidence.decision import Decision
from attestore.gate import Control, Gate
from attestore.report.exports.record import Judged, Record, judged, spoken
from attestore.report.words import escape, visible
from attestore.verdict import GateVerdict, Outcome

__all__ = ["VERSION", "oscal"]

VERSION: Final = "1.2.1"
"""Of the schema that tests hold the export against; it uses nothing that 1.1 did not have"""

_NAMESPACE: Final = "urn:attestore:oscal"
_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, _NAMESPACE)
_NIST: Final = re.compile(r"([A-Z]{2})-(\d+)(?:\((\d+)\))?")
_NOT_TOKEN: Final = re.compile(r"[^0-9A-Za-z._-]+")
_EVIDENCE: Final = ("journal.jsonl", "proof.source.json", "proof.restored.json", "verdict.json")
_TYPES: Final = {
    "json": "application/json", "jsonl": "application/jsonl", "md": "text/markdown", "pdf": "application/pdf",
    "yaml": "application/yaml", "asc": "application/pgp-signature",
}  # fmt: skip
_REASONS: Final = {Outcome.PASS: "pass", Outcome.FAIL: "fail", Outcome.UNKNOWN: "other"}

_Names = Mapping[str, str]
"""UUID of each resource by file name"""


def oscal(record: Record) -> bytes:
    """One assessment-results document, the same bytes for the same record.

    Raises:
        UsageError: the run was judged by no gate, so there is nothing to assess.
    """
    case, told = record.case, record.statement
    if not case.gates:
        raise UsageError(
            f"run {told.run} was judged by no gate, so it assessed nothing",
            hint="Export a run or drill that was judged; CSV shows the observations of a backup.",
        )
    names = {each.path: _id(record, "file", each.path) for each in record.files}
    operator = case.context.operator
    document: dict[str, canon.JSON] = {
        "uuid": _id(record, "document"),
        "metadata": {
            "title": escape(f"Attestore run {told.run} of {told.system}"),
            "last-modified": told.ended,
            "version": record.digest,
            "oscal-version": VERSION,
            "props": [
                _property("run", told.run),
                _property("statement-sha256", record.digest),
                _property("attestore-version", told.attestore),
                _property("operator-key", told.operator),
            ],
            "roles": [{"id": "operator", "title": "Operator: who ran it"}],
            "parties": [{"uuid": _id(record, "operator"), "type": "person", "name": _string(operator.name)}],
            "responsible-parties": [{"role-id": "operator", "party-uuids": [_id(record, "operator")]}],
            "remarks": (
                "Exported from a signed bundle; the statement whose SHA-256 is this document's version is what was "
                "signed. Passing a gate answers a control only as far as its coverage says."
            ),
        },
        "import-ap": {
            "href": f"#{names['context.json']}",
            "remarks": "There is no assessment plan in OSCAL: the plan stands in context.json, the criteria in gates.",
        },
        "results": [_result(record, gate, names) for gate in case.gates],
        "back-matter": {"resources": [_resource(each.path, each.digest, names) for each in record.files]},
    }
    return canon.encode({"assessment-results": document}) + b"\n"


def _result(record: Record, gate: Gate, names: _Names) -> canon.JSON:
    case, told = record.case, record.statement
    verdict, lines = case.verdict(gate.id), judged(case, gate.id)
    decided: list[canon.JSON] = [_attestation(record, each) for each in record.decisions if each.gate == gate.id]
    made: dict[str, canon.JSON] = {
        "uuid": _id(record, "result", gate.id),
        "title": escape(f"{gate.id}: {gate.title}"),
        "description": escape(gate.statement),
        "start": told.started,
        "end": told.ended,
        "props": [
            _property("gate", gate.id),
            _property("gate-sha256", gate.digest),
            _property("outcome", verdict.outcome.name),
            _property("severity", gate.severity.value),
        ],
        "links": [{"href": f"#{names[name]}", "rel": "reference"} for name in _of_gate(gate) if name in names],
        "local-definitions": {
            "components": [
                {
                    "uuid": _id(record, "system"),
                    "type": "service",
                    "title": escape(told.system),
                    "description": "The PostgreSQL database under care.",
                    "status": {"state": "operational"},
                },
                {
                    "uuid": _id(record, "tool"),
                    "type": "software",
                    "title": "Attestore",
                    "description": escape(f"Version {told.attestore}, run by {case.context.operator.name}."),
                    "status": {"state": "operational"},
                },
            ]
        },
        "reviewed-controls": {
            "description": "The controls that the gate answers; how far, is said beside the finding.",
            "control-selections": [
                {"include-controls": [{"control-id": each} for each in _control_ids(gate)]},
            ],
        },
        "observations": [_observation(record, gate, line, names) for line in lines],
        "findings": [_finding(record, gate, verdict, lines)],
    }
    if decided:
        made["attestations"] = decided
    return made


def _attestation(record: Record, decision: Decision) -> canon.JSON:
    """A decision beside the result, never instead of it: a waiver leaves the finding not satisfied."""
    who = decision.person
    told = f"{who.name} ({', '.join(who.roles)}) {decision.meaning.value} {decision.gate} at {decision.at}: {decision.comment}"
    waiver = decision.waiver
    if waiver is not None:
        told += f" Until {waiver.until}, for {waiver.reason}; meanwhile: {waiver.control}"
    return {
        "parts": [
            {
                "uuid": _id(record, "decision", decision.name),
                "name": "decision",
                "ns": _NAMESPACE,
                "class": decision.meaning.value,
                "title": escape(f"{decision.meaning.value} by {who.name}"),
                "prose": escape(told),
            }
        ]
    }


def _observation(record: Record, gate: Gate, line: Judged, names: _Names) -> canon.JSON:
    seen = spoken(line.observed) or "nothing was observed"
    made: dict[str, canon.JSON] = {
        "uuid": _id(record, "observation", gate.id, line.id),
        "title": escape(line.title),
        "description": escape(f"{line.fact} must be {line.must}; observed: {seen}"),
        "props": [
            _property("check", line.id),
            _property("outcome", line.outcome.name),
            _property("fact", line.fact),
            _property("must", line.must),
            _property("observed", seen),
            *(_property("compared", f"{fact} {count}") for fact, count in line.of),
        ],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": _id(record, "tool")}]}],
        "subjects": [{"subject-uuid": _id(record, "system"), "type": "component"}],
        "relevant-evidence": [
            {"href": f"#{names[name]}", "description": escape(name)} for name in _EVIDENCE if name in names
        ],
        "collected": _collected(record, line),
    }
    if line.reason:
        made["remarks"] = escape(line.reason)
    return made


def _finding(record: Record, gate: Gate, verdict: GateVerdict, lines: Iterable[Judged]) -> canon.JSON:
    lines = tuple(lines)
    held = sum(line.outcome is Outcome.PASS for line in lines)
    broken = [f"{line.id} is {line.outcome.name}: {line.reason}" for line in lines if line.outcome is not Outcome.PASS]
    status: dict[str, canon.JSON] = {
        "state": "satisfied" if verdict.outcome is Outcome.PASS else "not-satisfied",
        "reason": _REASONS[verdict.outcome],
    }
    if verdict.outcome is Outcome.UNKNOWN:
        broken.insert(0, "The outcome is UNKNOWN: nobody knows whether the objective is met, so it is not satisfied.")
    if broken:
        status["remarks"] = "\n\n".join(map(escape, broken))
    return {
        "uuid": _id(record, "finding", gate.id),
        "title": escape(f"{gate.id} is {verdict.outcome.name}"),
        "description": escape(f"{held} of {len(lines)} criteria held."),
        "props": [_control(each) for each in gate.controls],
        "origins": [{"actors": [{"type": "tool", "actor-uuid": _id(record, "tool")}]}],
        "target": {
            "type": "objective-id",
            "target-id": _token(gate.id),
            "title": escape(gate.title),
            "status": status,
        },
        "related-observations": [
            {"observation-uuid": _id(record, "observation", gate.id, line.id)} for line in lines
        ],
    }  # fmt: skip


def _of_gate(gate: Gate) -> tuple[str, ...]:
    return (f"gates/{gate.id}.yaml", f"{gate.id}.md", f"{gate.id}.pdf", "statement.json")


def _resource(name: str, digest: canon.Digest, names: _Names) -> canon.JSON:
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return {
        "uuid": names[name],
        "title": escape(name),
        "rlinks": [
            {"href": quote(name), "media-type": kind, "hashes": [{"algorithm": "SHA-256", "value": digest}]},
        ],
    }


def _collected(record: Record, line: Judged) -> str:
    """When the fact was last seen; where it never was, the end of the run."""
    seen = [each.at for each in record.case.observations if each.fact == line.fact]
    return max(seen, default=record.statement.ended)


def _control(control: Control) -> canon.JSON:
    return {
        "name": "control",
        "ns": _NAMESPACE,
        "value": _string(f"{control.framework} {control.id}"),
        "class": control.coverage.value,
        "remarks": escape(f"{control.title} (coverage: {control.coverage.value})"),
    }


def _control_ids(gate: Gate) -> list[str]:
    """One token per control; a gate that answers none is its own."""
    ids: dict[str, None] = {}
    for each in gate.controls:
        nist = _NIST.fullmatch(each.id) if each.framework.startswith("nist-800-53") else None
        if nist:
            enhancement = f".{nist[3]}" if nist[3] else ""
            ids[f"{nist[1].lower()}-{nist[2]}{enhancement}"] = None
        else:
            ids[_token(f"{each.framework}_{each.id}")] = None
    return list(ids) or [_token(gate.id)]


def _token(text: str) -> str:
    """A name by OSCAL's rule; where characters had to go, a digest tells it from its like."""
    short = _NOT_TOKEN.sub("-", text).strip("-")
    if short == text and (short[0].isalpha() or short[0] == "_"):
        return short
    return f"_{short}_{canon.sha256_hex(text.encode())[:8]}"


def _property(name: str, value: str) -> canon.JSON:
    return {"name": name, "ns": _NAMESPACE, "value": _string(value)}


def _string(value: str) -> str:
    """Text by OSCAL's rule: one line that is not empty and neither begins nor ends with a space."""
    return visible(value) or "(empty)"


def _id(record: Record, *what: str) -> str:
    """A UUID that the record alone decides; the parts are told apart by a digest over their lengths."""
    name = canon.domain_digest("oscal/id", record.statement.run.encode(), *(part.encode() for part in what))
    return str(uuid.uuid5(_ROOT, name))
