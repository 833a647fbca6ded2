from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

import vocabulary
from attestore import gate, resources, strictyaml
from attestore.facts import FACTS, Kind
from attestore.gate import Coverage, Gate, Severity

GENERAL = gate.named("S9-PROD-004")
SEALED = gate.named("S9-PROD-003")
GALLERY = gate.read(resources.gates_folder() / "examples" / "gallery" / "S9-PROD-004.yaml")
STORES = gate.read(resources.gates_folder() / "examples" / "stores" / "S9-PROD-005.yaml")
SHIPPED = pytest.mark.parametrize(
    "shipped", [GENERAL, SEALED, GALLERY, STORES], ids=["restored", "sealed", "gallery", "stores"]
)


def test_the_two_gates_ship() -> None:
    assert [path.name for path in gate.shipped()] == ["S9-PROD-003.yaml", "S9-PROD-004.yaml"]


@SHIPPED
def test_a_shipped_gate_blocks_expires_and_is_approved_by_two_who_did_not_run_it(shipped: Gate) -> None:
    assert shipped.severity is Severity.BLOCKING
    assert shipped.cadence_ms == 32 * 86_400_000
    assert shipped.approval is not None
    assert shipped.approval.not_the_operator
    assert shipped.approval.people == 2


@SHIPPED
def test_every_check_and_probe_of_a_shipped_gate_says_what_it_shows(shipped: Gate) -> None:
    titles = [check.title for check in shipped.checks] + [probe.title for probe in shipped.probes]
    assert all(re.fullmatch(r"[A-Z].*[^.]", title) for title in titles)
    assert len(set(titles)) == len(titles)


@SHIPPED
def test_a_shipped_gate_answers_controls_and_one_of_them_directly(shipped: Gate) -> None:
    assert Coverage.DIRECT in {control.coverage for control in shipped.controls}


def test_the_general_gate_asks_nothing_that_only_some_databases_have() -> None:
    """A database without foreign keys, sequences or indexes is healthy, and must be able to pass."""
    assert GENERAL.probes == ()
    asked = {check.of for check in GENERAL.checks} - {""}
    assert asked == {
        "fetched.parts",
        "tables.expected",
        "tables.compared",
        "rows.expected",
        "objects.compared",
        "control.planted",
    }


def test_the_recovery_time_objective_is_half_an_hour() -> None:
    (check,) = (check for check in GENERAL.checks if check.fact == "restore.rto")
    assert (check.operator.value, check.bound) == ("<", 30 * 60 * 1000)


def test_the_sealed_gate_looks_at_every_part() -> None:
    facts = {check.fact for check in SEALED.checks}
    assert {fact for fact in FACTS if fact.startswith("seal.") and fact != "seal.parts"} == facts - {
        "fetched.parts.differing"
    }


def test_the_gallery_asks_all_that_the_general_gate_asks_and_more_where_it_has_more() -> None:
    vacuous = {
        "foreign-keys": "foreign_keys.checked",
        "indexes": "indexes.checked",
        "sequences": "sequences.compared",
        "constraints": "constraints.exercised",
        "triggers": "triggers.exercised",
        "indexes.sound": "indexes.verified",
    }
    expected = tuple(
        dataclasses.replace(check, of=vacuous[check.id]) if check.id in vacuous else check for check in GENERAL.checks
    )
    added = {"constraints.tried", "triggers.tried"}
    assert tuple(check for check in GALLERY.checks if check.id not in added) == expected
    assert {check.id for check in GALLERY.checks} >= added
    same = ("id", "title", "statement", "severity", "cadence_ms", "controls", "approval", "labels")
    assert all(getattr(GALLERY, name) == getattr(GENERAL, name) for name in same)


