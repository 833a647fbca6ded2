"""The same record in four forms: each says what the verdict says, and never more."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from jsonschema import Draft7Validator
from lxml import etree

import report_cases as cases
from attestore.errors import TamperedError, UsageError
from attestore.report import Case
from attestore.report.exports import Envelope, Seal, What, dsse, junit, oscal, table
from attestore.verdict import Outcome
from conftest import ELSEWHERE
from records import record_of

CASES: dict[str, Callable[[], Case]] = {
    "passed": cases.passed,
    "failed": cases.failed,
    "stopped": cases.stopped,
    "died at once": cases.died_at_once,
    "hostile": cases.hostile,
}
every_case = pytest.mark.parametrize("make", CASES.values(), ids=CASES)

# The form that Jenkins' xUnit plugin, Surefire and GitLab share.
_SHAPE = """\
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:simpleType name="seconds"><xs:restriction base="xs:decimal"><xs:minInclusive value="0"/></xs:restriction></xs:simpleType>
  <xs:simpleType name="instant"><xs:restriction base="xs:dateTime">
    <xs:pattern value="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"/></xs:restriction></xs:simpleType>
  <xs:complexType name="refusal"><xs:simpleContent><xs:extension base="xs:string">
    <xs:attribute name="message" type="xs:string" use="required"/>
    <xs:attribute name="type" type="xs:string" use="required"/></xs:extension></xs:simpleContent></xs:complexType>
  <xs:complexType name="case"><xs:choice>
      <xs:element name="failure" type="refusal"/><xs:element name="error" type="refusal"/>
      <xs:element name="system-out" type="xs:string"/></xs:choice>
    <xs:attribute name="name" type="xs:string" use="required"/>
    <xs:attribute name="classname" type="xs:string" use="required"/>
    <xs:attribute name="time" type="seconds" use="required"/></xs:complexType>
  <xs:element name="testsuites"><xs:complexType><xs:sequence>
    <xs:element name="testsuite" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="properties"><xs:complexType><xs:sequence>
        <xs:element name="property" maxOccurs="unbounded"><xs:complexType>
          <xs:attribute name="name" type="xs:string" use="required"/>
          <xs:attribute name="value" type="xs:string" use="required"/></xs:complexType></xs:element>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="testcase" type="case" maxOccurs="unbounded"/></xs:sequence>
      <xs:attribute name="name" type="xs:string" use="required"/>
      <xs:attribute name="tests" type="xs:positiveInteger" use="required"/>
      <xs:attribute name="failures" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="errors" type="xs:nonNegativeInteger" use="required"/>
      <xs:attribute name="skipped" fixed="0" use="required"/>
      <xs:attribute name="timestamp" type="instant" use="required"/>
      <xs:attribute name="hostname" type="xs:string" use="required"/>
      <xs:attribute name="time" type="seconds" use="required"/></xs:complexType></xs:element></xs:sequence>
    <xs:attribute name="name" type="xs:string"/><xs:attribute name="tests" type="xs:positiveInteger"/>
    <xs:attribute name="failures" type="xs:nonNegativeInteger"/><xs:attribute name="errors" type="xs:nonNegativeInteger"/>
    <xs:attribute name="time" type="seconds"/></xs:complexType></xs:element>
