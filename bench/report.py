"""The report of a system with 5,000 tables: pages, seconds, memory. Prints one line; `python bench/report.py [TABLES]`."""

from __future__ import annotations

import io
import resource
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pikepdf

import report_cases as cases
from attestore import proof, report
from attestore.adapters.printer import WeasyPrinter
from attestore.ports import Attachment, Page
from attestore.resources import templates_folder


def main(tables: int) -> None:
    """One failed report: one table differs, every other is folded; both proofs are attached."""
    rows = {f"t{number:05d}": number for number in range(1, tables + 1)}
    source, back = cases.proof(rows=rows), cases.proof("restored", rows=rows)
    broken = replace(back, tables=(replace(back.tables[0], sums=(9, 9, 9, 9)), *back.tables[1:]))
    case = cases.case_of(source, broken, cases.facts(source, broken), (cases.gate_004(),))
    carried = [
        Attachment(f"proof.{side}.json", proof.encode(each), "application/json", "a proof", "Source")
        for side, each in (("source", source), ("restored", broken))
    ]
    shipped = report.load_templates(templates_folder())
    before = time.monotonic()
    renderer = report.renderer(report.RENDERER)
    text = renderer.markdown(case, "S9-PROD-004", shipped)
    sheet = renderer.sheet(case, "S9-PROD-004", shipped)
    page = Page(sheet.html, sheet.title, "en", "run/gate", datetime(2026, 11, 22, tzinfo=UTC))
    printed = WeasyPrinter().print(page, attachments=carried)
    spent = time.monotonic() - before
    with pikepdf.open(io.BytesIO(printed)) as pdf:
        pages = len(pdf.pages)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(
        f"{tables:,} tables: {pages} pages, {len(printed):,} bytes, Markdown {len(text):,} bytes, {spent:.1f} s, peak {peak} MiB"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
