"""
What ``partnerstack_doctor`` examines: the way to PartnerStack, the webhooks, and the site.

It asks PartnerStack, and neither waits for slots of the rate limiter nor writes anything, so that it also
works while delivery is paused. The rehearsal alone creates objects at PartnerStack, and removes them.
"""

from .answers import Watch, watched_client
from .examine import STOPS_EVERYTHING, examine
from .item import Item
from .rehearsal import Rehearsal

__all__ = ["STOPS_EVERYTHING", "Item", "Rehearsal", "Watch", "examine", "watched_client"]
