"""
The pages of this app in Django's admin.

``business`` has the pages about the partner programme, ``machine`` those about the outbox, the connection and
the syncs. Both use ``actions``, and ``display`` for what lists and pages have in common.
"""

from . import business, machine
from .actions.push import PushToPartnerStackMixin

__all__ = ["PushToPartnerStackMixin", "business", "machine"]
