"""What a PDF carries: the evidence it was rendered from, and the decisions of a revision."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final

from attestore.evidence import revision
from attestore.evidence.revision import Revision
from attestore.gate import Gate
from attestore.ports import Attachment

__all__ = ["CARRIED", "REVISION", "attachments", "revision_attachments"]

CARRIED: Final = (
    ("journal.jsonl", "application/jsonl", "Journal of observations, hash-chained", "Source"),
    ("verdict.json", "application/json", "Verdict per check and gate", "Data"),
    ("context.json", "application/json", "People, plan, history, renderer", "Supplement"),
    ("proof.source.json", "application/json", "What the source held at the snapshot", "Source"),
    ("proof.restored.json", "application/json", "What the restored copy held", "Source"),
    ("manifest.json", "application/json", "The backup's manifest", "Source"),
)
"""Files of a bundle that every PDF of it carries, where the bundle has them; gates besides, as <id>.yaml"""

REVISION: Final = "revision.json"
"""How a revision's context.json is called inside its PDFs"""


def attachments(
    read: Callable[[str], bytes], *, names: Collection[str], gates: Iterable[Gate]
) -> tuple[Attachment, ...]:
    """The evidence of a bundle, as its PDFs carry it."""
    fixed = [
        Attachment(name=name, data=read(name), media_type=media, description=what, relationship=relationship)
        for name, media, what, relationship in CARRIED
        if name in names
    ]
    judged = [
        Attachment(
            name=f"{gate.id}.yaml",
            data=gate.text,
            media_type="application/yaml",
            description=f"Gate {gate.id} as it was judged",
            relationship="Source",
        )
        for gate in gates
    ]
    return (*fixed, *judged)


def revision_attachments(made: Revision, records: Iterable[tuple[str, bytes]]) -> tuple[Attachment, ...]:
    """What the PDFs of a revision carry besides: its context, and records and signatures of its decisions by file name."""
    context = Attachment(
        name=REVISION,
        data=revision.encode(made),
        media_type="application/json",
        description=f"Revision {made.number}: decisions and standing",
        relationship="Supplement",
    )
    decided = [
        Attachment(
            name=name,
            data=data,
            media_type="application/pgp-signature" if name.endswith(".asc") else "application/json",
            description="A decision" if name.endswith(".json") else "The signature over a decision",
            relationship="Source",
        )
        for name, data in records
    ]
    return (context, *decided)
