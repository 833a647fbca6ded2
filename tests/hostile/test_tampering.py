"""Whoever does not hold the keys edits the folder; each attack is noticed, and the line names what was touched."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pikepdf
import pytest
from typing_extensions import override

from attestore import canon
from attestore.archive import LedgerFile
from attestore.evidence import journal, ledger, sums
from attestore.evidence.ledger import Checkpoint, RunFinished, RunStarted
from attestore.ports import Inspected
from attestore.proof import decode, encode
from bundles import (
    GLASS,
    MIRA,
    REVIEWER,
    RUN,
    START,
    STRANGER,
    TOMAS,
    Draft,
    Glass,
    Pen,
    audited,
    issue,
    proof,
    reseal,
)
from switches import off

NOON = START.replace(hour=12)
STOLEN = Glass(Pen("mira", revoked=NOON, reason="compromised"), TOMAS, REVIEWER)
RETIRED = Glass(Pen("mira", revoked=NOON, reason="superseded"), TOMAS, REVIEWER)
EXPIRED = Glass(Pen("mira", expires=NOON), TOMAS, REVIEWER)
LONG_EXPIRED = Glass(Pen("mira", expires=START - timedelta(days=9)), TOMAS, REVIEWER)
TOO_NEW = Glass(Pen("mira", created=NOON), TOMAS, REVIEWER)
OTHER = "20260301T030000Z-shop-2c3d"
FAILED = "20260301T040000Z-shop-4e5f"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three finished runs, the last of them failed; nobody writes here."""
    reports = tmp_path_factory.mktemp("sealed") / "reports"
    issue(reports)
    shutil.copy(reports / "checkpoint", reports.parent / "old")
    shutil.copy(reports / "checkpoint.asc", reports.parent / "old.asc")
    issue(reports, Draft(run=OTHER, start=START + timedelta(hours=1)))
    issue(reports, Draft(run=FAILED, start=START + timedelta(hours=2), restored=proof("restored", rows=2)))
    return reports


@dataclass(frozen=True)
class Attack:
    """What is done, and what the audit must say of it: the check, and words of the line."""

    name: str
    does: Callable[[Path], object]
    check: str
    says: str
    glass: Glass = GLASS
    """what is known of the keys on the day of the audit"""


def edit(name: str, before: bytes, after: bytes, *, run: str = RUN) -> Callable[[Path], object]:
    def does(reports: Path) -> None:
        path = reports / run / name
        data = path.read_bytes()
        assert before in data
        path.write_bytes(data.replace(before, after, 1))

    return does


def lines(name: str, change: Callable[[list[bytes]], list[bytes]], *, run: str = RUN) -> Callable[[Path], object]:
    def does(reports: Path) -> None:
        path = reports / run / name
        path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))

    return does


def put(name: str, data: bytes, *, run: str = RUN) -> Callable[[Path], object]:
    def does(reports: Path) -> None:
        path = reports / run / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    return does


def take(name: str, *, run: str = RUN) -> Callable[[Path], object]:
    return lambda reports: (reports / run / name).unlink()


def swap(one: str, two: str) -> Callable[[Path], object]:
    def does(reports: Path) -> None:
        a, b = reports / one, reports / two
        first, second = a.read_bytes(), b.read_bytes()
        a.write_bytes(second)
        b.write_bytes(first)

    return does


def rewritten_history(reports: Path) -> None:
    """Both proofs and the journal are changed together, the chain and the sums are made again."""
    folder = reports / RUN
    for side in ("source", "restored"):
        path = folder / f"proof.{side}.json"
        was = decode(path.read_bytes())
        path.write_bytes(encode(proof(was.side, rows=9_000)))
    told = journal.read((folder / "journal.jsonl").read_bytes())
    changed = [o if o.fact not in {"rows.expected", "rows.restored"} else _nine(o) for o in told.observations]
    (folder / "journal.jsonl").write_bytes(journal.written(changed))
    listed = sums.parse((folder / "SHA256SUMS").read_bytes())
    fresh = {name: canon.sha256_hex((folder / name).read_bytes()) for name in listed}
    (folder / "SHA256SUMS").write_bytes(sums.build(fresh))


