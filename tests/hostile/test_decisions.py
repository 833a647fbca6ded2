"""Attacks on what people decided, by outsiders and by an operator who holds the operator's keys: each is noticed and named."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from attestore import canon, instants
from attestore.archive import LedgerFile
from attestore.evidence import decision, revision, sums
from attestore.evidence.decision import Meaning
from attestore.evidence.ledger import DecisionEntered
from attestore.evidence.statement import FileRecord
from bundles import MIRA, RUN, START, STRANGER
from decided import AFTER, EVE, KIM, PEOPLE, SAM, SPARE, decided, findings, forged, plant, record, sealed, waiver
from switches import off

OTHER = "20260301T040000Z-shop-2b3c"
FAILED = "20260301T060000Z-shop-4d5e"
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that Kim and Sam approved, one that Kim approved, and a failed one that both waived; nobody writes here."""
    reports = tmp_path_factory.mktemp("decided") / "reports"
    folder = sealed(reports)
    decided(folder, record(folder, KIM), KIM)
    decided(folder, record(folder, SAM, at=AFTER + MINUTE), SAM)
    other = sealed(reports, run=OTHER, start=START + timedelta(hours=2))
    decided(other, record(other, KIM, at=START + timedelta(hours=3)), KIM)
    failed = sealed(reports, run=FAILED, start=START + timedelta(hours=4), fails=True)
    for number, pen in enumerate((KIM, SAM)):
        at = START + timedelta(hours=5, minutes=number)
        decided(failed, record(failed, pen, Meaning.WAIVED, at=at, terms=waiver(at + timedelta(days=7))), pen)
    assert not findings(reports).problems
    return reports


def files(reports: Path, run: str = RUN) -> list[Path]:
    return sorted((reports / run / "decisions").glob("*.json"))


def edit(name: str, before: bytes, after: bytes, *, run: str = RUN) -> Callable[[Path], None]:
    def does(reports: Path) -> None:
        (path,) = (reports / run).glob(name)
        data = path.read_bytes()
        assert before in data
        path.write_bytes(data.replace(before, after, 1))

    return does


def both_ways(chosen: Path, *, change: Callable[[decision.Decision], decision.Decision]) -> None:
    """Another record under the old signature."""
    chosen.write_bytes(decision.encode(change(decision.decode(chosen.read_bytes()))))


def extended(reports: Path) -> None:
    until = instants.text(START + timedelta(days=29))

    def longer(told: decision.Decision) -> decision.Decision:
        assert told.waiver is not None
        return replace(told, waiver=replace(told.waiver, until=until))

    both_ways(files(reports, FAILED)[0], change=longer)


def copied(reports: Path) -> None:
    path = next(path for path in files(reports) if "-sam-" in path.name)
    for end in ("", ".asc"):
        shutil.copy(f"{path}{end}", reports / OTHER / "decisions" / f"{path.name}{end}")
    forged(reports / OTHER, decision.decode(path.read_bytes()), at=START + timedelta(hours=6))


def removed(reports: Path) -> None:
    path = files(reports)[1]
    path.unlink()
    path.with_name(f"{path.name}.asc").unlink()


def cut_and_removed(reports: Path) -> None:
    """With everything that the ledger tells of it, by an outsider."""
    removed(reports)
    ledger = reports / "ledger.jsonl"
    ledger.write_bytes(b"".join(ledger.read_bytes().splitlines(keepends=True)[:-1]))


def planted(chosen: Callable[[Path], decision.Decision], pen: object, *, run: str = OTHER) -> Callable[[Path], None]:
    def does(reports: Path) -> None:
        plant(reports / run, chosen(reports / run), pen)  # type: ignore[arg-type]

    return does


LATE = START + timedelta(hours=6)


def endless(folder: Path) -> decision.Decision:
    return record(folder, SAM, Meaning.WAIVED, at=LATE, terms=waiver(LATE + timedelta(days=90)))


def renewed(folder: Path) -> decision.Decision:
    """Thirty days from now, on a run that was waived before."""
    return record(folder, SAM, Meaning.WAIVED, at=LATE, terms=waiver(LATE + timedelta(days=30)))


