"""
The line on the front page of the admin, as soon as something needs attention.

It is one of Django's messages, because every template of the front page shows those, also a site's own. By
the order of INSTALLED_APPS, a template of this app would either replace the site's or be ignored.
"""

from __future__ import annotations

import logging

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ...insight.findings import Finding, Severity
from ...insight.status import health

logger = logging.getLogger(__name__)

#: The attribute of a request whose page has the line already: Django lists the models more than once.
DONE = "_partnerstack_front_page"


def add_banner(request: HttpRequest, site: AdminSite) -> None:
    """Add the line if this is the front page of an ``AdminSite``. Never raises."""
    page = request.resolver_match
    if page is None or page.url_name != "index" or page.app_names[-1:] != ["admin"] or hasattr(request, DONE):
        return
    setattr(request, DONE, True)
    try:
        found = health().findings
    except Exception:
        logger.exception("The health could not be computed.")
        return
    urgent = [finding for finding in found if finding.severity >= Severity.WARN]
    if urgent:
        level = messages.ERROR if urgent[0].severity == Severity.ERROR else messages.WARNING
        messages.add_message(request, level, _line(urgent, site), fail_silently=True)


def _line(urgent: list[Finding], site: AdminSite) -> SafeString:
    more = len(urgent) - 1
    text = ngettext("And {number} more.", "And {number} more.", more).format(number=more) if more else ""
    line = format_html("PartnerStack: {} {}", urgent[0].sentence, text)
    try:
        url = reverse(f"{site.name}:app_list", args=["partnerstack"])
    except NoReverseMatch:
        return line
    return format_html('{} <a href="{}">{}</a>', line, url, _("What to do"))
