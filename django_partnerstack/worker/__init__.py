"""
The service process of a site: it delivers messages and keeps the mirrors fresh.

``service`` runs the ``jobs`` side by side, each in a thread, and ends in seconds when it is asked to.
"""

from .jobs import delivery, site_jobs
from .service import Service

__all__ = ["Service", "delivery", "site_jobs"]
