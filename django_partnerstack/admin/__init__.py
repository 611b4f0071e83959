"""Pages that show what was mirrored from PartnerStack and what it is told, and how both stand."""

from . import attributions, customers, deals, lines, outbox, partnerships, rewards, sync

__all__ = ["attributions", "customers", "deals", "lines", "outbox", "partnerships", "rewards", "sync"]
