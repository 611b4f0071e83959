"""Pages about the app's own work: outbox messages, customer queues, the connection, syncs and workers."""

from . import connection, messages, sync_states, workers

__all__ = ["connection", "messages", "sync_states", "workers"]
