"""JUnit XML, as Jenkins and GitLab read it: a suite per gate, a case per check; nothing is ever skipped."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final
from xml.etree import ElementTree as ET

from attestore import instants
from attestore.facts import FACTS, Kind
from attestore.report.exports.record import Judged, Record, judged, spoken
from attestore.report.words import visible
from attestore.verdict import Outcome

__all__ = ["junit"]

# https://www.w3.org/TR/xml/#charsets; most of these were named by visible() before
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(record: Record) -> bytes:
    """One document: FAIL is a failure, UNKNOWN an error. A run that judged nothing is an error, too."""
    root = ET.Element("testsuites")
    suites = [_suite(record, gate.id) for gate in record.case.gates] or [_nothing(record)]
    root.set("name", _text(f"attestore {record.statement.run}"))
    for counted in ("tests", "failures", "errors"):
        root.set(counted, str(sum(int(suite.get(counted, "0")) for suite in suites)))
    root.set("time", _seconds(_elapsed(record)))
    root.extend(suites)
    ET.indent(root)
    written = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{written}\n'.encode()


def _suite(record: Record, gate_id: str) -> ET.Element:
    gate, verdict = record.case.gate(gate_id), record.case.verdict(gate_id)
    about = {
        "gate.title": gate.title,
        "gate.sha256": gate.digest,
        "gate.outcome": verdict.outcome.name,
        **{
            f"control.{n}": f"{each.framework} {each.id} ({each.coverage.value})"
            for n, each in enumerate(gate.controls)
        },
    }
    # beside the result, never instead of it: what was waived stays red
    for number, each in enumerate(record.decisions):
        if each.gate == gate_id:
            until = f" until {each.waiver.until}" if each.waiver is not None else ""
            about[f"decision.{number}"] = f"{each.meaning.value} by {each.person.name} at {each.at}{until}"
    return _filled(record, gate_id, about, [_case(line, gate_id) for line in judged(record.case, gate_id)])


def _nothing(record: Record) -> ET.Element:
    """0 of 0 tests would be green."""
    case = ET.Element("testcase", {"name": "a gate was judged", "classname": "run", "time": _seconds(0)})
    ET.SubElement(case, "error", {"type": Outcome.UNKNOWN.name, "message": "This run was judged by no gate."})
    return _filled(record, "run", {}, [case])


def _filled(record: Record, name: str, about: Mapping[str, str], cases: Iterable[ET.Element]) -> ET.Element:
    told, cases = record.statement, list(cases)
    suite = ET.Element(
        "testsuite",
        {
            "name": _text(name),
            "tests": str(len(cases)),
            "failures": str(sum(case.find("failure") is not None for case in cases)),
            "errors": str(sum(case.find("error") is not None for case in cases)),
            "skipped": "0",
            # the schema knows neither fractions nor zones: UTC, as everywhere
            "timestamp": told.started[:19],
            "hostname": _text(told.system),
            "time": _seconds(_elapsed(record)),
        },
    )
    properties = ET.SubElement(suite, "properties")
    for key, value in {"run": told.run, "system": told.system, "statement.sha256": record.digest, **about}.items():
        ET.SubElement(properties, "property", {"name": key, "value": _text(value)})
    suite.extend(cases)
    return suite


def _case(line: Judged, gate_id: str) -> ET.Element:
    fact = FACTS.get(line.fact)
    took = sum(int(v) for _, v in line.observed) if fact is not None and fact.kind is Kind.DURATION else 0
    case = ET.Element(
        "testcase",
        {"name": _text(f"{line.id}: {line.title}"), "classname": _text(gate_id), "time": _seconds(took)},
    )
    seen = spoken(line.observed) or "nothing"
    told = f"{line.fact} must be {line.must}; observed: {seen}"
    match line.outcome:
        case Outcome.PASS:
            ET.SubElement(case, "system-out").text = _text(told)
        case Outcome.FAIL:
            _refusal(case, "failure", line, told)
        case Outcome.UNKNOWN:
            _refusal(case, "error", line, told)
    return case


def _refusal(case: ET.Element, kind: str, line: Judged, told: str) -> None:
    why = {"type": line.outcome.name, "message": _text(line.reason or told)}
    ET.SubElement(case, kind, why).text = _text(told)


def _elapsed(record: Record) -> int:
    """Milliseconds from the start of the run to its end; 0 where its instants cannot be read."""
    try:
        took = instants.parse(record.statement.ended) - instants.parse(record.statement.started)
    except ValueError:
        return 0
    return max(0, took // timedelta(milliseconds=1))


def _seconds(ms: int) -> str:
    return f"{max(0, ms) // 1000}.{max(0, ms) % 1000:03d}"


def _text(value: str) -> str:
    return _NOT_XML.sub("\ufffd", visible(value))
