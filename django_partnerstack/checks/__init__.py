"""
System checks, tagged ``partnerstack``. No check uses the network or prints a value, which may be a key.

README.rst lists them. An id never changes its meaning, and the id of a removed check is not used again.
"""

from __future__ import annotations

from django.core import checks

from . import attribution, database, delivery, deployment, settings, webhooks

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
    webhooks.check_webhook_secrets,
    webhooks.check_webhook_url,
    webhooks.check_webhook_middleware,
)
WITH_DEPLOY = (
    deployment.check_mode_is_live,
    deployment.check_keys_are_not_the_sandboxs,
    deployment.check_urls_are_remote,
    deployment.check_push_is_enabled,
)
WITH_DATABASE = (
    database.check_tables,
    database.check_mode_of_data,
    database.check_worker,
    database.check_foreign_keys,
    database.check_character_set,
    database.check_labels,
    database.check_other_databases,
    webhooks.check_webhooks_are_processed,
)


def register() -> None:
    """Register the checks with Django. Safe to repeat."""
    for check in ALWAYS:
        checks.register(check, TAG)
    for check in WITH_DEPLOY:
        checks.register(check, TAG, deploy=True)
    for check in WITH_DATABASE:
        checks.register(check, TAG, checks.Tags.database)
