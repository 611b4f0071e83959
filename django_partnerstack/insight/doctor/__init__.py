"""
What ``partnerstack_doctor`` examines: the way to PartnerStack, the webhooks, and the site.

It asks PartnerStack, and neither waits for slots of the rate limiter nor writes anything, so that it also
works while delivery is paused. The rehearsal alone creates objects at PartnerStack, and removes them.
"""

from .examine import examine
from .item import Item

__all__ = ["Item", "examine"]
