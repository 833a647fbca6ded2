"""The runbook: told by one drill alone, printable, and never forged by a name."""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import wording
from attestore import errors, instants, resources
from attestore.archive.rehearsed import last_rehearsal
from attestore.config import read_roster
from attestore.errors import ArchiveError, TamperedError
from attestore.report import html, load_templates, markdown, numbers
from attestore.report.languages import catalogue, written
from attestore.report.runbook import Command, Rehearsal, read_command, restoring, runbook_document
from attestore.report.runbook import content as words
from attestore.report.runbook.failures import failures
from attestore.report.voice import speaking

ARCHIVE = Path(__file__).parents[2] / "archives" / "0.1.0"
NOW = "2026-11-30T02:03:04.000Z"
NUMBER = re.compile(r"[0-9](?:[0-9,.:]*[0-9])?")
STATIC = {*map(str, range(11)), "30"}
"""sections, exit codes 0 and 1, the box of minutes: what a sentence of ours may count"""


def rehearsed(reports: Path = ARCHIVE / "reports", *, now: str = NOW) -> Rehearsal:
    roster = read_roster((ARCHIVE / "roster.yaml").read_bytes(), where="roster.yaml")
    return last_rehearsal(reports, "gallery", roster=roster, now=now)


def page(told: Rehearsal) -> str:
    return markdown(runbook_document(told), load_templates(resources.templates_folder())).decode()


def test_every_figure_of_the_runbook_is_in_the_evidence_or_a_sum_of_it() -> None:
    told = rehearsed()
    evidence = "".join(
        path.read_text(errors="replace")
        for path in (ARCHIVE / "reports").rglob("*")
        if path.is_file() and path.suffix in {".jsonl", ".json", ".yaml", ".log"}
    )
    values = {int(one) for one in NUMBER.findall(evidence) if one.isdecimal() and len(one) < 16}
    reading, passed = told.reading, 0
    sums = {len(told.phases), told.age, told.age // 86_400_000}
    for _, took in told.phases:
        passed += took
        sums.add(passed)
    sums.add((reading.number("backup.size.sealed") or 0) + (reading.number("backup.size.plain") or 0))
    ways = (numbers.count, numbers.duration, numbers.size, numbers.size_exact, str)
    instants_told = [seen.value for seen in told.case.observations if isinstance(seen.value, str)]
    instants_told += [each.at for each in told.backups] + [told.case.context.ended, told.now, told.expires or ""]
    allowed = STATIC | set(NUMBER.findall(evidence + (ARCHIVE / "roster.yaml").read_text()))
    allowed |= {one for value in values | sums for way in ways for one in NUMBER.findall(way(value))}
    allowed |= {one for text in instants_told for one in NUMBER.findall(numbers.instant(text))}
    allowed |= {str(row[0]) for row in failures().rows}
    hexadecimal = re.compile(r"[0-9A-Fa-f]{12,}")
    text = hexadecimal.sub("", page(told).replace("\\", ""))
    assert sorted({one for one in NUMBER.findall(text) if one not in allowed}) == []


def test_no_figure_is_written_into_the_runbooks_own_words() -> None:
    for path in Path(words.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                found = set(NUMBER.findall(re.sub(r"SHA-256|sha256sum|UTF-8|db2|-m 700|'\(\(.*", "", node.value)))
                assert found <= STATIC, (path.name, node.value)


def test_the_measured_steps_add_up_to_the_recovery_time() -> None:
    told = rehearsed()
    assert sum(took for _, took in told.phases) == told.reading.number("restore.rto")
    assert [phase for phase, _ in told.commands] == ["unseal"] * 3 + ["prepare", "schema", "data", "indexes"]
    assert "pg_restore --section=pre-data" in page(told)


def test_every_class_of_error_has_something_to_do() -> None:
    classes = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Error)}
    rows = failures().rows
    assert {str(row[0]) for row in rows} == {"1", *(str(kind.exit_code) for kind in classes - {errors.Error})}
    assert all(row[1] and row[2] for row in rows)