def _nine(seen: journal.Observation) -> journal.Observation:
    return journal.Observation(seen.at, seen.tick, seen.fact, seen.subject, 9_000, seen.source)


def link(target: str, name: str) -> Callable[[Path], object]:
    def does(reports: Path) -> None:
        path = reports / RUN / name
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    return does


def moved(name: str, target: str) -> Callable[[Path], object]:
    """The file or folder goes elsewhere, and a link takes its place."""

    def does(reports: Path) -> None:
        path = reports / RUN / name
        path.rename(reports / RUN / target)
        path.symlink_to(reports / RUN / target)

    return does


def linked_folder(reports: Path) -> None:
    (reports / RUN).rename(reports.parent / "elsewhere")
    (reports / RUN).symlink_to(reports.parent / "elsewhere")


def listed(path: str) -> Callable[[Path], object]:
    """A path smuggled into SHA256SUMS."""
    return lines("SHA256SUMS", lambda known: [*known, f"{'0' * 64}  {path}\n".encode()])


def oversized(name: str, size: int) -> Callable[[Path], object]:
    return lambda reports: os.truncate(reports / RUN / name, size)


def entries(change: Callable[[list[ledger.Entry]], list[ledger.Entry]]) -> Callable[[Path], object]:
    """The ledger is written again, with a chain that holds."""

    def does(reports: Path) -> None:
        known = LedgerFile(reports).read()
        (reports / "ledger.jsonl").write_bytes(ledger.written(change(list(known.entries))))

    return does


def replayed(reports: Path) -> None:
    shutil.copy(reports.parent / "old", reports / "checkpoint")
    shutil.copy(reports.parent / "old.asc", reports / "checkpoint.asc")


def forged_checkpoint(reports: Path) -> None:
    """The ledger is cut, and its end signed with a key of one's own."""
    entries(lambda known: known[:3])(reports)
    known = LedgerFile(reports).read()
    path = reports / "checkpoint"
    path.write_bytes(ledger.encode_checkpoint(Checkpoint(known.count, known.head, "2026-03-01T05:00:00.000Z")))
    STRANGER.sign(path)


def forgotten(reports: Path) -> None:
    shutil.rmtree(reports / FAILED)
    entries(lambda known: known[:6])(reports)


def replay_as_new(reports: Path) -> None:
    shutil.copytree(reports / RUN, reports / "20260301T050000Z-shop-9999")


def replay_in_place(reports: Path) -> None:
    """A failed run's folder is filled with an older run that passed."""
    shutil.rmtree(reports / FAILED)
    shutil.copytree(reports / RUN, reports / FAILED)


def signed_by(pen_of: str) -> Callable[[Path], object]:
    pens = {"stranger": STRANGER, "reviewer": REVIEWER}
    return lambda reports: reseal(reports / RUN, pens[pen_of])


def rewritten_pdf(change: Callable[[pikepdf.Pdf], object]) -> Callable[[Path], object]:
    """A PDF that is opened, changed and saved by a PDF editor."""

    def does(reports: Path) -> None:
        path = reports / RUN / "summary.pdf"
        made = io.BytesIO()
        with pikepdf.open(io.BytesIO(path.read_bytes())) as document:
            change(document)
            document.save(made)
        path.write_bytes(made.getvalue())

    return does


def painted(document: pikepdf.Pdf) -> None:
    document.pages[0].contents_add(b"BT /F1 12 Tf (PASS) Tj ET")


def attached(document: pikepdf.Pdf) -> None:
    document.attachments["verdict.json"] = b"{}"


def saved_incrementally(reports: Path) -> None:
    """As PDF editors save: an object, a cross-reference table and a trailer after the end."""
    path = reports / RUN / "summary.pdf"
    data = path.read_bytes()
    more = b"\n99 0 obj\n<< /Type /Annot >>\nendobj\nxref\n99 1\n%010d 00000 n \ntrailer\n<< /Size 100 >>\nstartxref\n%d\n%%%%EOF\n"
    path.write_bytes(data + more % (len(data) + 1, len(data) + 45))


def two_signatures(reports: Path) -> None:
    path = reports / RUN / "SHA256SUMS.asc"
    path.write_bytes(path.read_bytes() * 2)


