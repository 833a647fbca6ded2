"""What a report says: every figure of the hand-written report has a measured counterpart, and silence is not a figure."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import report_cases as cases
from attestore import report
from attestore.errors import UsageError
from attestore.facts import RTO_PHASES
from attestore.proof import Comparison, Object, Proof, Setting, compare
from attestore.report import Case
from attestore.report.blocks import Callout, Gauge, Heading, Mark, Para, Prospect, Table, Tone, Trend
from attestore.report.numbers import share as report_share
from attestore.report.pictures import prospect_svg, ruled, trend_svg, trend_text
from attestore.report.words import plain
from attestore.resources import templates_folder

TEMPLATES = report.load_templates(templates_folder())


def text_of(case: report.Case, gate: str = "S9-PROD-004") -> str:
    return report.markdown(report.gate_document(case, gate), TEMPLATES).decode()


@pytest.mark.parametrize(
    "figure",
    [
        "1.234 s",  # measured RTO
        "29 m 58.766 s below target (99.9%)",  # margin
        "| Data restoration |",
        "| Total | | 1.234 s | 100.0% | |",
        "100.0% (7,305/7,305 rows)",
        "100.0% (10/10 tables)",
        "100.0% (13/13 keys)",
        "| Orphaned rows | 0 | **none** |",
        "| trigger | 4 | 4 | 0 | **equal** |",
        "| index | 52 | 52 | 0 | **equal** |",
        "| function | 1 | 1 | 0 | **equal** |",
        "Unicode content (emoji, Cyrillic, Chinese, Arabic)",
        "10 of 10 equal",
        "33 of 33 criteria hold (100.0%)",
        "2.5 MiB (2,636,388 B)",
        "2026-12-23",  # valid until
        "awaiting approval",
        "scratch settings",
        "3 of 3 deliberate changes noticed",
        "| soc2 | A1.3 |",
    ],
)
def test_each_figure_of_the_seed_has_its_counterpart(figure: str) -> None:
    assert figure in text_of(cases.passed())


def test_the_encryption_gate_is_told_by_behaviour() -> None:
    told = text_of(cases.passed(), "S9-PROD-003")
    assert "Opens with the private key, to its recorded digest | **yes** | **yes** | **yes** |" in told
    assert "AES256" in told
    assert "Recovery time by phase" not in told
    assert "Recovery time within its target" not in told  # it was measured; this gate sets no target


def test_the_audit_that_a_report_names_works_in_the_folder_that_it_speaks_of() -> None:
    assert "`attestore audit . --roster /from/elsewhere/roster.yaml`" in text_of(cases.passed())


def test_a_pass_is_drawn_in_green_below_its_target() -> None:
    document = report.gate_document(cases.passed(), "S9-PROD-004")
    gauge = next(block for block in document.blocks if isinstance(block, Gauge))
    assert (gauge.tone, gauge.target_at) == (Tone.GOOD, 1000)
    assert gauge.filled < gauge.target_at
    assert document.watermark == "DRAFT"
    assert report.gate_document(cases.approved(), "S9-PROD-004").watermark == ""
    assert report.gate_document(cases.failed(), "S9-PROD-004").watermark == "FAIL"
    assert report.summary_document(cases.passed()).watermark == "DRAFT"
    assert report.summary_document(cases.failed()).watermark == "FAIL"


def test_a_fail_names_every_difference_before_anything_that_held() -> None:
    document = report.gate_document(cases.failed(), "S9-PROD-004")
    anchors = [block.anchor for block in document.blocks if isinstance(block, Heading)]
    assert anchors.index("differences") < anchors.index("recovery") < anchors.index("integrity")
    told = report.markdown(document, TEMPLATES).decode()
    for subject in (
        "public.image_variants",
        "public.tags",
        "public.users",
        "public.ix_07",
        "public.touch_updated_at()",
    ):
        assert f"| {subject} |" in told
    assert document.watermark == "FAIL"
    assert "8 differences between backup and restore" in told


def test_failures_stand_first_in_every_table_that_judges() -> None:
    order = {"FAIL": 0, "DIFFERS": 0, "MISSING": 0, "EXTRA": 0, "NO": 0, "ORPHANS": 0, "BEHIND": 0, "UNKNOWN": 1}
    document = report.gate_document(cases.failed(), "S9-PROD-004")
    tables = {plain(b.columns[0].title): b for b in document.blocks if isinstance(b, Table)}
    for name in ("Criterion", "Table", "Child table", "Edge case", "Item"):
        words = [next(cell.word for cell in row if isinstance(cell, Mark)) for row in tables[name].rows]
        ranks = [order.get(word, 2) for word in words]
        assert ranks == sorted(ranks), name
        assert ranks[0] == 0, name


def test_a_broken_run_says_where_it_stopped_and_prints_no_number_for_what_nobody_saw() -> None:
    document = report.gate_document(cases.stopped(), "S9-PROD-004")
    first = next(block for block in document.blocks if isinstance(block, Callout))
    assert first.title == "UNKNOWN"
    told = report.markdown(document, TEMPLATES).decode()
    assert "**The run stopped:** prepare: interrupted by SIGINT." in told
    assert "- **RTO:** not measured" in told
    assert "| Backup download | ██████ ".replace("██████ ", "") in told
    assert "| Database preparation | | not measured | – | – |" in told.replace("|  |", "| |")
    assert "100.0%" not in told.split("## Recovery time", 1)[1].split("## ", 1)[0].split("Total", 1)[1]


def test_a_run_that_died_at_once_still_makes_every_document() -> None:
    case = cases.died_at_once()
    for gate in case.gates:
        assert "preflight: the source does not answer" in text_of(case, gate.id)
    assert "0 of 2 gates passed" in report.markdown(report.summary_document(case), TEMPLATES).decode()
    assert b"sha256sum --check" in report.verify_page(case, TEMPLATES)


def test_five_thousand_equal_tables_fold_and_the_one_that_differs_does_not() -> None:
    rows = {f"t{number:04d}": number for number in range(1, 5001)}
    source, back = cases.proof(rows=rows), cases.proof("restored", rows=rows)
    broken = replace(back, tables=(replace(back.tables[0], sums=(9, 9, 9, 9)), *back.tables[1:]))
    case = cases.case_of(source, broken, cases.facts(source, broken), (cases.gate_004(),))
    told = text_of(case)
    assert "| public.t0001 | 1 | 1 |" in told
    assert "All equal: 4,979 tables more, with" in told
    assert len(told.splitlines()) < 610
    total = sum(rows.values())
    assert f"| 5,000 tables | {total:,} | {total:,} |" in told


def test_tables_whose_rows_are_beyond_a_gigabyte_are_named_with_how_they_were_told() -> None:
    rows = {"files": 3, "notes": 4}
    source, back = (
        replace(proof, tables=tuple(replace(t, wide="LATIN1" if t.name == "files" else "") for t in proof.tables))
        for proof in (cases.proof(rows=rows), cases.proof("restored", rows=rows))
    )
    case = cases.case_of(source, back, cases.facts(source, back), (cases.gate_004(),))
    assert "Rows of public.files are beyond 1 GB in canonical form" in text_of(case)
    assert "beyond 1 GB" not in text_of(cases.passed())


def test_a_contradiction_is_printed_as_one() -> None:
    case = cases.passed()
    again = replace(case.observations[-1], fact="restore.rto", value=1)
    told = text_of(replace(case, observations=(*case.observations, again)))
    assert "- **RTO:** contradictory" in told


def test_phases_that_do_not_add_up_are_called_out() -> None:
    case = cases.passed()
    bent = tuple(replace(seen, value=9_999) if seen.fact == "restore.rto" else seen for seen in case.observations)
    told = text_of(replace(case, observations=bent))
    assert "The phases sum to 1.234 s, the recovery time says 9.999 s." in told


def test_the_summary_shows_every_gate_with_evidence_worst_first() -> None:
    told = report.markdown(report.summary_document(cases.failed()), TEMPLATES).decode()
    assert told.index("| S9-PROD-004 |") < told.index("| S9-PROD-003 |")
    assert "RSA 4096, AES256, MDC; 3 of 3 parts open with the key, without it 3 of 3 refused" in told


def test_approval_is_undecided_until_somebody_decides() -> None:
    told = text_of(cases.passed())
    assert "2 distinct people, never the person who ran it, together covering: release-manager, security" in told
    assert told.count("| approved | not yet decided |") == 2


def test_a_plan_is_told_before_anything_happens() -> None:
    case = cases.passed()
    document = report.plan_document(case.context.plan, case.gates, system="goimg", scenario="a drill")
    told = report.markdown(document, TEMPLATES).decode()
    assert "Nothing has been done yet." in told
    assert "| Recovery time objective | `restore.rto` | < 30m |" in told


def test_a_gate_that_was_not_judged_is_refused() -> None:
    with pytest.raises(UsageError, match="S9-PROD-999"):
        report.gate_document(cases.passed(), "S9-PROD-999")


def test_history_is_drawn_to_one_scale_with_failed_runs_kept() -> None:
    told = text_of(cases.passed())
    assert "20260924T020000Z-goimg-90cd | 2026-09-24 02:00:19 UTC | **FAIL**" in told
    assert "20260824T020000Z-goimg-17ee | 2026-08-24 02:00:03 UTC | **UNKNOWN** | not measured" in told
    document = report.gate_document(cases.passed(), "S9-PROD-004")
    times, sizes = (block for block in document.blocks if isinstance(block, Trend))
    assert times.values[0] is None
    assert times.tones[:2] == (Tone.DOUBT, Tone.BAD)
    assert len(times.values) == len(sizes.values) == len(cases.passed().context.history) + 1
    assert "✕" in trend_text(times)
    assert trend_svg(times).count("<rect") == 1 + sum(value is not None for value in times.values)


def test_what_the_restore_computed_otherwise_is_told_and_only_a_generated_value_is_a_loss() -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    told = text_of(case)
    assert "| **re-computed** | content re-computed by the restore: 24 rows at the source, 25 restored" in told
    assert "Differences" in told
    assert "None. The restored database equals" in told
    column, view = case.restored.computed
    back = replace(case.restored, computed=(replace(column, sums=(0, 0, 0, 1)), view))
    told = text_of(cases.case_of(case.source, back, cases.facts(case.source, back), case.gates))
    assert "| public.images.aspect | generated column |" in told.replace("`", "")
    assert "1 difference between backup and restore" in told
    unread = replace(case.restored, computed=(column,))
    told = text_of(cases.case_of(case.source, unread, cases.facts(case.source, unread), case.gates))
    assert "not compared: the restore does not compute it" in told


@pytest.mark.parametrize(
    ("missing", "unlocated", "state"), [(0, 0, "**yes**"), (1, 0, "**NO**"), (0, 1, "**not measured**")]
)
def test_a_row_too_many_does_not_stand_in_for_one_that_is_missing(missing: int, unlocated: int, state: str) -> None:
    case = cases.passed()
    told = {"rows.missing": missing, "tables.unlocated": unlocated}
    seen = [(o.fact, o.subject, told.get(o.fact, o.value)) for o in case.observations]
    assert f"| Every row came back | {state} |" in text_of(cases.case_of(case.source, case.restored, seen, case.gates))


@pytest.mark.parametrize(
    ("unplanned", "words"),
    [
        (0, "the trials between the two comparisons left nothing behind"),
        (1, "1 difference that nobody planted: what a trial left behind"),
        (None, "Other differences: not measured"),
    ],
)
def test_what_a_trial_left_behind_stands_beside_the_control(unplanned: int | None, words: str) -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    seen = [each for each in cases.facts(case.source, case.restored) if each[0] != "control.unplanned"]
    if unplanned is not None:
        seen.append(("control.unplanned", "", unplanned))
    if unplanned:
        seen.append(("control.leftover", "1", "table public.log: another number of rows"))
    told = text_of(cases.case_of(case.source, case.restored, seen, case.gates))
    assert words in told
    assert ("table public.log: another number of rows" in told) is bool(unplanned)


def test_a_number_that_a_probe_answered_stands_beside_its_bounds() -> None:
    assert "4 (>= 1, <= 9)" in text_of(cases.passed()).replace("\\", "").replace("&gt;", ">").replace("&lt;", "<")


def _told(changes: dict[str, int]) -> str:
    case = cases.passed()
    seen = [(o.fact, o.subject, changes.get(o.fact, o.value)) for o in case.observations]
    return text_of(cases.case_of(case.source, case.restored, seen, case.gates))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "7,305 of 7,305 rows came back. Tables missing"),
        ({"rows.missing": 1, "rows.extra": 1}, "7,304 of 7,305 rows came back, 1 extra. Tables missing"),
        ({"rows.changed": 2}, "7,305 of 7,305 rows came back, 2 changed. Tables missing"),
        (
            {"tables.unlocated": 1},
            "7,305 rows, the restored copy 7,305: the numbers of rows are equal, the rows are not.",
        ),
        (
            {"tables.unlocated": 1, "rows.restored": 7_300},
            "the restored copy 7,300: not every differing row was found.",
        ),
    ],
)
def test_a_row_that_is_missing_did_not_come_back_however_many_there_are(changes: dict[str, int], said: str) -> None:
    told = _told(changes)
    assert said in told
    assert ("- **Rows restored:** 7,305 / 7,305" in told) is ("7,305 of 7,305 rows came back" in told)


def test_the_longest_phase_is_most_of_it_only_beyond_a_half() -> None:
    assert "Most of it went into *Data restoration* (" in _told({"restore.data": 5_000, "restore.rto": 6_000})
    even = {f"restore.{phase}": 100 for phase in RTO_PHASES}
    told = _told({**even, "restore.rto": 100 * len(RTO_PHASES)})
    assert "The longest phase was *" in told
    assert "Most of it" not in told


def test_no_rate_is_told_of_a_decryption_that_goes_on_beside_the_download() -> None:
    """Its time is what was left of it, so that all its bytes over that would be a rate that no machine has."""
    told = _told({"restore.unseal": 5, "restore.retrieve": 4_000, "restore.rto": 4_005})
    (row,) = (
        line for line in told.splitlines() if line.startswith("| Decryption and unpacking |") and "0.005 s" in line
    )
    assert row.endswith("| – |")
    (row,) = (line for line in told.splitlines() if line.startswith("| Backup download |") and "4.000 s" in line)
    assert row.endswith("/s |")
    assert "Parts are decrypted while they come" in told


def test_a_share_is_the_same_wherever_it_is_told() -> None:
    thirds = {f"restore.{phase}": 1 for phase in RTO_PHASES}
    told = _told({**thirds, "restore.rto": len(RTO_PHASES)})
    share = report_share(1, len(RTO_PHASES))
    phases = told.split("## Recovery time", 1)[1].split("| Total", 1)[0]
    assert phases.count(f"| {share} |") == len(RTO_PHASES)
    assert f"*Decryption and unpacking* ({share})" in told, "as the table calls it"


def test_a_report_does_not_know_the_second_at_which_its_evidence_expires() -> None:
    assert "- **Valid until:** 2026-12-23 – about " in text_of(cases.passed())
    assert "until about 2026-12-23 " in text_of(cases.passed())
    assert "about 2026-12-23" not in text_of(cases.approved())


def test_a_probe_that_was_not_asked_of_the_restored_copy_is_unknown_and_no_difference() -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    back = replace(case.restored, probes=case.restored.probes[1:])
    judged = cases.case_of(case.source, back, cases.facts(case.source, back), case.gates)
    told = text_of(judged)
    assert "None. The restored database equals" in told
    assert "| Edge cases answer the same | **not measured** |" in told
    assert "9 of 10 equal, 1 not measured" in told
    assert {verdict.gate: verdict.outcome.name for verdict in judged.verdicts}["S9-PROD-004"] == "UNKNOWN"


def test_method_stream_says_that_it_looks_for_no_rows() -> None:
    case = cases.failed()
    assert case.source is not None
    assert case.restored is not None
    source, back = (replace(side, method="stream", located=()) for side in (case.source, case.restored))
    told = text_of(cases.case_of(source, back, cases.facts(source, back), case.gates))
    assert "another number of rows: rows are not looked for by method stream" in told
    assert "AT LEAST" not in told
    assert "no differing row was found" not in told
    assert "\\-\\-show-keys" in told or "--show-keys shows none" in told


def test_a_gate_of_one_criterion_holds_in_the_singular() -> None:
    case = cases.passed()
    gate = next(each for each in case.gates if each.id == "S9-PROD-004")
    one = replace(gate, checks=gate.checks[:1], probes=())
    seen = [(o.fact, o.subject, o.value) for o in case.observations]
    told = text_of(cases.case_of(case.source, case.restored, seen, (one,)))
    assert "1 of 1 criterion holds" in told


def test_a_value_that_differs_is_no_object_that_differs() -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    catalogue = (
        *case.source.objects,
        Object("sequence", "public.s", "as integer"),
        Object("table", "public.t", "heap"),
    )
    source = replace(case.source, objects=tuple(sorted(catalogue)))
    tables = (replace(case.restored.tables[0], sums=(1, 2, 3, 4)), *case.restored.tables[1:])
    behind = (replace(case.restored.sequences[0], reached=90),)
    back = replace(case.restored, objects=source.objects, tables=tables, sequences=behind)
    told = text_of(cases.case_of(source, back, cases.facts(source, back), case.gates))
    assert "| table | 1 | 1 | 0 | **equal** |" in told
    assert "| sequence | 1 | 1 | 0 | **equal** |" in told
    assert "same number of rows, other content" in told
    assert "sequence behind" in told


def test_a_run_that_broke_off_does_not_tell_as_done_what_it_never_did() -> None:
    told = text_of(cases.stopped())
    assert "So goes a whole run. This one was not completed" in told
    assert "the restored copy was changed deliberately and compared again" not in told
    assert "That anything comes back from this backup" in told
    assert "what was there came back" not in told
    assert "So goes a whole run" not in text_of(cases.passed())


def test_a_run_that_did_not_pass_answers_no_control() -> None:
    assert "it answers none of them" in text_of(cases.failed())
    assert "it answers none of them" in text_of(cases.stopped())
    assert "it answers none of them" not in text_of(cases.passed())


def test_a_history_says_when_the_target_will_be_broken_with_its_range_and_what_it_rests_on() -> None:
    told = text_of(cases.growing())
    assert "reaches its target of 1.600 s about 2027-08-12. With 90% confidence: not before 2027-06-13" in told
    assert "From 11 runs on 11 days, 2026-01-26 to 2026-11-22: +0.042 s in 30 days" in told
    assert "The phase that grows most is data" in told
    assert "Left out, having measured no whole restore: 1 run." in told


def test_a_forecast_is_drawn_to_the_horizon_and_only_where_the_target_is_in_sight() -> None:
    def drawn(case: Case) -> list[Prospect]:
        return [block for block in report.gate_document(case, "S9-PROD-004").blocks if isinstance(block, Prospect)]

    (picture,) = drawn(cases.growing())
    assert picture.points[0][0] == 0
    assert picture.points[-1][0] == 500
    assert picture.line[0] < picture.line[1] < picture.target_at < picture.line[2]
    assert picture.low[1] < picture.line[2] < picture.upper[1]
    assert prospect_svg(picture).count("<circle") == 11
    assert drawn(cases.growing(limit="30m")) == []


def test_too_few_runs_for_a_forecast_are_told_quietly_and_a_gate_without_a_target_has_none() -> None:
    (quiet,) = (
        block
        for block in report.gate_document(cases.growing(runs=4), "S9-PROD-004").blocks
        if isinstance(block, Para)
        and isinstance(block.text, str)
        and block.text.startswith("Not enough runs for a forecast: 4 of")
    )
    assert quiet.quiet
    assert "forecast" not in text_of(cases.growing(), "S9-PROD-003").lower()


def test_settings_that_changed_are_named_and_forge_nothing() -> None:
    case = cases.growing()
    past = [
        replace(each, measured=replace(each.measured, settings=(("jobs", "8 | **PASS**\n# x"),)))
        if each.measured
        else each
        for each in case.context.history
    ]
    told = text_of(replace(case, context=replace(case.context, history=tuple(past))))
    assert "Not enough runs for a forecast: 1 of at least 6" in told
    assert "they ran under other settings (" in told
    assert "\n# x" not in told


@given(st.integers(-5000, 5000), st.integers(-5000, 5000))
def test_no_line_of_a_picture_leaves_it(start: int, end: int) -> None:
    for spots in (ruled((500, start), (1000, end)), ruled((500, start), (1000, end), fill=True)):
        assert all(-20 <= y <= 1020 and 500 <= x <= 1000 for x, y in spots)


def test_two_proofs_are_compared_once_for_all_documents_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of tables are looked through for every page otherwise."""
    case, calls = cases.failed(), list[object]()
    compared = compare

    def counted(source: Proof, restored: Proof) -> Comparison:
        calls.append(source)
        return compared(source, restored)

    monkeypatch.setattr("attestore.report.case.compare", counted)
    renderer = report.renderer(report.RENDERER)
    for name in report.pages(case):
        renderer.markdown(case, name, TEMPLATES)
        renderer.sheet(case, name, TEMPLATES)
    assert len(calls) == 1
    assert replace(case, restored=None).comparison is None
    assert calls == [case.source]


