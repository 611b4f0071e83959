"""Pages about the app's own work: outbox messages, customer queues, the connection, syncs and webhooks."""

from . import connection, messages, sync_states, webhook_events

__all__ = ["connection", "messages", "sync_states", "webhook_events"]
