"""
The health of the integration, for the site's own pages and for health-check libraries::

    from django_partnerstack import status

    if status.health().severity >= status.Severity.WARN:
        ...
"""

from .insight.findings import Finding, Link, Severity
from .insight.status import Connection, Health, Queue, SignUps, Sync, Webhooks, Workers, gauges, health

__all__ = [
    "Connection",
    "Finding",
    "Health",
    "Link",
    "Queue",
    "Severity",
    "SignUps",
    "Sync",
    "Webhooks",
    "Workers",
    "gauges",
    "health",
]
