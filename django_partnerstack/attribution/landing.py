"""The click that a request lands from, and whether it may be kept."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.utils import timezone
from django.utils.module_loading import import_string

from ..conf import conf
from ..models.mirror import Mode
from . import parameters
from .parameters import Click

logger = logging.getLogger(__name__)


def clicked(request: HttpRequest) -> Click | None:
    """The click that this request lands from, by its address alone."""
    if not parameters.NAMES.search(request.META.get("QUERY_STRING", "")):
        return None
    try:
        return parameters.read(request.GET, at=timezone.now(), path=request.path)
    except SuspiciousOperation:
        # More parameters than Django reads. The page itself may not need them.
        return None


def has_consent(request: HttpRequest) -> bool:
    """
    Whether PARTNERSTACK_ATTRIBUTION_CONSENT allows to keep clicks of this visitor; yes without one.

    An error in it is logged, and means no: no page must fail because of it.
    """
    if not conf.attribution_consent:
        return True
    try:
        return bool(import_string(conf.attribution_consent)(request))
    except Exception:
        logger.exception("PARTNERSTACK_ATTRIBUTION_CONSENT failed; the click is not kept.")
        return False


def is_ignored(click: Click) -> bool:
    """Whether the click is of a partner who is not credited: by default the test partner, in production."""
    ignored: Iterable[str] | None = conf.attribution_ignored_partners
    if ignored is None:
        ignored = ("gstest",) if conf.mode == Mode.PRODUCTION else ()
    return click.partner_key in ignored
