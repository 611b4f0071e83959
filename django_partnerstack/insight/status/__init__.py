"""How the integration stands: figures from the database, and findings about them. Nothing here writes."""

from .figures import Connection, Health, Queue, SignUps, Sync, Webhooks, Workers
from .health import gauges, health
from .judge import LEFT_AFTER, obstacle
from .read import read_workers
from .tables import lacks_tables

__all__ = [
    "LEFT_AFTER",
    "Connection",
    "Health",
    "Queue",
    "SignUps",
    "Sync",
    "Webhooks",
    "Workers",
    "gauges",
    "health",
    "lacks_tables",
    "obstacle",
    "read_workers",
]
