"""People decide with real keys, on real paper, by the commands that the guide names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader
from typing_extensions import override

from attestore.adapters.gpg import GpgSigner, Keyring
from attestore.adapters.process import Runner
from attestore.config import Key, Person, read_roster, roster_text
from bundles import Draft, Pen, issue, proof
from decided import GATE
from keyrings import agents, opened
from programme import Desk, at_desk


class RealPen(Pen):
    """The operator's own key, where a double would write."""

    def __init__(self, keyring: Keyring, fingerprint: str) -> None:
        super().__init__("operator")
        self._signer = GpgSigner(keyring, fingerprint, runner=Runner())

    @property
    @override
    def fingerprint(self) -> str:
        return self._signer.fingerprint

    @override
    def at(self, clock: datetime) -> Pen:
        """A real key signs by the machine's clock."""
        del clock
        return self

    @override
    def sign(self, path: Path) -> Path:
        return self._signer.sign(path)


@dataclass
class Office:
    """A desk with two runs, one passed and one failed, and two people with keyrings of their own."""

    desk: Desk
    passed: str
    failed: str
    keyrings: dict[str, Path]

    def decide(self, verb: str, run: str, who: str, *words: str, code: int = 0) -> str:
        more = ("--gnupghome", str(self.keyrings[who])) if who in self.keyrings else ()
        ran = self.desk.attestore(
            verb, run, "--gate", "S9-PROD-004", "--as", who, "--comment", "Report read.", *more, *words
        )
        assert ran.code == code, ran.out + ran.err
        return ran.out + ran.err

    def status(self, *words: str) -> tuple[int, str]:
        ran = self.desk.attestore("status", "S9-PROD-004", *words)
        return ran.code, ran.out


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    with at_desk(tmp_path_factory.mktemp("office")) as desk:
        path = desk.folder / ".attestore" / "roster.yaml"
        people = list(read_roster(path.read_bytes(), where="roster").people)
        keyrings: dict[str, Path] = {}
        for name, role in (("kim", "release-manager"), ("sam", "security")):
            with opened(desk.folder / name) as keyring:
                made = keyring.create_signing_key(name.title())
                key = Key(made.fingerprint, keyring.public(made.fingerprint))
            people.append(Person(name, name.title(), (role,), (key,)))
            keyrings[name] = desk.folder / name / "gnupg"
        path.write_bytes(roster_text(people))
        now = datetime.now(UTC)
        with opened(desk.folder / ".attestore") as keyring:
            mine = people[0].keys[0].fingerprint
            for run, system, start, rows in (
                ("r1", "shop", now - timedelta(seconds=9), 3),
                ("r2", "till", now - timedelta(seconds=5), 2),
            ):
                restored = proof("restored", rows=rows)
                issue(
                    desk.reports,
                    Draft(
                        run=run,
                        system=system,
                        start=start,
                        gates=(GATE,),
                        restored=restored,
                        pen=RealPen(keyring, mine),
                    ),
                )
        yield Office(desk, "r1", "r2", keyrings)
        for keyring_path in keyrings.values():
            with opened(keyring_path.parent):
                pass


def test_two_people_approve_one_of_them_elsewhere_and_ci_is_let_through(office: Office) -> None:
    assert office.status("--system", "shop")[0] == 3
    office.decide("approve", office.passed, "kim")
    told = office.decide("approve", office.passed, "kim", code=2)
    assert "Kim has approved S9-PROD-004 of this run already" in told
    assert "Olga Operator holds operator; S9-PROD-004 asks for release-manager" in office.decide(
        "approve", office.passed, operator(office), code=2
    )

    elsewhere = office.desk.folder / "elsewhere"
    shutil.copytree(office.desk.reports / office.passed, elsewhere / office.passed)
    office.decide("approve", f"elsewhere/{office.passed}", "sam", "--export", "sam.json")
    assert office.status("--system", "shop")[0] == 3
    ran = office.desk.attestore("decisions", "import", "sam.json", "--json")
    assert ran.code == 0, ran.err
    assert ran.result["gates"][0]["standing"] == "PASS"

    code, out = office.status("--system", "shop")
    assert code == 0, out
    audited = office.desk.attestore("audit", "reports")
    assert audited.code == 0, audited.out

    revision = office.desk.reports / office.passed / "revisions" / "2"
    pages = PdfReader(revision / "S9-PROD-004.pdf")
    text = "".join(page.extract_text() for page in pages.pages)
    assert all(word in text for word in ("Kim", "Sam", "release-manager", "approved"))
    assert {"revision.json", "journal.jsonl"} <= set(pages.attachments)
    assert office.desk.left_behind() == []


def operator(office: Office) -> str:
    path = office.desk.folder / ".attestore" / "roster.yaml"
    return read_roster(path.read_bytes(), where="roster").people[0].id


def test_two_people_waive_a_failure_and_its_first_page_never_says_pass(office: Office) -> None:
    assert office.status("--system", "till")[0] == 1
    terms = ("--reason", "Row count differs by one.", "--control", "Standby in B.")
    assert "more than 30 d" in office.decide("waive", office.failed, "kim", *terms, "--until", "31d", code=2)
    assert "no end of a waiver" in office.decide("waive", office.failed, "kim", *terms, "--until", "soon", code=2)
    for who in ("kim", "sam"):
        office.decide("waive", office.failed, who, *terms, "--until", "14d")
    code, out = office.status("--system", "till")
    assert (code, "13 days left" in out) == (0, True), out
    first = (
        PdfReader(office.desk.reports / office.failed / "revisions" / "2" / "S9-PROD-004.pdf").pages[0].extract_text()
    )
    assert "WAIVED" in first.upper()
    assert "FAIL" in first
    assert "PASS" not in first.replace("only a PASS is valid", "")


def test_a_bundle_that_is_not_intact_is_not_decided_on(office: Office) -> None:
    copy = office.desk.folder / "broken"
    shutil.copytree(office.desk.reports / office.passed, copy / office.passed)
    (copy / office.passed / "summary.md").write_text("All good.\n")
    told = office.decide("reject", f"broken/{office.passed}", "sam", "--export", "no.json", code=4)
    assert "is not intact" in told
    assert not (office.desk.folder / "no.json").exists()


def test_a_person_without_a_key_here_is_told_where_it_was_looked_for(office: Office) -> None:
    shutil.copytree(office.desk.reports / office.failed, office.desk.folder / "copy" / office.failed)
    ran = office.desk.attestore(
        "reject", f"copy/{office.failed}", "--gate", "S9-PROD-004", "--as", "kim", "--comment", "No.",
        "--gnupghome", str(office.keyrings["sam"]), "--export", "kim.json",
    )  # fmt: skip
    assert ran.code == 71
    assert "no private key of Kim" in ran.err
    assert "--gnupghome" in ran.err


def test_an_agent_that_was_there_before_stays_and_one_of_ours_goes(tmp_path: Path) -> None:
    """The first may hold a passphrase that somebody has typed in."""
    (tmp_path / "record").write_text("x")
    with opened(tmp_path) as theirs:
        made = theirs.create_signing_key("Kim").fingerprint
        before = agents(tmp_path)
        with Keyring.borrow(tmp_path / "gnupg", runner=Runner()) as keyring:
            GpgSigner(keyring, made, runner=Runner()).sign(tmp_path / "record")
        assert agents(tmp_path) == before != []
    with Keyring.borrow(tmp_path / "gnupg", runner=Runner()) as keyring:
        GpgSigner(keyring, made, runner=Runner()).sign(tmp_path / "record")
    assert agents(tmp_path) == []
