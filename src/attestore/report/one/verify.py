"""VERIFY.md: how a stranger checks the bundle with gpg, sha256sum and jq alone."""

from __future__ import annotations

from typing import Final

from attestore.report.case import Case
from attestore.report.one import numbers
from attestore.report.one.blocks import Block, Bullets, Code, Column, Document, Fact, Facts, Heading, Para, Table
from attestore.report.one.case import NOT_MEASURED, Reading
from attestore.report.one.render import markdown
from attestore.report.one.words import code, prose
from attestore.report.templates import Templates

__all__ = ["verify_page"]

_KEYS: Final = """\
export GNUPGHOME="$(mktemp -d)"
sha256sum /from/elsewhere/roster.yaml
sed 's/^ *//' /from/elsewhere/roster.yaml | gpg --import
gpg --list-keys --with-colons | grep ^fpr"""
_SIGNATURE: Final = "gpg --verify SHA256SUMS.asc SHA256SUMS"
_FILES: Final = """\
sha256sum --check --strict SHA256SUMS
diff <(sed 's/^[0-9a-f]*  //' SHA256SUMS | sort) \\
     <(find . -type f ! -path './decisions/*' ! -path './revisions/*' ! -name 'SHA256SUMS*' -printf '%P\\n' | sort)"""
_STATEMENT: Final = """\
gpg --verify statement.json.asc statement.json
jq -r '.predicate.files[] | "\\(.sha256)  \\(.path)"' statement.json | sha256sum --check --strict
jq -r '.subject[0].digest.sha256' statement.json
sha256sum manifest.json"""
_CHAIN: Final = """\
chain() {  # chain FILE DOMAIN: the number of lines and the last link, or where it breaks
  local number=0 link line size previous
  link=$(printf '0%.0s' {1..64})
  while IFS= read -r line; do
    number=$((number + 1))
    previous=$(jq -r .previous <<<"$line")
    [ "$previous" = "$link" ] || { echo "$1: line $number is not bound to the line before it"; return 1; }
    size=$(printf '%s\\n' "$line" | wc -c)
    link=$({ printf 'attestore/%s/v1\\n' "$2"; printf "$(printf '%016x' "$size" | sed 's/../\\\\x&/g')"
             printf '%s\\n' "$line"; } | sha256sum | cut -d ' ' -f 1)
  done <"$1"
  echo "$number $link"
}
diff <(chain journal.jsonl evidence/link) <(jq -r '.predicate.journal | "\\(.count) \\(.head)"' statement.json)"""
_LEDGER: Final = """\
ours=$(jq .predicate.ledger.count statement.json); theirs=$(jq .count ../checkpoint)
diff <(chain <(head -n "$ours" ../ledger.jsonl) ledger/link) \\
     <(jq -r '.predicate.ledger | "\\(.count) \\(.head)"' statement.json)
gpg --verify ../checkpoint.asc ../checkpoint
diff <(chain <(head -n "$theirs" ../ledger.jsonl) ledger/link) <(jq -r '"\\(.count) \\(.head)"' ../checkpoint)
jq -r 'select(.kind == "run.finished" or .kind == "run.closed") | "\\(.run) \\(.statement)"' ../ledger.jsonl
sha256sum statement.json"""
_PICTURES: Final = """\
for pdf in *.pdf; do
  gpg --verify "$pdf.asc" "$pdf"
  out=$(mktemp -d) && pdfdetach -saveall -o "$out" "$pdf"
  (cd "$out" && sha256sum -- *) | sed 's#  \\(.*[.]yaml\\)$#  gates/\\1#' | sha256sum --check --strict
done"""
_VERDICT: Final = """\
jq -r '.outcome, (.gates[] | "\\(.gate) \\(.outcome)")' verdict.json
jq -r '.gates[] | .gate as $g | .checks[] | [$g, .id, .outcome, .must, (.observed | tostring)] | @tsv' verdict.json"""
_FIGURES: Final = """\
jq -r 'select(.fact | startswith("restore.")) | [.fact, .value, .unit] | @tsv' journal.jsonl
jq -s '([.[] | select(.fact | IN("restore.retrieve", "restore.unseal", "restore.prepare", "restore.schema",
  "restore.data", "restore.indexes", "restore.finalize")) | .value] | add)
  == (.[] | select(.fact == "restore.rto") | .value)' journal.jsonl"""
_PROOFS: Final = """\
rows='.tables[] | [.schema, .name, .rows, (.sums | join(" ")), (.permutes // .text // "")] | @tsv'
diff <(jq -r "$rows" proof.source.json) <(jq -r "$rows" proof.restored.json) && echo "rows and fingerprints are equal\""""
_LIMITS: Final = (
    (
        "Write a journal of a run that never was, and sign it. Whoever doubts orders a drill of the same backup, now, and watches: "
        "its proof is sealed beside it, so that any later restore can be compared with it, without the source."
    ),
    (
        "Make the whole ledger anew, without the runs that failed, and sign a new checkpoint; or put an older ledger back with its checkpoint. A "
        "checkpoint or report that you keep outside has a count and a head that such a ledger does not hold: compare every one you have."
    ),
    (
        "Not start the run that would fail, or let it run on another machine with another ledger. Cadence is what limits that: a gate "
        "without fresh evidence is expired."
    ),
    (
        "Set the clock. Times here are those of the operator's machine, the source and the store; only a time-stamp by somebody else, or a checkpoint "
        "that was handed over, says more."
    ),
    "Approve in another person's name only with that person's key: decisions carry signatures of their own.",
)


