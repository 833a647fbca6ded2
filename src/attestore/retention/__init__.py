"""Which backups stay and which go: pure, so that a dry run and the deletion can't disagree."""

from attestore.retention.decide import GRACE, Candidate, Dropped, Fate, Kept, Reason, Rule, State, decide

__all__ = ["GRACE", "Candidate", "Dropped", "Fate", "Kept", "Reason", "Rule", "State", "decide"]
