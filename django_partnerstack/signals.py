"""The signals that this app sends, for receivers of the site."""

from django.dispatch import Signal

#: Sent after each page of a sync was stored and committed. A page without changes sends no signal.
#:
#: ``sender``: the mirror model. ``mode`` (str). ``created``, ``updated`` (list[str]): the keys of the rows
#: that were written. ``unchanged`` (int): how many rows were up to date.
objects_synced = Signal()

#: Sent for each queued message, after the commit. Dispatch wakes a worker with it.
#:
#: ``sender``: OutboxMessage. ``lane`` (str): the lane of the message.
message_queued = Signal()

#: Sent after a customer, or a transaction, was delivered and the result committed.
#:
#: ``sender``: OutboxMessage. ``mode``, ``operation`` (str, such as "customers.create"). ``key`` (str): the
#: customer key or transaction key. ``message`` (int): the message's primary key. ``record``: the record in
#: the response, or None after a deletion.
customer_pushed = Signal()
transaction_pushed = Signal()

#: Sent after a message failed or was put on hold, and that was committed: it needs attention.
#:
#: The arguments of ``customer_pushed`` without ``record``. ``state`` (str): "dead" (failed) or "held" (on
#: hold). ``reason`` (str): why.
push_failed = Signal()
