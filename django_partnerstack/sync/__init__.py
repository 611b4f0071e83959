"""Pull: what PartnerStack holds, into the mirrors."""

from ..exceptions import SyncLocked
from .pull import Pulled, pull
from .refresh import REFRESHABLE, Refreshed, refresh
from .resources import RESOURCES
from .run import run

__all__ = [
    "REFRESHABLE",
    "RESOURCES",
    "Pulled",
    "Refreshed",
    "SyncLocked",
    "pull",
    "refresh",
    "run",
]