def verify_page(case: Case, templates: Templates) -> bytes:
    """The bytes of VERIFY.md.

    Raises:
        PrintError: a template is broken.
    """
    context, reading = case.context, Reading(case.observations)
    blocks: list[Block] = [
        Para(
            prose(
                "This folder is the evidence of run {run}. Each step below says what it proves and what it does not. "
                "You need {gpg}, {sha} and {jq} in a bash, and {pdf} for the PDFs; nothing of ours.",
                run=code(context.run), gpg=code("gpg"), sha=code("sha256sum"), jq=code("jq"), pdf=code("pdfdetach"),
            )
        ),
        Facts(
            (
                Fact("System", context.system),
                Fact("Run by", context.operator.name),
                Fact("Backup digest", reading.shown("backup.digest"), mono=True),
                Fact("Roster in force", context.roster_digest, note="SHA-256 of the file", mono=True),
                Fact("Ledger head", context.ledger_head, note=prose("after entry {n}", n=numbers.count(context.ledger_count)), mono=True),
            )
        ),
        Heading(2, "1. The keys, from elsewhere", "keys"),
        Para(
            prose(
                "Get the roster, which holds the public keys, from somebody you trust, **not from this archive**: whoever could forge the "
                "archive could put a key into it. Its SHA-256 must be the one above. Import its keys, and only those, into a keyring of their own:"
            )
        ),
        Code(
            _KEYS,
            language="bash",
        ),
        Para(prose("The operator of this run should be {fpr}.", fpr=code(context.operator.fingerprint))),
        Heading(2, "2. The signature", "signature"),
        Code(_SIGNATURE, language="bash"),
        Para(
            prose(
                "It must say *Good signature*, and the **primary key fingerprint** must be the one above. gpg exits 0 for signatures by "
                "expired and by revoked keys too: read its words, not only its exit code."
            )
        ),
        Heading(2, "3. The files", "files"),
        Code(_FILES, language="bash"),
        Para(
            "Every line must end in OK. It proves that no listed file was changed after it was signed. A file in the folder that is not listed was not "
            "signed; only decisions and revisions are added later, each with its own signature."
        ),
        Heading(2, "4. The statement", "statement"),
        Code(_STATEMENT, language="bash"),
        Para(
            "The statement is an in-toto Statement v1. It lists every file by digest; its subject is the backup: the SHA-256 of its manifest, which lists every stored part. The last two lines must be equal. "
            "Where the run died before there was a backup, it is the journal."
        ),
        Heading(2, "5. The journal, whole and in its order", "journal"),
        Code(_CHAIN, language="bash"),
        Para(
            "Each line carries the digest of the line before it; the statement signs their number and the last digest. The comparison says nothing when both are as signed."
        ),
        Heading(2, "6. The ledger: no run is missing", "ledger"),
        Code(_LEDGER, language="bash"),
        Para(
            "With the reports folder around this one. The first comparison says nothing when the ledger, up to this run's own start, is the one that this "
            "run stood in; the second, when it is the one that the checkpoint signs. Then each run that ended, with the SHA-256 of its statement; "
            "that of this run is the last line."
        ),
        Heading(2, "7. The PDFs", "pictures"),
        Code(_PICTURES, language="bash"),
        Para(
            "A PDF is a picture, signed as a whole; it carries the evidence. What pdfdetach takes out of it must be the files of this folder: every line ends in OK."
        ),
        Heading(2, "8. The verdict", "verdict"),
        Code(_VERDICT, language="bash"),
        Para("Compare with the gate files in gates: thresholds stand nowhere else. UNKNOWN is never PASS."),
        Heading(2, "9. The figures", "figures"),
        Code(_FIGURES, language="bash"),
        Para("The first lists every figure about the restore; the second says whether the phases sum to the recovery time."),
    ]  # fmt: skip
    if case.source is not None and case.restored is not None:
        blocks += [
            Heading(2, "10. Both proofs", "proofs"),
            Code(_PROOFS, language="bash"),
            Para(
                "Table by table: row counts and what makes the fingerprint (four sums, or the digest of a text), as the backup carries them and as they were after the restore."
            ),
        ]
    blocks += [
        Heading(2, "What this proves, and what it does not", "meaning"),
        Table(
            (Column("Step"), Column("Proves", wide=True), Column("Does not prove", wide=True)),
            (
                ("Signature", "a holder of that key signed this list", "that the holder is honest, or when it was signed"),
                ("Files", "nothing listed was changed since", "that nothing was left out before signing"),
                ("Statement", "these files belong to that backup and run", "that other runs did not fail: see the ledger"),
                ("Journal", "no line was changed, removed, added or moved since", "that what was written down is what happened"),
                ("PDFs", "the picture was signed with the evidence in it", "that what is drawn is what the evidence says: read the Markdown, which is rendered again"),
                ("Verdict", "which bounds held for the recorded figures", "that the figures were measured as recorded"),
                ("Ledger", "this run stands in a chain of all runs", "anything, unless you hold a checkpoint from another source"),
            ),
        ),
        Heading(2, "What an operator who holds the keys could still do", "limits"),
        Bullets(_LIMITS),
    ]  # fmt: skip
    document = Document(
        kind="Verification",
        title=prose("How to check this folder"),
        plain_title="How to check this folder",
        subtitle=prose("{system}, {day}", system=context.system, day=numbers.day(context.started) or NOT_MEASURED),
        running=context.run,
        ledger="",
        watermark="",
        language=context.language,
        paper="A4",
        blocks=tuple(blocks),
    )
    return markdown(document, templates)
