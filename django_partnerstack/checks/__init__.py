"""
System checks, tagged ``partnerstack``. None talks to the network, and none prints a value: it may be a key.

Only ``check --deploy`` runs those marked *deploy*; only ``check --database`` and ``migrate`` those marked
*database*. An id keeps its meaning for good; a retired one is not given again.

================== ======== ====================================================================
Id                 Runs     Means
================== ======== ====================================================================
partnerstack.E001           Only one key of the pair is set.
partnerstack.E002           The public and the secret key are swapped.
partnerstack.E003           A key has blanks around it.
partnerstack.E004           A key is not text.
partnerstack.E005           ``PARTNERSTACK_MODE`` is neither ``"test"`` nor ``"production"``.
partnerstack.E006           A URL setting is not a URL.
partnerstack.E007           A URL setting is not https, so that keys would travel in the clear.
partnerstack.E008           A time-out is not a number of seconds above zero.
partnerstack.E009  deploy   A key or the tracking token is that of the local sandbox.
partnerstack.E010  deploy   A URL setting points at this machine.
partnerstack.E011           ``PARTNERSTACK_ATTRIBUTION_CONSENT`` is no function.
partnerstack.E012           ``PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS`` is no list of keys.
partnerstack.E013           ``PARTNERSTACK_ATTRIBUTION_COOKIE`` is no name of a cookie.
partnerstack.E014           ``PARTNERSTACK_PRIVACY`` is none of its four words.
partnerstack.E015           ``PARTNERSTACK_ATTRIBUTION_DAYS`` is no number of days above zero.
partnerstack.E016           ``PARTNERSTACK_REQUESTS_PER_MINUTE`` is no number above zero.
partnerstack.E017           A setting that is on or off is neither ``True`` nor ``False``.
partnerstack.E018           ``PARTNERSTACK_LOOKUP_GRACE`` or ``…_RETENTION_DAYS`` is no number.
partnerstack.E019           ``PARTNERSTACK_CUSTOMER_KEY`` is no function.
partnerstack.E020           ``PARTNERSTACK_DISPATCH`` is no word that it knows, and no function.
partnerstack.E021           ``PARTNERSTACK_DISPATCH`` asks for tasks that are not there.
partnerstack.E022           A router puts a reported model and the messages in two databases.
partnerstack.E023           ``USE_TZ`` is False.
partnerstack.W001           No keys are set: nothing is sent.
partnerstack.W002           A setting begins like ours and is none of ours.
partnerstack.W003  deploy   Test mode is configured with ``DEBUG = False``: nobody earns a reward.
partnerstack.W004  database All data that came back is of the other mode than the one declared.
partnerstack.W005           Attribution is configured, and ``AttributionMiddleware`` is missing.
partnerstack.W006           Something stands above it that hides clicks, or drops its cookie.
partnerstack.W007           ``PARTNERSTACK_ATTRIBUTION_DOMAIN`` fits none of ``ALLOWED_HOSTS``.
partnerstack.W008           PartnerStackJS and the site both may report the same sign-up.
partnerstack.W009           More requests a minute are set than PartnerStack allows.
partnerstack.W010  deploy   Nothing is sent, on a site with ``DEBUG = False``.
================== ======== ====================================================================
"""

from __future__ import annotations

from django.core import checks

from . import attribution, database, deployment, keys, middleware, push, settings

TAG = "partnerstack"


def register() -> None:
    """Hand the checks to Django. Safe to repeat."""
    for check in (keys.check_keys, settings.check_names, settings.check_mode, settings.check_urls):
        checks.register(check, TAG)
    checks.register(settings.check_time_zones, TAG)
    for check in (settings.check_timeouts, attribution.check_values, attribution.check_snippet):
        checks.register(check, TAG)
    for check in (middleware.check_presence, middleware.check_place, middleware.check_domain):
        checks.register(check, TAG)
    for check in (push.check_values, push.check_dispatch, push.check_router):
        checks.register(check, TAG)
    for check in (deployment.check_mode, deployment.check_keys, deployment.check_urls, push.check_enabled):
        checks.register(check, TAG, deploy=True)
    checks.register(database.check_mode_seen, TAG, checks.Tags.database)
