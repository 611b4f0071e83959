"""
A check for django-health-check 4 (extra ``health-check``)::

    from health_check.views import HealthCheckView

    path("health/", HealthCheckView.as_view(checks=["django_partnerstack.contrib.health_check.PartnerStack"]))
"""

from __future__ import annotations

import dataclasses

from health_check.base import HealthCheck
from health_check.exceptions import ServiceUnavailable, ServiceWarning

from ..insight.findings import Severity
from ..insight.status import health
from ..telemetry import close_idle_connections


@dataclasses.dataclass
class PartnerStack(HealthCheck):
    """
    Fails if the integration has a finding that is at least as urgent as ``fail_on``: "error" or "warn".

    It reads the site's database alone, so that a failing PartnerStack does not slow it down. The response
    contains the sentences of the findings, without keys.
    """

    fail_on: str = "error"

    def __post_init__(self) -> None:
        if self.fail_on not in ("error", "warn"):
            raise ValueError(f'fail_on must be "error" or "warn", not {self.fail_on!r}.')

    def run(self) -> None:
        try:
            findings = health().findings
        finally:
            # The view runs it in a thread of its own.
            close_idle_connections()
        least = Severity.ERROR if self.fail_on == "error" else Severity.WARN
        urgent = [finding for finding in findings if finding.severity >= least]
        if urgent:
            is_error = any(finding.severity >= Severity.ERROR for finding in urgent)
            kind = ServiceUnavailable if is_error else ServiceWarning
            raise kind(" ".join(finding.sentence for finding in urgent))