def test_the_gallery_probes_every_edge_case_and_the_application() -> None:
    assert [probe.id for probe in GALLERY.probes] == [
        "unicode",
        "nulls",
        "empty-strings",
        "soft-deletes",
        "revoked-sessions",
        "infected-images",
        "orphan-prevention",
        "long-content",
        "special-characters",
        "timestamp-precision",
        "album-contents",
        "front-page",
        "public-images",
    ]


@pytest.mark.parametrize("path", sorted(resources.gates_folder().rglob("S*.yaml")), ids=lambda path: path.parent.name)
def test_the_first_line_leads_an_editor_to_the_schema(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert found is not None
    assert (path.parent / found.group(1)).is_file()


def test_schema_and_guide_say_what_the_code_says() -> None:
    assert vocabulary.SCHEMA.read_text() == vocabulary.schema_text(), "run tools/vocabulary"
    text = vocabulary.GUIDE.read_text()
    assert text == vocabulary.guide(text), "run tools/vocabulary"


def test_the_gate_of_the_guide_loads() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", vocabulary.GUIDE.read_text(), flags=re.DOTALL)
    loaded = gate.load(text.encode(), where="docs/gates.md")
    assert (loaded.id, len(loaded.checks), len(loaded.probes)) == ("SHOP-BACKUP-001", 4, 1)


def test_the_schema_knows_facts_operators_and_controls() -> None:
    definitions = gate.schema()["$defs"]
    check = definitions["CheckForm"]
    assert set(check["properties"]["fact"]["enum"]) == {
        fact.name for fact in FACTS.values() if fact.kind is not Kind.INSTANT
    }
    assert "tables.compared" in check["properties"]["of"]["enum"]
    assert "probe.rows" not in check["properties"]["of"]["enum"]
    assert "soc2" in definitions["ControlForm"]["properties"]["framework"]["enum"]
    patterns = {
        name: part["then"]["properties"]["must"]["pattern"]
        for part in check["allOf"]
        for name in part["if"]["properties"]["fact"]["enum"]
    }
    for shipped in (GENERAL, SEALED, GALLERY):
        for item in shipped.checks:
            assert re.search(patterns[item.fact], f"{item.operator.value} {item.written}")
            assert not re.search(patterns[item.fact], item.written)


def test_the_catalogue_lists_every_control_that_the_product_names() -> None:
    found = gate.catalogue()
    assert set(found) == {
        "soc2", "iso27001-2022", "nist-800-53r5", "nist-csf-2.0", "pci-dss-4.0.1", "hipaa", "dora", "dora-rts-2024-1774",
        "nis2-ir-2024-2690", "gdpr", "cis-8.1", "21cfr11",
    }  # fmt: skip
    assert list(found["nist-800-53r5"].controls) == [
        "CP-4", "CP-4(4)", "CP-6(2)", "CP-9", "CP-9(1)", "CP-9(2)", "CP-9(3)", "CP-9(5)", "CP-9(8)", "CP-10",
    ]  # fmt: skip
    assert list(found["cis-8.1"].controls) == ["11.2", "11.3", "11.4", "11.5"]
    assert found["nist-csf-2.0"].controls["RC.RP-03"].coverage is Coverage.DIRECT


def test_what_is_not_answered_in_full_says_what_is_missing() -> None:
    entries = [entry for framework in gate.catalogue().values() for entry in framework.controls.values()]
    assert all(entry.note for entry in entries if entry.coverage is not Coverage.DIRECT)
    assert all(entry.title for entry in entries)


def test_the_catalogue_is_strict_yaml() -> None:
    path = resources.gates_folder() / "controls" / "catalogue.yaml"
    assert strictyaml.load(path.read_bytes(), where=path.name).position(("frameworks", 0, "id")) == (7, 9)


def test_nothing_but_gates_lies_where_people_look_for_gates() -> None:
    """So that `attestore gates check gates/*.yaml` is clean."""
    assert [gate.read(path).id for path in sorted(resources.gates_folder().glob("*.yaml"))] == [SEALED.id, GENERAL.id]