def elsewhere(reports: Path) -> None:
    """A decision on a gate that this run never judged."""
    plant(reports / OTHER, replace(record(reports / OTHER, SAM, at=LATE), gate="S9-PROD-003"), SAM)


def revised(change: Callable[[revision.Revision], revision.Revision]) -> Callable[[Path], None]:
    """The operator signs a revision that tells another story."""

    def does(reports: Path) -> None:
        folder = reports / RUN / "revisions" / "2"
        told = change(revision.decode((folder / "context.json").read_bytes()))
        (folder / "context.json").write_bytes(revision.encode(told))
        resign(folder, told)

    return does


def resign(folder: Path, told: revision.Revision) -> None:
    pen = MIRA.at(AFTER + 2 * MINUTE)
    names = [path.name for path in folder.iterdir()]
    listed = {name: canon.sha256_hex((folder / name).read_bytes()) for name in sorted(names)}
    outside = {"statement.json", "statement.json.asc", "SHA256SUMS", "SHA256SUMS.asc"}
    records = [FileRecord(n, (folder / n).stat().st_size, d) for n, d in listed.items() if n not in outside]
    (folder / "statement.json").write_bytes(revision.statement(told, records))
    pen.sign(folder / "statement.json")
    listed = {n: canon.sha256_hex((folder / n).read_bytes()) for n in names if not n.startswith("SHA256SUMS")}
    (folder / "SHA256SUMS").write_bytes(sums.build(listed))
    pen.sign(folder / "SHA256SUMS")


def better(told: revision.Revision) -> revision.Revision:
    return replace(told, worth=tuple(replace(each, standing="PASS", until="") for each in told.worth))


def painted(reports: Path) -> None:
    """The words of a revision, signed anew by the operator."""
    folder = reports / RUN / "revisions" / "2"
    page = folder / "S9-PROD-004.md"
    page.write_bytes(page.read_bytes().replace(b"Kim", b"Tim"))
    MIRA.at(AFTER + 2 * MINUTE).sign(page)
    resign(folder, revision.decode((folder / "context.json").read_bytes()))


def twice(reports: Path) -> None:
    """An entry of the ledger for a decision that is there already."""
    forged(reports / RUN, decision.decode(files(reports)[0].read_bytes()), at=LATE)


def unentered(reports: Path) -> None:
    plant(reports / OTHER, record(reports / OTHER, SAM, at=LATE), SAM, entered=False)


def backdated(folder: Path) -> decision.Decision:
    return replace(record(folder, SAM, at=START + timedelta(hours=1)), comment="Dated before the run.")


def slipped(reports: Path) -> None:
    """Signed long after the date that it bears."""
    chosen = record(reports / OTHER, SAM, at=START + timedelta(hours=3))
    path = plant(reports / OTHER, chosen, SAM)
    path.with_name(f"{path.name}.asc").write_bytes(SAM.at(LATE).signature(path.read_bytes()))


@dataclass(frozen=True)
class Attack:
    name: str
    does: Callable[[Path], object]
    check: str
    says: str