def test_the_pace_at_the_source_is_told_where_somebody_chose_it_and_only_there() -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    seen = [*cases.facts(case.source, case.restored), ("source.jobs", "", 1), ("source.pause", "", 50)]
    told = text_of(cases.case_of(case.source, case.restored, seen, case.gates))
    assert "1 at once, at most" in told
    assert "Rest between two chunks of the source" in told
    assert "at once, at most" not in text_of(case)


def test_a_setting_that_is_empty_is_told_apart_from_one_that_is_absent() -> None:
    """Of a role that only the copy has, nobody reads that its comment is absent on both sides."""
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    empty = Setting("role intruder", "comment", "")
    for mine, theirs, expected in (((), (empty,), "absent | –"), ((empty,), (), "– | absent")):
        source = replace(case.source, settings=(*case.source.settings, *mine))
        back = replace(case.restored, settings=(*case.restored.settings, *theirs))
        told = text_of(cases.case_of(source, back, cases.facts(source, back), case.gates))
        assert f"| role intruder: comment | setting | setting or role differs | {expected} |" in told


def test_a_class_that_one_side_was_never_asked_for_is_told_as_not_compared_and_not_as_different() -> None:
    """An old backup, or one of an older major: nothing differs there, and nothing is equal either."""
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    source = replace(case.source, asked=())
    granted = Object("system privilege", "function pg_sleep(double precision)", "revoked PUBLIC=EXECUTE")
    back = replace(case.restored, asked=("system privilege",), objects=(*case.restored.objects, granted))
    told = text_of(cases.case_of(source, back, cases.facts(source, back), case.gates))
    assert "| system privilege | 0 | 1 | 0 | **not compared** |" in told
    assert "Not compared, since only one side was asked for them: system privilege." in told
    assert "not compared" not in text_of(case)
    none = replace(back, objects=case.restored.objects)
    told = text_of(cases.case_of(source, none, cases.facts(source, none), case.gates))
    assert "Not compared, since only one side was asked for them: system privilege." in told, "what is not there, too"


def test_partitions_that_are_compared_together_are_one_line_and_none_of_them_is_missing() -> None:
    case = cases.passed()
    assert case.source is not None
    assert case.restored is not None
    first, second, *others = case.source.tables
    together = tuple(replace(each, through=("app", "whole")) for each in (first, second))
    source, back = (replace(each, tables=(*together, *others)) for each in (case.source, case.restored))
    told = text_of(cases.case_of(source, back, cases.facts(source, back), case.gates))
    rows = first.rows + second.rows
    assert f"| app.whole | {rows} | {rows} |" in told
    assert "MISSING" not in told
    assert "EXTRA" not in told
    assert f"| {first.label} | {first.rows} |" not in told
