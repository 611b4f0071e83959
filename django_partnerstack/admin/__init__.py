"""Pages that show what was mirrored from PartnerStack, and how the sync stands."""

from . import customers, deals, partnerships, rewards, sync

__all__ = ["customers", "deals", "partnerships", "rewards", "sync"]
