"""
The pages of this app in Django's admin.

``business`` contains the pages about the partner programme, ``machine`` the pages about the outbox, the
connection and the syncs. Both use ``actions`` and ``display``.
"""

from . import business, machine
from .actions.push import PushToPartnerStackMixin

__all__ = ["PushToPartnerStackMixin", "business", "machine"]
