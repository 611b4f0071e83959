"""
Webhooks received in one process with eight threads: ``python -m tests.benchmarks.webhooks [DELIVERIES]``.

Beside a bare view that answers and does nothing, and a view that stores the body by one ``create()``. All are
called through Django's WSGI handler with the middleware of the tests, on the database of ``DATABASE_URL``,
PostgreSQL without it.
"""

import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"
os.environ.setdefault("DATABASE_URL", "postgres:///partnerstack")

import django
from django.db import connections
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import include, path
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

SECRET = "benchmark-0123456789-0123456789-0123"
#: The fewest deliveries a second.
TARGET = 500
ROUNDS, THREADS = 3, 8


@csrf_exempt
def bare(request):
    return HttpResponse()


@csrf_exempt
def create(request):
    from django_partnerstack.models import WebhookEvent

    now = timezone.now()
    body = json.loads(request.body)
    times = {"window": now, "first_received_at": now, "last_received_at": now}
    WebhookEvent.objects.create(mode="test", digest=body["data"]["key"], body=body, **times)
    return HttpResponse()


urlpatterns = [path("bare/", bare), path("create/", create)]


def rate(handler, address: str, bodies: list[bytes]) -> float:
    """Requests a second. They are built beforehand."""
    factory = RequestFactory()
    requests = [
        {**factory.post(address, body, content_type="application/json").environ, "wsgi.input": BytesIO(body)}
        for body in bodies
    ]

    def send(part: int) -> None:
        for environ in requests[part::THREADS]:
            response = handler(environ, lambda status, headers: None)
            assert response.status_code == 200, response.status_code
            response.close()
        connections.close_all()

    begun = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, range(THREADS)))
    return len(bodies) / (time.perf_counter() - begun)


def bodies(count: int, number: int) -> list[bytes]:
    deliveries = (
        {
            "event": "customer.updated",
            "data": {"key": f"cus_{number}_{each}", "updated_at": each},
            "test": True,
        }
        for each in range(count)
    )
    return [json.dumps(delivery).encode() for delivery in deliveries]


def main(count: int) -> int:
    django.setup()
    from django.core.handlers.wsgi import WSGIHandler
    from django.db import connection

    from .pull import database

    urlpatterns.append(path("partnerstack/", include("django_partnerstack.urls")))

    connection.settings_dict["CONN_MAX_AGE"] = 600
    addresses = {
        "a bare view": "/bare/",
        "a view with create()": "/create/",
        "a delivery": f"/partnerstack/webhooks/{SECRET}/",
    }
    with (
        database(),
        override_settings(ROOT_URLCONF=__name__, PARTNERSTACK_WEBHOOK_SECRETS=[SECRET]),
    ):
        handler = WSGIHandler()
        rates = dict.fromkeys(addresses, 0.0)
        for number in range(ROUNDS):
            for name, address in addresses.items():
                rates[name] = max(rates[name], rate(handler, address, bodies(count, number)))
    print(f"{connection.vendor}, {count:,} requests, the best of {ROUNDS} rounds")
    for name, found in rates.items():
        wanted = f" (at least {TARGET})" if name == "a delivery" else ""
        print(f"  {name:22} {found:8,.0f} a second{wanted}")
    return 0 if rates["a delivery"] >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 2_000))
