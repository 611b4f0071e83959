"""Pages about the app's own work: outbox messages, customer queues, the connection, and syncs."""

from . import connection, messages, sync_states

__all__ = ["connection", "messages", "sync_states"]
