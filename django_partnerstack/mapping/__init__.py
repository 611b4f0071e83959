"""Records of PartnerStack's and rows of their mirrors."""

from ..client.money import minor_units
from .rows import to_row
from .store import Difference, announce, compare, keep, store

__all__ = ["Difference", "announce", "compare", "keep", "minor_units", "store", "to_row"]