</xs:schema>"""


def rows(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


def results(case: Case) -> list[dict[str, Any]]:
    document = json.loads(oscal(record_of(case)))
    return cast("list[dict[str, Any]]", document["assessment-results"]["results"])


# ── JUnit


@every_case
def test_junit_has_the_shape_that_its_readers_agree_on(make: Callable[[], Case]) -> None:
    etree.XMLSchema(etree.fromstring(_SHAPE)).assertValid(etree.fromstring(junit(record_of(make()))))


@every_case
def test_junit_is_green_exactly_where_the_gate_passed(make: Callable[[], Case]) -> None:
    case = make()
    suites = etree.fromstring(junit(record_of(case))).findall("testsuite")
    for suite, verdict in zip(suites, case.verdicts, strict=True):
        red = len(suite.findall("testcase/failure")), len(suite.findall("testcase/error"))
        assert red == (int(suite.get("failures")), int(suite.get("errors")))
        assert (red == (0, 0)) is (verdict.outcome is Outcome.PASS)
        assert red[0] == sum(check.outcome is Outcome.FAIL for check in verdict.checks)
        assert len(suite.findall("testcase")) == int(suite.get("tests")) == len(verdict.checks) + 1


def test_a_run_that_did_not_end_is_red_even_if_every_check_passed() -> None:
    whole = cases.passed()
    seen = [(o.fact, o.subject, o.value) for o in whole.observations if o.fact != "run.completed"]
    case = cases.case_of(whole.source, whole.restored, seen, whole.gates)
    assert all(check.outcome is Outcome.PASS for verdict in case.verdicts for check in verdict.checks)
    root = etree.fromstring(junit(record_of(case)))
    assert [each.get("message") for each in root.iter("error")] == ["The run did not complete."] * 2
    assert {finding["target"]["status"]["state"] for r in results(case) for finding in r["findings"]} == {
        "not-satisfied"
    }


def test_a_run_that_judged_nothing_is_red() -> None:
    """0 of 0 tests is green everywhere."""
    whole = cases.passed()
    nothing = record_of(cases.case_of(whole.source, whole.restored, [], ()))
    (error,) = etree.fromstring(junit(nothing)).iter("error")
    assert error.get("message") == "This run was judged by no gate."
    with pytest.raises(UsageError, match="assessed nothing"):
        oscal(nothing)


# ── OSCAL


def schema_problems(document: bytes) -> list[str]:
    # ECMA's \p{L} and \p{N} in the words of Python's re
    text = ELSEWHERE["oscal"].read_text(encoding="utf-8").replace(r"\\p{L}", r"[^\\W\\d_]").replace(r"\\p{N}", r"\\d")
    schema = json.loads(text)
    Draft7Validator.check_schema(schema)
    return [
        f"{'/'.join(map(str, problem.absolute_path))}: {problem.message[:200]}"
        for problem in Draft7Validator(schema).iter_errors(json.loads(document))
    ]


@pytest.mark.elsewhere("oscal")
@every_case
def test_oscal_is_valid_by_nists_schema(make: Callable[[], Case]) -> None:
    assert schema_problems(oscal(record_of(make()))) == []


@every_case
def test_oscal_says_satisfied_of_a_gate_that_passed_and_of_no_other(make: Callable[[], Case]) -> None:
    case = make()
    for result, verdict in zip(results(case), case.verdicts, strict=True):
        (finding,) = result["findings"]
        status = finding["target"]["status"]
        assert status["state"] == ("satisfied" if verdict.outcome is Outcome.PASS else "not-satisfied")
        assert ("remarks" in status) is (verdict.outcome is not Outcome.PASS)
        if verdict.outcome is Outcome.UNKNOWN:
            assert status["reason"] == "other"
            assert "The outcome is UNKNOWN" in status["remarks"]
        assert len(finding["related-observations"]) == len(result["observations"]) == len(verdict.checks) + 1


@every_case
def test_every_reference_inside_oscal_finds_its_target_and_no_uuid_is_used_twice(make: Callable[[], Case]) -> None:
    text = oscal(record_of(make())).decode()
    document = json.loads(text)["assessment-results"]
    resources = {each["uuid"] for each in document["back-matter"]["resources"]}
    references = set(re.findall(r'"href":"#([^"]+)"', text))
    assert references <= resources
    assert references
    for result in document["results"]:
        observed = [each["uuid"] for each in result["observations"]]
        assert len(set(observed)) == len(observed)
        assert {each["observation-uuid"] for f in result["findings"] for each in f["related-observations"]} == set(
            observed
        )
    assert len(resources) == len(document["back-matter"]["resources"])


def test_oscal_names_files_by_sha256_and_is_the_same_whenever_it_is_made() -> None:
    record = record_of(cases.passed())
    assert oscal(record) == oscal(record)
    resources = json.loads(oscal(record))["assessment-results"]["back-matter"]["resources"]
    told = {each["rlinks"][0]["href"]: each["rlinks"][0]["hashes"][0]["value"] for each in resources}
    assert told == {each.path: each.digest for each in record.files}
    assert told["statement.json"] == record.digest


def test_controls_are_named_as_their_catalogue_does_and_carry_their_coverage() -> None:
    result = results(cases.passed())[1]
    (selection,) = result["reviewed-controls"]["control-selections"]
    assert {each["control-id"] for each in selection["include-controls"]} >= {"cp-9.1", "soc2_A1.3"}
    props = {each["value"]: each["class"] for each in result["findings"][0]["props"]}
    assert props["nist-800-53r5 CP-9(1)"] == "direct"


# ── decisions


WORDS = ("Ada =1+1", "a|b", "Tomas <b>")


def test_a_waiver_stands_beside_the_result_and_turns_nothing_green() -> None:
    record = record_of(cases.failed(), words=WORDS)
    suite = etree.fromstring(junit(record)).findall("testsuite")[-1]
    assert int(suite.get("failures")) > 0
    told = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert told["decision.0"] == "waived by Tomas <b> at 2026-11-23T08:00:00.000Z until 2026-12-01T00:00:00.000Z"
    result = json.loads(oscal(record))["assessment-results"]["results"][-1]
    assert result["findings"][0]["target"]["status"]["state"] == "not-satisfied"
    (attested,) = result["attestations"]
    assert (attested["parts"][0]["name"], attested["parts"][0]["class"]) == ("decision", "waived")
    head, line = rows(table(record, What.DECISIONS))
    assert (line[head.index("meaning")], line[head.index("waived until")]) == ("waived", "2026-12-01T00:00:00.000Z")


@pytest.mark.elsewhere("oscal")
def test_oscal_with_a_decision_is_valid_by_nists_schema() -> None:
    assert schema_problems(oscal(record_of(cases.hostile(), words=cases.HOSTILE))) == []


# ── CSV


@every_case
def test_a_csv_of_checks_has_a_line_per_check_and_the_words_of_the_verdict(make: Callable[[], Case]) -> None:
    case = make()
    head, *lines = rows(table(record_of(case), What.CHECKS))
    assert {len(line) for line in lines} == {len(head)}
    told = [(line[head.index("outcome")]) for line in lines if line[head.index("check")] != "run"]
    assert told == [check.outcome.name for verdict in case.verdicts for check in verdict.checks]


def test_a_csv_of_observations_is_the_journal() -> None:
    case = cases.passed()
    head, *lines = rows(table(record_of(case), What.OBSERVATIONS))
    assert len(lines) == len(case.observations)
    first = next(line for line in lines if line[head.index("fact")] == "restore.rto")
    assert (first[head.index("value")], first[head.index("unit")]) == ("1234", "ms")


def test_differences_are_listed_and_where_nothing_was_compared_it_is_said() -> None:
    _, *lines = rows(table(record_of(cases.failed()), What.DIFFERENCES))
    assert ["public.tags", "table", "table missing after restore"] in [line[1:4] for line in lines]
    assert [line[3] for line in rows(table(record_of(cases.stopped()), What.DIFFERENCES))[1:]] == [
        "not compared: the run did not come to two proofs"
    ]
    assert rows(table(record_of(cases.passed()), What.DIFFERENCES))[1:] == []


def test_csv_lines_end_as_the_rfc_says() -> None:
    for what in What:
        data = table(record_of(cases.hostile()), what)
        assert data.endswith(b"\r\n")
        assert b"\n" not in data.replace(b"\r\n", b"")


# ── DSSE


def test_an_envelope_comes_back_as_it_was_and_signs_what_the_protocol_says() -> None:
    envelope = Envelope(b"{}", (Seal("A" * 40, b"armour"),))
    data = dsse.encode(envelope)
    assert dsse.decode(data) == envelope
    # the example of the protocol: PAE("http://example.com/HelloWorld", "hello world")
    example = Envelope(b"hello world", payload_type="http://example.com/HelloWorld")
    assert example.signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@pytest.mark.parametrize(
    "edit",
    [
        lambda told: told | {"payloadType": "text/plain"},
        lambda told: told | {"signatures": []},
        lambda told: told | {"more": 1},
        lambda told: told | {"payload": "not base64!"},
        lambda told: {name: value for name, value in told.items() if name != "payload"},
        lambda told: told | {"signatures": [{"keyid": 5, "sig": base64.b64encode(b"x").decode()}]},
        lambda told: told | {"signatures": "none"},
    ],
)
def test_anything_but_an_envelope_is_refused(edit: Callable[[dict[str, object]], dict[str, object]]) -> None:
    told = json.loads(dsse.encode(Envelope(b"{}", (Seal("A" * 40, b"armour"),))))
    with pytest.raises(TamperedError):
        dsse.decode(json.dumps(edit(told), sort_keys=True, separators=(",", ":")).encode() + b"\n")
