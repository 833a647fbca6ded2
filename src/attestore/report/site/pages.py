"""Which pages there are, what stands on each, and how much of it: the index stays small whatever the archive holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from attestore.report.blocks import Prospect
from attestore.report.case import Case
from attestore.report.outlook import basis, picture, sentence
from attestore.report.site.marks import WORST, rank, run_mark, standing_mark, trust_words
from attestore.report.site.model import Decided, Line, Overview, Row, Source, Trust
from attestore.report.site.names import FOLDER, HOME, Place, gate_page, run_page
from attestore.report.site.render import Dress
from attestore.report.site.run import run_parts
from attestore.report.site.tables import (
    decisions_grid,
    entries_grid,
    forecasts_grid,
    history_grid,
    matrix,
    remarks,
    runs_grid,
    worth,
)
from attestore.report.site.trends import trends
from attestore.report.voice import say
from attestore.standing import Standing

__all__ = ["Page", "gate_pages", "index_page", "list_pages", "run_document"]

_NEWEST: Final = 25
"""runs on the index"""
_MOST_CELLS: Final = 400
"""standings on the index; the others are one page further"""
_MOST_REASONS: Final = 60
_MOST_TROUBLED: Final = 8
"""runs that the index names because they do not hold"""
_MOST_HISTORY: Final = 100
"""runs on a gate's first page; the others are by year"""
_MOST_LISTED: Final = 1500
"""rows that one page holds, of all systems or of one gate"""


@dataclass(frozen=True, slots=True)
class Page:
    """A file of the site, by its path below the folder of the index."""

    path: str
    data: bytes


@dataclass(frozen=True, slots=True)
class _Tally:
    """How many gates stand like this."""

    mark: object
    number: int


def index_page(seen: Overview, dress: Dress) -> Page:
    """What is worth what, what needs somebody, the newest runs."""
    place = Place(HOME)
    rows, cut = _fitting(seen.rows)
    poor = [row for row in seen.rows if row.held.standing is not Standing.PASS or remarks(row)]
    poor.sort(key=lambda row: (rank(row), row.system, row.gate))
    newest = list(reversed(seen.lines))[:_NEWEST]
    counted = Counter(row.held.standing for row in seen.rows)
    data = dress.page(
        "index.html.j2",
        place,
        seen=seen,
        tallies=[_Tally(standing_mark(each), counted[each]) for each in WORST if counted[each]],
        matrix=matrix(rows, at=seen.at, place=place),
        cut=cut,
        poor=worth(poor[:_MOST_REASONS], at=seen.at, place=place),
        more=max(len(poor) - _MOST_REASONS, 0),
        newest=runs_grid(newest, place=place, systems={}, name="newest", caption=say("Newest runs")),
        systems=len({row.system for row in seen.rows}),
        years=_years(_shares(seen.lines), place),
        troubled=[
            (line, run_mark(line), place.to(run_page(line.run)))
            for line in reversed(seen.lines)
            if line.trust in {Trust.BROKEN, Trust.MISSING, Trust.DIED}
        ],
        most=_MOST_TROUBLED,
    )
    return Page(HOME, data)


def list_pages(seen: Overview, dress: Dress) -> Iterator[Page]:
    """Runs by year, systems, decisions, the ledger."""
    shares = list(_shares(seen.lines))
    for share in shares:
        place, lines = Place(_list_path(share)), share.lines
        systems = {name: f"s{number}" for number, name in enumerate(sorted({line.system for line in lines}))}
        caption = say("Runs of {year}", year=share.year)
        yield Page(
            place.path,
            dress.page(
                "runs.html.j2",
                place,
                seen=seen,
                year=share.year,
                part=share.part,
                parts=share.parts,
                grid=runs_grid(lines, place=place, systems=systems, name="runs", caption=caption),
                systems=systems,
                words=_filters(lines),
                years=_years(shares, place),
            ),
        )
    place = Place(f"{FOLDER}/systems.html")
    poor = [row for row in seen.rows if row.held.standing is not Standing.PASS or remarks(row)]
    yield Page(
        place.path,
        dress.page(
            "systems.html.j2",
            place,
            seen=seen,
            matrix=matrix(seen.rows, at=seen.at, place=place),
            poor=worth(poor, at=seen.at, place=place),
            forecasts=forecasts_grid(seen.rows, place=place),
        ),
    )
    place = Place(f"{FOLDER}/decisions.html")
    yield Page(
        place.path,
        dress.page(
            "decisions.html.j2",
            place,
            seen=seen,
            grid=decisions_grid(seen.decisions, place=place, name="decisions"),
        ),
    )
    place = Place(f"{FOLDER}/ledger.html")
    yield Page(
        place.path,
        dress.page("ledger.html.j2", place, seen=seen, grid=entries_grid(seen.chain, place=place)),
    )


