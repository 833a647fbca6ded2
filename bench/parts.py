"""What a report's processor time goes into, part by part: in the process that renders, in the one that prints, in gpg's."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from report import sealed
from world import table

from attestore import instants, report
from attestore.adapters import printer
from attestore.adapters.gpg import GpgSigner, Keyring
from attestore.adapters.postgres.programs import Installation
from attestore.adapters.process import Runner
from attestore.archive import read_bundle, record
from attestore.pages import Attachment, Page

__all__ = ["measure"]

_STARTS = (
    ("Python itself", "pass"),
    ("child: pikepdf, fontTools and what it has of ours", "import attestore.adapters.typesetter"),
    ("child: WeasyPrint", "import attestore.adapters.typesetter, attestore.adapters.printer as p; p.WeasyPrinter()"),
)
"""each with all that the one before it does"""
_IMPORTS = "import attestore.cli.again, attestore.compose.again"


def measure(installation: Installation, scale: float, folder: Path) -> str:
    """Of ten tables, and of 5,000 by scale. Half a minute."""
    del installation
    counts = (10, max(100, int(5_000 * scale)))
    spent = []
    for count in counts:
        place = folder / f"tables-{count}"
        spent.append(_parts(sealed(place, tables=count), folder=place))
    rows = [(part, *(f"{1000 * each[part]:,.0f} ms" for each in spent)) for part in spent[0]]
    rows.append(("all of them", *(f"{1000 * sum(each.values()):,.0f} ms" for each in spent)))
    head = ("part, in processor time", *(f"{count:,} tables" for count in counts))
    return table(head, rows) + (
        "\n\nTwo gates and a summary. The first three, the printing child's start, are paid once in a run, in a process that is kept for a minute "
        "at most (ADR 0047); before, three times, at 580 ms each. `attestore report` alone pays for the imports of rendering and reads "
        "the proofs; a run has them in memory. One process starts `gpg` for a signature, where three did."
    )


def _parts(run: Path, *, folder: Path) -> dict[str, float]:
    """Seconds of each part of rendering that run's reports once; imports are measured in processes of their own."""
    spent, before = {}, 0.0
    for name, words in _STARTS:
        whole = _best(words)
        spent[name], before = whole - before, whole
    spent["rendering: imports"] = _best(_IMPORTS) - spent["Python itself"]
    inside: dict[str, float] = json.loads(_python(str(Path(__file__)), str(run), str(folder)))
    return spent | inside


def _best(words: str) -> float:
    return min(_spent(lambda: _python("-c", words)) for _ in range(3))


def _python(*words: str) -> str:
    return subprocess.run((sys.executable, *words), check=True, capture_output=True, text=True).stdout


def _spent(work: Callable[[], object]) -> float:
    """Processor seconds of the processes that `work` starts and waits for."""
    before = os.times()
    work()
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


class _Stopwatch:
    """Processor seconds by part; what a part's own parts take is theirs alone."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {}
        self._inner = [0.0]

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.process_time()
        self._inner.append(0.0)
        try:
            yield
        finally:
            whole = time.process_time() - began
            self.spent[name] = self.spent.get(name, 0.0) + whole - self._inner.pop()
            self._inner[-1] += whole

    def around(self, owner: Any, name: str, part: str) -> None:
        """Every call of that function counts as that part."""
        function = getattr(owner, name)

        def counted(*arguments: object, **named: object) -> object:
            with self.part(part):
                return function(*arguments, **named)

        setattr(owner, name, counted)


def _main(run: Path, folder: Path) -> None:
    watch = _Stopwatch()
    with watch.part("rendering: reading files, journal, gates"):
        pages, carried = _rendered(run, watch)
    _printed(pages, carried, watch)
    _signed(run, folder, watch)
    print(json.dumps(watch.spent))


def _rendered(run: Path, watch: _Stopwatch) -> tuple[list[Page], tuple[Attachment, ...]]:
    watch.around(record, "decode_proof", "rendering: reading two proofs")
    contents, case = read_bundle(run), record.read_record(run).case
    with watch.part("rendering: comparing them"):
        _ = case.comparison
    renderer = report.renderer(case.context.renderer)
    archived = {name[10:]: contents.read(name) for name in contents.names if name.startswith("templates/")}
    templates = renderer.templates(archived)
    pages: list[Page] = []
    for name in report.pages(case):
        with watch.part("rendering: Markdown, with its template"):
            renderer.markdown(case, name, templates)
        with watch.part("rendering: HTML, with its template"):
            sheet = renderer.sheet(case, name, templates)
        pages.append(Page(sheet.html, sheet.title, "en", name, instants.parse(case.context.ended), sheet.images))
    return pages, report.attachments(contents.read, names=contents.names, gates=case.gates)


def _printed(pages: Sequence[Page], carried: Sequence[Attachment], watch: _Stopwatch) -> None:
    # as in a printing process
    gc.disable()
    made = printer.WeasyPrinter()
    weasyprint, document = sys.modules["weasyprint"], sys.modules["weasyprint.document"]
    watch.around(printer, "_spelled", "page: which characters fonts draw")
    watch.around(weasyprint.HTML, "__init__", "page: parsing HTML")
    watch.around(document, "get_all_computed_styles", "page: CSS, styles of elements")
    watch.around(document, "build_formatting_structure", "page: boxes")
    watch.around(document.Document, "_render", "page: layout")
    watch.around(sys.modules["weasyprint.pdf"], "build_fonts_dictionary", "page: subsets of fonts")
    watch.around(document, "generate_pdf", "page: drawing")
    watch.around(sys.modules["pydyf"].PDF, "write", "page: writing and compressing")
    watch.around(printer, "_mended", "page: PDF/A by pikepdf")
    for page in pages:
        with watch.part("page: all else"):
            made.print(page, attachments=carried)


def _signed(run: Path, folder: Path, watch: _Stopwatch) -> None:
    runner = Runner()
    with Keyring.open(folder / ".attestore", runner=runner) as keyring:
        every = keyring.keys()
        able = [key for key in every if key.secret and any(each.usable for each in key.signing)]
        signer = GpgSigner(keyring, able[0].fingerprint, runner=runner)

        def sign() -> None:
            for path in sorted((*run.glob("*.md"), *run.glob("*.pdf")))[:6]:
                signer.sign(path)

        with watch.part("six signatures: here"):
            spent = _spent(sign)
    watch.spent["six signatures: gpg"] = spent


if __name__ == "__main__":
    _main(Path(sys.argv[1]), Path(sys.argv[2]))
