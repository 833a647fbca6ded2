"""What a database holds at one snapshot, and how two such proofs differ."""

from attestore.proof.behaviour import Behaviour, Did, Exercise, IndexCheck
from attestore.proof.compare import Comparison, Difference, What, compare, facts_of
from attestore.proof.model import (
    FORMAT,
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
)

__all__ = [
    "FORMAT",
    "Behaviour",
    "Comparison",
    "Did",
    "Difference",
    "Exercise",
    "ForeignKey",
    "IndexCheck",
    "Object",
    "ProbeResult",
    "Proof",
    "Query",
    "Reading",
    "Sequence",
    "Setting",
    "Table",
    "What",
    "compare",
    "decode",
    "encode",
    "facts_of",
]
