"""Records of PartnerStack's and rows of their mirrors."""

from .rows import to_row
from .store import Difference, announce, compare, store

__all__ = ["Difference", "announce", "compare", "store", "to_row"]
