"""Signals that this app sends. A host connects to them; nothing here receives."""

from django.dispatch import Signal

#: Sent once per stored page, after its transaction is committed.
#:
#: ``sender``: the mirror model. ``mode`` (str). ``created``, ``updated`` (list[str]): keys of the rows
#: that were written. ``unchanged`` (int): how many were already as at PartnerStack. A page that wrote
#: nothing sends nothing.
objects_synced = Signal()

#: Sent after the commit of a transaction that queued a message, once a message.
#:
#: ``sender``: OutboxMessage. ``lane`` (str): the lane it is in. What wakes workers listens to it.
message_queued = Signal()

#: Sent when PartnerStack has a customer, or a transaction, as this site said, and that is committed.
#:
#: ``sender``: OutboxMessage. ``mode``, ``operation`` (str, such as "customers.create"). ``key`` (str): the
#: customer key or transaction key. ``message`` (int): the message's primary key. ``record``: what came
#: back, or None after a deletion.
customer_pushed = Signal()
transaction_pushed = Signal()

#: Sent when a message needs a person, and that is committed.
#:
#: As above, without ``record``; ``state``: "dead" or "held". ``reason`` (str): why.
push_failed = Signal()
