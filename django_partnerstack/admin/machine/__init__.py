"""Pages about the app's work: messages, source errors, the connection, syncs, webhooks and workers."""

from . import connection, messages, source_failures, sync_states, webhook_events, workers

__all__ = ["connection", "messages", "source_failures", "sync_states", "webhook_events", "workers"]