def gate_pages(row: Row, seen: Overview, dress: Dress, *, lines: Sequence[Line]) -> Iterator[Page]:
    """A gate of a system: standing, trends, decisions, history; `lines` are its runs in the order of the ledger."""
    path = gate_page(row.system, row.gate)
    place = Place(path)
    shown = list(reversed(lines))
    ours = {line.run for line in lines}
    decided = [each for each in seen.decisions if each.decision.gate == row.gate and each.decision.run in ours]
    shares = list(_shares(lines)) if len(shown) > _MOST_HISTORY else []
    places = [gate_page(row.system, row.gate, year=share.name) for share in shares]

    def ways(here: Place) -> list[tuple[str, str, int]]:
        return [(share.label, here.to(there), len(share.lines)) for share, there in zip(shares, places, strict=True)]

    common = {"seen": seen, "row": row, "mark": standing_mark(row.held.standing)}
    yield Page(
        path,
        dress.page(
            "gate.html.j2",
            place,
            **common,
            remarks=remarks(row),
            figures=trends(row, lines),
            ahead=_ahead(row),
            decisions=decisions_grid(decided, place=place),
            history=history_grid(row.gate, shown[:_MOST_HISTORY], place=place, caption=say("Runs, newest first")),
            runs=len(shown),
            years=ways(place),
            deciding=place.to(run_page(row.held.run)) if row.held.run else "",
        ),
    )
    for share, there in zip(shares, places, strict=True):
        here = Place(there)
        caption = say("Runs of {year}, newest first", year=share.label)
        grid = history_grid(row.gate, share.lines, place=here, caption=caption)
        yield Page(
            there,
            dress.page(
                "year.html.j2", here, **common, year=share.label, grid=grid, back=here.to(path), years=ways(here)
            ),
        )


@dataclass(frozen=True, slots=True)
class _Ahead:
    """A forecast as the page tells it."""

    said: str
    rests: str
    drawn: Prospect | None


def _ahead(row: Row) -> _Ahead | None:
    told = row.forecast
    return None if told is None else _Ahead(sentence(told), basis(told), picture(told))


def run_document(
    line: Line,
    case: Case | None,
    dress: Dress,
    *,
    decisions: Sequence[Decided],
    source: Source,
    around: tuple[str, str],
) -> Page:
    """The page of a run. `around` names the runs of the same system before and after it; empty where there is none."""
    place = Place(run_page(line.run))
    before, after = (place.to(run_page(run)) if run else "" for run in around)
    parts = run_parts(line, case, decisions=decisions, source=source, place=place)
    return Page(
        place.path,
        dress.page("run.html.j2", place, line=line, parts_of_run=parts, before=before, after=after, source=source),
    )


def _fitting(rows: Sequence[Row]) -> tuple[tuple[Row, ...], int]:
    """As many systems as fit on the index, worst first; how many do not."""
    gates = len({row.gate for row in rows}) or 1
    worst: dict[str, int] = {}
    for row in rows:
        worst[row.system] = min(worst.get(row.system, rank(row)), rank(row))
    chosen = set(sorted(worst, key=lambda system: (worst[system], system))[: max(_MOST_CELLS // gates, 1)])
    return tuple(row for row in rows if row.system in chosen), len(worst) - len(chosen)


@dataclass(frozen=True, slots=True)
class _Share:
    """As many runs of a year, newest first, as a browser sifts on one page."""

    year: str
    part: int
    parts: int
    lines: Sequence[Line]

    @property
    def name(self) -> str:
        """For a path."""
        return f"{self.year}{f'-{self.part}' if self.part > 1 else ''}"

    @property
    def label(self) -> str:
        """For people."""
        return self.year if self.parts == 1 else f"{self.year} ({self.part}/{self.parts})"


def _shares(lines: Sequence[Line]) -> Iterator[_Share]:
    """Runs by year, newest first, in shares."""
    by_year: dict[str, list[Line]] = {}
    for line in reversed(lines):
        by_year.setdefault(line.year, []).append(line)
    for year, ours in by_year.items():
        parts = -(-len(ours) // _MOST_LISTED)
        for part in range(1, parts + 1):
            yield _Share(year, part, parts, ours[(part - 1) * _MOST_LISTED : part * _MOST_LISTED])


def _list_path(share: _Share) -> str:
    return f"{FOLDER}/runs-{share.name}.html"


def _years(shares: Iterable[_Share], place: Place) -> list[tuple[str, str, int]]:
    """Name, way and number of runs of each page of runs, newest first."""
    return [(each.label, place.to(_list_path(each)), len(each.lines)) for each in shares]


def _filters(lines: Sequence[Line]) -> list[tuple[str, str]]:
    """What a reader can choose from: the word by which rows are asked for, and what it is called."""
    words = {each.word for line in lines if line.trust is Trust.HOLDS for each in line.outcomes if each.word}
    trusts = {line.trust for line in lines} - {Trust.HOLDS}
    return [(word, word) for word in sorted(words)] + [(t.name, trust_words(t)) for t in Trust if t in trusts]
