"""Printing by processes of its own: the same bytes, errors in words, nothing of ours handed on, nothing left behind."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from attestore.adapters.press import Press
from attestore.adapters.printer import WeasyPrinter
from attestore.errors import PrintError
from attestore.ports import Attachment, Page

CARRIED = (Attachment("journal.jsonl", b"\x00\n{}" * 9_999, "application/jsonl", "the journal"),)


def page(number: int, words: str = "a line\nand another") -> Page:
    html = f"<html lang=en><title>t</title><p>{number} {words}</p>"
    return Page(html, f"Page {number}\n\u00e9", "en", f"run/{number}", datetime(2026, 11, 22, 1, 2, 3, tzinfo=UTC))


def children() -> set[int]:
    """Processes that we started and that still are, as a kernel tells them."""
    found = set()
    for entry in Path("/proc").iterdir():
        try:
            told = (entry / "stat").read_text().rpartition(")")[2].split() if entry.name.isdigit() else []
        except OSError:
            continue
        if told and int(told[1]) == os.getpid():
            found.add(int(entry.name))
    return found


def test_children_print_the_bytes_that_one_process_prints_in_the_order_of_the_pages() -> None:
    pages, before = [page(number) for number in range(3)], children()
    heard: list[int] = []
    printed = Press().print_all(iter(pages), attachments=CARRIED, told=heard.append)
    here = WeasyPrinter()
    assert printed == [here.print(each, attachments=CARRIED) for each in pages]
    assert heard == [1, 2, 3]
    assert children() == before


def test_what_a_page_may_not_refer_to_is_told_as_it_is_in_one_process() -> None:
    with pytest.raises(PrintError, match="outside") as told:
        Press().print(page(1, "<img src=http://example.org/x.png>"), attachments=())
    assert "attestore:fonts/" in told.value.hint


def test_a_page_that_cannot_be_made_ends_the_children_that_were_printing_others() -> None:
    def pages() -> object:
        yield page(1)
        raise ValueError("no second page")

    before = children()
    with pytest.raises(ValueError, match="no second page"):
        Press().print_all(pages(), attachments=())  # type: ignore[arg-type]
    assert children() == before


def test_a_child_that_is_killed_is_an_error_with_a_way_on() -> None:
    """As the kernel does it when memory is gone."""
    before = children()
    long = page(1, "<p>".join(f"word {number} " * 40 for number in range(20_000)))

    def kill() -> None:
        while not (begun := children() - before):
            pass
        os.kill(begun.pop(), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(PrintError, match=r"could not be printed: .* signal 9") as told:
        Press(jobs=1).print_all([long], attachments=())
    killer.join()
    assert "next command" in told.value.hint
    assert children() == before


def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layout reads fonts, and writes into a folder that goes with it; passwords are nobody's business there."""
    monkeypatch.setenv("PGPASSWORD", "canary")
    before = children()
    with Press().looked_at():
        (child,) = children() - before
        seen = Path(f"/proc/{child}/environ").read_bytes()
    assert b"canary" not in seen
    (room,) = (line.removeprefix(b"TMPDIR=") for line in seen.split(b"\0") if line.startswith(b"TMPDIR="))
    assert b"/attestore-run-" in room
    assert not Path(os.fsdecode(room)).exists()


def test_a_printer_whose_libraries_are_missing_says_so_before_anything_is_asked_of_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A folder of modules that stands before the installed ones holds a WeasyPrint that can't load Pango."""
    broken = tmp_path / "weasyprint"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('cannot load library libpango-1.0.so.0')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(PrintError, match="libpango"):
        Press().checked()


def test_a_machine_that_allows_less_memory_than_we_would_still_prints(tmp_path: Path) -> None:
    """`ulimit -v` of a container or a service: a limit is kept, and never raised."""
    words = (
        "from datetime import UTC, datetime; from attestore.adapters.press import Press; from attestore.ports import Page\n"
        "page = Page('<html lang=en><title>t</title><p>x</p>', 't', 'en', 'i', datetime(2026, 11, 22, tzinfo=UTC))\n"
        "print(Press().print(page, attachments=())[:5].decode())"
    )
    command = ["bash", "-c", f'ulimit -v 4000000; exec {shlex.quote(sys.executable)} -c "$0"', words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "%PDF-\n"), done.stderr


def test_a_child_imports_nothing_of_ours_but_what_printing_needs() -> None:
    """Every run waits for it: schemas of gates and proofs take longer to import than the layout itself."""
    words = (
        "import sys, attestore.adapters.typesetter\n"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in {'attestore', 'pydantic', 'yaml'}))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", words], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == [
        "attestore", "attestore.adapters", "attestore.adapters.framing", "attestore.adapters.printer",
        "attestore.adapters.typesetter", "attestore.canon", "attestore.errors", "attestore.pages", "attestore.resources",
    ]  # fmt: skip
