"""Pages about the partner programme: one for each mirror, and who referred which customer."""

from . import attributions, customers, deals, partnerships, rewards, transactions
from .mirror import register_mirrors

__all__ = ["attributions", "customers", "deals", "partnerships", "rewards", "transactions"]

register_mirrors()
