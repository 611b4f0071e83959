"""From PartnerStack's records to the rows of their mirrors, and from amounts to minor units."""

from ..client.money import minor_units
from .store import Difference, announce, compare, store, store_one, to_row
from .text import storable

__all__ = ["Difference", "announce", "compare", "minor_units", "storable", "store", "store_one", "to_row"]
