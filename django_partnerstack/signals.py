"""Signals that this app sends. A host connects to them; nothing here receives."""

from django.dispatch import Signal

#: Sent once per stored page, after its transaction is committed.
#:
#: ``sender``: the mirror model. ``mode`` (str). ``created``, ``updated`` (list[str]): keys of the rows
#: that were written. ``unchanged`` (int): how many were already as at PartnerStack. A page that wrote
#: nothing sends nothing.
objects_synced = Signal()
