"""Look at everything before anything happens, and tell all of it at once: what is fine and what stands in the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from attestore.amounts import amount
from attestore.errors import Error, InterruptedRunError, PreflightError
from attestore.evidence import Manifest
from attestore.plan import Job, Plan
from attestore.ports import Look, Scratch, SourceFacts
from attestore.run.backup import Ready
from attestore.run.book import Book
from attestore.run.drill import Found, find
from attestore.run.tools import Tools

__all__ = ["Cleared", "Lookout", "facts_of", "preflight"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Cleared:
    """What preflight found for the steps after it; None where the job does not need it."""

    ready: Ready | None
    found: Found | None
    """the stored backup of a drill"""
    scratch: Scratch | None


@dataclass(slots=True)
class Lookout:
    """Collects looks; an error that keeps us from looking is a problem like any other."""

    looks: list[Look] = field(default_factory=list)

    def see(self, *looks: Look) -> None:
        """These were looked at."""
        self.looks += looks

    def attempt(self, area: str, what: str, ask: Callable[[], T]) -> T | None:
        """What `ask` answers; None, and a look with that problem, where it raises one of the family.

        Raises:
            InterruptedRunError: somebody wants to stop, which is no problem of anything that is looked at.
        """
        try:
            return ask()
        except InterruptedRunError:
            raise
        except PreflightError as several:
            self.see(Look(area, what, "", several.problems))
        except Error as problem:
            self.see(Look(area, what, "", (problem,)))
        return None

    @property
    def problems(self) -> tuple[Error, ...]:
        """Everything that stands in the way."""
        return tuple(problem for look in self.looks for problem in look.problems)

    def refuse(self) -> None:
        """Return if nothing stands in the way.

        Raises:
            PreflightError: several things do.
            Error: one thing does, which keeps its class and so its exit code.
        """
        problems = self.problems
        if len(problems) == 1:
            raise problems[0]
        if problems:
            raise PreflightError(problems)


def preflight(plan: Plan, *, tools: Tools, book: Book) -> Cleared:
    """Look at everything that the job needs: keys, store, source, programmes, the server that takes the restore.

    Raises:
        PreflightError: several problems; all of them are in it.
        Error: one problem.
    """
    with book.entering("preflight"):
        lookout = Lookout()
        cleared = _look(plan, tools=tools, lookout=lookout, book=book)
        book.write("preflight.checks", len(lookout.looks), source="preflight")
        book.write("preflight.problems", len(lookout.problems), source="preflight")
        book.write_all(_told(lookout.looks), source="preflight")
        lookout.refuse()
    return cleared


def _look(plan: Plan, *, tools: Tools, lookout: Lookout, book: Book) -> Cleared:
    decrypting = plan.job is not Job.BACKUP
    what = "sealing and unsealing a nonce" if decrypting else "sealing a nonce"
    lookout.see(
        Look(
            "keys",
            what,
            amount(len(tools.sealer.recipients), "recipient"),
            tools.sealer.problems(decrypting=decrypting),
        ),
        Look("keys", "signing a nonce", tools.signer.fingerprint, tools.signer.problems()),
    )
    stores, barred = _stores(plan, tools)
    lookout.see(*stores)
    ready = _source(tools, lookout=lookout, book=book)
    if ready is not None:
        ready = replace(ready, barred=barred)
    if tools.drilling is None:
        return Cleared(ready=ready, found=None, scratch=None)
    found, facts, major = None, ready.facts if ready else None, ready.dumper.major if ready else 0
    wanted = _wanted(plan, tools)
    if wanted:
        found = lookout.attempt("store", "backup", lambda: find(plan, tools=tools, wanted=wanted))
        if found is not None:
            lookout.see(Look("store", "backup", f"{found.manifest.backup}, its signature holds"))
            facts, major = facts_of(found.manifest), found.manifest.engine_major
    make = tools.drilling.scratch
    scratch = lookout.attempt("programmes", "server", lambda: make(major)) if facts is not None else None
    if scratch is not None and facts is not None:
        lookout.see(*scratch.looks(facts))
    return Cleared(ready=ready, found=found, scratch=scratch)


def _stores(plan: Plan, tools: Tools) -> tuple[tuple[Look, ...], dict[str, Error]]:
    """What was seen of the stores, and which can't take a backup although another one can.

    One that answers is enough to begin with: a backup in one store is better than none because another is down, and
    what lacks it stops the run once it is there. What is wrong with the others is told besides.
    """
    asked = tools.holding() if plan.job is Job.DRILL else tools.stores
    seen = {each.name: each.store.looks() for each in asked}
    looks = tuple(look for looks in seen.values() for look in looks)
    barred = {name: look.problems[0] for name, looks in seen.items() for look in reversed(looks) if look.problems}
    if len(barred) == len(seen):
        return looks, {}
    return tuple(_told_besides(look) for look in looks), barred


def _told_besides(look: Look) -> Look:
    words = (*(each.message for each in look.problems), look.advice)
    return replace(look, problems=(), advice="; ".join(each for each in words if each))


def _wanted(plan: Plan, tools: Tools) -> str:
    """Which stored backup a job restores; empty where it takes one itself."""
    return tools.drilling.backup if plan.job is Job.DRILL and tools.drilling is not None else ""


def _source(tools: Tools, *, lookout: Lookout, book: Book) -> Ready | None:
    making = tools.making
    if making is None:
        return None
    facts = lookout.attempt("source", "reachable", making.source.describe)
    if facts is None:
        return None
    lookout.see(*making.source.looks())
    dumper = lookout.attempt("programmes", "pg_dump", lambda: making.dumper(facts.major))
    if dumper is None:
        return None
    lookout.see(Look("programmes", "pg_dump", dumper.version))
    programme, _, number = dumper.version.partition(" ")
    book.use(programme, number)
    return Ready(facts=facts, source=making.source, dumper=dumper)


def facts_of(listing: Manifest) -> SourceFacts:
    """What a backup's signed manifest says of its source: all that a drill may know of it."""
    return SourceFacts(
        database=listing.database,
        user="",
        version=listing.source_version,
        major=listing.source_major,
        identifier=listing.source_identifier,
        size=listing.source_size,
        locale=listing.locale,
        extensions=listing.extensions,
        tables=0,
        superuser=False,
    )


def _told(looks: list[Look]) -> list[tuple[str, str, str]]:
    return [
        (
            "preflight.check",
            f"{look.area}: {look.what}",
            "; ".join(
                part
                for part in (
                    look.seen,
                    *(f"IN THE WAY: {problem.message}" for problem in look.problems),
                    f"note: {look.advice}" if look.advice else "",
                )
                if part
            )
            or "fine",
        )
        for look in looks
    ]
