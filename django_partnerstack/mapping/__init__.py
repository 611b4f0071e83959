"""From PartnerStack's records to the rows of their mirrors, and from amounts to minor units."""

from ..client.money import minor_units
from .kept_fields import record_without_person, without_forgotten, without_person
from .store import Difference, announce, compare, store, store_one, to_row
from .text import storable

__all__ = [
    "Difference",
    "announce",
    "compare",
    "minor_units",
    "record_without_person",
    "storable",
    "store",
    "store_one",
    "to_row",
    "without_forgotten",
    "without_person",
]
