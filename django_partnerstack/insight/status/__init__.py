"""How the integration stands: figures from the database, and findings about them. Nothing here writes."""

from .delivery import DeliveryHealth, WorkerHealth, are_messages_left, delivery_health, worker_health
from .figures import Connection, Health, Queue, SignUps, Sync, Webhooks, Workers
from .health import gauges, health
from .judge import obstacle

__all__ = [
    "Connection",
    "DeliveryHealth",
    "Health",
    "Queue",
    "SignUps",
    "Sync",
    "Webhooks",
    "WorkerHealth",
    "Workers",
    "are_messages_left",
    "delivery_health",
    "gauges",
    "health",
    "obstacle",
    "worker_health",
]
