"""What whole sentences, lists, printed output and forms say against themselves: a lie each, and the honest one beside it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import pytest

from attestore.claims import examine, read

_AT: Final = datetime(2026, 6, 1, tzinfo=UTC)
_PSQL: Final = "```\nSELECT count(*) FROM {};\n count\n-------\n {}\n(1 row)\n```\n\n"
_TIME: Final = "```console\n$ time pg_restore -d x y.dump\n\nreal    21m14.802s\n```\n\n"
_RATE: Final = "| Cluster | Tables | Matched | Match rate |\n|---|---|---|---|\n| a | 40 | 40 | 100 % |\n| b | 25 | 24 | {} % |\n| c | 60 | 57 | 95 % |"
_LOG: Final = "23:30 disaster\n23:41 servers ready\n{}\n{}\n01:10 application green"
_WIKI: Final = "||Phase||Minutes||\n|Download|18|\n|Restore|41|\n|Checks|14|\n|Sum|{}|"
_SIZES: Final = (
    "sizes:\n\n  geo      41.2 GB\n  orders   18.7 GB\n  users     3.1 GB\n  mail     86.4 GB\n  total   {} GB"
)
_STEPS: Final = "| No | Step | By | Time |\n|---|---|---|---|\n| 1 | Fetch | N. Brandt | 08:55 |\n| 2 | Read | N. Brandt | 09:10 |\n| 3 | Load | N. Brandt | {} |\n| 4 | Done | N. Brandt | 10:40 |"
_INFO: Final = "```\n        database size: 84.1GB, database backup size: 84.1GB\n```\n\n"
_CHECKS: Final = "| # | Check | Expected | Observed | Verdict |\n|---|---|---|---|---|\n| 1 | Something counted | 1,904,227 | {} | PASS |"
_DIGEST: Final = "b0c4f5d7e81a239c6ad2470e9f13be5562d8f7a4c90e1b3d7a8256ef03c91d4b"
_TURNS: Final = "| Nr | Operator | Reviewer |\n|---|---|---|\n| 1 | tprado | alind |\n| 2 | alind | {} |"
_FORM: Final = "CERTIFICATE\n\nPerformed by ...... Ann Kerr\nApproved by ....... {}"


def _found(text: str) -> list[tuple[str, str]]:
    return [(finding.lines, finding.kind.value) for finding in examine(read(text), at=_AT).findings]


@pytest.mark.parametrize(
    ("wrong", "where", "right"),
    [
        ("The following seven schemas were compared: policy, claims, billing, party, reference, audit. All were equal.", ("1", "contradiction"),
         "The following six schemas were compared: policy, claims, billing, party, reference and audit. All were equal."),
        ("All 14 databases came back: corebank, cards, loans.", ("1", "contradiction"), "All 14 databases came back, among them: corebank, cards, loans."),
        ("- [x] 8 extensions present: pgcrypto, postgis, pg_trgm", ("1", "contradiction"), "- [x] 3 extensions present: pgcrypto, postgis, pg_trgm"),
        ("4 extensions (pgcrypto, postgis, pg_trgm) are there.", ("1", "contradiction"), "4 extensions (pgcrypto, postgis, …) are there."),
        ("Of 212 tables, 209 matched in row count, and 2 differed.", ("1", "contradiction"), "Of 212 tables, 210 matched in row count, and 2 differed."),
        ("- 14 systems in scope, 12 restored, 3 postponed.", ("1", "contradiction"), "- 15 systems in scope, 12 restored, 3 postponed."),
        ("Indexes: 340 total, 338 valid, 4 invalid.", ("1", "contradiction"), "Indexes: 340 total, 338 valid, 2 invalid."),
        ("118 of 118 tables stand there, 96 with content and 24 empty.", ("1", "contradiction"), "118 of 118 tables stand there, 94 with content and 24 empty."),
        ("We checked 1,204 relations: 1,204 tables and 861 indexes.", ("1", "contradiction"), "We checked 2,065 relations: 1,204 tables and 861 indexes."),
        ("Fastest restore: 4 min (crm). Slowest: 3 min (dwh).", ("1", "contradiction"), "Fastest restore: 3 min (crm). Slowest: 4 min (dwh)."),
        ("Average restore time 19 min (crm 4, erp 31, dwh 52, hr 9).", ("1", "contradiction"), "Average restore time 24 min (crm 4, erp 31, dwh 52, hr 9)."),
        ("Rows: source 18,220,114 / restored 18,220,114 / difference 4", ("1", "contradiction"), "Rows: source 18,220,114 / restored 18,220,110 / difference 4"),
        ("0 errors, 3 of them ignored", ("1", "contradiction"), "3 errors, 3 of them ignored"),
        ("[x] Age of backup     26 h   (max. 24 h)", ("1", "contradiction"), "[ ] Age of backup     26 h   (max. 24 h)"),
        ("RPO: 24 h demanded, reached 31 h: kept.", ("1", "contradiction"), "RPO: 24 h demanded, reached 31 h: missed."),
        ("So we lost 30 minutes. The RPO of 15 min was kept.", ("1", "contradiction"), "So we lost 30 minutes. The RPO of 15 min was not kept."),
        ("The backup window is 01:00–05:00; it ran from 01:00 to 05:45, inside the window.", ("1", "contradiction"),
         "The backup window is 01:00–05:00; it ran from 01:00 to 04:45, inside the window."),
        ("- [x] Restore within RTO (60 min)\n\nRestore 82 min.", ("1", "contradiction"), "- [x] Restore within RTO (90 min)\n\nRestore 82 min."),
        (_PSQL.format("entries", 41820) + "entries: 41,280 rows.", ("9", "contradiction"), _PSQL.format("entries", 41820) + "entries: 41,820 rows."),
        (_PSQL.format("entries", 41820) + "| Table | Rows |\n|---|---|\n| entries | 41,280 |", ("11", "contradiction"),
         _PSQL.format("entries", 41820) + "| Table | Rows before | Rows after |\n|---|---|---|\n| entries | 41,280 | 41,820 |"),
        (_PSQL.format("pg_trigger", 31) + "29 triggers were found.", ("9", "contradiction"), _PSQL.format("pg_trigger", 31) + "29 triggers were expected."),
        (f"{_TIME}The restore ran 14 minutes in all.", ("7", "contradiction"), f"{_TIME}The restore ran 22 minutes in all."),
        (_RATE.format(98), ("4", "contradiction"), _RATE.format(96)),
        ("Row counts verified. Foreign keys verified. Sequences verified.", ("1", "unsupported"), "Row counts verified (24 of 24). Foreign keys verified."),
        ("```sql\nSELECT count(*) FROM invoices WHERE total = NULL;\n```", ("2", "vacuous"), "```sql\nSELECT count(*) FROM invoices WHERE total IS NULL;\n```"),
        ("In all 5.2 TB were restored in 48 minutes over a 1 Gbit/s line.", ("1", "implausible"), "In all 320 GB were restored in 48 minutes over a 1 Gbit/s line."),
        ("A copy of delta (1 TB) was pulled from the archive in 3 s.", ("1", "implausible"), "A copy of delta (1 TB) was pulled from the archive in 3 h."),
        ("Restore time 00:08:75", ("1", "impossible"), "Restore time 00:08:45"),
        ("Time taken: 55 min (started 10:00, finished 10:45)", ("1", "contradiction"), "Time taken: 45 min (started 10:00, finished 10:45)"),
        ("14:04 UTC (16:04 CET)", ("1", "contradiction"), "14:04 UTC (15:04 CET)"),
        ("- Incident: 2026-03-10 14:05 UTC\n- Service back: 2026-03-10 13:50 UTC", ("2", "impossible"),
         "- Incident: 2026-03-10 14:05 UTC\n- Service back: 2026-03-10 15:50 UTC"),
        (_LOG.format("00:52 restored", "00:37 replayed"), ("4", "impossible"), _LOG.format("00:37 restored", "00:52 replayed")),
        ("On 18 November 2025 the database was restored.\n\nThe backup had been completed on 19 November 2025.", ("3", "impossible"),
         "On 18 November 2025 the database was restored.\n\nThe next backup was completed on 19 November 2025."),
        ("The drill took place on 10 March 2026. The report was signed by Ann on 9 March 2026.", ("1", "impossible"),
         "The drill took place on 10 March 2026. The report was signed by Ann on 11 March 2026."),
        ("From: Ann\nTo: Audit\nDate: 3 March 2026\n\nThe restore was performed on 5 March 2026.", ("5", "impossible"),
         "From: Ann\nTo: Audit\nDate: 3 March 2026\n\nThe restore will be performed on 5 March 2026."),
        ("Date of the test: 12.02.2026\nDate of this protocol: 09.02.2026", ("2", "impossible"), "Date of the test: 12.02.2026\nDate of this protocol: 13.02.2026"),
        ("|Performed by|jdoe|\n|Approved by|@jdoe|", ("2", "approval"), "|Performed by|jdoe|\n|Approved by|@akerr|"),
        ("Performed by ann.kerr@bank.example, approved by akerr.", ("1", "approval"), "Performed by ann.kerr@bank.example, approved by lroth."),
        ("Assignee: kim\n\nReviewed by kim, four eyes satisfied.", ("3", "approval"), "Assignee: kim\n\nReviewed by Lena Roth, four eyes satisfied."),
        ("Operator: Jo Berg\nReviewed: Jo Berg", ("2", "approval"), "Operator: Jo Berg\nReviewed: Lena Roth"),
        (_FORM.format(""), ("4", "approval"), _FORM.format("Lena Roth")),
        (_FORM.format("n/a"), ("4", "approval"), "DRAFT\n\nPerformed by ...... Ann Kerr\nApproved by ....... n/a"),
        ("Customer approval: pending. Status: **APPROVED BY CUSTOMER**", ("1", "approval"), "Customer approval: pending. Status: tested"),
        ("Start ..... 2026-04-14 08:00 UTC\nEnd ....... 2026-04-14 09:25 UTC\nTotal time ... 1 h 05 min", ("3", "contradiction"),
         "Start ..... 2026-04-14 08:00 UTC\nEnd ....... 2026-04-14 09:25 UTC\nTotal time ... 1 h 25 min"),
        (_WIKI.format(79), ("5", "contradiction"), _WIKI.format(73)),
        ("61 tables in 4 schemas (berths 22, cargo 19, people 11, billing 10)", ("1", "contradiction"),
         "62 tables in 4 schemas (berths 22, cargo 19, people 11, billing 10)"),
        ("Objects: 318 tables, 902 indexes, 44 views; in total 1,246 objects", ("1", "contradiction"),
         "Objects: 318 tables, 902 indexes, 44 views; in total 1,264 objects"),
        (_SIZES.format("159.4"), ("7", "contradiction"), _SIZES.format("149.4")),
        ("35 planned (5 databases x 7 nights), 34 succeeded, 2 failed", ("1", "contradiction"), "36 planned (4 databases x 9 nights), 34 succeeded, 2 failed"),
        (_STEPS.format("09:05"), ("5", "impossible"), _STEPS.format("09:20")),
        ("| Date | Weekday |\n|---|---|\n| 2026-03-03 | Wednesday |", ("3", "impossible"), "| Date | Weekday |\n|---|---|\n| 2026-03-03 | Tuesday |"),
        ("Durchgeführt 08:30 bis 10:05 Uhr (85 Minuten)", ("1", "contradiction"), "Durchgeführt 08:30 bis 10:05 Uhr (95 Minuten)"),
        ("Durchgeführt: 04.03.2026\n\nDie Sicherung vom 05.03.2026 wurde verwendet.", ("3", "impossible"),
         "Durchgeführt: 04.03.2026\n\nDie Sicherung vom 03.03.2026 wurde verwendet."),
        ("On 17 February 2026 the database was recovered.\n\nPrepared by Marcus Thiel, 16 February 2026", ("3", "impossible"),
         "On 17 February 2026 the database was recovered.\n\nPrepared by Marcus Thiel, 18 February 2026"),
        ("It has been reviewed by the person who prepared it.", ("1", "approval"), "It must not be reviewed by the person who prepared it."),
        ("Execution: Sanne de Vries\nIndependent verification: S. de Vries", ("2", "approval"), "Execution: Sanne de Vries\nIndependent verification: P. de Vries"),
        ("| Step | By |\n|---|---|\n| Restore | N. Brandt |\n\nReleased for production by: N. B.", ("5", "approval"),
         "| Step | By |\n|---|---|\n| Restore | N. Brandt |\n\nReleased for production by: P. B."),
        ("- [x] No invalid indexes of 340\n\nIndexes: 2 invalid", ("1", "contradiction"), "- [x] No invalid indexes of 340\n\nIndexes: 340 valid"),
        ("- 14 systems in scope, 12 restored.\n- Success rate 93 %.", ("2", "contradiction"), "- 14 systems in scope, 12 restored.\n- Success rate 86 %."),
        ("Row count: 1,203,118\nLargest table: 1,301,448 rows", ("2", "contradiction"), "Row count: 1,203,118\nLargest table: 301,448 rows"),
        (_INFO + "The database size is 48.1 GB.", ("5", "contradiction"), _INFO + "The database size is 84.1 GB."),
        ("Tables in scope (6):\n\n1. a\n2. b\n3. c", ("1", "contradiction"), "Tables in scope (3):\n\n1. a\n2. b\n3. c"),
        (_CHECKS.format("1,904,272"), ("3", "contradiction"), _CHECKS.format("1,904,227")),
        (_CHECKS.replace("1,904,227", "≤ 40 min").format("43 min"), ("3", "contradiction"), _CHECKS.replace("1,904,227", "≤ 40 min").format("39 min")),
        ("- nine applications (claims, policy, billing, portal, mail, intranet, archive, fleet)", ("1", "contradiction"),
         "- nine applications (claims, policy, billing)"),
        ("All applications were recovered within the agreed four hours; the slowest took 4 h 50 min.", ("1", "contradiction"),
         "All applications but one were recovered within the agreed four hours; the slowest took 4 h 50 min."),
        ("It cost 18,000 EUR (internal 11,500, external 7,500).", ("1", "contradiction"), "It cost 19,000 EUR (internal 11,500, external 7,500)."),
        ("The dump compresses 1.1 TB into 190 GB, a factor of 7.9.", ("1", "contradiction"), "The dump compresses 1.1 TB into 190 GB, a factor of 5.9."),
        ("Tester: Ravi Menon  Date: 9 February 2026\n\nSign-off: Ravi Menon, 9 February 2026", ("3", "approval"),
         "Tester: Ravi Menon  Date: 9 February 2026\n\nSign-off: Lena Roth, 9 February 2026"),
        ("Submitted by: R. Halvorsen, Head of IT\nEndorsed by: Rune Halvorsen", ("2", "approval"), "Submitted by: R. Halvorsen, Head of IT\nEndorsed by: Nils Berg"),
        (f"Dump orders.dump: sha256 {_DIGEST}\n\nDump users.dump: sha256 {_DIGEST}", ("3", "impossible"),
         f"2026-03-10 08:09:41 sha256 ok {_DIGEST}\n\nsha256 of core.dump in catalogue: {_DIGEST}"),
        ("The window is 00:30–05:00 UTC (02:30–06:00 CET).", ("1", "contradiction"), "The window is 00:30–05:00 UTC (01:30–06:00 CET)."),
        ("4,120,331 in production, 4,119,870 in the copy, 641 newer than the dump", ("1", "contradiction"),
         "4,120,331 in production, 4,119,870 in the copy, 461 newer than the dump"),
        ("212 GB in December, 231 GB in January, 229 GB in February, on average 242 GB.", ("1", "contradiction"),
         "212 GB in December, 231 GB in January, 229 GB in February, on average 224 GB."),
        ("Restores are 5.1 × faster (41 min instead of 127 min).", ("1", "contradiction"), "Restores are 3.1 × faster (41 min instead of 127 min)."),
        ("Impact: 1 h 15 min without writes (13:15–15:10)", ("1", "contradiction"), "Impact: 1 h 55 min without writes (13:15–15:10)"),
        ("Thursday's round, 5 March 2026 (Friday)", ("1", "impossible"), "Thursday's round, 5 March 2026 (Thursday)"),
        ("Drills so far: 4, of which 3 ok and 2 late.", ("1", "contradiction"), "Drills so far: 5, of which 3 ok and 2 late."),
        ("It was run by Teo Lind and reviewed by Teo Lind.", ("1", "approval"), "It was run by Teo Lind and reviewed by Ana Prado."),
        (_TURNS.format("a.lind"), ("4", "approval"), _TURNS.format("tprado")),
        ("Datum des Tests: 10.03.2026\n\nGrundlage war die Sicherung vom 11.03.2026.", ("3", "impossible"),
         "Datum des Tests: 10.03.2026\n\nGrundlage war die Sicherung vom 09.03.2026."),
        ("7 resources: instance, group, rule, key, host, disk", ("1", "contradiction"), "7 resources: instance, group, two rules, key, host, disk"),
        ("Functions: 41/40", ("1", "impossible"), "Functions: 40/40"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found_and_what_is_right_is_left_alone(wrong: str, where: tuple[str, str], right: str) -> None:
    assert _found(wrong) == [where]
    assert _found(right) == []
