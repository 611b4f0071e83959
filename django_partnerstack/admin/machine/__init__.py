"""Pages about the app's own work: messages, customer queues, the connection, syncs, webhooks and workers."""

from . import connection, messages, sync_states, webhook_events, workers

__all__ = ["connection", "messages", "sync_states", "webhook_events", "workers"]
