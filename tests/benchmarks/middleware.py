"""
What the middleware costs a request without a partner link: ``python -m tests.benchmarks.middleware``.

The view does nothing, so the difference is the cost of the middleware. The query string is empty, or contains
the letters that the middleware looks for. Every request names the page before, as browsers do.
"""

import os
import statistics
import sys
import time

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.settings"

import django
from django.http import HttpResponse
from django.test import RequestFactory

#: The most microseconds that the middleware may add, as a median.
TARGET = 20.0
REQUESTS, ROUNDS = 2_000, 15


def median_microseconds(get_response, address: str, cookie: str) -> float:
    """The median duration of a request. The requests are built beforehand."""
    headers = {
        "Cookie": f"partnerstack={cookie}; sessionid=abc; csrftoken=def",
        "Referer": "https://www.site.example/products/things/?page=12&sort=price",
    }
    requests = [RequestFactory().get(address, headers=headers) for _ in range(REQUESTS)]
    times = []
    for request in requests:
        begun = time.perf_counter_ns()
        get_response(request)
        times.append(time.perf_counter_ns() - begun)
    return statistics.median(times) / 1000


def main() -> int:
    django.setup()
    from django_partnerstack.middleware import AttributionMiddleware
    from tests.attribution.clicks import click, cookies

    response, kept = HttpResponse(), cookies.dumps((click(),))

    def view(request):
        return response

    worst = 0.0
    for name, address in (("no parameters", "/pricing/"), ("other parameters", "/pricing/?page=2&tags=a")):
        pairs = [
            (
                median_microseconds(view, address, kept),
                median_microseconds(AttributionMiddleware(view), address, kept),
            )
            for _ in range(ROUNDS)
        ]
        without, with_it = (statistics.median(column) for column in zip(*pairs, strict=True))
        worst = max(worst, with_it - without)
        print(f"  {name:18} {without:6.2f} µs without, {with_it:6.2f} µs with (at most {TARGET:.0f} more)")
    return 0 if worst <= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
