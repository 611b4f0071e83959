"""The site's own rules for clicks: the visitor's consent, and the partners that are ignored."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from django.http import HttpRequest
from django.utils.module_loading import import_string

from ..conf import conf
from ..models.mirror import Mode
from .parameters import Click

logger = logging.getLogger(__name__)


def is_ignored(click: Click) -> bool:
    """Whether clicks of this partner do not count. By default the test partner's, in production mode."""
    ignored: Iterable[str] | None = conf.attribution_ignored_partners
    if ignored is None:
        ignored = ("gstest",) if conf.mode == Mode.PRODUCTION else ()
    return click.partner_key in ignored


def has_consent(request: HttpRequest) -> bool:
    """
    Whether PARTNERSTACK_ATTRIBUTION_CONSENT allows storing this visitor's clicks. True if it is not set.

    If the callable raises, the error is logged and the answer is False, so that the page still works.
    """
    if not conf.attribution_consent:
        return True
    try:
        return bool(import_string(conf.attribution_consent)(request))
    except Exception:
        logger.exception("PARTNERSTACK_ATTRIBUTION_CONSENT failed; the click is not stored.")
        return False
