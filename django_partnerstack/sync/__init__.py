"""Pull: copies what PartnerStack has into the mirrors."""

from .pull import Pulled, pull, pull_all
from .refresh import Refreshed, refresh

__all__ = ["Pulled", "Refreshed", "pull", "pull_all", "refresh"]
