"""When a gate's target will be broken, for monitoring and `status`: by the history that its next report would tell."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from attestore import forecast, gate
from attestore.archive import history, read_bundle
from attestore.audit import Row
from attestore.compose.check import Trust
from attestore.errors import ArchiveError, Error
from attestore.evidence import Past
from attestore.forecast import Forecast
from attestore.gate import Gate
from attestore.standing import Standing

__all__ = ["Foresight"]


class Foresight:
    """Reads the history of a system once, however many gates it has."""

    def __init__(self, reports: Path, *, trust: Trust, at: datetime) -> None:
        self._reports, self._trust, self._at = reports, trust, at
        self._known: dict[str, tuple[Past, ...]] = {}

    def of(self, row: Row, judged: Gate | None = None) -> Forecast | None:
        """The forecast against the gate's target, or that of the gate as its newest run archived it.

        None where it sets none, never ran, or rests on what is not trustworthy.
        """
        judged = judged or self.judged(row)
        if judged is None or not row.held.run or row.held.standing is Standing.UNTRUSTED or not forecast.target(judged):
            return None
        if row.system not in self._known:
            self._known[row.system] = history(
                self._reports, row.system, roster=self._trust.roster, verifier=self._trust.verifier, at=self._at
            )
        return forecast.of_history(self._known[row.system], judged)

    def judged(self, row: Row) -> Gate | None:
        """The gate as its newest finished run archived it; None where there is none, or it can't be read."""
        if not row.held.run:
            return None
        name = f"gates/{row.gate}.yaml"
        try:
            return gate.load(read_bundle(self._reports / row.held.run).read(name), where=name)
        except (ArchiveError, Error):
            return None
