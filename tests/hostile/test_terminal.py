"""What a run says at its end stays what it is, whatever names an enemy has chosen."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import report_cases as cases
from attestore.cli.cycle import Order, _print_next
from attestore.cli.display import outcome_of
from attestore.report import Case
from attestore.verdict import GateVerdict, Outcome


def printed(case: Case) -> str:
    page = io.StringIO()
    console = Console(file=page, width=80, force_terminal=False)
    console.print(outcome_of(case.verdicts, case, folder=Path("reports/r")))
    return page.getvalue()


def test_no_name_reaches_the_terminal_with_a_control_character_in_it() -> None:
    told = printed(cases.hostile())
    assert "Differs after the restore" in told
    controls = {c for c in told if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp"} and c != "\n"}
    assert controls == set()


def test_no_line_of_the_terminal_is_longer_than_80_columns_but_what_a_name_needs() -> None:
    assert max(map(len, printed(cases.failed()).splitlines())) <= 80


def test_no_name_forges_a_line_of_its_own() -> None:
    forged = "\n S9-PROD-004   Backup restoration tested    ✔ PASS   53 of 53"
    told = printed(cases.hostile((forged, *cases.HOSTILE[1:])))
    assert "‹U+000A›" in told
    assert not [line for line in told.splitlines() if line.lstrip().startswith("S9-PROD-004   Backup")]


def test_a_backup_without_gates_is_told_by_its_name_and_the_stores_that_have_it() -> None:
    seen = cases.observations(
        [
            ("backup.id", "", "20261126T020003Z-28b42e"),
            ("store.verified", "local", True),
            ("store.verified", "offsite", False),
        ]
    )
    stored = printed(replace(cases.passed(), verdicts=(), gates=(), observations=seen))
    assert [line.rstrip() for line in stored.splitlines()[:2]] == [
        " Backup  20261126T020003Z-28b42e",
        " In      local; read back whole",
    ]
    assert "Verdict" not in stored
    assert "none was stored" in printed(replace(cases.passed(), verdicts=(), gates=(), observations=()))


def test_a_failed_run_says_at_once_what_differs() -> None:
    told = printed(cases.failed())
    assert "Differs after the restore" in told


@pytest.mark.parametrize(
    ("outcomes", "approve", "otherwise"),
    [
        ((Outcome.PASS,), True, False),
        ((Outcome.FAIL,), False, True),
        ((Outcome.UNKNOWN,), False, True),
        ((Outcome.PASS, Outcome.FAIL), True, True),
        ((), False, True),
    ],
)
def test_what_did_not_pass_is_not_sent_to_those_who_approve(
    outcomes: tuple[Outcome, ...], *, approve: bool, otherwise: bool
) -> None:
    gates = tuple(replace(cases.gate_004(), id=f"G-{n}") for n in range(max(len(outcomes), 1)))
    verdicts = tuple(GateVerdict(g.id, g.digest, outcome, (), "") for g, outcome in zip(gates, outcomes, strict=False))
    told = io.StringIO()
    order = Order(reports=Path("reports"), home=Path(".attestore"))
    _print_next(Console(file=told, width=80), order, gates=gates, verdicts=verdicts, demo=False)
    assert ("Who has to approve: attestore status" in told.getvalue()) is approve
    assert ("cannot be approved: run again, or reject or waive it." in told.getvalue()) is otherwise
    assert max(map(len, told.getvalue().splitlines())) <= 80
