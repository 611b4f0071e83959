"""Pages about the app's own work: messages, source errors, customer queues, the connection and syncs."""

from . import connection, messages, source_failures, sync_states

__all__ = ["connection", "messages", "source_failures", "sync_states"]
