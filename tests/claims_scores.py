"""Documents with known lies, and how many of them are found.

Beside `NAME.md` lies `NAME.lies`, one lie per line: `class: words of the line it stands on` (`=words`: the whole line). A line that
begins with `?` is a finding that a reader may fairly make and need not. A document without `.lies` is honest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attestore.claims import Finding, Kind, examine, read

__all__ = ["HERE", "Lie", "Score", "judged", "lies", "scored"]

HERE: Final = Path(__file__).parent / "claims"
_AT: Final = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Lie:
    line: int
    kind: Kind
    fair: bool = False


@dataclass(frozen=True, slots=True)
class Score:
    lies: int
    found: int
    findings: int
    right: int
    told: tuple[str, ...]
    """what was missed, and what was found without reason"""

    @property
    def recall(self) -> float:
        return self.found / self.lies

    @property
    def precision(self) -> float:
        return self.right / self.findings

    @property
    def sentence(self) -> str:
        return (
            f"recall {self.recall:.3f} ({self.found} of {self.lies} lies), "
            f"precision {self.precision:.3f} ({self.right} of {self.findings} findings)"
        )


def lies(document: Path) -> Iterator[Lie]:
    """The known lies of a document; its fragments must each stand on one line."""
    sidecar = document.with_suffix(".lies")
    if not sidecar.exists():
        return
    lines = document.read_text().split("\n")
    for entry in sidecar.read_text().splitlines():
        kind, words = entry.removeprefix("? ").split(": ", 1)
        whole = words.removeprefix("=")
        places = [
            number
            for number, line in enumerate(lines, 1)
            if (line.strip() == whole if words.startswith("=") else words in line)
        ]
        assert len(places) == 1, f"{sidecar.name}: {words!r} stands on lines {places}"
        yield Lie(places[0], Kind(kind), entry.startswith("?"))


def judged(document: Path) -> tuple[Finding, ...]:
    return examine(read(document.read_text()), at=_AT).findings


def _meets(finding: Finding, lie: Lie) -> bool:
    return finding.kind is lie.kind and finding.line <= lie.line <= max(finding.line, finding.end)


def scored(documents: list[Path]) -> Score:
    """All documents together."""
    all_lies = found = findings = right = 0
    told: list[str] = []
    for document in documents:
        known, mine = list(lies(document)), judged(document)
        wanted = [lie for lie in known if not lie.fair]
        missed = [lie for lie in wanted if not any(_meets(finding, lie) for finding in mine)]
        wrong = [finding for finding in mine if not any(_meets(finding, lie) for lie in known)]
        all_lies += len(wanted)
        found += len(wanted) - len(missed)
        findings += len(mine)
        right += len(mine) - len(wrong)
        told += [f"missed  {document.name}:{lie.line} {lie.kind.value}" for lie in missed]
        told += [f"wrong   {document.name}:{f.lines} {f.kind.value} {f.quote[:60]} | {f.why}" for f in wrong]
    return Score(all_lies, found, findings, right, tuple(told))
