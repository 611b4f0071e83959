"""
System checks, tagged ``partnerstack``. No check uses the network or prints a value, which may be a key.

Checks marked *deploy* run only with ``check --deploy``, those marked *database* only with
``check --database`` and ``migrate``. An id never changes its meaning, and the id of a removed check is not
used again.

================== ======== ====================================================================
Id                 Runs     Meaning
================== ======== ====================================================================
partnerstack.E001           Only one key of the pair is set.
partnerstack.E002           The public and the secret key are swapped.
partnerstack.E003           A key has spaces or a line break around it.
partnerstack.E004           A key is not a string.
partnerstack.E005           ``PARTNERSTACK_MODE`` is neither ``"test"`` nor ``"production"``.
partnerstack.E006           A URL setting is not a URL.
partnerstack.E007           A URL setting is not https, so that others could read the keys.
partnerstack.E008           A time-out is not a number of seconds above 0.
partnerstack.E009  deploy   A key or the tracking token belongs to the local sandbox.
partnerstack.E010  deploy   A URL setting points to this machine.
partnerstack.E011           ``PARTNERSTACK_ATTRIBUTION_CONSENT`` is not the path of a function.
partnerstack.E012           ``PARTNERSTACK_ATTRIBUTION_IGNORED_PARTNERS`` is not a list of keys.
partnerstack.E013           ``PARTNERSTACK_ATTRIBUTION_COOKIE`` is not a valid cookie name.
partnerstack.E014           ``PARTNERSTACK_PRIVACY`` is not one of its four values.
partnerstack.E015           ``PARTNERSTACK_ATTRIBUTION_DAYS`` is not a number above 0.
partnerstack.E016           ``PARTNERSTACK_REQUESTS_PER_MINUTE`` is not a number above 0.
partnerstack.E017           A switch is neither ``True`` nor ``False``.
partnerstack.E018           ``PARTNERSTACK_LOOKUP_GRACE`` or ``…_RETENTION_DAYS`` is not a number.
partnerstack.E019           ``PARTNERSTACK_CUSTOMER_KEY`` is not the path of a function.
partnerstack.E020           ``PARTNERSTACK_DISPATCH`` is neither a known value nor a function.
partnerstack.E021           ``PARTNERSTACK_DISPATCH`` names tasks that are not available.
partnerstack.E022           A router writes a reported model and its messages to two databases.
partnerstack.E023           ``USE_TZ`` is False.
partnerstack.W001           No keys are set: nothing is sent.
partnerstack.W002           A ``PARTNERSTACK_…`` setting is not a setting of this app.
partnerstack.W003  deploy   Test mode with ``DEBUG = False``: no partner earns a reward.
partnerstack.W004  database PartnerStack has returned only data of the other mode.
partnerstack.W005           Attribution is configured, but its middleware is not installed.
partnerstack.W006           A middleware above it hides clicks, or drops its cookie.
partnerstack.W007           ``PARTNERSTACK_ATTRIBUTION_DOMAIN`` fits none of ``ALLOWED_HOSTS``.
partnerstack.W008           PartnerStackJS and the site both may report the same sign-up.
partnerstack.W009           More requests a minute than PartnerStack allows.
partnerstack.W010  deploy   Nothing is sent with ``DEBUG = False``.
================== ======== ====================================================================
"""

from __future__ import annotations

from django.core import checks

from . import attribution, database, delivery, deployment, settings

TAG = "partnerstack"

ALWAYS = (
    settings.check_names,
    settings.check_mode,
    settings.check_keys,
    settings.check_urls,
    settings.check_timeouts,
    settings.check_time_zones,
    attribution.check_attribution_values,
    attribution.check_snippet,
    attribution.check_middleware_is_installed,
    attribution.check_middleware_order,
    attribution.check_cookie_domain,
    delivery.check_delivery_values,
    delivery.check_dispatch,
    database.check_router,
)
WITH_DEPLOY = (
    deployment.check_mode_is_live,
    deployment.check_keys_are_not_the_sandboxs,
    deployment.check_urls_are_remote,
    deployment.check_push_is_enabled,
)


def register() -> None:
    """Register the checks with Django. Safe to repeat."""
    for check in ALWAYS:
        checks.register(check, TAG)
    for check in WITH_DEPLOY:
        checks.register(check, TAG, deploy=True)
    checks.register(database.check_mode_of_data, TAG, checks.Tags.database)
