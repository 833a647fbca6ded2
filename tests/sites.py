"""Reports folders for the tests of the site: every fate of a run, hostile names, decisions, years; and the build with doubles."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from typing_extensions import override

import decided
from attestore.compose.check import Trust
from attestore.compose.site import Built, Wanted, build_site
from attestore.evidence.decision import Meaning
from attestore.facts import Value
from bundles import GATE, START, Draft, begin, issue, proof
from decided import GLASS, KIM, ROSTER, SAM
from fakes import FakeClock

__all__ = ["AT", "HOSTILE", "TITLE", "Reader", "archive", "build", "growing", "read", "slower"]

HOSTILE: Final = '</td><script>window.forged = 1</script><img src=x onerror="window.forged = 1"> | PASS\n\u202eSSAP'
TITLE: Final = b'"<b>Restored</b> & | **tested** \\u202e"'
"""A gate's title, as YAML"""
AT: Final = START + timedelta(days=400)
"""When the site of `archive` is looked at"""


def slower(by: int) -> Callable[[list[tuple[str, str, Value]]], list[tuple[str, str, Value]]]:
    """A run whose data phase took longer."""

    def told(facts: list[tuple[str, str, Value]]) -> list[tuple[str, str, Value]]:
        longer = {"restore.data", "restore.rto"}
        return [(fact, subject, int(value) + by if fact in longer else value) for fact, subject, value in facts]

    return told


def archive(reports: Path, *, system: str = HOSTILE, gate: bytes = GATE) -> dict[str, str]:
    """A run of every fate, by what became of it."""
    runs: dict[str, str] = {}

    def draft(name: str, *, of: str, day: int, **changes: object) -> Draft:
        start = START + timedelta(days=day)
        runs[name] = f"{start.strftime('%Y%m%dT%H%M%SZ')}-{name}"
        return Draft(run=runs[name], system=of, start=start, gates=(gate,), **changes)  # type: ignore[arg-type]

    issue(reports, draft("first", of="shop", day=0))
    issue(reports, draft("slow", of="shop", day=30, told=slower(400)))
    issue(reports, draft("failed", of="shop", day=61, restored=proof("restored", rows=2)))
    issue(reports, draft("changed", of="shop", day=92))
    issue(reports, draft("gone", of="shop", day=122))
    issue(reports, draft("newest", of="shop", day=380, told=slower(90)))
    issue(reports, draft("hostile", of=system, day=381))
    bundle, _ = begin(reports, draft("dead", of="warehouse", day=382))
    bundle.close()
    asks = Draft(
        run="20270318T020000Z-decided", system="billing", start=START + timedelta(days=382), gates=(decided.GATE,)
    )
    folder = issue(reports, asks)
    runs["decided"] = folder.name
    for number, pen in enumerate((KIM, SAM)):
        at = asks.start + timedelta(hours=1 + number)
        decided.decided(folder, decided.record(folder, pen, Meaning.APPROVED, at=at), pen)
    shutil.rmtree(reports / runs["gone"])
    journal = reports / runs["changed"] / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"value":3', b'"value":4', 1))
    return runs


def growing(
    reports: Path, *, runs: int = 8, first: int = 60, every: int = 30, by: int = 10, system: str = "shelf"
) -> None:
    """Whole drills every so many days, each a little slower than the one before, and at last one that was killed."""
    gate = GATE.replace(b"< 30m", b"< 600ms")
    for number in range(runs):
        start = START + timedelta(days=first + every * number)
        wobble = (0, 4, -3, 6, -5, 2)[number % 6]

        def whole(
            facts: list[tuple[str, str, Value]], more: int = by * number + wobble
        ) -> list[tuple[str, str, Value]]:
            return [*slower(more)(facts), ("restore.errors", "", 0), ("restore.jobs", "", 4)]

        run = f"{start.strftime('%Y%m%dT%H%M%SZ')}-{system}"
        issue(reports, Draft(run=run, system=system, start=start, gates=(gate,), told=whole))
    killed = START + timedelta(days=first + every * runs - every // 2)
    told = Draft(run=f"{killed.strftime('%Y%m%dT%H%M%SZ')}-{system}", system=system, start=killed, gates=(gate,))
    issue(reports, replace(told, told=lambda facts: [each for each in facts if each[0] != "run.completed"]))


def build(reports: Path, into: Path | None = None, *, at: datetime = AT, **more: object) -> Built:
    """The site, as the command builds it, by pens that the tests hold."""
    clock = FakeClock(AT)
    trust = Trust(roster=ROSTER, verifier=GLASS, clock=clock, aside=lambda _: Path())
    wanted = Wanted(reports=reports, into=into or reports, at=at, now=AT, **more)  # type: ignore[arg-type]
    return build_site(wanted, trust=trust)


class Reader(HTMLParser):
    """What stands in a page: tags in order, ways out of it, the text that people read."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self._within: list[str] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._within.append(tag)
        for name, value in attrs:
            if name in {"href", "src"} and value is not None:
                self.links.append(value)
            if name == "id" and value is not None:
                self.ids.append(value)

    @override
    def handle_endtag(self, tag: str) -> None:
        while self._within and self._within.pop() != tag:
            pass

    @override
    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self._within):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def read(page: Path) -> Reader:
    """A page as a browser takes it apart."""
    reader = Reader()
    reader.feed(page.read_text("utf-8"))
    return reader