def test_a_drill_that_is_too_old_says_so_on_every_page() -> None:
    told = rehearsed(now="2027-06-01T00:00:00.000Z")
    assert told.expired
    document = runbook_document(told)
    assert document.watermark == "EXPIRED"
    assert "It is too old since" in page(told)
    assert runbook_document(rehearsed()).watermark == ""


def test_without_a_drill_there_is_no_runbook(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="guesswork"):
        last_rehearsal(ARCHIVE / "reports", "elsewhere", roster=None, now=NOW)
    with pytest.raises(ArchiveError):
        last_rehearsal(tmp_path, "gallery", roster=None, now=NOW)


def test_a_bundle_that_was_changed_tells_nothing(tmp_path: Path) -> None:
    reports = shutil.copytree(ARCHIVE / "reports", tmp_path / "reports")
    changed = next(reports.glob("*/journal.jsonl"))
    changed.write_bytes(changed.read_bytes().replace(b'"restore.rto"', b'"restore.rtt"', 1))
    with pytest.raises(TamperedError):
        rehearsed(reports)


def test_without_a_roster_people_are_blanks_and_a_newer_failure_is_told() -> None:
    told = replace(rehearsed(), roster=None, since=("20261124T000000Z-gallery-ffffff", "in retrieve: it is gone"))
    text = page(told)
    assert "no roster was at hand" in text
    assert "A newer run did not go through" in text
    assert "REHEARSED, WITH RESERVATIONS" in text


def test_hostile_names_forge_neither_a_line_nor_a_command() -> None:
    told = rehearsed()
    listing = told.case.manifest
    assert listing is not None
    hostile = replace(listing, database="x'; rm -rf ~ #\n## 11 · Pay", extensions=(("<script>", "1 | PASS"),))
    told = replace(told, case=replace(told.case, manifest=hostile))
    text = page(told)
    assert "\n## 11" not in text
    assert "--dbname=$'x\\U00000027; rm -rf ~ #\\U0000000a## 11 · Pay'" in text
    assert "<script>" not in html(runbook_document(told), load_templates(resources.templates_folder()))


def test_a_command_is_told_with_placeholders_and_without_what_is_private() -> None:
    text = (
        "command: '/usr/lib/postgresql/15/bin/pg_restore' '--section=data' "
        "'--dbname=host=/tmp/attestore-run-a1/s user=secret_name password=[hidden]' '/tmp/attestore-run-a1/drill/it\\'s.dump'\n"
        "exit code: 0\nduration: 12 ms\n\n"
    )
    command = read_command(text)
    assert command is not None
    assert (command.code, command.ms) == (0, 12)
    assert command.shown() == "pg_restore --section=data --dbname=\"$TARGET\" \"$WORK\"'/drill/it'\\''s.dump'"
    assert read_command("whatever") is None
    made = Command(("/usr/bin/initdb", "--username", "attestore_1", "--pwfile", "/x"), 0, 1)
    assert made.shown() == "initdb --username … --pwfile …"
    assert restoring({"logs/01-pg_restore.log": text}, parts=3) == (("data", command),)


def test_the_day_is_counted_from_the_drills_end() -> None:
    told = rehearsed()
    gap = instants.parse(NOW) - instants.parse(told.case.context.ended)
    assert told.age == round(gap.total_seconds() * 1000)


@pytest.mark.parametrize("language", ["de"])
def test_nothing_of_the_runbook_stays_english_by_accident(language: str) -> None:
    data = (resources.templates_folder() / "runbook" / f"{language}.po").read_bytes()
    known = catalogue(data)
    modules = sorted(Path(words.__file__).parent.glob("*.py"))
    said = {text for path in modules for text in wording._called(ast.parse(path.read_text()))}
    missing = sorted(text for text in said if any(char.isalpha() for char in text) and text not in known)
    assert missing == []
    told = replace(rehearsed(), language=language)
    voice = written(load_templates(resources.templates_folder(), language=language), language)
    with speaking(replace(voice, words={**voice.words, **known})):
        text = page(told)
    assert "Notfallwiederherstellung von gallery" in text
    assert "**GEÜBT**" in text
    for english in ("What is", "Do this", "Takes", "Name a server", "the restored database differs"):
        assert english not in text
