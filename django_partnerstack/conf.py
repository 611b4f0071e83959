"""
The settings of this app, and the only place that reads them.

Each is read at each access, so that ``override_settings`` works in tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar, overload

from django.conf import settings

T = TypeVar("T")


class Setting(Generic[T]):
    """A ``PARTNERSTACK_…`` setting with its default."""

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

    #: Which kind the key pair below is: ``"test"`` or ``"production"``. Stored on every row.
    mode = Setting("test")
    #: The key pair of that mode.
    public_key = Setting("")
    secret_key = Setting("")
    #: Server-to-server tracking token, if the account has one.
    tracking_token = Setting("")
    api_url = Setting("https://api.partnerstack.com/api/v2")
    conversion_url = Setting("https://partnerlinks.io/conversion/xid")
    #: Seconds to wait for a connection, and for the next bytes of an answer.
    connect_timeout: Setting[float] = Setting(5)
    read_timeout: Setting[float] = Setting(30)
    #: Requests a minute, shared by all processes of the site. PartnerStack allows 4,000 per address.
    requests_per_minute = Setting(3600)
    #: False: messages are queued and held, nothing is sent.
    push_enabled = Setting(True)
    #: Who wakes a worker: "worker" (nobody), "immediate", "tasks", "celery", or the path of a callable.
    dispatch = Setting("worker")
    #: Path of a callable: host object → stable customer key.
    customer_key = Setting("<model>-<pk>")
    #: Days after a sign-up in which a partner can still be credited for it, and that a click is remembered.
    attribution_days = Setting(90)
    #: The cookie that remembers clicks: its name, and its domain (empty: the host alone).
    attribution_cookie = Setting("partnerstack")
    attribution_domain = Setting("")
    #: Path of a callable: request → whether clicks of this visitor may be kept. Without one they are.
    attribution_consent = Setting("")
    #: Partner keys whose clicks are ignored. None: PartnerStack's test partner, in production.
    attribution_ignored_partners: Setting[Sequence[str] | None] = Setting(None)
    #: Whether the tag ``partnerstack_snippet`` writes anything.
    snippet = Setting(False)
    #: What is told of a customer: "full" (also address and browser), "contact", "hashed" or "none".
    privacy = Setting("contact")
    #: Seconds for which "not found" proves nothing after a write of which the answer was lost.
    lookup_grace: Setting[float] = Setting(900)
    #: Whether an error in queueing a message is raised into the host's ``save()``. Otherwise it is logged.
    strict = Setting(False)
    #: Days that delivered messages are kept.
    retention_days = Setting(90)

    @property
    def debug(self) -> bool:
        """Django's own ``DEBUG``; checks ask for it."""
        return settings.DEBUG

    @property
    def middleware(self) -> Sequence[str]:
        """Django's own ``MIDDLEWARE``; checks ask for it."""
        return settings.MIDDLEWARE

    @property
    def allowed_hosts(self) -> Sequence[str]:
        """Django's own ``ALLOWED_HOSTS``; checks ask for it."""
        return settings.ALLOWED_HOSTS

    @property
    def use_tz(self) -> bool:
        """Django's own ``USE_TZ``; checks ask for it."""
        return settings.USE_TZ

    @property
    def has_keys(self) -> bool:
        """Whether the key pair is there. Without it nothing is sent, and nothing fails."""
        return bool(self.public_key and self.secret_key)

    def without_keys(self, text: str) -> str:
        """The text with the site's keys struck out: none should be in it, and no page may show one."""
        for key in (self.public_key, self.secret_key, self.tracking_token):
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
        """The names that the site's settings set and that begin like ours."""
        return [name for name in dir(settings) if name.startswith("PARTNERSTACK_")]


conf = Conf()
