"""
The settings of this app. Only this module reads them.

A setting is read at each access, so that ``override_settings`` works in tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar, overload

from django.conf import settings

T = TypeVar("T")


class Setting(Generic[T]):
    """A ``PARTNERSTACK_…`` setting and its default."""

    def __init__(self, default: T) -> None:
        self.default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = f"PARTNERSTACK_{name.upper()}"

    @overload
    def __get__(self, instance: None, owner: type) -> Setting[T]: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Setting[T] | T:
        return self if instance is None else getattr(settings, self.name, self.default)


class Conf:
    """Attribute access to this app's settings: ``conf.mode`` is ``PARTNERSTACK_MODE``."""

    #: Django's own settings, such as ``conf.django.DEBUG``.
    django = settings
    #: Whether the keys below are for ``"test"`` or ``"production"``. Stored on every row.
    mode = Setting("test")
    public_key = Setting("")
    secret_key = Setting("")
    #: The token for server-to-server tracking. Empty if the account has none.
    tracking_token = Setting("")
    api_url = Setting("https://api.partnerstack.com/api/v2")
    conversion_url = Setting("https://partnerlinks.io/conversion/xid")
    #: Seconds to wait for a connection, and for the next bytes of a response.
    connect_timeout: Setting[float] = Setting(5)
    read_timeout: Setting[float] = Setting(30)
    #: The rate limit of all workers together. PartnerStack allows 4,000 requests a minute from one address.
    requests_per_minute = Setting(3600)
    #: False: messages are queued, and nothing is sent.
    push_enabled = Setting(True)
    #: Who delivers a message soon after it was queued: "worker" (messages wait until partnerstack_worker
    #: sends them), "immediate", "tasks", "celery", or the path of a callable that takes a lane.
    dispatch = Setting("worker")
    #: Seconds between two incremental syncs by partnerstack_worker. 0: it syncs nothing.
    sync_every: Setting[float] = Setting(300)
    #: The time of day of its daily full sync, in the site's time zone. Empty: no full sync.
    full_sync_at = Setting("03:30")
    #: The path of a callable that takes an object of the site and returns its customer key. Asked only once.
    customer_key = Setting("<app>-<model>-<pk>")
    #: What default customer keys begin with, where several sites share one PartnerStack account.
    key_prefix = Setting("")
    #: Days that a click is remembered, and that an organic customer can still be attributed to a partner.
    attribution_days = Setting(90)
    #: The name and the domain of the cookie that remembers clicks. Without a domain: only the host itself.
    attribution_cookie = Setting("partnerstack")
    attribution_domain = Setting("")
    #: The SameSite of that cookie: "Lax" or "None". Empty: as Django's session cookie, but never "Strict".
    attribution_samesite = Setting("")
    #: The path of a callable that takes a request and returns whether its clicks may be remembered.
    attribution_consent = Setting("")
    #: Partner keys whose clicks are ignored. None: in production, PartnerStack's test partner.
    attribution_ignored_partners: Setting[Sequence[str] | None] = Setting(None)
    #: How many proxies of the site add an address to X-Forwarded-For. 0: the header is not believed.
    trusted_proxy_count = Setting(0)
    #: Whether the tag ``partnerstack_snippet`` renders PartnerStackJS.
    snippet = Setting(False)
    #: What is sent about a customer: "full" (with IP address and browser), "contact", "hashed" or "none".
    privacy = Setting("contact")
    #: For how many seconds after an attempt in doubt "not found" is not trusted.
    lookup_grace: Setting[float] = Setting(900)
    #: Whether an error in queueing a message is raised into the site's ``save()``. Otherwise it is logged.
    strict = Setting(False)
    #: What a deleted object of a customer does: "keep" (nothing), "archive" or "forget".
    on_delete = Setting("keep")
    #: What a test run may reach without the test kit: nothing ("refused"), this machine ("loopback") or
    #: everything ("allowed").
    test_network = Setting("refused")
    #: Days after which delivered messages, attempts, webhook bodies and details of clicks are deleted.
    retention_days = Setting(90)

    #: Secrets of the URL that receives webhooks. Several during a rotation; the first is the one to register.
    webhook_secrets: Setting[Sequence[str]] = Setting([])

    @property
    def has_keys(self) -> bool:
        """Whether both keys are set. Without them nothing is sent, and nothing fails."""
        return bool(self.public_key and self.secret_key)

    @property
    def usable_webhook_secrets(self) -> list[str]:
        """The secrets that are strings. A string instead of a list is one secret, not one for each letter."""
        given = self.webhook_secrets
        secrets = [given] if isinstance(given, str) else given if isinstance(given, (list, tuple)) else []
        return [secret for secret in secrets if secret and isinstance(secret, str)]

    def without_keys(self, text: str) -> str:
        """The text with the site's keys masked: a safeguard for pages, whose texts should contain no keys."""
        keys = (self.public_key, self.secret_key, self.tracking_token)
        for key in (*keys, *self.usable_webhook_secrets):
            if key and isinstance(key, str):
                text = text.replace(key, "***")
        return text

    @staticmethod
    def known() -> dict[str, Setting]:
        """Every setting of this app by its full name."""
        found = (value for value in vars(Conf).values() if isinstance(value, Setting))
        return {setting.name: setting for setting in found}

    @staticmethod
    def given() -> list[str]:
        """The names of all ``PARTNERSTACK_…`` settings of the site, known or not."""
        return [name for name in dir(settings) if name.startswith("PARTNERSTACK_")]


conf = Conf()