ATTACKS = (
    # ── the journal
    Attack("a journal value is edited", edit("journal.jsonl", b'"value":500', b'"value":400'), "journal", "not bound"),
    Attack("a journal line is dropped", lines("journal.jsonl", lambda x: [*x[:4], *x[5:]]), "journal", "not bound"),
    Attack("journal lines are reordered", lines("journal.jsonl", lambda x: [x[1], x[0], *x[2:]]), "journal", "not bound"),
    Attack("a journal line is repeated", lines("journal.jsonl", lambda x: [*x, x[-1]]), "journal", "not bound"),
    Attack("the journal's tail is cut", lines("journal.jsonl", lambda x: x[:-3]), "journal", "lines at"),
    Attack("the journal's last line is torn", lines("journal.jsonl", lambda x: [*x[:-1], x[-1][:40]]), "sums", "journal.jsonl was changed"),
    Attack("the journal is emptied", put("journal.jsonl", b""), "journal", "after 0 lines"),
    Attack("the journal tells a fact of its own", edit("journal.jsonl", b'"run.system"', b'"run.glory"'), "journal", "not in the vocabulary"),
    Attack("a journal line has a key twice", edit("journal.jsonl", b'{"at"', b'{"value":1,"at"'), "journal", "appears twice"),
    # ── proofs, manifest, verdict, gate, context, reports
    Attack("the source's sums are altered", edit("proof.source.json", b'"11"', b'"12"'), "comparison", "tables.fingerprints.differing"),
    Attack("the restored proof is altered", edit("proof.restored.json", b'"rows":3', b'"rows":4'), "comparison", "tables.rows.differing"),
    Attack("proofs, journal and sums are altered together", rewritten_history, "signature", "SHA256SUMS has no good signature"),
    Attack("a proof is not in exact form", edit("proof.source.json", b"{", b"{ "), "proof", "not in canonical form"),
    Attack("a failed verdict becomes PASS", edit("verdict.json", b'"outcome":"FAIL"', b'"outcome":"PASS"', run=FAILED), "verdict", "S9-PROD-004 FAIL"),
    Attack("the verdict has a key twice", edit("verdict.json", b"{", b'{"outcome":"PASS",'), "verdict", "Judged again"),
    Attack("the gate is relaxed", edit("gates/S9-PROD-004.yaml", b"< 30m", b"< 90m"), "gate", "the bundle's gates give"),
    Attack("the gate is put under another name", lambda r: (r / RUN / "gates/S9-PROD-004.yaml").rename(r / RUN / "gates/S9-PROD-005.yaml"), "gate", "not the one it is named after"),
    Attack("the gate is broken", put("gates/S9-PROD-004.yaml", b"gate: [\n"), "gate", "not YAML"),
    Attack("the report is edited", edit("S9-PROD-004.md", b"0.50", b"0.05"), "report", "the text is another"),
    Attack("the summary is edited", edit("summary.md", b"PASS", b"PASS!"), "report", "the text is another"),
    Attack("VERIFY.md is edited", edit("VERIFY.md", b"gpg", b"echo"), "report", "the text is another"),
    Attack("the context names another operator", edit("context.json", b'"Mira"', b'"Nora"'), "statement", "context.json was changed"),
    Attack("the context names another end", edit("context.json", b"2026-03-01T02:00:01", b"2026-03-01T02:00:00"), "context", "end ("),
    Attack("the manifest is edited", edit("manifest.json", b'"shop"', b'"shoq"'), "manifest", "The statement speaks of"),
    Attack("the manifest is another backup's", swap(f"{RUN}/manifest.json", f"{OTHER}/manifest.json"), "manifest", "The statement speaks of"),
    Attack("the manifest names a part outside", edit("manifest.json", b"archive.gpg", b"../archive"), "manifest", "not a plain file name"),
    Attack("the PDF is replaced", lambda r: shutil.copy(r / OTHER / "summary.pdf", r / RUN / "summary.pdf"), "pdf", "Nobody signed"),
    Attack("the PDF has bytes after its end", lines("summary.pdf", lambda x: [*x, b"%"]), "signature", "summary.pdf has no good signature"),
    Attack("a template is replaced", edit("templates/report.md.j2", b"{", b"PASS {"), "report", "templates are missing or not signed"),
    Attack("a table is dropped from a proof", edit("proof.restored.json", b'"name":"orders"', b'"name":"others"'), "comparison", "tables.compared"),
    Attack("a proof is cut short", lines("proof.source.json", lambda x: [x[0][:-40]]), "proof", "not canonical JSON"),
    Attack("a proof has a key twice", edit("proof.restored.json", b'"side":', b'"side":"source","side":'), "proof", "appears twice"),
    Attack("the two proofs are swapped", swap(f"{RUN}/proof.source.json", f"{RUN}/proof.restored.json"), "proof", "It is the proof of the"),
    Attack("a check of the verdict is dropped", lines("verdict.json", lambda x: [x[0][:-30]]), "verdict", "Judged again"),
    Attack("the verdict is another run's", lambda r: shutil.copy(r / RUN / "verdict.json", r / FAILED / "verdict.json"), "verdict", "Judged again"),
    Attack("a check of the gate is dropped", lines("gates/S9-PROD-004.yaml", lambda x: x[:-1]), "gate", "the bundle's gates give"),
    Attack("the gate has a key twice", lines("gates/S9-PROD-004.yaml", lambda x: [*x, b"severity: info\n"]), "gate", "severity"),
    Attack("a line of the report is dropped", lines("S9-PROD-004.md", lambda x: [*x[:9], *x[10:]]), "report", "the text is another"),
    Attack("lines of the report are reordered", lines("S9-PROD-004.md", lambda x: [*x[:9], *x[9:20][::-1], *x[20:]]), "report", "the text is another"),
    Attack("a line of the report is repeated", lines("S9-PROD-004.md", lambda x: [*x[:9], x[8], *x[9:]]), "report", "the text is another"),
    Attack("the report is cut short", lines("S9-PROD-004.md", lambda x: x[:-5]), "report", "the text is another"),
    Attack("a PDF page is painted over", rewritten_pdf(painted), "statement", "summary.pdf was changed"),
    Attack("a PDF's attachment is replaced", rewritten_pdf(attached), "signature", "summary.pdf has no good signature"),
    Attack("a PDF is saved incrementally", saved_incrementally, "statement", "summary.pdf was changed"),
    # ── keys that have ended, without a trusted time
    Attack("all is by a key that was stolen since", lambda _: None, "signature", "its key was revoked 2026-03-01T12:00:00.000Z (compromised)", STOLEN),
    Attack("all is by a key that was superseded since", lambda _: None, "signature", "(superseded)", RETIRED),
    Attack("all is by a key that has expired since", lambda _: None, "signature", "its key expired 2026-03-01T12:00:00.000Z", EXPIRED),
    Attack("all is by a key that had expired before", lambda _: None, "signature", "after that", LONG_EXPIRED),
    Attack("all is by a key that was made later", lambda _: None, "signature", "before its key was made", TOO_NEW),
    # ── statement, sums, signatures
    Attack("the statement is of another run", lambda r: [shutil.copy(r / OTHER / n, r / RUN / n) for n in ("statement.json", "statement.json.asc")], "statement", f"is of run {OTHER}"),
    Attack("the statement has a key twice", edit("statement.json", b'{"_type"', b'{"_type":"x","_type"'), "statement", "appears twice"),
    Attack("the statement lists a path outside", edit("statement.json", b'"VERIFY.md"', b'"../VERIFY"'), "statement", "not a path inside"),
    Attack("the sums list a path outside", listed("zz/../../../etc/passwd"), "sums", "not a path inside"),
    Attack("the sums list an absolute path", listed("/etc/passwd"), "sums", "not a path inside"),
    Attack("the sums list a file twice", lines("SHA256SUMS", lambda x: [*x, x[-1]]), "sums", "twice"),
    Attack("the sums leave a file out", lines("SHA256SUMS", lambda x: x[1:]), "sums", "does not list it"),
    Attack("a digest of the sums is edited", lines("SHA256SUMS", lambda x: [b"0" * 64 + x[0][64:], *x[1:]]), "sums", "was changed"),
    Attack("two signatures are swapped", swap(f"{RUN}/S9-PROD-004.md.asc", f"{RUN}/summary.md.asc"), "signature", "S9-PROD-004.md has no good"),
    Attack("a signature of another run is taken", lambda r: shutil.copy(r / OTHER / "SHA256SUMS.asc", r / RUN / "SHA256SUMS.asc"), "signature", "SHA256SUMS has no good"),
    Attack("a signature file holds two", two_signatures, "signature", "armoured"),
    Attack("a signature file has a text above it", lines("SHA256SUMS.asc", lambda x: [b"Signed.\n", *x]), "signature", "nothing else"),
    Attack("a signature file has a header", lines("SHA256SUMS.asc", lambda x: [x[0], b"Comment: x\n", *x[1:]]), "signature", "nothing else"),
    Attack("a signature is empty", put("SHA256SUMS.asc", b""), "signature", "nothing else"),
    Attack("all is signed again by a stranger", signed_by("stranger"), "signature", "no good signature"),
    Attack("all is signed again by a person who is no operator", signed_by("reviewer"), "signature", "no operator of the roster"),
    # ── files that are missing, extra, linked, special, too large
    Attack("the proof of the restored side is removed", take("proof.restored.json"), "structure", "proof.restored.json is missing"),
    Attack("the statement's signature is removed", take("statement.json.asc"), "structure", "statement.json.asc is missing"),
    Attack("the sums are removed", take("SHA256SUMS"), "structure", "SHA256SUMS is missing"),
    Attack("the journal is removed", take("journal.jsonl"), "structure", "journal.jsonl is missing"),
    Attack("a log is added", put("logs/pg_restore.log", b"fine\n"), "statement", "does not list it"),
    Attack("a page is added", put("S9-PROD-009.md", b"PASS\n"), "sums", "does not list it"),
    Attack("a page without a signature is added", put("S9-PROD-009.md", b"PASS\n"), "structure", "has no signature beside it"),
    Attack("a signature over nothing is added", put("S9-PROD-009.md.asc", b""), "structure", "over a file that is not there"),
    Attack("a key is smuggled in", put("trusted.gpg", b"key"), "structure", "is a file that no bundle has"),
    Attack("a file hides in a folder of its own", put("decoy/verdict.json", b"{}"), "structure", "is a folder that no bundle has"),
    Attack("a file has a name that hides", put("logs/\u202egnp.log", b""), "structure", "is a file that no bundle has"),
    Attack("a file becomes a link to its copy", moved("verdict.json", "../copy"), "structure", "is a symbolic link"),
    Attack("a file becomes a link to the outside", link("/etc/hostname", "VERIFY.md"), "structure", "is a symbolic link"),
    Attack("a folder becomes a link", moved("gates", "../moved"), "structure", "is a symbolic link"),
    Attack("the bundle becomes a link", linked_folder, "structure", "the folder is a symbolic link"),
    Attack("a pipe lies in wait", lambda r: os.mkfifo(r / RUN / "logs/wait.log"), "structure", "is not a plain file"),
    Attack("a signature is a gigabyte", oversized("SHA256SUMS.asc", 1 << 30), "structure", "is larger than"),
    Attack("a file is larger than memory", oversized("verdict.json", 1 << 40), "structure", "is larger than"),
    # ── the ledger
    Attack("the ledger's last entry is cut", entries(lambda x: x[:-1]), "checkpoint", "the tail was cut"),
    Attack("the ledger's last byte is cut", lambda r: os.truncate(r / "ledger.jsonl", (r / "ledger.jsonl").stat().st_size - 1), "checkpoint", "the tail was cut"),
    Attack("an entry is edited", edit("ledger.jsonl", b'"PASS"', b'"FAIL"', run="."), "ledger", "not bound"),
    Attack("an entry is dropped and the chain made again", entries(lambda x: [*x[:3], *x[6:]]), "checkpoint", "the tail was cut"),
    Attack("the ledger is forked", entries(lambda x: [*x[:-1], RunFinished(x[-1].at, FAILED, "0" * 64, (("S9-PROD-004", "PASS"),))]), "checkpoint", "this is another ledger"),
    Attack("the ledger grows a run that passed", entries(lambda x: [*x, RunStarted("2026-03-01T06:00:00.000Z", "new", "shop", MIRA.fingerprint, ()), RunFinished("2026-03-01T06:00:01.000Z", "new", "0" * 64, ())]), "checkpoint", "not under the signed checkpoint"),
    Attack("the ledger is deleted", take("ledger.jsonl", run="."), "ledger", "cannot be read"),
    Attack("the ledger becomes a link", moved("../ledger.jsonl", "../../l"), "ledger", "cannot be read"),
    Attack("the checkpoint is deleted", take("checkpoint", run="."), "checkpoint", "its tail may be cut"),
    Attack("the checkpoint becomes a link", moved("../checkpoint", "../c"), "checkpoint", "not a plain file"),
    Attack("the checkpoint's signature is a gigabyte", oversized("../checkpoint.asc", 1 << 30), "checkpoint", "more than"),
    Attack("the checkpoint is edited", edit("checkpoint", b'"count":9', b'"count":8', run="."), "signature", "checkpoint has no good signature"),
    Attack("an old checkpoint is replayed", replayed, "checkpoint", "not under the signed checkpoint"),
    Attack("the ledger is cut and signed by a stranger", forged_checkpoint, "signature", "checkpoint has no good signature"),
    Attack("a failed run's bundle is deleted", lambda r: shutil.rmtree(r / FAILED), "completeness", "its bundle is missing"),
    Attack("a failed run is deleted with its entries", forgotten, "checkpoint", "the tail was cut"),
    Attack("an old run is shown as a new one", replay_as_new, "completeness", "does not name"),
    Attack("an old run takes the place of a failed one", replay_in_place, "statement", f"is of run {RUN}"),
)  # fmt: skip


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_noticed_and_named_by_one_check(attack: Attack, sealed: Path, tmp_path: Path) -> None:
    """And with that check switched off, it is no longer: the line comes from there, and from nowhere else."""
    reports = tmp_path / "reports"
    shutil.copytree(sealed, reports)
    for name in ("old", "old.asc"):
        shutil.copy(sealed.parent / name, tmp_path / name)
    attack.does(reports)
    said: list[str] = []

    def found() -> bool:
        problems = audited(reports, glass=attack.glass).problems
        said[:] = [f"{line.check}: {line.subject}: {line.sentence}" for line in problems]
        return any(line.startswith(f"{attack.check}:") and attack.says in line for line in said)

    assert found(), said
    assert off(attack.check, found)