ATTACKS = (
    Attack("a waiver extended", extended, "signature", "has no good signature"),
    Attack("a comment edited", edit("decisions/*-sam-*.json", b"Report read.", b"Report red.."), "decision", "its record is gone or was changed"),
    Attack("a verdict seen edited", edit("decisions/*-sam-*.json", b'"verdict":"PASS"', b'"verdict":"FAIL"'), "decision", "another verdict"),
    Attack("a duplicate key in a record", edit("decisions/*-sam-*.json", b'"verdict":"PASS"', b'"verdict":"FAIL","verdict":"PASS"'), "decision", "appears twice"),
    Attack("a signature removed", lambda reports: files(reports)[0].with_name(f"{files(reports)[0].name}.asc").unlink(), "decision", "nobody decided this"),
    Attack("a record removed, its signature left", lambda reports: files(reports)[0].unlink(), "decision", "a signature over a decision that is not there"),
    Attack("a decision removed", removed, "decision", "its record is gone"),
    Attack("a decision removed with the ledger's tail", cut_and_removed, "checkpoint", "the tail was cut"),
    Attack("a decision copied from another run", copied, "decision", "bound to another run"),
    Attack("a decision on a gate that was never judged", elsewhere, "decision", "judged no gate S9-PROD-003"),
    Attack("a decision on other bytes of the gate", planted(lambda f: replace(record(f, SAM, at=LATE), gate_digest="0" * 64), SAM), "decision", "another gate's bytes"),
    Attack("a decision on another statement", planted(lambda f: replace(record(f, SAM, at=LATE), statement="0" * 64), SAM), "decision", "another statement"),
    Attack("approver = operator", planted(lambda f: record(f, MIRA, at=LATE), MIRA), "decision", "lets nobody approve what they ran themselves"),
    Attack("a person without a role of the gate", planted(lambda f: record(f, EVE, at=LATE), EVE), "decision", "Eve holds auditor"),
    Attack("a role that the roster does not give", planted(lambda f: replace(record(f, EVE, at=LATE), person=replace(record(f, EVE, at=LATE).person, roles=("security",))), EVE), "decision", "claims the role security"),
    Attack("a stranger", planted(lambda f: record(f, STRANGER, at=LATE), STRANGER), "decision", "the roster names nobody called 'stranger'"),
    Attack("in the name of somebody else", planted(lambda f: record(f, SAM, at=LATE), EVE), "decision", "but is signed by"),
    Attack("the same person twice", lambda reports: plant(reports / RUN, record(reports / RUN, SAM, at=LATE), SAM), "decision", "Sam has approved S9-PROD-004 of this run already"),
    Attack("the same person twice with two keys", lambda reports: plant(reports / RUN, record(reports / RUN, SPARE, at=LATE), SPARE), "decision", "Sam has approved S9-PROD-004 of this run already"),
    Attack("an approval of a failure", planted(lambda f: record(f, SAM, at=LATE), SAM, run=FAILED), "decision", "only a PASS can be approved"),
    Attack("an approval after a rejection", lambda reports: (plant(reports / OTHER, record(reports / OTHER, SAM, Meaning.REJECTED, at=LATE), SAM), plant(reports / OTHER, record(reports / OTHER, SAM, at=LATE + MINUTE), SAM)), "decision", "was rejected by Sam"),
    Attack("a waiver renewed beyond the cap", planted(renewed, SAM, run=FAILED), "decision", "more than 30 d after this run was first waived"),
    Attack("a waiver beyond the cap", planted(endless, SAM, run=FAILED), "decision", "more than 30 d after this run was first waived"),
    Attack("a clock set back before the run", planted(backdated, SAM), "decision", "a clock was set back"),
    Attack("a date that the signature does not bear", slipped, "decision", "but is dated"),
    Attack("a decision of tomorrow", planted(lambda f: record(f, SAM, at=START + timedelta(days=3)), SAM), "decision", "after this audit"),
    Attack("a decision that was not entered", unentered, "decision", "the ledger does not name it"),
    Attack("a decision entered twice", twice, "decision", "the ledger names it 2 times"),
    Attack("a file under another name", lambda reports: [Path(f"{p}{e}").rename(Path(f"{p}{e}".replace("T03", "T04"))) for p in files(reports) for e in ("", ".asc")], "decision", "its file should be called"),
    Attack("a stray file among the decisions", lambda reports: (reports / RUN / "decisions" / "note.txt").write_bytes(b"ok"), "structure", "is a file that no bundle has"),
    Attack("a revision's words edited", edit("revisions/2/S9-PROD-004.md", b"Kim", b"Tim"), "revision", "does not list the files of the revision as they are"),
    Attack("a revision's PDF edited", edit("revisions/2/summary.pdf", b"%PDF", b"%PDG"), "revision", "does not list the files of the revision as they are"),
    Attack("a revision's words signed anew", painted, "revision", "the text is another"),
    Attack("a standing that does not follow", revised(better), "revision", "another standing than comes out again"),
    Attack("a decision left out of a revision", revised(lambda told: replace(told, decisions=told.decisions[:1])), "revision", "another decisions than comes out again"),
    Attack("a revision of another ledger", revised(lambda told: replace(told, ledger_head="0" * 64)), "revision", "another the ledger's head"),
    Attack("a revision of another end", revised(lambda told: replace(told, finished=instants.text(AFTER))), "revision", "the end of the run"),
    Attack("a revision signed anew", revised(lambda told: replace(told, roster_digest="0" * 64)), "revision", "another statement of this revision"),
    Attack("a revision removed", lambda reports: shutil.rmtree(reports / RUN / "revisions" / "2"), "revision", "names revision 2"),
    Attack("a file of a revision removed", lambda reports: (reports / RUN / "revisions" / "1" / "summary.md.asc").unlink(), "revision", "summary.md.asc is missing"),
    Attack("a revision that nobody made", lambda reports: shutil.copytree(reports / RUN / "revisions" / "2", reports / RUN / "revisions" / "3"), "revision", "names no revision 3"),
    Attack("revisions swapped", lambda reports: [(reports / RUN / "revisions" / a).rename(reports / RUN / "revisions" / b) for a, b in (("1", "9"), ("2", "1"), ("9", "2"))], "revision", "another run or number"),
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_on_a_decision_is_noticed_and_named_by_one_check(
    attack: Attack, archive: Path, tmp_path: Path
) -> None:
    """And with that check switched off, it is no longer: the line comes from there, and from nowhere else."""
    reports = tmp_path / "reports"
    shutil.copytree(archive, reports)
    attack.does(reports)
    said: list[str] = []

    def found() -> bool:
        problems = findings(reports).problems
        said[:] = [f"{line.check} {line.subject}: {line.sentence}" for line in problems]
        return any(line.check == attack.check and attack.says in line.sentence for line in problems)

    assert found(), said
    assert off(attack.check, found)


def test_a_role_given_later_does_not_make_an_old_decision_count(archive: Path, tmp_path: Path) -> None:
    """The record says which roles the person held when it was signed; only those that it and the roster say count."""
    reports = tmp_path / "reports"
    shutil.copytree(archive, reports)
    plant(reports / OTHER, record(reports / OTHER, EVE, at=LATE), EVE)
    promoted = tuple(replace(who, roles=("auditor", "security")) if who.id == "eve" else who for who in PEOPLE)
    assert any("Eve holds auditor" in line.sentence for line in findings(reports, people=promoted).problems)


def test_a_role_taken_away_is_named(archive: Path) -> None:
    demoted = tuple(replace(who, roles=("auditor",)) if who.id == "kim" else who for who in PEOPLE)
    assert any(
        "claims the role release-manager" in line.sentence for line in findings(archive, people=demoted).problems
    )


def test_a_bundle_alone_shows_a_false_decision_too(archive: Path, tmp_path: Path) -> None:
    folder = tmp_path / RUN
    shutil.copytree(archive / RUN, folder)
    assert not findings(folder).problems
    (path, *_) = sorted((folder / "decisions").glob("*-sam-*.json"))
    path.write_bytes(path.read_bytes().replace(b"Report read.", b"Report red.."))
    assert any(
        line.check == "signature" and "has no good signature" in line.sentence for line in findings(folder).problems
    )


def test_the_ledgers_word_for_a_decision_must_be_its_own(archive: Path, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    shutil.copytree(archive, reports)
    path = plant(reports / OTHER, record(reports / OTHER, SAM, at=LATE), SAM, entered=False)
    entry = DecisionEntered(
        at=instants.text(LATE + MINUTE), run=OTHER, gate="S9-PROD-004", act="reject", person="sam",
        record=canon.sha256_hex(path.read_bytes()),
    )  # fmt: skip
    LedgerFile(reports).append(entry)
    LedgerFile(reports).checkpoint(MIRA.at(LATE + MINUTE), at=entry.at)
    assert any("the ledger calls it reject" in line.sentence for line in findings(reports).problems)
