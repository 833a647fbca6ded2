"""The doors to the world: small Protocols, and the values that cross them.

The order of the cycle is typed: `Plain` → `SealedPart` → `StoredPart` → `FetchedPart` → `Plain`. A store takes nothing
plain, and what is restored can come only out of a store.
"""

from attestore.ports.keeping import Kept, Sealer, Seals, Store, Towards, Unfinished
from attestore.ports.landing import Landing, Place, Recovered, Standing
from attestore.ports.machine import Clock, Entropy, Look, Outbox, Rest, Watcher, Workspace
from attestore.ports.paper import Attachment, Page, Printer
from attestore.ports.parts import FetchedPart, Hear, Plain, SealedPart, Signed, StoredPart
from attestore.ports.source import Dumper, Dumping, Form, Snapshot, Source, SourceFacts, Tap, Texts
from attestore.ports.target import Again, Planted, Refuge, Restored, Scratch, Section, Target
from attestore.ports.trust import Inspected, Signer, Stamped, Stamps, Verifier

__all__ = [
    "Again",
    "Attachment",
    "Clock",
    "Dumper",
    "Dumping",
    "Entropy",
    "FetchedPart",
    "Form",
    "Hear",
    "Inspected",
    "Kept",
    "Landing",
    "Look",
    "Outbox",
    "Page",
    "Place",
    "Plain",
    "Planted",
    "Printer",
    "Recovered",
    "Refuge",
    "Rest",
    "Restored",
    "Scratch",
    "SealedPart",
    "Sealer",
    "Seals",
    "Section",
    "Signed",
    "Signer",
    "Snapshot",
    "Source",
    "SourceFacts",
    "Stamped",
    "Stamps",
    "Standing",
    "Store",
    "StoredPart",
    "Tap",
    "Target",
    "Texts",
    "Towards",
    "Unfinished",
    "Verifier",
    "Watcher",
    "Workspace",
]