def test_the_corpus_in_one_table(capsys: pytest.CaptureFixture[str]) -> None:
    """Shown by `pytest -rA`."""
    width = max(len(attack.name) for attack in ATTACKS)
    sys.stdout.writelines(f"{each.name:<{width}}  {each.check:<12}  {each.says}\n" for each in ATTACKS)
    told = capsys.readouterr().out
    sys.stdout.write(told)
    assert told.count("\n") == len({attack.name for attack in ATTACKS}) >= 60


def test_what_nobody_touched_is_clean(sealed: Path) -> None:
    findings = audited(sealed)
    assert findings.problems == ()
    assert any(line.sentence == "3 runs: 2 passed, 1 failed." for line in findings.lines)


class Swapping(Glass):
    """Finds every file as it was before the attack: somebody puts it back while the signature is checked."""

    def __init__(self, reports: Path, before: Path) -> None:
        super().__init__(*GLASS.pens.values())
        self._reports = reports
        self._before = before

    @override
    def inspect(self, signature: bytes, data: Path) -> Inspected:
        return super().inspect(signature, self._before / data.relative_to(self._reports))


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("checkpoint", b'"count":9', b'"count":8'),
        (f"{RUN}/statement.json", b"shop", b"shot"),
        (f"{RUN}/manifest.json", b'"shop"', b'"shot"'),
    ],
)
def test_a_file_that_is_put_back_only_while_its_signature_is_checked_is_noticed(
    sealed: Path, tmp_path: Path, name: str, before: bytes, after: bytes
) -> None:
    reports = tmp_path / "reports"
    shutil.copytree(sealed, reports)
    data = (reports / name).read_bytes()
    assert before in data
    (reports / name).write_bytes(data.replace(before, after, 1))
    said = [line.sentence for line in audited(reports, glass=Swapping(reports, sealed)).problems]
    assert any("changed while the audit went on" in sentence for sentence in said), said
