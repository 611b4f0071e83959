"""What tests of attribution share: clicks, cookies with clicks, and consent."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from typing import Any

from django.core import signing
from django.http import HttpRequest
from django.test import RequestFactory

from django_partnerstack.attribution import Click, cookies, encode
from django_partnerstack.models import Attribution, Customer
from tests.shop.models import Account

CLICK = "AbCdEf12345678"

#: The default name of the cookie.
COOKIE = "partnerstack"


def click(click_id: str = CLICK, partner_key: str = "troycooper1364", **fields: Any) -> Click:
    """A minute ago."""
    then = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(minutes=1)
    return Click(**{"click_id": click_id, "partner_key": partner_key, "at": then, "path": "/", **fields})


def link(click_id: str = CLICK, partner_key: str = "troycooper1364") -> str:
    """The parameters of a partner's link."""
    key = encode(partner_key)
    return f"pscd=try.site.example&ps_partner_key={key}&ps_xid={click_id}&gsxid={click_id}&gspk={key}"


def request(
    query: str = "", *, cookies: dict[str, str] | None = None, method: str = "GET", **extra: Any
) -> HttpRequest:
    found = RequestFactory().generic(method, f"/landing/?{query}", **extra)
    found.COOKIES.update(cookies or {})
    return found


def came_by(*clicks: Click, **options: Any) -> HttpRequest:
    """A later request of a visitor with these clicks in the cookie."""
    return request(cookies={COOKIE: cookies.dumps(clicks)}, **options)


def signed(value: Any, *, days_ago: float = 0, salt: str = cookies.SALT, key: str | None = None) -> str:
    """Any value, signed as the cookie is, some time ago."""

    class Then(signing.TimestampSigner):
        def timestamp(self) -> str:
            return signing.b62_encode(int(time.time() - days_ago * 86400))

    return Then(key=key, salt=salt).sign_object(value, compress=True)


def attribution() -> Attribution:
    return Attribution.objects.get()


def account(**fields: Any) -> Account:
    """A customer for whom the site itself names no partner."""
    return Account.objects.create(**{"email": "a@customers.example", **fields})


def key_of(account: Account) -> str:
    return f"account-{account.pk}"


def customer(account: Account) -> Customer:
    return Customer.objects.get(customer_key=key_of(account))


def refuse(request: HttpRequest) -> bool:
    return False


def allow(request: HttpRequest) -> bool:
    return True


def by_cookie(request: HttpRequest) -> bool:
    """As a consent banner sets it."""
    return request.COOKIES.get("consent") == "yes"


def ask_database(request: HttpRequest) -> bool:
    return not Account.objects.filter(name="refuses").exists()


def fail(request: HttpRequest) -> bool:
    raise KeyError("consent")
