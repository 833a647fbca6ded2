"""One statement that a check must find, and one beside it that it must leave alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from attestore.claims import examine, read
from attestore.claims.labels import alike, persons

_AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
_DIGEST: Final = "b0c4f5d7e81a239c6ad2470e9f13be5562d8f7a4c90e1b3d7a8256ef03c91d4b"


def _found(text: str) -> list[tuple[str, str]]:
    return [(finding.lines, finding.kind.value) for finding in examine(read(text), at=_AT).findings]


_STEPS: Final = "\n\n## Next steps\n\n"
_GOALS: Final = "| Metric | Target | Achieved | Status |\n|---|---|---|---|\n"
_TESTS: Final = "| Test | Expected | Actual | Result |\n|---|---|---|---|\n| T-1 tables | 212 | 212 | Pass |\n| T-2 indexes | 640 | 640 | Pass |\n"
_DAYS: Final = "| Day | Backup size |\n|---|---|\n| Mon | 96 GB |\n| Tue | 97 GB |\n"
_RATES: Final = (
    "| Database | GB | Minutes | MB/s |\n|---|---|---|---|\n| crm | 120 | 40 | 51.2 |\n| erp | 300 | 100 | 51.2 |\n"
)
_SPAN: Final = "| Field | Entry |\n|---|---|\n| Start of restore | 09:12 |\n| End of restore | 10:47 |\n| Duration | "
_CHECK: Final = "```\nminimum redundancy requirements: OK (have {}, expected at least 4)\n```\n"
_RUN: Final = "```\ncollected 48 items\n=== {} passed in 12.31s ===\n```\n"


@pytest.mark.parametrize(
    ("wrong", "where", "right"),
    [
        (f"✅ Off-site replication to S3 implemented{_STEPS}- [ ] Implement off-site replication to S3", ("1", "contradiction"),
         f"✅ Off-site replication to S3 implemented{_STEPS}- [ ] Implement off-site replication to Azure"),
        ("Adds drills including point-in-time recovery.\n\nPoint-in-time recovery is not implemented yet.", ("1", "contradiction"),
         "Adds drills.\n\nPoint-in-time recovery is not implemented yet."),
        (f"- [x] Alerting on lag configured{_STEPS}- Configure alerting on lag", ("1", "contradiction"),
         f"- [x] Alerting on lag configured{_STEPS}- Improve alerting on lag"),
        (f"{_GOALS}| RPO | 1 h | 24 h | ✅ |", ("3", "contradiction"), f"{_GOALS}| RPO | 24 h | 1 h | ✅ |"),
        (f"{_GOALS}| Dump size | < 2 GB | 2.4 GB | ✅ |", ("3", "contradiction"), f"{_GOALS}| Dump size | < 2 GB | 2.4 GB | ❌ |"),
        (f"{_GOALS}| Uptime | ≥ 99.9 % | 99.5 % | ✅ |", ("3", "contradiction"), f"{_GOALS}| Retention time | 30 days | 35 days | ✅ |"),
        (f"{_TESTS}| T-3 extensions | | | Pass |", ("5", "vacuous"), f"{_TESTS}| T-3 extensions | | | Open |"),
        (f"{_DAYS}| Average | 84 GB |", ("5", "contradiction"), f"{_DAYS}| Average | 96 GB |"),
        (f"{_SPAN}1 h 15 min |", ("5", "contradiction"), f"{_SPAN}1 h 35 min |"),
        (_CHECK.format("3 backups"), ("2", "contradiction"), _CHECK.format("5 backups")),
        ("RTO target 30 min: margin 5 min (20 %).", ("1", "contradiction"), "RTO target 30 min: margin 6 min (20 %)."),
        ("```\ntimestamp start/stop: 2026-03-01 01:00:03+00 / 2026-03-01 00:41:19+00\n```", ("2", "impossible"),
         "```\ntimestamp start/stop: 2026-03-01 01:00:03+00 / 2026-03-01 01:41:19+00\n```"),
        (_RUN.format(46), ("3", "contradiction"), _RUN.format(48)),
        (f"All 52 tests pass.\n\n{_RUN.format(48)}", ("1", "contradiction"), f"All 48 tests pass.\n\n{_RUN.format(48)}"),
        ("100 % of restores succeeded. One of the restores was aborted: 1 restore aborted.", ("1", "contradiction"),
         "100 % of restores succeeded. 1 backup was aborted."),
        ("Corrupted pages: 0 of 0 checked – PASS", ("1", "vacuous"), "Corrupted pages: 0 of 5,120 checked – PASS"),
        ("Result: 0 rows, PASS.", ("1", "vacuous"), "Result: 0 rows."),
        (f"SHA-256 of the dump:\n`{_DIGEST[:62]}`", ("2", "impossible"), f"SHA-256 of the dump:\n`{_DIGEST}`"),
        (f"SHA-256 of the dump: `{_DIGEST[:32] * 2}`", ("1", "impossible"), f"SHA-256 of the dump: `{_DIGEST}`"),
        ("Executed by: Jana Weiß · Approved by: J. Weiss", ("1", "approval"), "Executed by: Jana Weiß · Approved by: M. Weiss"),
        ("Executed by: M. Okonkwo\n\nApproved by: Okonkwo, Michael", ("3", "approval"), "Executed by: M. Okonkwo\n\nApproved by: Okonkwo, Ada"),
        ("It was performed by Priya Raman. Priya Raman also signed the approval.", ("1", "approval"),
         "It was performed by Priya Raman. Jo Berg also signed the approval."),
        ("The report has been reviewed and approved.", ("1", "approval"), "The report has been reviewed."),
        ("The implementation consists of the following five components:\n\n- a\n- b\n- c\n- d", ("1", "contradiction"),
         "The implementation consists of the following four components:\n\n- a\n- b\n- c\n- d"),
        ("| Table | Size | Rows |\n|---|---|---|\n| events | 16 MB | 2,000,000,000 |", ("3", "implausible"),
         "| Table | Size | Rows |\n|---|---|---|\n| events | 160 GB | 2,000,000,000 |"),
        ("Rows restored: 2,000,000,000; size after restore: 16 MB.", ("1", "implausible"), "Rows restored: 2,000; size after restore: 16 MB."),
        (f"{_DAYS.replace(' size |', ' size | Duration |').replace('|---|---|', '|---|---|---|').replace('GB |', 'GB | 40 min |')}| Wed | 97 GB | 0.4 s |",
         ("5", "implausible"), f"{_DAYS}| Wed | 97 GB |"),
        (f"{_GOALS}| Recovery point | ≤ 15 min | 47 min | yes |", ("3", "contradiction"), f"{_GOALS}| Recovery point | ≤ 15 min | 7 min | yes |"),
        ("Duration: 13 min (09:58 – 10:21)", ("1", "contradiction"), "Duration: 23 min (09:58 – 10:21)"),
        ("It started at 22:15 and finished at 01:05, i.e. 3 h 50 min.", ("1", "contradiction"), "It started at 22:15 and finished at 01:05, i.e. 2 h 50 min."),
        (f"{_RATES}| web | 60 | 20 | 95.0 |", ("5", "contradiction"), f"{_RATES}| web | 60 | 20 | 51.2 |"),
        ("| Suite | Tests | Passed | Failed |\n|---|---|---|---|\n| e2e | 38 | 36 | 1 |", ("3", "contradiction"),
         "| Suite | Tests | Passed | Failed |\n|---|---|---|---|\n| e2e | 38 | 37 | 1 |"),
        ("8,120,443 orders before, 8,120,434 orders after – identical", ("1", "contradiction"), "8,120,443 orders before, 8,120,443 orders after – identical"),
        ("Ziel war 45 Minuten; mit 50 Minuten wurde das Ziel eingehalten.", ("1", "contradiction"), "Ziel war 45 Minuten; mit 40 Minuten wurde das Ziel eingehalten."),
        ("It contains 7 modules:\n\n- a\n- b\n- c", ("1", "contradiction"), "It contains 3 modules:\n\n- a\n- b\n- c"),
        ("# R\n\n## A\n\n- Test coverage: 94 %\n\n## B\n\nTest coverage is 87 %.", ("9", "contradiction"), "# R\n\n## A\n\n- Test coverage: 94 %\n\n## B\n\nTest coverage is 94 %."),
        ("Prüfsummen wurden für 1.240 von 1.204 Dateien berechnet.", ("1", "impossible"), "Prüfsummen wurden für 1.204 von 1.204 Dateien berechnet."),
        ("It was verified. Approved.", ("1", "approval"), "It was verified. Approved by Jo Berg on 2026-03-02."),
        ("Übungsleitung: Team Datenbanken\n\nFreigabe: Team Datenbanken", ("3", "approval"), "Übungsleitung: Team Datenbanken\n\nFreigabe: Jana Weiß"),
        ("Rows: 1,200,000 + 800,000 + 450,000 = 2,550,000", ("1", "contradiction"), "Rows: 1,200,000 + 800,000 + 450,000 = 2,450,000"),
        ("Fetch and load: 14 min + 38 min = 62 min.", ("1", "contradiction"), "Fetch and load: 14 min + 38 min = 52 min."),
        ("It was tested on 3 March 2026 and finished on 2 March 2026.", ("1", "impossible"), "It was tested on 3 March 2026 and finished on 4 March 2026."),
        ("The recovery time was 1 h 52 min. Our contractual RTO is 2 h, which leaves 18 minutes.", ("1", "contradiction"),
         "The recovery time was 1 h 52 min. Our contractual RTO is 2 h, which leaves 8 minutes."),
        ("It was carried out by Elena Petrova and certified by E. Petrova.", ("1", "approval"), "It was carried out by Elena Petrova and certified by J. Berg."),
        ("Closed by: Audit bot", ("1", "approval"), "Closed by: Jo Berg"),
        ("- [x] Rollback plan rehearsed by two people\n\nStill open:\n\n- Rehearse rollback plan", ("1", "contradiction"),
         "- [x] Rollback plan rehearsed by two people\n\nStill open:\n\n- Print rollback plan"),
        ("Recovery took 3 h 20 min; our target of 3 hours was met.", ("1", "contradiction"), "Recovery took 2 h 20 min; our target of 3 hours was met."),
        ("Executed by: Ingrid Solberg. Accepted by: Ingrid Solberg", ("1", "approval"), "Executed by: Ingrid Solberg. Accepted by: Jo Berg"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_and_what_is_right_is_left_alone(wrong: str, where: tuple[str, str], right: str) -> None:
    assert _found(wrong) == [where]
    assert _found(right) == []


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Jana Weiß", "J. Weiss", True), ("jweiss", "Jana Weiß", True), ("Dr. Jana Weiß", "Weiß, Jana", True),
        ("jana.weiss@example.com", "Jana Weiß", True), ("Jana Weiß", "Jan Weiß", False), ("Anna Kurz", "Bernd Kurz", False),
        ("Anna", "Anna Kurz", False), ("Li Wei", "Wei Li", True),
    ],
)  # fmt: skip
def test_a_person_is_known_again_in_another_spelling(one: str, other: str, *, same: bool) -> None:
    assert alike(persons(one)[0], persons(other)[0]) is same


def test_an_example_s_placeholder_in_code_is_no_digest() -> None:
    assert _found("```yaml\nfingerprint: 0123456789ABCDEF0123456789ABCDEF01234567\n```") == []


def test_one_missing_column_is_one_finding_however_often_it_is_named() -> None:
    sql = "```sql\nSELECT tablename FROM pg_stat_user_tables\nWHERE tablename > 'a'\nORDER BY tablename;\n```"
    assert _found(sql) == [("2", "impossible")]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Restore started: 2025-07-20 10:00 UTC\nRestore finished: 2025-07-20 10:42 UTC\nApproval date: 2025-07-19", ("3", "impossible")),
        ("Backup taken: 2026-04-19 02:00 UTC\nRestore begun: 2026-04-18 09:00 UTC\nRestore completed: 2026-04-18 10:12 UTC", ("2", "impossible")),
        ("| Run | Started | Finished |\n|---|---|---|\n| a | 2025-06-15 02:00 | 2025-06-15 01:31 |", ("3", "impossible")),
        ("It was fully verified and rigorously tested and validated.", ("1", "unsupported")),
        ("# R\n\n## Summary\n\nDatabase size: 64 GB\n\n## Results\n\nDatabase size: 46 GB", ("9", "contradiction")),
    ],
)  # fmt: skip
def test_one_defect_is_told_once(text: str, where: tuple[str, str]) -> None:
    assert _found(text) == [where]


def test_features_that_are_done_are_no_tests_that_passed() -> None:
    features = "| Feature | State |\n|---|---|\n| Nightly dumps | ✅ {0} |\n| Pruning | ✅ {0} |"
    assert _found(features.format("done")) == []
    assert _found(features.format("passed")) == [("3-4", "vacuous")]
