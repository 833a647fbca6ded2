"""What a database holds at one snapshot, and how two such proofs differ."""

from attestore.proof.behaviour import Behaviour, Did, Exercise, IndexCheck
from attestore.proof.compare import Comparison, Difference, What, compare, facts_of, same_content, unasked, unplanned
from attestore.proof.computed import Computed, Recomputed
from attestore.proof.located import MOST_KEYS, Change, Located, RowKey, row_digest
from attestore.proof.model import (
    AUDIT,
    FORMAT,
    METHODS,
    STREAM,
    UNENFORCED,
    ForeignKey,
    Object,
    ProbeResult,
    Proof,
    Query,
    Reading,
    Sequence,
    Setting,
    Table,
    decode,
    encode,
    ordered,
)
from attestore.proof.sketch import Sketches
from attestore.proof.sketch import decode as decode_sketches
from attestore.proof.together import together

__all__ = [
    "AUDIT",
    "FORMAT",
    "METHODS",
    "MOST_KEYS",
    "STREAM",
    "UNENFORCED",
    "Behaviour",
    "Change",
    "Comparison",
    "Computed",
    "Did",
    "Difference",
    "Exercise",
    "ForeignKey",
    "IndexCheck",
    "Located",
    "Object",
    "ProbeResult",
    "Proof",
    "Query",
    "Reading",
    "Recomputed",
    "RowKey",
    "Sequence",
    "Setting",
    "Sketches",
    "Table",
    "What",
    "compare",
    "decode",
    "decode_sketches",
    "encode",
    "facts_of",
    "ordered",
    "row_digest",
    "same_content",
    "together",
    "unasked",
    "unplanned",
]
