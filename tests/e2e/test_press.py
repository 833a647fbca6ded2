"""Printing by processes of its own: the same bytes, errors in words, nothing of ours handed on, nothing left behind."""

from __future__ import annotations

import os
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
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


def test_a_child_prints_the_bytes_that_this_process_prints() -> None:
    pages, before = [page(number) for number in range(3)], children()
    with Press().printing(pages, attachments=CARRIED) as done:
        printed = dict(done)
    here = WeasyPrinter()
    assert printed == {number: here.print(each, attachments=CARRIED) for number, each in enumerate(pages)}
    assert children() == before


def test_what_a_page_may_not_refer_to_is_told_as_it_is_in_one_process() -> None:
    with pytest.raises(PrintError, match="outside") as told:
        Press().print(page(1, "<img src=http://example.org/x.png>"), attachments=())
    assert "attestore:fonts/" in told.value.hint


def test_what_goes_wrong_beside_the_printing_ends_what_was_printing() -> None:
    before = children()
    with pytest.raises(ValueError, match="no signature"), Press().printing([page(1), page(2)], attachments=()):
        raise ValueError("no signature")
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
        Press(jobs=1).print(long, attachments=())
    killer.join()
    assert "next command" in told.value.hint
    assert children() == before


def test_a_child_knows_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layout reads fonts, and writes into a folder that goes with it; passwords are nobody's business there."""
    monkeypatch.setenv("PGPASSWORD", "canary")
    before = children()
    with Press().kept():
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


def keeper(before: set[int]) -> int:
    """The process that was begun since."""
    (begun,) = children() - before
    return begun


def test_a_kept_child_that_is_well_prints_what_comes_and_grows_by_none_of_it() -> None:
    before = children()
    with Press().kept() as press:
        press.checked()
        begun = keeper(before)
        status = Path(f"/proc/{begun}/status")
        asked = [page(number, "<p>".join(["word " * 40] * 60)) for number in range(3)]
        assert _all(press, asked) == _all(press, asked)
        assert keeper(before) == begun
        (held,) = (int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        # what it imports; each page is made, and forgotten, by a copy
        assert held < 100 << 10
        assert len(list(Path(f"/proc/{begun}/task").iterdir())) == 1, "a copy of a process with threads may hang"
    assert children() == before


def test_whoever_is_refused_does_not_wait_for_what_begins_to_print(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is killed while it imports; asked to end, it would first have done that."""
    before = children()
    begun: list[int] = []
    monkeypatch.setattr("attestore.adapters.press._Child.end", lambda _: pytest.fail("it was asked to end"))

    def refused() -> None:
        with Press().kept():
            begun.append(keeper(before))
            raise ValueError("no such gate")

    with pytest.raises(ValueError, match="no such gate"):
        refused()
    assert children() == before
    assert not Path(f"/proc/{begun[0]}").exists()


def outlast(begun: int) -> None:
    """Wait until a child that nobody needs has ended."""
    for _ in range(1000):
        if Path(f"/proc/{begun}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.02)
    pytest.fail("it is kept for ever")


def test_a_child_that_ended_while_its_run_waited_for_another_is_begun_anew_before_it_is_asked() -> None:
    before = children()
    with Press(idle_s=0.01).kept() as press:
        begun = keeper(before)
        outlast(begun)
        press.checked()
        assert keeper(before) != begun
    assert children() == before


def _all(press: Press, pages: list[Page]) -> dict[int, bytes]:
    with press.printing(pages, attachments=CARRIED) as printed:
        return dict(printed)


def test_a_kept_child_that_nobody_needs_for_a_while_gives_its_memory_back_and_a_new_one_prints() -> None:
    before = children()
    with Press(idle_s=0.01).kept() as press:
        begun = keeper(before)
        outlast(begun)
        assert press.print(page(1), attachments=()).startswith(b"%PDF-")
        assert keeper(before) != begun
    assert children() == before


@pytest.mark.parametrize("how", ["dead", "hung", "out of memory"])
def test_a_kept_child_that_is_not_well_is_replaced_before_anything_is_printed(how: str) -> None:
    before = children()
    with Press(patience_s=0.5 if how == "hung" else 20).kept() as press:
        press.checked()
        begun = keeper(before)
        if how == "out of memory":
            # not even a copy of it can be made
            resource.prlimit(begun, resource.RLIMIT_AS, (1 << 20, 1 << 20))
        else:
            os.kill(begun, signal.SIGSTOP if how == "hung" else signal.SIGKILL)
        assert press.print(page(1), attachments=()).startswith(b"%PDF-")
        assert keeper(before) != begun
    assert children() == before


def test_a_child_that_lacks_the_room_for_a_page_says_so_before_there_is_one() -> None:
    before = children()
    with Press().kept() as press:
        press.checked()
        begun = keeper(before)
        status = Path(f"/proc/{begun}/status").read_text().splitlines()
        (taken,) = (int(line.split()[1]) << 10 for line in status if line.startswith("VmSize"))
        little = taken + (64 << 20)
        resource.prlimit(begun, resource.RLIMIT_AS, (little, little))
        with pytest.raises(PrintError, match="laid out in the memory"):
            press.checked()
    assert children() == before


def test_a_copy_that_dies_over_its_page_is_told_as_the_child_itself() -> None:
    before = children()
    with Press().kept() as press:
        press.checked()
        begun = keeper(before)
        copies = Path(f"/proc/{begun}/task/{begun}/children")

        def kill() -> None:
            """One that is at work for a while: it makes the page, and does not only say that it could."""
            before: set[str] = set()
            while not (alive := set(copies.read_text().split())) & before:
                before = alive
                time.sleep(0.3)
            for each in alive & before:
                os.kill(int(each), signal.SIGKILL)

        killer = threading.Thread(target=kill)
        long = page(1, "<p>".join(f"word {number} " * 40 for number in range(5_000)))
        killer.start()
        with pytest.raises(PrintError, match=r"could not be printed: .* signal 9"):
            press.print(long, attachments=())
        killer.join()
        assert press.print(page(1), attachments=()).startswith(b"%PDF-")
    assert children() == before


def test_a_copy_ends_with_the_process_that_asked_for_its_page() -> None:
    """Killed outright, nobody is there to end what hangs over a page."""
    words = (
        "import os, signal, time; from datetime import UTC, datetime; from pathlib import Path\n"
        "from attestore.adapters.press import Press; from attestore.pages import Page\n"
        "html = '<html lang=en><title>t</title>' + ''.join(f'<p>word {n}' for n in range(100_000))\n"
        "with Press().kept() as press:\n"
        "    press.checked()\n"
        "    (begun,) = Path(f'/proc/{os.getpid()}/task/{os.getpid()}/children').read_text().split()\n"
        "    with press.printing([Page(html, 't', 'en', 'i', datetime(2026, 11, 22, tzinfo=UTC))], attachments=()):\n"
        "        time.sleep(1)\n"
        "        print(begun, Path(f'/proc/{begun}/task/{begun}/children').read_text(), flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr
    left = [Path(f"/proc/{number}") for number in done.stdout.split()]
    assert len(left) == 2
    for _ in range(500):
        if not any(each.exists() for each in left):
            break
        time.sleep(0.02)
    else:
        pytest.fail("a copy goes on for nobody")
