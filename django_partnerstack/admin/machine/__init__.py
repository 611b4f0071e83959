"""Pages about the app's work: messages, source errors, customer queues, the connection, syncs and workers."""

from . import connection, messages, source_failures, sync_states, workers

__all__ = ["connection", "messages", "source_failures", "sync_states", "workers"]
