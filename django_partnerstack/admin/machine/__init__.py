"""Pages about the app's own work: outbox messages, customer queues, the connection, and syncs."""

from . import connection, lanes, messages, sync_states

__all__ = ["connection", "lanes", "messages", "sync_states"]
