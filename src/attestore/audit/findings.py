"""What an audit says: one line per thing that was compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Final, TypeVar

from attestore.errors import Error
from attestore.report.words import visible

__all__ = ["HOSTILE", "Finding", "Findings", "Notebook", "Status"]

HOSTILE: Final = (Error, ArithmeticError, AttributeError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What hostile bytes can make pure code raise; each becomes a line."""

_T = TypeVar("_T")


class Status(Enum):
    """How a line came out; the value is what people read."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "PROBLEM"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of an audit."""

    check: str
    """what kind of comparison it was"""
    subject: str
    """run, or run and file"""
    status: Status
    sentence: str
    """what was compared, and what came out"""


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that an audit compared, in order."""

    lines: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """The lines that found something."""
        return tuple(line for line in self.lines if line.status is Status.PROBLEM)


class Notebook:
    """Collects the lines about one subject; control characters from files are made visible on the way in."""

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self.lines: list[Finding] = []

    def ok(self, check: str, sentence: str, *, of: str = "") -> None:
        """Something was compared and is as it must be."""
        self._add(check, Status.OK, sentence, of=of)

    def note(self, check: str, sentence: str, *, of: str = "") -> None:
        """Something a reader should know, that proves nothing wrong."""
        self._add(check, Status.NOTE, sentence, of=of)

    def problem(self, check: str, sentence: str, *, of: str = "") -> None:
        """Something is not as it must be."""
        self._add(check, Status.PROBLEM, sentence, of=of)

    def expect(self, check: str, holds: bool, sentence: str, *, otherwise: str, of: str = "") -> bool:  # noqa: FBT001
        """One comparison: its sentence if it holds, the other one if not; whether it holds."""
        self._add(check, Status.OK if holds else Status.PROBLEM, sentence if holds else otherwise, of=of)
        return holds

    def attempt(self, check: str, what: Callable[[], _T], *, of: str = "") -> _T | None:
        """What a reader of hostile bytes returns; None, and a line that says why, where it refuses them."""
        with self.guarded(check, of=of):
            return what()
        return None

    def guarded(self, check: str, *, of: str = "") -> _Guard:
        """A block in which whatever hostile bytes can raise becomes a line."""
        return _Guard(self, check, of)

    def _add(self, check: str, status: Status, sentence: str, *, of: str) -> None:
        subject = f"{self._subject}/{of}" if of and self._subject else of or self._subject
        self.lines.append(Finding(check=check, subject=visible(subject), status=status, sentence=visible(sentence)))


@dataclass(frozen=True, slots=True)
class _Guard:
    book: Notebook
    check: str
    of: str

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(problem, HOSTILE):
            return False
        said = problem.message if isinstance(problem, Error) else f"{type(problem).__name__}: {problem}"
        self.book.problem(self.check, said, of=self.of)
        return True
